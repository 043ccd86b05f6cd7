"""Where paths cross: accounts, gateways of another kind, an order that changed its mind."""

import time

import pytest

from counterfoil.kernel.db import Pool
from counterfoil.kernel.due import claim
from counterfoil.order.config import Account
from counterfoil.setup.accounts import create_account
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same, moved
from tests.work.shop import CANCEL, CAPTURE, REFUND, Shop, open_shop

pytestmark = pytest.mark.database


async def test_one_worker_serves_every_account(
    pool: Pool, shop: Shop, sandbox: Sandbox, account: Account
):
    second = await open_shop(pool, await create_account(pool, "Second"), sandbox)
    here, there = await shop.order(5000), await second.order(5000)
    await shop.intend(CAPTURE, here, leased=False)
    await second.intend(CAPTURE, there, leased=False)
    second.works.adapters._kept.clear()
    assert await shop.worked() == 2
    assert_same(await shop.folder(here), sandbox)
    assert_same(await second.folder(there), sandbox)
    await second.works.aclose()


@pytest.mark.parametrize("flow", ["auth", "payment"])
async def test_authorised_after_the_order_was_cancelled(
    shop: Shop, sandbox: Sandbox, clock: Clock, flow: str
):
    """What the provider turns out to hold is released, what it took goes back. [A-3]"""
    sandbox.fault("5xx_after_effect", kind="authorize")
    placed = await shop.place(5000, flow=flow)
    assert placed.body["financial_status"] == "PENDING"
    order_id = placed.body["id"]
    said = await shop.run(CANCEL, order_id)
    assert said.body["status"] == "PROCESSING"
    await clock.advance(6)
    assert await shop.worked() == 2, "the question, and the step that follows from its answer"
    folder = await shop.folder(order_id)
    assert folder.order.system_state == "CANCELED"
    expected = {"voided": 5000} if flow == "auth" else {"captured": 5000, "refunded": 5000}
    assert moved(folder) == {"authorized": 5000} | expected
    assert_same(folder, sandbox)


async def test_an_unknown_authorisation_that_never_came_about(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    sandbox.fault("5xx_before", kind="authorize")
    placed = await shop.place(5000, key="p1")
    assert placed.status == 201
    for seconds in (6, 61):
        await clock.advance(seconds)
        assert await shop.worked() == 1
    folder = await shop.folder(placed.body["id"])
    assert moved(folder) == {"authorized": 5000, "open": 5000}
    assert_same(folder, sandbox)
    assert (await shop.place(5000, key="p1")).text == placed.text


async def test_a_gateway_that_captures_once_releases_the_rest(
    pool: Pool, account: Account, sandbox: Sandbox, clock: Clock
):
    shop = await open_shop(pool, account, sandbox, multi_capture=False)
    order_id = await shop.order(5000, bags=2)
    sandbox.fault("5xx_after_effect", kind="capture")
    await shop.run(CAPTURE, order_id, amount=2000)
    await clock.advance(6)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "captured": 2000, "voided": 3000}
    assert_same(folder, sandbox)
    await shop.works.aclose()


async def test_two_movements_of_one_order_wait_for_each_other_only_to_be_booked(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000, bags=2)
    await shop.run(CAPTURE, order_id, amount=3000)
    sandbox.fault("hang_after_effect", kind="capture", seconds=1)
    sandbox.fault("5xx_before", kind="refund")
    await shop.run(CAPTURE, order_id, amount=500)
    await shop.run(REFUND, order_id, amount=700)
    await shop.run(REFUND, order_id, amount=800)
    folder = await shop.folder(order_id)
    assert folder.order.unknown_pending == 1200
    assert folder.order.open == 1500
    for seconds in (6, 61):
        await clock.advance(seconds)
        await shop.worked()
    folder = await shop.folder(order_id)
    assert moved(folder) == {
        "authorized": 5000, "captured": 3500, "refunded": 1500, "open": 1500}
    assert_same(folder, sandbox)


async def test_a_long_backlog_is_claimed_as_fast_as_a_short_one(
    pool: Pool, account: Account, owner
):
    shop = await open_shop(pool, account, None)
    await shop.order(5000, gateway="manual")

    async def least_s(waiting: int) -> float:
        """Claim many times from a backlog; the least is what the work takes."""
        await owner.execute(
            "insert into transactions (account_id, id, order_id, payment_id, type, status, amount,"
            " currency, source, actor, created_at, due_at)"
            " select account_id, gen_random_uuid(), order_id, id, 'CAPTURE', 'PENDING', 1, 'EUR',"
            " 'x', '{}', cf_now(), cf_now() - make_interval(secs => n) from payments,"
            " generate_series(1, $1::int) n", waiting)
        await owner.execute("analyze transactions")
        spent = []
        for _ in range(40):
            since = time.perf_counter()
            assert len(await claim(shop.works.pool, "money", 4, 3600)) == 4
            spent.append(time.perf_counter() - since)
        return min(spent)

    short, long = await least_s(200), await least_s(20_000)
    await shop.works.aclose()
    assert long < 4 * short, "it reads the index and nothing more"


async def test_a_payment_that_is_looked_at_too_early_is_put_off(shop: Shop, owner):
    order_id = await shop.order(5000)
    await owner.execute("update payments set due_at = cf_now()")
    assert await shop.worked() == 1
    payment = (await shop.folder(order_id)).payments[0]
    assert payment.expires_at is not None
    assert payment.due_at is not None
    assert payment.warn_at is not None
    assert abs((payment.due_at - payment.warn_at).total_seconds()) < 5
    assert payment.open == 5000


async def test_a_payment_whose_clock_was_stopped_is_due_no_more(shop: Shop, owner):
    order_id = await shop.order(5000)
    await shop.run("acknowledge", order_id)
    await owner.execute("update payments set due_at = cf_now()")
    assert await shop.worked() == 1
    assert (await shop.folder(order_id)).payments[0].due_at is None
