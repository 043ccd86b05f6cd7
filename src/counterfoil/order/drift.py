"""Drift: what the provider says and our book does not, or the reverse."""

from datetime import datetime
from typing import Any

import msgspec

#: Every kind of drift, with what to do about it. [rulings 26]
DRIFTS = {
    "beyond_our_limits": "The provider did more than was authorised or captured here. Compare with "
    "the provider's console, then decide on the payment.",
    "amount_differs": "The amounts differ. Ask the provider which is right, then decide on the "
    "payment.",
    "fee_differs": "The fee of the settlement is not the one that was told with the movement. "
    "Check the contract; nothing is booked until you close this line.",
    "missing_there": "We booked a movement that the provider does not have. Look for it at the "
    "provider by our reference; do not send it again by hand.",
    "missing_here": "The provider has a movement that no payment here owns. Find the order it "
    "belongs to, or ask the provider.",
    "currency_differs": "The currencies differ. Nothing is booked; ask the provider.",
    "unreachable": "The provider could not be asked. It is asked again in the next run.",
    "paid_out_twice": "The movement was paid out in an earlier file. Nothing is booked twice.",
}


class DriftLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the drift report as stored. `ours` and `theirs` are minor units."""

    id: str
    gateway: str
    kind: str
    reconciliation_id: str | None = None
    order_id: str | None = None
    payment_id: str | None = None
    transaction_id: str | None = None
    reference: str | None = None
    gateway_transaction_id: str | None = None
    currency: str | None = None
    ours: int | None = None
    theirs: int | None = None
    detail: str | None = None
    status: str = "OPEN"
    note: str | None = None
    resolved_by: dict[str, Any] | None = None
    created_at: datetime
    resolved_at: datetime | None = None
