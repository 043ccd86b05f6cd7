"""The return: goods of one bag that come back, and what the shopper gets for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

RESOLUTIONS = ("REFUND", "EXCHANGE", "STORE_CREDIT", "NONE")
#: Why goods come back; one for the return, and where it differs one for a line.
RETURN_REASONS = (
    "UNWANTED",
    "WRONG_SIZE",
    "NOT_AS_DESCRIBED",
    "DEFECTIVE",
    "DAMAGED",
    "WRONG_ITEM",
    "LATE",
    "COULD_NOT_DELIVER",
    "OTHER",
)
#: In what state goods came back.
CONDITIONS = ("AS_NEW", "OPENED", "DAMAGED", "DEFECTIVE", "WRONG_ITEM")
#: Statuses in which goods may still come in.
EXPECTED = ("REQUESTED", "APPROVED", "RECEIVED")


class ReturnLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that comes back: units announced, and what became of those that came in.

    received = restocked + written_off, and no more than quantity.
    """

    item_id: str
    quantity: int
    reason_code: str | None = None
    received: int = 0
    restocked: int = 0
    written_off: int = 0
    condition: str | None = None

    @property
    def missing(self) -> int:
        """Units that have not come in."""
        return self.quantity - self.received


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """What the shopper gets instead: a line of the linked order. [rulings 34]"""

    sku: str | None = None
    name: str
    quantity: int
    unit_price: int


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """A return as stored. Only units that have left can come back. [V-6…V-11, rulings 33, 34]

    `fee` is kept of what comes in, once. `refund_wanted` is how the refund was asked for, its
    reference reserved in `refund_reference`; `refund_id` is the newest refund made of it. `worth`
    is what came in was worth to the shopper, `credit` what of it is set against the linked order
    of an exchange or kept for later. `late`: taken back after the store's window, by somebody who
    may.
    """

    id: str
    order_id: str
    bag_id: str
    store: str
    merchant: str
    position: int
    status: str = "REQUESTED"
    resolution: str
    lines: list[ReturnLine]
    reason_code: str = "OTHER"
    note: str | None = None
    restock_items: bool = True
    notify_customer: bool = False
    fee: int = 0
    shipment_id: str | None = None
    refund_reference: str | None = None
    refund_wanted: dict[str, Any] | None = None
    refund_id: str | None = None
    replacement: list[Replacement] = []
    exchange_order_id: str | None = None
    worth: int = 0
    credit: int = 0
    late: bool = False
    requested_by: dict[str, Any]
    decided_by: dict[str, Any] | None = None
    decision_note: str | None = None
    created_at: datetime
    decided_at: datetime | None = None
    received_at: datetime | None = None
    closed_at: datetime | None = None
    updated_at: datetime

    @property
    def expected(self) -> bool:
        """Whether units of it may still come in."""
        return self.status in EXPECTED and any(line.missing for line in self.lines)

    @property
    def begun(self) -> bool:
        """Whether something of it has come in."""
        return any(line.received for line in self.lines)

    @property
    def fee_kept(self) -> int:
        """What was kept of it so far: the fee, as far as what came in is worth it."""
        return min(self.fee, self.worth)


class WantedReturnLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is to come back, and why where it is not what the whole return says.

    `condition` is said where the goods are here already.
    """

    item_id: str
    quantity: int
    reason_code: str | None = None
    condition: str | None = None


class ReturnRefund(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the refund of a return is wanted, kept with it until goods come in.

    `amount` is what goes back when all of it has come in, the fee taken off; absent, what was paid.
    `shipping_amount` goes back with the first goods that come in.
    """

    reference: str | None = None
    amount: int | None = None
    shipping_amount: int | None = None
    reason: str | None = None
    reason_code: str = "CUSTOMER"
    notify_customer: bool = False
    payment_id: str | None = None
    payment_order: str | None = None


class WantedReturn(msgspec.Struct, frozen=True, kw_only=True):
    """A return as it is asked for.

    Without lines it is what is in the shipment, else all of the bag that left and has not come
    back. An absent fee is the store's usual one. `received`: it is all here already.
    """

    lines: Sequence[WantedReturnLine] = ()
    resolution: str = "REFUND"
    reason_code: str = "OTHER"
    note: str | None = None
    restock_items: bool = True
    notify_customer: bool = False
    received: bool = False
    fee: int | None = None
    shipment_id: str | None = None
    override_window: bool = False
    replacement: Sequence[Replacement] = ()
    refund: ReturnRefund = ReturnRefund()


class ReceivedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a line that came in, in what condition, and what becomes of them.

    What is not said of restocked and written off follows from the other, else from the condition.
    """

    item_id: str
    quantity: int
    condition: str | None = None
    restocked: int | None = None
    written_off: int | None = None
