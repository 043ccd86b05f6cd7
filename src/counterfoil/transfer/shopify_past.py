"""What Shopify's statuses say an order has lived through: its payment and its history.

Financial status, and what is booked of Total T with Refunded Amount R:

    pending, blank       nothing
    authorized           T authorised
    partially_paid       T authorised, T − Outstanding Balance captured
    paid                 T captured, R refunded
    partially_refunded   T captured, R refunded
    refunded             R (T where blank) captured and refunded, the rest voided
    voided               T voided, which cancels; nothing, with a note, where goods were shipped
    expired              nothing, with a note

The export has no time of a refund: it gets the latest time that the order has. It has no parcels
either: what was fulfilled of a bag is one, without a tracking number; downloads travel in none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from counterfoil.kernel.money import to_decimal

from .shopify_money import Bag, Sums
from .shopify_row import CellError, Order, Row, moment

_STATUSES: Final = {"authorized", "partially_paid", "paid", "partially_refunded", "refunded"}
_NOTHING: Final = {"", "pending", "expired", "voided"}
_AT_ONCE: Final = timedelta(minutes=1)
_REFERENCE_LENGTH_MAX: Final = 200
METHOD_LENGTH_MAX: Final = 100
TAGS_MAX: Final = 30


class _Money(Struct, kw_only=True):
    """What moved, in minor units."""

    authorized: int = 0
    captured: int = 0
    voided: int = 0
    refunded: int = 0


def past_of(
    rows: Order, bags: Sequence[Bag], sums: Sums, *, currency: str, placed_at: datetime
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Tell the payment, if there was one, and the history, both as the API writes them."""
    head = rows.head
    canceled_at = head.time("Cancelled at")
    notes: list[str] = []
    shipments, everything = _shipments(head, bags, placed_at, notes)
    money = _money(head, sums.total, currency, shipped=bool(shipments), notes=notes)
    if money.authorized and money.voided == money.authorized:
        canceled_at = canceled_at or placed_at
    payment = _payment(head, money, placed_at)
    history: dict[str, Any] = {}
    if payment is not None and payment["flow"] == "auth":
        history["captured"] = money.captured
        history["captured_at"] = moment(head.time("Paid at") or placed_at)
        history["voided"] = money.voided
        history["voided_at"] = moment(canceled_at or placed_at)
        for movement in ("captured", "voided"):
            if not history[movement]:
                del history[movement], history[f"{movement}_at"]
    if money.refunded:
        history["refunds"] = [_refund(head, money.refunded, placed_at)]
    if shipments:
        history["shipments"] = shipments
    if canceled_at is not None:
        history["canceled_at"] = moment(canceled_at)
    history["state"] = _state(money, canceled_at, shipped=bool(shipments), everything=everything)
    told = _notes(head, sums, notes, currency=currency, placed_at=placed_at)
    if told:
        history["notes"] = told
    return payment, history


def tags_of(head: Row) -> list[str]:
    """Read the tags; Shopify allows more of them than an order here has."""
    return [tag for part in head.text("Tags").split(",") if (tag := part.strip())]


def _money(head: Row, total: int, currency: str, *, shipped: bool, notes: list[str]) -> _Money:
    status = head.text("Financial Status").casefold().replace(" ", "_")
    if status not in _STATUSES | _NOTHING:
        raise CellError("Financial Status", f"{status[:40]!r} is not a status Shopify has.")
    refunded = head.money("Refunded Amount", currency)
    if refunded > total:
        words = f"{to_decimal(refunded, currency)} {currency} is more than Total."
        raise CellError("Refunded Amount", words, "amount_invalid")
    if total == 0:
        return _Money()
    if status == "refunded" or (status == "voided" and refunded):
        back = refunded or total
        return _Money(authorized=total, captured=back, voided=total - back, refunded=back)
    if status == "voided" and not shipped:
        return _Money(authorized=total, voided=total)
    if status in _NOTHING:
        if status in ("voided", "expired"):
            words = "The authorisation was voided" if status == "voided" else "It expired"
            notes.append(f"{words}: {to_decimal(total, currency)} {currency}.")
        return _Money()
    captured = {"authorized": 0, "partially_paid": 0}.get(status, total)
    if status == "partially_paid":
        captured = total - head.money("Outstanding Balance", currency)
        if not 0 < captured < total:
            words = "An order paid in part has an outstanding balance below its total."
            raise CellError("Outstanding Balance", words, "amount_invalid")
    if refunded > captured:
        words = "More was refunded than was paid."
        raise CellError("Refunded Amount", words, "amount_invalid")
    return _Money(authorized=total, captured=captured, refunded=refunded)


