"""The feed: every fact of the account, in one order in which nothing can be missed.

The cursor is the fact's position, given by the sequencer after the commit and without gaps; within
an order, positions follow its versions. [domain.md §10, rulings 5, 9]
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.book.trimming import PlacedFact, tell_fact
from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.actor import Actor
from counterfoil.order.fact import FACT_TYPES
from counterfoil.order.shapes import FactShape

LIMIT, LIMIT_MAX = 100, 1_000
#: How many positions one reading looks at for what it wants; the next cursor is where it stopped.
WINDOW = 10_000
_EVENTS = """select coalesce((select value from counters where account_id = $1 and name = 'feed'),
    0) as top,
  (select json_agg(row_to_json(w)) from (select f.* from facts f<own>
    where f.account_id = $1 and f.position > {after} and f.position <= {until}<typed>
    order by f.position limit {limit}) w)::text as told"""
_TYPED = " and f.type = any({types}::text[])"
#: Who is limited sees the orders of their stores, and of these the ones with a bag of theirs.
_OWN = """ join orders o on o.account_id = $1 and o.id = f.order_id
      and ({stores}::text[] is null or o.store = any({stores}))
      and ({merchants}::text[] is null or exists (select from bags b
        where b.account_id = $1 and b.order_id = o.id and b.merchant = any({merchants})))"""
_decode = msgspec.json.Decoder(list[PlacedFact]).decode


class Events(msgspec.Struct, frozen=True):
    """Facts in the feed's order; the next reading begins at `next_cursor`, also after none."""

    data: list[FactShape]
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
    last = found[-1].position if len(found) == limit else None
    reached = max(position, min(position + WINDOW, row["top"])) if last is None else last
    return Events([tell_fact(fact, actor) for fact in found], str(reached))


@cache
def _statement(*, limited: bool, typed: bool) -> str:
    return filled(_EVENTS, own=_OWN if limited else "", typed=_TYPED if typed else "")


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
