"""The session's form token, written differently each time, so that a compressed page gives no hint.

Pages are compressed and show what visitors typed; a token that never changed could be guessed from
their sizes. [BREACH; faults H-13]
"""

import base64
import binascii
import hmac
import secrets


def masked(token: str) -> str:
    """Write a token under a mask of its own length, the mask first."""
    plain = token.encode()
    mask = secrets.token_bytes(len(plain))
    return base64.urlsafe_b64encode(mask + _xor(mask, plain)).decode()


def matches(given: str, token: str) -> bool:
    """Tell whether what a form carries is the token."""
    plain = token.encode()
    try:
        raw = base64.b64decode(given.encode(), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    half = len(plain)
    if not plain or len(raw) != 2 * half:
        return False
    return hmac.compare_digest(_xor(raw[:half], raw[half:]), plain)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
