"""Open a folder: one statement, one snapshot; version, rows and the stored answer agree."""

from functools import cache
from typing import Any

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.order.change import Answered
from counterfoil.order.folder import Folder
from counterfoil.order.problems import IdempotencyKeyReused, RequestInProgress

_ORDERED_BY = {
    "bags": "position",
    "items": "position",
    "payments": "position",
    "shipments": "position",
    "returns": "position",
    "edits": "position",
    "holds": "placed_at",
    "fraud_reviews": "opened_at",
}
#: Sections that are looked for only where the order says that there is something.
_WHEN = {
    "holds": "and (o.hold_capture or o.hold_shipment)",
    "fraud_reviews": "and o.fraud_status <> 'NOT_REQUIRED'",
    "returns": "and o.shipped_count > 0",
}
_ROWS = """(select coalesce(json_agg(row_to_json(t) order by t.{by}), '[]')
  from {table} t where t.account_id = $1 and t.order_id = o.id {when})"""
_STATE = """(select row_to_json(s) from order_states s
  where s.account_id = $1 and s.store = o.store and s.code = o.state)"""
_STORE = "(select row_to_json(s) from stores s where s.account_id = $1 and s.code = o.store)"
_CONFIGURATION = {
    "states": """(select coalesce(json_agg(row_to_json(s) order by s.position), '[]')
      from order_states s where s.account_id = $1 and s.store = o.store)""",
    "gateways": """(select coalesce(json_agg(json_build_object('code', g.code, 'kind', g.kind,
      'settings', g.settings, 'enabled', g.enabled, 'store', g.store)), '[]')
      from gateways g where g.account_id = $1)""",
    "methods": """(select coalesce(json_agg(row_to_json(m) order by m.code), '[]')
      from shipment_methods m where m.account_id = $1 and m.store = o.store)""",
    "merchants": """(select coalesce(json_object_agg(m.code, m.name), '{}') from merchants m
      where m.account_id = $1 and m.code in
        (select b.merchant from bags b where b.account_id = $1 and b.order_id = o.id))""",
}
_FOUND_BY = {
    "orders": "$2",
    "shipments": "(select s.order_id from shipments s where s.account_id = $1 and s.id = $2)",
    "returns": "(select r.order_id from returns r where r.account_id = $1 and r.id = $2)",
    "tasks": "(select t.order_id from tasks t where t.account_id = $1 and t.id = $2)",
}
_SAME_REFERENCE = """(select row_to_json(r) from refunds r
  where r.account_id = $1 and r.store = o.store and r.reference = $5)"""
_RESERVED_BY = """(select r.id from returns r
  where r.account_id = $1 and r.store = o.store and r.refund_reference = $5
    and r.status in ('REQUESTED', 'APPROVED', 'RECEIVED'))"""
#: The refund that has the reference which the next refund of the return would have.
_NEXT_REFERENCE = """(select row_to_json(f) from returns r
  join refunds f on f.account_id = $1 and f.store = r.store and f.reference = r.refund_reference
    || coalesce((select '-' || count(*) + 1 from refunds n where n.account_id = $1
      and n.order_id = r.order_id and n.return_id = r.id having count(*) > 0), '')
  where r.account_id = $1 and r.id = $2)"""


_UNKEYED = """select {folder} folder, null fingerprint
  from orders o where o.account_id = $1 and o.id = {order}"""
_KEYED = """select case when o.id is not null then {folder} end folder,
  k.fingerprint, k.status, k.body, k.etag, k.location
from (select) one
left join idempotency k on k.account_id = $1 and k.credential = $3 and k.key = $4
left join orders o on o.account_id = $1 and o.id = {order}"""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An Idempotency-Key, whose it is, and what it was used for. [domain.md §10]"""

    credential: str
    key: str
    fingerprint: str


class Opened(msgspec.Struct, frozen=True):
    """What one opening found: the folder, or the stored answer that ends the run."""

    folder: Folder | None
    answered: Answered | None = None


_decode = msgspec.json.Decoder(Folder).decode


@cache
def folder_told(
    needs: frozenset[str], *, referenced: bool = False, next_of_return: bool = False
) -> str:
    """Write the expression that tells the folder of `o` with these sections, as JSON text."""
    parts = [
        "'order', row_to_json(o)",
        f"'store', {_STORE}",
        f"'state', {_STATE}",
        "'at', cf_now()",
    ]
    for section in sorted(needs):
        if section in _CONFIGURATION:
            told = _CONFIGURATION[section]
        else:
            told = _ROWS.replace("{by}", _ORDERED_BY.get(section, "id"))
            told = told.replace("{table}", section).replace("{when}", _WHEN.get(section, ""))
        parts.append(f"'{section}', {told}")
    if referenced:
        parts.append(f"'same_reference', {_SAME_REFERENCE}")
        parts.append(f"'reserved_by', {_RESERVED_BY}")
    elif next_of_return:
        parts.append(f"'same_reference', {_NEXT_REFERENCE}")
    return "json_build_object(" + ", ".join(parts) + ")::text"


@cache
def _open_folder(needs: frozenset[str], found_by: str, *, keyed: bool, referenced: bool) -> str:
    folder = folder_told(
        needs, referenced=referenced, next_of_return=found_by == "returns" and "refunds" in needs
    )
    sql = (_KEYED if keyed else _UNKEYED).replace("{folder}", folder)
    return sql.replace("{order}", _FOUND_BY[found_by])


async def open_folder(
    connection: Connection,
    order_id: str,
    needs: frozenset[str],
    *,
    key: Key | None = None,
    reference: str | None = None,
    found_by: str = "orders",
) -> Opened:
    """Read what an action needs of an order, and the stored answer for the key if one is there.

    `found_by` "shipments", "returns" or "tasks": the id is that of one of the order's.
    Raises IdempotencyKeyReused and RequestInProgress. An order that is not here: folder is None.
    """
    sql = _open_folder(needs, found_by, keyed=key is not None, referenced=reference is not None)
    parameters: list[Any] = [connection.account, order_id]
    if key is not None:
        parameters += [key.credential, key.key]
    if reference is not None:
        assert key is not None
        parameters.append(reference)
    row = await connection.row(sql, *parameters)
    if row is None:
        return Opened(None)
    if row["fingerprint"] is not None:
        assert key is not None
        return Opened(None, stored_answer(row, key))
    return Opened(_decode(row["folder"]) if row["folder"] else None)


def stored_answer(row: Any, key: Key) -> Answered:
    """Judge a stored answer. Raises IdempotencyKeyReused and RequestInProgress."""
    if row["fingerprint"] != key.fingerprint:
        raise IdempotencyKeyReused(
            "Take a new key: this one was used with another method, address or body."
        )
    if row["status"] is None:
        raise RequestInProgress(
            "The same request is still running; ask again.", headers={"Retry-After": "1"}
        )
    return Answered(
        status=row["status"],
        body=row["body"],
        etag=row["etag"],
        location=row["location"],
        replayed=True,
    )
