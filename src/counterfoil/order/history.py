"""What an order that is brought along has already lived through.

Source: rulings 44.

    {"state": "completed", "captured": 5000, "captured_at": "2026-10-01T10:00:00Z",
     "voided": 0, "voided_at": null,
     "refunds": [{"reference": "R-1", "amount": 700, "reason": "Chipped", "at": "…"}],
     "shipments": [{"bag": 0, "items": [{"line": 0, "quantity": 2}], "method": "standard",
                    "carrier": "Posten", "tracking_number": "PN1", "shipped_at": "…",
                    "delivered_at": "…"}],
     "holds": [{"handle": "stock", "reason_code": "INVENTORY_OUT_OF_STOCK", "blocks": ["shipment"],
                "note": null, "at": "…"}],
     "canceled_at": null, "invoice_number": "F-1001",
     "notes": [{"body": "Rang the bell twice", "visibility": "internal", "at": "…"}]}

Every member may be left out. A program that books it calls the ordinary actions with these times,
in this order: place, capture, void, ship, deliver, refund, cancel or state, invoice number, holds,
notes. A time left out is the order's `placed_at`; times carry a zone.

- `captured`: of an `auth` payment, what was taken so far. A `payment` takes all of it when it is
  placed; saying the same amount again does no harm.
- `voided`: of an `auth` payment, what was given up. Whatever is neither stays open.
- `refunds[].reference` is unique in the order, and in the store when it is booked.
- `shipments[].bag` and `items[].line` count from 0, in the order of the order's bags and of the
  bag's items; without `items` it is every unit of the bag that no earlier shipment has. Digital
  items travel in none. `shipped_at` absent: packed, still here. A tracking number stands once in an
  order; `method` is any text, as the order's `shipping_method` is.
- `canceled_at`: the order ends canceled; units that left stay shipped, the others are canceled,
  and what was still open is given up. Captured money that was not refunded stays captured.
- `state`: the code of the state that the order ends in, reached by the shortest way allowed;
  absent: wherever the rest leads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from counterfoil.kernel.money import MINOR_MAX
from counterfoil.order.intake import WantedBag, WantedOrder

Amount = Annotated[int, Meta(ge=0, le=MINOR_MAX)]
Positive = Annotated[int, Meta(ge=1, le=MINOR_MAX)]
Place = Annotated[int, Meta(ge=0, le=10_000)]
Moment = Annotated[datetime, Meta(tz=True)]
Words = Annotated[str, Meta(min_length=1, max_length=255)]
Body = Annotated[str, Meta(min_length=1, max_length=20_000)]


class PastRefund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money that went back, in minor units of the order's currency."""

    reference: Words
    amount: Positive
    reason: Annotated[str, Meta(max_length=2_000)] | None = None
    at: Moment | None = None


class PastItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of one line in a parcel; `line` counts from 0 in the bag."""

    line: Place
    quantity: Positive


class PastShipment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One parcel of one bag."""

    bag: Place = 0
    items: list[PastItem] | None = None
    method: Words | None = None
    carrier: Words | None = None
    tracking_number: Words | None = None
    shipped_at: Moment | None = None
    delivered_at: Moment | None = None


class PastHold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hold that still stands."""

    handle: Words
    reason_code: Words = "OTHER"
    note: Annotated[str, Meta(max_length=2_000)] | None = None
    blocks: list[Literal["capture", "shipment"]] = field(
        default_factory=lambda: ["capture", "shipment"]
    )
    at: Moment | None = None


class PastNote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody wrote."""

    body: Body
    visibility: Literal["internal", "customer"] = "internal"
    at: Moment | None = None


