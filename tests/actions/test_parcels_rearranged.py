"""Parcels that have not left: split, merged, called off, under several numbers."""

import msgspec
import pytest

from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import NewShipping, send_shipment, update_shipment
from counterfoil.actions.rearrange import (
    WantedSplit,
    cancel_shipment,
    merge_shipments,
    split_shipment,
)
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.shipment import Parcel, ShipmentItem
from tests.actions.living import MERCHANT, act, by, lived, may, refused, types
from tests.actions.packing import alive, inside, line, packed, sent, two_lines, units_are_whole


def parts(order, **units):
    return [ShipmentItem(line(order, name).id, count) for name, count in units.items()]


def divided(order, which=-1, **more):
    """Split a parcel: so many pens go."""
    items = parts(order, Pen=more.pop("pens", 1))
    parcel = order.shipments[which].id
    return {"shipment_id": parcel, "wanted": WantedSplit(items=items, **more)}


@pytest.mark.proves("U-19", "U-25")
def test_a_split_moves_units_into_a_parcel_of_their_own():
    order = packed(two_lines(), tracking_number="T-1", method="bring")
    change = act(order, split_shipment, **divided(order, pens=2, tracking_number="T-2"))
    assert types(change) == ["shipment.updated", "shipment.created"]
    assert change.facts[0].data["fields"] == ["items"]
    assert inside(change.after) == [
        ("OPEN", "bring", "T-1", {"Pen": 1, "Ink": 1}),
        ("OPEN", "bring", "T-2", {"Pen": 2}),
    ]
    new = change.after.shipments[1]
    assert (change.result.id, new.carrier) == (new.id, "Bring")
    assert new.tracking_url == "https://track.example/T-2"
    assert line(change.after, "Pen").shipment_id == new.id
    units_are_whole(change.after)


def test_a_split_travels_as_it_is_told():
    order = packed(two_lines(), method="bring")
    after = lived(order, split_shipment, **divided(order, method="standard", carrier="UPS"))
    assert inside(after)[1] == ("OPEN", "standard", None, {"Pen": 1})
    assert after.shipments[1].carrier == "UPS"
    assert line(after, "Pen").shipping_method == "standard"
    assert line(after, "Ink").shipping_method == "bring"


def test_what_cannot_be_split_is_refused_in_this_order():
    order = packed(two_lines(), tracking_number="T-1")
    gone = sent(order)
    held = lived(gone, hold, wanted=WantedHold(handle="stock"))
    pens, ink = line(order, "Pen").id, line(order, "Ink").id
    everything = [ShipmentItem(pens, 3), ShipmentItem(ink, 1)]
    bad = {"items": [ShipmentItem("nobody", 1)], "method": "dragon"}
    steps = [
        (held, {"asked": may("orders.read")}, bad, "permission_denied"),
        (held, {}, bad, "shipment_update_not_allowed"),
        (gone, {}, bad, "invalid_state"),
        (order, {}, bad, "unknown_reference"),
        (order, {}, {"items": bad["items"]}, "unknown_reference"),
        (order, {}, {"items": [ShipmentItem(pens, 4)]}, "amount_invalid"),
        (order, {}, {"items": [ShipmentItem(pens, 0)]}, "amount_invalid"),
        (order, {}, {"items": [ShipmentItem(pens, 1)] * 2}, "amount_invalid"),
        (order, {}, {"items": everything, "tracking_number": "T-1"}, "amount_invalid"),
        (
            order,
            {},
            {"items": [ShipmentItem(pens, 1)], "tracking_number": "T-1"},
            "tracking_number_taken",
        ),
    ]
    for stage, arguments, wanted, code in steps:
        sent_ = {"shipment_id": stage.shipments[0].id, "wanted": WantedSplit(**wanted)}
        assert refused(stage, split_shipment, **sent_, **arguments).code == code
    limited = by(msgspec.structs.replace(MERCHANT, merchants=frozenset({"zeta"})))
    assert refused(order, split_shipment, **divided(order), asked=limited).code == "not_found"
    assert refused(gone, split_shipment, **divided(gone)).detail == (
        "Shipment 1 is SHIPPED; only one that is OPEN can be split."
    )


