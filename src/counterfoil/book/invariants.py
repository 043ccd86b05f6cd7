"""The invariants: what must be true of every account, asked of the database. [faults V1-V9]

Each is one sentence and one query that must find nothing, or a comparison with the pure functions
that made what is stored. Orders are looked at some hundred at a time, so no statement is long and
nothing is locked; `counterfoil doctor` and the tests run all of it.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from counterfoil.book.fragments import rows
from counterfoil.book.judging import JUDGED, judge
from counterfoil.book.promise import ACCOUNT, ORDERS, TERMS, Promise
from counterfoil.book.promises_of_edits import EDITS
from counterfoil.book.promises_of_ledger import LEDGER
from counterfoil.book.promises_of_money import MONEY
from counterfoil.book.promises_of_record import FACTS, GOODS, REST
from counterfoil.book.promises_of_returns import RETURNS
from counterfoil.kernel.db import Connection, Pool

PROMISES: tuple[Promise, ...] = (*MONEY, *LEDGER, *GOODS, *RETURNS, *EDITS, *FACTS, *REST)
CHUNK = 500
TERMS_CHUNK = 10_000
ROWS_MAX = 20
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)
_BOUND = """select o.id from orders o where o.account_id = $1 and o.id > {low}
  order by o.id offset {chunk} - 1 limit 1"""
_TERM_BOUND = """select t.term, t.placed_at, t.order_id from order_term t where t.account_id = $1
  and (t.term, t.placed_at, t.order_id) > ({term}, {at}::timestamptz, {id}::uuid)
  order by t.term, t.placed_at, t.order_id offset {chunk} - 1 limit 1"""

Progress = Callable[[int], None]


class FoundRow(msgspec.Struct, frozen=True):
    """Where a promise is broken: the order, where there is one, and what is wrong."""

    id: str | None
    detail: str


class Finding(msgspec.Struct, kw_only=True):
    """A broken promise: its name, its sentence, how often, and the first 20 places."""

    invariant: str
    sentence: str
    count: int = 0
    rows: list[FoundRow] = []

    def add(self, row_id: Any, detail: str) -> None:
        """Count one more place, and keep it while there are few."""
        self.count += 1
        if len(self.rows) < ROWS_MAX:
            self.rows.append(FoundRow(None if row_id is None else str(row_id), detail))


def every_invariant() -> dict[str, str]:
    """Map every invariant to its sentence; the reference and `doctor` list them."""
    return {promise.name: promise.sentence for promise in PROMISES} | JUDGED


async def check(
    pool: Pool, account_id: str, *, progress: Progress | None = None
) -> list[Finding]:
    """Look for broken promises in an account; an empty list is health.

    `progress` is told now and then how many orders have been looked at.
    """
    async with pool.connection(account_id) as connection:
        return await look(connection, progress=progress)


async def look(connection: Connection, *, progress: Progress | None = None) -> list[Finding]:
    """Look for broken promises in the account of a connection."""
    findings: dict[str, Finding] = {}
    low, seen = _FIRST, 0
    while low != _LAST:
        bound = await rows(connection, _BOUND, {"low": low, "chunk": CHUNK})
        high = bound[0]["id"] if bound else _LAST
        await _ask(connection, ORDERS, {"low": low, "high": high}, findings)
        for name, order_id, detail in await judge(connection, low, high):
            _finding(findings, name).add(order_id, detail)
        low, seen = high, seen + CHUNK
        if progress is not None:
            progress(seen)
    place: Any = ("", datetime.min.replace(tzinfo=UTC), _FIRST)
    while place is not None:
        values = dict(zip(("term", "at", "id"), place, strict=True)) | {"chunk": TERMS_CHUNK}
        await _ask(connection, TERMS, values, findings)
        following = await rows(connection, _TERM_BOUND, values)
        place = tuple(following[0]) if following else None
    await _ask(connection, ACCOUNT, {}, findings)
    return list(findings.values())


async def _ask(
    connection: Connection, scope: str, values: dict[str, Any], findings: dict[str, Finding]
) -> None:
    for promise in PROMISES:
        if promise.scope == scope:
            _record(findings, promise.name, await rows(connection, promise.text, values))


def _record(findings: dict[str, Finding], name: str, found: Iterable[Any]) -> None:
    for row in found:
        _finding(findings, name).add(row["id"], row["detail"])


def _finding(findings: dict[str, Finding], name: str) -> Finding:
    if name not in findings:
        findings[name] = Finding(invariant=name, sentence=every_invariant()[name])
    return findings[name]
