"""The one table that sorts what the sandbox says into the four outcomes.

What is not in it is UNKNOWN: every 5xx, every status and code that nobody has documented, a body
that is cut, no JSON, or short of a field. [faults §1]
"""

from datetime import datetime

import msgspec

from counterfoil.order.gateway import Outcome

TURNED_AWAY = Outcome.NOT_EXECUTED
"""429 from whoever stands in front: the status alone says that nobody looked at the request."""

#: The status of an operation that the provider tells about.
STATUSES: dict[str, Outcome] = {
    "succeeded": Outcome.SUCCEEDED,
    "declined": Outcome.DECLINED,
    "failed": Outcome.DECLINED,
    "pending": Outcome.UNKNOWN,
}

#: Refusals: HTTP status and error code together. A code alone may come from anywhere.
REFUSALS: dict[tuple[int, str], Outcome] = {
    # The provider has judged: no money moved.
    (400, "malformed"): Outcome.DECLINED,
    (402, "declined"): Outcome.DECLINED,
    (404, "payment_not_found"): Outcome.DECLINED,
    (409, "already_captured"): Outcome.DECLINED,
    (409, "already_voided"): Outcome.DECLINED,
    (409, "authorization_expired"): Outcome.DECLINED,
    (409, "nothing_captured"): Outcome.DECLINED,
    (409, "payment_declined"): Outcome.DECLINED,
    (409, "payment_pending"): Outcome.DECLINED,
    (422, "amount_too_large"): Outcome.DECLINED,
    (422, "currency_mismatch"): Outcome.DECLINED,
    # Turned away at the door: the same request may come again.
    (401, "unauthorized"): Outcome.NOT_EXECUTED,
    (409, "in_use"): Outcome.NOT_EXECUTED,
    # The key did something else before: only asking tells what.
    (409, "idempotency_key_reused"): Outcome.UNKNOWN,
}

#: What a void wants is so already: nothing is held any more. [faults V-2]
VOID_IS_SO = {(409, "already_voided"), (409, "authorization_expired")}


class Verdict(msgspec.Struct, frozen=True):
    """What one answer proves."""

    outcome: Outcome
    code: str | None = None
    message: str | None = None
    gateway_transaction_id: str | None = None
    payment_reference: str | None = None
    amount: int | None = None
    retry_after_s: int | None = None
    redirect_url: str | None = None
    expires_at: datetime | None = None
    fee: int | None = None

    def doubt(self, code: str, message: str) -> "Verdict":
        """Keep what was found, but call it UNKNOWN: a person has to look. [faults P-8]"""
        return msgspec.structs.replace(self, outcome=Outcome.UNKNOWN, code=code, message=message)
