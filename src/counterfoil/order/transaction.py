"""The transaction: one movement on a payment. Rows are added, settled once, never changed after."""

from datetime import datetime
from typing import Any

import msgspec

UNSETTLED = ("PENDING", "UNKNOWN")


class Allocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bag's share of an amount, in minor units."""

    bag_id: str
    amount: int


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """A movement as stored: its id is the idempotency key and our reference at the provider.

    A PENDING or UNKNOWN one reserves its amount. Only an ACKNOWLEDGE carries 0. `fee` is what the
    provider says it keeps of it. A REFUND_REVERSAL takes back a refund that was booked and did not
    reach the shopper. A CAPTURE that goes with a shipment names it: each has one at the most.
    [domain.md §6, faults R-3]
    """

    id: str
    order_id: str
    payment_id: str
    bag_id: str | None = None
    refund_id: str | None = None
    cancellation_id: str | None = None
    shipment_id: str | None = None
    type: str
    status: str
    amount: int
    currency: str
    allocations: list[Allocation] = []
    reference: str | None = None
    gateway_transaction_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    fee: int | None = None
    source: str
    actor: dict[str, Any]
    credential: str | None = None
    idempotency_key: str | None = None
    created_at: datetime
    settled_at: datetime | None = None
    due_at: datetime | None = None
    attempts: int = 0
    lease_until: datetime | None = None
    lease_token: str | None = None
