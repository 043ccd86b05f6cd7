"""The Zip shape on the wire: decimals with two places, and the four shapes of its errors."""

import json
from decimal import Decimal
from typing import Any

import msgspec

from counterfoil.sandbox.till import Refused

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_MINOR_MAX = 10**12 - 1

#: What the till refuses, in Zip's status, shape and code. Of Zip's own codes only MRM007 is public.
_REFUSALS = {
    "unauthorized": (401, "problem", "Unauthorized"),
    "partial_capture_not_enabled": (403, "problem", "Forbidden"),
    "payment_not_found": (404, "problem", "Not Found"),
    "malformed": (400, "validation", "validation_error"),
    "amount_too_large": (400, "flat", "MRM007"),
    "declined": (400, "flat", "MRM007"),
    "idempotency_key_reused": (409, "flat", "idempotency_key_reused"),
    "already_voided": (400, "nested", "order_voided"),
    "authorization_expired": (400, "nested", "order_expired"),
}
_ELSE = (400, "nested", "invalid_state")


class Malformed(Refused):
    """A body that cannot be read; names the property."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(400, "malformed", message)
        self.name = name


def read_body(body: bytes) -> dict[str, Any]:
    """Read an object; its numbers are decimals, as they were written. Raises Malformed."""
    try:
        told = json.loads(body or b"{}", parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError) as wrong:
        raise Malformed("body", "It is not JSON.") from wrong
    if not isinstance(told, dict):
        raise Malformed("body", "It is not an object.")
    return told


def read_amount(told: dict[str, Any]) -> int:
    """Read `amount` into hundredths. Raises Malformed."""
    amount = told.get("amount")
    if not isinstance(amount, Decimal) or not amount.is_finite() or abs(amount.adjusted()) > 20:
        raise Malformed("amount", "It must be a number.")
    minor = amount.scaleb(2)
    if minor != int(minor) or not 0 < minor <= _MINOR_MAX:
        raise Malformed("amount", "It must be greater than 0, with 2 decimals at most.")
    return int(minor)


def read_text(told: dict[str, Any], name: str, *, most: int = 100) -> str:
    """Read a text that has to be there. Raises Malformed."""
    found = told.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= most:
        raise Malformed(name, f"It must be a text of 1 to {most} characters.")
    return found


def money(minor: int) -> Decimal:
    """Write hundredths with exactly two decimals."""
    return Decimal(minor).scaleb(-2)


def encode(told: dict[str, Any]) -> bytes:
    """Write an answer; amounts are numbers."""
    return _ENCODE(told)


def error(refused: Refused) -> tuple[int, bytes]:
    """Write a refusal in the shape that its kind has: status and body."""
    status, shape, code = _REFUSALS.get(refused.code, _ELSE)
    message = refused.message
    told: dict[str, Any]
    match shape:
        case "nested":
            details = [{"name": "order", "message": refused.code}]
            told = {"error": {"code": code, "message": message, "details": details}}
        case "flat":
            told = {"errorCode": code, "message": message}
        case "validation":
            name = refused.name if isinstance(refused, Malformed) else "body"
            errors = [{"propertyName": name, "errorMessages": [message]}]
            told = {"message": "Invalid.", "errorCode": code, "isValid": False, "errors": errors}
        case _:
            told = {"type": "about:blank", "title": code, "detail": message, "traceId": "00-00"}
    return status, encode(told)
