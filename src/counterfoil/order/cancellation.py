"""The cancellation: one plan to release, give back and keep; resumable until it is finished."""

from datetime import datetime
from typing import Any

import msgspec


class CanceledLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line, and how many of its units are cancelled."""

    item_id: str
    quantity: int


class Cancellation(msgspec.Struct, frozen=True, kw_only=True):
    """A cancellation as stored. One may be open per order.

    Without `bag_id` and `lines` it is of the whole order. `amount` is what goes back of a bag or of
    lines; None is everything that is open or was taken. [domain.md §7, rulings 27, U-31…U-33]
    """

    id: str
    order_id: str
    bag_id: str | None = None
    lines: list[CanceledLine] = []
    amount: int | None = None
    status: str = "PROCESSING"
    reason: str | None = None
    reason_code: str = "OTHER"
    notify_customer: bool = False
    restock_items: bool = True
    refunded_amount: int = 0
    reversed_amount: int = 0
    requested_by: dict[str, Any]
    credential: str | None = None
    idempotency_key: str | None = None
    created_at: datetime
    finished_at: datetime | None = None
