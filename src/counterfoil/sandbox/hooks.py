"""Who hears of changes, what an event looks like, and what can go wrong with telling it."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from counterfoil.sandbox.ledger import instant
from counterfoil.sandbox.wire import Address

_HERE = {"127.0.0.1", "localhost", "::1"}
_ENCODE = msgspec.json.Encoder()
_Name = Annotated[str, Meta(min_length=1, max_length=64)]


class Trick(StrEnum):
    """Everything that can be asked to go wrong with an event: value, what the receiver sees."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Self:
        made = str.__new__(cls, value)
        made._value_ = value
        made.sentence = sentence
        return made

    DUPLICATE = "duplicate", "It comes `count` times at once, under one id."
    REORDER = "reorder", "It waits until a later event was sent, or for `seconds`."
    DELAY = "delay", "It comes `seconds` later."
    DROP = "drop", "The first try is lost on the way; the repeat comes."
    BEFORE_RESPONSE = "before_response", "It comes before the answer to the request."
    NEVER = "never", "It does not come."
    WRONG_SIGNATURE = "wrong_signature", "Signed with another secret."
    OLD_TIMESTAMP = "old_timestamp", "Signed well, but `seconds` ago (default 3600)."
    WRONG_ACCOUNT = "wrong_account", "Signed well, but about another account."
    WRONG_LIVEMODE = "wrong_livemode", "Signed well, but from the other mode."


class NewHook(Struct, forbid_unknown_fields=True):
    """An address on this machine that wants to hear of changes; `account` None: of everybody's.

    `secret` is `whsec_` and base64, or base64 alone. A delivery that is not answered by 2xx is
    tried again, `attempts` in all, after `retry_ms`, twice that, and so on.
    """

    url: Address
    secret: Annotated[str, Meta(min_length=1, max_length=256)]
    account: _Name | None = None
    livemode: bool = False
    attempts: Annotated[int, Meta(ge=1, le=10)] = 4
    retry_ms: Annotated[int, Meta(ge=1, le=60_000)] = 1000

    def fault(self) -> str | None:
        """Say what is wrong with it, if anything is."""
        parts = urlsplit(self.url)
        if parts.scheme != "http" or parts.hostname not in _HERE:
            return "url: only http addresses of this machine are called"
        return None if _secret(self.secret) else "secret: not base64"


class Hook(NewHook, kw_only=True):
    """An address that hears of changes."""

    id: str


class HookView(Struct):
    """An address as it is shown: without its secret."""

    id: str
    url: str
    account: str | None
    livemode: bool


class Event(Struct, frozen=True):
    """What is sent. `created_at` is the time of the change, by the clock of the sandbox."""

    id: str
    type: str
    account: str
    livemode: bool
    created_at: datetime
    payment: str
    operation: str
    reference: str


class Attempt(Struct):
    """One try to tell somebody: the status of the answer, or why there was none."""

    hook: str
    at: datetime
    status: int | None
    note: str | None


class Told(Struct):
    """An event that happened, and how telling it went."""

    seq: int
    event: Event
    attempts: list[Attempt]


class EventMatch(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which events a trick is for; what is left out matches everything."""

    type: str | None = None
    payment: str | None = None
    reference: str | None = None
    account: str | None = None


class TrickScript(Struct, forbid_unknown_fields=True):
    """What shall go wrong with telling, how often (null: always)."""

    trick: Trick
    match: EventMatch = EventMatch()
    times: Annotated[int, Meta(ge=1, le=1_000_000)] | None = 1
    count: Annotated[int, Meta(ge=2, le=100)] = 2
    seconds: Annotated[int, Meta(ge=0, le=10**6)] | None = None


class Deliveries(Struct, forbid_unknown_fields=True):
    """Tell these events now, one after the other in this order, or all at once.

    Ids may repeat. No retries, no scripted tricks but the one named here. `hook` None: every hook
    that is for the event.
    """

    events: Annotated[list[str], Meta(min_length=1, max_length=1000)]
    hook: str | None = None
    at_once: bool = False
    trick: Trick | None = None


class Delivered(Struct):
    """How one delivery went."""

    event: str
    hook: str
    status: int | None
    note: str | None


def event_of(row: Any, *, livemode: bool = False) -> Event:
    """Make the event of a row."""
    return Event(
        id=row["id"], type=row["type"], account=row["account"], livemode=livemode,
        created_at=instant(row["at"]), payment=row["payment"], operation=row["operation"],
        reference=row["reference"],
    )  # fmt: skip


def signed(
    event: Event, hook: Hook, script: TrickScript | None, now_s: int
) -> tuple[dict[str, str], bytes]:
    """Make headers and body as Standard Webhooks has them, spoilt where a trick says so."""
    event = msgspec.structs.replace(event, livemode=hook.livemode)
    secret = _secret(hook.secret)
    match script.trick if script else None:
        case Trick.WRONG_ACCOUNT:
            event = msgspec.structs.replace(event, account="acct_of_somebody_else")
        case Trick.WRONG_LIVEMODE:
            event = msgspec.structs.replace(event, livemode=not hook.livemode)
        case Trick.WRONG_SIGNATURE:
            secret = b"nobody knows this secret"
        case Trick.OLD_TIMESTAMP:
            now_s -= 3600 if script is None or script.seconds is None else script.seconds
    body = _ENCODE.encode(event)
    content = f"{event.id}.{now_s}.".encode() + body
    mark = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "webhook-id": event.id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": f"v1,{mark}",
    }, body


def _secret(text: str) -> bytes:
    """Read a secret; empty where it is none."""
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""