class History(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order's past; the module says what each member means."""

    state: Words | None = None
    captured: Amount = 0
    captured_at: Moment | None = None
    voided: Amount = 0
    voided_at: Moment | None = None
    refunds: list[PastRefund] = []
    shipments: list[PastShipment] = []
    holds: list[PastHold] = []
    canceled_at: Moment | None = None
    invoice_number: Words | None = None
    notes: list[PastNote] = []


class Brought(WantedOrder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order as imports and bulk take it: what POST /v1/orders takes, and its history."""

    history: History | None = None


def faults_of(order: Brought) -> list[dict[str, str]]:
    """Tell what in an order's history cannot have been, as {pointer, detail}; nothing is good."""
    if order.history is None:
        return []
    bags = [WantedBag(items=order.items)] if order.items else order.bags or []
    payment = order.payment
    authorized = 0
    if payment is not None:
        authorized = _total(order, bags) if payment.amount is None else payment.amount
    return faults(
        order.history,
        units=[
            [0 if item.digital or item.type != "sku" else item.quantity for item in bag.items]
            for bag in bags
        ],
        authorized=authorized,
        flow="auth" if payment is None else payment.flow,
    )


def _total(order: Brought, bags: Sequence[WantedBag]) -> int:
    """Add an order up, whether its totals stand on the order or on its bags."""
    down = ("discount", "store_credit")
    goods = sum(
        (-abs(item.unit_price) if item.type in down else item.unit_price) * item.quantity
        for bag in bags
        for item in bag.items
    )
    parts: Sequence[WantedBag | Brought] = [order] if order.items else bags
    added = sum(
        (part.shipping_total or 0) + (part.tax_total or 0) + (part.duty_total or 0)
        for part in parts
    )
    return goods + added - sum(part.discount_total or 0 for part in parts)


def faults(
    history: History,
    *,
    units: Sequence[Sequence[int]],
    authorized: int,
    flow: str = "auth",
) -> list[dict[str, str]]:
    """Tell what in a history cannot have been, as {pointer, detail} below the order.

    `units` are the quantities that can travel, by bag and line; `authorized` is the payment's
    amount in minor units, 0 where there is none.
    """
    return [
        {"pointer": f"/history/{pointer}", "detail": detail}
        for pointer, detail in (
            *_money_faults(history, authorized, flow),
            *_goods_faults(history.shipments, units),
            *_name_faults(history),
        )
    ]


def _money_faults(history: History, authorized: int, flow: str) -> list[tuple[str, str]]:
    found = []
    captured = history.captured
    if flow == "payment":
        if captured not in (0, authorized):
            found.append(("captured", f"This payment took all of {authorized} when it was placed."))
        captured = authorized
    if captured + history.voided > authorized:
        words = f"{captured} captured and {history.voided} voided exceed {authorized} authorised."
        found.append(("voided" if history.voided else "captured", words))
    back = sum(refund.amount for refund in history.refunds)
    if back > captured:
        found.append(("refunds", f"{back} refunded exceed {captured} captured."))
    return found


def _goods_faults(
    shipments: Sequence[PastShipment], units: Sequence[Sequence[int]]
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    left = [list(bag) for bag in units]
    for place, shipment in enumerate(shipments):
        here = f"shipments/{place}"
        if shipment.bag >= len(left):
            found.append((f"{here}/bag", f"There are only {len(left)} bags."))
            continue
        bag = left[shipment.bag]
        asked = shipment.items if shipment.items is not None else _all_of(bag)
        if not asked:
            found.append((here, "Nothing of the bag is left to ship."))
        if len({item.line for item in asked}) < len(asked):
            found.append((f"{here}/items", "A line is named twice."))
            continue
        for item in asked:
            there = bag[item.line] if item.line < len(bag) else 0
            if item.quantity > there:
                words = f"Line {item.line} has {there} units to ship, not {item.quantity}."
                found.append((f"{here}/items", words))
            else:
                bag[item.line] -= item.quantity
        if shipment.delivered_at is not None and shipment.shipped_at is None:
            found.append((f"{here}/shipped_at", "What was delivered was shipped."))
    return found


def _all_of(bag: Sequence[int]) -> list[PastItem]:
    return [PastItem(line=line, quantity=units) for line, units in enumerate(bag) if units]


def _name_faults(history: History) -> list[tuple[str, str]]:
    found = []
    named = (
        ("refunds", [refund.reference for refund in history.refunds]),
        ("shipments", [s.tracking_number for s in history.shipments if s.tracking_number]),
        ("holds", [hold.handle for hold in history.holds]),
    )
    for member, names in named:
        twice = [name for name, times in Counter(names).items() if times > 1]
        if twice:
            found.append((member, f"{twice[0]!r} is there twice."))
    if history.canceled_at is not None and history.state not in (None, "canceled"):
        found.append(("state", "A canceled order ends in the state canceled."))
    if any(not hold.blocks for hold in history.holds):
        found.append(("holds", "A hold blocks capture, shipment or both."))
    return found
