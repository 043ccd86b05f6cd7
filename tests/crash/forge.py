"""Where commands are run to be killed: a process that forks one child for each of them.

Run as a program it reads one order a line, JSON, and answers with one line: how the child ended and
which failpoints it passed. Everything is imported once, so a child costs milliseconds; it is a
process of its own all the same, and dies by `os._exit` like one.
"""

import gc
import json
import os
import sys
import traceback
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import anyio._backends._asyncio  # noqa: F401 - else every child imports it anew
import asyncpg
import uvloop

from counterfoil.kernel import failpoint
from counterfoil.kernel.db import Pool
from counterfoil.kernel.http import default_tls
from counterfoil.kernel.log import set_up_log
from counterfoil.mail.send import Post
from counterfoil.order.config import Account
from tests.conftest import make_admin
from tests.crash.flow import PACE
from tests.crash.flows import FLOWS
from tests.work.shop import RING, Book, KeyRing, Shop, Works

ROOT = Path(__file__).parents[2]


class Forge:
    """The process, as the tests see it."""

    def __init__(self, app_url: str, owner_url: str) -> None:
        self.where = {"app_url": app_url, "owner_url": owner_url}
        paths = [str(ROOT / "src"), str(ROOT)]
        self.process = Popen(
            [sys.executable, "-m", "tests.crash.forge"], stdin=PIPE, stdout=PIPE, text=True,
            cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )

    def run(
        self, flow: str, *, account: str, arm: str | None = None, **more: Any
    ) -> tuple[int, list[str]]:
        """Run a flow in a child; its exit code, and the failpoints when none was armed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        wanted = {"flow": flow, "account": account, "arm": arm, **self.where, **more}
        self.process.stdin.write(json.dumps(wanted) + "\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        return told["code"], told["passed"]

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


async def play(wanted: dict[str, Any]) -> None:
    """Do what a process of ours would do."""
    pool = Pool(wanted["app_url"], size=6)
    post = Post(wanted["smtp"], sender="shop@example.com") if wanted.get("smtp") else None
    account = Account(id=wanted["account"], name="Test", created_at=None)  # type: ignore[arg-type]
    works = Works(pool, Book(pool), keys=KeyRing(RING), pace=PACE, post=post)
    shop = Shop(works, make_admin(account))
    if wanted["flow"] == "work":
        owner = await asyncpg.connect(wanted["owner_url"])
        for seconds in wanted["steps"]:
            await owner.execute(
                "update clock_offset set seconds = seconds + $1, allowed = true", seconds)
            await shop.worked()
        await owner.close()
    else:
        await FLOWS[wanted["flow"]].play(shop, wanted["order_id"], wanted["key"])
    await works.aclose()
    await pool.close()


def child(wanted: dict[str, Any], told: int) -> None:
    passed: list[str] = []
    if wanted["arm"]:
        failpoint.arm(wanted["arm"])
    else:
        failpoint.record(passed)
    try:
        uvloop.run(play(wanted))
    except BaseException as failure:  # noqa: BLE001 - the parent is told
        traceback.print_exception(failure)
        os._exit(1)
    os.write(told, json.dumps(passed).encode())
    os._exit(0)


def main() -> None:
    set_up_log("critical")
    default_tls()
    gc.freeze()
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            child(json.loads(line), writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            passed = json.loads(pipe.read() or b"[]")
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status), "passed": passed}), flush=True)


if __name__ == "__main__":
    main()
