"""Comparing gateways with our book: runs, the drift report, settlement files, providers' calls."""

import asyncio
from tempfile import SpooledTemporaryFile
from typing import Annotated, BinaryIO, Literal, cast

import msgspec
from msgspec import Meta

from counterfoil.api.ask import Ask
from counterfoil.api.configuration import write
from counterfoil.api.door import Door
from counterfoil.api.lists import Moment, PageQuery, Text
from counterfoil.api.reply import Reply, tell
from counterfoil.book.drift import list_drift, resolve_drift
from counterfoil.book.inbound import (
    InboundEvent,
    WholeEvent,
    list_inbound,
    read_inbound,
    try_again,
)
from counterfoil.book.reconciliations import Reconciliation, begin_run, find_run, list_runs
from counterfoil.book.settlements import run_of_file
from counterfoil.kernel.body import check_media_type
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import Page
from counterfoil.order.change import Answered
from counterfoil.order.drift import DriftLine
from counterfoil.order.problems import InvalidState, RequestInProgress
from counterfoil.setup.gateways import find_gateway
from counterfoil.work.settlements import (
    FILE_BYTES_MAX,
    OVERDUE_DAYS,
    Settlement,
    digest_of,
    import_settlement,
)

door = Door("Reconciliation")
_SYNC, _READ, _CSV = "payments.sync", "reports.read", "text/csv"
WAIT_S = 10
_IN_MEMORY = 1024 * 1024


class RunBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to compare; without `since` what moved since the last run."""

    gateway: Annotated[str, Meta(min_length=1, max_length=64)]
    since: Moment | None = None


class ResolveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What somebody found out about a line."""

    note: Annotated[str, Meta(max_length=2000)] = ""


class RunQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which runs."""

    gateway: Text | None = None


class DriftQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which lines."""

    status: Literal["OPEN", "RESOLVED"] | None = None
    gateway: Text | None = None


class InboundQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which calls."""

    status: Literal["RECEIVED", "UNMATCHED", "DONE", "FAILED"] | None = None
    gateway: Text | None = None


class FileQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What people call the file, and after how many days a capture should have been paid out."""

    name: Annotated[str, Meta(max_length=200)] = "settlement.csv"
    overdue_days: Annotated[int, Meta(ge=1, le=366)] = OVERDUE_DAYS


@door.post("/v1/reconciliations", right=_SYNC, answers={201: Reconciliation})
async def start_run(ask: Ask, body: RunBody) -> Answered:
    """Compare a gateway with our book; a worker does it, the run tells how far it is."""
    ask.actor.require_whole_account()

    async def begin(connection: Connection) -> Reconciliation:
        run_id = await begin_run(connection, ask.actor, body.gateway, since=body.since)
        assert run_id is not None, "only a slot may have its run already"
        return await find_run(connection, run_id)

    return await write(ask, begin, status=201)


@door.get("/v1/reconciliations", right=_READ, answers={200: Page[Reconciliation]})
async def show_runs(ask: Ask, query: RunQuery) -> Page[Reconciliation]:
    """List runs, the newest first: nightly ones, those asked for, settlement files."""
    ask.actor.require_whole_account()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_runs(
            connection, gateway=query.gateway, limit=query.limit, cursor=query.cursor
        )


@door.get("/v1/reconciliations/{run_id}", right=_READ, answers={200: Reconciliation})
async def show_run(ask: Ask) -> Reconciliation:
    """Read a run: how far it is and what came of it."""
    ask.actor.require_whole_account()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await find_run(connection, ask.path["run_id"])


@door.get("/v1/drift", right=_READ, answers={200: Page[DriftLine]})
async def show_drift(ask: Ask, query: DriftQuery) -> Page[DriftLine]:
    """List what providers say and our book does not, or the reverse; the newest first."""
    ask.actor.require_whole_account()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_drift(
            connection, status=query.status, gateway=query.gateway, limit=query.limit,
            cursor=query.cursor,
        )


@door.post("/v1/drift/{drift_id}/resolve", right=_SYNC, answers={200: DriftLine},
           raises=(InvalidState,))
async def resolve_line(ask: Ask, body: ResolveBody) -> Answered:
    """Close a line of the drift report, with what was found out."""
    ask.actor.require_whole_account()
    line = ask.path["drift_id"]
    return await write(
        ask, lambda connection: resolve_drift(connection, ask.actor, line, body.note)
    )


@door.get("/v1/inbound-events", right=_READ, answers={200: Page[InboundEvent]})
async def show_inbound(ask: Ask, query: InboundQuery) -> Page[InboundEvent]:
    """List the calls that providers made to us, the newest first."""
    ask.actor.require_whole_account()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_inbound(
            connection, status=query.status, gateway=query.gateway, limit=query.limit,
            cursor=query.cursor,
        )


@door.get("/v1/inbound-events/{event_id}", right=_READ, answers={200: WholeEvent})
async def show_inbound_event(ask: Ask) -> WholeEvent:
    """Read a call with what was sent."""
    ask.actor.require_whole_account()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await read_inbound(connection, ask.path["event_id"])


@door.post("/v1/inbound-events/{event_id}/retry", right=_SYNC, answers={200: InboundEvent})
async def retry_inbound(ask: Ask) -> Answered:
    """Look into a call again, now; one that is done stays as it is."""
    ask.actor.require_whole_account()
    event = ask.path["event_id"]
    return await write(ask, lambda connection: try_again(connection, event))


@door.post(
    "/v1/gateways/{code}/settlements", right=_SYNC, takes=_CSV,
    answers={200: Reconciliation, 202: Reconciliation}, raises=(RequestInProgress,),
)
async def take_settlement_file(ask: Ask, query: FileQuery) -> Reply:
    """Book what a provider has paid out, from its settlement file.

    The same file may be sent again: what is booked is passed over. Where it takes more than ten
    seconds the answer is 202, and the run tells how far it is.
    """
    ask.actor.require_whole_account()
    code, office = ask.path["code"], ask.office
    async with office.pool.connection(ask.actor.account_id) as connection:
        await find_gateway(connection, code)
    check_media_type(ask.headers, kind=_CSV)
    spooled = cast("BinaryIO", SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - work() closes it
    async for chunk in ask.chunks(FILE_BYTES_MAX):
        spooled.write(chunk)
    settlement = Settlement(
        gateway=code, name=query.name, digest=digest_of(spooled), overdue_days=query.overdue_days
    )

    async def work() -> Reconciliation:
        with spooled:
            return await import_settlement(office, ask.actor, spooled, settlement)

    task = asyncio.ensure_future(office.undisturbed(work()))
    done, _ = await asyncio.wait({task}, timeout=WAIT_S)
    if done:
        return tell(task.result())
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    async with office.pool.connection(ask.actor.account_id) as connection:
        return tell(await run_of_file(connection, code, settlement.digest), 202)
