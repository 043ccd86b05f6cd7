"""The one table that sorts what Zip says into the four outcomes, and the reader of its errors.

What is not in the table is UNKNOWN: every 5xx, redirects, statuses that Zip does not document, a
body in none of its four shapes, an order status beyond the six. [requirements 1B.2; faults §1]
"""

from typing import Any

import msgspec

from counterfoil.gateways.port import decode, retry_after_s
from counterfoil.gateways.verdict import Verdict
from counterfoil.kernel.http import Reply
from counterfoil.order.gateway import PENDING, Kind, Outcome

ANY = "*"

#: What is done is answered with these; some endpoints say 202 where 200 is documented.
DONE = (200, 201, 202)

#: Refusals in one of the four shapes: HTTP status and code together, else the status alone. Zip
#: documents what the statuses mean (400 invalid, 402 failed, 403, 404, 409 same idempotency key,
#: 422) and next to no codes; those named here are words of our sandbox.
REFUSALS: dict[tuple[int, str], Outcome] = {
    # Zip has judged: no money moved.
    (400, ANY): Outcome.DECLINED,
    (402, ANY): Outcome.DECLINED,
    (403, ANY): Outcome.DECLINED,
    (404, ANY): Outcome.DECLINED,
    (422, ANY): Outcome.DECLINED,
    # A request with this key is running: this one did nothing, and may come again.
    (409, ANY): Outcome.NOT_EXECUTED,
    # The key did something else before: only asking tells what.
    (409, "idempotency_key_reused"): Outcome.UNKNOWN,
}

#: Turned away at the door, whoever stands there and whatever the body: nobody looked further.
TURNED_AWAY = {
    401: ("unauthorized", "The token is not accepted."),
    429: ("rate_limited", "Too many requests."),
}

#: What a void wants is so already: nothing is held any more. The codes are our sandbox's; Zip's
#: are not public, so a refused void is followed by a look at the order too. [faults V-2]
VOID_IS_SO = {(400, "order_voided"), (400, "order_expired")}

#: The six words of an order's status: what each says of an authorisation by its flow.
STATUSES: dict[str, dict[str, tuple[Outcome, str | None]]] = {
    "Created": {
        "auth": (Outcome.UNKNOWN, PENDING),
        "payment": (Outcome.UNKNOWN, PENDING),
    },
    "Authorised": {
        "auth": (Outcome.SUCCEEDED, None),
        "payment": (Outcome.UNKNOWN, "state_mismatch"),
    },
    "Approved": {
        "auth": (Outcome.UNKNOWN, "state_mismatch"),
        "payment": (Outcome.SUCCEEDED, None),
    },
    "Declined": {
        "auth": (Outcome.DECLINED, "declined"),
        "payment": (Outcome.DECLINED, "declined"),
    },
    "Abandoned": {
        "auth": (Outcome.DECLINED, "abandoned"),
        "payment": (Outcome.DECLINED, "abandoned"),
    },
    "Expired": {
        "auth": (Outcome.DECLINED, "expired"),
        "payment": (Outcome.DECLINED, "expired"),
    },
}


class Refusal(msgspec.Struct, frozen=True):
    """An error of Zip's, whichever of the four shapes it came in."""

    shape: str
    code: str
    message: str


def read_error(reply: Reply) -> Refusal | None:
    """Merge the four shapes of error bodies; None where it is none of them.

    1. `nested`: {error: {code, message, details: [{name, message}]}}
    2. `flat`: {errorCode, message}
    3. `validation`: {message, errorCode, isValid, errors: [{propertyName, errorMessages: []}]}
    4. `problem`: {type, title, detail, traceId}

    The Content-Type never tells which. What has no code is called by its shape.
    """
    told = decode(reply, dict[str, Any])
    if told is None:
        return None
    nested = told.get("error")
    if isinstance(nested, dict) and (_text(nested.get("code")) or _text(nested.get("message"))):
        return _refusal("nested", nested.get("code"), nested.get("message"), _details(nested))
    code, message = told.get("errorCode"), told.get("message")
    if isinstance(told.get("isValid"), bool) or _property_errors(told):
        return _refusal("validation", code, message, _property_errors(told))
    if _text(code):
        return _refusal("flat", code, message, [])
    if _text(told.get("title")) and (told.keys() & {"type", "detail", "traceId", "status"}):
        return _refusal("problem", None, told["title"], [_text(told.get("detail"))])
    return None


def judge_refusal(kind: Kind, reply: Reply) -> Verdict:
    """Sort an answer that is not one of the good ones."""
    if reply.status in TURNED_AWAY:
        code, message = TURNED_AWAY[reply.status]
        wait_s = retry_after_s(reply)
        return Verdict(Outcome.NOT_EXECUTED, code, message, retry_after_s=wait_s)
    refusal = read_error(reply)
    if refusal is None:
        return Verdict(Outcome.UNKNOWN, f"http_{reply.status}", "Zip failed.")
    why = (reply.status, refusal.code)
    if kind == Kind.VOID and why in VOID_IS_SO:
        return Verdict(Outcome.SUCCEEDED, refusal.code, refusal.message)
    outcome = REFUSALS.get(why, REFUSALS.get((reply.status, ANY), Outcome.UNKNOWN))
    wait_s = retry_after_s(reply) if outcome is Outcome.NOT_EXECUTED else None
    return Verdict(outcome, refusal.code, refusal.message, retry_after_s=wait_s)


def _refusal(shape: str, code: Any, message: Any, more: list[str]) -> Refusal:
    parts = [_text(message), *more]
    return Refusal(shape, _text(code) or shape, " ".join(filter(None, parts)) or "Zip says no.")


def _text(told: Any) -> str:
    if isinstance(told, str):
        return told.strip()
    return str(told) if isinstance(told, int) and not isinstance(told, bool) else ""


def _details(told: dict[str, Any]) -> list[str]:
    details = told.get("details")
    found = details if isinstance(details, list) else []
    return [_named(one.get("name"), one.get("message")) for one in found if isinstance(one, dict)]


def _property_errors(told: dict[str, Any]) -> list[str]:
    errors = told.get("errors")
    lines: list[str] = []
    for one in errors if isinstance(errors, list) else []:
        messages = one.get("errorMessages") if isinstance(one, dict) else None
        said = messages if isinstance(messages, list) else []
        lines += [_named(one.get("propertyName"), message) for message in said]
    return [line for line in lines if line]


def _named(name: Any, message: Any) -> str:
    return ": ".join(filter(None, (_text(name), _text(message))))
