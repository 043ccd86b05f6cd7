"""The letter: an e-mail to the customer that a fact asked for."""

from datetime import datetime
from typing import Any

import msgspec


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as stored. Its Message-ID is stable, so a repeat is recognisable. [rulings 38]"""

    id: str
    order_id: str
    kind: str
    recipient: str
    language: str = "en"
    context: dict[str, Any] = {}
    status: str = "QUEUED"
    message_id: str
    subject: str | None = None
    error: str | None = None
    sequence: int
    created_at: datetime
    sent_at: datetime | None = None
    due_at: datetime | None = None
