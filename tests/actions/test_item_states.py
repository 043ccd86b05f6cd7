"""The delivery state of one line, and what its parcels make of that. [U-14…U-17]"""

from typing import Any

import pytest

from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import (
    carry_shipment,
    deliver_shipment,
    fail_shipment,
    send_shipment,
)
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.order.item import BEFORE_SHIPPED
from tests.actions.living import MERCHANT, act, by, lived, may, refused, types
from tests.actions.making import folder
from tests.actions.packing import (
    alive,
    inside,
    line,
    packed,
    possible_states,
    sent,
    two_lines,
    units_are_whole,
)


def put(order, name, state):
    """Put a line in a state."""
    return lived(order, set_delivery_state, item_id=line(order, name).id, state=state)


def why_not(order, name, state, **more):
    """Tell why a line may not be put in a state."""
    return refused(order, set_delivery_state, item_id=line(order, name).id, state=state, **more)


@pytest.mark.proves("U-14")
def test_a_line_is_worked_on_confirmed_and_put_back():
    order = two_lines()
    change = act(order, set_delivery_state, item_id=line(order, "Pen").id, state="READY")
    assert types(change) == ["item.state_changed"]
    fact = change.facts[0]
    told = {name: fact.data[name] for name in ("item_id", "name", "from", "to")}
    assert told == {
        "item_id": line(order, "Pen").id, "name": "Pen", "from": "PENDING", "to": "READY",
    }  # fmt: skip
    assert fact.merchant == "acme"
    again = lived(order, set_delivery_state, item_id=line(order, "Pen").id, state="READY")
    assert act(again, set_delivery_state, item_id=line(order, "Pen").id, state="READY").nothing
    for state in ("PROCESSING", "BACKORDERED", "PROCESSING", "PENDING", "BACKORDERED"):
        order = put(order, "Pen", state)
        assert line(order, "Pen").delivery_state == state
    assert line(order, "Ink").delivery_state == "PENDING"
    assert why_not(order, "Pen", "READY").facts["allowed"] == ["PROCESSING", "CANCELED"]


@pytest.mark.proves("U-14")
def test_a_line_that_is_in_no_parcel_leaves_in_one_of_its_own():
    change = act(order := two_lines(), set_delivery_state, item_id=line(order, "Pen").id,
                 state="SHIPPED")  # fmt: skip
    assert inside(change.after) == [("SHIPPED", "standard", None, {"Pen": 3})]
    assert types(change) == [
        "shipment.created",
        "shipment.shipped",
        "item.state_changed",
        "order.state_changed",
    ]
    assert change.after.order.fulfillment_status == "PARTIALLY_SHIPPED"
    units_are_whole(change.after)


def test_a_line_leaves_its_own_parcel_and_is_split_off_others():
    order = packed(two_lines(), {"Pen": 1}, tracking_number="T-1")
    order = packed(order, {"Pen": 1, "Ink": 1}, tracking_number="T-2", carrier="Bring")
    after = put(order, "Pen", "SHIPPED")
    assert inside(after) == [
        ("SHIPPED", "standard", "T-1", {"Pen": 1}),
        ("OPEN", "standard", "T-2", {"Ink": 1}),
        ("SHIPPED", "standard", None, {"Pen": 1}),
        ("SHIPPED", "standard", None, {"Pen": 1}),
    ]
    assert after.shipments[2].carrier == "Bring"
    assert line(after, "Pen").delivery_state == "SHIPPED"
    units_are_whole(after)


def test_the_last_line_that_leaves_completes_the_order():
    order = sent(packed(two_lines(), bag=1))
    order = put(put(order, "Pen", "SHIPPED"), "Ink", "SHIPPED")
    assert (order.order.system_state, order.bags[0].status) == ("COMPLETED", "COMPLETED")
    assert order.order.fulfillment_status == "SHIPPED"


def test_how_a_line_fares_is_said_of_its_parcels():
    order = put(put(two_lines(), "Pen", "SHIPPED"), "Pen", "IN_TRANSIT")
    assert order.shipments[0].status == "IN_TRANSIT"
    order = put(order, "Pen", "COULD_NOT_DELIVER")
    assert line(order, "Pen").quantity_failed == 3
    order = put(order, "Pen", "SHIPPED")
    assert [one.status for one in order.shipments] == ["SHIPPED"]
    assert line(order, "Pen").quantity_failed == 0
    order = put(order, "Pen", "DELIVERED")
    assert line(order, "Pen").quantity_delivered == 3
    units_are_whole(order)


def test_a_parcel_with_other_lines_speaks_for_itself():
    order = sent(packed(two_lines()))
    problem = why_not(order, "Pen", "DELIVERED")
    assert (problem.code, problem.detail) == (
        "transition_not_allowed",
        "Shipment 1 holds other items too; say it of the shipment.",
    )
    assert problem.facts["shipment_id"] == order.shipments[0].id


