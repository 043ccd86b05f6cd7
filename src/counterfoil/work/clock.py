"""The database's clock, asked now and then."""

import time
from datetime import datetime, timedelta

from counterfoil.kernel.db import Connection

_KEPT_S = 1


class Clock:
    """The database's clock, asked once a second at most. [rulings 17]"""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._asked = 0.0

    async def now(self, connection: Connection) -> datetime:
        """Tell the time."""
        passed = time.monotonic() - self._asked
        if self._at is None or passed >= _KEPT_S:
            found: datetime = await connection.value("select cf_now()")
            self._at, self._asked, passed = found, time.monotonic(), 0.0
        return self._at + timedelta(seconds=passed)
