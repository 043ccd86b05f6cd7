"""A PostgreSQL that is restarted while everybody works. [D-1, G9]

A cluster of its own, a server and a worker as real processes, clients that never tire. The database
stops as in a power cut; until it is back there are only refusals that say so.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx2

from counterfoil.book.invariants import check
from counterfoil.book.run import Book
from counterfoil.kernel import postgres
from counterfoil.kernel.db import Pool
from counterfoil.order.config import Account
from counterfoil.setup.migrate import APP, migrate
from counterfoil.work.desk import Works
from tests.api.server import ROOT, SECRET, Server, open_shop, wanted
from tests.conftest import make_admin
from tests.db import FAST, PREFIX, VERSION, Clock, roomy_folder
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same
from tests.work.shop import Shop

CLIENTS, PAUSE_S = 8, 0.1
#: It is back within a second; the rest is for a busy machine.
BACK_S_MAX = 60
SETTLED_S_MAX = 60
#: What is acknowledged must be there after a crash, so it is written before it is said.
SAFE = FAST | {"synchronous_commit": "on", "full_page_writes": "on"}
_UNSETTLED = "select count(*) from transactions where settled_at is null"
WORKER = (
    "import asyncio; from counterfoil.settings import read_settings;"
    " from counterfoil.kernel.log import set_up_log; from counterfoil.work.loop import run_work;"
    " set_up_log('error'); asyncio.run(run_work(read_settings()))"
)


@dataclass
class Request:
    """A command under its key, and what it was answered in the end."""

    path: str
    body: dict[str, Any]
    key: str
    status: int = 0
    text: str = ""


@dataclass
class Seen:
    """What the clients saw: finished requests, refusals, and what must not be."""

    done: list[Request] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    good_at: list[float] = field(default_factory=list)


class House:
    """The processes, and the clients that keep them busy while it is open."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=roomy_folder()))
        self.seen = Seen()
        self.stop = asyncio.Event()
        self.database: postgres.Server
        self.server: Server
        self.worker: subprocess.Popen[bytes]
        self.key = ""
        self.account_id = ""
        self._clients: list[asyncio.Task[None]] = []
        self._left = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._left.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._start_database()
        self._left.callback(self._end_database)
        await migrate(self.database.url())
        told = {"provider_deadline_s": 1, "lease_s": 2, "propagation_s": 1}
        app_url = self.database.url(user=APP)
        self.server = await asyncio.to_thread(lambda: Server(app_url, self.folder, **told))
        self._left.callback(self._end_server)
        self.worker = self._start_worker(app_url, told)
        self._left.callback(self._end_worker)
        self.pool = Pool(app_url)
        self._left.push_async_callback(self.pool.close)
        shop = await open_shop(self.server, self.pool)
        made = await asyncio.to_thread(lambda: shop.post("/v1/gateways", {
            "code": "card", "kind": "sandbox", "settings": self.sandbox.settings,
            "credentials": self.sandbox.credentials}))
        assert made.status_code == 201, made.text
        self.key, self.account_id = shop.key, shop.account_id
        self._clients = [asyncio.create_task(self._buy(n)) for n in range(CLIENTS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._left.aclose()

    def _start_database(self) -> None:
        self.database = postgres.start(self.folder / "pg", version=VERSION, settings=SAFE)

    def _start_worker(self, app_url: str, told: dict[str, int]) -> "subprocess.Popen[bytes]":
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERFOIL_")}
        environment |= {f"COUNTERFOIL_{name.upper()}": str(v) for name, v in told.items()}
        environment |= {"COUNTERFOIL_DATABASE_URL": app_url, "COUNTERFOIL_SECRET_KEY": SECRET,
                        "PYTHONPATH": str(ROOT / "src")}
        return subprocess.Popen([sys.executable, "-c", WORKER], env=environment)

    def _end_database(self) -> None:
        self.database.stop()  # the newest of them

    def _end_server(self) -> None:
        if self.server.process.poll() is None:
            self.server.stop()

    def _end_worker(self) -> None:
        if self.worker.poll() is None:
            self.worker.terminate()
        self.worker.wait(30)

    # ------------------------------------------------------------------------------ the clients

    async def _buy(self, number: int) -> None:
        """Place an order and take its money, again and again, with a key for each command."""
        headers = {"authorization": f"Bearer {self.key}"}
        count = 0
        async with httpx2.AsyncClient(
            base_url=self.server.url, headers=headers, trust_env=False, timeout=30
        ) as client:
            while not self.stop.is_set():
                count += 1
                key = f"{number}-{count}"
                gateway = "card" if count % 2 else "manual"
                placing = Request("/v1/orders", wanted(payment={"gateway": gateway}), f"p-{key}")
                order = await self._insist(client, placing)
                if order is not None:
                    at = f"/v1/orders/{order['id']}/capture"
                    await self._insist(client, Request(at, {"amount": 2000}, f"c-{key}"))
                await asyncio.sleep(PAUSE_S)

    async def _insist(self, client: httpx2.AsyncClient, request: Request) -> Any:
        """Send it until it is answered; the same key each time."""
        while True:
            try:
                answer = await client.post(
                    request.path, json=request.body, headers={"idempotency-key": request.key})
            except httpx2.TransportError as broken:
                self.seen.wrong.append(f"{request.path}: {broken!r}")
                return None
            if answer.is_success:
                self.seen.good_at.append(time.monotonic())
                request.status, request.text = answer.status_code, answer.text
                self.seen.done.append(request)
                return answer.json()
            code = "?"
            if answer.headers["content-type"] == "application/problem+json":
                code = answer.json()["code"]
            self.seen.refused[code] += 1
            lasting = answer.status_code == 409 and code == "request_in_progress"
            if not lasting and (code != "unavailable" or "retry-after" not in answer.headers):
                self.seen.wrong.append(f"{request.path}: {answer.status_code} {answer.text}")
                return None
            await asyncio.sleep(PAUSE_S)

    # ----------------------------------------------------------------------------- the restarts

    async def restart(self) -> float:
        """Restart the database at once; seconds from its readiness to the first success."""
        await asyncio.to_thread(self._restart)
        ready = time.monotonic()
        while not self.seen.good_at or self.seen.good_at[-1] < ready:
            await asyncio.sleep(0.01)
            assert time.monotonic() - ready < BACK_S_MAX, "nobody gets through any more"
            assert self.server.process.poll() is None, "the server has ended"
            assert self.worker.poll() is None, "the worker has ended"
        return next(at for at in self.seen.good_at if at >= ready) - ready

    async def work(self, requests: int) -> None:
        """Let everybody work until so many more requests are answered."""
        wanted = len(self.seen.done) + requests
        until = time.monotonic() + SETTLED_S_MAX
        while len(self.seen.done) < wanted:
            assert self.seen.wrong == []
            assert time.monotonic() < until, "nobody gets anything done"
            await asyncio.sleep(0.05)

    async def restart_after(self, seconds: float) -> float:
        """Let everybody work for a while first."""
        await asyncio.sleep(seconds)
        return await self.restart()

    def _restart(self) -> None:
        assert self.database._child is not None
        assert self.database._lock is not None
        os.kill(self.database.pid, signal.SIGQUIT)
        self.database._child.wait(20)
        os.close(self.database._lock)
        self._start_database()

    async def assert_well(self) -> None:
        """Nobody was told anything wrong, nothing acknowledged is lost, and the books agree."""
        self.stop.set()
        await asyncio.gather(*self._clients)
        assert self.seen.wrong == []
        assert self.server.process.poll() is None
        assert self.worker.poll() is None
        await self._settle()
        person = make_admin(Account(id=self.account_id, name="", created_at=None))
        shop = Shop(Works(self.pool, Book(self.pool)), person)
        orders = {}
        async with httpx2.AsyncClient(
            base_url=self.server.url, trust_env=False, timeout=30,
            headers={"authorization": f"Bearer {self.key}"},
        ) as client:
            for request in self.seen.done:
                again = await client.post(
                    request.path, json=request.body, headers={"idempotency-key": request.key})
                assert (again.status_code, again.text) == (request.status, request.text)
                if request.path == "/v1/orders":
                    orders[again.json()["id"]] = await shop.folder(again.json()["id"])
        for folder in orders.values():
            if folder.payments[0].gateway == "card":
                assert_same(folder, self.sandbox)
        found = await check(self.pool, self.account_id)
        assert [(one.invariant, one.rows[:3]) for one in found] == []
        await shop.works.aclose()

    async def _settle(self) -> None:
        """Let the worker find what was left behind."""
        clock = Clock(self.database.url())
        owner = await asyncpg.connect(self.database.url())
        try:
            until = time.monotonic() + SETTLED_S_MAX
            while await owner.fetchval(_UNSETTLED):
                assert time.monotonic() < until, "something is never settled"
                await clock.advance(70)
                await asyncio.sleep(1)
        finally:
            await owner.close()
