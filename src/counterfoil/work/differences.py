"""Read every payment at its provider and tell what Sync Payments would do; change nothing. [V3]"""

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from counterfoil.actions.sync import Synced, sync
from counterfoil.book.opening import open_folder
from counterfoil.book.reconciliations import INSTANT
from counterfoil.order.actor import system
from counterfoil.order.intent import Asked
from counterfoil.order.opening import needs_of
from counterfoil.work.desk import Works
from counterfoil.work.sync import read_statement

_PAGE = 500
_NEXT = """select p.id::text, p.order_id::text, p.gateway, p.provider_reference, o.number
  from payments p join orders o on o.account_id = $1 and o.id = p.order_id
    join gateways g on g.account_id = $1 and g.code = p.gateway
  where p.account_id = $1 and p.id > $2 and p.provider_reference is not null and g.enabled
    and g.kind <> all($3::text[])
  order by p.id limit $4"""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that was read at its provider; without a sentence both sides agree."""

    order_number: str
    gateway: str
    sentence: str | None = None


async def every_difference(works: Works, account_id: str) -> AsyncIterator[Seen]:
    """Compare every payment of an account, one after the other. Raises Unavailable, Gone."""
    last = str(UUID(int=0))
    while True:
        async with works.pool.connection(account_id) as connection:
            rows = await connection.rows(_NEXT, account_id, last, INSTANT, _PAGE)
        for row in rows:
            sentence = await _compared(
                works, account_id, row["id"], row["order_id"],
                (row["gateway"], row["provider_reference"]),
            )
            yield Seen(order_number=row["number"], gateway=row["gateway"], sentence=sentence)
        if len(rows) < _PAGE:
            return
        last = rows[-1]["id"]


async def _compared(
    works: Works, account_id: str, payment_id: str, order_id: str, there: tuple[str, str]
) -> str | None:
    statement = await read_statement(works, account_id, *there)
    if statement is None:
        return "it could not be read there."
    async with works.pool.connection(account_id) as connection:
        folder = (await open_folder(connection, order_id, needs_of(sync))).folder
    assert folder is not None, "an order is never deleted"
    asked = Asked(actor=system(account_id, "Doctor"), source="sync")
    change = sync(folder, asked=asked, payment_id=payment_id, statement=statement)
    done: Synced = change.result
    if done.settled is not None:
        return "a movement that is unknown here is decided there."
    if done.found:
        return f"{done.found} movements are missing here."
    return "the two sides differ, and a person has to decide." if done.differs else None
