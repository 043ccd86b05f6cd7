"""A filled account as its tests see it: every order as the owner of the database reads it."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from counterfoil.order.order import Order
from tests.db import Database
from tests.fill import fill_orders

Truth = list[tuple[Order, set[str]]]


async def fill(
    database: Database, account_id: str, n: int, *, strays: Sequence[str] = ()
) -> Truth:
    """Fill an account, let the planner know, and read every order with its merchants.

    `strays` are statements that make some of the orders odd, $1 the account.
    """
    owner = await asyncpg.connect(database.owner_url)
    try:
        await fill_orders(owner, account_id, n)
        for stray in strays:
            await owner.execute(stray, account_id)
        await owner.execute("vacuum analyze")
        rows = await owner.fetch(
            "select row_to_json(o)::text as told, (select array_agg(b.merchant) from bags b"
            " where b.account_id = o.account_id and b.order_id = o.id) as merchants"
            " from orders o where account_id = $1 order by placed_at desc, id desc",
            account_id,
        )
    finally:
        await owner.close()
    return [(msgspec.json.decode(row["told"], type=Order), set(row["merchants"])) for row in rows]


def middle(truth: Truth) -> datetime:
    """When the middle one of the orders was placed."""
    return truth[len(truth) // 2][0].placed_at
