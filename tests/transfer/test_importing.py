"""Files become orders once, whatever happens on the way; a wrong line costs itself alone."""

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from counterfoil.book.invariants import check
from counterfoil.kernel.db import Pool
from counterfoil.order.actor import system
from counterfoil.order.config import Account
from counterfoil.setup.accounts import create_account
from counterfoil.setup.gateways import NewGateway, create_gateway
from counterfoil.transfer import importing
from counterfoil.transfer.booking import Fault, Held
from counterfoil.transfer.importing import Into, Tally, import_orders
from counterfoil.transfer.read import read_orders
from counterfoil.transfer.runs import run_import
from tests.actions.making import body
from tests.db import Database
from tests.transfer.export import export, order

ROOT = Path(__file__).parents[2]
EXPORT = Path(__file__).parent / "files" / "orders_export.csv"
PAST = {
    "captured": 5000,
    "captured_at": "2026-10-02T10:00:00Z",
    "shipments": [{"bag": 0, "shipped_at": "2026-10-03T10:00:00Z", "tracking_number": "T1"}],
    "refunds": [{"reference": "R", "amount": 100, "at": "2026-10-05T10:00:00Z"}],
    "notes": [{"body": "Rang twice", "at": "2026-10-04T10:00:00Z"}],
}


def one(number: int, **more: Any) -> dict[str, Any]:
    """An order that was paid by hand, with a past for every third one."""
    sent = body(
        external_id=f"A-{number}",
        placed_at="2026-10-01T10:00:00Z",
        payment={"gateway": "manual"},
    )
    if number % 3 == 0:
        refund = {**PAST["refunds"][0], "reference": f"R-{number}"}  # type: ignore[index, dict-item]
        sent["history"] = {**PAST, "refunds": [refund]}
    return sent | more


def ndjson(orders: list[Any]) -> bytes:
    return b"".join(
        (sent if isinstance(sent, bytes) else json.dumps(sent).encode()) + b"\n" for sent in orders
    )


async def bring(
    pool: Pool, account: Account, content: bytes, **into: Any
) -> tuple[Tally, list[Fault]]:
    found: list[Fault] = []

    async def tell(tally: Tally, faults: list[Fault]) -> None:
        found.extend(faults)

    lines = read_orders(io.BytesIO(content))
    chosen = Into(actor=system(account.id), **into)
    return await import_orders(pool, lines, chosen, tell=tell), found


async def count(pool: Pool, account: Account, sql: str = "select count(*) from orders") -> Any:
    async with pool.connection(account.id) as connection:
        return await connection.value(sql + " where account_id = $1", account.id)


async def test_what_is_there_is_passed_over(pool, account):
    content = ndjson([one(number) for number in range(40)])
    first, _ = await bring(pool, account, content)
    again, faults = await bring(pool, account, content)
    assert (first.created, first.skipped, first.failed) == (40, 0, 0)
    assert (again.created, again.skipped, again.failed) == (0, 40, 0)
    assert faults == []
    assert await count(pool, account) == 40
    assert await check(pool, account.id) == []


async def test_blanks_and_the_order_of_keys_make_no_other_order(pool, account):
    await bring(pool, account, json.dumps(one(3)).encode())
    turned = dict(reversed(one(3).items()))
    again, _ = await bring(pool, account, json.dumps(turned, indent=None).encode() + b"  \n")
    assert again.skipped == 1


async def test_another_order_under_a_known_external_id_is_refused(pool, account):
    await bring(pool, account, ndjson([one(1)]))
    tally, faults = await bring(pool, account, ndjson([one(1, tags=["other"]), one(2)]))
    assert (tally.created, tally.failed) == (1, 1)
    assert [(fault.line, fault.code) for fault in faults] == [(1, "duplicate_external_id")]


async def test_an_order_twice_in_a_file_is_taken_once(pool, account):
    content = ndjson([one(1), one(1), one(1, tags=["other"]), one(2)])
    tally, faults = await bring(pool, account, content)
    assert (tally.created, tally.skipped, tally.failed) == (2, 1, 1)
    assert faults[0].line == 3


async def test_orders_without_an_external_id_are_known_by_what_they_hold(pool, account):
    nameless = one(1)
    del nameless["external_id"]
    content = ndjson([nameless, nameless, {**nameless, "tags": ["other"]}])
    first, _ = await bring(pool, account, content)
    again, _ = await bring(pool, account, content)
    assert (first.created, again.created, again.skipped) == (3, 0, 3)


