"""Runs that compare a gateway with our book: nightly, asked for by hand, or by a settlement file.

A run is a row that is due; where it stands is in the row, so it goes on after a crash.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.due import Claimed
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.page import LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import to_json
from counterfoil.order.actor import Actor
from counterfoil.order.capability import CAPABILITIES

INSTANT = [kind for kind, able in CAPABILITIES.items() if able.instant]
#: What a run looks at again of the time before it, and how far the first one looks back.
OVERLAP_S = 3600
FIRST_S = 30 * 24 * 3600
ERRORS_MAX = 100
_RUN = """select row_to_json(r)::text as told from reconciliations r
  where r.account_id = $1 and r.id = $2"""
_LIST = """select row_to_json(r)::text as told, (select count(*) from (select from
    reconciliations c where c.account_id = $1 and ($2::text is null or c.gateway = $2)
    limit 10001) x) as total
  from reconciliations r where r.account_id = $1 and ($2::text is null or r.gateway = $2)
    and ($3::timestamptz is null or (r.started_at, r.id) < ($3, $4::uuid))
  order by r.started_at desc, r.id desc limit $5"""
#: The newest comparison and the newest settlement file of every gateway.
_LAST = """select row_to_json(r)::text as told from gateways g
  cross join (values (true), (false)) k(of_file)
  cross join lateral (select r.* from reconciliations r where r.account_id = $1
    and r.gateway = g.code and (r.kind = 'settlement') = k.of_file
    order by r.started_at desc, r.id desc limit 1) r
  where g.account_id = $1"""
#: The newest slot that has passed, and the gateways that have no run for it yet. A gateway that was
#: made after it waits for the next one; slots that were missed before it are made up for by it.
_SLOT = """with day as (select cf_now() as now,
    date_trunc('day', cf_now() at time zone 'utc') + make_interval(hours => $2) as today),
  slot as (select case when today <= now at time zone 'utc' then today
    else today - interval '1 day' end as at from day)
  select to_char(s.at, 'YYYY-MM-DD') as slot, coalesce((select array_agg(g.code order by g.code)
    from gateways g where g.account_id = $1 and g.enabled and g.kind <> all($3::text[])
      and g.created_at < s.at at time zone 'utc'
      and not exists (select from reconciliations r where r.account_id = $1
        and r.gateway = g.code and r.kind = 'nightly' and r.slot = to_char(s.at, 'YYYY-MM-DD'))),
    '{}') as gateways
  from slot s"""
_BEGIN = """insert into reconciliations (account_id, id, gateway, kind, slot, status, name, since,
    asked_by, started_at, due_at, attempts, lease_token, lease_until)
  select $1, $2::uuid, $3, $4, coalesce($5, $2::uuid::text), 'RUNNING', null, coalesce($6, (
      select max(r.started_at) - make_interval(secs => $7) from reconciliations r
      where r.account_id = $1 and r.gateway = $3 and r.kind <> 'settlement'
        and r.status = 'COMPLETED'), cf_now() - make_interval(secs => $8)),
    $9::text::jsonb, cf_now(), cf_now(), case when $10::uuid is null then 0 else 1 end, $10::uuid,
    case when $10::uuid is not null then cf_now() + make_interval(secs => $11) end
  where exists (select from gateways where account_id = $1 and code = $3)
  on conflict (account_id, gateway, kind, slot) do nothing returning id::text"""
_ADVANCE = """update reconciliations set cursor = coalesce($4, cursor), seen = seen + $5,
    matched = matched + $6, found = found + $7, settled = settled + $8, drifted = drifted + $9,
    failed = failed + $10,
    errors = case when jsonb_array_length(errors) < $13 then errors || $11::text::jsonb
      else errors end,
    lease_until = cf_now() + make_interval(secs => $12)
  where account_id = $1 and id = $2 and lease_token = $3
  returning row_to_json(reconciliations)::text"""
_END = """with ended as (update reconciliations set status = $4, finished_at = cf_now(),
    due_at = null, lease_token = null, lease_until = null,
    errors = errors || $5::text::jsonb
  where account_id = $1 and id = $2 and lease_token = $3 returning *),
  entry as (insert into audit_entry (account_id, id, type, subject, data, actor, at)
    select $1, $6, 'reconciliation.' || lower(status), id::text, jsonb_build_object(
      'gateway', gateway, 'kind', kind, 'slot', slot, 'seen', seen, 'matched', matched,
      'found', found, 'settled', settled, 'drifted', drifted, 'failed', failed), asked_by,
      finished_at from ended)
  select row_to_json(ended)::text from ended"""
#: Walk the account's payments by id, so many at a time; name those that have to be compared.
_NEXT = """with walked as (select p.* from payments p
    where p.account_id = $1 and p.id > $2 order by p.id limit $5)
  select (select max(id::text) from walked) as last, coalesce((
    select json_agg(json_build_object('payment_id', p.id, 'order_id', p.order_id) order by p.id)
    from walked p where p.gateway = $3 and p.provider_reference is not null
      and (p.authorized > p.captured + p.voided + p.expired or p.status = 'CREATED'
        or p.capture_pending > 0 or p.void_pending > 0 or p.refund_pending > 0
        or exists (select from transactions t where t.account_id = $1 and t.order_id = p.order_id
          and t.payment_id = p.id
          and (t.settled_at is null or t.settled_at >= $4 or t.created_at >= $4)))),
    '[]')::text as payments"""


class RunError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run could not do; `line` is that of a file."""

    detail: str
    line: int | None = None


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """A run as stored. `seen` counts payments, or lines of a file; the others say what came of it.

    `slot` is the day of a nightly run and the digest of a file.
    """

    id: str
    gateway: str
    kind: str
    slot: str
    status: str
    name: str | None = None
    since: datetime | None = None
    cursor: str | None = None
    seen: int = 0
    matched: int = 0
    found: int = 0
    settled: int = 0
    drifted: int = 0
    failed: int = 0
    errors: list[RunError] = []
    asked_by: dict[str, Any]
    started_at: datetime
    finished_at: datetime | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What was done since the row was written last; `cursor` is the last payment of it."""

    cursor: str | None = None
    seen: int = 0
    matched: int = 0
    found: int = 0
    settled: int = 0
    drifted: int = 0
    failed: int = 0
    errors: list[RunError] = []


class Stop(msgspec.Struct, frozen=True):
    """A payment on the way of a run."""

    payment_id: str
    order_id: str


_decode = msgspec.json.Decoder(Reconciliation).decode


async def find_run(connection: Connection, run_id: str) -> Reconciliation:
    """Read a run. Raises NotFound."""
    told = await connection.value(_RUN, connection.account, run_id)
    if told is None:
        raise NotFound("There is no such reconciliation.")
    return _decode(told)


async def list_runs(
    connection: Connection, *, gateway: str | None = None, limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[Reconciliation]:
    """List runs, the newest first."""
    after = read_cursor(cursor, datetime, UUID) or (None, None)
    rows = await connection.rows(
        _LIST, connection.account, gateway, *after, check_limit(limit) + 1
    )
    return read_page(rows, Reconciliation, limit, "started_at", "id")


async def compared_gateways(connection: Connection) -> list[str]:
    """List the enabled gateways that keep an account of their own, by code."""
    rows = await connection.rows(
        "select code from gateways where account_id = $1 and enabled and kind <> all($2::text[])"
        " order by code",
        connection.account,
        INSTANT,
    )
    return [row["code"] for row in rows]


async def waiting_slot(connection: Connection, hour: int) -> tuple[str, list[str]]:
    """Tell the day of the newest slot at an hour of UTC, and the gateways without a run for it."""
    row = await connection.row(_SLOT, connection.account, hour, INSTANT)
    return row["slot"], list(row["gateways"])


async def begin_run(
    connection: Connection, actor: Actor, gateway: str, *, slot: str | None = None,
    since: datetime | None = None, lease: tuple[str, int] | None = None,
) -> str | None:
    """Make a run that is due, nightly where it has a slot; None where the slot has one.

    `lease` (token, seconds): the caller runs it itself. Raises NotFound: no such gateway.
    """
    token, seconds = lease or (None, 0)
    made = await connection.value(
        _BEGIN, connection.account, new_id(), gateway, "manual" if slot is None else "nightly",
        slot, since, OVERLAP_S, FIRST_S, to_json(actor.told()), token, seconds,
    )
    if made is None and slot is None:
        raise NotFound(f"There is no gateway {gateway!r}.")
    return None if made is None else str(made)


async def last_runs(connection: Connection) -> dict[tuple[str, bool], Reconciliation]:
    """Read the newest run of every gateway: by its code, and whether it is of a settlement file."""
    rows = await connection.rows(_LAST, connection.account)
    found = [_decode(row["told"]) for row in rows]
    return {(run.gateway, run.kind == "settlement"): run for run in found}


async def next_stops(
    connection: Connection, run: Reconciliation, *, walked: int
) -> tuple[list[Stop], str | None]:
    """List the payments to compare among the next so many, and the last of these; None: no more."""
    row = await connection.row(
        _NEXT, connection.account, run.cursor or str(UUID(int=0)), run.gateway, run.since, walked
    )
    return msgspec.json.decode(row["payments"], type=list[Stop]), row["last"]


async def advance(
    connection: Connection, claimed: Claimed, done: Progress, lease_s: float
) -> Reconciliation | None:
    """Write down how far a run is, and hold its lease; None: it is somebody else's by now."""
    told = await connection.value(
        _ADVANCE, claimed.account_id, claimed.id, claimed.lease, done.cursor, done.seen,
        done.matched, done.found, done.settled, done.drifted, done.failed, to_json(done.errors),
        lease_s, ERRORS_MAX,
    )  # fmt: skip
    return None if told is None else _decode(told)


async def end_run(
    connection: Connection, claimed: Claimed, status: str, errors: list[RunError] | None = None
) -> Reconciliation | None:
    """End a run as COMPLETED or FAILED, with an audit entry; None: it is somebody else's."""
    told = await connection.value(
        _END, claimed.account_id, claimed.id, claimed.lease, status, to_json(errors or []),
        new_id(),
    )
    return None if told is None else _decode(told)
