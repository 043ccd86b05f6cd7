"""The money of goods that came back: stated, worth nothing, or waiting for a person; letters."""

from typing import Any

import msgspec
import pytest

from counterfoil.actions.decide_payment import decide_payment
from counterfoil.actions.decide_refund import approve_refund
from counterfoil.actions.decide_return import close_return
from counterfoil.actions.finish_task import finish_task
from counterfoil.actions.receive_return import receive_return
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.actions.return_goods import return_goods
from counterfoil.actions.sync import sync
from counterfoil.order.gateway import Statement
from counterfoil.order.goods_return import Replacement, ReturnRefund, WantedReturn
from counterfoil.order.return_worth import reckon_receipt
from tests.actions.laws import assert_lawful
from tests.actions.living import act, by, heard, lived, refused, types, waiting
from tests.actions.making import later, store
from tests.actions.refunding import CHIEF, limited, paid_by
from tests.actions.returning import all_gone, arrived, took, wanted

TROUBLE = {"reason": "provider_differs"}


def troubled(order):
    """The same order, while its payment waits for a person."""
    payment = msgspec.structs.replace(order.payments[0], attention=TROUBLE)
    return msgspec.structs.replace(order, payments=(payment,))


@pytest.mark.parametrize("parts", [[2], [1, 1]])
@pytest.mark.parametrize(("amount", "fee", "shipping"), [
    (1501, 0, None), (1501, 200, None), (1501, 200, 300), (2500, 0, None), (3000, 0, 500),
    (1, 0, None), (1, 700, None),
])  # fmt: skip
def test_a_stated_amount_is_what_goes_back_when_all_is_here(parts, amount, fee, shipping):
    order = arrived()
    asked_for = ReturnRefund(amount=amount, shipping_amount=shipping)
    order = lived(order, return_goods, **wanted(order, (0, 2), refund=asked_for, fee=fee))
    for count in parts:
        order = lived(order, receive_return, **took(order, (0, count)))
        assert_lawful(order)
    assert sum(one.amount for one in order.refunds) == order.order.refunded == amount
    assert order.returns[0].worth == amount + fee


@pytest.mark.parametrize("more", [
    {"amount": 0}, {"amount": -1}, {"amount": 3001}, {"amount": 1, "shipping_amount": -1},
])  # fmt: skip
def test_a_stated_amount_is_more_than_nothing_and_no_more_than_was_taken(more):
    order = arrived()
    asked_for = wanted(order, (0, 2), refund=ReturnRefund(**more))
    assert refused(order, return_goods, **asked_for).code == "amount_invalid"


@pytest.mark.parametrize("resolution", ["REFUND", "STORE_CREDIT", "EXCHANGE"])
def test_a_fee_that_is_named_is_no_more_than_what_comes_back_is_worth(resolution):
    order = arrived()
    why = refused(order, return_goods, **wanted(order, (0, 1), fee=1251, resolution=resolution))
    assert (why.code, why.facts) == ("amount_invalid", {"fee": 1251, "worth": 1250})
    whole = wanted(order, (0, 1), fee=1250, resolution=resolution, received=True)
    after = lived(order, return_goods, **whole)
    assert (after.returns[0].fee_kept, after.order.refunded) == (1250, 0)


def test_the_stores_usual_fee_is_kept_as_far_as_what_came_in_is_worth_it():
    order = msgspec.structs.replace(arrived(), store=store(return_fee=2000))
    order = lived(order, return_goods, **wanted(order, (0, 2)))
    back, units = order.returns[0], {order.items[0].id: 1}
    kept = "12.50 EUR is kept of a fee of 20.00 EUR, as no more came in: nothing goes back."
    assert reckon_receipt(order, back, units).sentences[-1] == kept
    for refunded in (0, 500):
        order = lived(order, receive_return, **took(order, (0, 1)))
        assert order.order.refunded == refunded
        assert_lawful(order)


def test_a_chosen_payment_that_has_too_little_left_is_spoken_of_and_others_give_back():
    order = all_gone(paid_by(("manual", 2000), ("manual", 3000)))
    chosen = ReturnRefund(payment_id="p1")
    order = lived(order, return_goods, **wanted(order, (0, 2), refund=chosen))
    units = {order.items[0].id: 1}
    assert not reckon_receipt(order, order.returns[0], units).spent
    enough = act(order, receive_return, **took(order, (0, 1)))
    assert [part.payment_id for part in enough.after.refunds[0].plan] == ["p1"]
    assert "payment_spent" not in enough.facts[0].data
    half = WantedRefund(reference="R-1", amount=1000, payment_id="p1")
    order = lived(order, refund, wanted=half)
    told = reckon_receipt(order, order.returns[0], units).sentences[-1]
    assert told.startswith("The payment that was chosen has not enough left")
    change = act(order, receive_return, **took(order, (0, 1)))
    assert change.facts[0].data["payment_spent"] is True
    through = [part.payment_id for part in change.after.refunds[1].plan]
    assert through != ["p1"]
    assert change.after.refunds[1].amount == 1250


