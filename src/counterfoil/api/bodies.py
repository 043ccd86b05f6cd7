"""The bodies of requests that no action has a struct for; unknown fields are refused."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.actions.decide_payment import Decision
from counterfoil.order.intake import MINOR_MAX, Address, Person, Quantity, WebAddress
from counterfoil.order.transaction import Allocation

Minor = Annotated[int, Meta(ge=-MINOR_MAX, le=MINOR_MAX)]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Code = Annotated[str, Meta(min_length=1, max_length=100)]
Reference = Annotated[str, Meta(min_length=1, max_length=200)]
Sentence = Annotated[str, Meta(max_length=2000)]
Shares = Annotated[list[Allocation], Meta(min_length=1, max_length=100)]
ReasonCode = Literal["OTHER", "CUSTOMER", "INVENTORY", "FRAUD", "DECLINED"]
PaymentOrder = Literal["last_in_first", "first_in_first", "card_first"]


class CaptureBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much to take; all that is open where no amount is sent."""

    amount: Minor | None = None
    payment_id: Id | None = None
    allocations: Shares | None = None
    dry_run: bool = False


class PaymentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How to pay: all that is due where no amount is sent, at the store's default gateway."""

    gateway: Code | None = None
    flow: Literal["auth", "payment"] = "auth"
    amount: Minor | None = None
    reference: Reference | None = None
    return_url: WebAddress | None = None


class DecisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to make of the payment, and what to note beside it."""

    decision: Decision
    note: Sentence | None = None


class TaskDoneBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to note with the task."""

    note: Sentence | None = None


class VoidBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much to release; all that is open where no amount is sent."""

    amount: Minor | None = None
    payment_id: Id | None = None
    allocations: Shares | None = None
    dry_run: bool = False


class LineBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line to refund; what was paid for it where no amount is sent."""

    item_id: Id
    quantity: Quantity
    amount: Minor | None = None


class RefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to give back. An absent amount is lines, shipping and tax, else all that can be.

    An absent tax is what was paid on the lines without an amount and on the shipping. It goes
    through the payments in `payment_order`, or the store's; `payment_id` pins it to one. A fee is
    kept of what comes out. `override_window`: after the store's time for it, by who may approve.
    """

    reference: Reference | None = None
    amount: Minor | None = None
    reason: Sentence | None = None
    reason_code: ReasonCode = "OTHER"
    lines: Annotated[list[LineBody], Meta(max_length=1000)] = []
    shipping_amount: Minor | None = None
    tax_amount: Minor | None = None
    restock_items: bool = False
    notify_customer: bool = False
    payment_id: Id | None = None
    payment_order: PaymentOrder | None = None
    allocations: Shares | None = None
    fee_amount: Minor = 0
    override_window: bool = False
    dry_run: bool = False


class SkuBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line to refund, in the words of V-14."""

    order_sku_id: Id
    quantity_refunded: Quantity
    amount_refunded: Minor | None = None


class ShippingBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Shipping to refund, in the words of V-14."""

    amount: Minor


class BagRefundBody(RefundBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to give back of a bag: the words of an order's refund, or those of V-14."""

    amount_refunded: Minor | None = None
    skus: Annotated[list[SkuBody], Meta(max_length=1000)] = []
    shipping: ShippingBody | None = None


class ApprovalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to note beside the approval."""

    note: Sentence | None = None


class RejectionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why it is rejected."""

    note: Annotated[str, Meta(pattern=r"\S", max_length=2000)]


class StateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the order goes: a state's code."""

    state: Code


class NoteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to write down, and who may read it."""

    body: Annotated[str, Meta(pattern=r"\S", max_length=10_000)]
    visibility: Literal["internal", "customer"] = "internal"


class EditBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; absent fields stay, null empties."""

    invoice_number: Reference | UnsetType | None = UNSET
    merchant_reference: Reference | UnsetType | None = UNSET
    tags: (
        Annotated[list[Annotated[str, Meta(min_length=1, max_length=60)]], Meta(max_length=30)]
        | UnsetType
    ) = UNSET
    customer: Person | UnsetType = UNSET
    billing_address: Address | UnsetType | None = UNSET
    shipping_address: Address | UnsetType | None = UNSET
