"""The address that Zip calls when an order changes, and the check of such a call.

What Zip sends to a `statusCallbackUrl`, and whether it signs it, is not public. So the address
itself is the proof: it names the payment and carries a signature that only we can make, and the
body is believed in nothing. [requirements 1B.2, Callbacks; faults W-1 to W-5]
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from counterfoil.gateways.port import HookRefused
from counterfoil.order.gateway import Notice

REFERENCE = "for"
SIGNATURE = "signature"
TOPIC = "order.status"
BODY_BYTES_MAX = 65_536
_REFERENCE_MAX = 200
_LABEL = b"counterfoil zip callback 1"


def callback_key(client_secret: str, callback_secret: str | None) -> bytes:
    """Make the key of the signatures: of a secret of its own, else of the client's.

    Without a secret of its own, a new client secret ends the addresses that are out.
    """
    return hmac.digest((callback_secret or client_secret).encode(), _LABEL, "sha256")


def sign_reference(our_reference: str, key: bytes) -> str:
    """Sign what we call the payment."""
    return hmac.new(key, our_reference.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def signed_address(callback_url: str, our_reference: str, key: bytes) -> str:
    """Make the address to call about one payment from the address of the gateway's hook."""
    return with_query(
        callback_url, {REFERENCE: our_reference, SIGNATURE: sign_reference(our_reference, key)}
    )


def with_query(address: str, more: dict[str, str]) -> str:
    """Add to an address's query; what is there stays, unless it has the same name."""
    parts = urlsplit(address)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in more]
    return urlunsplit(parts._replace(query=urlencode([*query, *more.items()])))


def read_callback(query: Mapping[str, str], body: bytes, at: datetime, key: bytes) -> Notice:
    """Check a call and tell which payment to look at. Raises HookRefused.

    The same news has the same event id. Where the body does not name a status that would tell two
    news apart, the minute does: looking once too often costs a question, missing news an order.
    """
    reference, signature = query.get(REFERENCE, ""), query.get(SIGNATURE, "")
    if not 1 <= len(reference) <= _REFERENCE_MAX or len(body) > BODY_BYTES_MAX:
        raise HookRefused("The address names no payment, or the body is too long.")
    wanted = sign_reference(reference, key)
    if not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace")):
        raise HookRefused("The address was not made by us, or for another payment.")
    status = _status(body)
    parts = (reference, status or at.strftime("%Y-%m-%dT%H:%M"), hashlib.sha256(body).hexdigest())
    event_id = hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()
    return Notice(event_id=f"zip-{event_id[:40]}", topic=TOPIC, our_reference=reference)


def _status(body: bytes) -> str | None:
    """Find the word that tells two news apart, if there is one."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = told.get("orderStatus") or told.get("status") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None
