"""Holds: they stack, block what they say, and end one by one, by hand or by themselves."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.hold import WantedHold, hold, release, release_by_itself
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.allowed import may_ship, order_actions
from counterfoil.order.tells import told
from tests.actions.living import act, lived, may, refused, types
from tests.actions.making import asked, folder, later

HOUR = timedelta(hours=1)


def held(order, handle="stock", **more):
    return lived(order, hold, wanted=WantedHold(handle=handle, **more))


def test_holds_stack_and_each_is_released_on_its_own():
    order = held(folder("manual"), "money", blocks=("capture",))
    order = held(order, "goods", blocks=("shipment",))
    assert (order.order.hold_capture, order.order.hold_shipment) == (True, True)
    assert order.order.state == "new"
    offered = [one.action for one in order_actions(order.order, asked().actor)]
    assert offered == ["void", "cancel"], "no capture"
    order = lived(order, release, handle="money")
    assert (order.order.hold_capture, order.order.hold_shipment) == (False, True)
    assert act(order, capture).result.amount == 5000
    wanted = {"bag_id": order.bags[0].id, "wanted": WantedShipment()}
    problem = refused(order, ship, **wanted)
    assert (problem.code, problem.facts["holds"]) == ("shipment_update_not_allowed", ["goods"])
    order = lived(order, release, handle="goods")
    assert act(order, ship, **wanted).result.status == "OPEN"


def test_a_handle_is_the_orders_own_only_while_it_is_open():
    order = held(folder("manual"))
    again = {"wanted": WantedHold(handle="stock")}
    assert refused(order, hold, **again).code == "hold_handle_taken"
    order = held(lived(order, release, handle="stock"))
    assert [one.released_at is None for one in order.holds] == [False, True]
    assert refused(lived(order, release, handle="stock"), release, handle="stock").status == 404


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"blocks": ()}, "/blocks"),
        ({"blocks": ("refund",)}, "/blocks"),
        ({"reason_code": "WEATHER"}, "/reason_code"),
        ({"handle": "fraud-review"}, "/handle"),
        ({"handle": "awaiting-payment"}, "/handle"),
        ({"owner": "Anna\u2028Berg"}, "/owner"),
        ({"owner": " "}, "/owner"),
        ({"auto_release_at": folder("manual").at}, "/auto_release_at"),
    ],
)
def test_a_hold_that_cannot_be_is_refused_and_named(wanted, pointer):
    problem = refused(folder("manual"), hold, wanted=WantedHold(**{"handle": "a", **wanted}))
    assert (problem.code, problem.errors[0]["pointer"]) == ("validation_failed", pointer)


def test_nobody_holds_a_cancelled_order():
    order = lived(folder("manual"), cancel, wanted=WantedCancel())
    assert refused(order, hold, wanted=WantedHold(handle="a")).code == "invalid_state"


def test_a_hold_ends_by_itself_when_its_time_has_come_and_not_before():
    order = folder("manual")
    order = held(order, auto_release_at=order.at + HOUR, due_at=order.at)
    one = order.holds[0]
    assert (one.due_at, one.answer_by) == (one.auto_release_at, order.at - timedelta(minutes=1))
    ends = {"hold_id": one.id, "lease": "mine"}
    assert act(order, release_by_itself, **ends).nothing
    change = act(later(order, 3600), release_by_itself, **ends)
    assert types(change) == ["order.released"]
    assert change.facts[0].data["by_itself"] is True
    assert change.lease is not None and change.lease.section == "holds"
    done = change.after.holds[0]
    assert (done.due_at, done.released_at) == (None, change.after.at)
    assert act(later(change.after, 3600), release_by_itself, **ends).nothing


def test_one_that_somebody_released_is_not_due_any_more():
    order = folder("manual")
    order = lived(held(order, auto_release_at=order.at + HOUR), release, handle="stock")
    assert order.holds[0].due_at is None


def all_gone_but_held(**more):
    """Everything has left while money was held back."""
    order = held(folder("manual"), "money", blocks=("capture",), **more)
    for bag in order.bags:
        order = lived(order, ship, bag_id=bag.id, wanted=WantedShipment())
    for parcel in order.shipments:
        order = lived(order, send_shipment, shipment_id=parcel.id)
    assert (order.order.state, order.order.fulfillment_status) == ("processing", "SHIPPED")
    return order


@pytest.mark.proves("U-6")
def test_where_all_has_left_the_last_hold_completes_the_order():
    order = held(all_gone_but_held(), "address", blocks=("shipment",))
    order = lived(order, release, handle="money")
    assert order.order.state == "processing", "one hold is left"
    change = act(order, release, handle="address")
    assert types(change) == ["order.released", "order.state_changed", "order.completed"]
    assert change.after.order.state == "completed"
    due = all_gone_but_held(auto_release_at=folder("manual").at + HOUR)
    ends = {"hold_id": due.holds[0].id, "lease": "mine"}
    assert act(later(due, 3600), release_by_itself, **ends).after.order.state == "completed"


@pytest.mark.proves("U-16")
@pytest.mark.parametrize("fraud_status", ["PENDING", "ON_HOLD", "FAILED"])
def test_goods_stay_while_a_review_has_not_passed_whatever_became_of_its_hold(fraud_status):
    order = folder("manual")
    assert may_ship(order.order)
    order = replace(order, order=replace(order.order, fraud_status=fraud_status))
    assert not may_ship(order.order)
    problem = refused(order, ship, bag_id=order.bags[0].id, wanted=WantedShipment())
    assert problem.detail == "Shipping is locked: the fraud review has not passed."


def test_what_is_noted_with_a_hold_stays_in_its_row():
    order = held(folder("manual"), note="Ask Kari")
    assert "Kari" not in str(told(order.holds[0]))


def test_the_hold_of_a_review_is_released_by_who_decides_reviews():
    order = folder("manual", fraud_review=True)
    denied = refused(order, release, handle="fraud-review", asked=may("orders.holds"))
    assert denied.facts["permission"] == "reviews.decide"
    change = act(order, release, handle="fraud-review", asked=may("reviews.decide"))
    assert (change.after.order.hold_capture, change.after.order.fraud_status) == (False, "PENDING")
    also = held(order, "stock")
    denied = refused(also, release, handle="stock", asked=may("reviews.decide"))
    assert denied.facts["permission"] == "orders.holds"
