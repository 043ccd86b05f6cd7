"""Returns as they are looked at: each on its order's page, and the rows of their list."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from counterfoil.book.returns import ListedReturn
from counterfoil.order.goods_return import EXPECTED
from counterfoil.order.goods_shapes import ReturnShape
from counterfoil.order.shapes import BagShape, OrderShape, RefundShape
from counterfoil.portal import story, words
from counterfoil.portal.figures import ago, money
from counterfoil.portal.refund_view import RefundView
from counterfoil.portal.return_words import (
    IN_PASSING,
    exchange_number,
    line_words,
    reason_word,
    resolution_word,
    status_of,
)
from counterfoil.portal.words import Word

LATE = ((timedelta(days=30), "danger"), (timedelta(days=14), "warning"))
#: What may be done with a return next: where that leads, and the words of its button.
_STEPS = {
    "receive": ("receive", "Receive…"),
    "approve": ("approve", "Approve…"),
    "reject": ("reject", "Reject…"),
    "close": ("close", "Close…"),
}
_ORDERED = ("receive", "approve", "reject", "close")


class ReturnDoor(NamedTuple):
    """A step that may be taken with a return now."""

    label: str
    href: str
    first: bool


class ReturnView(NamedTuple):
    """A return on its order's page. `money` says what became of the money, if anything did."""

    back: ReturnShape
    word: Word
    name: str
    resolution: str
    reason: str
    lines: list[str]
    money: list[str]
    refunds: list[RefundShape]
    exchange: str
    exchange_number: str
    asked_by: str
    decided: str
    doors: list[ReturnDoor]


class Entry(NamedTuple):
    """What stands in the region Refunds and returns: one of the two, and when it began."""

    at: datetime
    id: str
    back: ReturnView | None = None
    refund: RefundView | None = None


class ReturnRow(NamedTuple):
    """A return in the list."""

    back: ListedReturn
    word: Word
    resolution: str
    reason: str
    lines: list[str]
    money: list[tuple[str, Word | None]]
    tone: str
    age: str
    merchant: str


def entries_of(refunds: Sequence[RefundView], returns: Sequence[ReturnView]) -> list[Entry]:
    """Put refunds and returns into one list, newest first."""
    found = [Entry(one.refund.created_at, one.refund.id, refund=one) for one in refunds]
    found += [Entry(one.back.created_at, one.back.id, back=one) for one in returns]
    return sorted(found, key=lambda one: one[:2], reverse=True)


def units_to_return(order: OrderShape, bag: BagShape) -> dict[str, int]:
    """Count, by line, the units that left, did not come back and are not announced already."""
    announced: dict[str, int] = {}
    for back in order.returns:
        for line in back.lines if back.status in EXPECTED else ():
            announced[line.item_id] = announced.get(line.item_id, 0) + line.missing
    found = {
        item.id: item.quantity_shipped - item.quantity_returned - announced.get(item.id, 0)
        for item in bag.items
    }
    return {item_id: units for item_id, units in found.items() if units > 0}


def returns_of(order: OrderShape) -> list[ReturnView]:
    """Tell the returns of an order, newest first."""
    newest = sorted(order.returns, key=lambda one: (one.created_at, one.id), reverse=True)
    return [return_view(order, one) for one in newest]


def return_view(order: OrderShape, back: ReturnShape) -> ReturnView:
    """Put a return into words."""
    bag = next(bag for bag in order.bags if bag.id == back.bag_id)
    names = {item.id: item.sku or item.name for item in bag.items}
    refunds = [one for one in order.refunds if one.return_id == back.id]
    of = f" · {bag.merchant.name}" if len(order.bags) > 1 else ""
    return ReturnView(
        back=back,
        word=status_of(back.status, back.lines),
        name=f"Return {back.position}{of}",
        resolution=resolution_word(back.resolution),
        reason=reason_word(back.reason_code),
        lines=_lines(back, names),
        money=_money(order, back, refunds),
        refunds=refunds,
        exchange=f"/portal/orders/{back.exchange_order_id}" if back.exchange_order_id else "",
        exchange_number=exchange_number(order.number, back.position),
        asked_by=story.who(back.requested_by),
        decided=story.who(back.decided_by) if back.decided_by else "",
        doors=_doors(order, back),
    )


def _lines(back: ReturnShape, names: dict[str, str]) -> list[str]:
    """Tell each line, with its reason where it is not that of the return."""
    told = []
    for line in back.lines:
        own = line.reason_code not in (None, back.reason_code)
        why = f" ({reason_word(line.reason_code).lower()})" if own else ""
        told.append(line_words(line, names, back.status) + why)
    return told


def _money(order: OrderShape, back: ReturnShape, refunds: Sequence[RefundShape]) -> list[str]:
    """Say what became of the money, or that none moved. [V-10, V-11]"""
    currency = order.currency
    told = []
    if back.resolution == "REFUND" and not refunds:
        if back.status in ("REQUESTED", "APPROVED"):
            told.append("Refunded when the goods come in.")
        elif back.status != "RECEIVED":
            told.append("No money moved.")
    elif back.resolution != "REFUND":
        passing = IN_PASSING.get(back.resolution, "")
        told.append(f"No money moved ({passing})." if passing else "No money moved.")
    if back.credit:
        told.append(f"What came in is worth {money(back.credit, currency)}.")
    if back.fee and back.resolution != "NONE":
        told.append(f"{money(back.fee, currency)} of it is kept as a fee.")
    return told


def _doors(order: OrderShape, back: ReturnShape) -> list[ReturnDoor]:
    """List the steps that may be taken now, the likeliest first; closing never stands out."""
    allowed = {one.action for one in back.allowed_actions}
    found = [name for name in _ORDERED if name in allowed]
    page = f"/portal/orders/{order.id}/returns/{back.id}"
    return [
        ReturnDoor(_STEPS[name][1], f"{page}/{_STEPS[name][0]}", first=name == found[0] != "close")
        for name in found
    ]


def listed_row(back: ListedReturn, now: datetime) -> ReturnRow:
    """Put a return into the words of its row."""
    waits = status_of(back.status, back.lines).label not in ("Received", "Closed", "Rejected")
    tone = next((tone for age, tone in LATE if now - back.created_at >= age), "") if waits else ""
    return ReturnRow(
        back=back,
        word=status_of(back.status, back.lines),
        resolution=resolution_word(back.resolution),
        reason=reason_word(back.reason_code),
        lines=[line_words(line, back.items, back.status) for line in back.lines],
        money=_listed_money(back),
        tone=tone,
        age=ago(back.created_at, now),
        merchant=back.merchant_name or back.merchant,
    )


def _listed_money(back: ListedReturn) -> list[tuple[str, Word | None]]:
    """Name each refund with its word, else what stands in its place."""
    if back.refunds:
        return [
            (f"{money(one.amount, back.currency)}, {one.reference}",
             words.look("refund", one.status))
            for one in back.refunds
        ]  # fmt: skip
    if back.resolution == "REFUND" and back.status in ("REQUESTED", "APPROVED"):
        return [("When it comes in", None)]
    return [("No money moved", None)]
