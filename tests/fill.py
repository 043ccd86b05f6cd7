"""Fill an account with orders by SQL: thousands a second, believable, and consistent.

Everything follows from an order's number in the row, so the same call makes the same orders. What
`counterfoil doctor` looks at holds for every one of them. Old orders are mostly finished, the
newest tenth mostly open. Used by the tests of plans and by the benchmark; needs a superuser,
because orders are born here in states that life cycles reach only step by step.
"""

from typing import Any

import asyncpg
import msgspec

from counterfoil.order.terms import folded
from tests import fill_sql as sql
from tests.fill_ledger import LEDGER

CHUNK = 20_000
MERCHANTS = ("acme", "zeta", "nord", "kiln", "loom", "mint", "oak", "pine")
STORES = {"main": "EUR", "nordic": "NOK", "tokyo": "JPY"}
FIRST = ("Kari", "Ola", "Zoë", "Émile", "محمد", "花子", "Иван", "Li", "Björn", "Anna", "Aoife")
LAST = ("Nordmann", "Hansen", "Müller", "Dupont", "Rossi", "Иванов", "田中", "Smith", "Berg",
        "Silva", "Kowalski", "Ng", "Okafor")
FILLER = {"kind": "system", "id": "system", "name": "Filler"}

# name, weight among the old, weight among the newest, state, review, flow, captured, voided,
# refunded, goods, hold, facts
PROFILES: tuple[tuple[Any, ...], ...] = (
    ("delivered", 600, 150, "completed", "NOT_REQUIRED", "auth", "all", "", "", "delivered", "",
     "captured created shipped completed delivered"),
    ("shipped", 60, 150, "completed", "NOT_REQUIRED", "auth", "all", "", "", "shipped", "",
     "captured created shipped completed"),
    ("refunded_in_part", 60, 20, "completed", "NOT_REQUIRED", "auth", "all", "", "part",
     "delivered", "", "captured created shipped completed delivered refunded"),
    ("refunded", 30, 10, "completed", "NOT_REQUIRED", "auth", "all", "", "all", "delivered", "",
     "captured created shipped completed delivered refunded"),
    ("voided", 80, 30, "canceled", "NOT_REQUIRED", "auth", "", "rest", "", "gone", "",
     "cancel_requested voided canceled"),
    ("given_back", 20, 10, "canceled", "NOT_REQUIRED", "auth", "all", "", "all", "gone", "",
     "captured cancel_requested refunded canceled"),
    ("abandoned", 20, 10, "canceled", "NOT_REQUIRED", "", "", "", "", "gone", "",
     "cancel_requested canceled"),
    ("authorized", 5, 200, "new", "NOT_REQUIRED", "auth", "", "", "", "", "", ""),
    ("paid", 10, 100, "new", "NOT_REQUIRED", "payment", "all", "", "", "", "", "captured"),
    ("picking", 10, 100, "picking", "NOT_REQUIRED", "auth", "all", "", "", "", "",
     "captured state_changed"),
    ("half", 5, 40, "processing", "NOT_REQUIRED", "auth", "half", "", "", "", "", "captured"),
    ("part_shipped", 10, 60, "processing", "NOT_REQUIRED", "auth", "all", "", "", "part", "",
     "captured created shipped"),
    ("in_review", 2, 30, "suspended", "PENDING", "auth", "", "", "", "", "capture shipment",
     "review_opened state_changed"),
    ("passed", 40, 30, "completed", "PASSED", "auth", "all", "", "", "shipped", "",
     "captured created shipped completed"),
    ("fraud", 2, 10, "fraud", "NOT_REQUIRED", "auth", "", "", "", "", "", "state_changed"),
    ("canceling", 1, 10, "cancel_requested", "NOT_REQUIRED", "auth", "", "pending", "", "", "",
     "cancel_requested void_requested"),
    ("unpaid", 5, 20, "new", "NOT_REQUIRED", "", "", "", "", "", "", ""),
    ("unknown", 1, 5, "processing", "NOT_REQUIRED", "auth", "unknown", "", "", "", "",
     "capture_requested unknown"),
    ("held", 2, 20, "processing", "NOT_REQUIRED", "auth", "all", "", "", "", "shipment",
     "captured held"),
    ("undelivered", 5, 10, "completed", "NOT_REQUIRED", "auth", "all", "", "", "failed", "",
     "captured created shipped completed failed"),
    ("shipped_unpaid", 2, 5, "completed", "NOT_REQUIRED", "auth", "", "", "", "shipped", "",
     "created shipped completed"),
    ("expired", 5, 10, "new", "NOT_REQUIRED", "auth", "", "expired", "", "", "", "expired"),
)

