"""The order: what the shopper bought, from which store, and where it stands on four axes."""

from datetime import datetime
from typing import Any

import msgspec

from counterfoil.order.amounts import Amounts

OPEN_STATES = ("NEW", "PROCESSING", "CANCEL_REQUESTED", "FRAUD", "SUSPENDED")


class Order(Amounts, frozen=True, kw_only=True):
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
    sub_total: int
    shipping_total: int
    tax_total: int
    duty_total: int
    discount_total: int
    total: int
    canceled_total: int = 0
    reopened: int = 0
    worth_refunded: int = 0
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

    @property
    def owed(self) -> int:
        """What may still be taken: its worth less what was, or is being, taken.

        An edit or cancelled lines can make it less than what is open: less is captured then.
        `worth_refunded` went back, or is to, for that reason, and so does not count as taken; what
        any other refund gave back is not taken again.
        """
        taken = self.captured - self.worth_refunded + self.capture_pending
        return max(0, self.total - self.canceled_total - taken)

    @property
    def capturable(self) -> int:
        """What is open and owed: what captures may take, all payments together."""
        return max(0, min(self.open, self.owed))

    @property
    def due(self) -> int:
        """What no payment covers yet; what expired is due again. Never below zero. [rulings 21]

        So is `reopened`: what went back while the order was worth less, and an edit asks for anew.
        """
        worth = self.total - self.canceled_total
        return max(0, worth - self.authorized + self.expired + self.reopened)
