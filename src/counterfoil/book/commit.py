"""Commit a change: one data-modifying statement, so all of it happens or nothing does.

Its first part is the conditional update of the order, `and version = $seen`; every other part
hangs on that part's result and on the order's id, so ids inside the rows can touch no other
order's. `must()` counts the rows of every part and raises on a shortfall, which undoes the whole
statement. One statement is one transaction: there is no begin and no commit to be lost between.
No row back means that somebody was first. [rulings 2, 3]
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from counterfoil.book.columns import columns_of
from counterfoil.book.opening import Key
from counterfoil.book.statement import Shape, statement
from counterfoil.kernel.db import Connection
from counterfoil.order.change import Answered, Change, Lease
from counterfoil.order.order import Order

_encode = msgspec.json.Encoder().encode
_KEPT = """insert into idempotency (account_id, credential, key, fingerprint, status, body, etag,
    location, order_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
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
    return await connection.row(statement(shape), *parameters) is not None


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
        several=True,
    )
    parameters: list[Any] = [connection.account, _json([c.after.order for c in changes])]
    for made in configuration.values():
        parameters += _counted(list(made.values()))
    for table in shape.inserts:
        parameters += _counted(rows[table])
    parameters.append(_term_rows([(c.after.order, c.terms()[0]) for c in changes]))
    await connection.rows(statement(shape), *parameters)
