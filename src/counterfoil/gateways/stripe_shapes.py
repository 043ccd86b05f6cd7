"""What we read of Stripe's objects, and what of an exchange is kept for people.

A shape names only what matters, and requires it: an answer that lacks it proves nothing. Amounts
are Stripe's own units, times are seconds since 1970. [faults §1]
"""

import json
import re
from contextlib import suppress
from typing import Annotated, Any, TypeVar

import msgspec

from counterfoil.gateways.port import presentable
from counterfoil.gateways.stripe_transport import Heard
from counterfoil.kernel.http import HttpFailure, NotSent

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Metadata = dict[str, str]
#: A client secret lets its holder confirm the payment; it may stand in any text.
_CLIENT_SECRET = re.compile(r"\b(?:pi|seti)_\w+_secret_\w+")
_INTENT_ID = re.compile(r"pi_\w{1,250}", re.ASCII)
#: Who the shopper is stays where it is kept and can be erased; the log of calls is neither.
_LEFT_OUT = frozenset(
    (
        "client_secret", "billing_details", "shipping", "receipt_email", "receipt_url",
        "fingerprint", "payer_details", "network_token", "fraud_details",
    )
)  # fmt: skip


class Card(msgspec.Struct):
    """What the card network said of the hold."""

    capture_before: int | None = None


class Method(msgspec.Struct):
    """How it was paid."""

    card: Card | None = None


class Balance(msgspec.Struct):
    """What reached our balance at Stripe; the fee is in the balance's own currency."""

    fee: int
    currency: str


class Charge(msgspec.Struct):
    """One attempt to take or hold the money."""

    id: Id
    created: int | None = None
    status: str | None = None
    amount_captured: int | None = None
    balance_transaction: Balance | str | None = None
    payment_method_details: Method | None = None


class Redirect(msgspec.Struct):
    """Where the shopper has to go."""

    url: str | None = None


class Action(msgspec.Struct):
    """What the shopper has to do."""

    redirect_to_url: Redirect | None = None


class Trouble(msgspec.Struct):
    """Why an attempt came to nothing."""

    code: str | None = None
    decline_code: str | None = None
    message: str | None = None


class Intent(msgspec.Struct):
    """A PaymentIntent: one payment with all its attempts."""

    id: Id
    amount: int
    currency: str
    status: str
    metadata: Metadata | None = None
    created: int | None = None
    capture_method: str | None = None
    amount_received: int | None = None
    latest_charge: Charge | str | None = None
    next_action: Action | None = None
    last_payment_error: Trouble | None = None
    cancellation_reason: str | None = None
    canceled_at: int | None = None
    customer: str | None = None
    payment_method: str | None = None

    def marked(self, name: str) -> str | None:
        """Read one of our references."""
        return (self.metadata or {}).get(name)

    @property
    def charge(self) -> Charge | None:
        """Its newest charge, where the answer spells it out."""
        return self.latest_charge if isinstance(self.latest_charge, Charge) else None

    @property
    def charge_id(self) -> str:
        """What a capture is known by: there is one at most, and it is of the newest charge."""
        if isinstance(self.latest_charge, Charge):
            return self.latest_charge.id
        return self.latest_charge or self.id


class Refund(msgspec.Struct):
    """Money on its way back; it may still fail after weeks."""

    id: Id
    amount: int
    currency: str
    status: str | None
    payment_intent: str | None
    created: int
    metadata: Metadata | None = None
    failure_reason: str | None = None

    def marked(self, name: str) -> str | None:
        """Read one of our references."""
        return (self.metadata or {}).get(name)


class Refunds(msgspec.Struct):
    """One page of refunds, newest first."""

    data: list[Refund]
    has_more: bool


class Intents(msgspec.Struct):
    """One page of payments."""

    data: list[Intent]
    has_more: bool


class Halted(msgspec.Struct):
    """The payment as an error tells it."""

    id: Id
    status: str


class Refusal(msgspec.Struct):
    """Why not: a kind of error, mostly with a code."""

    type: str
    code: str | None = None
    decline_code: str | None = None
    message: str | None = None
    payment_intent: Halted | None = None


class Refused(msgspec.Struct):
    """The body of every answer that is no success."""

    error: Refusal


Shape = TypeVar("Shape")


def is_intent_id(text: str) -> bool:
    """Tell whether it can be the name of a PaymentIntent."""
    return _INTENT_ID.fullmatch(text) is not None


def read(body: bytes | str, shape: type[Shape]) -> Shape | None:
    """Read a body as a shape; None where it is cut, is no JSON or lacks what matters."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError, RecursionError):
        return None


def keep(exchanges: list[Heard], secrets: tuple[str, ...]) -> dict[str, Any]:
    """Keep the last exchange for people, and what went before it: nothing secret. [rulings 45]"""
    if not exchanges:
        return {"note": "Stripe was not asked."}
    *before, last = (_kept(one, secrets) for one in exchanges)
    return {**last, "before": before} if before else last


def _kept(heard: Heard, secrets: tuple[str, ...]) -> dict[str, Any]:
    path = "/" + heard.url.split("/", 3)[3]
    request = {
        "method": heard.method,
        "path": presentable(path, secrets),
        "body": presentable(heard.body, secrets) or None,
    }
    outcome = heard.outcome
    if isinstance(outcome, HttpFailure):
        text = presentable(str(outcome), secrets)
        sent = not isinstance(outcome, NotSent)
        return {
            "request": request,
            "failure": {"code": outcome.code, "message": text, "sent": sent},
        }
    answer = {
        "status": outcome.status,
        "body": presentable(_without_secrets(outcome.body), secrets),
        "truncated": outcome.truncated,
        "request_id": presentable(outcome.headers.get("request-id", ""), secrets) or None,
    }
    return {"request": request, "answer": answer, "elapsed_ms": outcome.elapsed_ms}


def _without_secrets(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        text = json.dumps(_pruned(json.loads(text)), ensure_ascii=False, separators=(",", ":"))
    return _CLIENT_SECRET.sub("[hidden]", text)


def _pruned(told: Any) -> Any:
    """Leave out what is secret, what is about the shopper, and what says nothing."""
    if isinstance(told, list):
        return [_pruned(one) for one in told]
    if isinstance(told, dict):
        return {
            name: _pruned(one)
            for name, one in told.items()
            if name not in _LEFT_OUT and one is not None and one not in ({}, [])
        }
    return told
