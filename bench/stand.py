"""Where the benchmark runs: a PostgreSQL of its own, filled databases, and the real server."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from bench.load import fetch, request
from counterfoil.access.keys import NewKey, create_key
from counterfoil.kernel import postgres
from counterfoil.kernel.db import Pool
from counterfoil.order.actor import system
from counterfoil.setup.accounts import create_account
from counterfoil.setup.migrate import migrate
from tests.fill import fill_orders

APP = "counterfoil_app"
WORKERS = 2


@dataclass
class Account:
    """The account that is measured, and a key to it."""

    id: str
    key: str


@dataclass
class Times:
    """Processor seconds used so far by the program and by the database."""

    program: float
    database: float


class Stand:
    """One PostgreSQL with its default, durable settings, and the databases on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = postgres.start(folder / "pg", version=18)

    async def statement(self, sql: str) -> None:
        """Run a statement that stands outside any database of ours."""
        connection = await asyncpg.connect(self.server.url("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def filled(self, name: str, orders: int) -> Account:
        """Make a database with an account of that many orders."""
        await self.statement(f"create database {name} template template0")
        await migrate(self.server.url(name))
        pool = Pool(self.server.url(name, APP), size=2)
        try:
            made = await create_account(pool, "Bench")
            actor = system(made.id, "Bench")
            async with pool.connection(made.id) as connection:
                key = await create_key(connection, actor, NewKey(name="bench", scopes=["*"]))
                await connection.rows(
                    "update stores set scopes = $1::text::jsonb where account_id = $2",
                    '["partial_capture"]',
                    made.id,
                )
        finally:
            await pool.close()
        owner = await asyncpg.connect(self.server.url(name))
        try:
            if orders:
                await fill_orders(owner, made.id, orders)
            await owner.execute("vacuum analyze")
        finally:
            await owner.close()
        return Account(made.id, key.key)

    async def copy(self, source: str, target: str) -> None:
        """Copy a database, so that a run starts where another one did."""
        await self.statement(f"create database {target} template {source} strategy file_copy")

    async def drop(self, name: str) -> None:
        """Remove a database that has served."""
        await self.statement(f"drop database if exists {name} with (force)")

    def database_seconds(self) -> float:
        """Processor seconds of PostgreSQL: its living processes and those it has buried."""
        master = next(
            process
            for process in psutil.process_iter(["name", "cmdline"])
            if process.info["name"] == "postgres"
            and str(self.folder) in " ".join(process.info["cmdline"] or [])
        )
        own = master.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in master.children():
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total

    def environment(self, database: str) -> dict[str, str]:
        """Tell the program which database it runs on."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("COUNTERFOIL_")
        }
        return inherited | {
            "COUNTERFOIL_DATABASE_URL": self.server.url(database, APP),
            "COUNTERFOIL_OWNER_URL": self.server.url(database),
            "COUNTERFOIL_SECRET_KEY": b64encode(secrets.token_bytes(32)).decode(),
            "COUNTERFOIL_DATA_DIR": str(self.folder / "data"),
        }

    async def version(self) -> str:
        """Name the database."""
        connection = await asyncpg.connect(self.server.url("postgres"))
        try:
            return "PostgreSQL " + str(await connection.fetchval("show server_version"))
        finally:
            await connection.close()

    def stop(self) -> None:
        """Stop PostgreSQL."""
        self.server.stop()


class Running:
    """The program's server, as users run it: API workers and nothing else."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, stand: Stand) -> None:
        self.process = process
        self.port = port
        self.stand = stand

    def family(self) -> list[psutil.Process]:
        """List the processes of the program."""
        head = psutil.Process(self.process.pid)
        return [head, *head.children(recursive=True)]

    def program_processes(self) -> list[psutil.Process]:
        """List those that are ours and not PostgreSQL's."""
        return [p for p in self.family() if p.is_running() and p.name() != "postgres"]

    def times(self) -> Times:
        """Read the processor seconds used so far."""
        program = 0.0
        for process in self.program_processes():
            used = process.cpu_times()
            program += used.user + used.system
        return Times(program, self.stand.database_seconds())

    def memory_mb(self) -> dict[str, float]:
        """Megabytes that each process holds in memory."""
        return {
            f"{process.name()} {process.pid}": round(process.memory_info().rss / 1e6, 1)
            for process in self.program_processes()
        }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(stand: Stand, database: str, account: Account) -> AsyncIterator[Running]:
    """Run the server with two workers on a database, until it answers and while it is needed."""
    port = _free_port()
    with (stand.folder / f"server-{database}.log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "counterfoil",
                "serve",
                "--no-work",
                "--port",
                str(port),
                "--workers",
                str(WORKERS),
            ],
            env=stand.environment(database),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        await _answers(process, port, account)
        yield Running(process, port, stand)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


async def _answers(process: subprocess.Popen[bytes], port: int, account: Account) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"The server ended with {process.returncode}; see its log.")
        try:
            status, _ = await fetch(port, request("GET", "/v1/me", account.key))
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.1)
            continue
        if status == 200:
            return
        await asyncio.sleep(0.1)
    raise SystemExit("The server did not answer within 30 seconds.")
