"""Parcels: what may be packed, sent, corrected and sent again, and by whom."""

import msgspec
import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.change_state import change_state
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import (
    NewShipping,
    carry_shipment,
    deliver_shipment,
    fail_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.rearrange import cancel_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.kernel.problem import Problem
from counterfoil.order.allowed import shipment_actions
from counterfoil.order.shipment import ShipmentItem
from counterfoil.order.telling import tell_order
from tests.actions.living import MERCHANT, act, by, lived, refused
from tests.actions.making import ADMIN, METHODS, asked, folder

OFF = tuple(msgspec.structs.replace(method, enabled=False) for method in METHODS)


def packed(order, bag=0, quantity=None, **more):
    """Make up a parcel of a bag, of one line where a quantity is named."""
    chosen = order.bags[bag]
    line = next(item for item in order.items if item.bag_id == chosen.id)
    items = [ShipmentItem(line.id, quantity)] if quantity else []
    return lived(order, ship, bag_id=chosen.id, wanted=WantedShipment(items=items, **more))


def sent(order, which=-1):
    """Let a parcel leave."""
    return lived(order, send_shipment, shipment_id=order.shipments[which].id)


def corrected(order, which=-1, **fields):
    return {"shipment_id": order.shipments[which].id, "wanted": NewShipping(**fields)}


def test_the_number_of_a_parcel_that_left_is_corrected_while_the_line_has_units_waiting():
    order = sent(packed(folder("manual"), quantity=1))
    assert order.items[0].delivery_state == "PENDING"
    order = lived(order, update_shipment, **corrected(order, tracking_number="T-1"))
    assert order.shipments[0].tracking_number == "T-1"
    order = packed(order, quantity=1)
    here = refused(order, update_shipment, **corrected(order, tracking_number="T-2"))
    assert here.code == "tracking_not_allowed"


def test_an_emptied_tracking_number_takes_its_address_along_and_is_free_again():
    order = packed(folder("manual"), tracking_number="T-1", method="bring")
    assert order.shipments[0].tracking_url == "https://track.example/T-1"
    order = lived(order, update_shipment, **corrected(order, tracking_number=None))
    assert order.shipments[0].tracking_number is None
    assert order.shipments[0].tracking_url is None
    assert packed(order, bag=1, tracking_number="T-1").shipments[1].tracking_number == "T-1"


def test_a_method_that_was_switched_off_still_serves_what_was_promised_with_it():
    order = msgspec.structs.replace(folder("manual"), methods=OFF)
    bag = order.bags[0]
    named = WantedShipment(method="bring")
    assert refused(order, ship, bag_id=bag.id, wanted=named).code == "unknown_reference"
    order = act(order, ship, bag_id=bag.id, wanted=WantedShipment(tracking_number="T-1")).after
    assert order.shipments[0].method == "standard"
    order = act(order, update_shipment, **corrected(order, tracking_number="T-2")).after
    assert order.shipments[0].tracking_number == "T-2"
    other = refused(order, update_shipment, **corrected(order, method="bring"))
    assert other.code == "unknown_reference"


@pytest.mark.proves("U-14", "U-19")
def test_a_parcels_new_method_is_its_items_method_too():
    order = packed(folder("manual"))
    order = lived(order, update_shipment, **corrected(order, method="bring"))
    assert order.items[0].shipping_method == "bring"
    assert order.items[1].shipping_method == "standard"


def test_an_external_id_finds_the_parcel_of_that_bag_alone():
    order = packed(folder("manual"), bag=1, external_id="W-1")
    first = order.shipments[0]
    mine, theirs = order.bags
    again = act(order, ship, bag_id=theirs.id, wanted=WantedShipment(external_id="W-1"))
    assert again.nothing and again.result.id == first.id
    wanted = WantedShipment(external_id="W-1")
    for who in ({}, {"asked": by(MERCHANT)}):
        problem = refused(order, ship, bag_id=mine.id, wanted=wanted, **who)
        assert problem.code == "duplicate_external_id"
        assert first.id not in str(problem.body())


def test_what_the_parcel_holds_is_judged_before_its_number():
    order = packed(folder("manual"), tracking_number="T-1")
    wanted = WantedShipment(items=[ShipmentItem("nobody", 1)], tracking_number="T-1")
    problem = refused(order, ship, bag_id=order.bags[1].id, wanted=wanted)
    assert problem.code == "unknown_reference"


@pytest.mark.proves("U-17")
@pytest.mark.parametrize("state", ["fraud", "cancel_requested"])
def test_a_parcel_that_came_back_is_sent_again_only_while_the_order_is_alive(state):
    order = sent(packed(folder("manual"), quantity=1))
    order = lived(order, fail_shipment, shipment_id=order.shipments[0].id)
    stopped = lived(order, change_state, state=state)
    problem = refused(stopped, send_shipment, shipment_id=order.shipments[0].id)
    assert problem.code == "shipment_update_not_allowed"
    held = lived(order, hold, wanted=WantedHold(handle="address", blocks=("shipment",)))
    problem = refused(held, send_shipment, shipment_id=order.shipments[0].id)
    assert problem.code == "shipment_update_not_allowed"
    assert sent(order).shipments[0].status == "SHIPPED"


def test_a_completed_orders_parcel_is_sent_again():
    order = sent(sent(packed(packed(folder("manual")), bag=1), 0), 1)
    assert order.order.system_state == "COMPLETED"
    order = lived(order, fail_shipment, shipment_id=order.shipments[0].id)
    order = sent(order, 0)
    assert order.items[0].delivery_state == "SHIPPED"
    order = lived(order, deliver_shipment, shipment_id=order.shipments[0].id)
    assert order.items[0].delivery_state == "DELIVERED"


def test_a_bag_of_which_everything_is_packed_is_not_offered_for_packing():
    def offered(order):
        told = [one.action for bag in tell_order(order, ADMIN).bags for one in bag.allowed_actions]
        return [action for action in told if action != "cancel"]

    order = packed(folder("manual"), quantity=1)
    assert offered(order) == ["ship", "ship"]
    order = packed(packed(order, quantity=1), bag=1)
    assert offered(order) == []
    assert refused(order, ship, bag_id=order.bags[0].id, wanted=WantedShipment()).status == 409


def test_what_is_offered_for_a_parcel_is_what_may_be_done_with_it():
    moves = {
        "ship": send_shipment,
        "in_transit": carry_shipment,
        "deliver": deliver_shipment,
        "fail": fail_shipment,
        "cancel": cancel_shipment,
    }
    order = packed(folder("manual"), quantity=1)
    at = order.shipments[0].id
    stages = [order, sent(order)]
    stages.append(lived(stages[1], fail_shipment, shipment_id=at))
    stages.append(lived(stages[1], deliver_shipment, shipment_id=at))
    stages.append(lived(stages[1], carry_shipment, shipment_id=at))
    stages.append(lived(order, cancel_shipment, shipment_id=at))
    stages += [lived(one, change_state, state="fraud") for one in stages[:3]]
    stages += [lived(one, cancel, wanted=WantedCancel()) for one in stages[:3]]
    for stage in stages:
        offered = {one.action for one in shipment_actions(stage.order, stage.shipments[0], ADMIN)}
        for name, move in moves.items():
            try:
                done = not move(stage, asked=asked(), shipment_id=at).nothing
            except Problem:
                done = False
            assert done == (name in offered), (name, stage.shipments[0].status, stage.order.state)
