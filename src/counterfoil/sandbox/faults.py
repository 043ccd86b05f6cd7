"""What can go wrong on demand, and who asks for it.

A fault is chosen by a rule (`POST /control/faults`), else by the amount. Amounts choose only on a
payment that was made with `magic: true`, or everywhere when the process runs with
`--magic-amounts`; only for captures, voids and refunds; and only at the first attempt with an
idempotency key, so that the repeat which the caller owes us ends well. The last two digits:

| ends in | fault             | what the caller sees                          | what happened |
|---------|-------------------|-----------------------------------------------|---------------|
| 91      | decline           | 402                                           | nothing       |
| 92      | 5xx_before        | 503                                           | nothing       |
| 93      | 5xx_after_effect  | 500                                           | it is done    |
| 94      | hang_after_effect | no answer for 30 s                            | it is done    |
| 95      | reset_after_effect| the connection breaks in the answer           | it is done    |
| 96      | garbage_200       | 200 with a page that is not JSON              | it is done    |
| 97      | 429               | 429 with Retry-After: 1                       | nothing       |
| 98      | hang_before       | no answer for 30 s                            | nothing       |
"""

from enum import StrEnum
from typing import Self


class Phase(StrEnum):
    """When a fault strikes."""

    BEFORE = "before"
    """Instead of the effect: nothing happens."""
    DURING = "during"
    """In the decision itself."""
    AFTER = "after"
    """The effect is written, the answer suffers."""


class Fault(StrEnum):
    """Everything that can be asked to go wrong: value, phase, what the caller sees."""

    phase: Phase
    sentence: str

    def __new__(cls, value: str, phase: Phase, sentence: str) -> Self:
        made = str.__new__(cls, value)
        made._value_ = value
        made.phase = phase
        made.sentence = sentence
        return made

    OK = "ok", Phase.DURING, "All goes well; shields a call from later rules."
    DECLINE = "decline", Phase.DURING, "402: refused for good."
    PENDING = "pending", Phase.DURING, "Accepted as pending, succeeds after `seconds`."
    PENDING_THEN_FAILED = "pending_then_failed", Phase.DURING, "Pending, fails after `seconds`."
    FAILS_LATER = "fails_later", Phase.DURING, "Succeeds now, turns to failed after `seconds`."
    ASYNC = "async", Phase.DURING, "Pending until told (`/control/operations`), or for `seconds`."
    ACCEPTED = "202", Phase.DURING, "202 where 200 is documented (in the shape of Zip)."
    ERROR_BEFORE = "5xx_before", Phase.BEFORE, "503, nothing done."
    HANG_BEFORE = "hang_before", Phase.BEFORE, "Silence for `seconds`, nothing done."
    RESET_BEFORE = "reset_before", Phase.BEFORE, "The connection breaks, nothing done."
    RATE_LIMITED = "429", Phase.BEFORE, "429 with Retry-After: `seconds` (default 1)."
    IN_USE = "in_use", Phase.BEFORE, "409 in_use, as if the key were running."
    NOT_FOUND = "not_found", Phase.BEFORE, "The status query knows nothing (yet)."
    ERROR_AFTER = "5xx_after_effect", Phase.AFTER, "500 although it is done."
    HANG_AFTER = "hang_after_effect", Phase.AFTER, "Silence for `seconds` although it is done."
    RESET_AFTER = "reset_after_effect", Phase.AFTER, "The connection breaks in the answer."
    SLOW = "slow_bytes", Phase.AFTER, "The answer drips over `seconds`."
    GARBAGE = "garbage_200", Phase.AFTER, "200 with a page that is not JSON."
    TRUNCATED = "truncated_200", Phase.AFTER, "200 with the first half of the JSON."
    MISSING = "missing_200", Phase.AFTER, "200 without the fields that matter."
    STRANGE = "unknown_status_200", Phase.AFTER, "200 with a status nobody has heard of."
    AMOUNT = "amount_200", Phase.AFTER, "200 that speaks of another amount."
    CURRENCY = "currency_200", Phase.AFTER, "200 that speaks of another currency."


MAGIC: dict[int, Fault] = {
    91: Fault.DECLINE,
    92: Fault.ERROR_BEFORE,
    93: Fault.ERROR_AFTER,
    94: Fault.HANG_AFTER,
    95: Fault.RESET_AFTER,
    96: Fault.GARBAGE,
    97: Fault.RATE_LIMITED,
    98: Fault.HANG_BEFORE,
}
MAGIC_KINDS = frozenset({"capture", "void", "refund"})
