"""An actor: a process in all but name, that moves only when it is told to.

Each lives in a thread with an event loop, connections and a book of its own, and stops before
every exchange with the database or the network until the scheduler gives it a turn. One has the
turn at a time, so what happens is what was chosen and nothing else. Told to die there, it does: the
exception cannot be caught by what catches failures, and none of its tasks passes another line.
"""

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from enum import StrEnum
from typing import Any

import uvloop

from counterfoil.kernel import failpoint
from counterfoil.kernel.guard import in_transaction
from tests.work.shop import Shop

TURN_S_MAX = 60
CONNECTIONS = 3
STOPS = ("db.asks", "http.asks")

Job = Callable[[Shop], Awaitable[Any]]


class Died(BaseException):
    """The process is gone."""


class Fate(StrEnum):
    """What becomes of an actor at the line where it stands."""

    GO = "goes on"
    DIE = "dies"
    CUT = "loses its connection before asking"
    CUT_AFTER = "loses its connection before the answer"
    SILENCE = "hears nothing until its deadline"


class Actor:
    """One process and event loop. `idle` while it has nothing to do; `outcome` of what it did."""

    def __init__(self, name: str, open_shop: Callable[[], Shop]) -> None:
        self.name = name
        self.idle = True
        self.outcome: Any = None
        self.at = ""
        self.line = ""
        self._open_shop = open_shop
        self._job: Job | None = None
        self._fate = Fate.GO
        self._dying = False
        self._cut = False
        self._silence = False
        self._unseen = False
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def begin(self, job: Job) -> None:
        """Start something, up to its first exchange."""
        assert self.idle
        self.idle, self._job = False, job
        self._turn()

    def go_on(self, fate: Fate = Fate.GO) -> None:
        """Let it take its next step, or its fate."""
        assert not self.idle
        self._fate = fate
        self._turn()

    def start_anew(self) -> None:
        """Be a process that has just started: what it does must not depend on what was before."""
        assert self.idle
        self.idle, self._job, self._unseen = False, _warm_up, True
        self._turn()
        self._unseen = False
        assert self.idle
        if isinstance(self.outcome, BaseException):
            raise self.outcome

    def give_up(self) -> None:
        """Die, where something is under way."""
        while not self.idle:
            self.go_on(Fate.DIE)

    def close(self) -> None:
        """End the thread and what it kept open."""
        self.give_up()
        self._job = None
        self._go.release()
        self._thread.join(TURN_S_MAX)
        assert not self._thread.is_alive()

    def _turn(self) -> None:
        self._go.release()
        took = self._back.acquire(timeout=TURN_S_MAX)
        assert took, f"{self.name} hangs after {self.at}, {self.line}"

    # ------------------------------------------------------------------------- inside the thread

    def _live(self) -> None:
        _here.actor = self
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            shop = self._open_shop()
            while self._wait_for_job():
                assert self._job is not None
                self._dying = self._cut = self._silence = False
                try:
                    self.outcome = runner.run(_play(self._job, shop))
                except Died as died:
                    self.outcome = died
                except Exception as failure:  # noqa: BLE001 - the scheduler judges it
                    self.outcome = failure
                self._dying = True
                runner.run(_bury())
                self.idle = True
                self._back.release()
            _here.actor = None
            runner.run(_close(shop))

    def _wait_for_job(self) -> bool:
        self._go.acquire()
        return self._job is not None

    def pass_by(self, point: str) -> None:
        """Stop before an exchange, and do what the scheduler says."""
        if self._unseen:
            return
        if self._dying:
            raise Died
        if point == "db.told" and self._cut:
            self._cut = False
            raise OSError("the connection was cut before the answer")
        if point == "http.told" and self._silence:
            self._silence = False
            raise TimeoutError
        if point not in STOPS:
            self.line = self.line if point.endswith(".told") else point
            return
        if in_transaction.get():
            return  # others may have to wait for its locks
        self.at = point
        self._back.release()
        self._go.acquire()
        fate, self._fate = self._fate, Fate.GO
        match fate:
            case Fate.DIE:
                self._dying = True
                raise Died
            case Fate.CUT:
                raise OSError("the connection was cut")
            case Fate.CUT_AFTER:
                self._cut = True
            case Fate.SILENCE:
                self._silence = True


class _Here(threading.local):
    actor: Actor | None = None


_here = _Here()


def _watch(point: str) -> None:
    if _here.actor is not None:
        _here.actor.pass_by(point)


def watch_actors() -> None:
    """Let every actor of this process be stopped; who is no actor passes by."""
    failpoint.watch(_watch)


async def _warm_up(shop: Shop) -> None:
    """Have the same connections, the same adapter and no memory of providers' moods."""
    works, account = shop.works, shop.actor.account_id
    while len(works.pool._idle) > CONNECTIONS:
        works.pool._idle.pop().raw.terminate()
    async with AsyncExitStack() as lent:
        for _ in range(CONNECTIONS):
            await lent.enter_async_context(works.pool.connection(account))
    works.adapters._moods.clear()
    works.adapters._kept.clear()
    opened = await works.adapters.of(account, "card")
    works.adapters._kept[account, "card"] = (math.inf, opened)


async def _play(job: Job, shop: Shop) -> Any:
    return await job(shop)


async def _bury() -> None:
    """End what a dead process had under way."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)
        for task in left:
            if not task.cancelled():
                task.exception()


async def _close(shop: Shop) -> None:
    await shop.works.aclose()
    await shop.works.pool.close()
