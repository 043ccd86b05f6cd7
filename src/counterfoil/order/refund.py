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


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as stored. `reference` is unique per store. [Z-9, domain.md §6, V-12…V-16]"""

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
    actor: dict[str, Any]
    created_at: datetime
    updated_at: datetime
