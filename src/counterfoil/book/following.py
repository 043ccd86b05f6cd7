"""Following what somebody looks at: did anything happen to an order, did new ones come in?"""

import msgspec

from counterfoil.book.filters import OLDEST, Filters
from counterfoil.book.fragments import filled, rows
from counterfoil.book.lists import list_orders
from counterfoil.book.ranked import place_of, read_place
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import Count
from counterfoil.kernel.problem import NotFound
from counterfoil.order.actor import Actor
from counterfoil.order.shapes import SummaryShape

#: As many as anybody wants to be told of at once.
NEWER_MAX = 99
_VERSION = """select o.version from orders o where o.account_id = $1 and o.id = {order}::uuid
    and ({stores}::text[] is null or o.store = any({stores}))<own>"""
_OWN = """ and exists (select from bags b where b.account_id = $1 and b.order_id = o.id
      and b.merchant = any({merchants}::text[]))"""


async def version_of(connection: Connection, actor: Actor, order_id: str) -> int:
    """Tell an order's version, which counts its facts. Raises NotFound.

    Only for who is limited to merchants a second index is read. [design guide 7]
    """
    limited = actor.merchants is not None
    values = {
        "order": order_id,
        "stores": list(actor.stores) if actor.stores is not None else None,
        "merchants": list(actor.merchants or ()),
    }
    text = filled(_VERSION, own=_OWN if limited else "")
    found = await rows(connection, text, values)
    if not found:
        raise NotFound("There is no such order that you may see. It may be in another store.")
    version: int = found[0]["version"]
    return version


def newest_place(first: SummaryShape | None) -> str:
    """Write down where a list begins, newest first; empty for an empty list."""
    return place_of(first, OLDEST) if first is not None else ""


async def count_newer(
    connection: Connection, actor: Actor, filters: Filters, since: str
) -> Count:
    """Count the orders that would stand above a place now. Raises ValidationFailed."""
    place = read_place(since or None, OLDEST)
    if place is not None:
        filters = msgspec.structs.replace(filters, placed_from=place.at)
    found = await list_orders(
        connection, actor, filters, limit=NEWER_MAX, after=since or None, sort=OLDEST
    )
    return Count(len(found.data), found.next_cursor is not None)
