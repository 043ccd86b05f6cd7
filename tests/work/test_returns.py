"""Returns at the sandbox: goods are in at once, and the worker sends their refund. [V-6…V-11]"""

import pytest

from counterfoil.actions.decide_payment import decide_payment
from counterfoil.actions.decide_return import approve_return, close_return
from counterfoil.kernel.problem import Problem
from counterfoil.order.goods_return import Replacement, ReturnRefund, WantedReturn
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same, moved
from tests.work.returning import announce, delivered, newest, receive, units
from tests.work.shipping import carry_out
from tests.work.shop import REFUND, Shop

pytestmark = pytest.mark.database
TAKEN = {"authorized": 5000, "captured": 5000}
ALL_HERE = WantedReturn(received=True, fee=200)


async def stands(shop: Shop, order_id: str) -> tuple[str, list[tuple[int, str]]]:
    """Tell how the newest return stands, and each of the order's refunds."""
    folder = await shop.folder(order_id)
    return folder.returns[-1].status, [(one.amount, one.status) for one in folder.refunds]


async def test_the_goods_are_in_at_once_and_the_worker_sends_their_refund(
    shop: Shop, sandbox: Sandbox
):
    order_id = await delivered(shop)
    said = await announce(shop, order_id, WantedReturn(fee=200))
    assert (said.status, said.body["status"]) == (201, "REQUESTED")
    assert await shop.worked() == 0, "nothing is here yet"
    back = said.body["id"]
    said = await receive(shop, back, await units(shop, order_id, 1), key="in-1")
    assert (said.status, said.body["status"]) == (202, "RECEIVED"), "the money is on its way"
    assert await stands(shop, order_id) == ("RECEIVED", [(2300, "PROCESSING")])
    assert await shop.worked() == 1
    again = await receive(shop, back, await units(shop, order_id, 1), key="in-1")
    assert (again.text, again.answered.replayed) == (said.text, True)
    await receive(shop, back)
    assert await shop.worked() == 1
    assert await stands(shop, order_id) == (
        "RECEIVED", [(2300, "COMPLETED"), (2500, "COMPLETED")])
    folder = await shop.folder(order_id)
    assert moved(folder) == TAKEN | {"refunded": 4800}
    assert folder.bags[0].fulfillment_status == "RETURNED"
    assert_same(folder, sandbox)


async def test_where_the_provider_refuses_the_goods_stay_in_and_a_person_is_called(
    shop: Shop, sandbox: Sandbox
):
    order_id = await delivered(shop)
    sandbox.fault("decline", kind="refund")
    await announce(shop, order_id, ALL_HERE)
    await shop.worked()
    assert await stands(shop, order_id) == ("RECEIVED", [(4800, "FAILED")])
    folder = await shop.folder(order_id)
    assert moved(folder) == TAKEN
    assert [(task.kind, task.status) for task in folder.tasks] == [("refund_failed", "OPEN")]
    assert (folder.items[0].quantity_returned, folder.items[0].quantity_refunded) == (2, 0)
    said = await shop.run(REFUND, order_id, amount=4800)
    assert said.body["status"] == "COMPLETED"
    assert_same(await shop.folder(order_id), sandbox)


