"""Compare a gateway with our book: every payment that moved or is open, through Sync Payments.

Nightly at a settable hour, for every gateway that is enabled and keeps an account of its own, and
whenever somebody asks. Any number of schedulers make one run, any crash is gone on from. [W-7, V3]
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import asyncpg

from counterfoil.book.drift import NewDrift, tell_drift
from counterfoil.book.reconciliations import (
    Progress,
    Reconciliation,
    RunError,
    Stop,
    advance,
    begin_run,
    end_run,
    find_run,
    next_stops,
    waiting_slot,
)
from counterfoil.book.refusals import LeaseLost
from counterfoil.kernel.db import Gone
from counterfoil.kernel.due import Claimed, back_off, jittered, postpone, reschedule
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.log import log
from counterfoil.kernel.problem import Unavailable
from counterfoil.order.actor import Actor, system
from counterfoil.setup.accounts import list_accounts
from counterfoil.work.desk import Works
from counterfoil.work.sync import Outcome, Wanted, sync_payment

LOOK_S = 60
WALKED = 1_000
#: So long one claim works before it lets others have a turn.
TURN_S = 20
SILENT_MAX = 5
#: Seconds until a run goes on whose provider is silent, by claims; then it has failed.
AGAIN_S = (60, 300, 900, 3600)
CLAIMS_MAX = 14

Follow = Callable[[Reconciliation], None]


_SILENCE = RunError(detail="The provider is silent.")


class _Silent(Exception):
    """The provider has not answered for several payments on end."""


async def run_scheduler(works: Works, stop: asyncio.Event) -> None:
    """Make the nightly runs, until told to stop. A slot that was missed is made up for, late."""
    made: set[tuple[str, str]] = set()
    while not stop.is_set():
        try:
            await schedule(works, made)
        except (Gone, Unavailable, asyncpg.PostgresError) as failure:
            log.warning("cannot_schedule", error=str(failure) or type(failure).__name__)
        try:
            await asyncio.wait_for(stop.wait(), jittered(LOOK_S))
        except TimeoutError:
            continue


async def schedule(works: Works, made: set[tuple[str, str]]) -> int:
    """Make the runs that are due in every account; tell how many. `made` is remembered."""
    count = 0
    for account in await list_accounts(works.pool):
        async with works.pool.connection(account.id) as connection:
            slot, gateways = await waiting_slot(connection, works.pace.reconcile_hour)
            for code in gateways:
                if (f"{account.id}/{code}", slot) in made:
                    continue
                begun = await begin_run(connection, system(account.id), code, slot=slot)
                made.add((f"{account.id}/{code}", slot))
                count += begun is not None
    return count


async def reconcile_due(works: Works, claimed: Claimed) -> None:
    """Go on with a run for a while. Raises LeaseLost, Unavailable, Gone."""
    failpoint("reconcile.claimed")
    async with works.pool.connection(claimed.account_id) as connection:
        run = await find_run(connection, claimed.id)
    until = time.monotonic() + min(TURN_S, works.pace.lease_s)
    try:
        done = await _walk(works, claimed, run, until=until)
    except _Silent:
        await _later(works, claimed, run)
        return
    if done:
        ended = await _finish(works, claimed)
        log.info("reconciled", gateway=ended.gateway, kind=ended.kind, seen=ended.seen,
                 found=ended.found, settled=ended.settled, drifted=ended.drifted,
                 failed=ended.failed)
    else:
        async with works.pool.connection(claimed.account_id) as connection:
            await postpone(connection, claimed, 0)


async def reconcile_now(
    works: Works, actor: Actor, gateway: str, *, since: datetime | None = None, follow: Follow
) -> Reconciliation:
    """Make a run and do it here, telling how far it is.

    What a crash leaves behind a worker takes up. Raises NotFound, LeaseLost, Unavailable, Gone.
    """
    token = new_id()
    async with works.pool.connection(actor.account_id) as connection:
        run_id = await begin_run(
            connection, actor, gateway, since=since, lease=(token, works.pace.lease_s)
        )
        assert run_id is not None, "only a slot may have its run already"
        run = await find_run(connection, run_id)
    claimed = Claimed(
        account_id=actor.account_id, kind="reconciliation", id=run_id, order_id="", lease=token,
        attempts=1,
    )
    try:
        await _walk(works, claimed, run, follow=follow)
    except _Silent:
        async with works.pool.connection(actor.account_id) as connection:
            await _tell_silence(works, claimed, gateway)
            ended = await end_run(connection, claimed, "FAILED", [_SILENCE])
        return ended or run
    return await _finish(works, claimed)


async def _walk(
    works: Works, claimed: Claimed, run: Reconciliation, *, until: float | None = None,
    follow: Follow | None = None,
) -> bool:
    """Compare payment after payment; whether the end was reached. Raises _Silent, LeaseLost."""
    silent: list[Stop] = []
    while True:
        async with works.pool.connection(claimed.account_id) as connection:
            stops, last = await next_stops(connection, run, walked=WALKED)
        for stop in stops:
            began = time.monotonic()
            outcome, error = await _stop_at(works, claimed, stop)
            if error is None and not outcome.reached:
                silent.append(stop)
                if len(silent) >= SILENT_MAX:
                    raise _Silent
            else:
                run = await _note(works, claimed, _progress(stop, outcome, error, silent))
                silent = []
                if follow is not None:
                    follow(run)
            if until is not None and time.monotonic() >= until:
                return False
            left_s = 1 / works.pace.reconcile_per_s - (time.monotonic() - began)
            if left_s > 0:
                await asyncio.sleep(left_s)
        over = Progress(cursor=last, seen=len(silent), failed=len(silent))
        run = await _note(works, claimed, over)
        silent = []
        if last is None:
            return True


async def _stop_at(works: Works, claimed: Claimed, stop: Stop) -> tuple[Outcome, str | None]:
    wanted = Wanted(
        order_id=stop.order_id, payment_id=stop.payment_id, reconciliation_id=claimed.id
    )
    try:
        outcome = await sync_payment(works, system(claimed.account_id, "Reconciliation"), wanted)
    except (Gone, Unavailable, LeaseLost):
        raise
    except Exception as failure:  # noqa: BLE001 - one payment must not end the comparison
        log.error("reconcile_failed", payment_id=stop.payment_id, error=repr(failure),
                  exc_info=True)
        return Outcome(), f"Payment {stop.payment_id}: {failure!r}"
    failpoint("reconcile.compared")
    return outcome, None


def _progress(
    stop: Stop, outcome: Outcome, error: str | None, silent: list[Stop]
) -> Progress:
    agrees = error is None and not outcome.differs
    return Progress(
        cursor=stop.payment_id,
        seen=1 + len(silent),
        matched=int(agrees and not outcome.changed),
        found=outcome.found,
        settled=outcome.settled,
        drifted=int(outcome.differs),
        failed=int(error is not None) + len(silent),
        errors=[] if error is None else [RunError(detail=error)],
    )


async def _note(works: Works, claimed: Claimed, done: Progress) -> Reconciliation:
    async with works.pool.connection(claimed.account_id) as connection:
        run = await advance(connection, claimed, done, works.pace.lease_s)
    if run is None:
        raise LeaseLost
    failpoint("reconcile.noted")
    return run


async def _later(works: Works, claimed: Claimed, run: Reconciliation) -> None:
    """The provider is silent: go on later from the same place, or give up after some hours."""
    log.warning("provider_silent", gateway=run.gateway, attempts=claimed.attempts)
    if claimed.attempts >= CLAIMS_MAX:
        await _tell_silence(works, claimed, run.gateway)
        async with works.pool.connection(claimed.account_id) as connection:
            await end_run(connection, claimed, "FAILED", [_SILENCE])
        return
    async with works.pool.connection(claimed.account_id) as connection:
        await reschedule(connection, claimed, back_off(AGAIN_S, claimed.attempts))


async def _finish(works: Works, claimed: Claimed) -> Reconciliation:
    async with works.pool.connection(claimed.account_id) as connection:
        run = await end_run(connection, claimed, "COMPLETED")
    if run is None:
        raise LeaseLost
    if run.failed:
        await _tell_silence(works, claimed, run.gateway)
    return run


async def _tell_silence(works: Works, claimed: Claimed, gateway: str) -> None:
    """One line a gateway for as long as nobody has closed it."""
    line = NewDrift(
        gateway=gateway, kind="unreachable", reconciliation_id=claimed.id,
        detail="Payments could not be compared; the run says how many.",
    )
    async with works.pool.connection(claimed.account_id) as connection, connection.transaction():
        await tell_drift(connection, line)
