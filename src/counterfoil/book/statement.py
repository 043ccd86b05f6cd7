"""The text of a commit: one statement for each shape of change, put together once.

What is filled in are names of our own tables and columns and numbers of parameters, never a value.
[rulings 2, 3]
"""

from collections.abc import Sequence
from functools import cache

import msgspec

from counterfoil.book.columns import columns_of


class Shape(msgspec.Struct, frozen=True):
    """What a statement is made for; equal shapes share one prepared statement.

    `updates` holds (table, changed columns); `leased` the table whose row must still be ours;
    `key` is 'new' (insert), 'answer' (fill in) or ''. `linked`: new orders are written with it;
    `several`: it is a batch of new ones.
    """

    new: bool
    order: tuple[str, ...]
    inserts: tuple[str, ...]
    updates: tuple[tuple[str, tuple[str, ...]], ...]
    configuration: tuple[str, ...]
    terms: tuple[bool, bool]
    leased: str
    key: str
    linked: bool = False
    several: bool = False


_MUST = "must((select count(*) from {name}) = {rows}, '{what}')"
_NEW_ORDERS = """insert into orders (account_id, {names})
  select $1, {names} from json_to_recordset({rows}::text::json) r({definitions}) returning id"""
_LINKED_ORDERS = """insert into orders (account_id, {names})
  select $1, {read} from o, json_to_recordset({rows}::text::json) r({definitions}) returning id"""
_EITHER = "select id from o union all select id from linked"
#: Rows of one order are compared with its id: a join would cost a tenth of the statement more.
_OF_ONE = "= (select id from o)"
_OF_SEVERAL = "in (select id from o)"
_OF_EITHER = "in (select id from either)"
_ORDER = """update orders set {sets}
  where account_id = $1 and id = {order} and version = {seen} returning id"""
_NEW_KEY = """insert into idempotency (account_id, credential, key, fingerprint, status, body, etag,
    location, order_id)
  select $1, {given}, o.id from o returning 1"""
_ANSWER = """update idempotency set status = {p1}, body = {p2}, etag = {p3}, location = {p4}
  where account_id = $1 and credential = {p5} and key = {p6} and status is null
    and exists (select from o) returning 1"""
_NEW_CONFIGURATION = """insert into {table} (account_id, {names})
  select $1, {names} from json_to_recordset({rows}::text::json) r({definitions}) returning 1"""
_CHANGED_ROWS = """update {table} t set {sets}
  from json_to_recordset({rows}::text::json) r({definitions})
  where t.account_id = $1 and t.order_id = (select id from o) and t.id = r.id {mine} returning 1"""
_NEW_ROWS = """insert into {table} (account_id, {names})
  select $1, {read} from json_to_recordset({rows}::text::json) r({definitions})
  where r.order_id {ours} returning 1"""
_NEW_TERMS = """insert into order_term (account_id, term, placed_at, order_id)
  select $1, unnest(r.terms), r.placed_at, r.order_id
  from json_to_recordset({rows}::text::json)
    r(order_id uuid, placed_at timestamptz, terms text[])
  where r.order_id {ours} returning 1"""
_GONE_TERMS = """delete from order_term t
  using o, json_to_recordset({rows}::text::json)
    r(order_id uuid, placed_at timestamptz, terms text[])
  where t.account_id = $1 and t.order_id = o.id and t.placed_at = r.placed_at
    and t.term = any(r.terms) returning 1"""


def _filled(fragment: str, **names: str) -> str:
    for name, value in names.items():
        fragment = fragment.replace("{" + name + "}", value)
    return fragment


def _definitions(columns: dict[str, str], names: Sequence[str]) -> str:
    return ", ".join(f'"{name}" {columns[name]}' for name in names)


def _names(columns: dict[str, str], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in columns)