async def test_a_refund_whose_answer_was_lost_is_found_out_and_not_sent_again(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await delivered(shop)
    sandbox.fault("5xx_after_effect", kind="refund")
    await announce(shop, order_id, ALL_HERE)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert [row.status for row in folder.transactions if row.refund_id] == ["UNKNOWN"]
    assert (folder.order.refund_pending, folder.order.refunded) == (4800, 0)
    await clock.advance(6)
    await shop.worked()
    assert await stands(shop, order_id) == ("RECEIVED", [(4800, "COMPLETED")])
    folder = await shop.folder(order_id)
    assert (folder.order.refund_pending, folder.tasks) == (0, ())
    assert_same(folder, sandbox)


async def test_a_refund_that_the_provider_never_saw_is_sent_again(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await delivered(shop)
    sandbox.fault("5xx_before", kind="refund")
    await announce(shop, order_id, ALL_HERE)
    for _ in range(3):
        await shop.worked()
        await clock.advance(70)
    assert await stands(shop, order_id) == ("RECEIVED", [(4800, "COMPLETED")])
    assert_same(await shop.folder(order_id), sandbox)


async def test_an_exchange_is_made_on_close_for_what_came_in(shop: Shop):
    order_id = await delivered(shop)
    jug = [Replacement(name="Jug", quantity=1, unit_price=4000)]
    await announce(shop, order_id, WantedReturn(resolution="EXCHANGE", replacement=jug))
    back = await newest(shop, order_id)
    await receive(shop, back.id, await units(shop, order_id, 1))
    assert (await newest(shop, order_id)).exchange_order_id is None
    ran = await carry_out(shop, order_id, close_return, key="close", return_id=back.id)
    closed = await newest(shop, order_id)
    assert (closed.status, closed.worth, closed.credit) == ("CLOSED", 2500, 2500)
    assert closed.exchange_order_id is not None
    linked = await shop.folder(closed.exchange_order_id)
    assert (linked.order.exchange_for, linked.order.due) == (order_id, 1500)
    assert linked.order.hold_shipment
    assert moved(await shop.folder(order_id)) == TAKEN
    again = await carry_out(shop, order_id, close_return, key="close", return_id=back.id)
    assert again.answered is not None
    assert ran.answered is not None
    assert (again.answered.replayed, again.answered.body) == (True, ran.answered.body)
    with pytest.raises(Problem) as over:
        await carry_out(shop, order_id, close_return, return_id=back.id)
    assert over.value.code == "transition_not_allowed"


async def test_an_exchange_of_which_nothing_came_is_closed_without_an_order(shop: Shop):
    order_id = await delivered(shop)
    jug = [Replacement(name="Jug", quantity=1, unit_price=4000)]
    await announce(shop, order_id, WantedReturn(resolution="EXCHANGE", replacement=jug))
    back = await newest(shop, order_id)
    for decide in (approve_return, close_return):
        await carry_out(shop, order_id, decide, return_id=back.id)
    closed = await newest(shop, order_id)
    assert (closed.status, closed.exchange_order_id) == ("CLOSED", None)
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        made = await connection.rows(
            "select id from orders where account_id = $1", connection.account)
    assert [str(row["id"]) for row in made] == [order_id]


async def test_a_stated_amount_goes_back_in_parts_and_no_more(shop: Shop, sandbox: Sandbox):
    order_id = await delivered(shop, 5000, units=2)
    refund = ReturnRefund(reference=f"RMA-{order_id}", amount=3333)
    await announce(shop, order_id, WantedReturn(refund=refund, fee=200))
    back = await newest(shop, order_id)
    for _ in range(2):
        await receive(shop, back.id, await units(shop, order_id, 1))
        await shop.worked()
    folder = await shop.folder(order_id)
    assert [one.status for one in folder.refunds] == ["COMPLETED"] * 2
    assert moved(folder) == TAKEN | {"refunded": 3333}
    assert_same(folder, sandbox)


async def test_what_waits_for_its_payment_is_sent_once_somebody_has_decided(
    shop: Shop, sandbox: Sandbox
):
    order_id = await delivered(shop)
    said = await shop.run(REFUND, order_id, amount=100)
    payment = said.body["transactions"][0]["payment_id"]
    await mark(shop, order_id, payment, '{"reason": "provider_differs"}')
    await announce(shop, order_id, ALL_HERE)
    assert await shop.worked() == 0
    assert (await stands(shop, order_id))[1][-1] == (4800, "AWAITING_APPROVAL")
    await carry_out(
        shop, order_id, decide_payment, key="d", payment_id=payment, decision="keep_ours")
    await shop.worked()
    assert (await stands(shop, order_id))[1][-1] == (4800, "COMPLETED")
    folder = await shop.folder(order_id)
    assert [task.status for task in folder.tasks if task.kind == "refund_waiting"] == ["DONE"]
    assert_same(folder, sandbox)


async def mark(shop: Shop, order_id: str, payment_id: str, attention: str) -> None:
    """Call a person to a payment, as anything may that finds it strange."""
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        await connection.rows(
            "update payments set attention = $4 where account_id = $1 and order_id = $2"
            " and id = $3", connection.account, order_id, payment_id, attention)
