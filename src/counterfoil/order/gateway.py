"""What the domain says to a gateway and hears from one: pure nouns, no network."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

#: The code of an answer that is still to come: the provider has it and has not decided.
PENDING = "pending"
#: The code of a question that the provider cannot answer. Repeating the very same request under
#: its key, for as long as the provider remembers keys, is the documented way to find out.
CANNOT_TELL = "cannot_tell"


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
    """What a gateway can do. `instant` needs no provider; times are whole seconds and days.

    `query`: it can be asked by our reference what became of a movement. `redirect`: the shopper
    confirms at the provider's page. `reauthorize`: a new hold can be had from an earlier payment.
    `hooks`: it tells us of changes. `card`: the shopper paid by card. `exponents` are decimals of
    currencies that the provider counts otherwise than ISO 4217; `multiples` what an amount in the
    provider's smallest unit must be divisible by.
    """

    instant: bool = False
    partial_capture: bool = True
    multi_capture: bool = True
    partial_void: bool = True
    hold_seconds: int | None = None
    acknowledge: bool = False
    query: bool = True
    asynchronous: bool = False
    refund_window_days: int | None = None
    redirect: bool = False
    reauthorize: bool = False
    hooks: bool = False
    card: bool = False
    exponents: dict[str, int] = {}
    multiples: dict[str, int] = {}


class Basket(Struct, frozen=True):
    """What the shopper is about to pay for, where a provider wants to show it. Minor units.

    `customer` and the addresses are those of the order; `lines` its items.
    """

    customer: dict[str, Any]
    billing_address: dict[str, Any] | None
    shipping_address: dict[str, Any] | None
    lines: list[dict[str, Any]]
    shipping_total: int
    tax_total: int


class Booked(Struct, frozen=True):
    """What our book holds as done on the payment, for providers that tell totals alone.

    `sole`: nothing else of the payment is unsettled, so that a total proves what became of the
    one movement that is asked about.
    """

    captured: int = 0
    voided: int = 0
    refunded: int = 0
    sole: bool = True


class Call(Struct, frozen=True):
    """One movement that we want at the provider. Amounts in minor units.

    `transaction_id` is the idempotency key, the same at every repeat; `our_reference` is what the
    provider can be asked by. An AUTHORIZE that carries a `payment_reference` moves nothing: the
    checkout authorised already, and the provider is asked whether that is true. [rulings 22]
    `return_url` is where the shopper comes back to, `callback_url` where the provider may call;
    `renews` is the provider's id of the payment that a new authorisation takes the place of.
    """

    kind: Kind
    transaction_id: str
    our_reference: str
    payment_reference: str | None
    amount: int
    currency: str
    order_number: str
    flow: str = "auth"
    return_url: str | None = None
    callback_url: str | None = None
    renews: str | None = None
    basket: Basket | None = None
    booked: Booked = Booked()


class Answer(Struct, frozen=True):
    """What one exchange told. `amount` and `fee` are the provider's own figures, in minor units.

    An authorisation that waits for the shopper is UNKNOWN with the code `pending` and the
    `redirect_url` to send the shopper to. `expires_at` is the provider's own word on its hold.
    `raw` is the exchange with everything secret taken out, fit to be stored and shown.
    """

    outcome: Outcome
    gateway_transaction_id: str | None = None
    payment_reference: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    amount: int | None = None
    retry_after_s: int | None = None
    redirect_url: str | None = None
    expires_at: datetime | None = None
    fee: int | None = None
    raw: dict[str, Any] = field(default_factory=dict)


class Movement(Struct, frozen=True):
    """One line of a provider's own account of a payment; `our_reference` is None where not ours.

    `kind` is a transaction's type, `status` is succeeded, pending or failed: a refund that was
    accepted may still fail.
    """

    kind: str
    amount: int
    gateway_transaction_id: str
    our_reference: str | None
    at: datetime
    status: str = "succeeded"
    fee: int | None = None


class Statement(Struct, frozen=True):
    """A payment as the provider sees it: totals, and every movement that it knows of.

    `itemised`: the movements are all there are; otherwise only the totals tell. `status` is the
    provider's own word for the payment. Sync Payments compares it with ours. [U-27, rulings 26]
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
    itemised: bool = True
    status: str | None = None


class Notice(Struct, frozen=True):
    """What a provider's call to us says, once its signature is good: only where to look.

    The state is fetched from the provider afterwards, never taken from here. [faults W-5]
    """

    event_id: str
    topic: str
    payment_reference: str | None = None
    our_reference: str | None = None
