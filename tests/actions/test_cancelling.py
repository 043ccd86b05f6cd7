"""Cancelling an order, at once or with a provider in between, and releasing all its money."""

import msgspec
import pytest

from counterfoil.actions.attend import attend
from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.change_state import change_state
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.order.allowed import order_actions
from counterfoil.order.answers import answer
from counterfoil.order.change import Lease
from counterfoil.order.gateway import Outcome
from counterfoil.order.shipment import ShipmentItem
from tests.actions.laws import assert_lawful
from tests.actions.living import act, heard, held_money, lived, may, refused, told, types, waiting
from tests.actions.making import ADMIN, folder, later, placed

WANTED = {"wanted": WantedCancel()}
BARE = may("orders.cancel").actor


def parcel(order, bag=0, quantity=None):
    """Pack a bag, or so many units of its first line."""
    chosen = order.bags[bag]
    line = next(item for item in order.items if item.bag_id == chosen.id)
    items = [ShipmentItem(line.id, quantity)] if quantity else []
    return lived(order, ship, bag_id=chosen.id, wanted=WantedShipment(items=items))


def sent(order, bag=0, quantity=None):
    """Pack, and let it leave."""
    order = parcel(order, bag, quantity)
    return lived(order, send_shipment, shipment_id=order.shipments[-1].id)


def offered(order, actor=ADMIN):
    return {one.action for one in order_actions(order.order, actor)}


def test_cancelling_leaves_no_parcel_packed_and_shows_where_the_units_that_left_are():
    order = parcel(sent(folder("manual"), quantity=1), quantity=1)
    change = act(order, cancel, **WANTED)
    left, here = change.after.shipments
    assert (left.status, here.status) == ("SHIPPED", "CANCELED")
    mug, shirt = change.after.items
    assert (mug.quantity_canceled, mug.delivery_state, mug.shipment_id) == (1, "SHIPPED", left.id)
    assert (shirt.quantity_canceled, shirt.delivery_state) == (1, "CANCELED")
    assert [bag.status for bag in change.after.bags] == ["COMPLETED", "CANCELED"]
    assert change.after.order.fulfillment_status == "SHIPPED"
    fact = next(fact for fact in change.facts if fact.type == "shipment.canceled")
    assert fact.merchant == "acme" and fact.data["shipment"].id == here.id
    assert_lawful(change.after)


def test_releasing_everything_leaves_no_parcel_packed_either():
    order = parcel(folder("manual"))
    order = lived(order, void)
    assert order.order.system_state == "CANCELED"
    assert order.shipments[0].status == "CANCELED"
    assert_lawful(order)


@pytest.mark.parametrize("part", [None, 5000])
def test_releasing_everything_cancels_an_order_whose_cancellation_was_asked_for(part):
    order = lived(folder("manual"), change_state, state="cancel_requested")
    order = lived(order, void, amount=part)
    assert order.order.system_state == "CANCELED"
    assert_lawful(order)


def test_after_a_cancellation_that_failed_money_may_be_released_by_hand():
    order = heard(lived(held_money(), cancel, **WANTED), Outcome.DECLINED)
    assert (order.order.system_state, order.cancellations[0].status) == (
        "CANCEL_REQUESTED",
        "FAILED",
    )
    part = heard(lived(order, void, amount=700))
    assert part.order.system_state == "CANCEL_REQUESTED"
    assert heard(lived(part, void)).order.system_state == "CANCELED"


def test_while_a_cancellation_runs_money_is_not_released_beside_it():
    order = lived(held_money(), cancel, **WANTED)
    assert refused(order, void).code == "invalid_state"
    assert "cancellation" in refused(order, void).detail


def test_an_order_whose_goods_left_while_its_money_was_being_released_is_not_cancelled():
    order = sent(lived(held_money(), void), quantity=1)
    order = heard(order)
    assert order.order.financial_status == "VOIDED"
    assert order.order.system_state == "PROCESSING"
    assert_lawful(order)


def test_what_is_left_to_release_counts_what_is_on_its_way():
    order = sent(lived(held_money(), void, amount=2000), quantity=1)
    assert refused(order, void).code == "invalid_state"
    assert refused(order, void, amount=3000).code == "invalid_state"
    most = next(one for one in order_actions(order.order, ADMIN) if one.action == "void")
    assert act(order, void, amount=most.max_amount).result.amount == 2999


def test_a_cancellation_can_be_run_again_until_it_is_done():
    order = lived(held_money(), capture, amount=1000)
    order = heard(order)
    order = lived(order, cancel, **WANTED)
    assert [row.type for row in waiting(order)] == ["VOID", "REFUND"]
    order = heard(order, Outcome.DECLINED)
    assert order.cancellations[0].status == "PROCESSING"
    order = heard(order)
    plan = order.cancellations[0]
    assert (plan.status, plan.refunded_amount, plan.reversed_amount) == (
        "PARTIALLY_CANCELED",
        1000,
        0,
    )
    assert order.order.previous_state == "processing"
    order = heard(lived(order, cancel, **WANTED))
    again = order.cancellations[1]
    assert (again.status, again.refunded_amount, again.reversed_amount) == ("CANCELED", 0, 4000)
    assert order.order.previous_state == "processing"
    assert order.order.system_state == "CANCELED"
    assert_lawful(order)


