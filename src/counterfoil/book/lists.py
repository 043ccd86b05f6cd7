"""Lists of orders: a page of summaries and how many there are, in one statement or two.

Pages are keyset-paged. A second statement is needed only where a term (merchant, tag, channel,
search word) meets other filters: it asks which of them is rare. [rulings 15]
"""

from functools import cache

import msgspec

from counterfoil.book import ranked, sources
from counterfoil.book.choosing import Wanted, choose, taken_apart
from counterfoil.book.filters import NEWEST, OLDEST, Filters, checked, sight_of
from counterfoil.book.fragments import filled, rows
from counterfoil.book.ranked import Place, place_of, read_place
from counterfoil.book.sources import CELLS, Shape
from counterfoil.book.views import view_counts
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Count, Page, check_limit
from counterfoil.order.actor import Actor
from counterfoil.order.config import OrderState
from counterfoil.order.order import Order
from counterfoil.order.shapes import SummaryShape
from counterfoil.order.telling import tell_summary

__all__ = ["Filters", "OrderPage", "list_orders", "view_counts"]

_UNTOLD = frozenset({"previous_state", "billing_address", "create_fingerprint"})
_OF_BAGS = ("sub_total", "shipping_total", "tax_total", "duty_total", "discount_total", "total",
            "canceled_total", "reopened", "worth_refunded", "authorized", "captured", "voided",
            "expired", "refunded", "capture_pending", "void_pending", "refund_pending")
_OF_ITEMS = ("unit_count", "shipped_count")
_PAGE = """with <before>page(place, id) as materialized (<page>)
select (select json_agg(row_to_json(t)) from (
    select <columns>, s.name as state_name, s.colour as state_colour
    from page p join orders o on o.account_id = $1 and o.id = p.id
    join order_states s on s.account_id = $1 and s.store = o.store and s.code = o.state<own>
    order by p.place<way>, p.id<way>) t)::text as told,
  (<count>) as counted"""
#: What a credential that is limited to merchants sees of an order's money and units: its bags'.
_OWN = """
    cross join lateral (select <sums> from bags g
      where g.account_id = $1 and g.order_id = o.id and g.merchant = any({own}::text[])) g
    cross join lateral (select
        coalesce(sum(i.quantity - i.quantity_canceled), 0)::bigint as unit_count,
        coalesce(sum(case when i.digital then i.quantity - i.quantity_canceled
          else i.quantity_shipped end), 0)::bigint as shipped_count
      from items i join bags b on b.account_id = $1 and b.id = i.bag_id
      where i.account_id = $1 and i.order_id = o.id and i.type = 'sku'
        and b.merchant = any({own}::text[])) u"""


class OrderPage(Page[SummaryShape], frozen=True):
    """A page of orders; `previous_cursor` is the cursor of the page before it."""

    previous_cursor: str | None = None


class Listed(Order, frozen=True, kw_only=True):
    """An order as a list reads it, with the name of its state."""

    state_name: str
    state_colour: str


_decode = msgspec.json.Decoder(list[Listed]).decode


async def list_orders(
    connection: Connection,
    actor: Actor,
    filters: Filters,
    *,
    limit: int = LIMIT,
    after: str | None = None,
    sort: str = NEWEST,
) -> OrderPage:
    """List the orders that match, as far as the actor may see them.

    `after` is either cursor of a page in the same order. Counting stops at 10,000, and at 5,000
    orders looked at where filters of different kinds meet; the count then says at_least.
    Raises ValidationFailed, SortNotAvailable. [api.md, rulings 15, 43]
    """
    check_limit(limit)
    filters = checked(filters, sort)
    place = read_place(after, sort)
    sight = sight_of(filters, actor)
    if sight.nothing:
        return OrderPage([], None, Count(0))
    wanted = taken_apart(filters, sight)
    wanted.values.update(own=list(actor.merchants or ()), limit=limit + 1)
    shape = await _choose(connection, wanted, sort, limited=actor.merchants is not None)
    backwards = place is not None and place.backwards
    shape = msgspec.structs.replace(
        shape, after=place is not None, oldest_first=(sort == OLDEST) != backwards
    )
    cap = (sources.LOOKED_MAX if shape.conditions else COUNT_MAX) + 1
    values = {**wanted.values, "cap": cap}
    if place is not None:
        values |= {"at": place.at, "id": place.id}
    row = (await rows(connection, _statement(shape, sort), values))[0]
    told = _decode(row["told"]) if row["told"] else []
    matched, looked = row["counted"]
    count = Count(min(matched, COUNT_MAX), looked >= cap)
    return _page(_sides(told, limit, sort, place), actor, count)


async def _choose(
    connection: Connection, wanted: Wanted, sort: str, *, limited: bool
) -> Shape:
    if sort in (NEWEST, OLDEST):
        shape = await choose(connection, wanted)
    else:
        shape = await ranked.choose(connection, wanted, sort, limited=limited)
    return msgspec.structs.replace(shape, limited=limited)


@cache
def _statement(shape: Shape, sort: str) -> str:
    columns = [name for name in Order.__struct_fields__ if name not in _UNTOLD]
    from_bags = {**dict.fromkeys(_OF_BAGS, "g."), **dict.fromkeys(_OF_ITEMS, "u.")}
    told = ", ".join(
        (from_bags.get(name, "o.") if shape.limited else "o.") + name for name in columns
    )
    before = "recursive " + sources.cells(shape.cells) + ",\n" if shape.source == CELLS else ""
    page = sources.page(shape) if sort in (NEWEST, OLDEST) else ranked.page(shape, sort)
    return filled(
        _PAGE,
        before=before,
        page=page,
        count=sources.count(shape) if sort in (NEWEST, OLDEST) else ranked.count(shape),
        columns=told,
        own=_OWN if shape.limited else "",
        sums=", ".join(f"coalesce(sum(g.{name}), 0)::bigint as {name}" for name in _OF_BAGS),
        way="" if shape.oldest_first else " desc",
    )


def _sides(
    listed: list[Listed], limit: int, sort: str, place: Place | None
) -> tuple[list[Listed], str | None, str | None]:
    """Cut limit + 1 orders to a page, turn round one read backwards, and find its cursors."""
    more = len(listed) > limit
    listed = listed[:limit]
    before, after = place is not None, more
    if place is not None and place.backwards:
        listed.reverse()
        before, after = more, True
    if not listed:
        return [], None, None
    return (
        listed,
        place_of(listed[-1], sort) if after else None,
        place_of(listed[0], sort, backwards=True) if before else None,
    )


def _page(
    sides: tuple[list[Listed], str | None, str | None], actor: Actor, count: Count
) -> OrderPage:
    listed, following, previous = sides
    return OrderPage(_told(listed, actor), following, count, previous)


def _told(listed: list[Listed], actor: Actor) -> list[SummaryShape]:
    states: dict[tuple[str, str], OrderState] = {}
    told = []
    for order in listed:
        name = (order.store, order.state)
        if name not in states:
            states[name] = OrderState(
                id="", store=order.store, code=order.state, name=order.state_name,
                system_state=order.system_state, colour=order.state_colour,
            )
        told.append(tell_summary(order, states[name], actor))
    return told
