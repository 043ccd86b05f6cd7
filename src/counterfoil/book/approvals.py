"""Refunds that wait for a second person, the oldest first. [faults R-7]"""

from typing import Any

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import LIMIT
from counterfoil.order.actor import Actor
from counterfoil.order.refund import Refund

_AWAITING = """select row_to_json(w)::text as told from (
  select r.*, o.number as order_number from refunds r
  join orders o on o.account_id = $1 and o.id = r.order_id
  where r.account_id = $1 and r.status = 'AWAITING_APPROVAL' and <seen>
  order by r.created_at, r.id limit {limit}) w"""
_COUNT = """select count(*) as waiting from (select from refunds r
  where r.account_id = $1 and r.status = 'AWAITING_APPROVAL' and <seen> limit {limit}) w"""
_SEEN = "({stores}::text[] is null or r.store = any({stores}))"


class AwaitingRefund(Refund, frozen=True, kw_only=True):
    """A refund that waits, and the number of its order."""

    order_number: str


async def awaiting_refunds(
    connection: Connection, actor: Actor, *, limit: int = LIMIT
) -> list[AwaitingRefund]:
    """List the refunds that wait for approval; they are about whole orders."""
    found = await _read(connection, actor, _AWAITING, limit)
    return [msgspec.json.decode(row["told"], type=AwaitingRefund) for row in found]


async def count_awaiting(connection: Connection, actor: Actor, *, limit: int = 1000) -> int:
    """Count the refunds that wait for approval, up to `limit`."""
    found = await _read(connection, actor, _COUNT, limit)
    return int(found[0]["waiting"]) if found else 0


async def _read(connection: Connection, actor: Actor, text: str, limit: int) -> list[Any]:
    if actor.merchants is not None:
        return []
    stores = None if actor.stores is None else sorted(actor.stores)
    values = {"stores": stores, "limit": limit}
    return await rows(connection, filled(text, seen=_SEEN), values)
