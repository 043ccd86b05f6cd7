"""Returns as a list: which wait for goods or for a decision, which came in, which are over."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.order.actor import Actor
from counterfoil.order.goods_return import ReturnLine

Which = Literal["waiting", "received", "closed", "rejected"]
#: One fragment is the predicate of the partial index, word for word: waits for a word or for goods.
_WHICH = {
    "waiting": """(r.status in ('REQUESTED', 'APPROVED') or (r.status = 'RECEIVED'
      and jsonb_path_exists(r.lines, '$[*] ? (@.received < @.quantity)')))""",
    "received": "r.status = 'RECEIVED'",
    "closed": "r.status = 'CLOSED'",
    "rejected": "r.status = 'REJECTED'",
}
#: Each return looks for its own bag; without the offset the planner would read all bags at once.
_FROM = """returns r where r.account_id = $1 and <which>
    and ({stores}::text[] is null or r.store = any({stores}))
    and ({merchants}::text[] is null or exists (select from bags g where g.account_id = $1
      and g.order_id = r.order_id and g.id = r.bag_id and g.merchant = any({merchants})
      offset 0))"""
_RESOLVED = "<source> and ({resolution}::text is null or r.resolution = {resolution})"
_COLUMNS = """r.id, r.order_id, o.number as order_number, o.currency, r.store, b.merchant,
  (select m.name from merchants m where m.account_id = $1 and m.code = b.merchant)
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
_PAGE = """select row_to_json(w)::text as told,
  (select count(*) from (select from <source> limit {cap}) x) as total
  from (select <columns>
    from (select r.* from <source><after> order by <order> limit {limit}) r
    join orders o on o.account_id = $1 and o.id = r.order_id
    join bags b on b.account_id = $1 and b.order_id = r.order_id and b.id = r.bag_id
    order by <order>) w"""
_ORDERED = {
    "waiting": (
        "r.created_at, r.id",
        " and (r.created_at, r.id) > ({at}::timestamptz, {id}::uuid)",
    ),
    "other": (
        "r.created_at desc, r.id desc",
        " and (r.created_at, r.id) < ({at}::timestamptz, {id}::uuid)",
    ),
}
_COUNTS = """select <waiting> as waiting, <received> as received, <closed> as closed,
  <rejected> as rejected"""
_COUNT = "(select count(*) from (select from <source> limit {cap}) x)"
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
    order, after = _ORDERED["waiting" if which == "waiting" else "other"]
    place = read_cursor(cursor, Instant, UUID)
    values: dict[str, Any] = {"limit": check_limit(limit) + 1, "cap": COUNT_MAX + 1}
    if place:
        values |= {"at": place[0], "id": place[1]}
    source = filled(_RESOLVED, source=filled(_FROM, which=_WHICH[which]))
    text = filled(
        _PAGE, source=source, columns=_COLUMNS, after=after if place else "", order=order
    )
    values |= {"resolution": resolution, **_seen(actor)}
    found = await rows(connection, text, values)
    return read_page(found, ListedReturn, limit, "created_at", "id")


async def count_returns(connection: Connection, actor: Actor) -> dict[str, int]:
    """Count the returns of each kind, each up to 10,001."""
    counts = {
        kind: filled(_COUNT, source=filled(_FROM, which=which)) for kind, which in _WHICH.items()
    }
    found = await rows(
        connection, filled(_COUNTS, **counts), {"cap": COUNT_MAX + 1, **_seen(actor)}
    )
    return dict(found[0])


async def count_waiting_returns(connection: Connection, actor: Actor) -> int:
    """Count the returns that wait for goods or for a word, up to 10,001."""
    source = filled(_FROM, which=_WHICH["waiting"])
    text = filled("select <count> as waiting", count=filled(_COUNT, source=source))
    found = await rows(connection, text, {"cap": COUNT_MAX + 1, **_seen(actor)})
    return int(found[0]["waiting"])


def _seen(actor: Actor) -> dict[str, Any]:
    """Which stores and merchants the actor may see; None is all."""
    return {
        "stores": None if actor.stores is None else sorted(actor.stores),
        "merchants": None if actor.merchants is None else sorted(actor.merchants),
    }
