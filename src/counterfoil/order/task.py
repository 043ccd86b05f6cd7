"""The task: what a person has to see to, because the program cannot or must not."""

from datetime import datetime
from typing import Any

import msgspec

#: Every kind of task, with the sentence that says what to do.
TASKS = {
    "refund_failed": "A refund failed after the provider had accepted it: refund another way.",
    "refund_approval": "A refund waits for a second person to approve or reject it.",
    "refund_waiting": "A refund waits for its payment: decide about that, and it is sent.",
    "payment_attention": "The provider's view differs or is unknown: look, and decide.",
    "reauthorise": "An authorisation expired before it was captured: have it renewed.",
    "cancellation_failed": "A part was cancelled and not all its money went back: return it.",
    "compensation": "Money moved on an order that was cancelled meanwhile: see that it went back.",
}


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task as stored. It is born OPEN and ends DONE, by a person or by the thing itself."""

    id: str
    order_id: str
    kind: str
    payment_id: str | None = None
    refund_id: str | None = None
    status: str = "OPEN"
    assignee: str | None = None
    note: str | None = None
    context: dict[str, Any] = {}
    created_at: datetime
    done_at: datetime | None = None
    done_by: dict[str, Any] | None = None
