"""The list of order numbers, by which another system finds what it has not taken over yet.

It follows the feed's cursor of each order's first fact, so asking for what came after the last
order that was taken over misses nothing. [N-4, N-17, rulings 8]
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec

from counterfoil.book.filters import is_text
from counterfoil.book.fragments import filled, rows
from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import NotFound, ValidationFailed
from counterfoil.order.actor import Actor
from counterfoil.order.problems import UnknownReference
from counterfoil.order.shapes import StateShape

NUMBERS_MAX = 10_000
#: More orders than this are not sorted for one answer.
RANGE_MAX = 100_000
MISSING_DAYS = 14
_CHOSEN = """with chosen as materialized (select code from stores where account_id = $1
  and ({store}::text is null or code = {store})
  and ({stores}::text[] is null or code = any({stores})) order by code limit 2)"""
_SINCE = """,
since as materialized (
  select o.id, f.position from chosen s
  join orders o on o.account_id = $1 and o.store = s.code and <which>
  join facts f on f.account_id = $1 and f.order_id = o.id and f.sequence = 1),
found as materialized (
  select f.position, o.id, o.number, o.store, o.state, o.system_state
  from since s join facts f on f.account_id = $1 and f.position > s.position and f.sequence = 1
  join orders o on o.account_id = $1 and o.id = f.order_id<own>
  where o.store in (select code from chosen)
  order by f.position limit {limit})"""
_RANGE = """,
looked as materialized (
  select o.id from chosen s cross join unnest(array[true, false]) p(is_open) cross join lateral (
    select o.id from orders o where o.account_id = $1 and o.is_open = p.is_open
      and o.store = s.code and o.placed_at >= <from> and o.placed_at < <through>
      limit {range}) o limit {range}),
found as materialized (
  select f.position, o.id, o.number, o.store, o.state, o.system_state
  from looked l join orders o on o.account_id = $1 and o.id = l.id<own>
  join facts f on f.account_id = $1 and f.order_id = o.id and f.sequence = 1
    and f.position is not null
  where true<missing>
  order by f.position limit {limit})"""
_TOLD = """
select (select count(*) from chosen) as stores, <checked>,
  (select json_agg(json_build_object('id', f.id, 'number', f.number<state>) order by f.position)
    from found f join order_states t on t.account_id = $1 and t.store = f.store
      and t.code = f.state)::text as told"""
_STATE = """, 'state', json_build_object('code', t.code, 'name', t.name,
    'system_state', t.system_state, 'colour', t.colour)"""
_OWN = """ and ({merchants}::text[] is null or exists (select from bags b
    where b.account_id = $1 and b.order_id = o.id and b.merchant = any({merchants})))"""


class NumbersWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which orders: after one of them, placed on some days, or without a merchant reference.

    Exactly one of the three. Days are whole ones, UTC, the last one included. `since_order_id` is
    an id or a number of the store. `store` may be left out where there is only one.
    """

    store: str | None = None
    since_order_id: str | None = None
    since_date: date | None = None
    through_date: date | None = None
    missing_merchant_reference: bool = False
    statuses: bool = False


class OrderNumber(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order's id and number, and its state where that was asked for."""

    id: str
    number: str
    state: StateShape | None = None


class OrderNumbers(msgspec.Struct, frozen=True):
    """Up to 10,000 orders; whoever gets that many asks again with the last one's id."""

    count: int
    orders: list[OrderNumber]


_decode = msgspec.json.Decoder(list[OrderNumber]).decode


async def order_numbers(
    connection: Connection, actor: Actor, wanted: NumbersWanted
) -> OrderNumbers:
    """List order numbers in the order in which the orders came in.

    Raises ValidationFailed, UnknownReference (store), NotFound (the order to begin after).
    """
    _check(wanted)
    text = _CHOSEN + (_since(wanted) if wanted.since_order_id else _range(wanted)) + _TOLD
    text = filled(
        text,
        own=_OWN if actor.merchants is not None else "",
        state=_STATE if wanted.statuses else "",
        checked="(select count(*) from since) as looked" if wanted.since_order_id
        else "(select count(*) from looked) as looked",
    )
    row = (await rows(connection, text, _values(actor, wanted)))[0]
    if row["stores"] != 1:
        raise UnknownReference("There is no such store, or several and none is named.")
    if wanted.since_order_id and row["looked"] == 0:
        raise NotFound("The store has no such order.")
    if not wanted.since_order_id and row["looked"] > RANGE_MAX:
        raise _wrong("/through_date", f"More than {RANGE_MAX} orders; ask for fewer days.")
    orders = _decode(row["told"]) if row["told"] else []
    return OrderNumbers(len(orders), orders)


def _check(wanted: NumbersWanted) -> None:
    ways = (wanted.since_order_id, wanted.since_date, wanted.missing_merchant_reference or None)
    if sum(way is not None for way in ways) != 1:
        raise _wrong(
            "/since_order_id",
            "Send one of since_order_id, since_date and missing_merchant_reference=true.",
        )
    if wanted.through_date is not None and wanted.since_date is None:
        raise _wrong("/through_date", "It goes with since_date.")
    if wanted.through_date == date.max:
        raise _wrong("/through_date", "There is no day after it.")
    for name in ("store", "since_order_id"):
        text = getattr(wanted, name)
        if text is not None and not is_text(text):
            raise _wrong(f"/{name}", "It has characters that no text has.")


def _wrong(pointer: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, errors=[{"pointer": pointer, "detail": detail}])


def _since(wanted: NumbersWanted) -> str:
    by_id = _uuid(wanted.since_order_id or "") is not None
    return filled(_SINCE, which="o.id = {since}" if by_id else "o.number = {since}")


def _range(wanted: NumbersWanted) -> str:
    if wanted.missing_merchant_reference:
        bounds = {"from": "cf_now() - {days}::interval", "through": "'infinity'",
                  "missing": " and o.merchant_reference is null"}
    else:
        through = "{through}::timestamptz" if wanted.through_date else "'infinity'"
        bounds = {"from": "{from}::timestamptz", "through": through, "missing": ""}
    return filled(_RANGE, **bounds)


def _values(actor: Actor, wanted: NumbersWanted) -> dict[str, Any]:
    since = wanted.since_order_id or ""
    return {
        "store": wanted.store,
        "stores": None if actor.stores is None else sorted(actor.stores),
        "merchants": None if actor.merchants is None else sorted(actor.merchants),
        "since": _uuid(since) or since,
        "from": _start(wanted.since_date),
        "through": _start(wanted.through_date, days=1),
        "days": timedelta(days=MISSING_DAYS),
        "limit": NUMBERS_MAX,
        "range": RANGE_MAX + 1,
    }


def _start(day: date | None, *, days: int = 0) -> datetime | None:
    """Take the first moment of a day, or of one that many days later."""
    if day is None:
        return None
    return datetime.combine(day, time(), UTC) + timedelta(days=days)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
