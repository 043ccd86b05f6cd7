"""What a settlement file needs of the database: its run, the movements it names, what is overdue.

A run belongs to a file's content: the same file again is the same run. [I-1]
"""

from collections.abc import Sequence

import msgspec

from counterfoil.book.reconciliations import Reconciliation
from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import to_json
from counterfoil.order.actor import Actor
from counterfoil.order.problems import RequestInProgress

OVERDUE_MAX = 1_000
_BEGIN = """insert into reconciliations (account_id, id, gateway, kind, slot, status, name,
    asked_by, started_at)
  select $1, $2, $3, 'settlement', $4, 'RUNNING', $5, $6::text::jsonb, cf_now()
  where exists (select from gateways where account_id = $1 and code = $3)
  on conflict (account_id, gateway, kind, slot) do nothing"""
#: Whoever reads the file holds the run's lease; one that ended is read again from the first line.
_TAKE = """update reconciliations set lease_token = $4,
    lease_until = cf_now() + make_interval(secs => $5), attempts = attempts + 1,
    status = 'RUNNING', finished_at = null,
    seen = case when status = 'RUNNING' then seen else 0 end,
    matched = case when status = 'RUNNING' then matched else 0 end,
    found = case when status = 'RUNNING' then found else 0 end,
    settled = case when status = 'RUNNING' then settled else 0 end,
    drifted = case when status = 'RUNNING' then drifted else 0 end,
    failed = case when status = 'RUNNING' then failed else 0 end,
    errors = case when status = 'RUNNING' then errors else '[]' end
  where account_id = $1 and gateway = $2 and kind = 'settlement' and slot = $3
    and (lease_until is null or lease_until < cf_now())
  returning row_to_json(reconciliations)::text"""
#: Our movement of each line: by our reference, then by the provider's id, of the type it says.
_MATCH = """select l.line, coalesce(a.id, b.id)::text as id, coalesce(a.order_id, b.order_id)::text
    as order_id, coalesce(a.payment_id, b.payment_id)::text as payment_id,
    coalesce(a.status, b.status) as status,
    exists (select from drift_lines d where d.account_id = $1 and d.kind = 'fee_differs'
      and d.status = 'RESOLVED' and d.transaction_id = coalesce(a.id, b.id)
      and d.theirs = l.fee) as accept_fee
  from json_to_recordset($3::text::json) l(line integer, id uuid, gtid text, type text, fee bigint)
  left join lateral (select t.* from transactions t
    join payments p on p.account_id = $1 and p.id = t.payment_id and p.gateway = $2
    where t.account_id = $1 and t.id = l.id and t.type = l.type
    union all
    select v.* from transactions t
    join payments p on p.account_id = $1 and p.id = t.payment_id and p.gateway = $2
    join transactions v on v.account_id = $1 and v.order_id = t.order_id
      and v.refund_id = t.refund_id and v.type = 'REFUND_REVERSAL' and v.payment_id = t.payment_id
    where l.type = 'REFUND_REVERSAL' and t.account_id = $1 and t.id = l.id and t.type = 'REFUND'
    limit 1) a on true
  left join lateral (select t.* from transactions t
    join payments p on p.account_id = $1 and p.id = t.payment_id and p.gateway = $2
    where a.id is null and l.gtid <> '' and t.account_id = $1
      and t.gateway_transaction_id = l.gtid and t.type = l.type
    order by (t.status = 'SUCCEEDED') desc limit 1) b on true"""
#: Captures since the first that this gateway ever paid out, and none in the last days.
_OVERDUE = """select t.id::text, t.order_id::text, t.gateway_transaction_id, t.currency, t.amount
  from transactions t join payments p on p.account_id = $1 and p.id = t.payment_id
  where t.account_id = $1 and t.type = 'CAPTURE' and t.status = 'SUCCEEDED' and p.gateway = $2
    and t.settled_at < cf_now() - make_interval(days => $3)
    and t.settled_at >= (select min(f.settled_at) from payouts o
      join payments q on q.account_id = $1 and q.id = o.payment_id and q.gateway = $2
      join transactions f on f.account_id = $1 and f.id = o.transaction_id
      where o.account_id = $1)
    and not exists (select from payouts o where o.account_id = $1 and o.transaction_id = t.id)
  order by t.settled_at limit $4"""


class Named(msgspec.Struct, frozen=True):
    """What a line names: its number, our id as far as it is one, the provider's id, the type."""

    line: int
    id: str | None
    gtid: str
    type: str
    fee: int


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """The movement of ours that a line names; without an id there is none."""

    line: int
    id: str | None
    order_id: str | None
    payment_id: str | None
    status: str | None
    accept_fee: bool


class Overdue(msgspec.Struct, frozen=True, kw_only=True):
    """A movement of ours that no file has paid out in all the time."""

    id: str
    order_id: str
    gateway_transaction_id: str | None
    currency: str
    amount: int


async def take_settlement(
    connection: Connection, actor: Actor, gateway: str, *, digest: str, name: str,
    lease: tuple[str, int],
) -> Reconciliation:
    """Make the run of a file, or take up the one it has.

    Raises NotFound (no such gateway) and RequestInProgress (somebody is reading it).
    """
    await connection.rows(
        _BEGIN, connection.account, new_id(), gateway, digest, name, to_json(actor.told())
    )
    told = await connection.value(_TAKE, connection.account, gateway, digest, *lease)
    if told is not None:
        return msgspec.json.decode(told, type=Reconciliation)
    known = await connection.value(
        "select true from gateways where account_id = $1 and code = $2",
        connection.account, gateway,
    )  # fmt: skip
    if known is None:
        raise NotFound(f"There is no gateway {gateway!r}.")
    raise RequestInProgress("This file is being read.", headers={"Retry-After": "5"})


async def match_lines(
    connection: Connection, gateway: str, named: Sequence[Named]
) -> dict[int, Matched]:
    """Find our movements for lines, by the number of the line."""
    rows = await connection.rows(_MATCH, connection.account, gateway, to_json(list(named)))
    return {row["line"]: Matched(**dict(row)) for row in rows}


async def overdue(connection: Connection, gateway: str, *, days: int) -> list[Overdue]:
    """List our captures older than so many days that no file has paid out, at most 1,000."""
    rows = await connection.rows(_OVERDUE, connection.account, gateway, days, OVERDUE_MAX)
    return [Overdue(**dict(row)) for row in rows]


async def run_of_file(connection: Connection, gateway: str, digest: str) -> Reconciliation:
    """Read the run of a file. Raises NotFound."""
    told = await connection.value(
        "select row_to_json(r)::text from reconciliations r where r.account_id = $1"
        " and r.gateway = $2 and r.kind = 'settlement' and r.slot = $3",
        connection.account, gateway, digest,
    )  # fmt: skip
    if told is None:
        raise NotFound("The file has no run.")
    return msgspec.json.decode(told, type=Reconciliation)
