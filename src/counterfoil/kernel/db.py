"""Connections: one place hands them out, each bound to one account.

The isolation setting (`app.account_id`) belongs to the connection. It is set here when the
account differs from the connection's last one, and nowhere else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.guard import in_transaction
from counterfoil.kernel.problem import Unavailable

NO_ACCOUNT = ""
_SETTINGS = {
    "application_name": "counterfoil",
    "jit": "off",
    "statement_timeout": "15s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
}


class Gone(Exception):
    """The connection is lost; whether the statement committed is not known. [faults D-2]"""


class Connection:
    """One connection, and the account whose rows it may see."""

    def __init__(self, raw: "asyncpg.Connection[Any]") -> None:
        self.raw = raw
        self.account = NO_ACCOUNT
        self.broken = False

    async def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """Run one statement and return its rows. Raises Gone when the connection is lost."""
        counter.statements += 1
        if recorder is not None:
            recorder.append((sql, parameters))
        try:
            failpoint("db.asks")
            told = await self.raw.fetch(sql, *parameters)
            failpoint("db.told")
            return told
        except asyncpg.PostgresError as problem:
            if getattr(problem, "sqlstate", "")[:2] in ("57", "08") and (
                problem.sqlstate not in ("57014", "55P03")
            ):
                self.broken = True
                raise Gone(str(problem)) from problem
            raise
        except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as problem:
            self.broken = True
            raise Gone(str(problem)) from problem
        except asyncio.CancelledError:
            self.broken = True
            raise

    async def row(self, sql: str, *parameters: Any) -> Any:
        """Run one statement and return its first row, or None."""
        found = await self.rows(sql, *parameters)
        return found[0] if found else None

    async def value(self, sql: str, *parameters: Any) -> Any:
        """Run one statement and return the first column of its first row, or None."""
        found = await self.rows(sql, *parameters)
        return found[0][0] if found else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Run several statements as one. Calls to the outside world are refused meanwhile."""
        token = in_transaction.set(True)
        try:
            await self.rows("begin isolation level read committed")
            try:
                yield
            except BaseException:
                if not self.broken:
                    await self.rows("rollback")
                raise
            await self.rows("commit")
        finally:
            in_transaction.reset(token)


class Counter:
    """How many statements this process has sent; the budgets of hot commands are held with it."""

    statements = 0


counter = Counter()
recorder: list[tuple[str, tuple[Any, ...]]] | None = None


class Pool:
    """A fixed number of connections; one last used for the same account is preferred. [rulings 4]

    asyncpg's own pool cannot prefer by account and resets at each release, a third round trip.
    """

    def __init__(self, url: str, *, size: int = 10, wait_seconds: int = 2) -> None:
        self.url = url
        self.size = size
        self.wait_seconds = wait_seconds
        self._idle: list[Connection] = []
        self._slots = asyncio.Semaphore(size)
        self._closed = False

    async def _connect(self) -> Connection:
        try:
            raw = await asyncpg.connect(
                self.url, timeout=5, server_settings=_SETTINGS, statement_cache_size=400
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as problem:
            raise Unavailable(
                "The database cannot be reached. Try again in a moment.",
                headers={"Retry-After": "1"},
            ) from problem
        return Connection(raw)

    def _pick(self, account: str) -> Connection | None:
        while self._idle:
            index = next(
                (i for i in range(len(self._idle) - 1, -1, -1) if self._idle[i].account == account),
                len(self._idle) - 1,
            )
            connection = self._idle.pop(index)
            if not connection.raw.is_closed():
                return connection
        return None

    @asynccontextmanager
    async def connection(self, account: str) -> AsyncIterator[Connection]:
        """Lend a connection bound to an account. Raises Unavailable after `wait_seconds`."""
        if not self._slots.locked():
            await self._slots.acquire()
        else:
            try:
                await asyncio.wait_for(self._slots.acquire(), self.wait_seconds)
            except TimeoutError as problem:
                raise Unavailable(headers={"Retry-After": "1"}) from problem
        connection: Connection | None = None
        try:
            connection = self._pick(account) or await self._connect()
            if connection.account != account:
                await connection.rows("select set_config('app.account_id', $1, false)", account)
                connection.account = account
            yield connection
        finally:
            if connection is not None:
                if connection.broken or self._closed or connection.raw.is_in_transaction():
                    connection.raw.terminate()
                else:
                    self._idle.append(connection)
            self._slots.release()

    async def close(self) -> None:
        """Close every connection that is not lent out; lent ones end at their return."""
        self._closed = True
        while self._idle:
            connection = self._idle.pop()
            try:
                await asyncio.wait_for(connection.raw.close(), 2)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.raw.terminate()
