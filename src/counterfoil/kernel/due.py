"""Work is rows that are due: claim them, then finish or reschedule with one's own lease.

A claim counts the attempt, so a row that kills its worker is counted too. Whoever lost the lease
changes nothing. Every time here is the database's. Nothing else writes `due_at`, `attempts` and
the lease, but for the change that settles the row. [faults §3, rulings 3, 4]
"""

import random
from collections.abc import Sequence

import msgspec

from counterfoil.kernel.db import NO_ACCOUNT, Connection, Pool

PARKED_S = 365 * 24 * 3600
_TABLES = {
    "transaction": "transactions",
    "payment": "payments",
    "letter": "letters",
    "hold": "holds",
    "inbound_event": "inbound_events",
    "reconciliation": "reconciliations",
}
_FREE = ", lease_token = null, lease_until = null"
_MINE = " where account_id = $1 and id = $2 and lease_token = $3 returning 1"
_RESCHEDULE = " set due_at = cf_now() + make_interval(secs => $4)" + _FREE + _MINE
_RENEW = " set lease_until = cf_now() + make_interval(secs => $4)" + _MINE
_POSTPONE = (
    " set attempts = attempts - 1, due_at = cf_now() + make_interval(secs => $4)" + _FREE + _MINE
)
_HASTEN = " set due_at = cf_now() where account_id = $1 and due_at > cf_now() and attempts = 0"
_FINISH = " set due_at = null" + _FREE + _MINE
_RELEASE = " set attempts = attempts - 1" + _FREE + _MINE
_CLAIM_ONE = """ set lease_token = gen_random_uuid(), attempts = attempts + 1,
    lease_until = cf_now() + make_interval(secs => $3)
  where account_id = $1 and id = $2 and due_at is not null
    and (lease_until is null or lease_until < cf_now())
  returning id::text, order_id::text, lease_token::text as lease, attempts"""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A due row that is ours until its lease ends. `attempts` counts this claim."""

    account_id: str
    kind: str
    id: str
    order_id: str
    lease: str
    attempts: int


async def claim(pool: Pool, lane: str, wanted: int, lease_s: float) -> list[Claimed]:
    """Claim up to so many rows of a lane (`money`, `expiry`, `mail`), of any account.

    Raises Unavailable, Gone.
    """
    async with pool.connection(NO_ACCOUNT) as connection:
        rows = await connection.rows(
            "select account_id::text, kind, id::text, coalesce(order_id::text, '') as order_id,"
            " lease::text, attempts"
            " from due_claim($1, $2, $3)",
            lane,
            wanted,
            lease_s,
        )
    return [Claimed(**dict(row)) for row in rows]


async def claim_one(
    connection: Connection, kind: str, row_id: str, lease_s: float
) -> Claimed | None:
    """Claim one row that still waits, although it is not due yet: somebody wants it now.

    None: it is done, put aside, or somebody is at it.
    """
    sql = "update " + _TABLES[kind] + _CLAIM_ONE
    row = await connection.row(sql, connection.account, row_id, lease_s)
    return None if row is None else Claimed(account_id=connection.account, kind=kind, **dict(row))


async def reschedule(connection: Connection, claimed: Claimed, after_s: float) -> bool:
    """Give the row back, to be due again later. False: the lease is somebody else's by now."""
    return await _update(connection, claimed, _RESCHEDULE, after_s)


async def postpone(connection: Connection, claimed: Claimed, after_s: float) -> bool:
    """Give the row back unstarted, to be due later. False: the lease is somebody else's by now."""
    return await _update(connection, claimed, _POSTPONE, after_s)


async def renew(connection: Connection, claimed: Claimed, lease_s: float) -> bool:
    """Make our lease last from now. False: it is somebody else's by now."""
    return await _update(connection, claimed, _RENEW, lease_s)


async def finish(connection: Connection, claimed: Claimed) -> bool:
    """Give the row back as done: it is not due any more."""
    return await _update(connection, claimed, _FINISH)


async def release(connection: Connection, claimed: Claimed) -> bool:
    """Give the row back as if it had not been claimed; it is due at once."""
    return await _update(connection, claimed, _RELEASE)


async def park(connection: Connection, claimed: Claimed) -> bool:
    """Put aside a row that nothing comes of, until a person has seen to it. [faults K-4]"""
    return await _update(connection, claimed, _RESCHEDULE, PARKED_S)


async def hasten(connection: Connection, kind: str) -> None:
    """Make the rows of an account due now that were put off and never begun."""
    sql = "update " + _TABLES[kind] + _HASTEN
    await connection.rows(sql, connection.account)


async def _update(connection: Connection, claimed: Claimed, change: str, *more: float) -> bool:
    assert connection.account == claimed.account_id
    sql = "update " + _TABLES[claimed.kind] + change
    found = await connection.row(sql, claimed.account_id, claimed.id, claimed.lease, *more)
    return found is not None


def back_off(schedule_s: Sequence[int], tries: int) -> float:
    """Tell how long to wait after so many tries, give or take a fifth, so that crowds disperse."""
    return jittered(schedule_s[max(0, min(tries, len(schedule_s)) - 1)])


def jittered(seconds: float) -> float:
    """Vary a time by up to a fifth either way."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - disperses, protects nothing
