"""Commit a change: one data-modifying statement, so all of it happens or nothing does.

Its first part is the conditional update of the order, `and version = $seen`; every other part
hangs on that part's result and on the order's id, so ids inside the rows can touch no other
order's. `must()` counts the rows of every part and raises on a shortfall, which undoes the whole
statement. One statement is one transaction: there is no begin and no commit to be lost between.
No row back means that somebody was first. [rulings 2, 3]
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from counterfoil.book.columns import columns_of
from counterfoil.book.opening import Key
from counterfoil.kernel.db import Connection
from counterfoil.order.change import Answered, Change, Lease
from counterfoil.order.order import Order

_encode = msgspec.json.Encoder().encode
_INSERT_ORDER = (
    "bags",
    "items",
    "payments",
    "refunds",
    "transactions",
    "gateway_calls",
    "shipments",
    "holds",
    "fraud_reviews",
    "notes",
    "cancellations",
    "letters",
    "tasks",
    "payouts",
    "drift_lines",
    "returns",
    "edits",
    "ledger_entries",
    "facts",
)


class Shape(msgspec.Struct, frozen=True):
    """What a statement is made for; equal shapes share one prepared statement.

    `updates` holds (table, changed columns); `leased` the table whose row must still be ours;
    `key` is 'new' (insert), 'answer' (fill in) or ''. `linked`: new orders are written with it.
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


# Statements are put together from these fragments. What is filled in are names of our own tables
# and columns and numbers of parameters, never a value.
_MUST = "must((select count(*) from {name}) = {rows}, '{what}')"
_NEW_ORDERS = """insert into orders (account_id, {names})
  select $1, {names} from json_to_recordset({rows}::text::json) r({definitions}) returning id"""
_LINKED_ORDERS = """insert into orders (account_id, {names})
  select $1, {read} from o, json_to_recordset({rows}::text::json) r({definitions}) returning id"""
_EITHER = "select id from o union all select id from linked"
_ORDER = """update orders set {sets}
  where account_id = $1 and id = {order} and version = {seen} returning id"""
_NEW_KEY = """insert into idempotency (account_id, credential, key, fingerprint, status, body, etag,
    location, order_id)
  select $1, {given}, o.id from o returning 1"""
