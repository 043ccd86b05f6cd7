"""The sequencer: every fact gets its place in the feed, after its commit, from one process.

Ids are made before the commit and transactions end in any order, so neither can be a cursor: a
reader would miss what was committed late. Here one process at a time, the holder of an advisory
lock, gives visible facts the next positions of their account, in the order of their ids; within an
order, whatever clocks say, in the order of its versions. [rulings 9, protocol.md §6]
"""

import asyncio

import asyncpg

from counterfoil.kernel.db import NO_ACCOUNT, Connection, Gone, Pool
from counterfoil.kernel.log import log
from counterfoil.kernel.problem import Unavailable

CHUNK = 1_000
PAUSE_MS, PAUSE_MS_MAX = 20, 50
_RETRY_MS = 1_000
_DEADLINE_S = 30
_SPACE, _SEQUENCER = 4711, 3

# A version is committed only by who has seen the one before it: whoever sees a fact sees all the
# lower ones of its order. So the facts picked by id, and below each the waiting ones of its order,
# are complete; a version that has a smaller id than a lower one takes its place right behind it.
_PLACE = """with picked as materialized (
  select c.order_id, max(c.sequence) as sequence from (
    select f.order_id, f.sequence from facts f
    where f.account_id = $1 and f.position is null order by f.id limit $2) c
  group by c.order_id),
waiting as materialized (
  select f.order_id, f.sequence,
    max(f.id::text collate "C") over (partition by f.order_id order by f.sequence) as turn
  from picked p join facts f on f.account_id = $1 and f.order_id = p.order_id
    and f.sequence <= p.sequence and f.position is null),
numbered as (
  select w.order_id, w.sequence, row_number() over (order by w.turn, w.sequence) as turn,
    count(*) over () as number
  from waiting w),
counted as (
  insert into counters (account_id, name, value)
  select $1, 'feed', count(*) from waiting having count(*) > 0
  on conflict (account_id, name) do update set value = counters.value + excluded.value
  returning value),
placed as (
  update facts f set position = c.value - n.number + n.turn from numbered n, counted c
  where f.account_id = $1 and f.order_id = n.order_id and f.sequence = n.sequence
  returning 1)
select count(*) from placed"""
_LAG = """select greatest(0, (extract(epoch from clock_timestamp()) * 1000)::bigint
    - ('x' || translate(left(f.id::text, 13), '-', ''))::bit(48)::bigint)
  from facts f where f.account_id = $1 and f.position is null order by f.id limit 1"""


class Placed:
    """The accounts in which something was placed since somebody last took note of it."""

    def __init__(self) -> None:
        self.everywhere = True
        self.accounts: set[str] = set()


class _Lost(Exception):
    """The connection that held the lock is gone, and the lock with it."""


async def run_sequencer(
    pool: Pool, stop: asyncio.Event, placed: Placed | None = None
) -> None:
    """Place facts until told to stop; wait for the lock while another process has it.

    Looks every 20 ms, and every 50 ms while nothing happens. A lost connection loses the lock: it
    is asked for again on a new one. It takes one connection of its own, beside the pool. `placed`
    hears where something was placed.
    """
    placed = placed or Placed()
    while not stop.is_set():
        own = Pool(pool.url, size=1)
        try:
            await _place_while_locked(own, stop, placed)
        except (Gone, Unavailable, _Lost, TimeoutError, OSError, asyncpg.PostgresError) as failure:
            log.warning("sequencer_interrupted", error=str(failure) or type(failure).__name__)
        finally:
            await own.close()
        await _wait(stop, _RETRY_MS)


async def _place_while_locked(own: Pool, stop: asyncio.Event, told: Placed) -> None:
    holder = await _lock(own)
    while holder is None:
        if await _wait(stop, _RETRY_MS):
            return
        holder = await _lock(own)
    pause = PAUSE_MS
    told.everywhere = True  # whoever had the lock before told its own process
    while not stop.is_set():
        async with asyncio.timeout(_DEADLINE_S):
            placed, more = await _place_each(own, holder, told)
        pause = PAUSE_MS if placed else min(pause + 10, PAUSE_MS_MAX)
        if not more:
            await _wait(stop, pause)


async def place_waiting(pool: Pool) -> int:
    """Place what waits now, up to a chunk an account, and say how much it was.

    Nothing is placed while another process has the lock.
    """
    own = Pool(pool.url, size=1)
    try:
        holder = await _lock(own)
        return 0 if holder is None else (await _place_each(own, holder, Placed()))[0]
    finally:
        await own.close()


async def feed_lag_ms(connection: Connection) -> int:
    """Tell how long the account's oldest fact without a place waits, in milliseconds; 0 for none.

    Its id tells when it was made; the time it speaks of may be long ago.
    """
    return int(await connection.value(_LAG, connection.account) or 0)


async def _lock(own: Pool) -> Connection | None:
    """Take the lock on the one connection of a pool, and return it; None where it is taken."""
    async with own.connection(NO_ACCOUNT) as connection:
        got = await connection.value("select pg_try_advisory_lock($1, $2)", _SPACE, _SEQUENCER)
        return connection if got else None


async def _place_each(own: Pool, holder: Connection, told: Placed) -> tuple[int, bool]:
    """Place a chunk of each account that waits; say how many, and whether more may be waiting."""
    async with own.connection(NO_ACCOUNT) as connection:
        _check(connection, holder)
        waiting = await connection.rows("select account_id::text from feed_waiting() account_id")
    placed, more = 0, False
    for (account,) in waiting:
        async with own.connection(account) as connection:
            _check(connection, holder)
            count = int(await connection.value(_PLACE, account, CHUNK))
        if count:
            told.accounts.add(account)
        placed, more = placed + count, more or count >= CHUNK
    return placed, more


def _check(connection: Connection, holder: Connection) -> None:
    """Go on only with the connection that took the lock. Raises _Lost."""
    if connection is not holder:
        raise _Lost("the connection that held the lock is gone")


async def _wait(stop: asyncio.Event, milliseconds: int) -> bool:
    """Sleep, or wake when told to stop; say whether it was that."""
    try:
        async with asyncio.timeout(milliseconds / 1000):
            await stop.wait()
    except TimeoutError:
        return False
    return True