async def test_each_wrong_line_is_told_by_number_and_place(pool, account):
    wrong: list[Any] = [
        one(1),
        b"no json",
        one(2, currency="EURO"),
        one(3, bags=[{"items": [{"name": "Mug", "quantity": 0, "unit_price": 1}]}]),
        one(4, total=1),
        one(5, payment={"gateway": "nobody"}),
        one(6, history={"captured": 999_999}),
        one(9, history={"state": "no-such-state"}),
        one(8, history={"captured": 100, "captured_at": "2126-01-01T00:00:00Z"}),
        one(10, placed_at="2026-10-01T10:00:00"),
        one(11),
    ]
    tally, faults = await bring(pool, account, ndjson(wrong))
    assert [(fault.line, fault.code, fault.pointer) for fault in faults] == [
        (2, "malformed", ""),
        (3, "validation_failed", "/currency"),
        (4, "validation_failed", "/bags/0/items/0/quantity"),
        (5, "totals_mismatch", ""),
        (6, "unknown_reference", ""),
        (7, "validation_failed", "/history/captured"),
        (8, "unknown_reference", ""),
        (9, "validation_failed", "/history/captured_at"),
        (10, "validation_failed", "/placed_at"),
    ]
    assert (tally.lines, tally.created, tally.failed) == (11, 2, 9)


async def test_what_only_the_database_knows_costs_one_line_too(pool, account):
    """A refund reference is unique in a store: the batch is halved until the line stands alone."""
    past = {"captured": 100, "refunds": [{"reference": "R-1", "amount": 10}]}
    orders = [one(number * 3 + 1) for number in range(20)]
    orders[4]["history"] = orders[13]["history"] = past
    tally, faults = await bring(pool, account, ndjson(orders))
    assert (tally.created, tally.failed) == (19, 1)
    assert len(faults) == 1
    assert await check(pool, account.id) == []


async def test_batches_of_many_lines_stay_apart(pool, account, monkeypatch):
    monkeypatch.setattr(importing, "BATCH_MAX", 7)
    told: list[int] = []

    async def tell(tally: Tally, faults: list[Fault]) -> None:
        told.append(tally.lines)

    lines = read_orders(io.BytesIO(ndjson([one(number % 40) for number in range(45)])))
    into = Into(actor=system(account.id))
    tally = await import_orders(pool, lines, into, tell=tell)
    assert (tally.created, tally.skipped) == (40, 5)
    assert told == [7, 14, 21, 28, 35, 42, 45]
    numbers = "select count(distinct number) from orders"
    assert await count(pool, account, numbers) == 40


async def test_imports_of_the_same_orders_at_once_converge(pool, account, monkeypatch):
    monkeypatch.setattr(importing, "BATCH_MAX", 20)
    orders = [one(number) for number in range(120)]
    parts = (orders, list(reversed(orders)), orders[30:90])
    tallies = await asyncio.gather(*(bring(pool, account, ndjson(part)) for part in parts))
    assert sum(tally.created for tally, _ in tallies) == 120
    assert sum(tally.skipped for tally, _ in tallies) == 180
    assert [faults for _, faults in tallies] == [[], [], []]
    assert await check(pool, account.id) == []


async def test_connections_that_break_lose_and_double_nothing(pool, account, owner, monkeypatch):
    """Whether the statement under way was written is not known; looking again tells. [D-1, D-2]"""
    monkeypatch.setattr(importing, "BATCH_MAX", 10)

    async def tell(tally: Tally, faults: list[Fault]) -> None:
        if tally.lines < 80:
            await owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where usename = 'counterfoil_app' and datname = current_database()"
            )

    lines = read_orders(io.BytesIO(ndjson([one(number) for number in range(95)])))
    tally = await import_orders(pool, lines, Into(actor=system(account.id)), tell=tell)
    assert tally.created + tally.skipped == 95
    assert await count(pool, account) == 95


async def test_merchants_and_methods_that_orders_name_are_made(pool, account):
    parcel = {"bag": 0, "method": "pigeon", "shipped_at": "2026-10-03T10:00:00Z"}
    await bring(pool, account, ndjson([one(1, history={"shipments": [parcel]})]))
    assert await count(pool, account, "select count(*) from merchants") == 3
    async with pool.connection(account.id) as connection:
        rows = await connection.rows("select code from shipment_methods order by code")
    assert [row["code"] for row in rows] == ["express", "pigeon", "standard"]


async def test_money_at_a_provider_is_bound_to_what_it_holds_there(pool, account, admin):
    async with pool.connection(account.id) as connection:
        new = NewGateway(code="card", kind="sandbox")
        await create_gateway(connection, admin, new, None)
    open_ = one(1, payment={"gateway": "card", "reference": "their-1"})
    unnamed = one(2, payment={"gateway": "card"})
    gone = one(4, payment={"gateway": "card"}, history={"voided": 5000})
    held = {"their-1": Held(payment_reference="pay_1")}
    tally, faults = await bring(pool, account, ndjson([open_, unnamed, gone]), held=held)
    assert tally.created == 2
    assert [(fault.line, fault.pointer) for fault in faults] == [(2, "/payment/reference")]
    async with pool.connection(account.id) as connection:
        found = await connection.value(
            "select provider_reference from payments where reference = 'their-1'"
        )
    assert found == "pay_1"


