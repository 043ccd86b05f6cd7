"""Cancelling a bag or some units: goods at once, money by a plan. [rulings 27, 4B.3]

The order is Mug × 2 at 1,250 with 500 shipping of acme, and T-shirt × 1 at 2,000 of zeta.
"""

import msgspec
import pytest

from counterfoil.actions.attend import attend
from counterfoil.actions.cancel import cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.answers import answer
from counterfoil.order.change import Lease
from counterfoil.order.gateway import Outcome
from counterfoil.order.shipment import ShipmentItem
from tests.actions.canceling import assert_part_lawful, change, cut, line, moved, part
from tests.actions.living import act, by, heard, held_money, lived, refused, waiting
from tests.actions.making import ADMIN, folder, later


def sent(order, name, quantity):
    """Pack so many units of a line, and let them leave."""
    item = next(item for item in order.items if item.name == name)
    wanted = WantedShipment(items=[ShipmentItem(item.id, quantity)])
    order = lived(order, ship, bag_id=item.bag_id, wanted=wanted)
    return lived(order, send_shipment, shipment_id=order.shipments[-1].id)


def back(order, **units):
    """Refund units of lines."""
    lines = [WantedLine(item_id=line(order, name), quantity=n) for name, n in units.items()]
    wanted = WantedRefund(reference=f"R-{len(order.refunds)}", lines=lines)
    return lived(order, refund, wanted=wanted)


#: captured before · what is cancelled · captured, voided, refunded, open · worth cancelled
MIXES = [
    (0, {"bag": 0}, (0, 3000, 0, 2000), 3000),
    (0, {"bag": 1}, (0, 2000, 0, 3000), 2000),
    (0, {"Mug": 1}, (0, 1250, 0, 3750), 1250),
    (0, {"Mug": 2}, (0, 3000, 0, 2000), 3000),
    (0, {"Mug": 1, "T-shirt": 1}, (0, 3250, 0, 1750), 3250),
    (5000, {"bag": 0}, (5000, 0, 3000, 0), 3000),
    (5000, {"Mug": 1}, (5000, 0, 1250, 0), 1250),
    (5000, {"Mug": 1, "T-shirt": 1}, (5000, 0, 3250, 0), 3250),
    (2500, {"bag": 0}, (2500, 1500, 1500, 1000), 3000),
    (2500, {"Mug": 1}, (2500, 1250, 0, 1250), 1250),
    (4000, {"Mug": 1}, (4000, 600, 650, 400), 1250),
]


@pytest.mark.proves("U-33")
@pytest.mark.parametrize(("taken", "named", "after", "worth"), MIXES)
def test_what_is_open_is_released_and_the_rest_is_refunded(taken, named, after, worth):
    order = folder("manual")
    if taken:
        order = lived(order, capture, amount=taken)
    state = order.order.state
    order = cut(order, **named)
    assert moved(order.order) == after
    assert order.order.canceled_total == worth
    assert order.order.state == state
    plan = order.cancellations[0]
    assert plan.status == "CANCELED"
    assert (plan.refunded_amount, plan.reversed_amount) == (after[2], after[1])
    assert plan.amount == after[1] + after[2]


def test_units_in_parts_add_up_to_the_bag_and_the_last_take_its_shipping():
    goods = [{"name": "Nail", "quantity": 3, "unit_price": 333}]
    bags = [
        {"merchant": "acme", "shipping_total": 100, "tax_total": 77, "discount_total": 50,
         "items": goods},
        {"merchant": "zeta", "items": [{"name": "Cap", "quantity": 1, "unit_price": 10}]},
    ]  # fmt: skip
    order = lived(folder("manual", bags=bags), capture)
    whole = order.bags[0].total
    given = []
    for _ in range(3):
        order = cut(order, Nail=1)
        given.append(order.cancellations[-1].refunded_amount)
    assert sum(given) == whole == order.bags[0].canceled_total
    assert given[0] <= given[1] < given[2]
    assert [bag.status for bag in order.bags] == ["CANCELED", "ACCEPTED"]
    assert order.order.system_state == "PROCESSING"


def test_the_last_live_bag_takes_the_order_with_it():
    order = cut(folder("manual"), bag=1)
    assert [bag.status for bag in order.bags] == ["ACCEPTED", "CANCELED"]
    assert order.order.fulfillment_status == "PROCESSING"
    order = cut(order, Mug=1)
    order = cut(order, Mug=1)
    assert order.order.system_state == "CANCELED"
    whole = order.cancellations[-1]
    assert (whole.whole, whole.bag_id, whole.lines) == (True, None, [])
    assert (whole.reversed_amount, order.order.voided) == (1750, 5000)


@pytest.mark.parametrize("named", [{"bag": 0}, {"Mug": 2}])
def test_all_of_an_order_of_one_bag_is_the_order(named):
    bags = [{"merchant": "acme", "items": [{"name": "Mug", "quantity": 2, "unit_price": 900}]}]
    order = cut(folder("manual", bags=bags), **named)
    assert order.order.system_state == "CANCELED"
    assert order.cancellations[0].whole


