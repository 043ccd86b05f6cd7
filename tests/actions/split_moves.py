"""What may be done to an order of several merchants, drawn by three small numbers."""

import random
from collections.abc import Callable
from typing import Any

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.change_state import change_state
from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.decide_return import approve_return, close_return, reject_return
from counterfoil.actions.decide_review import pass_review
from counterfoil.actions.edit_lines import edit_lines
from counterfoil.actions.hold import WantedHold, hold, release
from counterfoil.actions.move_shipment import deliver_shipment, fail_shipment, send_shipment
from counterfoil.actions.rearrange import WantedSplit, cancel_shipment, split_shipment
from counterfoil.actions.receive_return import receive_return
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.actions.request_cancel import decline_cancel, request_cancel
from counterfoil.actions.return_goods import return_goods
from counterfoil.actions.review import send_to_review
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.order.bag import Bag
from counterfoil.order.cancellation import CanceledLine
from counterfoil.order.editing import WantedAddition, WantedEdit, WantedUnits
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import (
    ReceivedLine,
    Replacement,
    WantedReturn,
    WantedReturnLine,
)
from counterfoil.order.item import Item
from counterfoil.order.shipment import ShipmentItem

MERCHANTS = ("acme", "zeta", "nord")
DIGITAL = 0.15
RESOLUTIONS = ("REFUND", "REFUND", "STORE_CREDIT", "NONE", "EXCHANGE")
#: Of one kind, what is asked: what the model calls it, the action, its arguments, and what it did.
Move = tuple[str, Callable[..., Any], dict[str, Any], Any]


def _returned(change: Any) -> dict[str, Any]:
    """What came in with this change, by line, and the orders of exchanges that it made."""
    old = {(r.id, line.item_id): line.received for r in change.before.returns for line in r.lines}
    units: dict[str, int] = {}
    for back in change.after.returns:
        for line in back.lines:
            came = line.received - old.get((back.id, line.item_id), 0)
            if came:
                units[line.item_id] = units.get(line.item_id, 0) + came
    return {"units": units, "linked": [one.after for one in change.new_orders]}


