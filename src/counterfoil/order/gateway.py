"""What the domain says to a gateway and hears from one: pure nouns, no network."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field


class Kind(StrEnum):
    """What a call asks for; the words are those of a transaction's type."""

    AUTHORIZE = "AUTHORIZE"
    CAPTURE = "CAPTURE"
    VOID = "VOID"
    REFUND = "REFUND"
    ACKNOWLEDGE = "ACKNOWLEDGE"


class Outcome(StrEnum):
    """What is known about a call after one exchange with the provider.

    [faults §1] There is no fifth: what is not certain is UNKNOWN, and its amount stays reserved.
    """

    SUCCEEDED = "SUCCEEDED"
    """The provider says that it is done."""
    DECLINED = "DECLINED"
    """The provider says no for good; no money moved and none will for this transaction."""
    NOT_EXECUTED = "NOT_EXECUTED"
    """This exchange had no effect; the same transaction may be sent again. It says nothing about
    an earlier exchange whose outcome is unknown."""
    UNKNOWN = "UNKNOWN"
    """Anything else; only asking again can tell."""


class Capabilities(Struct, frozen=True):
    """What a gateway can do. `instant` needs no provider; times are whole seconds and days."""

    instant: bool = False
    partial_capture: bool = True
    multi_capture: bool = True
    partial_void: bool = True
    hold_seconds: int | None = None
    acknowledge: bool = False
    query: bool = True
    asynchronous: bool = False
    refund_window_days: int | None = None


class Call(Struct, frozen=True):
    """One movement that we want at the provider. Amounts in minor units.

    `transaction_id` is the idempotency key, the same at every repeat; `our_reference` is what the
    provider can be asked by. An AUTHORIZE that carries a `payment_reference` moves nothing: the
    checkout authorised already, and the provider is asked whether that is true. [rulings 22]
    """

    kind: Kind
    transaction_id: str
    our_reference: str
    payment_reference: str | None
    amount: int
    currency: str
    order_number: str
    flow: str = "auth"


class Answer(Struct, frozen=True):
    """What one exchange told. `amount` is the provider's own figure, in minor units.

    `raw` is the exchange with everything secret taken out, fit to be stored and shown.
    """

    outcome: Outcome
    gateway_transaction_id: str | None = None
    payment_reference: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    amount: int | None = None
    retry_after_s: int | None = None
    raw: dict[str, Any] = field(default_factory=dict)


class Movement(Struct, frozen=True):
    """One line of a provider's own account of a payment; `our_reference` is None where not ours."""

    kind: str
    amount: int
    gateway_transaction_id: str
    our_reference: str | None
    at: datetime


class Statement(Struct, frozen=True):
    """A payment as the provider sees it: totals, and every movement that took effect.

    Sync Payments compares it with ours. [U-27, rulings 26]
    """

    payment_reference: str
    currency: str
    authorized: int
    captured: int
    voided: int
    expired: int
    refunded: int
    expires_at: datetime | None = None
    movements: list[Movement] = field(default_factory=list)
