"""The payout: a movement that the provider has paid out to us, or taken back from us."""

from datetime import datetime

import msgspec


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """A matched line of a settlement file. A transaction is paid out once.

    `amount` is the movement's, `fee` what the provider kept of it, both in minor units.
    `settlement_id` is the reconciliation that read the file, `line` the line in it.
    """

    id: str
    order_id: str
    payment_id: str
    transaction_id: str
    settlement_id: str
    line: int
    amount: int
    fee: int = 0
    currency: str
    settled_at: datetime
    created_at: datetime