def test_only_what_has_not_arrived_arrives():
    order = sent(packed(two_lines(), {"Pen": 1}))
    order = lived(order, deliver_shipment, shipment_id=order.shipments[0].id)
    order = put(put(order, "Pen", "SHIPPED"), "Pen", "DELIVERED")
    assert [one.status for one in order.shipments] == ["DELIVERED", "DELIVERED"]
    assert line(order, "Pen").quantity_delivered == 3


def test_what_comes_back_or_is_not_wanted_is_said_elsewhere():
    order = two_lines()
    assert why_not(order, "Pen", "RETURNED").detail.startswith("Record a return")
    assert why_not(order, "Pen", "CANCELED").detail.startswith("Cancel the line")


@pytest.mark.proves("U-16", "U-17")
def test_the_gate_is_that_of_shipping():
    order = two_lines()
    held = lived(order, hold, wanted=WantedHold(handle="stock"))
    for state in ("READY", "SHIPPED"):
        problem = why_not(held, "Pen", state)
        assert (problem.code, problem.detail) == (
            "shipment_update_not_allowed",
            "Shipping is locked: held by stock.",
        )
    done = sent(packed(put(two_lines(), "Pen", "SHIPPED"), bag=1))
    done = put(done, "Ink", "SHIPPED")
    assert done.order.system_state == "COMPLETED"
    done = put(put(done, "Pen", "COULD_NOT_DELIVER"), "Pen", "SHIPPED")
    assert line(put(done, "Pen", "DELIVERED"), "Pen").quantity_delivered == 3
    assert why_not(done, "Pen", "READY").detail == "Shipping is locked: the order is Completed."


def test_what_cannot_be_is_refused_in_this_order():
    order = two_lines()
    pen = line(order, "Pen").id
    held = lived(order, hold, wanted=WantedHold(handle="stock"))
    steps: list[tuple[Any, dict[str, Any], str]] = [
        (held, {"asked": may("orders.read"), "item_id": "nobody"}, "permission_denied"),
        (held, {"item_id": "nobody", "state": "RETURNED"}, "not_found"),
        (held, {"item_id": pen, "state": "RETURNED"}, "transition_not_allowed"),
        (held, {"item_id": pen, "state": "READY"}, "shipment_update_not_allowed"),
        (order, {"item_id": pen, "state": "DELIVERED"}, "transition_not_allowed"),
    ]
    for stage, arguments, code in steps:
        wanted = {"state": "READY", **arguments}
        assert refused(stage, set_delivery_state, **wanted).code == code
    theirs = line(order, "T-shirt").id
    other = refused(order, set_delivery_state, item_id=theirs, state="READY", asked=by(MERCHANT))
    assert other.code == "not_found"


def test_what_is_not_sent_has_no_delivery_state_to_change():
    bags = [{"merchant": "acme", "items": [
        {"name": "Song", "quantity": 1, "unit_price": 100, "digital": True},
        {"name": "Pen", "quantity": 1, "unit_price": 4900},
    ]}]  # fmt: skip
    problem = why_not(folder("manual", bags=bags), "Song", "READY")
    assert (problem.code, problem.detail) == ("invalid_state", "Song is nothing that is sent.")


def test_from_each_state_a_line_may_go_where_its_life_leads():
    def offered(order, name="Pen"):
        return possible_states(order, line(order, name).id)

    order = two_lines()
    assert set(offered(order)) == {"PROCESSING", "READY", "BACKORDERED", "SHIPPED"}
    order = put(order, "Pen", "SHIPPED")
    assert set(offered(order)) == {"IN_TRANSIT", "DELIVERED", "COULD_NOT_DELIVER"}
    assert set(offered(order, "Ink")) == {"PROCESSING", "READY", "BACKORDERED", "SHIPPED"}
    held = lived(order, hold, wanted=WantedHold(handle="stock"))
    assert offered(held, "Ink") == []
    assert set(BEFORE_SHIPPED).isdisjoint(offered(order))


def test_a_parcel_on_its_way_says_what_the_carrier_says():
    order = sent(packed(two_lines()))
    at = order.shipments[0].id
    change = act(order, carry_shipment, shipment_id=at, carrier_status="Sorted in Oslo")
    assert types(change) == ["shipment.in_transit"]
    told = change.facts[0].data["shipment"]
    assert (told.status, told.carrier_status) == ("IN_TRANSIT", "Sorted in Oslo")
    order = lived(order, carry_shipment, shipment_id=at)
    assert line(order, "Pen").delivery_state == "IN_TRANSIT"
    assert refused(order, carry_shipment, shipment_id=at).code == "transition_not_allowed"
    assert refused(order, send_shipment, shipment_id=at).code == "transition_not_allowed"
    order = lived(order, fail_shipment, shipment_id=at)
    assert alive(order)[0][0] == "COULD_NOT_DELIVER"
    assert lived(order, send_shipment, shipment_id=at).items[0].delivery_state == "SHIPPED"
