"""The worker: every lane and what goes on beside them, in one process. [faults K-1, K-2]"""

import asyncio
import signal

from counterfoil.book.run import Book
from counterfoil.kernel.db import Pool
from counterfoil.kernel.failpoint import arm
from counterfoil.kernel.log import log
from counterfoil.settings import Settings
from counterfoil.work.beat import beat
from counterfoil.work.desk import Works
from counterfoil.work.lanes import LANES, open_lanes, run_lane
from counterfoil.work.reconcile import run_scheduler
from counterfoil.work.sequence import Placed, run_sequencer
from counterfoil.work.summarise import run_summariser

#: A connection for each row that may be worked on, and for what goes on beside the lanes.
_CONNECTIONS = sum(lane.places for lane in LANES) + 5


async def run_work(settings: Settings) -> None:
    """Be a worker until SIGTERM or SIGINT. Raises WrongSetting; never ends by itself.

    Told to stop it claims nothing more, and ends when what is under way is done, at most 25
    seconds later. A second signal ends the process at once.
    """
    assert settings.database_url is not None, "the embedded server is started before the program"
    if settings.failpoint is not None:
        arm(settings.failpoint)
    pool = Pool(settings.database_url, size=_CONNECTIONS, wait_seconds=10)
    works = Works.from_settings(settings, pool, Book(pool))
    try:
        await keep_working(works, _stop_on_signal())
    finally:
        await works.aclose()
        await pool.close()


async def keep_working(works: Works, stop: asyncio.Event) -> None:
    """Work everything off that is due and becomes due, until `stop` is set."""
    lanes = open_lanes(works)
    if works.post is None:
        hint = "Set COUNTERFOIL_SMTP_URL; letters of accounts without a mail server wait."
        log.warning("no_mail_server", hint=hint)
    log.info("worker_started", lanes=[lane.name for lane in lanes])
    placed = Placed()
    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(run_lane(works, lane, stop))
        group.create_task(beat(works.pool, stop))
        group.create_task(run_scheduler(works, stop))
        group.create_task(run_sequencer(works.pool, stop, placed))
        group.create_task(run_summariser(works.pool, stop, placed))
    log.info("worker_stopped")


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told, number)
    return stop