def test_merging_empties_the_others_and_keeps_the_first_ones_number():
    order = packed(packed(two_lines(), {"Pen": 1}, tracking_number="T-1"), {"Pen": 2})
    order = packed(order, {"Ink": 1}, tracking_number="T-3", method="bring")
    first, *others = [parcel.id for parcel in order.shipments]
    change = act(order, merge_shipments, shipment_id=first, shipment_ids=others)
    assert alive(change.after) == [("OPEN", "standard", "T-1", {"Pen": 3, "Ink": 1})]
    assert types(change) == ["shipment.canceled", "shipment.canceled", "shipment.updated"]
    assert line(change.after, "Ink").shipping_method == "standard"
    assert {item.shipment_id for item in change.after.items[:2]} == {first}
    assert line(change.after, "Pen").delivery_state == "READY"
    units_are_whole(change.after)


def test_what_cannot_be_merged_is_refused_in_this_order():
    order = packed(packed(two_lines(), {"Pen": 1}), {"Pen": 1})
    order = packed(packed(order, {"Ink": 1}), bag=1)
    mine, second, third, theirs = [parcel.id for parcel in order.shipments]
    gone = sent(order, 2)
    held = lived(order, hold, wanted=WantedHold(handle="stock"))
    bad = ["nobody"]
    steps = [
        (held, {"asked": may("orders.read")}, bad, "permission_denied"),
        (held, {}, bad, "shipment_update_not_allowed"),
        (order, {}, [*bad, mine], "unknown_reference"),
        (order, {}, [mine], "amount_invalid"),
        (order, {}, [second, second, theirs], "amount_invalid"),
        (order, {}, [second, theirs], "invalid_state"),
        (gone, {}, [second, third], "invalid_state"),
        (order, {"asked": by(MERCHANT)}, [theirs], "unknown_reference"),
    ]
    for stage, arguments, ids, code in steps:
        wanted = {"shipment_id": mine, "shipment_ids": ids}
        assert refused(stage, merge_shipments, **wanted, **arguments).code == code
    into = {"shipment_id": third, "shipment_ids": [second]}
    assert refused(gone, merge_shipments, **into).code == "invalid_state"


def test_a_parcel_that_is_called_off_frees_its_units_and_its_number():
    order = packed(two_lines(), {"Pen": 2}, tracking_number="T-1", external_id="W-1")
    change = act(order, cancel_shipment, shipment_id=order.shipments[0].id)
    assert types(change) == ["shipment.canceled"]
    assert (change.result.status, change.result.tracking_number) == ("CANCELED", "T-1")
    assert line(change.after, "Pen").shipment_id is None
    order = lived(order, cancel_shipment, shipment_id=order.shipments[0].id)
    again = refused(order, cancel_shipment, shipment_id=order.shipments[0].id)
    assert again.code == "transition_not_allowed"
    fixed = {"shipment_id": order.shipments[0].id, "wanted": NewShipping(tracking_number="T-2")}
    assert refused(order, update_shipment, **fixed).code == "shipment_update_not_allowed"
    order = packed(order, tracking_number="T-1")
    assert inside(order) == [
        ("CANCELED", "standard", None, {"Pen": 2}),
        ("OPEN", "standard", "T-1", {"Pen": 3, "Ink": 1}),
    ]
    units_are_whole(order)
    left = refused(sent(order), cancel_shipment, shipment_id=order.shipments[1].id)
    assert left.code == "transition_not_allowed"


