"""The note: what somebody wrote about an order."""

from datetime import datetime
from typing import Any

import msgspec


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A note as stored; it is only ever added. [U-13]"""

    id: str
    order_id: str
    body: str
    visibility: str = "internal"
    author: dict[str, Any]
    created_at: datetime
