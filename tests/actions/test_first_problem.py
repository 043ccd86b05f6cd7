"""Of several reasons to refuse, the first is told: each list is walked from its beginning.

Every step takes one reason away, in the order in which the action's docstring names them.
"""

from typing import Any

import msgspec
import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.decide_return import close_return, reject_return
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.receive_return import receive_return
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.actions.return_goods import return_goods
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.order.goods_return import (
    ReceivedLine,
    Replacement,
    ReturnRefund,
    WantedReturn,
    WantedReturnLine,
)
from counterfoil.order.shipment import ShipmentItem
from tests.actions import returning
from tests.actions.living import act, by, held_money, lived, may, refused
from tests.actions.making import ADMIN, folder, later, store
from tests.actions.returning import arrived, took

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


def test_return_goods():
    order = msgspec.structs.replace(arrived(), store=store(refund_window_days=14))
    theirs = order.bags[1].id
    packed = folder("manual")
    packed = lived(packed, ship, bag_id=packed.bags[0].id, wanted=WantedShipment())
    other = lived(order, refund, wanted=WantedRefund(reference="R", amount=1)).refunds[0]
    used = msgspec.structs.replace(order, same_reference=other)
    late = later(used, 3 * WEEK_S)
    bag = msgspec.structs.replace(order.bags[0], captured=0)
    unpaid = msgspec.structs.replace(late, bags=(bag, order.bags[1]))
    announced = lived(order, return_goods, **returning.wanted(order, (0, 2), resolution="NONE"))
    mug = order.items[0].id
    twice = [WantedReturnLine(item_id="nobody", quantity=0)] * 2
    none = [WantedReturnLine(item_id=mug, quantity=0)]
    one = [WantedReturnLine(item_id=mug, quantity=1)]
    jug = [Replacement(name="Jug", quantity=1, unit_price=1)]
    swap = {"resolution": "EXCHANGE", "replacement": jug, "shipment_id": "nobody", "lines": twice}
    wrong = ReturnRefund(reference="R", amount=0, payment_id="nobody")
    unknown = ReturnRefund(reference="R", payment_id="nobody")
    mixed = {**swap, "resolution": "NONE"}
    steps: list[tuple[Any, dict[str, Any], dict[str, Any], str]] = [
        (unpaid, {"asked": may("orders.read"), "bag_id": theirs}, swap, "permission_denied"),
        (unpaid, {"asked": LIMITED, "bag_id": theirs}, swap, "not_found"),
        (unpaid, {"asked": LIMITED}, swap, "merchant_limited"),
        (unpaid, {}, mixed, "validation_failed"),
        (unpaid, {}, {"shipment_id": "nobody", "lines": twice}, "unknown_reference"),
        (packed, {}, {"shipment_id": packed.shipments[0].id, "lines": twice}, "invalid_state"),
        (unpaid, {}, {"lines": twice, "refund": wrong}, "amount_invalid"),
        (unpaid, {}, {"lines": twice[:1], "refund": wrong}, "unknown_reference"),
        (announced, {}, {"lines": none, "refund": wrong}, "invalid_state"),
        (unpaid, {}, {"lines": none, "refund": wrong}, "amount_invalid"),
        (unpaid, {}, {"lines": one, "refund": wrong}, "invalid_state"),
        (late, {}, {"lines": one, "refund": wrong}, "amount_invalid"),
        (late, {}, {"lines": one, "refund": unknown}, "unknown_reference"),
        (late, {}, {"lines": one, "refund": ReturnRefund(reference="R")}, "refund_window_closed"),
        (used, {}, {"refund": ReturnRefund(reference="R")}, "refund_reference_conflict"),
    ]
    for stage, arguments, asked_for, code in steps:
        sent = {"bag_id": stage.bags[0].id, "wanted": WantedReturn(**asked_for), **arguments}
        assert refused(stage, return_goods, **sent).code == code, asked_for
    free = WantedReturn(refund=ReturnRefund(reference="R"))
    change = act(order, return_goods, bag_id=order.bags[0].id, wanted=free)
    assert change.result.lines[0].quantity == 2


def test_receive_return_and_its_end():
    jug = [Replacement(name="Jug", quantity=1, unit_price=1)]
    order = arrived()
    swap = returning.wanted(order, (0, 2), resolution="EXCHANGE", replacement=jug)
    order = lived(order, return_goods, **swap)
    back = order.returns[0]
    rejected = lived(order, reject_return, return_id=back.id, note="Worn.")
    part = lived(order, receive_return, **took(order, (0, 1)))
    whole = lived(order, receive_return, return_id=back.id)
    bad = [ReceivedLine(item_id="nobody", quantity=0)]
    none = [ReceivedLine(item_id=order.items[0].id, quantity=0)]
    odd = [ReceivedLine(item_id=order.items[0].id, quantity=1, restocked=1, written_off=1)]
    steps: list[tuple[Any, dict[str, Any], str]] = [
        (rejected, {"asked": may("orders.read"), "return_id": "nobody"}, "permission_denied"),
        (rejected, {"asked": LIMITED, "return_id": "nobody"}, "not_found"),
        (rejected, {"asked": LIMITED}, "merchant_limited"),
        (rejected, {}, "transition_not_allowed"),
        (whole, {}, "invalid_state"),
        (part, {}, "unknown_reference"),
        (part, {"lines": none}, "amount_invalid"),
        (part, {"lines": odd * 2}, "amount_invalid"),
        (part, {"lines": odd}, "amount_invalid"),
    ]
    for stage, arguments, code in steps:
        sent = {"return_id": back.id, "lines": bad, **arguments}
        assert refused(stage, receive_return, **sent).code == code
    for stage, arguments, code in steps[:4]:
        sent = {"return_id": back.id, **arguments}
        assert refused(stage, close_return, **sent).code == code
    assert act(part, receive_return, return_id=back.id).result.lines[0].received == 2
