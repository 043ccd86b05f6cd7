"""Where a list's orders come from: one source is read in order, everything else is a condition.

Every source is an index that has the wanted order in it, read no further than the page needs, once
for each value where a filter has several. The status axes share one index: the combinations of
statuses that occur are few, so they are found by skipping through it, and each combination that
matches is read on its own. All operators are leakproof, or row-level security would turn them into
table scans. [rulings 15]
"""

import msgspec

from counterfoil.book.fragments import filled

PLACED, OPEN, CELLS, TERM, WORD = "placed", "open", "cells", "term", "word"
NUMBER, EXTERNAL, ATTENTION, UNKNOWN = "number", "external_id", "attention", "unknown"
#: How many rows are looked at to count what has conditions beside its source.
LOOKED_MAX = 5_000
_AXES = ("state", "financial_status", "fulfillment_status", "fraud_status",
         "hold_capture", "hold_shipment")

#: What an order has to be; `o` is the order. Those of STATUS look at the status axes alone.
STATUS = {
    "state": "o.state = any({state}::text[])",
    "status": "(o.state = any({status}::text[]) or o.system_state = any({status}::text[]))",
    "financial_status": "o.financial_status = any({financial_status}::text[])",
    "fulfillment_status": "o.fulfillment_status = any({fulfillment_status}::text[])",
    "fraud_status": "o.fraud_status = any({fraud_status}::text[])",
    "held": "(o.hold_capture or o.hold_shipment) and o.system_state <> 'CANCELED'",
    "not_held": """(not (o.hold_capture or o.hold_shipment)
  or o.system_state in ('COMPLETED', 'CANCELED'))""",
    "to_capture": """o.financial_status in ('AUTHORIZED', 'PARTIALLY_PAID') and not o.hold_capture
  and o.system_state = any({money_states}::text[])""",
    "to_ship": """o.system_state = any({shippable}::text[]) and not o.hold_shipment
  and o.fraud_status in ('NOT_REQUIRED', 'PASSED')
  and o.fulfillment_status in ('PROCESSING', 'PARTIALLY_SHIPPED')""",
}
LEFT = """o.authorized - o.captured - o.voided - o.expired - o.capture_pending
  - o.void_pending > 0"""
_OWED = "o.total - o.canceled_total - o.captured + o.worth_refunded - o.capture_pending"
#: What is open and owed: captures may take something.
CAPTURABLE = filled("(<left> and <owed> > 0)", left=LEFT, owed=_OWED)
#: Word for word what the index orders_unowed is made for: all that is open is to be released.
UNOWED = filled("<left> and <owed> <= 0", left=LEFT, owed=_OWED)
#: Shipped altogether, and something of what is owed is still there to be taken.
_UNPAID = filled("(o.system_state = 'COMPLETED' and <left> and <owed> > 0)",
                 left=LEFT, owed=_OWED)
#: Whether a review or a hold keeps anything back, as order.allowed.stands() says.
STANDS = filled("(o.is_open or <unpaid>)", unpaid=_UNPAID)
#: Word for word what the index orders_attention is made for, and what attention_reasons() says.
ATTENTIVE = filled("""(o.unknown_pending <> 0 or o.system_state = 'CANCEL_REQUESTED'
  or (o.is_open and (o.fraud_status in ('PENDING', 'ON_HOLD') or o.hold_capture
    or o.hold_shipment))
  or o.fulfillment_status = 'COULD_NOT_DELIVER' or <unpaid>)""",
                    unpaid=_UNPAID)
CONDITIONS = {
    **STATUS,
    "system_state": "o.system_state = any({systems}::text[])",
    "open": "o.is_open = {open}::boolean",
    "store": "o.store = any({store}::text[])",
    "channel": "o.channel = any({channel}::text[])",
    "test": "o.is_test = {test}::boolean",
    "number": "o.number = any({number}::text[])",
    "external_id": "o.external_id = any({external_id}::text[])",
    "capturable": CAPTURABLE,
    "stands": STANDS,
    "no_hold_stands": filled("not ((o.hold_capture or o.hold_shipment) and <stands>)",
                             stands=STANDS),
    "attention": ATTENTIVE,
    "unknown": "o.unknown_pending <> 0",
}
_TERMED = """exists (select from order_term x where x.account_id = $1
  and x.term = any({<group>}::text[]) and x.placed_at = <placed> and x.order_id = <id>)"""
_WORDED = """(exists (select from order_term x where x.account_id = $1 and x.term = {<group>}
    and x.placed_at = <placed> and x.order_id = <id>)
  or <id> in (select x.order_id from order_term x where x.account_id = $1
    and x.term > {<group>} and x.term < {<group>_end} limit {capped}))"""
