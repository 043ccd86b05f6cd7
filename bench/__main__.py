"""Measure the program on this machine: `make bench`, or `make bench BIG=1` for a million orders.

Commands over HTTP beside pgbench running their own statements; list and detail at 10,000 orders and
at the full number; an import of TPC-H; memory. Writes bench/results.json and bench/results.md after
each row, so that a run that is stopped leaves what it found.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import msgspec

from bench.commands import Orders, Recorded, Recorder, prepare, requests
from bench.load import drive, fetch, request
from bench.provider import at_the_sandbox
from bench.replay import Replayed, replay
from bench.report import Report, Row, begun
from bench.stand import APP, Account, Running, Stand, running
from counterfoil.kernel.db import Pool

HERE = Path(__file__).parent
CONNECTIONS = 16
ORDERS, SMALL = 50_000, 10_000
READS = 1000
COUNT = 1000
SCALE = "0.03"
"""45,000 orders: enough that the program's start does not matter."""


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


async def measure(run: Running, name: str, sent: list[bytes], orders: int) -> Row:
    """Drive one command and account for it."""
    before = run.times()
    load = await drive(run.port, sent, CONNECTIONS)
    after = run.times()
    if load.failures:
        raise SystemExit(f"{name}: {len(load.failures)} failed, the first: {load.failures[0]}")
    count = len(sent)
    row = Row(
        name=name,
        orders=orders,
        per_second=load.per_second,
        p50_ms=load.percentile(0.5),
        p99_ms=load.percentile(0.99),
        program_ms=1000 * (after.program - before.program) / count,
        database_ms=1000 * (after.database - before.database) / count,
        statements=0.0,
    )
    say(f"{name}: {row.per_second:,.0f}/s, {row.cpu_ms:.2f} ms CPU")
    return row


async def replays(
    stand: Stand, base: str, recorded: dict[str, Recorded], account: Account
) -> dict[str, Replayed]:
    """Run every command's statements by pgbench on a fresh copy."""
    await stand.copy(base, "replayed")
    found = {}
    for name, operations in recorded.items():
        found[name] = await replay(
            stand.server.url("replayed", APP),
            operations,
            account=account.id,
            connections=CONNECTIONS,
            folder=stand.folder,
        )
    await stand.drop("replayed")
    return found


async def commands(stand: Stand, report: Report, orders: int, count: int, small: int) -> None:
    """Measure the writing commands, then the reads at the full number of orders and at a few."""
    say(f"filling {orders:,} orders")
    account = await stand.filled("base", orders)
    made = await _prepared(stand, "base", account, count)
    say("recording the statements of each command")
    recorded = await _recorded(stand, account, made, count)
    before = await replays(stand, "base", recorded, account)
    await stand.copy("base", "served")
    async with running(stand, "served", account) as run:
        await drive(run.port, [request("GET", "/v1/me", account.key)] * 200, CONNECTIONS)
        for name, sent in requests(made, account.key, count).items():
            report.rows.append(await measure(run, name, sent, orders))
            report.write(HERE)
        full = Read(run, account, orders, made.by_command["capture"])
        if small:
            await _reads_at_two_sizes(stand, report, full, small)
        else:
            report.rows += await reads(full)
        report.memory_mb = run.memory_mb()
    await stand.drop("served")
    report.write(HERE)
    after = await replays(stand, "base", recorded, account)
    for row in report.rows:
        if row.name in before and row.orders == orders:
            row.pgbench_before = before[row.name].per_second
            row.pgbench_after = after[row.name].per_second
        if row.name in recorded:
            operations = recorded[row.name]
            row.statements = sum(len(one) for one in operations) / len(operations)
    report.write(HERE)
    await stand.drop("base")


async def _provided(stand: Stand, report: Report, count: int) -> None:
    """Measure what waits for a provider, in a database of its own."""
    say("filling a database for the sandbox")
    account = await stand.filled("provided", 0)
    async with running(stand, "provided", account) as run:
        for row in await at_the_sandbox(stand, run, account, count, CONNECTIONS):
            say(f"{row.name}: {row.per_second:,.0f}/s, {row.cpu_ms:.2f} ms CPU")
            report.rows.append(row)
            report.write(HERE)
    await stand.drop("provided")


async def _prepared(stand: Stand, database: str, account: Account, count: int) -> Orders:
    pool = Pool(stand.server.url(database, APP), size=4)
    try:
        return await prepare(pool, account.id, count)
    finally:
        await pool.close()