class _Text:
    """The statement while it is put together, and the numbers of its parameters."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.musts: list[str] = []
        self.last = 1  # $1 is the account

    def next(self) -> str:
        self.last += 1
        return f"${self.last}"

    def part(self, name: str, body: str, *, must: str = "", rows: str = "") -> None:
        self.parts.append(f"{name} as ({body})")
        if must:
            self.musts.append(_filled(_MUST, name=name, rows=rows, what=must))

    def rows_part(self, name: str, fragment: str, *, must: str = "", **names: str) -> None:
        """Add a part that takes its rows as one JSON parameter; must: and their number as one."""
        rows = self.next()
        count = f"{self.next()}::bigint" if must else ""
        self.part(name, _filled(fragment, rows=rows, **names), must=must, rows=count)


@cache
def statement(shape: Shape) -> str:
    text = _Text()
    if shape.new:
        columns = columns_of("orders")
        text.rows_part(
            "o",
            _NEW_ORDERS,
            names=_names(columns),
            definitions=_definitions(columns, list(columns)),
        )
    else:
        _update_order(text, shape)
    ours = _OF_SEVERAL if shape.several else _OF_ONE
    if shape.linked:
        ours = _OF_EITHER
        _link_orders(text)
    if shape.key == "new":
        given = ", ".join(text.next() for _ in range(7))
        text.part("k", _filled(_NEW_KEY, given=given), must="key", rows="1")
    elif shape.key == "answer":
        text.part("k", _filled(_ANSWER, **{f"p{n}": text.next() for n in range(1, 7)}))
    for table in shape.configuration:
        columns = columns_of(table)
        text.rows_part(
            f"n_{table}",
            _NEW_CONFIGURATION,
            must=table,
            table=table,
            names=_names(columns),
            definitions=_definitions(columns, list(columns)),
        )
    for table, names in shape.updates:
        _update_rows(text, table, names, leased=shape.leased == table)
    for table in shape.inserts:
        columns = columns_of(table)
        text.rows_part(
            f"i_{table}",
            _NEW_ROWS,
            must=table,
            table=table,
            ours=ours,
            names=_names(columns),
            read=_names(columns, "r."),
            definitions=_definitions(columns, list(columns)),
        )
    if shape.terms[0]:
        text.rows_part("t_new", _NEW_TERMS, ours=ours)
    if shape.terms[1]:
        text.rows_part("t_gone", _GONE_TERMS)
    where = " and ".join(text.musts) or "true"
    return "with " + ",\n".join(text.parts) + "\nselect o.id from o where " + where


def _update_order(text: _Text, shape: Shape) -> None:
    columns = columns_of("orders")
    order, seen = text.next(), text.next()
    sets = ", ".join(
        f'"{name}" = {text.next()}' + ("::text::jsonb" if columns[name] == "jsonb" else "")
        for name in shape.order
    )
    text.part("o", _filled(_ORDER, sets=sets, order=order, seen=seen))


def _link_orders(text: _Text) -> None:
    """Write new orders where the one that changes was still as it was seen. [rulings 7]"""
    columns = columns_of("orders")
    text.rows_part(
        "linked",
        _LINKED_ORDERS,
        must="linked orders",
        names=_names(columns),
        read=_names(columns, "r."),
        definitions=_definitions(columns, list(columns)),
    )
    text.part("either", _EITHER)


def _update_rows(text: _Text, table: str, names: tuple[str, ...], *, leased: bool) -> None:
    columns = columns_of(table) | {"lease": "uuid"}
    read = ("id", *names, "lease") if leased else ("id", *names)
    sets = ", ".join(f'"{name}" = r."{name}"' for name in names)
    if leased:
        sets += ", lease_token = null, lease_until = null"
    text.rows_part(
        f"u_{table}",
        _CHANGED_ROWS,
        must="lease" if leased else table,
        table=table,
        sets=sets,
        mine="and t.lease_token = r.lease" if leased else "",
        definitions=_definitions(columns, read),
    )
