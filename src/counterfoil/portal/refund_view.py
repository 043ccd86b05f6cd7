"""The refunds of an order on its page: what for, through which payments, who asked and agreed."""

from collections.abc import Callable
from typing import NamedTuple

from counterfoil.order.shapes import OrderShape, RefundShape
from counterfoil.portal import story
from counterfoil.portal.figures import money


class RefundView(NamedTuple):
    """A refund in words. `why` closes its approval; `decides` where the reader may decide."""

    refund: RefundShape
    parts: list[str]
    through: list[str]
    asked_by: str
    decided: str
    note: str
    decides: bool
    why: str


def refunds_of(
    order: OrderShape, doors: dict[str, str], name: Callable[[str], str]
) -> list[RefundView]:
    """Tell the refunds of an order, newest first. `doors`: why approval is closed; `name`: theirs.

    Decided by is nobody where an approval was not needed.
    """
    newest = sorted(order.refunds, key=lambda one: (one.created_at, one.id), reverse=True)
    return [
        RefundView(
            refund=one,
            parts=_parts(order, one),
            through=_through(one, name),
            asked_by=story.who(one.actor, "sync" if one.status == "EXTERNAL" else ""),
            decided=story.who(one.approved_by) if one.approved_by else "",
            note=one.decision_note or "",
            decides=bool(one.allowed_actions),
            why=doors.get(one.id, ""),
        )
        for one in newest
    ]


def _through(refund: RefundShape, name: Callable[[str], str]) -> list[str]:
    """Which payment gives how much; said only where there are several."""
    if len(refund.plan) < 2:
        return []
    return [
        f"{money(part.amount, refund.currency)} through {name(part.gateway)}"
        for part in refund.plan
    ]


def _parts(order: OrderShape, refund: RefundShape) -> list[str]:
    """What it is for: lines, shipping and tax; and whose bags bear it where there are several."""
    named = {item.id: item.sku or item.name for bag in order.bags for item in bag.items}
    bags = {bag.id: bag.merchant.name for bag in order.bags}
    currency = order.currency
    told = [
        f"{line.quantity} × {named.get(line.item_id, '?')}, {money(line.amount, currency)}"
        for line in refund.lines
    ]
    if refund.shipping_amount:
        told.append(f"Shipping, {money(refund.shipping_amount, currency)}")
    if refund.tax_amount:
        told.append(f"Tax, {money(refund.tax_amount, currency)}")
    if len(refund.allocations) > 1:
        told += [
            f"{bags.get(part.bag_id, '?')}: {money(part.amount, currency)}"
            for part in refund.allocations
        ]
    return told
