"""What the API says about each noun: one shape each, word for word what clients rely on."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from counterfoil.order.cancellation import CanceledLine
from counterfoil.order.goods_shapes import ReturnShape, ShipmentShape
from counterfoil.order.money_shapes import ActionShape as ActionShape
from counterfoil.order.money_shapes import AmountsShape as AmountsShape
from counterfoil.order.money_shapes import OrderBriefShape as OrderBriefShape
from counterfoil.order.refund import PlannedPart, RefundLine
from counterfoil.order.transaction import Allocation


class StateShape(msgspec.Struct, frozen=True):
    """The workflow state an order is in."""

    code: str
    name: str
    system_state: str
    colour: str


class MerchantShape(msgspec.Struct, frozen=True):
    """Who fulfils a bag."""

    code: str
    name: str


class ItemShape(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a bag."""

    id: str
    sku: str | None
    name: str
    type: str
    product_id: str | None
    digital: bool
    quantity: int
    unit_price: int
    line_total: int
    delivery_state: str
    delivery_label: str
    quantity_shipped: int
    quantity_returned: int
    quantity_refunded: int
    quantity_canceled: int
    shipping_method: str | None
    shipment_id: str | None
    added_in: str | None


class BagShape(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an order that one merchant fulfils."""

    id: str
    order_id: str
    merchant: MerchantShape
    external_id: str | None
    status: str
    financial_status: str
    fulfillment_status: str
    sub_total: int
    shipping_total: int
    tax_total: int
    duty_total: int
    discount_total: int
    total: int
    canceled_total: int
    amounts: AmountsShape
    items: list[ItemShape]
    shipments: list[ShipmentShape]
    allowed_actions: list[ActionShape]


class PaymentShape(msgspec.Struct, frozen=True, kw_only=True):
    """One authorisation at a gateway.

    `redirect_url` is where the shopper confirms it, while that is waited for; `renews` names the
    payment that it takes the place of, `warned_at` when it was told to expire soon.
    """

    id: str
    order_id: str
    gateway: str
    flow: str
    status: str
    currency: str
    amount: int
    reference: str | None
    provider_reference: str | None
    authorized_at: datetime | None
    acknowledged_at: datetime | None
    expires_at: datetime | None
    warned_at: datetime | None
    renews: str | None
    redirect_url: str | None
    attention: dict[str, Any] | None
    amounts: AmountsShape
    created_at: datetime
    allowed_actions: list[ActionShape]
    order: OrderBriefShape | None = None


class TransactionShape(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of money; `shipment_id` is the parcel that a capture goes with."""

    id: str
    payment_id: str
    order_id: str
    bag_id: str | None
    refund_id: str | None
    shipment_id: str | None = None
    type: str
    status: str
    amount: int
    currency: str
    allocations: list[Allocation]
    reference: str | None
    gateway_transaction_id: str | None
    error_code: str | None
    error_message: str | None
    source: str
    actor: dict[str, Any]
    created_at: datetime
    settled_at: datetime | None
    order: OrderBriefShape | None = None


class RefundShape(msgspec.Struct, frozen=True, kw_only=True):
    """Money promised or given back, under its reference.

    `plan` says through which payments it goes. A dry run explains each figure, and says whether a
    second person would have to approve it.
    """

    id: str
    order_id: str
    bag_id: str | None
    reference: str
    status: str
    amount: int
    currency: str
    reason: str | None
    reason_code: str
    allocations: list[Allocation]
    lines: list[RefundLine]
    shipping_amount: int | None
    tax_amount: int
    fee_amount: int
    restock_items: bool
    notify_customer: bool
    external_id: str | None
    return_id: str | None
    actor: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    allowed_actions: list[ActionShape]
    plan: list[PlannedPart] = []
    payment_order: str | None = None
    approved_by: dict[str, Any] | None = None
    decided_at: datetime | None = None
    decision_note: str | None = None
    transactions: list[TransactionShape] = []
    order: OrderBriefShape | None = None
    approval: Literal["needed", "not_needed"] | UnsetType = UNSET
    explanation: list[str] | UnsetType = UNSET


class HoldShape(msgspec.Struct, frozen=True, kw_only=True):
    """A named reason that blocks.

    `owner` is who sees to it; `due_at` is when they should have dealt with it. At
    `auto_release_at` it ends by itself.
    """

    handle: str
    reason_code: str
    note: str | None
    blocks: list[str]
    placed_by: dict[str, Any]
    placed_at: datetime
    owner: str | None
    due_at: datetime | None
    auto_release_at: datetime | None


class FraudReviewShape(msgspec.Struct, frozen=True, kw_only=True):
    """A fraud review: what called for it, who looks at it, what they decided."""

    id: str
    order_id: str
    status: str
    rule: str
    explanation: str
    assignee: dict[str, Any] | None
    opened_by: dict[str, Any]
    opened_at: datetime
    resolved_at: datetime | None
    decided_by: dict[str, Any] | None
    note: str | None


class NoteShape(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote about an order."""

    id: str
    body: str
    visibility: str
    author: dict[str, Any]
    created_at: datetime


class CancellationShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a cancellation did, with both amounts. [U-33]

    One of a bag or of lines has the `amount` that goes back, and how it falls to bags; of what a
    gateway cannot release in part less is captured. `transactions` are its steps. `again_of` is
    the one whose money this one tries to give back again.
    """

    id: str
    order_id: str
    bag_id: str | None
    again_of: str | None
    lines: list[CanceledLine]
    status: str
    amount: int | None
    allocations: list[Allocation]
    refunded_amount: int
    reversed_amount: int
    currency: str
    email: str
    message: str
    reason: str | None
    reason_code: str
    restock_items: bool
    requested_by: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None
    transactions: list[TransactionShape]
    order: "OrderShape | None" = None


class TaskShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has to see to; `why` says it in a sentence, `context` what is known."""

    id: str
    order_id: str
    order_number: str | None = None
    kind: str
    why: str
    payment_id: str | None
    refund_id: str | None
    status: str
    assignee: str | None
    note: str | None
    context: dict[str, Any]
    created_at: datetime
    done_at: datetime | None
    done_by: dict[str, Any] | None


class SummaryShape(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a list shows it: no items."""

    id: str
    number: str
    version: int
    store: str
    channel: str
    external_id: str | None
    state: StateShape
    display_status: str
    financial_status: str
    fulfillment_status: str
    fraud_status: str
    on_hold: bool
    currency: str
    sub_total: int
    shipping_total: int
    tax_total: int
    duty_total: int
    discount_total: int
    total: int
    amounts: AmountsShape
    customer: dict[str, Any]
    shipping_address: dict[str, Any] | None
    shipping_method: str | None
    invoice_number: str | None
    merchant_reference: str | None
    tags: list[str]
    is_test: bool
    units: dict[str, int]
    attention: list[str]
    allowed_actions: list[ActionShape]
    placed_at: datetime
    created_at: datetime
    updated_at: datetime


class OrderShape(msgspec.Struct, frozen=True, kw_only=True):
    """An order with everything that hangs on it."""

    id: str
    number: str
    version: int
    store: str
    channel: str
    external_id: str | None
    state: StateShape
    display_status: str
    financial_status: str
    fulfillment_status: str
    fraud_status: str
    holds: list[HoldShape]
    fraud_review: FraudReviewShape | None
    currency: str
    sub_total: int
    shipping_total: int
    tax_total: int
    duty_total: int
    discount_total: int
    total: int
    canceled_total: int
    amounts: AmountsShape
    customer: dict[str, Any]
    billing_address: dict[str, Any] | None
    shipping_address: dict[str, Any] | None
    shipping_method: str | None
    invoice_number: str | None
    merchant_reference: str | None
    tags: list[str]
    is_test: bool
    exchange_for: str | None
    bags: list[BagShape]
    payments: list[PaymentShape]
    refunds: list[RefundShape]
    returns: list[ReturnShape]
    notes: list[NoteShape]
    attention: list[str]
    allowed_actions: list[ActionShape]
    placed_at: datetime
    created_at: datetime
    updated_at: datetime


class FactShape(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, when, by whom. `cursor` is its place in the feed, once it has one.

    What happened in another merchant's bag has the type `hidden`, and no data. [rulings 5]
    """

    id: str
    order_id: str
    order_number: str
    sequence: int
    type: str
    data: dict[str, Any] | None
    actor: dict[str, Any]
    at: datetime
    cursor: str | None


class EventShape(FactShape, frozen=True, kw_only=True):
    """A fact in the feed, with what it is about as it is now.

    `current` has the order, marked with its version, and the transaction, refund or shipment that
    the fact names; null where the fact is hidden. [rulings 10]
    """

    current: dict[str, Any] | None = None
