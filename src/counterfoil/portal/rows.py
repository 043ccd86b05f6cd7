"""An order's row in a list: its summary in the words of the cells."""

from collections.abc import Sequence
from typing import NamedTuple

from counterfoil.order.shapes import SummaryShape
from counterfoil.portal import reasons
from counterfoil.portal.figures import amount, money


class Row(NamedTuple):
    """An order in the list, with the words of its cells."""

    order: SummaryShape
    customer: str
    place: str
    source: str
    status_note: str
    payment_note: str
    shipped: str
    reasons: Sequence[reasons.Reason]
    doors: tuple[tuple[str, str], ...]
    origin: str = ""
    gone: bool = False


DOORS = (("capture", "Capture"), ("void", "Void"), ("refund", "Refund"))


def row_of(order: SummaryShape, *, origin: str = "", gone: bool = False) -> Row:
    """Put an order's summary into the words of its cells. `origin`: the list, for the way back."""
    open_doors = {one.action for one in order.allowed_actions}
    live, gone_units = order.units.get("live", 0), order.units.get("shipped", 0)
    known = order.customer
    name = " ".join(str(known[key]) for key in ("first_name", "last_name") if known.get(key))
    address = order.shipping_address or {}
    return Row(
        order=order,
        customer=name or str(known.get("email") or "No name"),
        place=str(address.get("country") or ""),
        source=order.store,
        status_note=_status_note(order),
        payment_note=_payment_note(order),
        shipped=f"{gone_units}/{live}" if 0 < gone_units < live else "",
        reasons=reasons.in_words(order.attention),
        doors=tuple(door for door in DOORS if door[0] in open_doors),
        origin=origin,
        gone=gone,
    )


def _status_note(order: SummaryShape) -> str:
    if "in_review" in order.attention:
        return "On hold – fraud review"
    return "On hold" if "on_hold" in order.attention else ""


def _payment_note(order: SummaryShape) -> str:
    """The number that matters beside the payment's badge."""
    sums, currency = order.amounts, order.currency
    if sums.pending or sums.refund_pending:
        return f"{amount(sums.pending + sums.refund_pending, currency)} not known yet"
    if order.financial_status == "PARTIALLY_PAID":
        return f"{amount(sums.captured, currency)} of {amount(sums.authorized, currency)}"
    if order.financial_status == "PARTIALLY_REFUNDED":
        return f"refunded {amount(sums.refunded, currency)}"
    if order.financial_status == "AUTHORIZED" and sums.open != order.total:
        return f"{amount(sums.open, currency)} open"
    return f"due {money(sums.due, currency)}" if 0 < sums.due < order.total else ""
