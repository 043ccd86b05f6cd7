"""An order with its past, as a page needs it: folder, newest facts and exchanges, read at once."""

from functools import cache

import msgspec

from counterfoil.book.looking import GatewayCall
from counterfoil.book.opening import folder_told
from counterfoil.book.trimming import PlacedFact, tell_fact
from counterfoil.kernel.db import Connection
from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.shapes import FactShape

_PAGE = """select {folder} as folder,
  (select coalesce(json_agg(row_to_json(f)), '[]') from (select f.* from facts f
    where f.account_id = $1 and f.order_id = o.id order by f.sequence desc limit $3) f)::text
    as facts,
  (select coalesce(json_agg(row_to_json(c) order by c.at, c.id), '[]') from gateway_calls c
    where c.account_id = $1 and c.order_id = o.id)::text as calls
from orders o where o.account_id = $1 and o.id = $2"""
_folder = msgspec.json.Decoder(Folder).decode
_facts = msgspec.json.Decoder(list[PlacedFact]).decode
_calls = msgspec.json.Decoder(list[GatewayCall]).decode


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a page about an order is made of; facts newest first, exchanges oldest first."""

    folder: Folder
    facts: list[FactShape]
    calls: list[GatewayCall]


@cache
def _open_page(needs: frozenset[str]) -> str:
    return _PAGE.replace("{folder}", folder_told(needs))


async def open_page(
    connection: Connection, actor: Actor, order_id: str, needs: frozenset[str], *, facts_max: int
) -> Page | None:
    """Read an order and its newest facts; facts are trimmed to the actor, the folder is whole.

    None where the order is not here. Exchanges are for who sees whole orders. [rulings 5]
    """
    row = await connection.row(_open_page(needs), connection.account, order_id, facts_max)
    if row is None:
        return None
    return Page(
        folder=_folder(row["folder"]),
        facts=[tell_fact(fact, actor) for fact in _facts(row["facts"])],
        calls=_calls(row["calls"]) if actor.merchants is None else [],
    )