def test_parcels_give_up_what_is_cancelled_and_an_empty_one_is_cancelled():
    order = folder("manual")
    packed = WantedShipment(items=[ShipmentItem(line(order, "Mug"), 2)], tracking_number="T-1")
    order = lived(order, ship, bag_id=order.bags[0].id, wanted=packed)
    first = change(order, Mug=1)
    assert [one.quantity for one in first.after.shipments[0].items] == [1]
    fact = next(one for one in first.facts if one.type == "shipment.updated")
    assert (fact.merchant, fact.data["fields"]) == ("acme", ["items"])
    order = cut(later(first.after), Mug=1)
    assert order.shipments[0].status == "CANCELED"
    assert order.bags[0].status == "CANCELED"


def test_what_is_packed_stays_packed_while_loose_units_are_enough():
    order = folder("manual")
    packed = WantedShipment(items=[ShipmentItem(line(order, "Mug"), 1)])
    order = lived(order, ship, bag_id=order.bags[0].id, wanted=packed)
    order = cut(order, Mug=1)
    assert [one.quantity for one in order.shipments[0].items] == [1]
    assert order.shipments[0].status == "OPEN"


def test_what_has_left_is_not_cancelled_and_says_what_can_be():
    order = sent(folder("manual"), "Mug", 1)
    why = refused(order, cancel, wanted=part(order, Mug=2))
    assert (why.code, why.facts["left"]) == ("invalid_state", 1)
    assert refused(order, cancel, wanted=part(order, bag=0)).code == "invalid_state"
    order = cut(order, Mug=1)
    assert order.items[0].delivery_state == "SHIPPED"
    assert order.bags[0].status == "COMPLETED"
    assert order.order.system_state == "PROCESSING"
    assert moved(order.order) == (0, 1250, 0, 3750)


def test_when_the_waiting_rest_is_cancelled_the_order_is_complete():
    order = sent(folder("manual"), "Mug", 2)
    assert order.order.system_state == "PROCESSING"
    done = change(order, bag=1)
    assert done.after.order.system_state == "COMPLETED"
    assert "order.completed" in [fact.type for fact in done.facts]
    assert_part_lawful(later(done.after))


def test_digital_units_left_over_do_not_complete_an_order():
    goods = [
        {"name": "Mug", "quantity": 1, "unit_price": 900},
        {"name": "Song", "quantity": 1, "unit_price": 100, "digital": True},
    ]
    order = lived(folder("manual", bags=[{"merchant": "acme", "items": goods}]), capture)
    order = cut(order, Mug=1)
    assert order.order.system_state == "PROCESSING"


def test_units_that_were_refunded_as_lines_are_not_paid_twice():
    order = back(lived(folder("manual"), capture), Mug=1)
    order = cut(order, Mug=1)
    plan = order.cancellations[0]
    assert (plan.amount, plan.lines[0].refunded) == (0, 1)
    assert order.order.refunded == 1250
    order = cut(order, Mug=1)
    assert order.order.refunded == 3000
    assert order.bags[0].refundable == 0


def test_units_that_came_to_nobody_as_lines_go_back_in_full():
    order = lived(folder("manual"), capture)
    order = lived(order, refund, wanted=WantedRefund(reference="R", amount=300,
                                                     bag_id=order.bags[0].id))
    order = cut(order, Mug=1)
    assert order.order.refunded == 1550
    order = cut(order, Mug=1)
    assert order.bags[0].refunded == 3000


def test_what_nobody_had_paid_is_not_given_back():
    order = folder("manual", payment={"gateway": "manual", "flow": "auth", "amount": 4000})
    assert [bag.due for bag in order.bags] == [600, 400]
    order = cut(order, Mug=1)
    assert order.cancellations[0].amount == 1250 - 600 == order.order.voided
    assert [bag.due for bag in order.bags] == [0, 400]


def test_a_bag_without_payment_is_cancelled_without_money():
    order = cut(folder(None), bag=0)
    assert order.cancellations[0].amount == 0
    assert (order.order.canceled_total, order.order.due) == (3000, 2000)


def test_a_provider_is_asked_step_by_step_and_the_goods_do_not_wait():
    order = heard(lived(held_money(), capture, amount=4000))
    order = lived(order, cancel, wanted=part(order, Mug=1))
    assert [row.type for row in waiting(order)] == ["VOID", "REFUND"]
    assert order.items[0].quantity_canceled == 1
    assert order.order.state == "processing"
    assert refused(order, cancel, wanted=part(order, Mug=1)).code == "request_in_progress"
    order = heard(order)
    assert order.cancellations[0].status == "PROCESSING"
    order = heard(order)
    assert order.cancellations[0].status == "CANCELED"
    assert order.refunds[0].reference == f"cancel-{order.cancellations[0].id}"
    assert moved(order.order) == (4000, 600, 650, 400)
    assert_part_lawful(order)


