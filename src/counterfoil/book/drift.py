"""The drift report: what providers say and our book does not, or the reverse. [rulings 26]

Lines about an order's payment are written with the order; this file reads them all, writes those
that belong to no order, and lets a person close one.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.page import LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import to_json
from counterfoil.order.actor import Actor
from counterfoil.order.drift import DriftLine
from counterfoil.order.problems import InvalidState

#: One writer at a time an account: the same line is not told twice by two workers.
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended('drift:' || $1::text, 0))"
_TELL = """insert into drift_lines (account_id, id, gateway, kind, reconciliation_id, order_id,
    transaction_id, reference, gateway_transaction_id, currency, ours, theirs, detail, status,
    created_at)
  select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'OPEN', cf_now()
  where not exists (select from drift_lines d where d.account_id = $1
    and (d.status = 'OPEN' or d.reconciliation_id = $5)
    and d.gateway = $3 and d.kind = $4 and d.transaction_id is not distinct from $7
    and d.reference is not distinct from $8 and d.gateway_transaction_id is not distinct from $9
    and d.ours is not distinct from $11 and d.theirs is not distinct from $12)
  returning 1"""
_LIST = """select row_to_json(d)::text as told, (select count(*) from (select from drift_lines c
    where c.account_id = $1 and ($2::text is null or c.status = $2)
      and ($3::text is null or c.gateway = $3)
      and ($7::uuid is null or c.reconciliation_id = $7) limit 10001) x) as total
  from drift_lines d where d.account_id = $1 and ($2::text is null or d.status = $2)
    and ($3::text is null or d.gateway = $3)
    and ($7::uuid is null or d.reconciliation_id = $7)
    and ($4::timestamptz is null or (d.created_at, d.id) < ($4, $5::uuid))
  order by d.created_at desc, d.id desc limit $6"""
_READ = """select row_to_json(d)::text from drift_lines d
  where d.account_id = $1 and d.id = $2"""
_OPEN = """select d.gateway, count(*) as open from drift_lines d
  where d.account_id = $1 and d.status = 'OPEN' group by d.gateway"""
_RESOLVE = """with was as (select d.status from drift_lines d
    where d.account_id = $1 and d.id = $2 for update),
  made as (update drift_lines d set status = 'RESOLVED', note = $3,
      resolved_by = $4::text::jsonb, resolved_at = cf_now()
    where d.account_id = $1 and d.id = $2 and d.status = 'OPEN' returning d.*),
  entry as (insert into audit_entry (account_id, id, type, subject, data, actor, at)
    select $1, $5, 'drift.resolved', id::text, to_jsonb(made) - 'account_id', $4::text::jsonb,
      resolved_at from made)
  select (select status from was) as was, (select row_to_json(made)::text from made) as told"""


class NewDrift(msgspec.Struct, frozen=True, kw_only=True):
    """A line that belongs to a run or a call, not to a payment. Amounts in minor units."""

    gateway: str
    kind: str
    reconciliation_id: str | None = None
    order_id: str | None = None
    transaction_id: str | None = None
    reference: str | None = None
    gateway_transaction_id: str | None = None
    currency: str | None = None
    ours: int | None = None
    theirs: int | None = None
    detail: str | None = None


async def tell_drift(connection: Connection, new: NewDrift) -> bool:
    """Write a line, within a transaction; False where the very same is open or of this run."""
    await connection.rows(_ONE_AT_A_TIME, connection.account)
    row = await connection.row(
        _TELL, connection.account, new_id(), new.gateway, new.kind, new.reconciliation_id,
        new.order_id, new.transaction_id, new.reference, new.gateway_transaction_id, new.currency,
        new.ours, new.theirs, new.detail,
    )  # fmt: skip
    return row is not None


async def list_drift(
    connection: Connection, *, status: str | None = None, gateway: str | None = None,
    run: str | None = None, limit: int = LIMIT, cursor: str | None = None,
) -> Page[DriftLine]:
    """List lines, the newest first; `run` is the reconciliation that found them."""
    after = read_cursor(cursor, datetime, UUID) or (None, None)
    rows = await connection.rows(
        _LIST, connection.account, status, gateway, *after, check_limit(limit) + 1, run
    )
    return read_page(rows, DriftLine, limit, "created_at", "id")


async def find_drift(connection: Connection, line_id: str) -> DriftLine:
    """Read one line. Raises NotFound."""
    told = await connection.value(_READ, connection.account, line_id)
    if told is None:
        raise NotFound("There is no such line.")
    return msgspec.json.decode(told, type=DriftLine)


async def open_drift(connection: Connection) -> dict[str, int]:
    """Count the open lines of each gateway that has some."""
    rows = await connection.rows(_OPEN, connection.account)
    return {row["gateway"]: row["open"] for row in rows}


async def resolve_drift(
    connection: Connection, actor: Actor, line_id: str, note: str
) -> DriftLine:
    """Close a line, with what somebody found. Raises NotFound, InvalidState (closed already)."""
    row = await connection.row(
        _RESOLVE, connection.account, line_id, note, to_json(actor.told()), new_id()
    )
    if row is None or row["was"] is None:
        raise NotFound("There is no such line.")
    if row["told"] is None:
        raise InvalidState("The line is closed already.")
    return msgspec.json.decode(row["told"], type=DriftLine)
