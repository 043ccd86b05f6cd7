"""Money taken as goods leave, at the sandbox: the worker sends it, once. [faults C-2, S-3]"""

import asyncio

import pytest

from counterfoil.kernel.problem import Problem
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same, moved
from tests.work.shipping import captures_on_ship, pack, send
from tests.work.shop import CAPTURE, Shop

pytestmark = pytest.mark.database


async def packed(shop: Shop) -> tuple[str, list[str]]:
    """Place an order of two bags, and pack both."""
    await captures_on_ship(shop)
    order_id = await shop.order(5000, bags=2)
    return order_id, [await pack(shop, order_id, bag) for bag in (0, 1)]


async def captures(shop: Shop, order_id: str) -> list[tuple[int, str, str | None]]:
    """List the captures of an order: amount, status, shipment."""
    return [
        (row.amount, row.status, row.shipment_id)
        for row in (await shop.folder(order_id)).transactions
        if row.type == CAPTURE.upper()
    ]


async def test_the_goods_leave_at_once_and_the_worker_takes_the_money(
    shop: Shop, sandbox: Sandbox
):
    order_id, (first, second) = await packed(shop)
    said = await send(shop, order_id, first, key="send-1")
    assert (said.status, said.body["status"]) == (200, "SHIPPED")
    assert await captures(shop, order_id) == [(2500, "PENDING", first)]
    assert moved(await shop.folder(order_id)) == {
        "authorized": 5000, "pending": 2500, "open": 2500}
    assert await shop.worked() == 1
    again = await send(shop, order_id, first, key="send-1")
    assert (again.text, again.answered.replayed) == (said.text, True)
    await send(shop, order_id, second)
    assert await shop.worked() == 1
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "captured": 5000}
    assert (folder.order.system_state, folder.order.financial_status) == ("COMPLETED", "PAID")
    assert_same(folder, sandbox)


async def test_a_parcel_that_is_confirmed_twice_takes_its_money_once(
    shop: Shop, sandbox: Sandbox
):
    order_id, (first, _) = await packed(shop)

    async def attempt() -> str:
        try:
            await send(shop, order_id, first)
        except Problem as refused:
            return refused.code
        return "sent"

    ended = await asyncio.gather(*(attempt() for _ in range(8)))
    assert sorted(ended) == ["sent"] + ["transition_not_allowed"] * 7
    await shop.worked()
    assert await captures(shop, order_id) == [(2500, "SUCCEEDED", first)]
    assert_same(await shop.folder(order_id), sandbox)


async def test_staff_captures_while_the_parcel_leaves(shop: Shop, sandbox: Sandbox):
    for turn in range(6):
        order_id, (first, _) = await packed(shop)
        both = [shop.run(CAPTURE, order_id), send(shop, order_id, first)]
        await asyncio.gather(*(both if turn % 2 else reversed(both)))
        await shop.worked()
        assert await captures(shop, order_id) in (
            [(5000, "SUCCEEDED", None)],
            [(2500, "SUCCEEDED", first), (2500, "SUCCEEDED", None)],
        )
        folder = await shop.folder(order_id)
        assert moved(folder) == {"authorized": 5000, "captured": 5000}
        assert_same(folder, sandbox)


async def test_a_refusal_keeps_no_goods(shop: Shop, sandbox: Sandbox):
    order_id, (first, second) = await packed(shop)
    sandbox.fault("decline", kind="capture")
    await send(shop, order_id, first)
    await shop.worked()
    assert await captures(shop, order_id) == [(2500, "FAILED", first)]
    folder = await shop.folder(order_id)
    assert (folder.shipments[0].status, folder.order.open) == ("SHIPPED", 5000)
    sandbox.clear()
    await send(shop, order_id, second)
    await shop.worked()
    assert (await captures(shop, order_id))[1:] == [(5000, "SUCCEEDED", second)]
    assert_same(await shop.folder(order_id), sandbox)


async def test_an_answer_that_is_lost_is_asked_for_and_nothing_is_sent_twice(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id, (first, _) = await packed(shop)
    sandbox.fault("reset_after_effect", kind="capture")
    await send(shop, order_id, first)
    await shop.worked()
    assert await captures(shop, order_id) == [(2500, "UNKNOWN", first)]
    sandbox.clear()
    await clock.advance(70)
    await shop.worked()
    assert await captures(shop, order_id) == [(2500, "SUCCEEDED", first)]
    assert_same(await shop.folder(order_id), sandbox)


async def test_a_store_without_partial_capture_takes_all_with_the_last_parcel(
    shop: Shop, sandbox: Sandbox, owner
):
    await owner.execute("update stores set scopes = '[]'")
    order_id, (first, second) = await packed(shop)
    await send(shop, order_id, second)
    assert await shop.worked() == 0
    await send(shop, order_id, first)
    await shop.worked()
    assert await captures(shop, order_id) == [(5000, "SUCCEEDED", first)]
    assert_same(await shop.folder(order_id), sandbox)
