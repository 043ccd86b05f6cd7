"""A PostgreSQL for the tests, and a fresh database for each of them.

One server for each pytest process, in a temporary folder, of the version that COUNTERFOIL_TEST_PG
names (18 where it names none). The schema is migrated once, into a template that is then copied.
"""

import os
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from counterfoil.kernel import postgres
from counterfoil.setup.migrate import APP, migrate

VERSION = int(os.environ.get("COUNTERFOIL_TEST_PG", "18"))
TEMPLATE = "cf_template"
PREFIX = "cf-test-"
FAST = {  # nothing of a test outlives it, so nothing has to reach the disk
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
}


def roomy_folder() -> Path:
    """Return a folder in memory where there is room for one, else on disk."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30:
        return memory
    return Path(tempfile.gettempdir())


def clear_leftovers() -> None:
    """Stop the servers and remove the folders of test runs that were killed."""
    for folder in roomy_folder().glob(f"{PREFIX}*"):
        if psutil.pid_exists(int(folder.name.split("-")[2])):
            continue
        try:
            pid = int((folder / "pg/postmaster.pid").read_text().split()[0])
            if Path(psutil.Process(pid).cwd()) == folder / "pg":
                psutil.Process(pid).send_signal(signal.SIGQUIT)
        except (OSError, psutil.Error):
            pass  # it is gone by itself
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Database:
    """One database and the two ways in."""

    name: str
    owner_url: str
    app_url: str


class TestServer:
    """The server of this pytest process; makes databases from the migrated template."""

    __test__ = False

    def __init__(self) -> None:
        clear_leftovers()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=roomy_folder()))
        self.server = postgres.start(self.folder / "pg", version=VERSION, settings=FAST)
        self.count = 0

    @classmethod
    async def start(cls) -> "TestServer":
        """Start the server and make the template, two seconds in all."""
        running = cls()
        try:
            await running._make_template()
        except BaseException:
            running.stop()
            raise
        return running

    async def _make_template(self) -> None:
        await self.statement(f"create database {TEMPLATE}")
        await migrate(self.server.url(TEMPLATE))

    async def statement(self, sql: str) -> None:
        connection = await asyncpg.connect(self.server.url("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def create(self) -> Database:
        """Copy the template: a hundredth of a second in memory, half a second on a busy disk."""
        self.count += 1
        name = f"cf_{self.count}"
        await self.statement(f"create database {name} template {TEMPLATE} strategy file_copy")
        return Database(name, self.server.url(name), self.server.url(name, APP))

    async def empty(self, name: str) -> str:
        """Make a database without a schema; return its owner's address."""
        await self.statement(f"create database {name} template template0")
        return self.server.url(name)

    async def drop(self, database: Database) -> None:
        await self.statement(f"drop database {database.name} with (force)")

    def stop(self) -> None:
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Clock:
    """The clock that every stored time comes from; only the owner may move it. [rulings 17]"""

    def __init__(self, owner_url: str) -> None:
        self.owner_url = owner_url

    async def advance(self, seconds: int) -> None:
        """Let time pass for the database: leases end, sessions expire, letters become due."""
        connection = await asyncpg.connect(self.owner_url)
        try:
            await connection.execute(
                "update clock_offset set seconds = seconds + $1, allowed = true", seconds
            )
        finally:
            await connection.close()

    async def offset_s(self) -> int:
        """Tell how far it stands from the machine's."""
        connection = await asyncpg.connect(self.owner_url)
        try:
            return int(await connection.fetchval("select seconds from clock_offset"))
        finally:
            await connection.close()
