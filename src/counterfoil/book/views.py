"""Views: how many orders each tab of the portal holds, in one statement. [design guide 3.1]"""

from functools import cache
from typing import Any

from counterfoil.book import sources
from counterfoil.book.filters import Filters, sight_of
from counterfoil.book.fragments import filled, rows
from counterfoil.book.sources import (
    ATTENTIVE,
    CAPTURABLE,
    CONDITIONS,
    OF_CELL,
    STANDS,
    STATUS,
    UNOWED,
)
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX
from counterfoil.order.actor import Actor
from counterfoil.order.allowed import MONEY_STATES, SHIPPABLE
from counterfoil.order.terms import MERCHANT

VIEWS = ("", "attention", "capture", "ship", "hold", "unknown")
_STORED = " and o.store = any({store}::text[])"
#: Statuses are counted by combination, and what they do not tell is taken off: money that waits for
#: an answer or is not owed any more, and holds of orders that have ended.
_COUNTS = """with recursive <cells>,
counted as materialized (select m.*, n.n from matching m cross join lateral (
  select count(*) as n from (select from orders o where o.account_id = $1 and <of_cell><stored>
    limit {cap}) x) n),
waiting as materialized (
  select distinct t.order_id, t.status = 'UNKNOWN' as unknown from transactions t
  where t.account_id = $1 and t.settled_at is null limit {cap}),
unowed as materialized (
  select o.* from orders o where o.account_id = $1 and <unowed> limit {cap})
select array[
  (select coalesce(sum(o.n), 0) from counted o),
  (select count(*) from unnest({opens}::boolean[]) f(is_open) cross join lateral (
    select from orders o where o.account_id = $1 and o.is_open = f.is_open and <attentive><stored>
    limit {cap}) x),
  (select coalesce(sum(o.n), 0) from counted o where <to_capture>)
    - (select count(distinct o.id) from waiting w
      join orders o on o.account_id = $1 and o.id = w.order_id
      where <open> and <to_capture> and not <capturable><stored>)
    - (select count(*) from unowed o where <open> and <to_capture><stored>
      and o.id not in (select w.order_id from waiting w)),
  (select coalesce(sum(o.n), 0) from counted o where <to_ship>),
  (select coalesce(sum(o.n), 0) from counted o where <held>)
    - (select count(*) from (select m.* from matching m where m.system_state = 'COMPLETED'
        and (m.hold_capture or m.hold_shipment)) m cross join lateral (select from orders o
        where o.account_id = $1 and <of_cell> and not <stands><stored> limit {cap}) x),
  (select count(*) from waiting w join orders o on o.account_id = $1 and o.id = w.order_id
    where w.unknown and <open><stored>)]::bigint[] as counts"""
#: Whoever is limited to merchants: their newest orders, looked at one by one.
_OWN_COUNTS = """select array[count(*) filter (where o.met), count(*) filter (where o.met and
    <attentive>), count(*) filter (where o.met and <to_capture> and <capturable>),
  count(*) filter (where o.met and <to_ship>), count(*) filter (where o.met and <held> and
    <stands>),
  count(*) filter (where o.met and o.unknown_pending <> 0), count(*)]::bigint[] as counts
from (select o.*, (<open><stored>) as met from (select distinct t.placed_at, t.order_id
    from unnest({g_merchant}::text[]) v(term) cross join lateral (
      select t.placed_at, t.order_id from order_term t
      where t.account_id = $1 and t.term = v.term
      order by t.placed_at desc, t.order_id desc limit {looked}) t
    order by t.placed_at desc, t.order_id desc limit {looked}) t
  join orders o on o.account_id = $1 and o.id = t.order_id) o"""
_OPEN = "o.is_open = any({opens}::boolean[])"


async def view_counts(
    connection: Connection, actor: Actor, *, only_open: bool = True
) -> dict[str, tuple[int, bool]]:
    """Count the orders of each view that the actor may see, each with whether it is at least that.

    The keys are VIEWS; the empty one is all that is open. Counting stops at 10,000, and for who is
    limited to merchants at their newest 5,000 orders.
    """
    filters = Filters(open=True if only_open else None)
    sight = sight_of(filters, actor)
    if sight.nothing:
        return dict.fromkeys(VIEWS, (0, False))
    values: dict[str, Any] = {
        "systems": list(sight.systems),
        "opens": [True] if only_open else [True, False],
        "store": list(sight.stores or ()),
        "money_states": list(MONEY_STATES),
        "shippable": list(SHIPPABLE),
        "g_merchant": [MERCHANT + code for code in sight.merchants or ()],
        "cap": COUNT_MAX + 1,
        "looked": sources.LOOKED_MAX + 1,
    }
    own = sight.merchants is not None
    found = await rows(
        connection, _statement(own=own, stored=sight.stores is not None), values
    )
    counts = list(found[0]["counts"])
    if own:
        short = counts.pop() > sources.LOOKED_MAX
        return {view: (n, short) for view, n in zip(VIEWS, counts, strict=True)}
    return {
        view: (min(n, COUNT_MAX), n > COUNT_MAX) for view, n in zip(VIEWS, counts, strict=True)
    }


@cache
def _statement(*, own: bool, stored: bool) -> str:
    return filled(
        _OWN_COUNTS if own else _COUNTS,
        cells=sources.cells(()),
        of_cell=OF_CELL,
        attentive=ATTENTIVE,
        to_capture=STATUS["to_capture"],
        to_ship=STATUS["to_ship"],
        held=CONDITIONS["held"],
        capturable=CAPTURABLE,
        unowed=UNOWED,
        stands=STANDS,
        open=_OPEN,
        stored=_STORED if stored else "",
    )