TYPES = {
    "captured": "payment.captured", "created": "shipment.created", "shipped": "shipment.shipped",
    "completed": "order.completed", "delivered": "shipment.delivered",
    "refunded": "refund.succeeded", "cancel_requested": "order.cancel_requested",
    "voided": "payment.voided", "canceled": "order.canceled",
    "state_changed": "order.state_changed", "review_opened": "fraud.review_opened",
    "void_requested": "payment.void_requested", "unknown": "payment.unknown",
    "capture_requested": "payment.capture_requested", "held": "order.held",
    "failed": "shipment.failed", "expired": "payment.expired",
}


async def fill_orders(
    owner: "asyncpg.Connection[Any]", account_id: str, n: int, *, first: int = 1
) -> None:
    """Add the orders numbered `first` to `n` to an account that `create_account` made."""
    given = {"": (), "merchants": (list(MERCHANTS),), "stores": (_json(STORES),)}
    for statement, name in sql.SETTINGS:
        await owner.execute(statement, account_id, *given[name])
    await owner.execute(sql.TEMPORARY)
    await _fill_profiles(owner)
    now = await owner.fetchval("select date_trunc('second', cf_now())")
    for start in range(first, n + 1, CHUNK):
        async with owner.transaction():
            await owner.execute("set local session_replication_role = replica")
            rows = (start, min(start + CHUNK - 1, n), n, now)
            await _fill_chunk(owner, account_id, rows)
    await owner.execute(sql.COUNTERS, account_id, list(STORES), n)


async def _fill_profiles(owner: "asyncpg.Connection[Any]") -> None:
    old = new = 0
    rows = []
    for profile in PROFILES:
        old, new = old + profile[1], new + profile[2]
        rows.append((*profile, old, new))
    scale = 1000 / old, 1000 / new
    await owner.execute("truncate fill_profile")
    await owner.copy_records_to_table(
        "fill_profile",
        records=[(*row[:-2], round(row[-2] * scale[0]), round(row[-1] * scale[1])) for row in rows],
    )


async def _fill_chunk(
    owner: "asyncpg.Connection[Any]", account_id: str, rows: tuple[Any, ...]
) -> None:
    merchants, actor = list(MERCHANTS), _json(FILLER)
    names = [list(FIRST), list(LAST), [folded(x) for x in FIRST], [folded(x) for x in LAST]]
    await owner.execute(sql.ORDERS, account_id, *rows, *names)
    await owner.execute("analyze fill_o")
    await owner.execute(sql.ITEMS)
    await owner.execute("analyze fill_i")
    await owner.execute(sql.BAGS, merchants)
    await owner.execute("analyze fill_b")
    for statement in sql.SUMS:
        await owner.execute(statement)
    for table, filled in (("orders", "fill_o"), ("bags", "fill_b"), ("items", "fill_i")):
        await _copy(owner, table, filled)
    await owner.execute(sql.PAYMENTS)
    for statement in (sql.CANCELLATIONS, sql.REFUNDS, sql.HOLDS, sql.REVIEWS):
        await owner.execute(statement, actor)
    await owner.execute(sql.TRANSACTIONS, actor, rows[-1])
    await owner.execute(sql.SHIPMENTS)
    last = await owner.fetchval(
        "select coalesce(max(position), 0) from facts where account_id = $1", account_id
    )
    await owner.execute(sql.FACTS, actor, _json(TYPES), merchants, last)
    await owner.execute(LEDGER)
    await owner.execute(sql.TERMS)


async def _copy(owner: "asyncpg.Connection[Any]", table: str, filled: str) -> None:
    names = await owner.fetchval(
        "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute"
        " where attrelid = $1::text::regclass and attnum > 0 and not attisdropped"
        " and attgenerated = ''",
        table,
    )
    await owner.execute(f"insert into {table} ({names}) select {names} from {filled}")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
