"""Edits of an order that was placed: what goes in and out, and what the money makes of it."""

import msgspec

from counterfoil.actions.cancel import cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.pay import pay
from counterfoil.actions.refund import refund
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.cancellation import WantedCancel
from counterfoil.order.editing import WantedUnits
from counterfoil.order.intake import WantedPayment
from counterfoil.order.payment import GatewayOfPayment
from counterfoil.order.shipment import ShipmentItem
from tests.actions.editing import CAP, cap, edited, edits, lawful, refuses, units
from tests.actions.living import by, heard, held_money, lived, may, types
from tests.actions.making import ADMIN, GATEWAYS, folder, later
from tests.actions.refunding import back, line

LIMITED = by(msgspec.structs.replace(ADMIN, merchants=frozenset({"acme"})))
ONCE = (
    *(gateway for gateway in GATEWAYS if gateway.code != "sandbox"),
    GatewayOfPayment(code="sandbox", kind="sandbox", settings={"multi_capture": False}),
)


def ships(order, bag=0, *parts, number=None):
    """Pack a bag, or lines of it by their place and units."""
    items = [ShipmentItem(order.items[which].id, quantity) for which, quantity in parts]
    wanted = WantedShipment(items=items, tracking_number=number)
    return lived(order, ship, bag_id=order.bags[bag].id, wanted=wanted)


def sends(order, which=-1):
    return lived(order, send_shipment, shipment_id=order.shipments[which].id)


def moved(order, kind):
    return [(row.status, row.amount) for row in order.transactions if row.type == kind]


# -------------------------------------------------------------------------------- lines and totals


def test_fewer_units_are_cancelled_and_the_order_is_worth_less():
    order = held_money()
    change = edits(order, lines=[units(order, 0, 1)], note="One is enough")
    assert types(change) == ["order.edited"]
    after = later(change.after)
    lawful(after)
    assert (after.items[0].live, after.items[0].quantity_canceled) == (1, 1)
    assert (after.order.total, after.order.canceled_total) == (5000, 1250)
    assert (after.order.open, after.order.owed, after.order.due) == (5000, 3750, 0)
    assert after.order.unit_count == 2
    made = change.result
    assert (made.position, made.note) == (1, "One is enough")
    assert (made.before.total, made.after.total) == (5000, 3750)
    assert [part.quantity for part in made.before.lines] == [2, 1]
    assert [part.quantity for part in made.after.lines] == [1, 1]
    told = change.facts[0].data["edit"]
    assert (told["position"], told["address_changed"]) == (1, False)
    assert "note" not in told


def test_what_is_worth_less_is_captured_less_and_the_rest_is_released():
    order = held_money()
    order = edited(order, lines=[units(order, 0, 1)])
    order = heard(lived(order, capture))
    assert moved(order, "CAPTURE") == [("SUCCEEDED", 3750)]
    assert moved(order, "VOID") == [("PENDING", 1250)]
    order = heard(order)
    lawful(order)
    assert (order.order.open, order.order.financial_status) == (0, "PAID")
    assert [bag.captured for bag in order.bags] == [1750, 2000]


def test_a_gateway_that_takes_once_releases_the_rest_with_the_capture():
    order = held_money()
    order = msgspec.structs.replace(edited(order, lines=[units(order, 0, 1)]), gateways=ONCE)
    order = msgspec.structs.replace(lived(order, capture), gateways=ONCE)
    order = heard(order)
    assert (moved(order, "CAPTURE"), moved(order, "VOID")) == (
        [("SUCCEEDED", 3750)], [("SUCCEEDED", 1250)])


def test_money_that_nobody_is_asked_about_is_released_at_once():
    order = edited(folder("manual"), shipping_total=0)
    assert (order.order.total, order.order.shipping_total, order.order.owed) == (4500, 0, 4500)
    order = lived(order, capture)
    assert (moved(order, "CAPTURE"), moved(order, "VOID")) == (
        [("SUCCEEDED", 4500)], [("SUCCEEDED", 500)])
    lawful(order)


