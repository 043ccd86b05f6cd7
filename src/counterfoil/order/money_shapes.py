"""What the API says of money and of what may be done: parts that other shapes share."""

import msgspec


class AmountsShape(msgspec.Struct, frozen=True, kw_only=True):
    """Money in minor units: what was done, what is open, what is reserved. [rulings 21]"""

    authorized: int
    captured: int
    voided: int
    expired: int
    refunded: int
    open: int
    refundable: int
    pending: int
    refund_pending: int
    due: int


class ActionShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that may be done next; for money, up to how much."""

    action: str
    max_amount: int | None = None


class OrderBriefShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a transaction tells of its order: enough to refresh a list row."""

    id: str
    version: int
    financial_status: str
    display_status: str
    amounts: AmountsShape
