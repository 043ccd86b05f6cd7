"""What the sandbox is configured with and what it sends: shapes, and how they are read."""

from datetime import datetime
from typing import Annotated

import msgspec

from counterfoil.order.gateway import Movement

#: Short, and fit for a column of text.
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]


class Settings(msgspec.Struct):
    """Where the sandbox is, how long one exchange may take, and what it shall be unable to do.

    With `magic_amounts` the payments we make let their amounts choose faults. [rulings 49]
    `redirect`: the shopper confirms on the sandbox's page. Calls to us must be about `account`, and
    from its live mode or not. [faults W-9]
    """

    base_url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^/\s]+(/\S*)?$")]
    deadline_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10
    magic_amounts: bool = False
    partial_capture: bool | None = None
    multi_capture: bool | None = None
    partial_void: bool | None = None
    hold_seconds: Annotated[int, msgspec.Meta(ge=1)] | None = None
    acknowledge: bool | None = None
    redirect: bool | None = None
    reauthorize: bool | None = None
    account: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,64}$")] = "acct_sandbox"
    livemode: bool = False


class Credentials(msgspec.Struct):
    """`webhook_secret` is `whsec_` and base64; two with a space between while they change."""

    api_key: Annotated[str, msgspec.Meta(min_length=1, pattern=r"^[\x21-\x7e]+$")]
    webhook_secret: str | None = None


class Also(msgspec.Struct):
    """What an operation did beside its own kind."""

    kind: str
    amount: int


class Operation(msgspec.Struct):
    """What a complete answer must carry; anything less proves nothing."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    payment: Annotated[str, msgspec.Meta(min_length=1)]
    kind: str
    status: str
    amount: int
    currency: str
    reference: str
    created_at: datetime
    code: str | None = None
    message: str | None = None
    expires_at: datetime | None = None
    redirect_url: str | None = None
    fee: Annotated[int, msgspec.Meta(ge=0)] = 0
    also: Also | None = None


class Found(msgspec.Struct):
    """What the status query finds."""

    operations: list[Operation]


class Reason(msgspec.Struct):
    """Why not."""

    code: str
    message: str


class Refusal(msgspec.Struct):
    """An answer that says no, with the declined operation where there is one."""

    error: Reason
    operation: Operation | None = None


class Payment(msgspec.Struct):
    """A payment with everything that became of it."""

    id: str
    status: str
    currency: str
    authorized: int
    captured: int
    voided: int
    expired: int
    refunded: int
    operations: list[Operation]
    expires_at: datetime | None = None


class Event(msgspec.Struct):
    """A call that the sandbox makes to us."""

    id: _Word
    type: _Word
    account: str
    livemode: bool
    payment: _Word | None = None
    reference: Annotated[str, msgspec.Meta(max_length=255, pattern=r"^[^\x00]*$")] = ""


def movements(payment: Payment) -> list[Movement]:
    """List what was asked for, but not what was declined; one operation may have done two things.

    An authorisation that took the money at once is also a CAPTURE, a final capture also a VOID,
    under the same id and reference.
    """
    found = []
    for one in payment.operations:
        if one.status not in ("succeeded", "pending", "failed"):
            continue
        parts = [(one.kind, one.amount), *([(one.also.kind, one.also.amount)] if one.also else [])]
        found += [
            Movement(
                kind=kind.upper(),
                amount=amount,
                gateway_transaction_id=one.id,
                our_reference=one.reference or None,
                at=one.created_at,
                status=one.status,
                fee=one.fee if kind == "capture" and one.status == "succeeded" else None,
            )
            for kind, amount in parts
        ]
    return found


def adds_up(payment: Payment, listed: list[Movement]) -> bool:
    """Tell whether the movements are all there are: word of some may still be on its way."""
    totals = {
        "AUTHORIZE": payment.authorized,
        "CAPTURE": payment.captured,
        "VOID": payment.voided,
        "EXPIRE": payment.expired,
        "REFUND": payment.refunded,
    }
    for one in listed:
        held = one.status == "pending" and one.kind != "AUTHORIZE"
        if one.kind in totals and (held or one.status == "succeeded"):
            totals[one.kind] -= one.amount
    return not any(totals.values())
