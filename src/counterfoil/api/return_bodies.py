"""The bodies of requests about goods that come back; unknown fields are refused."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from counterfoil.api.bodies import Id, PaymentOrder, ReasonCode, Reference, Sentence
from counterfoil.api.lists import Cursor, Limit, Texts
from counterfoil.kernel.page import LIMIT
from counterfoil.order.goods_return import (
    ReceivedLine,
    Replacement,
    ReturnRefund,
    WantedReturn,
    WantedReturnLine,
)
from counterfoil.order.intake import MINOR_MAX, Name, Quantity

Resolution = Literal["REFUND", "EXCHANGE", "STORE_CREDIT", "NONE"]
Status = Literal["REQUESTED", "APPROVED", "REJECTED", "RECEIVED", "CLOSED"]
ReturnReason = Literal[
    "UNWANTED", "WRONG_SIZE", "NOT_AS_DESCRIBED", "DEFECTIVE", "DAMAGED", "WRONG_ITEM", "LATE",
    "COULD_NOT_DELIVER", "OTHER",
]
Condition = Literal["AS_NEW", "OPENED", "DAMAGED", "DEFECTIVE", "WRONG_ITEM"]
Amount = Annotated[int, Meta(ge=0, le=MINOR_MAX)]
Positive = Annotated[int, Meta(ge=1, le=MINOR_MAX)]
Some = Annotated[int, Meta(ge=0, le=1_000_000)]


class ReturnQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which returns; a filter that is there several times means any of its values."""

    limit: Limit = LIMIT
    cursor: Cursor | None = None
    status: list[Status] = []
    resolution: list[Resolution] = []
    store: Texts = []
    order: str | None = None


class ReturnLineBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line that is to come back, how many units of it, and why where it differs."""

    item_id: Id
    quantity: Quantity
    reason_code: ReturnReason | None = None


class ReplacementBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the shopper gets instead."""

    sku: Annotated[str, Meta(max_length=200)] | None = None
    name: Name
    quantity: Quantity
    unit_price: Amount


class ReturnRefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How money goes back when goods have come in; an absent reference is made.

    `amount` is what goes back when all has come in; absent, what was paid less the fee.
    """

    reference: Reference | None = None
    amount: Positive | None = None
    shipping_amount: Amount | None = None
    reason: Sentence | None = None
    reason_code: ReasonCode = "CUSTOMER"
    notify_customer: bool = False
    payment_id: Id | None = None
    payment_order: PaymentOrder | None = None


class ReturnBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What comes back, and what the shopper gets for it.

    Without lines it is what is in the shipment, else all of the bag that may come back. An absent
    fee is the store's usual one. `received`: it is all here already.
    """

    lines: Annotated[list[ReturnLineBody], Meta(max_length=1000)] = []
    resolution: Resolution = "REFUND"
    reason_code: ReturnReason = "OTHER"
    note: Sentence | None = None
    restock_items: bool = True
    notify_customer: bool = False
    received: bool = False
    fee: Amount | None = None
    shipment_id: Id | None = None
    override_window: bool = False
    replacement: Annotated[list[ReplacementBody], Meta(max_length=100)] = []
    refund: ReturnRefundBody = ReturnRefundBody()
    dry_run: bool = False

    def wanted(self) -> WantedReturn:
        """Give the return as the action takes it."""
        return WantedReturn(
            lines=[
                WantedReturnLine(
                    item_id=line.item_id, quantity=line.quantity, reason_code=line.reason_code
                )
                for line in self.lines
            ],
            resolution=self.resolution,
            reason_code=self.reason_code,
            note=self.note,
            restock_items=self.restock_items,
            notify_customer=self.notify_customer,
            received=self.received,
            fee=self.fee,
            shipment_id=self.shipment_id,
            override_window=self.override_window,
            replacement=[
                Replacement(
                    sku=one.sku, name=one.name, quantity=one.quantity, unit_price=one.unit_price
                )
                for one in self.replacement
            ],
            refund=ReturnRefund(
                reference=self.refund.reference,
                amount=self.refund.amount,
                shipping_amount=self.refund.shipping_amount,
                reason=self.refund.reason,
                reason_code=self.refund.reason_code,
                notify_customer=self.refund.notify_customer,
                payment_id=self.refund.payment_id,
                payment_order=self.refund.payment_order,
            ),
        )


class ReceivedLineBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units of a line that came in, in what condition, and what becomes of them."""

    item_id: Id
    quantity: Quantity
    condition: Condition | None = None
    restocked: Some | None = None
    written_off: Some | None = None


class ReceiptBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What came in; all that is missing where no lines are sent."""

    lines: Annotated[list[ReceivedLineBody], Meta(max_length=1000)] = []
    dry_run: bool = False

    def received(self) -> list[ReceivedLine]:
        """Give the lines as the action takes them."""
        return [
            ReceivedLine(
                item_id=line.item_id,
                quantity=line.quantity,
                condition=line.condition,
                restocked=line.restocked,
                written_off=line.written_off,
            )
            for line in self.lines
        ]