def test_a_line_is_removed_and_a_bag_with_nothing_left_goes_with_all_its_worth():
    order = held_money()
    order = edited(order, lines=[units(order, 0, 0)])
    assert [bag.status for bag in order.bags] == ["CANCELED", "ACCEPTED"]
    assert order.order.canceled_total == 3000, "its shipping too"
    assert order.order.owed == 2000
    assert order.items[0].delivery_state == "CANCELED"
    assert list(order.edits[0].after.shipping) == [order.bags[1].id]
    assert [part.sku for part in order.edits[0].after.lines] == ["TEE-M"]


def test_a_line_is_added_and_is_like_any_other():
    order = held_money()
    order = edited(order, add=[cap(order, 1)])
    added = order.items[-1]
    assert (added.sku, added.quantity, added.line_total, added.added_in) == (
        "CAP-1", 2, 600, order.edits[0].id)
    assert (added.bag_id, added.position) == (order.bags[1].id, 3)
    assert (order.order.sub_total, order.order.total, order.order.due) == (5100, 5600, 600)
    assert order.order.unit_count == 5
    assert (order.bags[1].sub_total, order.bags[1].total) == (2600, 2600)
    order = lived(order, pay, wanted=WantedPayment(gateway="manual", flow="payment"))
    order = heard(lived(order, capture))
    lawful(order)
    order = lived(order, refund, **back(lines=[line(order, 2, 1)]))
    assert order.refunds[0].amount == 300
    order = ships(order, 1)
    assert {part.item_id for part in order.shipments[0].items} == {
        order.items[1].id, added.id}
    order = edited(order, lines=[units(order, 2, 1)])
    assert order.shipments[0].units[added.id] == 1


def test_what_was_added_is_found_by_its_sku():
    order = held_money()
    change = edits(order, add=[cap(order)])
    assert change.terms() == (["w:cap-1"], [])


def test_everything_in_a_bag_may_be_changed_for_something_else():
    order = held_money()
    order = edited(order, lines=[units(order, 0, 0)], add=[cap(order)])
    assert [bag.status for bag in order.bags] == ["ACCEPTED", "ACCEPTED"]
    assert order.bags[0].total - order.bags[0].canceled_total == 500 + 600
    assert order.order.owed == 3100


def test_shipping_is_set_for_a_bag_or_shared_by_all():
    order = held_money()
    _, second = order.bags
    order = edited(order, shipping={second.id: 300})
    assert [bag.shipping_total for bag in order.bags] == [500, 300]
    assert (order.order.shipping_total, order.order.total, order.order.due) == (800, 5300, 300)
    order = edited(order, shipping_total=160)
    assert [bag.shipping_total for bag in order.bags] == [100, 60]
    gone = edited(order, lines=[units(order, 0, 0)])
    assert refuses(gone, "amount_invalid", shipping_total=99).facts["least"] == 100
    assert [bag.shipping_total for bag in edited(gone, shipping_total=100).bags] == [100, 0]


def test_tax_and_discount_go_with_what_is_taken_away():
    goods = [{"sku": "A", "name": "A", "quantity": 3, "unit_price": 1000}]
    order = held_money(
        "manual",
        bags=[{"items": goods, "shipping_total": 600, "tax_total": 660, "discount_total": 300}],
    )
    assert order.order.total == 3960
    worth = []
    for left in (2, 1):
        order = edited(order, lines=[units(order, 0, left)])
        worth.append(order.order.total - order.order.canceled_total)
    assert worth == [3960 - 900 - 180, 3960 - 1800 - 360]


def test_addresses_change_without_anything_else():
    order = held_money()
    there = {"line1": "Storgata 2", "city": "Bergen", "country": "NO"}
    change = edits(order, shipping_address=there, billing_address=None)
    after = change.after
    assert after.order.shipping_address == there
    assert after.order.total == 5000
    assert change.facts[0].data["edit"]["address_changed"]
    assert "Storgata" not in str(change.facts[0].data), "facts have no addresses"
    assert change.result.after.shipping_address == there
    halted = lived(order, cancel, wanted=WantedCancel())
    assert halted.order.system_state == "CANCEL_REQUESTED"
    edited(halted, shipping_address=there)
    refuses(halted, "request_in_progress", shipping_address=there, shipping_total=1)


