"""By which method goods travel: all that has not left, or some lines of it. [U-19…U-25]"""

from typing import Any

import msgspec
import pytest

from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.order.folder import Folder
from tests.actions.living import MERCHANT, act, by, lived, may, refused, types
from tests.actions.making import METHODS, folder
from tests.actions.packing import alive, inside, line, packed, sent, two_lines, units_are_whole


def chosen(order, *names, method="bring", **more):
    """Choose a method for the named lines, or for all."""
    items = [line(order, name).id for name in names] or None
    return {"method": method, "items": items, **more}


@pytest.mark.proves("U-19")
def test_the_whole_order_gets_another_method():
    order = packed(two_lines(), {"Pen": 2})
    change = act(order, choose_method, **chosen(order))
    assert alive(change.after) == [
        ("OPEN", "bring", None, {"Pen": 3, "Ink": 1}),
        ("OPEN", "bring", None, {"T-shirt": 1}),
    ]
    assert {item.shipping_method for item in change.after.items} == {"bring"}
    assert change.after.order.shipping_method == "bring"
    assert types(change)[-1] == "order.updated"
    assert change.facts[-1].data["before"] == {"shipping_method": "standard"}
    assert {one.carrier for one in change.after.shipments} == {"Bring"}
    units_are_whole(change.after)
    later = lived(order, choose_method, **chosen(order))
    assert act(later, choose_method, **chosen(later)).nothing


@pytest.mark.proves("U-19", "U-24", "U-25")
def test_lines_that_differ_in_method_travel_apart_each_under_its_number():
    order = packed(two_lines(), {"Pen": 3, "Ink": 1}, tracking_number="T-1")
    order = lived(order, choose_method, **chosen(order, "Ink"))
    assert alive(order) == [
        ("OPEN", "standard", "T-1", {"Pen": 3}),
        ("OPEN", "bring", None, {"Ink": 1}),
    ]
    assert order.order.shipping_method == "standard"
    assert [line(order, name).shipping_method for name in ("Pen", "Ink")] == ["standard", "bring"]
    order = lived(order, choose_method, **chosen(order, "Pen"))
    assert inside(order) == [
        ("CANCELED", "standard", "T-1", {"Pen": 3}),
        ("OPEN", "bring", None, {"Ink": 1, "Pen": 3}),
    ]
    units_are_whole(order)


def test_two_lines_share_one_new_parcel():
    order = two_lines()
    change = act(order, choose_method, **chosen(order, "Pen", "Ink"))
    assert types(change) == ["shipment.created"]
    assert alive(change.after) == [("OPEN", "bring", None, {"Pen": 3, "Ink": 1})]


def test_a_parcel_of_which_everything_is_chosen_keeps_its_id():
    order = packed(two_lines(), external_id="W-1")
    change = act(order, choose_method, **chosen(order, "Pen", "Ink"))
    assert types(change) == ["shipment.updated"]
    assert change.facts[0].data["fields"] == ["method", "carrier"]
    assert [(one.id, one.method) for one in change.after.shipments] == [
        (order.shipments[0].id, "bring")
    ]


def test_what_has_a_number_under_that_method_stays_in_its_parcel():
    order = packed(two_lines(), {"Pen": 2}, method="bring", tracking_number="T-1")
    order = packed(order, {"Pen": 1, "Ink": 1})
    after = lived(order, choose_method, **chosen(order, "Pen"))
    assert alive(after) == [
        ("OPEN", "bring", "T-1", {"Pen": 2}),
        ("OPEN", "standard", None, {"Ink": 1}),
        ("OPEN", "bring", None, {"Pen": 1}),
    ]
    assert act(after, choose_method, **chosen(after, "Pen")).nothing


def test_what_has_left_stays_and_the_rest_changes():
    order = sent(packed(two_lines(), {"Pen": 1}))
    after = lived(order, choose_method, **chosen(order))
    assert alive(after) == [
        ("SHIPPED", "standard", None, {"Pen": 1}),
        ("OPEN", "bring", None, {"Pen": 2, "Ink": 1}),
        ("OPEN", "bring", None, {"T-shirt": 1}),
    ]
    gone = sent(packed(order, {"Pen": 2}))
    problem = refused(gone, choose_method, **chosen(gone, "Ink", "Pen"))
    assert (problem.code, problem.detail) == (
        "shipment_update_not_allowed",
        "Pen has left: its method cannot change any more.",
    )
    rest = lived(gone, choose_method, **chosen(gone))
    assert line(rest, "Pen").shipping_method == "standard"
    assert line(rest, "Ink").shipping_method == "bring"
    everything = sent(sent(packed(packed(folder("manual")), bag=1), 0), 1)
    nothing = msgspec.structs.replace(
        everything, order=msgspec.structs.replace(everything.order, system_state="PROCESSING")
    )
    assert refused(nothing, choose_method, method="bring").detail.startswith("Everything has left")


def test_what_cannot_be_chosen_is_refused_in_this_order():
    order = sent(packed(two_lines(), {"Pen": 3}))
    held = lived(order, hold, wanted=WantedHold(handle="stock"))
    pen = line(order, "Pen").id
    off = tuple(msgspec.structs.replace(method, enabled=False) for method in METHODS)
    bad = {"method": "dragon", "items": [pen, "nobody"]}
    steps: list[tuple[Folder, dict[str, Any], str]] = [
        (held, {"asked": may("orders.read")}, "permission_denied"),
        (held, {}, "shipment_update_not_allowed"),
        (order, {}, "unknown_reference"),
        (order, {"method": "bring"}, "unknown_reference"),
        (order, {"method": "bring", "items": [pen]}, "shipment_update_not_allowed"),
    ]
    for stage, arguments, code in steps:
        assert refused(stage, choose_method, **{**bad, **arguments}).code == code
    switched = msgspec.structs.replace(order, methods=off)
    assert refused(switched, choose_method, **chosen(order, "Ink")).code == "unknown_reference"


def test_a_merchant_chooses_for_its_own_lines():
    order = two_lines()
    after = lived(order, choose_method, **chosen(order, asked=by(MERCHANT)))
    assert alive(after) == [("OPEN", "bring", None, {"Pen": 3, "Ink": 1})]
    assert after.order.shipping_method == "standard"
    theirs = chosen(order, "T-shirt", asked=by(MERCHANT))
    assert refused(order, choose_method, **theirs).code == "unknown_reference"


def test_what_moves_leaves_and_is_counted_as_ever():
    order = packed(two_lines(), tracking_number="T-1")
    order = lived(order, choose_method, **chosen(order, "Pen"))
    for parcel in order.shipments:
        order = lived(order, send_shipment, shipment_id=parcel.id)
    assert [item.quantity_shipped for item in order.items] == [3, 1, 0]
    units_are_whole(order)
