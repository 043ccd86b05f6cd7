"""The order of a list: places in it as cursors, and the two orders that are not by time placed.

By total and by last change a list takes store, open and date filters only. Where those leave few
orders, these are read and sorted; else the index that has the order is followed. [rulings 15]
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from counterfoil.book import sources
from counterfoil.book.choosing import Wanted
from counterfoil.book.filters import DEAREST, LATEST, NEWEST, OLDEST
from counterfoil.book.fragments import filled, rows
from counterfoil.book.sources import Shape, condition
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import read_cursor, to_cursor
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.order import Order
from counterfoil.order.problems import SortNotAvailable
from counterfoil.order.shapes import SummaryShape

#: So many orders are rather sorted than looked for along the order of all.
FEW = 5_000
SORTED, FOLLOWED = "sorted", "followed"
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Minor = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_PLACES: dict[str, tuple[str, Any]] = {
    NEWEST: ("placed_at", _Instant),
    OLDEST: ("placed_at", _Instant),
    DEAREST: ("total", _Minor),
    LATEST: ("updated_at", _Instant),
}
_FEW = """select k.<rank>, k.id from <each> cross join lateral (
  select o.<rank>, o.id from orders o where o.account_id = $1 and <tied><where>) k
where true<after> order by k.<rank><way>, k.id<way> limit {limit}"""
_BY_TOTAL = """select k.total, k.id from <each> cross join lateral (
  select o.total, o.id from orders o where o.account_id = $1 and <tied><where><after>
  order by o.total<way>, o.id<way> limit {limit}) k
order by k.total<way>, k.id<way> limit {limit}"""
#: An order stands at its newest fact, which is the one that made its version.
_BY_CHANGE = """select f.at, f.order_id from facts f
join orders o on o.account_id = $1 and o.id = f.order_id and o.version = f.sequence<where>
where f.account_id = $1<after> order by f.at<way>, f.order_id<way> limit {limit}"""
_NARROWED = " and o.is_open = any({opens}::boolean[])"
_AFTER = " and (<rank>, <id>) <sign> ({at}::<type>, {id}::uuid)"


def place_of(order: Order | SummaryShape, sort: str, *, backwards: bool = False) -> str:
    """Write down an order's place in a list, as the cursor of the page after it or before it."""
    return to_cursor(sort, backwards, getattr(order, _PLACES[sort][0]), order.id)


class Place(msgspec.Struct, frozen=True):
    """Where a page begins, and on which side of that place it lies."""

    at: Any
    id: UUID
    backwards: bool


def read_place(cursor: str | None, sort: str) -> Place | None:
    """Read a cursor back. Raises ValidationFailed, also for one of a list in another order."""
    place = read_cursor(cursor, str, bool, _PLACES[sort][1], UUID)
    if place is None:
        return None
    if place[0] != sort:
        raise ValidationFailed(
            "The cursor belongs to a list in another order.",
            errors=[{"pointer": "/cursor", "detail": "It was given out for another sort."}],
        )
    return Place(place[2], place[3], place[1])


async def choose(
    connection: Connection, wanted: Wanted, sort: str, *, limited: bool
) -> Shape:
    """Choose between sorting few and following the order of all. Raises SortNotAvailable."""
    if limited and sort == DEAREST:
        raise SortNotAvailable("The total of an order is not shown to this credential.")
    opened = wanted.values["open"] is not None
    stored = bool(wanted.values["store"])
    source = sources.OPEN if opened or stored else sources.PLACED
    terms = tuple(name for name in wanted.groups if name != "g_store")
    shape = Shape(source=source, stores=stored, range=wanted.range, conditions=terms)
    narrow = wanted.range or (sort == LATEST and source == sources.OPEN)
    if narrow:
        plain = msgspec.structs.replace(shape, conditions=())
        found = await rows(connection, sources.count(plain), {**wanted.values, "cap": FEW + 1})
        if found[0][0][1] <= FEW:
            return msgspec.structs.replace(shape, group=SORTED)
    return msgspec.structs.replace(shape, group=FOLLOWED)


def page(shape: Shape, sort: str) -> str:
    """Write the part that finds the page: (rank, id) in order, {limit} of them."""
    way, sign = ("", ">") if shape.oldest_first else (" desc", "<")
    met = "".join(f"\n  and {condition(name)}" for name in shape.conditions)
    rank = _PLACES[sort][0]
    after = filled(_AFTER, sign=sign, type="bigint" if sort == DEAREST else "timestamptz")
    after = after if shape.after else ""
    ranged = sources.bounds(shape, "o.placed_at", "o.id", paged=False)
    if shape.group == SORTED:
        text = filled(_FEW, after=filled(after, rank=f"k.{rank}", id="k.id"), where=ranged + met)
        each, tied = sources.each(shape)
    elif sort == DEAREST:
        text = filled(_BY_TOTAL, after=filled(after, rank="o.total", id="o.id"),
                      where=ranged + met)
        each, tied = sources.each(msgspec.structs.replace(shape, source=sources.OPEN))
    else:
        narrowed = _NARROWED if shape.source == sources.OPEN else ""
        narrowed += " and " + condition("store") if shape.stores else ""
        text = filled(_BY_CHANGE, after=filled(after, rank="f.at", id="f.order_id"),
                      where=narrowed + ranged + met)
        each = tied = ""
    return filled(text, each=each, tied=tied, way=way, rank=rank)


def count(shape: Shape) -> str:
    """Write the part that counts, as for the list by time placed."""
    return sources.count(msgspec.structs.replace(shape, group=""))
