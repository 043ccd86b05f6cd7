"""The order: what the shopper bought, from which store, and where it stands on four axes."""

from datetime import datetime
from typing import Any

import msgspec

from counterfoil.order.worth import Worth

OPEN_STATES = ("NEW", "PROCESSING", "CANCEL_REQUESTED", "FRAUD", "SUSPENDED")


class Order(Worth, frozen=True, kw_only=True):
    """An order as stored. Amounts are minor units of `currency`; `version` counts its facts.

    The computed axes (financial, fulfilment, is_open, hold flags) are written by the draft alone.
    `unit_count` and `shipped_count` count live units that travel: digital ones do not.
    """

    id: str
    store: str
    channel: str
    external_id: str | None = None
    number: str
    state: str
    system_state: str
    previous_state: str | None = None
    fraud_status: str = "NOT_REQUIRED"
    financial_status: str = "UNPAID"
    fulfillment_status: str = "PROCESSING"
    is_open: bool = True
    hold_capture: bool = False
    hold_shipment: bool = False
    currency: str
    unknown_pending: int = 0
    invoice_number: str | None = None
    merchant_reference: str | None = None
    customer: dict[str, Any] = msgspec.field(default_factory=dict)
    billing_address: dict[str, Any] | None = None
    shipping_address: dict[str, Any] | None = None
    shipping_method: str | None = None
    tags: list[str] = msgspec.field(default_factory=list)
    is_test: bool = False
    exchange_for: str | None = None
    unit_count: int = 0
    shipped_count: int = 0
    create_fingerprint: str | None = None
    placed_at: datetime
    created_at: datetime
    updated_at: datetime
    version: int = 0
