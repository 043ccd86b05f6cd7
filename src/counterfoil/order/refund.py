"""The refund: a promise to give money back, under a reference that is used once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from counterfoil.order.actor import Actor
from counterfoil.order.transaction import UNSETTLED, Allocation, Transaction

REASON_CODES = ("OTHER", "CUSTOMER", "INVENTORY", "FRAUD", "DECLINED")
#: In which order a refund goes through the payments of an order, with what the handbook says.
PAYMENT_ORDERS = {
    "last_in_first": "The newest payment first.",
    "first_in_first": "The oldest payment first.",
    "card_first": "Payments by card before all others, and of each the newest first.",
}
#: Statuses of a refund that gave nothing back and never will.
NOT_GIVEN = ("FAILED", "CANCELED")


class RefundLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which line, how many units, how much; and the tax on it that goes back beside that."""

    item_id: str
    quantity: int
    amount: int
    tax_amount: int = 0


class PlannedPart(msgspec.Struct, frozen=True, kw_only=True):
    """What of a refund goes back through one payment, and whose bags bear it."""

    payment_id: str
    gateway: str
    amount: int
    allocations: list[Allocation]


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as stored. `reference` is unique per store. [Z-9, domain.md §6, V-12…V-16]

    `plan` says through which payments it goes, in the order of `payment_order`; it has one
    transaction for each part. While it is AWAITING_APPROVAL it has none, and the plan is what is
    reserved. `tax_amount` is in `amount`, and so is the tax of its lines in `tax_amount`.
    `fee_amount` is kept of what came back in the return `return_id`.
    """

    id: str
    order_id: str
    bag_id: str | None = None
    store: str
    reference: str
    amount: int
    currency: str
    reason: str | None = None
    reason_code: str = "OTHER"
    restock_items: bool = False
    notify_customer: bool = False
    status: str
    allocations: list[Allocation] = []
    lines: list[RefundLine] = []
    shipping_amount: int | None = None
    tax_amount: int = 0
    cancellation_id: str | None = None
    return_id: str | None = None
    edit_id: str | None = None
    fee_amount: int = 0
    external_id: str | None = None
    plan: list[PlannedPart] = []
    payment_order: str | None = None
    approved_by: dict[str, Any] | None = None
    decided_at: datetime | None = None
    decision_note: str | None = None
    actor: dict[str, Any]
    created_at: datetime
    updated_at: datetime

    @property
    def for_less(self) -> bool:
        """Whether it goes back because the order is worth less: by a cancellation or an edit."""
        return self.cancellation_id is not None or self.edit_id is not None

    @property
    def waits_for_approval(self) -> bool:
        """Whether a second person has to decide about it first. [faults R-7]"""
        return self.status == "AWAITING_APPROVAL"

    def asked_by(self, actor: Actor) -> bool:
        """Tell whether it was this actor who asked for it."""
        return (self.actor.get("kind"), self.actor.get("id")) == (actor.kind, actor.id)


class WantedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line to refund: how many units, and how much where it is not what was paid for them.

    That is their price less their share of what the bag's discount took off, and beside it the
    tax that was paid on them. An amount that is stated has no tax beside it.
    """

    item_id: str
    quantity: int
    amount: int | None = None


class WantedRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as it is asked for. An absent amount is the sum of its parts, else all.

    `tax_amount` takes the place of the tax that is reckoned. `payment_id` pins it to one payment;
    else `payment_order`, or the store's, says through which payments it goes. `fee_amount` is kept
    of what comes out. `capped`: no more than is left to give back, where that is less.
    `override_window`: also after the store's time for it, by somebody who may.
    """

    reference: str | None
    amount: int | None = None
    reason: str | None = None
    reason_code: str = "OTHER"
    lines: Sequence[WantedLine] = ()
    shipping_amount: int | None = None
    tax_amount: int | None = None
    restock_items: bool = False
    notify_customer: bool = False
    bag_id: str | None = None
    payment_id: str | None = None
    payment_order: str | None = None
    allocations: Sequence[Allocation] = ()
    fee_amount: int = 0
    return_id: str | None = None
    capped: bool = False
    override_window: bool = False

    @property
    def itemised(self) -> bool:
        """Whether it says what the money is for, and not only how much."""
        return (
            bool(self.lines) or self.shipping_amount is not None or self.tax_amount is not None
        )


def given_back(rows: Iterable[Transaction]) -> int:
    """Add up what the movements of a refund gave back, less what came back to us."""
    signs = {"REFUND": 1, "REFUND_REVERSAL": -1}
    return sum(signs[row.type] * row.amount for row in rows if row.status == "SUCCEEDED")


def status_by(refund: Refund, rows: Sequence[Transaction]) -> str:
    """Tell the status that its movements call for; one found elsewhere stays EXTERNAL.

    PROCESSING until all are settled. Its lines and their units belong to the whole: they count as
    refunded in PARTIALLY_COMPLETED too, and are free again only when nothing was given back.
    """
    if refund.status == "EXTERNAL":
        return "EXTERNAL"
    if any(row.status in UNSETTLED for row in rows):
        return "PROCESSING"
    given = given_back(rows)
    if given == refund.amount:
        return "COMPLETED"
    return "PARTIALLY_COMPLETED" if given else "FAILED"


def came_back(rows: Iterable[Transaction], row: Transaction) -> bool:
    """Tell whether a movement that gave money back was reversed. [faults R-3]"""
    where = (row.refund_id, row.payment_id)
    return any(
        one.type == "REFUND_REVERSAL" and (one.refund_id, one.payment_id) == where for one in rows
    )