#: For whoever is limited to merchants, who must not find an order by goods of another: the word is
#: in what they are shown of it, the order's own texts or those of their bags.
_OWN_WORDED = """(strpos(replace(lower(normalize(
    concat_ws(' ', o.number, o.external_id, o.invoice_number, o.merchant_reference,
      jsonb_path_query_array(o.customer, '$.*')::text,
      jsonb_path_query_array(o.shipping_address, '$.*')::text), NFKC)),
    U&'\\00DF', 'ss'), <word>) > 0
  or exists (select from items i join bags b on b.account_id = $1 and b.id = i.bag_id
    where i.account_id = $1 and i.order_id = o.id and b.merchant = any({own}::text[])
      and strpos(lower(normalize(i.sku, NFKC)), <word>) > 0)
  or exists (select from shipments s join bags b on b.account_id = $1 and b.id = s.bag_id
    where s.account_id = $1 and s.order_id = o.id and b.merchant = any({own}::text[])
      and strpos(lower(normalize(concat_ws(' ', s.tracking_number, s.parcels::text), NFKC)),
        <word>) > 0))"""
OWN = "own_"

_FIRST_CELL = """select o.system_state, <here> from orders o
    where o.account_id = $1 and o.system_state = s.system_state order by <here> limit 1"""
_NEXT_CELL = """select o.system_state, <here> from orders o
    where o.account_id = $1 and o.system_state = c.system_state and (<here>) > (<there>)
    order by <here> limit 1"""
_CELLS = """cells as (
  select f.* from unnest({systems}::text[]) s(system_state) cross join lateral (<first>) f
  union all
  select f.* from cells c cross join lateral (<next>) f),
matching as (select c.* from cells c where <chosen>)"""
#: An order is one of a combination `m`.
OF_CELL = " and ".join(f"o.{name} = m.{name}" for name in ("system_state", *_AXES))
_OWN_STORES = "unnest({store}::text[])"
_ALL_STORES = "(select code from stores where account_id = $1)"
#: Each source: the values that are read one by one, and what ties an order to its value.
_EACH = {
    PLACED: ("(select) one", "true"),
    ATTENTION: ("unnest({opens}::boolean[]) f(is_open)",
                "o.is_open = f.is_open and " + ATTENTIVE),
    OPEN: (
        "unnest({opens}::boolean[]) f(is_open) cross join <stores> s(code)",
        "o.is_open = f.is_open and o.store = s.code",
    ),
    CELLS: ("matching m", OF_CELL),
    NUMBER: (
        "unnest({number}::text[]) n(number) cross join <stores> s(code)",
        "o.store = s.code and o.number = n.number",
    ),
    EXTERNAL: (
        """unnest({external_id}::text[]) n(external_id) cross join (
    with recursive channels as (
      (select o.channel as code from orders o where o.account_id = $1 order by o.channel limit 1)
      union all
      select (select o.channel from orders o where o.account_id = $1 and o.channel > c.code
        order by o.channel limit 1) from channels c where c.code is not null)
    select code from channels where code is not null) c""",
        "o.channel = c.code and o.external_id = n.external_id",
    ),
    UNKNOWN: (
        """(select distinct t.order_id from transactions t where t.account_id = $1
    and t.settled_at is null and t.status = 'UNKNOWN') u""",
        "o.id = u.order_id",
    ),
}
_OF_TERM = ("t.placed_at", "t.order_id")
_JOIN = "join orders o on o.account_id = $1 and o.id = t.order_id"
_ORDER_PAGE = """select k.placed_at, k.id from <each> cross join lateral (
  select o.placed_at, o.id from orders o where o.account_id = $1 and <tied><where>
  order by o.placed_at<way>, o.id<way> limit {limit}) k
order by k.placed_at<way>, k.id<way> limit {limit}"""
_ORDER_COUNT = """select k.ok from <each> cross join lateral (
  select <met> as ok from orders o where o.account_id = $1 and <tied><where>) k"""
_TERM_PAGE = """select distinct k.placed_at, k.id from unnest({<group>}::text[]) v(term)
cross join lateral (
  select t.placed_at, t.order_id as id from order_term t <join>
  where t.account_id = $1 and t.term = v.term<where>
  order by t.placed_at<way>, t.order_id<way> limit {limit}) k
order by k.placed_at<way>, k.id<way> limit {limit}"""
_TERM_COUNT = """select <distinct> <met> as ok from unnest({<group>}::text[]) v(term)
join order_term t on t.account_id = $1 and t.term = v.term<where> <join>"""
#: Whole words newest first, then what begins with the word as it comes; both capped.
_WORD_ROWS = """(select distinct w.placed_at, w.order_id from (
  (select t.placed_at, t.order_id from order_term t where t.account_id = $1
    and t.term = {<group>}<where> order by t.placed_at<way>, t.order_id<way> limit {capped})
  union all (select t.placed_at, t.order_id from order_term t where t.account_id = $1
    and t.term > {<group>} and t.term < {<group>_end} limit {capped})) w
  order by w.placed_at<way>, w.order_id<way>)"""
