"""How gateways have answered lately, and what waits at them; one statement each.

Calls are found by their ids, which begin with the time, so that only the last of them are read.
"""

import msgspec

from counterfoil.kernel.db import Connection

CALLS_MAX = 10_000
_LATELY = """with lately as (
  select p.gateway, c.outcome, case when c.raw ->> 'elapsed_ms' ~ '^[0-9]{1,9}$'
      then (c.raw ->> 'elapsed_ms')::integer end as elapsed_ms
  from (select * from gateway_calls
    where account_id = $1 and outcome <> 'SENDING' and at > cf_now() - interval '1 hour'
      and id > (lpad(to_hex((extract(epoch from clock_timestamp() - interval '2 hours')
        * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
    order by id desc limit $2) c
  join transactions t on t.account_id = $1 and t.id = c.transaction_id
  join payments p on p.account_id = $1 and p.id = t.payment_id),
 waiting as (
  select p.gateway, count(*) filter (where t.status = 'UNKNOWN') as unknown_now,
    count(*) filter (where t.status = 'PENDING') as pending_now
  from (select * from transactions where account_id = $1 and settled_at is null
    order by created_at limit $2) t
  join payments p on p.account_id = $1 and p.id = t.payment_id group by p.gateway),
 heard as (
  select gateway, count(*) as answers, count(*) filter (where outcome = 'DECLINED') as declined,
    count(*) filter (where outcome = 'UNKNOWN') as unknown,
    percentile_disc(0.95) within group (order by elapsed_ms) as p95_ms
  from lately group by gateway)
select (row_to_json(l))::text as told from (
  select gateway, coalesce(answers, 0) as answers, coalesce(declined, 0) as declined,
    coalesce(unknown, 0) as unknown, p95_ms, coalesce(unknown_now, 0) as unknown_now,
    coalesce(pending_now, 0) as pending_now
  from heard full join waiting using (gateway)) l"""
_HELD = """select currency, count(*) as payments, sum(left_open)::bigint as amount
  from (select currency, authorized - captured - voided - expired as left_open from payments
    where account_id = $1 and gateway = $2 and status in ('AUTHORIZED', 'PARTIALLY_CAPTURED')
      and authorized > captured + voided + expired limit $3) held
  group by currency order by currency"""


class Lately(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's last hour: its answers, of them declined and unknown, and how quick they were.

    `p95_ms` is None where no answer says how long it took. `unknown_now` and `pending_now` are
    movements that wait for their end, whenever they began. Counting stops at 10,000 calls.
    """

    gateway: str
    answers: int = 0
    declined: int = 0
    unknown: int = 0
    p95_ms: int | None = None
    unknown_now: int = 0
    pending_now: int = 0


class Held(msgspec.Struct, frozen=True):
    """What is authorised at a gateway and neither captured nor released, in one currency."""

    currency: str
    payments: int
    amount: int


async def answered_lately(connection: Connection) -> dict[str, Lately]:
    """Tell how each gateway of the account has answered in the last hour, by its code."""
    rows = await connection.rows(_LATELY, connection.account, CALLS_MAX)
    told = [msgspec.json.decode(row["told"], type=Lately) for row in rows]
    return {one.gateway: one for one in told}


async def held_at(connection: Connection, gateway: str) -> list[Held]:
    """Tell how much is reserved at a gateway, by currency; of 10,000 payments at most."""
    rows = await connection.rows(_HELD, connection.account, gateway, CALLS_MAX)
    return [Held(row["currency"], row["payments"], row["amount"]) for row in rows]
