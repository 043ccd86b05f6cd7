"""The hold: a named reason that blocks capture, shipment or both until it is released."""

from datetime import datetime
from typing import Any

import msgspec

#: Why an order is held. [rulings 45]
REASON_CODES = (
    "AWAITING_PAYMENT",
    "HIGH_RISK_OF_FRAUD",
    "INCORRECT_ADDRESS",
    "INVENTORY_OUT_OF_STOCK",
    "OTHER",
)

#: The handle of the hold that keeps goods while something is due. It ends by itself.
AWAITING_PAYMENT = "awaiting-payment"


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold as stored. Holds stack; each is released on its own. [domain.md §1, N-25]

    `owner` is who sees to it, in words: a person or a team. `answer_by` is when they should have
    dealt with it; the API calls it `due_at`. The `due_at` here is the lane's: when an open hold is
    released by itself, at its `auto_release_at`.
    """

    id: str
    order_id: str
    handle: str
    reason_code: str = "OTHER"
    note: str | None = None
    blocks: list[str]
    placed_by: dict[str, Any]
    placed_at: datetime
    owner: str | None = None
    answer_by: datetime | None = None
    auto_release_at: datetime | None = None
    due_at: datetime | None = None
    released_by: dict[str, Any] | None = None
    released_at: datetime | None = None