async def _reads_at_two_sizes(stand: Stand, report: Report, full: Read, size: int) -> None:
    """Read from both in turn, three times over, so that noise falls on both; tell the medians."""
    say(f"filling {size:,} orders")
    account = await stand.filled("small", size)
    made = await _prepared(stand, "small", account, 100)
    await stand.statement("checkpoint")
    async with running(stand, "small", account) as run:
        few = Read(run, account, size, made.by_command["capture"])
        rounds = [(await reads(few), await reads(full)) for _ in range(3)]
    for which in (0, 1):
        for rows in zip(*(one[which] for one in rounds), strict=True):
            report.rows.append(sorted(rows, key=lambda row: row.p99_ms)[1])
    await stand.drop("small")


async def _recorded(
    stand: Stand, account: Account, made: Orders, count: int
) -> dict[str, Recorded]:
    await stand.copy("base", "recorded")
    pool = Pool(stand.server.url("recorded", APP), size=2)
    recorder = Recorder(pool, account.id)
    lists = await recorder.record_lists(count)
    details = await recorder.record_details(made.by_command["capture"])
    recorded = await recorder.record(made, count)
    await pool.close()
    await stand.drop("recorded")
    return {**recorded, **lists, "detail": details}


@dataclass
class Read:
    """Where to read: a running server, whose orders, how many, and some of them."""

    run: Running
    account: Account
    orders: int
    some: list[tuple[str, str]]


async def reads(at: Read) -> list[Row]:
    """Measure the list's first page, a deep page, and the detail."""

    def get(path: str) -> bytes:
        return request("GET", path, at.account.key)

    deep = await _deep_page(at.run, at.account)
    rows = []
    for name, sent in (
        ("list", [get("/v1/orders?limit=50")] * READS),
        ("list deep", [get(deep)] * READS),
        ("detail", [get(f"/v1/orders/{at.some[n % len(at.some)][0]}") for n in range(READS)]),
    ):
        await drive(at.run.port, sent[:200], CONNECTIONS)
        rows.append(await measure(at.run, name, sent, at.orders))
    return rows


async def _deep_page(run: Running, account: Account) -> str:
    """Find a page far from the newest order: nine tenths of the way back."""
    _, body = await fetch(
        run.port, request("GET", "/v1/orders?limit=1&sort=placed_at", account.key)
    )
    oldest = msgspec.json.decode(body)["data"][0]["placed_at"]
    _, body = await fetch(
        run.port,
        request("GET", f"/v1/orders?limit=50&sort=placed_at&placed_from={oldest}", account.key),
    )
    told = msgspec.json.decode(body)
    return f"/v1/orders?limit=50&placed_to={told['data'][-1]['placed_at']}"


async def imports(stand: Stand, report: Report, scale: str) -> None:
    """Import TPC-H by the program's own command: the orders alone, then with their histories."""
    for name, options in (("orders", ["--plain"]), ("orders with histories", [])):
        say(f"making TPC-H {name} at scale {scale}")
        source = stand.folder / "tpch.ndjson"
        making = [sys.executable, str(HERE / "tpch.py"), "--scale", scale]
        making += ["--work", str(stand.folder), "--out", str(source)]
        subprocess.run([*making, *options], check=True)
        await stand.filled("imported", 0)
        say("importing them")
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "counterfoil", "import", "orders", str(source)],
            check=True,
            env=stand.environment("imported"),
        )
        seconds = time.perf_counter() - start
        connection = await asyncpg.connect(stand.server.url("imported"))
        count = await connection.fetchval("select count(*) from orders")
        await connection.close()
        report.imported[name] = {"orders": count, "seconds": seconds}
        report.write(HERE)
        say(f"import: {count / seconds:,.0f} {name} a second")
        await stand.drop("imported")


async def main() -> None:
    """Measure everything that was asked for and write the tables."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--big", action="store_true", help="a million orders")
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--count", type=int, default=COUNT, help="operations a command")
    parser.add_argument("--scale", default=SCALE, help="TPC-H scale of the import")
    parser.add_argument("--without", nargs="*", default=[], choices=["import", "small"])
    wanted = parser.parse_args()
    orders = 1_000_000 if wanted.big else wanted.orders
    folder = Path(tempfile.mkdtemp(prefix="counterfoil-bench-", dir="/var/tmp"))
    stand = Stand(folder)
    report = Report(
        orders=orders, connections=CONNECTIONS, database=await stand.version(), begun=begun()
    )
    try:
        small = 0 if "small" in wanted.without else SMALL
        await commands(stand, report, orders, wanted.count, small)
        await _provided(stand, report, wanted.count)
        if "import" not in wanted.without:
            await imports(stand, report, wanted.scale)
    finally:
        stand.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(report.markdown())


if __name__ == "__main__":
    asyncio.run(main())
