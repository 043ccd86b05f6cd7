"""A sign of life that a dead worker cannot leave behind: a shared advisory lock it holds."""

import asyncio

import asyncpg

from counterfoil.kernel.db import NO_ACCOUNT, Connection, Gone, Pool
from counterfoil.kernel.log import log
from counterfoil.kernel.problem import Unavailable

_SPACE, _WORKER = 4711, 2
_BEAT_S = 5


async def worker_lives(connection: Connection) -> bool:
    """Tell whether any worker of this database is alive; for `/readyz`."""
    found: bool = await connection.value(
        "select exists (select from pg_locks l join pg_database d on d.oid = l.database"
        " where d.datname = current_database() and l.locktype = 'advisory' and l.granted"
        " and l.classid = $1::bigint and l.objid = $2::bigint)",
        _SPACE,
        _WORKER,
    )
    return found


async def beat(pool: Pool, stop: asyncio.Event) -> None:
    """Hold the lock until told to stop; take it again whenever the connection was lost."""
    while not stop.is_set():
        try:
            await _hold(pool, stop)
        except (Gone, Unavailable, asyncpg.PostgresError) as failure:
            log.info("beat_lost", error=str(failure))
        await _wait(stop, 1)


async def _hold(pool: Pool, stop: asyncio.Event) -> None:
    async with pool.connection(NO_ACCOUNT) as connection:
        try:
            while not stop.is_set():
                await connection.rows("select pg_advisory_unlock_all()")
                await connection.rows(
                    "select pg_advisory_lock_shared($1::int, $2::int)", _SPACE, _WORKER
                )
                await _wait(stop, _BEAT_S)
        finally:
            connection.broken = True  # the lock ends with the connection


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
