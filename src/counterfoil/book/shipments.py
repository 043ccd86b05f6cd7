"""Shipments as a list: what is packed and has to go, what is on its way, what did not arrive."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.book.several import open_several
from counterfoil.book.sources import LOOKED_MAX
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.shipment import Parcel, ShipmentItem

Which = Literal["open", "sent", "failed"]
STATUSES: dict[str, tuple[str, ...]] = {
    "open": ("OPEN",),
    "sent": ("SHIPPED", "IN_TRANSIT"),
    "failed": ("COULD_NOT_DELIVER",),
}
_COLUMNS = """s.id, s.order_id, o.number as order_number, o.store, o.customer, o.shipping_address,
  o.is_test, o.is_open and o.hold_shipment as held, b.merchant,
  (select m.name from merchants m where m.account_id = $1 and m.code = b.merchant)
    as merchant_name,
  coalesce((select m.name from shipment_methods m where m.account_id = $1 and m.store = o.store
    and m.code = s.method), s.method) as method,
  s.carrier, s.tracking_number, s.parcels, s.status, s.items, s.created_at, s.shipped_at,
  (select coalesce(json_object_agg(i.id, coalesce(i.sku, i.name)), '{}') from items i
    where i.account_id = $1 and i.order_id = s.order_id and i.bag_id = s.bag_id) as names"""
_EACH = """unnest({statuses}::text[]) t(status) cross join lateral (
    select s.created_at, s.id<more> from shipments s
    where s.account_id = $1 and s.status = t.status<after>
    order by s.created_at<way>, s.id<way> limit <most>) s"""
#: Each shipment looks for its own order and bag; without the offsets all would be read at once.
_SEEN = """ where ({stores}::text[] is null or exists (select from orders o
      where o.account_id = $1 and o.id = s.order_id and o.store = any({stores}) offset 0))
    and ({merchants}::text[] is null or exists (select from bags b where b.account_id = $1
      and b.order_id = s.order_id and b.id = s.bag_id and b.merchant = any({merchants})
      offset 0))"""
_PAGE = """select row_to_json(w)::text as told,
  (select count(*) from (select from <counted> limit {cap}) x) as total
  from (select <columns>
    from (select s.created_at, s.id from <paged> order by s.created_at<way>, s.id<way>
      limit {limit}) k
    join shipments s on s.account_id = $1 and s.id = k.id
    join orders o on o.account_id = $1 and o.id = s.order_id
    join bags b on b.account_id = $1 and b.order_id = s.order_id and b.id = s.bag_id
    order by s.created_at<way>, s.id<way>) w"""
_AFTER = " and (s.created_at, s.id)<sign>({at}::timestamptz, {id}::uuid)"
_ORDERS = """select s.id::text as shipment, s.order_id::text as order_id from shipments s
  where s.account_id = $1 and s.id = any({ids}::uuid[])"""
Instant: Any = Annotated[datetime, msgspec.Meta(tz=True)]


class ListedShipment(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment with what one has to know of its order. `names`: SKUs or names by line.

    `held`: something blocks it from leaving. `method` is the name of its shipment method.
    """

    id: str
    order_id: str
    order_number: str
    store: str
    customer: dict[str, Any]
    shipping_address: dict[str, Any] | None
    is_test: bool
    held: bool
    merchant: str
    merchant_name: str | None
    method: str | None
    carrier: str | None
    tracking_number: str | None
    parcels: list[Parcel]
    status: str
    items: list[ShipmentItem]
    created_at: datetime
    shipped_at: datetime | None
    names: dict[str, str]


async def list_shipments(
    connection: Connection,
    actor: Actor,
    *,
    which: Which = "open",
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[ListedShipment]:
    """List shipments: what has to go oldest first, anything else newest first.

    Who is limited to stores or merchants sees theirs, looked for among the next 5,000 after the
    place that was reached. Raises ValidationFailed. [U-19…U-25]
    """
    place = read_cursor(cursor, Instant, UUID)
    values: dict[str, Any] = {
        "statuses": list(STATUSES[which]),
        "limit": check_limit(limit) + 1,
        "cap": COUNT_MAX + 1,
        "looked": LOOKED_MAX,
        "stores": None if actor.stores is None else sorted(actor.stores),
        "merchants": None if actor.merchants is None else sorted(actor.merchants),
    }
    if place:
        values |= {"at": place[0], "id": place[1]}
    limited = actor.stores is not None or actor.merchants is not None
    way, sign = ("", " > ") if which == "open" else (" desc", " < ")
    each = _EACH + (_SEEN if limited else "")
    each = filled(each, more=", s.order_id, s.bag_id" if limited else "", way=way)
    text = filled(
        _PAGE,
        counted=filled(each, most="{looked}" if limited else "{cap}", after=""),
        paged=filled(
            each,
            most="{looked}" if limited else "{limit}",
            after=_AFTER.replace("<sign>", sign) if place else "",
        ),
        columns=_COLUMNS,
        way=way,
    )
    found = await rows(connection, text, values)
    return read_page(found, ListedShipment, limit, "created_at", "id")


async def open_shipments(
    connection: Connection, actor: Actor, ids: Sequence[str], needs: frozenset[str]
) -> dict[str, Folder]:
    """Read the orders of some shipments, at most 100, by the shipment's id.

    What is not here, or in a store that the actor may not see, is left out.
    """
    found = await rows(connection, _ORDERS, {"ids": list(ids)})
    wanted = {row["shipment"]: row["order_id"] for row in found}
    several = await open_several(connection, list(dict.fromkeys(wanted.values())), needs)
    folders = {
        folder.order.id: folder
        for folder in several
        if actor.stores is None or folder.order.store in actor.stores
    }
    return {id_: folders[wanted[id_]] for id_ in ids if wanted.get(id_) in folders}
