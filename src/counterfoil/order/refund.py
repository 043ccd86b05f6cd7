"""The refund: a promise to give money back, under a reference that is used once."""

from datetime import datetime
from typing import Any

import msgspec

from counterfoil.order.transaction import Allocation


class RefundLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which line, how many units, how much."""

    item_id: str
    quantity: int
    amount: int


class PlannedPart(msgspec.Struct, frozen=True, kw_only=True):
    """What of a refund goes back through one payment, and whose bags bear it."""

    payment_id: str
    amount: int
    allocations: list[Allocation]


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as stored. `reference` is unique per store. [Z-9, domain.md §6, V-12…V-16]

    `plan` says through which payments it goes, in the order of `payment_order`.
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
    external_id: str | None = None
    plan: list[PlannedPart] = []
    payment_order: str | None = None
    approved_by: dict[str, Any] | None = None
    decided_at: datetime | None = None
    decision_note: str | None = None
    actor: dict[str, Any]
    created_at: datetime
    updated_at: datetime
