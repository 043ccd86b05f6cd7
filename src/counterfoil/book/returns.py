"""Returns as a list: which wait for goods or for a decision, which came in, which are over."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.book.return_sources import Seen, Source, seen
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.order.actor import Actor
from counterfoil.order.goods_return import ReturnLine

Which = Literal["waiting", "received", "closed", "rejected"]
_STATUSES = {
    "received": "array['RECEIVED']",
    "closed": "array['CLOSED']",
    "rejected": "array['REJECTED']",
}
_COLUMNS = """r.id, r.order_id, o.number as order_number, o.currency, r.store, r.merchant,
  (select m.name from merchants m where m.account_id = $1 and m.code = r.merchant)
    as merchant_name,
  r.position, r.status, r.resolution, r.lines, r.reason_code, r.fee, r.credit, r.late,
  r.requested_by, r.created_at, r.received_at, r.exchange_order_id,
  (select x.number from orders x where x.account_id = $1 and x.id = r.exchange_order_id)
    as exchange_number,
  (select coalesce(json_object_agg(i.id, coalesce(i.sku, i.name)), '{}') from items i
    where i.account_id = $1 and i.order_id = r.order_id and i.bag_id = r.bag_id) as items,
  (select coalesce(json_agg(json_build_object('reference', f.reference, 'status', f.status,
      'amount', f.amount) order by f.created_at, f.id), '[]')
    from refunds f where f.account_id = $1 and f.order_id = r.order_id and f.return_id = r.id)
    as refunds"""
_PAGE = """select row_to_json(w)::text as told, <count> as total
  from (select <columns> from (<ids>) k
    join returns r on r.account_id = $1 and r.id = k.id
    join orders o on o.account_id = $1 and o.id = r.order_id
    order by r.created_at<way>, r.id<way>) w"""
_COUNTS = """select <waiting> as waiting, <received> as received, <closed> as closed,
  <rejected> as rejected"""
_CAP = {"cap": COUNT_MAX + 1}
Instant: Any = Annotated[datetime, msgspec.Meta(tz=True)]


class LinkedRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that a return led to."""

    reference: str
    status: str
    amount: int


class ListedReturn(msgspec.Struct, frozen=True, kw_only=True):
    """A return with what one has to know of its order; amounts in minor units of `currency`.

    `items` are the SKUs or names of its bag's lines, by id.
    """

    id: str
    order_id: str
    order_number: str
    currency: str
    store: str
    merchant: str
    merchant_name: str | None
    position: int
    status: str
    resolution: str
    lines: list[ReturnLine]
    reason_code: str
    fee: int
    credit: int
    late: bool
    requested_by: dict[str, Any]
    created_at: datetime
    received_at: datetime | None
    exchange_order_id: str | None
    exchange_number: str | None
    items: dict[str, str]
    refunds: list[LinkedRefund]


async def list_returns(
    connection: Connection,
    actor: Actor,
    *,
    which: Which = "waiting",
    resolution: str | None = None,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[ListedReturn]:
    """List returns: those that wait oldest first, others newest first.

    Who is limited to merchants sees those of their bags. Raises ValidationFailed. [V-6…V-11]
    """
    place = read_cursor(cursor, Instant, UUID)
    looked = seen(actor)
    values: dict[str, Any] = {"limit": check_limit(limit) + 1, **_CAP}
    if place:
        values |= {"at": place[0], "id": place[1]}
    source = _source(looked, which)
    text = filled(
        _PAGE,
        count=source.count,
        columns=_COLUMNS,
        ids=source.ids(after=place is not None),
        way="" if source.waits else " desc",
    )
    values |= looked.values((resolution,) if resolution else ())
    found = await rows(connection, text, values)
    return read_page(found, ListedReturn, limit, "created_at", "id")


async def count_returns(connection: Connection, actor: Actor) -> dict[str, int]:
    """Count the returns of each kind, each up to 10,001."""
    looked = seen(actor)
    counts = {kind: _source(looked, kind).count for kind in ("waiting", *_STATUSES)}
    found = await rows(connection, filled(_COUNTS, **counts), {**looked.values(), **_CAP})
    return dict(found[0])


async def count_waiting_returns(connection: Connection, actor: Actor) -> int:
    """Count the returns that wait for goods or for a word, up to 10,001."""
    looked = seen(actor)
    text = filled("select <count> as waiting", count=looked.waiting().count)
    found = await rows(connection, text, {**looked.values(), **_CAP})
    return int(found[0]["waiting"])


def _source(looked: Seen, which: str) -> Source:
    return looked.waiting() if which == "waiting" else looked.of_status(_STATUSES[which])