_WORD_PAGE = """select t.placed_at, t.order_id as id from <rows> t <join> where true<where>
order by t.placed_at<way>, t.order_id<way> limit {limit}"""
_WORD_COUNT = "select <met> as ok from <rows> t <join> where true<where>"
_COUNT = """select array[count(*) filter (where x.ok), count(*)] from (<rows> limit {cap}) x"""
_COUNT_ALL = """select array[count(*), count(*)] from (<rows> limit {cap}) x"""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement is made for; equal shapes share one prepared statement.

    `group` is the parameter that a source by term reads, `several` whether it has many values.
    `cells` and `conditions` name what has to be true. `range` has the bounds that are set.
    """

    source: str
    group: str = ""
    several: bool = False
    cells: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    stores: bool = False
    range: tuple[str, ...] = ()
    after: bool = False
    oldest_first: bool = False
    limited: bool = False


def condition(name: str, placed: str = "o.placed_at", order_id: str = "o.id") -> str:
    """Write one condition; what is no column of the order is looked up among its terms."""
    if name in CONDITIONS:
        return CONDITIONS[name]
    if name.startswith(OWN):
        return own_word(name.removeprefix(OWN))
    template = _WORDED if name.startswith("word") else _TERMED
    return filled(template, group=name, placed=placed, id=order_id)


def own_word(group: str) -> str:
    """Write that a term is found in what may be seen; a term begins with its kind."""
    return filled(_OWN_WORDED, word="substr({<group>}, 3)").replace("<group>", group)


def bounds(shape: Shape, placed: str, order_id: str, *, paged: bool = True) -> str:
    """Write the range of time, and the place after which the page begins."""
    text = ""
    if "placed_from" in shape.range:
        text += " and " + placed + " >= {placed_from}::timestamptz"
    if "placed_to" in shape.range:
        text += " and " + placed + " < {placed_to}::timestamptz"
    if shape.after and paged:
        sign = " > " if shape.oldest_first else " < "
        text += f" and ({placed}, {order_id})" + sign + "({at}::timestamptz, {id}::uuid)"
    return text


def cells(names: tuple[str, ...]) -> str:
    """Find the combinations of statuses that occur, and those of them that are wanted."""
    here, there = (", ".join(f"{one}.{name}" for name in _AXES) for one in ("o", "c"))
    chosen = " and ".join(STATUS[name].replace("o.", "c.") for name in names) or "true"
    return filled(_CELLS, first=_FIRST_CELL, next=_NEXT_CELL, here=here, there=there,
                  chosen=chosen)


def each(shape: Shape) -> tuple[str, str]:
    """Write the values that a source reads one by one, and what ties an order to its value."""
    stores = _OWN_STORES if shape.stores else _ALL_STORES
    return filled(_EACH[shape.source][0], stores=stores), _EACH[shape.source][1]


def page(shape: Shape) -> str:
    """Write the part that finds the page: (placed_at, id) in order, {limit} of them."""
    way = "" if shape.oldest_first else " desc"
    if shape.source in (TERM, WORD):
        where = bounds(shape, *_OF_TERM)
        met = "".join(f"\n  and {condition(name, *_OF_TERM)}" for name in shape.conditions)
        text = _term_text(_TERM_PAGE if shape.source == TERM else _WORD_PAGE, shape, where)
        return filled(text, where=where + met, way=way)
    where = bounds(shape, "o.placed_at", "o.id")
    where += "".join(f"\n  and {condition(name)}" for name in shape.conditions)
    values, tied = each(shape)
    return filled(_ORDER_PAGE, each=values, tied=tied, where=where, way=way)


def count(shape: Shape) -> str:
    """Write the part that counts: how many match, and how many were looked at, up to {cap}."""
    if shape.source in (TERM, WORD):
        where = bounds(shape, *_OF_TERM, paged=False)
        met = " and ".join(condition(name, *_OF_TERM) for name in shape.conditions) or "true"
        text = _term_text(_TERM_COUNT if shape.source == TERM else _WORD_COUNT, shape, where)
        distinct = "distinct t.placed_at, t.order_id," if shape.several else ""
        text = filled(text, where=where, distinct=distinct, met=met, way=" desc")
    else:
        where = bounds(shape, "o.placed_at", "o.id", paged=False)
        met = " and ".join(condition(name) for name in shape.conditions) or "true"
        values, tied = each(shape)
        text = filled(_ORDER_COUNT, each=values, tied=tied, where=where, met=met)
    return filled(_COUNT if shape.conditions else _COUNT_ALL, rows=text)


def _term_text(template: str, shape: Shape, where: str) -> str:
    """Write a reading of terms; orders are joined only where their columns are asked about."""
    asked = [name in CONDITIONS or name.startswith(OWN) for name in shape.conditions]
    join = _JOIN if any(asked) else ""
    rows = filled(_WORD_ROWS, where=where)
    return filled(template, rows=rows, join=join, group=shape.group)
