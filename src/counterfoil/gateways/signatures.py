"""Standard Webhooks: is a call to us signed with a secret that we share, and is it fresh?

`webhook-signature` has one or more `v1,BASE64` of HMAC-SHA256 over `id.timestamp.body`, one for
each secret that is valid while secrets are changed. [faults W-1, W-3]
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from counterfoil.gateways.port import GatewayMisconfigured, HookRefused

TOLERANCE_S = 300
SIGNATURES_MAX = 20
_ID_CHARS_MAX = 255
_HEADER_CHARS_MAX = 4096
_DIGITS_MAX = 12


def read_secrets(text: str) -> tuple[bytes, ...]:
    """Read secrets as they are handed out: `whsec_` and base64, several with a space between.

    Raises GatewayMisconfigured.
    """
    try:
        found = tuple(_decode(one.removeprefix("whsec_")) for one in text.split())
    except ValueError:
        raise GatewayMisconfigured("A webhook secret is whsec_ and base64.") from None
    if not all(found):
        raise GatewayMisconfigured("A webhook secret is empty.")
    return found


def check_signature(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], at: datetime
) -> str:
    """Return the id of a call that one of the secrets has signed, not long ago and not ahead.

    `headers` have lower-case names. Raises HookRefused, whatever they contain.
    """
    id_, timestamp, marks = (
        headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not 0 < len(id_) <= _ID_CHARS_MAX or not 0 < len(marks) <= _HEADER_CHARS_MAX:
        raise HookRefused("webhook-id or webhook-signature is missing or too long.")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _DIGITS_MAX):
        raise HookRefused("webhook-timestamp is not a time in seconds.")
    if abs(at.timestamp() - int(timestamp)) > TOLERANCE_S:
        raise HookRefused("webhook-timestamp is more than five minutes off.")
    content = f"{id_}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    wanted = [hmac.new(secret, content, hashlib.sha256).digest() for secret in secrets]
    good = False
    for mark in marks.split(" ")[:SIGNATURES_MAX]:
        version, _, sent = mark.partition(",")
        if version == "v1":
            # Each is compared with each, and none ends it: time tells nothing.
            good |= bool(sum(hmac.compare_digest(_maybe(sent), one) for one in wanted))
    if not good:
        raise HookRefused("No secret of ours has signed this.")
    return id_


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _maybe(text: str) -> bytes:
    try:
        return _decode(text)
    except (binascii.Error, ValueError):
        return b""
