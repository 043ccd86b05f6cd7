"""Providers that count our calls, and providers that are silent. [P-9, N-2, G7]"""

import asyncio
import time

import pytest

from counterfoil.kernel.db import Pool
from counterfoil.kernel.secrets import KeyRing
from counterfoil.order.config import Account
from counterfoil.setup.gateways import NewGateway, create_gateway
from counterfoil.work.lanes import LANES, run_lane
from tests.db import Clock
from tests.sandbox.server import Sandbox, start_sandbox
from tests.work.ledger import assert_same
from tests.work.shop import CAPTURE, RING, Shop, open_shop

pytestmark = pytest.mark.database


async def wait_until(reached, seconds: int = 20) -> None:
    until = time.monotonic() + seconds
    while not await reached():
        assert time.monotonic() < until, "it does not end"
        await asyncio.sleep(0.1)


async def test_a_provider_that_counts_is_not_pestered(
    pool: Pool, account: Account, tmp_path, owner
):
    sandbox = start_sandbox(tmp_path, rate=40)
    shop = await open_shop(pool, account, sandbox)
    try:
        orders = []
        for _ in range(30):
            said = await shop.place(5000)
            assert said.body["financial_status"] == "AUTHORIZED"
            orders.append(said.body["id"])
            await asyncio.sleep(0.02)
        sandbox.fault("429", kind="capture", times=5)  # however slow this machine is
        parts = [shop.run(CAPTURE, order_id, amount=1000) for order_id in orders * 2]
        told = await asyncio.gather(*parts)
        assert {one.status for one in told} == {201, 202}
        stop = asyncio.Event()
        lane = asyncio.ensure_future(run_lane(shop.works, LANES[0], stop))

        async def settled() -> bool:
            waiting = "select count(*) from transactions where status <> 'SUCCEEDED'"
            return await owner.fetchval(waiting) == 0

        await wait_until(settled)
        stop.set()
        await lane
        turned_away = await owner.fetchval(
            "select count(*) from gateway_calls where outcome = 'NOT_EXECUTED'")
        assert 0 < turned_away < 3 * len(told)
        await asyncio.sleep(1)  # the sandbox counts our looking, too
        for order_id in orders[:5]:
            assert_same(await shop.folder(order_id), sandbox)
    finally:
        await shop.works.aclose()
        sandbox.stop()
        sandbox.client.close()


async def test_a_silent_provider_holds_up_no_other(shop: Shop, sandbox: Sandbox, clock: Clock):
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        new = NewGateway(code="mute", kind="sandbox", settings=sandbox.settings,
                         credentials=sandbox.credentials)
        await create_gateway(connection, shop.actor, new, KeyRing(RING))
    mute = [await shop.order(5000, gateway="mute") for _ in range(40)]
    sandbox.fault("5xx_before", kind="capture", times=None)
    for order_id in mute:
        await shop.run(CAPTURE, order_id)
    sandbox.clear()
    sandbox.fault("hang_before", kind="query", times=None, seconds=2)
    good = await shop.order(5000)
    await clock.advance(6)
    await shop.intend(CAPTURE, good, leased=False)  # due behind all the others
    stop = asyncio.Event()
    since = time.monotonic()
    lane = asyncio.ensure_future(run_lane(shop.works, LANES[0], stop))

    async def captured() -> bool:
        return (await shop.folder(good)).order.captured == 5000

    await wait_until(captured)
    spent = time.monotonic() - since
    stop.set()
    await lane
    assert spent < 3, "40 silences of half a second, four at a time, are five seconds"


async def test_a_hundred_timeouts_are_resolved_within_two_minutes(
    shop: Shop, sandbox: Sandbox, clock: Clock, owner
):
    orders = [await shop.order(5000) for _ in range(100)]
    sandbox.fault("5xx_after_effect", kind="capture", times=50)
    sandbox.fault("5xx_before", kind="capture", times=50)
    said = [await shop.run(CAPTURE, order_id) for order_id in orders]
    assert {one.status for one in said} == {202}
    for seconds in (6, 61, 40):
        await clock.advance(seconds)
        await shop.worked()
    left = "select count(*) from transactions where status <> 'SUCCEEDED'"
    assert await owner.fetchval(left) == 0
    assert await owner.fetchval("select sum(captured) from orders") == 100 * 5000
    assert len([e for e in sandbox.ledger() if e["kind"] == "capture"
                and e["reference"] in {one.body["id"] for one in said}]) == 100
