"""The cancellation: one plan to release, give back and keep; resumable until it is finished."""

from datetime import datetime
from typing import Any

import msgspec

from counterfoil.order.transaction import Allocation


class CanceledLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line, and how many of its units are cancelled.

    Of these, `refunded` had been given back as lines of a refund before: nothing goes back for
    them again.
    """

    item_id: str
    quantity: int
    refunded: int = 0


class WantedCancel(msgspec.Struct, frozen=True, kw_only=True):
    """A cancellation as it is asked for: of the whole order, of a bag, or of units of lines.

    `lines` may be of several bags, or of `bag_id` alone where that is named too. `again` is the
    cancellation of a part whose money is tried to be given back again. [domain.md §7]
    """

    reason: str | None = None
    reason_code: str = "OTHER"
    notify_customer: bool = False
    restock_items: bool = True
    bag_id: str | None = None
    lines: tuple[CanceledLine, ...] = ()
    again: str | None = None

    @property
    def whole(self) -> bool:
        """Whether it asks for all of the order."""
        return self.bag_id is None and not self.lines and self.again is None


class Cancellation(msgspec.Struct, frozen=True, kw_only=True):
    """A cancellation as stored. One may run per order.

    `amount` is what goes back of a bag or of lines, and `allocations` of which bags; None is
    everything that is open or was taken, and the order itself. A part's goods are cancelled when
    it begins, and its money follows. `again_of` is the part whose money this one tries to give
    back after a step was refused: its goods were cancelled by that. [domain.md §7, rulings 27,
    U-31…U-33]
    """

    id: str
    order_id: str
    bag_id: str | None = None
    again_of: str | None = None
    lines: list[CanceledLine] = []
    amount: int | None = None
    allocations: list[Allocation] = []
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

    @property
    def whole(self) -> bool:
        """Whether it is of the order, and not of a part of it."""
        return self.amount is None