def test_a_cancellation_waits_for_what_other_requests_have_on_their_way():
    order = lived(held_money(), capture, amount=1000)
    order = lived(order, cancel, **WANTED)
    assert [row.type for row in waiting(order)] == ["CAPTURE", "VOID"]
    order = heard(order, which=1)
    assert order.cancellations[0].status == "PROCESSING"
    order = heard(heard(order, Outcome.UNKNOWN))
    assert [row.type for row in waiting(order)] == ["REFUND"]
    order = heard(order)
    plan = order.cancellations[0]
    assert (plan.status, plan.refunded_amount, plan.reversed_amount) == ("CANCELED", 1000, 4000)
    assert_lawful(order)


def test_an_authorisation_that_comes_after_the_order_was_cancelled_is_released():
    order = lived(folder("sandbox"), cancel, **WANTED)
    assert order.order.system_state == "CANCEL_REQUESTED"
    order = heard(order)
    assert [row.type for row in waiting(order)] == ["VOID"]
    assert waiting(order)[0].due_at is not None
    assert heard(order).order.system_state == "CANCELED"


def test_a_payment_that_a_person_has_to_look_at_is_not_moved_by_cancelling():
    order = lived(held_money(), capture, amount=1000)
    row = waiting(order)[0]
    looked = lived(
        order,
        attend,
        payment_id=row.payment_id,
        reason="outcome_unknown",
        lease=Lease("transactions", row.id, "mine"),
    )
    problems = [
        refused(looked, capture, amount=1),
        refused(looked, void),
        refused(looked, cancel, **WANTED),
    ]
    assert [problem.code for problem in problems] == ["attention_required"] * 3
    settled = heard(looked)
    assert refused(settled, void, amount=0).code == "amount_invalid"
    assert act(settled, cancel, **WANTED).result.status == "PROCESSING"


def test_all_that_was_released_and_given_back_lets_a_looked_at_order_be_cancelled():
    order = lived(lived(folder("manual"), capture), refund, wanted=WantedRefund(reference="R"))
    payment = msgspec.structs.replace(order.payments[0], attention={"reason": "provider_differs"})
    order = msgspec.structs.replace(order, payments=(payment,))
    assert act(order, cancel, **WANTED).result.status == "CANCELED"


def test_what_is_offered_is_what_may_be_done():
    order = folder("manual")
    assert "cancel" in offered(order, BARE)
    gone = sent(order, quantity=1)
    assert "cancel" not in offered(gone, BARE)
    assert refused(gone, cancel, **WANTED, asked=may("orders.cancel")).code == "invalid_state"
    late = may("orders.cancel", "orders.cancel_completed")
    assert "cancel" in offered(gone, late.actor)
    done = sent(sent(order), 1)
    assert done.order.system_state == "COMPLETED"
    assert "cancel" not in offered(done, BARE)
    assert "cancel" in offered(done, late.actor)
    assert act(done, cancel, **WANTED, asked=late).after.order.system_state == "CANCELED"


def test_a_digital_order_has_not_left_the_house():
    goods = [{"name": "Song", "quantity": 1, "unit_price": 900, "digital": True}]
    order = later(placed(bags=[{"merchant": "acme", "items": goods}]).after)
    assert order.order.fulfillment_status == "DELIVERED"
    assert {"cancel", "void"} <= offered(order, ADMIN)
    assert "cancel" in offered(order, BARE)
    assert act(order, void).after.order.system_state == "CANCELED"
    change = act(order, cancel, **WANTED)
    assert change.after.order.system_state == "CANCELED"
    assert change.after.items[0].delivery_state == "CANCELED"
    whole = WantedShipment(items=[ShipmentItem(order.items[0].id, 1)])
    order = lived(order, capture)
    assert refused(order, ship, bag_id=order.bags[0].id, wanted=whole).code == "unknown_reference"


def test_a_completed_order_is_cancelled_with_the_right_to_it_through_a_provider():
    order = heard(lived(held_money(), capture))
    order = sent(sent(order), 1)
    order = lived(order, cancel, **WANTED)
    assert order.order.system_state == "CANCEL_REQUESTED"
    order = heard(order)
    assert order.order.system_state == "CANCELED"
    assert [bag.status for bag in order.bags] == ["COMPLETED", "COMPLETED"]
    assert order.order.fulfillment_status == "SHIPPED"
    assert_lawful(order)


@pytest.mark.parametrize("email", ["kari@example.com", None])
def test_a_letter_is_written_once_everything_is_settled(email):
    order = held_money(customer={"email": email} if email else {})
    change = act(order, cancel, wanted=WantedCancel(notify_customer=True))
    assert "letters" not in change.inserts
    done = told(later(change.after))
    assert len(done.inserts.get("letters", [])) == (1 if email else 0)
    assert types(done)[-1] == "order.canceled"
    plan = done.after.cancellations[0]
    body = msgspec.json.decode(answer(msgspec.structs.replace(done, result=plan), ADMIN).body)
    assert body["email"] == ("queued" if email else "no_address")