@pytest.mark.proves("U-25")
def test_each_parcel_of_a_shipment_has_a_number_that_nothing_else_of_the_order_has():
    boxes = [Parcel(tracking_number="B-1", weight_g=800), Parcel(tracking_number="B-2")]
    order = packed(two_lines(), {"Pen": 1}, method="bring", parcels=boxes)
    assert [one.tracking_url for one in order.shipments[0].parcels] == [
        "https://track.example/B-1",
        "https://track.example/B-2",
    ]
    assert line(order, "Pen").delivery_state == "READY"
    bag = order.bags[0].id
    pen = parts(order, Pen=1)
    for clash in (
        {"tracking_number": "B-2"},
        {"parcels": [Parcel(tracking_number="B-1")]},
        {"tracking_number": "N", "parcels": [Parcel(tracking_number="N")]},
        {"parcels": [Parcel(tracking_number="N"), Parcel(tracking_number="N")]},
    ):
        wanted = WantedShipment(items=pen, **clash)
        assert refused(order, ship, bag_id=bag, wanted=wanted).code == "tracking_number_taken"
    order = packed(order, {"Pen": 1})
    other = order.shipments[1].id
    taken = NewShipping(parcels=[Parcel(tracking_number="B-2")])
    problem = refused(order, update_shipment, shipment_id=other, wanted=taken)
    assert problem.code == "tracking_number_taken"
    assert problem.facts["shipment_id"] == order.shipments[0].id


def test_a_list_of_parcels_takes_the_place_of_the_one_there_was():
    boxes = [Parcel(tracking_number="B-1", weight_g=800)]
    order = packed(two_lines(), carrier="DHL Express", parcels=boxes)
    at = order.shipments[0].id
    same = NewShipping(parcels=boxes)
    assert act(order, update_shipment, shipment_id=at, wanted=same).nothing
    new = [Parcel(tracking_number="B-2", weight_g=900), Parcel(tracking_number="B-1")]
    change = act(order, update_shipment, shipment_id=at, wanted=NewShipping(parcels=new))
    assert change.facts[0].data["fields"] == ["parcels"]
    told = change.after.shipments[0]
    assert [(one.tracking_number, one.weight_g) for one in told.parcels] == [
        ("B-2", 900),
        ("B-1", None),
    ]
    assert all("dhl.com" in (one.tracking_url or "") for one in told.parcels)
    assert {"w:b-1", "w:b-2"} <= set(change.terms()[0]) | {"w:b-1"}
    none = act(order, update_shipment, shipment_id=at, wanted=NewShipping(parcels=[]))
    assert none.after.shipments[0].parcels == []
    assert none.terms() == ([], ["w:b-1"])


def test_numbers_of_parcels_wait_until_their_items_are_confirmed():
    order = packed(two_lines())
    at = order.shipments[0].id
    numbers = NewShipping(parcels=[Parcel(tracking_number="B-1")])
    problem = refused(order, update_shipment, shipment_id=at, wanted=numbers)
    assert (problem.code, problem.detail) == (
        "tracking_not_allowed",
        "Not confirmed for delivery: Pen, Ink.",
    )


def test_goods_on_back_order_take_no_number_and_do_not_leave():
    order = two_lines()
    pen = line(order, "Pen").id
    order = lived(order, set_delivery_state, item_id=pen, state="BACKORDERED")
    wanted = WantedShipment(items=parts(order, Pen=1, Ink=1), tracking_number="T-1")
    problem = refused(order, ship, bag_id=order.bags[0].id, wanted=wanted)
    assert (problem.code, problem.detail) == ("tracking_not_allowed", "On back order: Pen.")
    order = packed(order, tracking_number="T-1")
    assert alive(order) == [("OPEN", "standard", "T-1", {"Ink": 1})]
    nothing = refused(order, ship, bag_id=order.bags[0].id, wanted=WantedShipment())
    assert (nothing.code, nothing.detail) == (
        "invalid_state",
        "Every item of the bag is in a shipment already or on back order.",
    )
    order = packed(order, {"Pen": 3})
    stays = refused(order, send_shipment, shipment_id=order.shipments[1].id)
    assert (stays.code, stays.facts["allowed"]) == ("transition_not_allowed", ["PROCESSING"])
    order = lived(order, set_delivery_state, item_id=pen, state="PROCESSING")
    assert sent(order).shipments[1].status == "SHIPPED"