# ------------------------------------------------------------------------------- what is not edited


def test_what_has_left_is_not_edited():
    order = sends(ships(held_money(), 0, (0, 1), number="T-1"))
    found = refuses(order, "invalid_state", lines=[units(order, 0, 0)])
    assert found.facts["shipped"] == 1
    order = edited(order, lines=[units(order, 0, 1)])
    assert (order.items[0].delivery_state, order.order.fulfillment_status) == (
        "SHIPPED", "PARTIALLY_SHIPPED")
    assert order.bags[0].status == "COMPLETED"
    refuses(order, "invalid_state", add=[cap(order, 0)])
    order = edited(order, lines=[units(order, 1, 0)])
    assert (order.order.system_state, order.order.fulfillment_status) == ("COMPLETED", "SHIPPED")
    refuses(order, "invalid_state", shipping_total=0)


def test_the_last_waiting_units_that_go_complete_the_order():
    order = sends(ships(held_money(), 0))
    change = edits(order, lines=[units(order, 1, 0)])
    assert types(change)[-2:] == ["order.state_changed", "order.completed"]
    held = lived(order, hold, wanted=WantedHold(handle="stock"))
    assert edited(held, lines=[units(held, 1, 0)]).order.system_state == "PROCESSING"


def test_open_parcels_give_up_what_is_taken_away():
    order = ships(ships(held_money(), 0, (0, 1)), 0, (0, 1))
    change = edits(order, lines=[units(order, 0, 1)])
    assert [parcel.status for parcel in change.after.shipments] == ["OPEN", "CANCELED"]
    assert "shipment.canceled" in types(change)
    order = ships(held_money(), 0)
    change = edits(order, lines=[units(order, 0, 1)])
    assert [part.quantity for part in change.after.shipments[0].items] == [1]
    assert "shipment.updated" in types(change)
    half = ships(held_money(), 0, (0, 1))
    change = edits(half, lines=[units(half, 0, 1)])
    assert "shipment.updated" not in types(change), "what is in no parcel goes first"


def test_what_is_refused_and_in_which_order():
    order = held_money()
    gone = lived(folder("manual"), cancel, wanted=WantedCancel())
    bad = {"lines": [WantedUnits(item_id="nobody", quantity=9)]}
    many = [units(order, 0, 3)]
    steps = [
        (gone, may("orders.read"), bad, "permission_denied"),
        (gone, LIMITED, bad, "merchant_limited"),
        (gone, None, bad, "invalid_state"),
        (order, None, bad, "unknown_reference"),
        (order, None, {"lines": [units(order, 0, 1)] * 2}, "amount_invalid"),
        (order, None, {"lines": many}, "amount_invalid"),
        (order, None, {"lines": [units(order, 0, -1)]}, "amount_invalid"),
        (order, None, {"add": [CAP]}, "unknown_reference"),
        (order, None, {"add": [cap(order, quantity=0)]}, "amount_invalid"),
        (order, None, {"add": [cap(order, unit_price=-1)]}, "amount_invalid"),
        (order, None, {"shipping": {"nobody": 1}}, "unknown_reference"),
        (order, None, {"shipping": {order.bags[0].id: -1}}, "amount_invalid"),
        (order, None, {"shipping": {order.bags[0].id: 1}, "shipping_total": 1}, "amount_invalid"),
        (order, None, {"lines": [units(order, 0, 0), units(order, 1, 0)]}, "invalid_state"),
        (order, None, {"lines": [units(order, 0, 2)]}, "validation_failed"),
        (order, None, {"note": "Nothing"}, "validation_failed"),
    ]
    for stage, asked, wanted, code in steps:
        refuses(stage, code, asked=asked, **wanted)
    one = held_money(bags=None, items=[{"sku": "A", "name": "A", "quantity": 1, "unit_price": 9}])
    assert edited(one, add=[CAP]).items[-1].bag_id == one.bags[0].id
