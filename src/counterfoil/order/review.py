"""The fraud review: somebody has to look at an order before money or goods move on."""

from datetime import datetime
from typing import Any

import msgspec

#: The hold that a review places; releasing it takes the right to decide reviews.
HANDLE = "fraud-review"
WAITING = ("PENDING", "ON_HOLD")
#: What opens a review, with the sentence that says so where no rule has a better one.
OPENERS = {
    "asked": "It came with the request to review it.",
    "by_hand": "Somebody sent it to review.",
    "blocked": "The e-mail address, its domain or a country is on the store's block list.",
    "amount_over": "Its total is more than the store lets pass unseen.",
    "countries_differ": "It is billed in one country and shipped to another.",
    "velocity": "More orders of one e-mail address than the store allows in that time.",
    "first_order": "It is the first order of this e-mail address.",
}


class FraudReview(msgspec.Struct, frozen=True, kw_only=True):
    """A review as stored; at most one of an order waits. [domain.md §1, §8, N-24…N-28]

    `rule` is one of OPENERS, `explanation` a sentence without personal data. `back_to` is the state
    that the order was taken out of when it was suspended; None where it was left where it was.
    `held_in` is where it waits: Suspended, or the state that all orders of that were moved to.
    """

    id: str
    order_id: str
    status: str = "PENDING"
    rule: str
    explanation: str
    back_to: str | None = None
    held_in: str = "suspended"
    assignee: dict[str, Any] | None = None
    opened_by: dict[str, Any]
    opened_at: datetime
    resolved_at: datetime | None = None
    decided_by: dict[str, Any] | None = None
    note: str | None = None

    @property
    def waits(self) -> bool:
        """Whether nobody has decided yet."""
        return self.status in WAITING
