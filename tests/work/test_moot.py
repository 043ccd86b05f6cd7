"""A review or a hold of an order that has ended waits for nobody: every list says the same."""

import pytest

from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.review import send_to_review
from counterfoil.book.lists import Filters, list_orders, view_counts
from counterfoil.book.reviews import count_reviews, count_waiting, list_reviews
from counterfoil.order.telling import tell_order
from tests.work.shipping import carry_out, pack, send
from tests.work.shop import CANCEL, CAPTURE, Shop

pytestmark = pytest.mark.database
HELD = {"wanted": WantedHold(handle="address", reason_code="INCORRECT_ADDRESS")}


async def test_what_was_cancelled_or_is_shipped_and_paid_needs_nobody(shop: Shop) -> None:
    reviewed, review_canceled, held, hold_canceled, done, owing = [
        await shop.order(5000) for _ in range(6)
    ]
    await shop.run(CAPTURE, done)
    for order_id in (done, owing):
        await send(shop, order_id, await pack(shop, order_id))
    for order_id in (reviewed, review_canceled):
        await carry_out(shop, order_id, send_to_review)
    for order_id in (held, hold_canceled, done, owing):
        await carry_out(shop, order_id, hold, **HELD)
    for order_id in (review_canceled, hold_canceled):
        assert (await shop.run(CANCEL, order_id)).status == 200
    told = {}
    for order_id in (reviewed, review_canceled, held, hold_canceled, done, owing):
        told[order_id] = tell_order(await shop.folder(order_id), shop.actor).attention
    assert told == {
        reviewed: ["in_review"], review_canceled: [], held: ["on_hold"], hold_canceled: [],
        done: [], owing: ["on_hold", "shipped_unpaid"],
    }  # fmt: skip
    waking = {order_id for order_id, reasons in told.items() if reasons}
    actor = shop.actor
    async with shop.works.pool.connection(actor.account_id) as connection:
        listed = await list_orders(connection, actor, Filters(attention=True))
        queue = await list_reviews(connection, actor)
        assert {row.id for row in listed.data} == waking
        assert listed.count.value == len(waking)
        assert {row.order_id for row in queue.data} == {reviewed}
        assert await count_waiting(connection, actor) == 1
        counted = await count_reviews(connection, actor, queue.data[0].opened_at)
        assert (counted.waiting, queue.count.value) == (1, 1)
        views = await view_counts(connection, actor, only_open=False)
        assert views["attention"] == (len(waking), False)
        assert (await view_counts(connection, actor))["attention"] == (2, False)
