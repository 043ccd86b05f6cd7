"""The shapes on the wire. Amounts are whole minor units, times are UTC."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

Amount = Annotated[int, Meta(ge=1, le=10**12 - 1, description="Minor units.")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217.")]
Reference = Annotated[
    str, Meta(min_length=1, max_length=100, description="The caller's own name for it.")
]
Address = Annotated[str, Meta(pattern=r"^https?://[^\s]+$", max_length=2048)]
Status = Literal[
    "pending", "authorized", "partially_captured", "captured", "voided", "expired", "declined",
    "abandoned",
]  # fmt: skip
Kind = Literal["authorize", "capture", "void", "refund", "acknowledge", "expire"]


class Authorize(Struct, forbid_unknown_fields=True):
    """Reserve money on a card, or take it at once with `capture`.

    With `redirect` the shopper confirms on a page of ours and goes back to `return_url`, to which
    `payment=` is added. `renews` names an earlier payment whose card is charged again; what that
    payment still holds is not touched.
    """

    amount: Amount
    currency: Currency
    reference: Reference
    capture: bool = False
    magic: bool = False
    hold_seconds: Annotated[int, Meta(ge=1, le=366 * 86400)] | None = None
    redirect: bool = False
    return_url: Address | None = None
    renews: str | None = None


class Move(Struct, forbid_unknown_fields=True):
    """Capture, void or refund a part. A `final` capture releases what is left uncaptured."""

    amount: Amount
    currency: Currency
    reference: Reference
    final: bool = False


class Acknowledge(Struct, forbid_unknown_fields=True):
    """Confirm that the order was taken; the authorisation no longer expires."""

    reference: Reference


class Also(Struct):
    """What an operation did beside its own kind, over which amount."""

    kind: Literal["capture", "void"]
    amount: int


class Operation(Struct):
    """One thing that was asked for, and how it ended.

    `also`: an authorisation that took the money at once, a final capture that released the rest.
    `fee` is what we keep of a capture. `redirect_url` is where the shopper decides.
    """

    id: str
    payment: str
    kind: Kind
    status: Literal["succeeded", "declined", "pending", "failed"]
    amount: int
    currency: str
    reference: str
    code: str | None
    message: str | None
    created_at: datetime
    expires_at: datetime | None = None
    redirect_url: str | None = None
    fee: int = 0
    also: Also | None = None


class Payment(Struct):
    """One authorisation and everything that became of it."""

    id: str
    reference: str
    account: str
    status: Status
    currency: str
    authorized: int
    captured: int
    voided: int
    expired: int
    refunded: int
    magic: bool
    renews: str | None
    redirect_url: str | None
    created_at: datetime
    acknowledged_at: datetime | None
    expires_at: datetime | None
    operations: list[Operation]


class Operations(Struct):
    """What was found by a reference; empty where it is not known (yet)."""

    operations: list[Operation]


class Entry(Struct):
    """One effect on money, in the order in which it happened; never changed, never removed.

    `reversal` undoes a refund (capture, void) that had succeeded and failed later.
    """

    seq: int
    operation: str
    kind: Literal["authorize", "capture", "void", "refund", "acknowledge", "expire", "reversal"]
    amount: int
    currency: str
    reference: str
    payment: str
    at: datetime


class Ledger(Struct):
    """Every effect there was."""

    entries: list[Entry]


class ErrorBody(Struct):
    """Why not."""

    code: str
    message: str


class Error(Struct):
    """The body of every refusal; a declined operation is told beside it."""

    error: ErrorBody
    operation: Operation | None = None
