"""The feed: every fact of the account, in one order in which nothing can be missed.

The cursor is the fact's position, given by the sequencer after the commit and without gaps; within
an order, positions follow its versions. [domain.md §10, rulings 5, 9]
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.book.trimming import PlacedFact, tell_event
from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.actor import Actor
from counterfoil.order.config import OrderState
from counterfoil.order.fact import FACT_TYPES
from counterfoil.order.order import Order
from counterfoil.order.refund import Refund
from counterfoil.order.shapes import EventShape
from counterfoil.order.shipment import Shipment
from counterfoil.order.tells import brief_order, told
from counterfoil.order.transaction import Transaction

LIMIT, LIMIT_MAX = 100, 1_000
#: How many positions one reading looks at for what it wants; the next cursor is where it stopped.
WINDOW = 10_000
_EVENTS = """select coalesce((select value from counters where account_id = $1 and name = 'feed'),
    0) as top,
  (select json_agg(json_build_array(s.store, s.code, s.name)) from order_states s
    where s.account_id = $1)::text as states,
  (select json_agg(json_build_object('fact', row_to_json(w), 'order', (
        select row_to_json(n) from (select <columns>) n),
      'transaction', case when w.about = 'transaction' then (select row_to_json(t)
        from transactions t where t.account_id = $1 and t.id = w.about_id) end,
      'refund', case when w.about = 'refund' then (select row_to_json(r)
        from refunds r where r.account_id = $1 and r.id = w.about_id) end,
      'shipment', case when w.about = 'shipment' then (select row_to_json(h)
        from shipments h where h.account_id = $1 and h.id = w.about_id) end)
      order by w.position)
    from (select f.*, k.about, (f.data -> k.about ->> 'id')::uuid as about_id from facts f<own>
        cross join lateral (select case when f.type like 'shipment.%' then 'shipment'
          when f.type like 'refund.%' then 'refund'
          when f.type like 'payment.%' then 'transaction' end as about) k
      where f.account_id = $1 and f.position > {after} and f.position <= {until}<typed>
      order by f.position limit {limit}) w
    join orders o on o.account_id = $1 and o.id = w.order_id)::text as told"""
#: What the feed tells of an order as it is now; words that name people stay in their rows.
_UNTOLD = frozenset({"customer", "billing_address", "shipping_address", "tags"})
_TYPED = " and f.type = any({types}::text[])"
#: Who is limited sees the orders of their stores, and of these the ones with a bag of theirs.
_OWN = """ join orders v on v.account_id = $1 and v.id = f.order_id
      and ({stores}::text[] is null or v.store = any({stores}))
      and ({merchants}::text[] is null or exists (select from bags b
        where b.account_id = $1 and b.order_id = v.id and b.merchant = any({merchants})))"""


class _Entry(msgspec.Struct, frozen=True):
    """A fact, its order as it is now, and what of it the fact is about."""

    fact: PlacedFact
    order: Order
    transaction: Transaction | None = None
    refund: Refund | None = None
    shipment: Shipment | None = None


_decode = msgspec.json.Decoder(list[_Entry]).decode
_decode_states = msgspec.json.Decoder(list[tuple[str, str, str]]).decode


class Events(msgspec.Struct, frozen=True):
    """Facts in the feed's order; the next reading begins at `next_cursor`, also after none."""

    data: list[EventShape]
    next_cursor: str


async def events(
    connection: Connection,
    actor: Actor,
    *,
    after: str | None = None,
    limit: int = LIMIT,
    types: Sequence[str] = (),
) -> Events:
    """Read the facts after a cursor, from the first one where there is none.

    One reading looks at 10,000 positions at most: where few facts are wanted it may bring none, and
    its next cursor is still further on. Raises ValidationFailed.
    """
    position = _position(after)
    _check(limit, types)
    limited = actor.stores is not None or actor.merchants is not None
    values: dict[str, Any] = {
        "after": position,
        "until": position + WINDOW,
        "limit": limit,
        "types": list(types),
        "stores": None if actor.stores is None else sorted(actor.stores),
        "merchants": None if actor.merchants is None else sorted(actor.merchants),
    }
    text = _statement(limited=limited, typed=bool(types))
    row = (await rows(connection, text, values))[0]
    found = _decode(row["told"]) if row["told"] else []
    last = found[-1].fact.position if len(found) == limit else None
    reached = max(position, min(position + WINDOW, row["top"])) if last is None else last
    names = {(store, code): name for store, code, name in _decode_states(row["states"] or "[]")}
    return Events([_told(entry, names, actor) for entry in found], str(reached))


def _told(entry: _Entry, names: Mapping[tuple[str, str], str], actor: Actor) -> EventShape:
    order = entry.order
    state = OrderState(
        id="", store=order.store, code=order.state, name=names[order.store, order.state],
        system_state=order.system_state,
    )  # fmt: skip
    current = {"order": {**brief_order(order, state), "version": order.version}}
    for noun in (entry.transaction, entry.refund, entry.shipment):
        if noun is not None:
            current |= told(noun)
    return tell_event(entry.fact, current, actor)


@cache
def _statement(*, limited: bool, typed: bool) -> str:
    columns = ", ".join("o." + name for name in Order.__struct_fields__ if name not in _UNTOLD)
    text = filled(_EVENTS, columns=columns)
    return filled(text, own=_OWN if limited else "", typed=_TYPED if typed else "")


def _position(after: str | None) -> int:
    if not after:
        return 0
    if not (after.isascii() and after.isdecimal()) or len(after) > 18:
        raise ValidationFailed(
            "The cursor is not one that we gave out.",
            errors=[{"pointer": "/after", "detail": "Leave it out to begin with the first fact."}],
        )
    return int(after)


def _check(limit: int, types: Sequence[str]) -> None:
    wrong = []
    if not 1 <= limit <= LIMIT_MAX:
        wrong.append({"pointer": "/limit", "detail": f"{limit} is not 1 to {LIMIT_MAX}."})
    wrong += [
        {"pointer": "/types", "detail": f"There are no facts of the type {kind!r}."}
        for kind in types
        if kind not in FACT_TYPES
    ]
    if wrong:
        raise ValidationFailed(wrong[0]["detail"], errors=wrong)
