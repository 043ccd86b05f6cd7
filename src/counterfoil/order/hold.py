"""The hold: a named reason that blocks capture, shipment or both until it is released."""

from datetime import datetime
from typing import Any

import msgspec


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold as stored. Holds stack; each is released on its own. [domain.md §1, N-25]"""

    id: str
    order_id: str
    handle: str
    reason_code: str = "OTHER"
    note: str | None = None
    blocks: list[str]
    placed_by: dict[str, Any]
    placed_at: datetime
    due_at: datetime | None = None
    released_by: dict[str, Any] | None = None
    released_at: datetime | None = None
