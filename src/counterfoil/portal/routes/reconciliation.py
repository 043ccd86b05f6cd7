"""Reconciliation: each gateway's last comparison, runs, and settlement files.

Looking needs `reports.read`, starting and uploading `payments.sync`, as at the API. A run is a row
that a worker goes on with, so its page may be closed. [faults V3, W-7; design guide 3.13]
"""

import asyncio
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.datastructures import UploadFile

from counterfoil.book.drift import list_drift, open_drift
from counterfoil.book.numbers_told import numbers_of
from counterfoil.book.reconciliations import (
    Reconciliation,
    begin_run,
    find_run,
    last_runs,
    list_runs,
)
from counterfoil.book.settlements import run_of_file
from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.portal import respond
from counterfoil.portal.books_runs import AtGateway, Run, lines_of
from counterfoil.portal.doing import do_once
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import own_id
from counterfoil.portal.respond import Asking
from counterfoil.portal.visit import Visit
from counterfoil.setup.gateways import find_gateway, list_gateways
from counterfoil.work.settlements import (
    FILE_BYTES_MAX,
    Settlement,
    digest_of,
    import_settlement,
)

LOOK, WRITE, HERE = "reports.read", "payments.sync", "reconciliation"
AT = "/portal/reconciliation"
WAIT_S = 8
SHOWN, OF_RUN = 25, 100
_IN_MEMORY = _CHUNK = 1024 * 1024
_FORM_BYTES = 64 * 1024


async def begin(request: Asking, right: str = LOOK, here: str = HERE) -> Visit:
    """Begin a visit of the books; they are the whole account's, not a store's."""
    visit = await Visit.begin(request, right, here=here)
    visit.actor.require_whole_account()
    return visit


@get("/reconciliation")
async def reconciliation_page(request: Asking) -> Response[bytes]:
    """Show each gateway's last comparison and the runs, newest first."""
    return await _show(await begin(request))


@post("/reconciliation/gateways/{code:str}/run", status_code=200)
async def run_now(request: Asking, code: str) -> Response[bytes]:
    """Ask for a comparison; a worker does it, its page tells how far it is."""
    visit = await begin(request, WRITE)
    made: list[str] = []

    async def start(connection: Connection) -> None:
        run_id = await begin_run(connection, visit.actor, code)
        assert run_id is not None, "only a slot may have its run already"
        made.append(run_id)

    await do_once(visit, start)
    return respond.go(f"{AT}/runs/{made[0]}" if made else AT)


@post(
    "/reconciliation/gateways/{code:str}/settlement",
    status_code=200,
    request_max_body_size=FILE_BYTES_MAX + _FORM_BYTES,
)
async def read_file(request: Asking, code: str) -> Response[bytes]:
    """Book what a settlement file says; one that takes long goes on behind its page."""
    visit = await begin(request, WRITE)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        await find_gateway(connection, code)
    upload = visit.form.get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        return await _refuse(visit, code, "Choose the file first.")
    file = await _kept(upload)
    settlement = Settlement(gateway=code, name=upload.filename[:200], digest=digest_of(file))
    before = await _run_of(visit, settlement)

    async def work() -> Reconciliation:
        with file:
            return await import_settlement(visit.works, visit.actor, file, settlement)

    task = asyncio.ensure_future(visit.works.undisturbed(work()))
    done, _ = await asyncio.wait({task}, timeout=WAIT_S)
    try:
        run = task.result() if done else await _run_of(visit, settlement)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await _refuse(visit, code, problem.detail)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    if run is None:
        return respond.go(AT)
    return respond.go(f"{AT}/runs/{run.id}" + ("?again=1" if before else ""))


@get("/reconciliation/runs/{run_id:str}")
async def run_page(request: Asking, run_id: str) -> Response[bytes]:
    """Show a run: how far it is, what came of it, and each line that differs."""
    visit = await begin(request)
    again = bool(request.query_params.get("again"))
    return visit.page("books/run.html", **await _told(visit, own_id(run_id)), again=again)


@get("/reconciliation/runs/{run_id:str}/progress")
async def run_progress(request: Asking, run_id: str) -> Response[bytes]:
    """Answer 304 while a run has come no further, else with all that its page shows of it."""
    visit = await begin(request)
    told = await _told(visit, own_id(run_id))
    tag = told["run"].tag
    if request.headers.get("hx-ptag") == tag:
        return respond.unchanged()
    return visit.region("books/run_region.html", headers={"HX-PTag": tag}, **told)


async def _told(visit: Visit, run_id: str) -> dict[str, Any]:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        run = await find_run(connection, run_id)
        drift = await list_drift(connection, run=run_id, limit=OF_RUN)
        numbers = await numbers_of(connection, [one.order_id for one in drift.data])
    return {
        "run": Run(told=run),
        "lines": lines_of(list(drift.data), numbers),
        "more": drift.next_cursor is not None,
    }


async def _run_of(visit: Visit, settlement: Settlement) -> Reconciliation | None:
    """Find the run that a file has by now."""
    try:
        async with visit.works.pool.connection(visit.actor.account_id) as connection:
            return await run_of_file(connection, settlement.gateway, settlement.digest)
    except NotFound:
        return None


async def _kept(upload: UploadFile) -> BinaryIO:
    """Copy what was sent: the request's own file ends with the request."""
    spooled = cast("BinaryIO", SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - work() closes it
    while piece := await upload.read(_CHUNK):
        spooled.write(piece)
    return spooled


async def _refuse(visit: Visit, code: str, sentence: str) -> Response[bytes]:
    """Show the page again with what is wrong with the file."""
    return await _show(visit, code, Form(errors={f"file-{code}": sentence}))


async def _show(visit: Visit, refused: str = "", form: Form | None = None) -> Response[bytes]:
    after = visit.request.query_params.get("after")
    gateway = visit.request.query_params.get("gateway") or None
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        gateways = (await list_gateways(connection, limit=100)).data
        last, waiting = await last_runs(connection), await open_drift(connection)
        runs = await list_runs(connection, gateway=gateway, limit=SHOWN, cursor=after)
    cards = [
        AtGateway(
            gateway=one,
            run=Run(told=last[one.code, False]) if (one.code, False) in last else None,
            file=Run(told=last[one.code, True]) if (one.code, True) in last else None,
            open_drift=waiting.get(one.code, 0),
            form=Form(),
            upload=form if form is not None and one.code == refused else Form(),
        )
        for one in gateways
        if one.enabled or (one.code, False) in last or one.code in waiting
    ]
    older = {"gateway": gateway, "after": runs.next_cursor}
    return visit.page(
        "books/reconciliation.html",
        status=422 if form is not None else 200,
        cards=cards,
        runs=[Run(told=one) for one in runs.data],
        open_drift=sum(waiting.values()),
        newest=AT if after else "",
        older=f"{AT}?{_query(older)}" if runs.next_cursor else "",
    )


def _query(values: dict[str, str | None]) -> str:
    return urlencode({name: value for name, value in values.items() if value})


ROUTES = [reconciliation_page, run_now, read_file, run_page, run_progress]
