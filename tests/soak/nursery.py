"""Where workers are born that will be killed or stopped: a process that forks them, warm.

Run as a program it reads one order a line, JSON, and answers with one line. A child is a process
of its own with a worker in it; it costs milliseconds because everything is imported before.
"""

import asyncio
import gc
import json
import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import anyio._backends._asyncio  # noqa: F401 - else every child imports it anew
import psutil

from counterfoil.book.run import Book
from counterfoil.kernel import failpoint
from counterfoil.kernel.db import Pool
from counterfoil.kernel.due import claim_one
from counterfoil.kernel.http import default_tls
from counterfoil.kernel.log import set_up_log
from counterfoil.kernel.secrets import KeyRing
from counterfoil.work.desk import Pace, Works
from counterfoil.work.lanes import LANES, run_row
from counterfoil.work.loop import keep_working
from tests.work.shop import RING

ROOT = Path(__file__).parents[2]
MONEY = LANES[0]


class Nursery:
    """The process, as the tests see it. Ends with everyone it has made."""

    def __init__(self, app_url: str, account_id: str, *, lease_s: int) -> None:
        self.told: dict[str, Any] = {"app_url": app_url, "account": account_id, "lease_s": lease_s}
        self.living: set[int] = set()
        paths = [str(ROOT / "src"), str(ROOT)]
        self.process = Popen(
            [sys.executable, "-m", "tests.soak.nursery"], stdin=PIPE, stdout=PIPE, text=True,
            cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )

    def worker(self) -> int:
        """Start a worker that goes on until it is killed; its process id."""
        return self._born()

    def zombie(self, transaction_id: str, point: str) -> int:
        """Start one that claims a movement and stops itself at a failpoint: it may go on later."""
        return self._born(row=transaction_id, point=point)

    def wait(self, pid: int) -> int:
        """Wait for one to end; its exit code, negative for a signal."""
        self.living.discard(pid)
        return int(self._ask(wait=pid))

    def kill(self, pid: int) -> None:
        """End one as a power cut would."""
        os.kill(pid, signal.SIGKILL)
        assert self.wait(pid) == -signal.SIGKILL

    def stands_still(self, pid: int) -> bool:
        """Whether it has stopped itself."""
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED

    def wake(self, pid: int) -> None:
        """Let it go on."""
        os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        for pid in list(self.living):
            os.kill(pid, signal.SIGKILL)
            self.wait(pid)
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def _born(self, **wanted: str) -> int:
        pid = int(self._ask(**self.told, **wanted))
        self.living.add(pid)
        return pid

    def _ask(self, **wanted: Any) -> Any:
        self.process.stdin.write(json.dumps(wanted) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def _stop_at(point: str) -> None:
    """Stand still, once, as a machine does that is suspended."""

    def watcher(passed: str) -> None:
        if passed == point:
            failpoint.disarm()
            os.kill(os.getpid(), signal.SIGSTOP)

    failpoint.watch(watcher)


async def _live(told: dict[str, Any]) -> None:
    pool = Pool(told["app_url"], size=12, wait_seconds=10)
    lease_s = told["lease_s"]
    pace = Pace(lease_s=lease_s, deadline_s=lease_s * 0.8, propagation_s=1)
    works = Works(pool, Book(pool), keys=KeyRing(RING), pace=pace)
    if "row" not in told:
        await keep_working(works, asyncio.Event())
    async with pool.connection(told["account"]) as connection:
        claimed = await claim_one(connection, "transaction", told["row"], lease_s)
    assert claimed is not None
    _stop_at(told["point"])
    await run_row(works, MONEY, claimed)
    await works.aclose()
    await pool.close()


def main() -> None:
    set_up_log("critical")
    default_tls()
    gc.freeze()
    for line in sys.stdin:
        told = json.loads(line)
        if "wait" in told:
            _, status = os.waitpid(told["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            os.close(0)
            try:
                asyncio.run(_live(told))
            except BaseException as failure:  # noqa: BLE001 - the parent sees the code
                print(repr(failure), file=sys.stderr)
                os._exit(1)
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