@pytest.mark.parametrize("first", [Outcome.SUCCEEDED, Outcome.DECLINED])
def test_a_capture_in_the_way_is_waited_for(first):
    order = lived(held_money(), capture)
    order = heard(order, Outcome.UNKNOWN)
    order = lived(order, cancel, wanted=part(order, Mug=1))
    assert [row.type for row in waiting(order)] == ["CAPTURE"]
    assert order.cancellations[0].status == "PROCESSING"
    order = heard(order, first)
    assert [row.type for row in waiting(order)] == [
        "REFUND" if first == Outcome.SUCCEEDED else "VOID"
    ]
    order = heard(order)
    plan = order.cancellations[0]
    assert (plan.status, plan.refunded_amount + plan.reversed_amount) == ("CANCELED", 1250)
    assert_part_lawful(order)


@pytest.mark.parametrize("first", [Outcome.SUCCEEDED, Outcome.DECLINED])
def test_an_authorisation_in_the_way_is_waited_for(first):
    order = folder("sandbox")
    order = lived(order, cancel, wanted=part(order, Mug=1))
    assert order.cancellations[0].amount == 1250
    order = heard(order, first)
    if first == Outcome.SUCCEEDED:
        assert [row.type for row in waiting(order)] == ["VOID"]
        order = heard(order)
    plan = order.cancellations[0]
    back_ = 1250 if first == Outcome.SUCCEEDED else 0
    assert (plan.status, plan.reversed_amount) == ("CANCELED", back_)
    assert_part_lawful(order)


def test_a_capture_that_is_not_needed_is_not_waited_for():
    order = lived(held_money(), capture, amount=1000)
    order = lived(order, cancel, wanted=part(order, Mug=1))
    assert [row.type for row in waiting(order)] == ["CAPTURE", "VOID"]
    order = heard(order, which=1)
    assert order.cancellations[0].status == "CANCELED"
    assert_part_lawful(heard(order))


@pytest.mark.parametrize(("taken", "status"), [(4000, "PARTIALLY_CANCELED"), (0, "FAILED")])
def test_a_declined_step_leaves_the_goods_cancelled_and_calls_a_person(taken, status):
    order = held_money()
    if taken:
        order = heard(lived(order, capture, amount=taken))
    state = order.order.state
    order = lived(order, cancel, wanted=part(order, Mug=1))
    order = heard(order, Outcome.DECLINED)
    if taken:
        order = heard(order)
    plan = order.cancellations[0]
    assert plan.status == status
    assert order.order.state == state
    assert order.items[0].quantity_canceled == 1
    task = order.tasks[0]
    assert (task.kind, task.context["amount"]) == (
        "cancellation_failed",
        1250 - plan.refunded_amount,
    )
    assert_part_lawful(order)
    assert act(order, cancel, wanted=part(order, bag=1)).result.status == "PROCESSING"


def test_a_gateway_that_releases_all_or_nothing_keeps_it_authorised():
    order = held_money("stripe")
    done = change(order, bag=0)
    told = msgspec.json.decode(answer(done, ADMIN).body)
    assert "30.00 EUR stays authorized" in told["message"]
    order = later(done.after)
    assert_part_lawful(order)
    plan = order.cancellations[0]
    assert (plan.status, plan.amount, plan.reversed_amount) == ("CANCELED", 3000, 0)
    assert moved(order.order) == (0, 0, 0, 5000)
    assert order.order.owed == 2000
    order = heard(lived(order, capture))
    assert moved(order.order) == (2000, 3000, 0, 0)
    assert [bag.captured for bag in order.bags] == [0, 2000]
    assert_part_lawful(order)


def test_the_whole_of_a_payment_is_released_by_any_gateway():
    bags = [
        {"merchant": "acme", "items": [{"name": "Mug", "quantity": 1, "unit_price": 3000}]},
        {"merchant": "zeta", "items": [{"name": "Cap", "quantity": 1, "unit_price": 2000}]},
    ]
    order = heard(lived(held_money("stripe", bags=bags), capture, amount=2000))
    assert order.order.open == 0
    order = lived(order, cancel, wanted=part(order, bag=0))
    assert [row.type for row in waiting(order)] == ["REFUND"]
    assert_part_lawful(heard(order))


def test_a_payment_that_a_person_looks_at_is_not_moved():
    order = lived(held_money(), capture, amount=1000)
    row = waiting(order)[0]
    looked = lived(
        order,
        attend,
        payment_id=row.payment_id,
        reason="outcome_unknown",
        lease=Lease("transactions", row.id, "mine"),
    )
    assert refused(looked, cancel, wanted=part(looked, Mug=1)).code == "attention_required"


def test_a_refund_that_waits_for_approval_dies_with_its_bag():
    order = lived(folder("manual"), capture)
    asker = by(msgspec.structs.replace(ADMIN, id="bo", limits={"refund": {"EUR": 100}}))
    wanted = WantedRefund(reference="R", amount=700, bag_id=order.bags[0].id)
    order = lived(order, refund, asked=asker, wanted=wanted)
    assert order.refunds[0].waits_for_approval
    lines = cut(order, Mug=1)
    assert lines.refunds[0].waits_for_approval
    order = cut(order, bag=0)
    assert order.refunds[0].status == "CANCELED"
    assert order.order.refunded == 3000