def _money(order: Folder, kind: str, bag: Bag, item: Item, count: int) -> list[Move]:
    reference = f"R-{order.order.version}"
    wanted: dict[str, tuple[Any, dict[str, Any]]] = {
        "capture": (capture, {"amount": max(1, order.order.open * count // 4)}),
        "capture all": (capture, {}),
        "void": (void, {"amount": 7 * count}),
        "refund": (refund, {"wanted": WantedRefund(reference=reference, amount=9 * count)}),
        "refund bag": (refund, {"wanted": WantedRefund(reference=reference, bag_id=bag.id)}),
        "refund line": (refund, {"wanted": WantedRefund(
            reference=reference, bag_id=item.bag_id,
            lines=[WantedLine(item_id=item.id, quantity=count)])}),
    }
    return [("money", *wanted[kind], {})] if kind in wanted else []


def _goods(order: Folder, kind: str, bag: Bag, item: Item, count: int) -> list[Move]:
    wanted: dict[str, tuple[Any, dict[str, Any]]] = {
        "ship line": (ship, {"bag_id": item.bag_id, "wanted": WantedShipment(
            items=[ShipmentItem(item.id, count)])}),
        "ship bag": (ship, {"bag_id": bag.id, "wanted": WantedShipment()}),
        "say shipped": (set_delivery_state, {"item_id": item.id, "state": "SHIPPED"}),
        "say delivered": (set_delivery_state, {"item_id": item.id, "state": "DELIVERED"}),
        "method": (choose_method, {"method": ("standard", "bring")[count % 2]}),
    }
    if kind in wanted:
        return [("goods", *wanted[kind], {})]
    by_status = {"send": "OPEN", "deliver": "SHIPPED", "fail": "SHIPPED",
                 "resend": "COULD_NOT_DELIVER", "split": "OPEN", "call off": "OPEN"}
    parcels = [one for one in order.shipments if one.status == by_status.get(kind)]
    if not parcels:
        return []
    parcel = parcels[count % len(parcels)]
    actions: dict[str, Any] = {"send": send_shipment, "deliver": deliver_shipment,
                               "fail": fail_shipment, "resend": send_shipment,
                               "call off": cancel_shipment}
    if kind == "split":
        part = [ShipmentItem(parcel.items[0].item_id, 1)]
        return [("goods", split_shipment,
                 {"shipment_id": parcel.id, "wanted": WantedSplit(items=part)}, {})]
    return [("goods", actions[kind], {"shipment_id": parcel.id}, {})]


def _cancels(order: Folder, kind: str, bag: Bag, item: Item, count: int) -> list[Move]:
    line = WantedCancel(lines=(CanceledLine(item.id, count),))
    wanted: dict[str, Move] = {
        "cancel line": ("cancel line", cancel, {"wanted": line},
                        {"item_id": item.id, "units": count}),
        "cancel bag": ("cancel bag", cancel, {"wanted": WantedCancel(bag_id=bag.id)},
                       {"bag_id": bag.id}),
        "cancel": ("cancel", cancel, {"wanted": WantedCancel()}, {}),
        "edit line": ("edit line", edit_lines, {"wanted": WantedEdit(
            lines=[WantedUnits(item_id=item.id, quantity=max(0, item.live - count))])},
            {"item": item, "left": max(0, item.live - count)}),
        "edit add": ("grow", edit_lines, {"wanted": WantedEdit(add=[WantedAddition(
            bag_id=bag.id, name="More", quantity=count, unit_price=100 * count)])}, {}),
        "edit shipping": ("grow", edit_lines, {"wanted": WantedEdit(
            shipping={bag.id: 40 * count})}, {}),
        "ask to cancel": ("ask to cancel", request_cancel, {"reason": "Too late"}, {}),
        "decline": ("state", decline_cancel, {"note": "It has been packed."}, {}),
        "hold": ("hold", hold, {"wanted": WantedHold(handle="a", blocks=("shipment",))}, {}),
        "release": ("hold", release, {"handle": "a"}, {}),
        "state": ("state", change_state,
                  {"state": ("processing", "suspended", "fraud")[count % 3]}, {}),
        "review": ("review", send_to_review, {"note": "Three cards."}, {}),
        "pass": ("review", pass_review, {}, {}),
    }
    if kind == "cancel" and count < 3:
        return []
    return [wanted[kind]] if kind in wanted else []


def _returns(order: Folder, kind: str, bag: Bag, item: Item, count: int) -> list[Move]:
    resolution = RESOLUTIONS[(order.order.version + count) % len(RESOLUTIONS)]
    other = [Replacement(name="Other", quantity=count, unit_price=70 * count)]
    line = WantedReturnLine(item_id=item.id, quantity=1)
    if kind in ("announce", "come back"):
        here = kind == "come back"
        lines = [line] if count > 1 or not here else []
        return [("came back" if here else "return", return_goods,
                 {"bag_id": item.bag_id, "wanted": WantedReturn(
                     lines=lines, resolution=resolution, received=here, fee=3 * (count % 2),
                     replacement=other if resolution == "EXCHANGE" else ())},
                 _returned)]
    backs = [one for one in order.returns if one.status not in ("REJECTED", "CLOSED")]
    if not backs:
        return []
    back = backs[count % len(backs)]
    wanted: dict[str, tuple[Any, dict[str, Any]]] = {
        "receive": (receive_return, {"lines": [ReceivedLine(
            item_id=back.lines[0].item_id, quantity=1)] if count == 1 else []}),
        "approve": (approve_return, {}),
        "reject": (reject_return, {"note": "Worn."}),
        "close": (close_return, {}),
    }
    if kind not in wanted:
        return []
    action, more = wanted[kind]
    named = "came back" if kind == "receive" else "return"
    return [(named, action, {"return_id": back.id, **more}, _returned)]


_MONEY = ("capture", "capture all", "void", "refund", "refund bag", "refund line")
_GOODS = ("ship line", "ship bag", "say shipped", "say delivered", "method", "send", "deliver",
          "fail", "resend", "split", "call off")
_CANCELS = ("cancel line", "cancel bag", "cancel", "edit line", "edit add", "edit shipping",
            "ask to cancel", "decline", "hold", "release", "state", "review", "pass")
_RETURNS = ("announce", "come back", "receive", "approve", "reject", "close")
KINDS = (*_MONEY, *_GOODS, *_CANCELS, *_RETURNS)
#: How often each is tried: what leads on more often than what ends or stops an order.
_SELDOM = {"cancel", "cancel bag", "hold", "state", "review", "ask to cancel", "void", "reject"}
_GOING_ON = {"capture all", "say shipped", "ship bag", "send", "deliver", "fail", "come back",
             "announce", "receive", "release", "decline", "pass"}
OFTEN = tuple(
    kind for kind in KINDS
    for _ in range(1 if kind in _SELDOM else 4 if kind in _GOING_ON else 2)
)
_FAMILY = {
    **dict.fromkeys(_MONEY, _money), **dict.fromkeys(_GOODS, _goods),
    **dict.fromkeys(_CANCELS, _cancels), **dict.fromkeys(_RETURNS, _returns),
}


def drawn_bags(chance: random.Random) -> list[dict[str, Any]]:
    """Draw three merchants' bags, with goods that are shipped and some that are not."""
    found: list[dict[str, Any]] = []
    for merchant in MERCHANTS:
        items: list[dict[str, Any]] = [
            {"name": f"N{place}", "quantity": chance.randint(1, 3),
             "unit_price": chance.randint(1, 999), "digital": chance.random() < DIGITAL}
            for place in range(chance.randint(1, 3))
        ]
        goods = sum(item["quantity"] * item["unit_price"] for item in items)
        found.append({
            "merchant": merchant, "items": items,
            "shipping_total": chance.choice((0, chance.randint(0, 300))),
            "tax_total": chance.choice((0, chance.randint(0, 300))),
            "discount_total": chance.choice((0, chance.randint(0, goods - 1))),
        })
    return found


def moves(order: Folder, kind: str, place: int, count: int) -> list[Move]:
    """Say what a step of this kind asks of an order as it is; nothing where it has no object."""
    bag = order.bags[place % len(order.bags)]
    item = order.items[place % len(order.items)]
    return _FAMILY[kind](order, kind, bag, item, count)
