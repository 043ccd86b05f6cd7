"""The list of returns that the API answers: by status, resolution, store and order."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.book.return_sources import seen
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import (
    COUNT_MAX,
    LIMIT,
    Count,
    Page,
    check_limit,
    read_cursor,
    to_cursor,
)
from counterfoil.order.actor import Actor
from counterfoil.order.allowed import return_actions
from counterfoil.order.goods_return import Return
from counterfoil.order.return_shapes import ListedReturn
from counterfoil.order.tells import tell_return

STATUSES = ("REQUESTED", "APPROVED", "REJECTED", "RECEIVED", "CLOSED")
_PAGE = """select row_to_json(w)::text as told from (
  select r.*, o.number as order_number, o.currency from (<ids>) k
  join returns r on r.account_id = $1 and r.id = k.id
  join orders o on o.account_id = $1 and o.id = r.order_id
  order by r.created_at desc, r.id desc) w"""
_TOTAL = "select <count> as total"
_CAP = {"cap": COUNT_MAX + 1}
Instant: Any = Annotated[datetime, msgspec.Meta(tz=True)]


class ReturnFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which returns. Several values of one filter are or, several filters are and."""

    status: tuple[str, ...] = ()
    resolution: tuple[str, ...] = ()
    store: tuple[str, ...] = ()
    order_id: str | None = None


class _Row(Return, frozen=True, kw_only=True):
    order_number: str
    currency: str


async def list_returned(
    connection: Connection,
    actor: Actor,
    filters: ReturnFilters,
    *,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[ListedReturn]:
    """List returns, the newest first, as far as the actor may see their bags.

    Raises ValidationFailed for a cursor that is none. [V-6…V-11, api.md]
    """
    check_limit(limit)
    place = read_cursor(cursor, Instant, UUID)
    looked = seen(actor, filters.store)
    source = looked.of_order() if filters.order_id else looked.of_status("{statuses}")
    values: dict[str, Any] = {
        "statuses": list(dict.fromkeys(filters.status)) or list(STATUSES),
        "order": filters.order_id,
        **looked.values(filters.resolution),
    }
    counted = await rows(connection, filled(_TOTAL, count=source.count), values | _CAP)
    total = counted[0]["total"]
    page = values | {"limit": limit + 1}
    if place:
        page |= {"at": place[0], "id": place[1]}
    text = filled(_PAGE, ids=source.ids(after=place is not None))
    found = [
        msgspec.json.decode(row["told"], type=_Row) for row in await rows(connection, text, page)
    ]
    last = found[limit - 1] if len(found) > limit else None
    following = None if last is None else to_cursor(last.created_at, last.id)
    told = [_told(row, actor) for row in found[:limit]]
    return Page(told, following, Count(min(total, COUNT_MAX), total > COUNT_MAX))


def _told(row: _Row, actor: Actor) -> ListedReturn:
    plain = tell_return(row, return_actions(row, actor))
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    return ListedReturn(
        **fields,
        order_number=row.order_number,
        store=row.store,
        merchant=row.merchant,
        currency=row.currency,
    )
