"""Goods that come back: which may, what they are worth, and what is true whatever is done."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.actions.decide_return import approve_return, close_return, reject_return
from counterfoil.actions.move_shipment import fail_shipment
from counterfoil.actions.receive_return import receive_return
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.return_goods import return_goods, returnable
from counterfoil.kernel.problem import Problem
from counterfoil.order.gateway import Outcome
from counterfoil.order.goods_return import Replacement, ReturnRefund
from tests.actions.laws import assert_lawful
from tests.actions.living import MERCHANT, act, by, heard, lived, may, refused, types, waiting
from tests.actions.making import store
from tests.actions.refunding import CLERK, paid
from tests.actions.returning import arrived, took, wanted

DAY_S = 24 * 3600
ODD = [{
    "merchant": "acme", "shipping_total": 7, "tax_total": 11, "discount_total": 5,
    "items": [{"name": "Mug", "quantity": 3, "unit_price": 333}],
}]  # fmt: skip


def test_only_what_left_and_is_not_awaited_may_come_back():
    order = paid()
    assert refused(order, return_goods, **wanted(order, (0, 1))).code == "invalid_state"
    order = arrived()
    assert returnable(order, order.bags[0].id) == {order.items[0].id: 2}
    assert refused(order, return_goods, **wanted(order, (0, 3))).facts["returnable"] == 2
    assert refused(order, return_goods, **wanted(order, (1, 1))).code == "unknown_reference"
    order = lived(order, return_goods, **wanted(order, (0, 1)))
    assert refused(order, return_goods, **wanted(order, (0, 2))).facts["returnable"] == 1
    order = lived(order, reject_return, return_id=order.returns[0].id, note="Worn.")
    assert returnable(order, order.bags[0].id) == {order.items[0].id: 2}


def test_a_return_goes_from_announced_to_closed():
    order = arrived()
    order = lived(order, return_goods, **wanted(order, (0, 2)))
    back = order.returns[0].id
    assert refused(order, close_return, return_id=back).code == "transition_not_allowed"
    order = lived(order, approve_return, return_id=back, note="Fine.")
    assert order.returns[0].decision_note == "Fine."
    change = act(order, receive_return, **took(order, (0, 1)))
    assert types(change)[:3] == ["return.received", "refund.requested", "refund.succeeded"]
    order = lived(order, receive_return, **took(order, (0, 1)))
    order = lived(order, close_return, return_id=back)
    assert returnable(order, order.bags[0].id) == {order.items[0].id: 1}
    assert refused(order, receive_return, **took(order, (0, 1))).code == "transition_not_allowed"
    assert_lawful(order)


@pytest.mark.proves("V-7", "V-10")
def test_a_parcel_that_could_not_be_delivered_comes_back_whole():
    order = arrived(step=fail_shipment)
    parcel = order.shipments[0]
    more = {"shipment_id": parcel.id, "resolution": "NONE", "received": True}
    order = lived(order, return_goods, **wanted(order, **more))
    assert (order.shipments[0].status, order.bags[0].fulfillment_status) == ("RETURNED",) * 2
    assert (order.bags[0].status, order.bags[0].financial_status) == ("COMPLETED", "PAID")
    assert_lawful(order)


def test_the_window_closes_unless_somebody_who_may_says_otherwise():
    order = msgspec.structs.replace(arrived(), store=store(refund_window_days=14))
    late = msgspec.structs.replace(order, at=order.at.replace(year=order.at.year + 1))
    problem = refused(late, return_goods, **wanted(late, (0, 1)))
    assert (problem.code, problem.status) == ("refund_window_closed", 409)
    over = wanted(late, (0, 1), override_window=True)
    assert refused(late, return_goods, **over, asked=may("returns.write")).code == problem.code
    assert act(late, return_goods, **over).result.late
    plain = {"wanted": WantedRefund(reference="R", amount=1)}
    assert refused(late, refund, **plain).code == problem.code
    assert act(order, refund, **plain).result.amount == 1
    allowed = {"wanted": WantedRefund(reference="R", amount=1, override_window=True)}
    assert act(late, refund, **allowed).result.amount == 1


def test_more_than_one_may_give_back_waits_and_so_does_who_may_give_nothing_back():
    order = arrived()
    for asked in (by(CLERK), may("returns.write")):
        change = act(order, return_goods, **wanted(order, (0, 2), received=True), asked=asked)
        promise: Any = change.inserts["refunds"][0]
        assert (promise.status, promise.return_id) == ("AWAITING_APPROVAL", change.result.id)
        assert change.result.status == "RECEIVED"
        assert_lawful(change.after)


def test_a_merchant_takes_back_its_own_goods_and_makes_no_exchange():
    order = arrived()
    order = lived(order, return_goods, **wanted(order, (0, 1)), asked=by(MERCHANT))
    theirs = {**wanted(order), "bag_id": order.bags[1].id}
    assert refused(order, return_goods, **theirs, asked=by(MERCHANT)).code == "not_found"
    swap = wanted(order, (0, 1), resolution="EXCHANGE")
    assert refused(order, return_goods, **swap, asked=by(MERCHANT)).code == "merchant_limited"
    assert refused(order, return_goods, **wanted(order), asked=may("orders.read")).facts[
        "permission"] == "returns.write"  # fmt: skip


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.DECLINED])
def test_the_refund_of_a_return_has_a_life_of_its_own(outcome):
    order = arrived("sandbox")
    change = act(order, return_goods, **wanted(order, (0, 2), received=True))
    row: Any = change.inserts["transactions"][0]
    assert (row.status, row.lease_token, row.idempotency_key) == ("PENDING", None, None)
    order = lived(order, return_goods, **wanted(order, (0, 2), received=True))
    order = heard(order, outcome, which=len(waiting(order)) - 1)
    assert order.returns[0].status == "RECEIVED"
    if outcome == Outcome.UNKNOWN:
        assert order.refunds[0].status == "PROCESSING"
    else:
        assert order.refunds[0].status == "FAILED"
        assert [task.kind for task in order.tasks] == ["refund_failed"]
    assert_lawful(order)


@pytest.mark.proves("V-11")
@pytest.mark.parametrize(("price", "credit", "due"), [(2000, 2000, 0), (3000, 2300, 700)])
def test_an_exchange_is_paid_for_by_what_came_back(price, credit, due):
    order = arrived()
    swap = [Replacement(name="Jug", quantity=1, unit_price=price)]
    change = act(order, return_goods, **wanted(
        order, (0, 2), resolution="EXCHANGE", replacement=swap, fee=200, received=True))
    (other,) = change.new_orders
    assert (change.result.credit, change.result.worth) == (credit, 2500)
    assert (other.after.order.total, other.after.order.due) == (due, due)
    assert other.after.order.exchange_for == order.order.id
    assert other.after.order.hold_shipment == (due > 0)
    assert change.after.bags[0].financial_status == "PAID"
    assert_lawful(change.after)
    assert_lawful(other.after)


@pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD"])
@pytest.mark.parametrize("parts", [[3], [1, 2], [2, 1], [1, 1, 1]])
def test_parts_come_to_the_whole_to_the_last_unit(currency, parts):
    order = arrived(bags=ODD, currency=currency)
    whole = ReturnRefund(shipping_amount=7)
    order = lived(order, return_goods, **wanted(order, (0, 3), refund=whole))
    for count in parts:
        order = lived(order, receive_return, **took(order, (0, count)))
    assert order.order.refunded == order.order.total
    assert order.bags[0].financial_status == "REFUNDED"
    assert order.returns[0].worth == order.order.total


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_whatever_comes_back_no_more_goes_back_than_was_paid(data):
    order = arrived(bags=ODD)
    for count in range(data.draw(st.integers(1, 6))):
        what = data.draw(st.sampled_from(["announce", "receive", "refund"]))
        try:
            if what == "announce":
                resolution = data.draw(st.sampled_from(["REFUND", "STORE_CREDIT", "NONE"]))
                order = lived(order, return_goods, **wanted(
                    order, (0, data.draw(st.integers(1, 3))), resolution=resolution,
                    fee=data.draw(st.integers(0, 500)), received=data.draw(st.booleans())))
            elif what == "receive" and order.returns:
                order = lived(order, receive_return, **took(order, (0, 1)))
            else:
                amount = data.draw(st.integers(1, 400))
                wish = WantedRefund(reference=f"R-{count}", amount=amount)
                order = lived(order, refund, wanted=wish)
        except Problem:
            continue
        assert_lawful(order)
        assert_returned(order)


def assert_returned(order):
    """What is true of returns and of the bag they belong to. [V-6…V-11]"""
    (bag,), (item,) = order.bags, order.items
    came = sum(line.received for back in order.returns for line in back.lines)
    assert came == item.quantity_returned <= item.quantity_shipped
    assert (bag.fulfillment_status == "RETURNED") == (came == item.live)
    assert bag.status == "COMPLETED"
    assert order.order.refunded <= order.order.captured
    for back in order.returns:
        own = [one for one in order.refunds if one.return_id == back.id]
        assert sum(one.amount for one in own) <= max(0, back.worth - back.fee)
        assert sum(one.fee_amount for one in own) <= back.fee
        if not bag.refunded:
            assert bag.financial_status == "PAID"
