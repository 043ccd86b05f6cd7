"""Search: the words of a question, and the one order that a text names. [rulings 15]"""

from uuid import UUID

from counterfoil.book.filters import Filters, Sight, checked, sight_of
from counterfoil.book.fragments import filled, rows
from counterfoil.book.sources import own_word
from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.actor import Actor
from counterfoil.order.terms import MERCHANT, WORD, folded, words

WORDS_MAX = 8
_LAST = "\U0010ffff"  # sorts behind whatever may follow a prefix
_STORES = "(select code from stores where account_id = $1)"
#: By id, by number, then by a whole word that only one order has; the first way that finds one.
_ONE = """select array_agg(found.id::text) as ids from (
  select 1 as way, o.id from orders o where o.account_id = $1 and o.id = {uuid}::uuid<seen>
  union all
  select 2, o.id from (select code from stores where account_id = $1) s
    join orders o on o.account_id = $1 and o.store = s.code and o.number = {text}<seen>
  union all
  (select 3, o.id from order_term t join orders o on o.account_id = $1 and o.id = t.order_id<seen>
    where t.account_id = $1 and t.term = {term}<told> order by t.placed_at desc limit 2)) found
group by found.way order by found.way"""
_OWN_STORES = " and o.store = any({store}::text[])"
_OWN_BAGS = """ and exists (select from order_term x where x.account_id = $1
    and x.term = any({g_merchant}::text[]) and x.placed_at = o.placed_at and x.order_id = o.id)"""


def words_of(text: str) -> tuple[str, ...]:
    """List the words of a question as terms; a text without any is taken whole."""
    found = list(dict.fromkeys(words(text)))[:WORDS_MAX]
    whole = folded(text)
    if not found and whole:
        found = [whole]
    return tuple(WORD + word for word in found)


def prefix_end(term: str) -> str:
    """Return what sorts behind every term that begins so."""
    return term + _LAST


async def find_one(connection: Connection, actor: Actor, text: str) -> str | None:
    """Find the id of the one order that a text names: its id, its number, or a word of its own.

    External ids, e-mails, tracking numbers and SKUs are words. None where no order or several
    match, and for what the actor may not see.
    """
    wanted = text.strip()
    try:
        sight = sight_of(checked(Filters(q=wanted)), actor)
    except ValidationFailed:
        return None
    if not wanted or sight.nothing:
        return None
    found = await rows(
        connection,
        filled(_ONE, seen=_seen(sight), told=" and " + own_word("term") if sight.limited else ""),
        {
            "uuid": _uuid(wanted),
            "text": wanted,
            "term": WORD + folded(wanted),
            "store": list(sight.stores or ()),
            "g_merchant": [MERCHANT + code for code in sight.merchants or ()],
            "own": list(sight.merchants or ()),
        },
    )
    ids: list[str] = found[0]["ids"] if found else []
    return ids[0] if len(ids) == 1 else None


def _seen(sight: Sight) -> str:
    stores = _OWN_STORES if sight.stores is not None else ""
    return stores + (_OWN_BAGS if sight.merchants is not None else "")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
