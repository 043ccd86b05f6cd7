"""Calls that Stripe makes to us: who signed, when, for which account. [faults W-1, W-3, W-8, W-9]

Nothing of the content is believed but where to look: the state is fetched afterwards. [W-5]
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec
import stripe

from counterfoil.gateways.port import HookRefused
from counterfoil.gateways.stripe_shapes import is_intent_id, read
from counterfoil.gateways.stripe_verdict import REFERENCE
from counterfoil.order.gateway import Notice

TOLERANCE_S = 300
HEADER_CHARS_MAX = 4096
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _About(msgspec.Struct):
    """What the event is about: a payment, or something that names its payment."""

    object: str | None = None
    id: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class _Told(msgspec.Struct):
    object: _About


class _Event(msgspec.Struct):
    id: _Name
    object: str
    type: _Name
    livemode: bool
    data: _Told
    account: str | None = None


class Endpoint(msgspec.Struct, frozen=True):
    """What a call has to match: the secret of the endpoint, the key's mode, the account."""

    secret: str | None
    live: bool
    account: str | None

    def receive(self, headers: Mapping[str, str], body: bytes, at: datetime) -> Notice:
        """Check a call and tell where to look. Raises HookRefused, and nothing else.

        An event names an account only where it is of a connected one.
        """
        header = headers.get("stripe-signature", "")
        if not self.secret:
            raise HookRefused("No secret is set to check Stripe's signature with.")
        if not header or len(header) > HEADER_CHARS_MAX:
            raise HookRefused("There is no Stripe-Signature.")
        try:
            stripe.WebhookSignature.verify_header(body, header, self.secret, None)
        except Exception as wrong:  # malformed input makes the library raise anything
            raise HookRefused("Stripe's signature is not good.") from wrong
        if abs(_time(header) - int(at.timestamp())) > TOLERANCE_S:
            raise HookRefused("Stripe's signature is too old, or of the future.")
        event = read(body, _Event)
        if event is None or event.object != "event":
            raise HookRefused("It is not an event of Stripe.")
        if event.livemode is not self.live:
            raise HookRefused("It is of the other mode, test or live.")
        if event.account != self.account:
            raise HookRefused("It is of another account.")
        return _notice(event)


def _notice(event: _Event) -> Notice:
    about = event.data.object
    payment = about.id if about.object == "payment_intent" else about.payment_intent
    known = payment if payment is not None and is_intent_id(payment) else None
    reference = (about.metadata or {}).get(REFERENCE)
    return Notice(
        event_id=event.id,
        topic=event.type,
        payment_reference=known,
        our_reference=reference if reference and len(reference) <= 255 else None,
    )


def _time(header: str) -> int:
    """Read the time that was signed; the library has read the same part already."""
    parts = (part.split("=", 2) for part in header.split(","))
    return int(next(part[1] for part in parts if part[0] == "t"))
