"""The worker as a process lives: claims, leases, a lost database, an orderly end."""

import asyncio
import time

import pytest

from counterfoil.kernel.db import Pool
from counterfoil.kernel.due import claim, finish, park, release, renew, reschedule
from counterfoil.work.beat import beat, worker_lives
from counterfoil.work.lanes import LANES, run_lane
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.shop import CAPTURE, Shop

pytestmark = pytest.mark.database
MONEY = LANES[0]


async def test_a_row_is_claimed_once_and_counted(shop: Shop, clock: Clock):
    pool = shop.works.pool
    for _ in range(3):
        await shop.intend(CAPTURE, await shop.order(5000), leased=False)
    both = await asyncio.gather(claim(pool, "money", 2, 60), claim(pool, "money", 2, 60))
    assert sorted(len(one) for one in both) == [1, 2]
    rows = [row for one in both for row in one]
    assert len({row.id for row in rows}) == 3
    assert {row.attempts for row in rows} == {1}
    assert await claim(pool, "money", 5, 60) == []
    await clock.advance(61)
    assert {row.attempts for row in await claim(pool, "money", 5, 60)} == {2}


async def test_only_the_holder_of_the_lease_changes_it(shop: Shop, clock: Clock):
    pool = shop.works.pool
    await shop.intend(CAPTURE, await shop.order(5000), leased=False)
    (old,) = await claim(pool, "money", 1, 1)
    await clock.advance(2)
    (new,) = await claim(pool, "money", 1, 30)
    async with pool.connection(shop.actor.account_id) as connection:
        for verb in (finish, release, park):
            assert not await verb(connection, old)
        assert not await reschedule(connection, old, 1)
        assert not await renew(connection, old, 1)
        assert await renew(connection, new, 30)
        assert await release(connection, new)
    (again,) = await claim(pool, "money", 1, 30)
    assert again.attempts == 2, "what was given back unstarted does not count"


async def test_an_unknown_lane_is_refused(shop: Shop):
    with pytest.raises(Exception, match="no lane bulk"):
        await claim(shop.works.pool, "bulk", 1, 1)


async def test_the_claim_reads_an_index(shop: Shop, owner):
    await owner.execute("set enable_seqscan = off")
    for table in ("transactions", "payments", "letters"):
        plan = await owner.fetchval(
            "explain (format json) select id from " + table + " where due_at <= now()"
            " and (lease_until is null or lease_until < now()) order by due_at limit 4")
        assert f"{table}_due" in plan


async def test_a_lane_works_everything_off_and_ends_when_told(shop: Shop, sandbox: Sandbox):
    orders = [await shop.order(5000) for _ in range(10)]
    for order_id in orders:
        await shop.intend(CAPTURE, order_id, leased=False)
    stop = asyncio.Event()
    lane = asyncio.ensure_future(run_lane(shop.works, MONEY, stop))
    until = time.monotonic() + 10
    while time.monotonic() < until:
        folders = [await shop.folder(order_id) for order_id in orders]
        if all(folder.order.captured == 5000 for folder in folders):
            break
        await asyncio.sleep(0.05)
    assert [folder.order.captured for folder in folders] == [5000] * 10
    stop.set()
    await asyncio.wait_for(lane, 10)


async def test_what_is_under_way_is_finished_before_the_end(shop: Shop, sandbox: Sandbox):
    shop.works.adapters._deadline_s = 5
    order_id = await shop.order(5000)
    await shop.intend(CAPTURE, order_id, leased=False)
    sandbox.fault("slow_bytes", kind="capture", seconds=1)
    stop = asyncio.Event()
    lane = asyncio.ensure_future(run_lane(shop.works, MONEY, stop))
    until = time.monotonic() + 5
    while not (await shop.folder(order_id)).transactions[-1].lease_token:
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    stop.set()
    await asyncio.sleep(0.1)
    assert not lane.done(), "the answer is still on its way"
    await asyncio.wait_for(lane, 5)
    assert (await shop.folder(order_id)).order.captured == 5000


async def test_a_lost_database_is_waited_for(shop: Shop, sandbox: Sandbox, owner):
    stop = asyncio.Event()
    lane = asyncio.ensure_future(run_lane(shop.works, MONEY, stop))
    sign = asyncio.ensure_future(beat(shop.works.pool, stop))
    for _ in range(4):
        await owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename = 'counterfoil_app' and datname = current_database()")
        await asyncio.sleep(0.1)
    order_id = await shop.order(5000)
    await shop.intend(CAPTURE, order_id, leased=False)
    until = time.monotonic() + 10
    while (await shop.folder(order_id)).order.captured == 0:
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
    assert not lane.done()
    stop.set()
    await asyncio.wait_for(asyncio.gather(lane, sign), 10)


async def test_a_worker_shows_that_it_lives(pool: Pool, account, owner):
    async def alive(count: int) -> bool:
        """Wait until so many show it: a lock ends some moments after its connection."""
        async with asyncio.timeout(10):
            while await owner.fetchval(
                "select count(*) from pg_locks where locktype = 'advisory' and granted"
                " and database = (select oid from pg_database where datname = current_database())"
            ) != count:
                await asyncio.sleep(0.02)
        async with pool.connection(account.id) as connection:
            return await worker_lives(connection)

    assert not await alive(0)
    stops = [asyncio.Event(), asyncio.Event()]
    beats = [asyncio.ensure_future(beat(pool, stop)) for stop in stops]
    assert await alive(2)
    for stop, one, left in zip(stops, beats, (1, 0), strict=True):
        stop.set()
        await one
        assert await alive(left) is bool(left)
