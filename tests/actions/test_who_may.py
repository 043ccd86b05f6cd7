"""Who may do what: a right for each action, and one merchant's bags for whoever has only those."""

from typing import Any

import msgspec
import pytest

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.change_state import change_state
from counterfoil.actions.decide_return import approve_return, close_return, reject_return
from counterfoil.actions.edit import edit
from counterfoil.actions.hold import WantedHold, hold, release
from counterfoil.actions.migrate_state import migrate_state
from counterfoil.actions.move_shipment import (
    NewShipping,
    carry_shipment,
    deliver_shipment,
    fail_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.note import note
from counterfoil.actions.place import place
from counterfoil.actions.rearrange import (
    WantedSplit,
    cancel_shipment,
    merge_shipments,
    split_shipment,
)
from counterfoil.actions.receive_return import receive_return
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.return_goods import return_goods
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.kernel.problem import Problem
from counterfoil.order.goods_return import Replacement, WantedReturn
from counterfoil.order.intake import WantedOrder
from counterfoil.order.shipment import ShipmentItem
from counterfoil.order.telling import tell_order
from tests.actions.living import MERCHANT, act, by, lived, may, refused
from tests.actions.making import body, desk, folder
from tests.actions.returning import arrived

WHOLE = [
    ("orders.cancel", cancel, {"wanted": WantedCancel()}),
    ("orders.state", change_state, {"state": "processing"}),
    ("states.manage", migrate_state, {"source": "new", "target": "processing"}),
    ("orders.edit", edit, {"fields": {"tags": ["vip"]}}),
    ("orders.invoice", edit, {"fields": {"invoice_number": "F-1"}}),
    ("orders.holds", hold, {"wanted": WantedHold(handle="a")}),
    ("orders.holds", release, {"handle": "a"}),
    ("orders.notes", note, {"body": "Rang."}),
    ("payments.capture", acknowledge, {}),
    ("payments.capture", capture, {}),
    ("payments.void", void, {}),
    ("payments.refund", refund, {"wanted": WantedRefund(reference="R-1", amount=1)}),
]
MOVES = [
    send_shipment,
    carry_shipment,
    deliver_shipment,
    fail_shipment,
    update_shipment,
    split_shipment,
    merge_shipments,
    cancel_shipment,
]
MORE = {
    update_shipment: {"wanted": NewShipping(carrier="X")},
    split_shipment: {"wanted": WantedSplit(items=[ShipmentItem("nobody", 1)])},
    merge_shipments: {"shipment_ids": ["nobody"]},
}
#: What is decided about a return; the last one only after the first.
DECISIONS: dict[Any, dict[str, str]] = {
    approve_return: {},
    reject_return: {"note": "Worn."},
    receive_return: {},
    close_return: {},
}


def named(case):
    return getattr(case, "__name__", None) if callable(case) else str(case)[:20]


@pytest.mark.parametrize(("right", "action", "arguments"), WHOLE, ids=named)
def test_an_action_on_the_whole_order_wants_its_right_and_all_merchants(right, action, arguments):
    order = folder("manual")
    denied = refused(order, action, **arguments, asked=may("orders.read"))
    assert (denied.code, denied.facts["permission"]) == ("permission_denied", right)
    assert refused(order, action, **arguments, asked=by(MERCHANT)).code == "merchant_limited"
    code = ""
    try:
        act(order, action, **arguments, asked=may(right))
    except Problem as other:
        code = other.code
    assert code in ("", "not_found", "invalid_state")  # there is no hold, nothing is captured


def test_a_part_is_captured_with_a_right_of_its_own():
    order = folder("manual")
    problem = refused(order, capture, amount=1, asked=may("payments.capture"))
    assert (problem.code, problem.facts["permission"]) == (
        "permission_denied",
        "payments.capture_partial",
    )
    both = may("payments.capture", "payments.capture_partial")
    assert act(order, capture, amount=1, asked=both).result.amount == 1


def test_a_merchant_packs_and_moves_its_own_parcels_only():
    order = folder("manual")
    mine, theirs = order.bags
    wanted = {"wanted": WantedShipment()}
    denied = refused(order, ship, bag_id=mine.id, asked=may("orders.read"), **wanted)
    assert denied.facts["permission"] == "shipments.write"
    assert refused(order, ship, bag_id=theirs.id, asked=by(MERCHANT), **wanted).code == "not_found"
    order = lived(order, ship, bag_id=mine.id, asked=by(MERCHANT), **wanted)
    order = lived(order, ship, bag_id=theirs.id, **wanted)
    own, other = order.shipments
    for move in MOVES:
        more = MORE.get(move, {})
        denied = refused(order, move, shipment_id=own.id, asked=may("orders.read"), **more)
        assert denied.code == "permission_denied"
        problem = refused(order, move, shipment_id=other.id, asked=by(MERCHANT), **more)
        assert problem.code == "not_found"
    sent = act(order, send_shipment, shipment_id=own.id, asked=by(MERCHANT))
    assert sent.after.order.system_state == "PROCESSING"


def test_a_merchant_announces_and_decides_about_its_own_returns_only():
    order = arrived()
    mine, theirs = order.bags
    wanted = {"wanted": WantedReturn(resolution="NONE")}
    denied = refused(order, return_goods, bag_id=mine.id, asked=may("orders.read"), **wanted)
    assert denied.facts["permission"] == "returns.write"
    other_bag = refused(order, return_goods, bag_id=theirs.id, asked=by(MERCHANT), **wanted)
    assert other_bag.code == "not_found"
    order = lived(order, return_goods, bag_id=mine.id, asked=by(MERCHANT), **wanted)
    order = lived(order, return_goods, bag_id=theirs.id, **wanted)
    own, other = order.returns
    for decide, more in DECISIONS.items():
        denied = refused(order, decide, return_id=own.id, asked=may("orders.read"), **more)
        assert (denied.code, denied.facts["permission"]) == ("permission_denied", "returns.write")
        problem = refused(order, decide, return_id=other.id, asked=by(MERCHANT), **more)
        assert problem.code == "not_found"
    for decide, more in list(DECISIONS.items())[:3]:
        done = act(order, decide, return_id=own.id, asked=by(MERCHANT), **more)
        assert done.result.id == own.id
    order = lived(order, approve_return, return_id=own.id, asked=by(MERCHANT))
    done = act(order, close_return, return_id=own.id, asked=may("returns.write"))
    assert done.result.status == "CLOSED"


def test_an_exchange_is_for_those_who_see_the_whole_order():
    order = arrived()
    swap = [Replacement(name="Jug", quantity=1, unit_price=1000)]
    wanted = WantedReturn(resolution="EXCHANGE", replacement=swap)
    announced = {"bag_id": order.bags[0].id, "wanted": wanted}
    assert refused(order, return_goods, asked=by(MERCHANT), **announced).code == "merchant_limited"
    order = lived(order, return_goods, **announced)
    order = lived(order, approve_return, return_id=order.returns[0].id, asked=by(MERCHANT))
    for end in (receive_return, close_return):
        problem = refused(order, end, return_id=order.returns[0].id, asked=by(MERCHANT))
        assert problem.code == "merchant_limited"
    order = lived(order, receive_return, return_id=order.returns[0].id, asked=may("returns.write"))
    done = act(order, close_return, return_id=order.returns[0].id, asked=by(MERCHANT))
    assert done.result.status == "CLOSED", "the linked order is there already"


def test_receiving_an_order_wants_its_right_and_all_merchants():
    wanted = msgspec.convert(body(), WantedOrder)
    for actor, code in (
        (may("orders.read").actor, "permission_denied"),
        (MERCHANT, "merchant_limited"),
    ):
        with pytest.raises(Problem) as why:
            place(desk(), asked=by(actor), wanted=wanted, number="1", channel="api")
        assert why.value.code == code


def test_a_merchant_is_told_its_own_bags_and_sums():
    order = lived(lived(folder("manual"), capture), note, body="About zeta")
    wanted = WantedRefund(reference="R-1", bag_id=order.bags[1].id)
    order = lived(order, refund, wanted=wanted)
    told = tell_order(order, MERCHANT)
    assert [bag.merchant.code for bag in told.bags] == ["acme"]
    assert (told.total, told.sub_total, told.shipping_total) == (3000, 2500, 500)
    assert (told.amounts.captured, told.amounts.refunded) == (3000, 0)
    assert (told.payments, told.refunds, told.notes, told.allowed_actions) == ([], [], [], [])
    assert told.billing_address is None
    text = msgspec.json.encode(told).decode()
    assert order.bags[1].id not in text and "zeta" not in text