def test_what_nothing_was_paid_for_comes_in_all_the_same():
    """A gift that came with the goods, and a unit whose money went back with another."""
    items = [
        {"name": "Mug", "quantity": 2, "unit_price": 1250},
        {"name": "Sticker", "quantity": 1, "unit_price": 0},
    ]
    order = arrived(bags=[{"merchant": "acme", "items": items}])
    order = lived(order, return_goods, **wanted(order, (0, 2), (1, 1)))
    order = lived(order, receive_return, **took(order, (1, 1)))
    assert (order.returns[0].worth, order.refunds) == (0, ())
    partly = lived(order, refund, wanted=WantedRefund(reference="R", lines=[
        WantedLine(item_id=order.items[0].id, quantity=1, amount=2400)]))
    order = lived(order, receive_return, **took(order, (0, 2)))
    assert order.order.refunded == 2500
    partly = lived(partly, receive_return, **took(partly, (0, 1)))
    assert partly.order.refunded == 2500
    assert_lawful(partly)


@pytest.mark.parametrize("at_once", [True, False])
def test_goods_are_taken_in_while_a_payment_waits_for_a_person(at_once):
    order = arrived("sandbox")
    if at_once:
        change = act(troubled(order), return_goods, **wanted(order, (0, 2), received=True))
    else:
        order = lived(order, return_goods, **wanted(order, (0, 2)))
        change = act(troubled(order), receive_return, **took(order, (0, 2)))
    promise: Any = change.inserts["refunds"][0]
    assert (change.result.status, promise.status, promise.amount) == (
        "RECEIVED", "AWAITING_APPROVAL", 2500)
    assert "transactions" not in change.inserts, "nothing is sent"
    assert [task.kind for task in change.after.tasks] == ["refund_waiting"]
    assert change.after.bags[0].refund_pending == 2500, "kept for it"
    assert_lawful(change.after)
    waits = later(change.after)
    chief = {"refund_id": promise.id, "asked": by(CHIEF)}
    assert refused(waits, approve_refund, **chief).code == "attention_required"
    (task,) = waits.tasks
    assert refused(waits, finish_task, task_id=task.id).code == "invalid_state"
    payment = waits.payments[0].id
    sent = act(waits, decide_payment, payment_id=payment, decision="keep_ours")
    assert [row.amount for row in waiting(sent.after)] == [2500], "nobody has to approve it"
    assert types(sent) == ["refund.resumed", "payment.attended"]
    assert (sent.after.refunds[0].status, sent.after.tasks[0].status) == ("PROCESSING", "DONE")
    assert_lawful(sent.after)
    done = heard(later(sent.after))
    assert (done.refunds[0].status, done.order.refunded) == ("COMPLETED", 2500)
    assert_lawful(done)


def test_what_waits_for_a_payment_is_sent_when_both_sides_agree_again():
    order = arrived("sandbox")
    waits = later(act(troubled(order), return_goods, **wanted(order, (0, 2), received=True)).after)
    agrees = Statement(payment_reference="p-1", currency="EUR", authorized=5000, captured=5000,
                       voided=0, expired=0, refunded=0, itemised=False)
    sent = act(waits, sync, payment_id=waits.payments[0].id, statement=agrees)
    assert [row.amount for row in waiting(sent.after)] == [2500]


def test_above_what_its_receiver_may_give_back_a_second_person_decides_when_the_payment_is_clear():
    order = arrived("sandbox")
    clerk = by(limited(1000))
    asked_for = wanted(order, (0, 2), received=True)
    waits = later(act(troubled(order), return_goods, asked=clerk, **asked_for).after)
    assert [task.kind for task in waits.tasks] == ["refund_approval"]
    payment = waits.payments[0].id
    clear = lived(waits, decide_payment, payment_id=payment, decision="keep_ours")
    assert (clear.refunds[0].status, waiting(clear)) == ("AWAITING_APPROVAL", [])
    sent = act(clear, approve_refund, refund_id=clear.refunds[0].id, asked=by(CHIEF))
    assert [row.amount for row in waiting(sent.after)] == [2500]


def test_an_exchange_is_made_on_close_for_what_came_in():
    order = arrived()
    jug = [Replacement(name="Jug", quantity=1, unit_price=2000)]
    swap = wanted(order, (0, 2), resolution="EXCHANGE", replacement=jug, fee=100)
    order = lived(order, return_goods, **swap)
    change = act(order, receive_return, **took(order, (0, 1)))
    assert change.new_orders == []
    order = lived(order, receive_return, **took(order, (0, 1)))
    change = act(order, close_return, return_id=order.returns[0].id)
    (other,) = change.new_orders
    assert (change.result.status, change.result.credit) == ("CLOSED", 1150)
    assert (other.after.order.exchange_for, other.after.order.due) == (order.order.id, 850)
    assert change.result.exchange_order_id == other.after.order.id
    assert types(change) == ["return.closed"]
    assert_lawful(change.after)
    assert_lawful(other.after)


@pytest.mark.parametrize(("how", "letters"), [
    ({}, 1), ({"is_test": True}, 0), ({"store": store()}, 0),
    ({"store": store(), "notify_customer": True}, 1), ({"notify_customer": True}, 1),
])  # fmt: skip
def test_goods_that_come_in_are_written_about_where_it_is_wanted(how, letters):
    wants = how.get("store", store(letters=("return_received",)))
    order = msgspec.structs.replace(arrived(), store=wants)
    if "is_test" in how:
        head = msgspec.structs.replace(order.order, is_test=True)
        order = msgspec.structs.replace(order, order=head)
    notify = how.get("notify_customer", False)
    asked_for = WantedReturn(received=True, resolution="NONE", notify_customer=notify)
    change = act(order, return_goods, bag_id=order.bags[0].id, wanted=asked_for)
    written: list[Any] = change.inserts.get("letters", [])
    assert [one.kind for one in written] == ["return_received"] * letters
    assert [one.context for one in written] == [{"items": {order.items[0].id: 2}}] * letters
