"""The list of returns that the API answers: by status, resolution, store and order."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from counterfoil.book.fragments import filled, rows
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
#: Each return looks for its own bag; without the offset the planner would read all bags at once.
_SEEN = """r.account_id = $1 and r.status = s.status
    and ({order}::uuid is null or r.order_id = {order})
    and ({resolutions}::text[] is null or r.resolution = any({resolutions}))
    and ({stores}::text[] is null or r.store = any({stores}))
    and ({merchants}::text[] is null or exists (select from bags g where g.account_id = $1
      and g.order_id = r.order_id and g.id = r.bag_id and g.merchant = any({merchants})
      offset 0))"""
_EACH = "unnest({statuses}::text[]) s(status) cross join lateral"
_PAGE = filled(
    """select row_to_json(w)::text as told from (
  select p.*, o.number as order_number, o.currency, b.merchant
  from (select k.* from <each> (select r.* from returns r where <seen><after>
      order by r.created_at desc, r.id desc limit {limit}) k
    order by k.created_at desc, k.id desc limit {limit}) p
  join orders o on o.account_id = $1 and o.id = p.order_id
  join bags b on b.account_id = $1 and b.order_id = p.order_id and b.id = p.bag_id
  order by p.created_at desc, p.id desc) w""",
    each=_EACH, seen=_SEEN,
)  # fmt: skip
_COUNT = filled(
    """select count(*) as total from (select from <each> (select r.id from returns r
    where <seen> limit {cap}) k limit {cap}) x""",
    each=_EACH, seen=_SEEN,
)  # fmt: skip
_AFTER = " and (r.created_at, r.id) < ({at}::timestamptz, {id}::uuid)"
Instant: Any = Annotated[datetime, msgspec.Meta(tz=True)]


class ReturnFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which returns. Several values of one filter are or, several filters are and."""

    status: tuple[str, ...] = ()
    resolution: tuple[str, ...] = ()
    store: tuple[str, ...] = ()
    order_id: str | None = None


class _Row(Return, frozen=True, kw_only=True):
    order_number: str
    merchant: str
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
    stores = _narrowed(filters.store, actor.stores)
    values: dict[str, Any] = {
        "statuses": list(dict.fromkeys(filters.status)) or list(STATUSES),
        "resolutions": list(filters.resolution) or None,
        "order": filters.order_id,
        "stores": stores,
        "merchants": None if actor.merchants is None else sorted(actor.merchants),
    }
    cap = {"cap": COUNT_MAX + 1}
    total = (await rows(connection, _COUNT, values | cap))[0]["total"]
    page = values | {"limit": limit + 1}
    if place:
        page |= {"at": place[0], "id": place[1]}
    text = filled(_PAGE, after=_AFTER if place else "")
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


def _narrowed(wanted: tuple[str, ...], allowed: frozenset[str] | None) -> list[str] | None:
    if allowed is None:
        return list(dict.fromkeys(wanted)) or None
    return sorted(code for code in allowed if not wanted or code in wanted)