async def test_the_export_of_a_shop_comes_with_its_past(pool, account):
    tally, faults = await bring(pool, account, EXPORT.read_bytes())
    assert tally.failed == len({fault.line for fault in faults})
    assert tally.created >= 3
    again, _ = await bring(pool, account, EXPORT.read_bytes())
    assert (again.created, again.skipped) == (0, tally.created)
    async with pool.connection(account.id) as connection:
        rows = await connection.rows(
            "select o.financial_status, o.fulfillment_status, count(s.id) as parcels"
            " from orders o left join shipments s on s.order_id = o.id"
            " where o.account_id = $1 and o.external_id is not null"
            " group by o.id, o.financial_status, o.fulfillment_status",
            account.id,
        )
    assert ("PAID", "SHIPPED") in {(row[0], row[1]) for row in rows}
    assert any(row["parcels"] for row in rows)
    assert await check(pool, account.id) == []


async def test_what_shopify_cancelled_and_gave_back_is_so_here(pool, account):
    cells = {
        "Financial_Status".casefold(): "refunded",
        "refunded_amount": "30.00",
        "cancelled_at": "2026-10-03 10:00:00 +0200",
    }
    tally, faults = await bring(pool, account, export(order(**cells)))
    assert faults == []
    assert tally.created == 1
    async with pool.connection(account.id) as connection:
        row = await connection.row("select state, financial_status, refunded from orders")
    assert tuple(row) == ("canceled", "REFUNDED", 3000)


async def test_the_same_content_is_the_same_run(pool, account):
    async def tell(tally: Tally, faults: list[Fault]) -> None:
        pass

    for _ in range(2):
        lines = read_orders(io.BytesIO(ndjson([one(1), {"bad": 1}])))
        into = Into(actor=system(account.id))
        await run_import(pool, lines, into, source="a.ndjson", digest="d", tell=tell)
    async with pool.connection(account.id) as connection:
        rows = await connection.rows("select * from import_runs")
        entries = await connection.rows(
            "select type, subject, data from audit_entry where type like 'import.%' order by at"
        )
    (run,) = rows
    assert (run["status"], run["lines_seen"], run["skipped"], run["failed"]) == (
        "COMPLETED",
        2,
        1,
        1,
    )
    assert json.loads(run["errors"])[0]["line"] == 2
    assert [entry["type"] for entry in entries] == ["import.completed"] * 2
    assert {entry["subject"] for entry in entries} == {str(run["id"])}
    assert json.loads(entries[0]["data"])["created"] == 1


async def test_a_killed_import_is_gone_on_with(pool, account, database: Database, tmp_path):
    """kill -9 in the middle; importing again brings the rest, and nothing twice. [I-1]"""
    file = tmp_path / "orders.ndjson"
    file.write_bytes(ndjson([one(number) for number in range(3000)]))
    settings = {
        "COUNTERFOIL_DATABASE_URL": database.app_url,
        "COUNTERFOIL_SECRET_KEY": "a" * 43 + "=",
        "COUNTERFOIL_DATA_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT / "src"),
    }
    command = [sys.executable, "-P", "-m", "counterfoil", "import", "orders", str(file)]
    running = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL)
    while (so_far := await count(pool, account)) == 0:
        assert running.poll() is None
        await asyncio.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait(10)
    so_far = await count(pool, account)
    assert 0 < so_far < 3000
    again = subprocess.run(
        command, env=os.environ | settings, check=True, capture_output=True, text=True
    )
    told = re.search(r"([\d,]+) imported, ([\d,]+) there already\.", again.stdout)
    assert told is not None
    brought, there = (int(number.replace(",", "")) for number in told.groups())
    # A batch that was on its way when the program was killed may have been written after all.
    assert there in (so_far, so_far + importing.BATCH_MAX)
    assert there % importing.BATCH_MAX == 0
    assert brought + there == 3000
    assert await count(pool, account) == 3000
    assert await count(pool, account, "select count(distinct number) from orders") == 3000


@pytest.mark.parametrize("store", ["second", None])
async def test_an_order_goes_to_the_store_that_is_meant(pool, store):
    account = await create_account(pool, "Other", store="second")
    tally, _ = await bring(pool, account, ndjson([one(1)]), store=store)
    assert tally.created == 1
    wrong, faults = await bring(pool, account, ndjson([one(2, store="nowhere")]))
    assert wrong.failed == 1
    assert faults[0].code == "unknown_reference"
