"""Of several reasons to refuse, the first is told: each list is walked from its beginning.

Every step takes one reason away, in the order in which the action's docstring names them.
"""

import msgspec
import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.order.shipment import ShipmentItem
from tests.actions.living import act, by, held_money, lived, may, refused
from tests.actions.making import ADMIN, folder, later, store

LIMITED = by(msgspec.structs.replace(ADMIN, merchants=frozenset({"acme"})))
WEEK_S = 7 * 24 * 3600


def with_attention(order):
    payment = msgspec.structs.replace(order.payments[0], attention={"reason": "provider_differs"})
    return msgspec.structs.replace(order, payments=(payment,))


def test_capture():
    order = msgspec.structs.replace(held_money(), store=store(scopes=()))
    held = lived(order, hold, wanted=WantedHold(handle="stock"))
    looked = with_attention(held)
    canceling = with_attention(lived(held, cancel, wanted=WantedCancel()))
    spent = later(lived(held_money(), void), WEEK_S)
    captures = may("payments.capture")
    steps = [
        (canceling, {"amount": 0, "asked": may("orders.read")}, "permission_denied"),
        (canceling, {"amount": 0, "asked": LIMITED}, "merchant_limited"),
        (canceling, {"amount": 0}, "invalid_state"),
        (looked, {"amount": 0}, "order_on_hold"),
        (later(with_attention(order), WEEK_S), {"amount": 0}, "attention_required"),
        (later(order, WEEK_S), {"amount": 0}, "authorization_expired"),
        (spent, {"amount": 0}, "authorization_expired"),
        (lived(order, void), {"amount": 0}, "invalid_state"),
        (order, {"amount": 0}, "amount_invalid"),
        (order, {"amount": 5001}, "amount_invalid"),
        (order, {"amount": 1, "asked": captures}, "partial_capture_not_enabled"),
        (held_money(), {"amount": 1, "asked": captures}, "permission_denied"),
    ]
    for stage, arguments, code in steps:
        assert refused(stage, capture, **arguments).code == code
    assert act(order, capture).result.amount == 5000


def test_void():
    order = held_money()
    left = lived(order, ship, bag_id=order.bags[0].id, wanted=WantedShipment())
    left = lived(left, send_shipment, shipment_id=left.shipments[0].id)
    canceling = lived(order, cancel, wanted=WantedCancel())
    steps = [
        (canceling, {"amount": 0, "asked": may("orders.read")}, "permission_denied"),
        (canceling, {"amount": 0, "asked": LIMITED}, "merchant_limited"),
        (canceling, {"amount": 0}, "invalid_state"),
        (lived(order, void), {"amount": 0}, "invalid_state"),
        (with_attention(order), {"amount": 0}, "attention_required"),
        (left, {"amount": 0}, "amount_invalid"),
        (left, {}, "invalid_state"),
    ]
    for stage, arguments, code in steps:
        assert refused(stage, void, **arguments).code == code
    assert act(left, void, amount=4999).result.amount == 4999


def test_refund():
    order = lived(folder("manual"), capture)
    mine = order.bags[0].id
    other = lived(order, refund, wanted=WantedRefund(reference="R", amount=1)).refunds[0]
    used = msgspec.structs.replace(order, same_reference=other)
    line = WantedLine(item_id="nobody", quantity=0)
    owned = WantedLine(item_id=order.items[0].id, quantity=0)
    unpaid = folder("manual")
    steps = [
        (used, {"asked": may("orders.read")}, {"reference": None}, "permission_denied"),
        (used, {"asked": LIMITED}, {"reference": None}, "merchant_limited"),
        (used, {}, {"reference": None, "bag_id": "nobody"}, "not_found"),
        (used, {}, {"reference": None}, "refund_reference_required"),
        (used, {}, {"reference": "R", "lines": [line]}, "refund_reference_conflict"),
        (unpaid, {}, {"reference": "R", "lines": [line]}, "invalid_state"),
        (order, {}, {"reference": "R", "lines": [line, owned]}, "unknown_reference"),
        (with_attention(order), {}, {"reference": "R", "lines": [owned]}, "amount_invalid"),
        (with_attention(order), {}, {"reference": "R", "amount": 5001}, "amount_invalid"),
        (with_attention(order), {}, {"reference": "R", "bag_id": mine}, "attention_required"),
    ]
    for stage, arguments, wanted, code in steps:
        problem = refused(stage, refund, wanted=WantedRefund(**wanted), **arguments)
        assert problem.code == code, wanted
    assert act(order, refund, wanted=WantedRefund(reference="R")).result.amount == 5000


@pytest.mark.proves("U-16")
def test_ship():
    order = folder("manual")
    mine, theirs = order.bags
    order = lived(order, ship, bag_id=mine.id, wanted=WantedShipment(tracking_number="T-1"))
    held = lived(order, hold, wanted=WantedHold(handle="stock"))
    dead = msgspec.structs.replace(theirs, status="CANCELED")
    ended = msgspec.structs.replace(order, bags=(order.bags[0], dead))
    shirt = order.items[1].id
    bad = {"method": "dragon", "items": [ShipmentItem(shirt, 0)], "tracking_number": "T-1"}
    named = {**bad, "method": "bring"}
    sized = {"items": [ShipmentItem(shirt, 1)], "tracking_number": "T-1"}
    steps = [
        (held, {"asked": may("orders.read")}, bad, "permission_denied"),
        (held, {"asked": LIMITED}, bad, "not_found"),
        (held, {}, bad, "shipment_update_not_allowed"),
        (ended, {}, bad, "invalid_state"),
        (order, {}, bad, "unknown_reference"),
        (order, {}, named, "amount_invalid"),
        (order, {}, sized, "tracking_number_taken"),
    ]
    for stage, arguments, wanted, code in steps:
        sent = {"bag_id": theirs.id, "wanted": WantedShipment(**wanted)}
        assert refused(stage, ship, **sent, **arguments).code == code
    sent = {"bag_id": theirs.id, "wanted": WantedShipment(items=[ShipmentItem(shirt, 1)])}
    assert act(order, ship, **sent).result.position == 2


def test_hold():
    order = lived(folder("manual"), hold, wanted=WantedHold(handle="stock", blocks=("capture",)))
    steps = [
        ({"asked": may("orders.read")}, WantedHold(handle="stock", blocks=()), "permission_denied"),
        ({"asked": LIMITED}, WantedHold(handle="stock", blocks=()), "merchant_limited"),
        ({}, WantedHold(handle="stock", blocks=()), "validation_failed"),
        ({}, WantedHold(handle="stock", blocks=("refund",)), "validation_failed"),
        ({}, WantedHold(handle="stock"), "hold_handle_taken"),
    ]
    for arguments, wanted, code in steps:
        assert refused(order, hold, wanted=wanted, **arguments).code == code
    order = lived(order, hold, wanted=WantedHold(handle="address", blocks=("shipment",)))
    assert order.order.hold_capture and order.order.hold_shipment