_KEPT = """insert into idempotency (account_id, credential, key, fingerprint, status, body, etag,
    location, order_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
_ANSWER = """update idempotency set status = {p1}, body = {p2}, etag = {p3}, location = {p4}
  where account_id = $1 and credential = {p5} and key = {p6} and status is null
    and exists (select from o) returning 1"""
_NEW_CONFIGURATION = """insert into {table} (account_id, {names})
  select $1, {names} from json_to_recordset({rows}::text::json) r({definitions}) returning 1"""
_CHANGED_ROWS = """update {table} t set {sets}
  from o, json_to_recordset({rows}::text::json) r({definitions})
  where t.account_id = $1 and t.order_id = o.id and t.id = r.id {mine} returning 1"""
_NEW_ROWS = """insert into {table} (account_id, {names})
  select $1, {read} from {gate} o, json_to_recordset({rows}::text::json) r({definitions})
  where r.order_id = o.id returning 1"""
_NEW_TERMS = """insert into order_term (account_id, term, placed_at, order_id)
  select $1, unnest(r.terms), r.placed_at, r.order_id
  from {gate} o, json_to_recordset({rows}::text::json)
    r(order_id uuid, placed_at timestamptz, terms text[])
  where r.order_id = o.id returning 1"""
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
def _statement(shape: Shape) -> str:
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
    gate = "o"
    if shape.linked:
        gate = "either"
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
            gate=gate,
            names=_names(columns),
            read=_names(columns, "r."),
            definitions=_definitions(columns, list(columns)),
        )
    if shape.terms[0]:
        text.rows_part("t_new", _NEW_TERMS, gate=gate)
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


def _json(rows: Any) -> str:
    return _encode(rows).decode()


def _order_values(names: tuple[str, ...], fields: dict[str, Any]) -> list[Any]:
    columns = columns_of("orders")
    return [
        _json(fields[name])
        if columns[name] == "jsonb" and fields[name] is not None
        else fields[name]
        for name in names
    ]


def _counted(rows: Sequence[Any]) -> list[Any]:
    return [_json(rows), len(rows)]


def _changed_rows(
    nouns: Sequence[Any],
    changed: Sequence[tuple[str, dict[str, Any]]],
    names: tuple[str, ...],
    lease: Lease | None,
) -> list[dict[str, Any]]:
    """Rows that change different columns share one part: what stays is sent as it is."""
    current = {noun.id: noun for noun in nouns}
    rows = []
    for noun_id, _ in changed:
        row = {name: getattr(current[noun_id], name) for name in names}
        row["id"] = noun_id
        if lease is not None:
            row["lease"] = lease.token
        rows.append(row)
    return rows


def _term_rows(orders: Sequence[tuple[Order, list[str]]]) -> str:
    return _json(
        [
            {"order_id": order.id, "placed_at": order.placed_at, "terms": terms}
            for order, terms in orders
        ]
    )


def _rows_to_insert(changes: Sequence[Change]) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = {}
    for change in changes:
        for table, nouns in change.inserts.items():
            rows.setdefault(table, []).extend(nouns)
        if change.calls:
            rows.setdefault("gateway_calls", []).extend(change.calls)
        rows.setdefault("ledger_entries", []).extend(change.ledger())
        rows.setdefault("facts", []).extend(change.facts)
    return {table: rows[table] for table in _INSERT_ORDER if rows.get(table)}


def _key_values(key: Key, answered: Answered | None) -> list[Any]:
    told = (
        [None] * 4
        if answered is None
        else [answered.status, answered.body, answered.etag, answered.location]
    )
    return [key.credential, key.key, key.fingerprint, *told]


async def commit(
    connection: Connection,
    change: Change,
    *,
    key: Key | None = None,
    answered: Answered | None = None,
    answer_to: tuple[str, str] | None = None,
) -> bool:
    """Write a change; False when somebody was first. Raises what the database refuses.

    `key` is stored with `answered`, or unanswered while a provider is asked. `answer_to` names
    the (credential, key) of an intent's own request, which `answered` fills in. [rulings 11]
    """
    new = change.seen == 0
    others = change.new_orders
    assert not any(one.configuration for one in others), "linked orders use what there is"
    rows = _rows_to_insert([change, *others])
    order_fields = {} if new else change.order_fields()
    changed = {} if new else change.updates()
    updates = tuple(
        (table, tuple(sorted({name for _, fields in nouns for name in fields})))
        for table, nouns in sorted(changed.items())
    )
    added, gone = change.terms()
    found = [(one.after.order, one.terms()[0]) for one in (change, *others)]
    shape = Shape(
        new=new,
        order=tuple(sorted(order_fields)),
        inserts=tuple(rows),
        updates=updates,
        configuration=tuple(change.configuration),
        terms=(bool(added or others), bool(gone)),
        leased=change.lease.section if change.lease else "",
        key="new" if key else "answer" if answer_to and answered else "",
        linked=bool(others),
    )
    parameters: list[Any] = [connection.account]
    if new:
        parameters.append(_json([change.after.order]))
    else:
        parameters += [change.after.order.id, change.seen]
        parameters += _order_values(shape.order, order_fields)
    if others:
        parameters += _counted([one.after.order for one in others])
    if key is not None:
        parameters += _key_values(key, answered)
    elif shape.key == "answer" and answered is not None and answer_to is not None:
        parameters += [answered.status, answered.body, answered.etag, answered.location]
        parameters += list(answer_to)
    for table in shape.configuration:
        parameters += _counted(change.configuration[table])
    for table, names in shape.updates:
        lease = change.lease if shape.leased == table else None
        nouns = getattr(change.after, table)
        parameters += _counted(_changed_rows(nouns, changed[table], names, lease))
    for table in shape.inserts:
        parameters += _counted(rows[table])
    parameters += [_term_rows(found)] if shape.terms[0] else []
    parameters += [_term_rows([(change.after.order, gone)])] if gone else []
    return await connection.row(_statement(shape), *parameters) is not None


async def keep_answer(
    connection: Connection, key: Key, answered: Answered, order_id: str
) -> None:
    """Store the answer of a command that found its effect there already.

    So a repeat gets it too, whatever has become possible since. Raises what the database refuses.
    [domain.md §10]
    """
    await connection.rows(_KEPT, connection.account, *_key_values(key, answered), order_id)


async def commit_new(connection: Connection, changes: Sequence[Change]) -> None:
    """Write a batch of new orders in one statement; all or none. Raises what is refused."""
    rows = _rows_to_insert(changes)
    configuration: dict[str, dict[str, Any]] = {}
    for change in changes:
        for table, wanted in change.configuration.items():
            for row in wanted:
                name = f"{row.get('store', '')}/{row['code']}"
                configuration.setdefault(table, {}).setdefault(name, row)
    shape = Shape(
        new=True,
        order=(),
        inserts=tuple(rows),
        updates=(),
        configuration=tuple(configuration),
        terms=(True, False),
        leased="",
        key="",
    )
    parameters: list[Any] = [connection.account, _json([c.after.order for c in changes])]
    for made in configuration.values():
        parameters += _counted(list(made.values()))
    for table in shape.inserts:
        parameters += _counted(rows[table])
    parameters.append(_term_rows([(c.after.order, c.terms()[0]) for c in changes]))
    await connection.rows(_statement(shape), *parameters)
