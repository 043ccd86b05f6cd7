"""The lanes: each claims its kind of due row and works it off, until told to stop.

Lanes have places of their own, so nothing keeps money waiting. Polling is at most a second apart
and needs no other sign. A lost database is waited for, however long it takes. [faults §3, K-1 to
K-6, D-1]
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from counterfoil.book.refusals import LeaseLost
from counterfoil.kernel.db import Gone, Pool
from counterfoil.kernel.due import Claimed, back_off, claim, release, reschedule
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.log import log
from counterfoil.kernel.problem import Unavailable
from counterfoil.work.desk import Works
from counterfoil.work.expiry import expire_due
from counterfoil.work.hooks import follow_due
from counterfoil.work.letters import send_due
from counterfoil.work.reconcile import reconcile_due
from counterfoil.work.releasing import release_due
from counterfoil.work.settle import settle_due

POLL_S_MAX = 1
FINISH_S = 25
_AGAIN_S_MAX = 5
#: Seconds until a row whose work raised is claimed again, by claims.
_FAILED_S = (2, 10, 60, 300, 1800)

Verb = Callable[[Works, Claimed], Awaitable[None]]


class Lane(msgspec.Struct, frozen=True):
    """One kind of due row: its name in `due_claim`, how many at a time, and the verb."""

    name: str
    places: int
    verb: Verb


LANES = (
    Lane("money", 4, settle_due),
    Lane("expiry", 2, expire_due),
    Lane("holds", 1, release_due),
    Lane("hooks", 2, follow_due),
    Lane("mail", 2, send_due),
    Lane("reconcile", 1, reconcile_due),
)


def open_lanes(works: Works) -> list[Lane]:
    """List the lanes this process works on.

    Letters wait where the installation has no mail server and there is no key to those of accounts.
    """
    writes = works.post is not None or works.ring is not None
    return [lane for lane in LANES if lane.name != "mail" or writes]


async def run_lane(works: Works, lane: Lane, stop: asyncio.Event) -> None:
    """Claim and work off one lane's rows until told to stop."""
    stopped = asyncio.ensure_future(stop.wait())
    running: set[asyncio.Task[None]] = set()
    failures = 0
    while not stop.is_set():
        free = lane.places - len(running)
        try:
            claimed = await claim(works.pool, lane.name, free, works.pace.lease_s) if free else []
            failures = 0
        except Exception as failure:  # noqa: BLE001 - whatever it is, the worker goes on
            failures += 1
            log.warning("cannot_claim", lane=lane.name, error=repr(failure), failures=failures)
            again_s = min(_AGAIN_S_MAX, 0.1 * 2**failures) * _jitter()
            await asyncio.wait({stopped}, timeout=again_s)
            continue
        if stop.is_set():
            await _give_back(works.pool, claimed)
            break
        running |= {asyncio.ensure_future(run_row(works, lane, row)) for row in claimed}
        if len(running) < lane.places:
            await asyncio.wait({stopped}, timeout=POLL_S_MAX * _jitter())
        else:
            await asyncio.wait({stopped, *running}, return_when=asyncio.FIRST_COMPLETED)
        running = {task for task in running if not task.done()}
    stopped.cancel()
    if running:
        _, late = await asyncio.wait(running, timeout=FINISH_S)
        for task in late:
            task.cancel()


async def run_due(works: Works, lane: Lane) -> int:
    """Claim once and work it off; tell how many rows there were."""
    claimed = await claim(works.pool, lane.name, lane.places, works.pace.lease_s)
    await asyncio.gather(*(run_row(works, lane, row) for row in claimed))
    return len(claimed)


async def run_row(works: Works, lane: Lane, row: Claimed) -> None:
    """Work off one row. Whatever happens, the worker lives on and the row is not lost."""
    failpoint("work.claimed")
    since = time.monotonic()
    try:
        await lane.verb(works, row)
    except LeaseLost:
        log.warning("stale_lease", lane=lane.name, id=row.id, order_id=row.order_id)
    except (Gone, Unavailable) as failure:
        log.warning("row_left", lane=lane.name, id=row.id, error=repr(failure))
    except Exception as failure:  # noqa: BLE001 - a poisoned row must not stop the others
        log.error("row_failed", lane=lane.name, id=row.id, order_id=row.order_id,
                  attempts=row.attempts, error=repr(failure), exc_info=True)
        await _try_later(works, row)
    else:
        log.debug("row_done", lane=lane.name, id=row.id,
                  ms=round((time.monotonic() - since) * 1000))
    failpoint("work.done")


async def _try_later(works: Works, row: Claimed) -> None:
    try:
        async with works.pool.connection(row.account_id) as connection:
            await reschedule(connection, row, back_off(_FAILED_S, row.attempts))
    except Exception as failure:  # noqa: BLE001 - its lease ends by itself
        log.warning("row_left", id=row.id, error=repr(failure))


async def _give_back(pool: Pool, claimed: list[Claimed]) -> None:
    for row in claimed:
        with suppress(Gone, Unavailable):
            async with pool.connection(row.account_id) as connection:
                await release(connection, row)


def _jitter() -> float:
    return random.uniform(0.5, 1.0)  # noqa: S311 - disperses, protects nothing
