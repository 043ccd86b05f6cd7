"""The numbers that people call orders by, for rows that know an order's id only."""

from collections.abc import Iterable

from counterfoil.kernel.db import Connection

_NUMBERS = """select o.id::text, o.number from orders o
  where o.account_id = $1 and o.id = any($2::uuid[])"""


async def numbers_of(connection: Connection, orders: Iterable[str | None]) -> dict[str, str]:
    """Tell the numbers of orders by their ids; ids that are None are passed over."""
    wanted = sorted({one for one in orders if one is not None})
    if not wanted:
        return {}
    rows = await connection.rows(_NUMBERS, connection.account, wanted)
    return {row["id"]: row["number"] for row in rows}
