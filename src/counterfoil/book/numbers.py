"""Order numbers: unique per store, taken in blocks so that no commit waits for a counter.

Gaps are allowed; a block of 1 counts strictly one by one. [rulings 8]
"""

import asyncio

from counterfoil.kernel.db import Connection

FIRST_NUMBER = 1001
_TAKE = """insert into counters (account_id, name, value) values ($1, $2, $3::bigint + $4::bigint)
  on conflict (account_id, name) do update set value = counters.value + $4
  returning value - $4"""


class Numbers:
    """The numbers this process has taken and not yet given out."""

    def __init__(self, *, block: int = 20) -> None:
        self.block = block
        self._left: dict[tuple[str, str], tuple[int, int]] = {}
        self._taking = asyncio.Lock()

    async def take(self, connection: Connection, store: str, count: int = 1) -> int:
        """Take `count` numbers in a row and return the first; a block costs one statement."""
        account = connection.account
        async with self._taking:
            following, left = self._left.get((account, store), (0, 0))
            if left < count:
                size = max(count, self.block)
                following = await connection.value(
                    _TAKE, account, f"number:{store}", FIRST_NUMBER, size
                )
                left = size
            self._left[account, store] = (following + count, left - count)
            return following