def _payment(head: Row, money: _Money, placed_at: datetime) -> dict[str, Any] | None:
    if not money.authorized:
        return None
    paid_at = head.time("Paid at") or placed_at
    at_once = money.captured == money.authorized and abs(paid_at - placed_at) <= _AT_ONCE
    payment: dict[str, Any] = {
        "gateway": "manual",
        "flow": "payment" if at_once else "auth",
        "amount": money.authorized,
    }
    reference = head.text("Payment Reference") or head.text("Payment ID")
    if reference:
        payment["reference"] = reference[:_REFERENCE_LENGTH_MAX]
    return payment


def _refund(head: Row, amount: int, placed_at: datetime) -> dict[str, Any]:
    times = [head.time(f"{what} at") for what in ("Cancelled", "Fulfilled", "Paid")]
    latest = max(time for time in (*times, placed_at) if time is not None)
    name = head.bare("Id") or head.name
    return {
        "reference": f"shopify-{name}",
        "amount": amount,
        "reason": "Refunded at Shopify",
        "at": moment(latest),
    }


def _shipments(
    head: Row, bags: Sequence[Bag], placed_at: datetime, notes: list[str]
) -> tuple[list[dict[str, Any]], bool]:
    """Tell one parcel for each bag of which something was fulfilled, and whether all of it was."""
    overall = head.text("Fulfillment Status").casefold()
    at = moment(head.time("Fulfilled at") or head.time("Paid at") or placed_at)
    found, everything = [], True
    for place, bag in enumerate(bags):
        items = []
        for line, item in enumerate(bag.items):
            if not item.travels:
                continue
            status = item.shipped or ("fulfilled" if overall == "fulfilled" else "")
            units = item.quantity if status == "fulfilled" else 0
            if status == "partial":
                units = 1
                if item.quantity > 2:
                    words = f"Some of {item.quantity} × {item.sku} were shipped; 1 is recorded."
                    notes.append(words)
            everything = everything and units == item.quantity
            if units:
                items.append({"line": line, "quantity": units})
        if items:
            parcel: dict[str, Any] = {"bag": place, "items": items, "shipped_at": at}
            method = head.text("Shipping Method")[:METHOD_LENGTH_MAX]
            found.append({**parcel, "method": method} if method else parcel)
    return found, everything and (bool(found) or overall == "fulfilled")


def _state(money: _Money, canceled_at: datetime | None, *, shipped: bool, everything: bool) -> str:
    if canceled_at is not None:
        return "canceled"
    if everything:
        return "completed"
    return "processing" if shipped or money.captured else "new"


def _notes(
    head: Row, sums: Sums, notes: Sequence[str], *, currency: str, placed_at: datetime
) -> list[dict[str, str]]:
    """Keep what has no field of its own: the shop's notes, and how it was paid."""
    aside = [f"Shopify {head.name}."] if head.name else []
    told = ("Payment Method", "Discount Code", "Risk Level")
    aside.extend(f"{column}: {head.text(column)[:255]}." for column in told if head.text(column))
    if len(tags_of(head)) > TAGS_MAX:
        aside.append(f"More tags: {', '.join(tags_of(head)[TAGS_MAX:])}.")
    if sums.tax_inside:
        aside.append(f"Taxes inside the prices: {to_decimal(sums.tax_inside, currency)}.")
    bodies = (head.text("Notes"), head.text("Note Attributes"), " ".join([*aside, *notes]))
    at = moment(placed_at)
    return [{"body": body[:20_000], "visibility": "internal", "at": at} for body in bodies if body]
