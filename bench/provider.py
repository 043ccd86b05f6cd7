"""Commands at a payment provider: the sandbox as a process of its own, over real HTTP.

Intent, call, outcome: what the client waits for here is two writes and the provider between them.
The sandbox's own processor time is not counted; pgbench has no part in it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from bench.commands import BODY
from bench.load import Load, drive, fetch, request
from bench.report import Row
from bench.stand import Account, Running, Stand, Times

KEY = "bench"
NAMES = ("create at the sandbox", "capture at the sandbox", "refund at the sandbox")


@contextmanager
def sandbox(stand: Stand) -> Iterator[str]:
    """Run the sandbox while it is needed; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = str(stand.folder / "sandbox.db")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "counterfoil.sandbox", "--data", kept),
            *("--port", str(port), "--api-key", KEY),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


async def at_the_sandbox(
    stand: Stand, run: Running, account: Account, count: int, connections: int
) -> list[Row]:
    """Place, capture and refund at the sandbox, each so many times."""
    with sandbox(stand) as address:
        gateway = {
            "code": "sandbox",
            "kind": "sandbox",
            "settings": {"base_url": address},
            "credentials": {"api_key": KEY},
        }
        await _made(run, request("POST", "/v1/gateways", account.key, msgspec.json.encode(gateway)))
        body = msgspec.json.encode({**BODY, "payment": {"gateway": "sandbox", "flow": "auth"}})
        places = [_post("orders", account, body)] * count
        rows = [await _measured(run, NAMES[0], places, connections)]
        orders = await _authorised(run, account, count)
        captures = [_post(f"orders/{order}/capture", account, b"{}") for order in orders]
        rows.append(await _measured(run, NAMES[1], captures, connections))
        refunds = [
            _post(
                f"orders/{order}/refund",
                account,
                msgspec.json.encode({"reference": f"S-{n}", "amount": 700}),
            )
            for n, order in enumerate(orders)
        ]
        rows.append(await _measured(run, NAMES[2], refunds, connections))
    return rows


def _post(path: str, account: Account, body: bytes) -> bytes:
    return request("POST", f"/v1/{path}", account.key, body)


async def _made(run: Running, sent: bytes) -> None:
    status, body = await fetch(run.port, sent)
    if status != 201:
        raise SystemExit(f"The gateway could not be made: {status} {body!r}")


async def _authorised(run: Running, account: Account, count: int) -> list[str]:
    """List the orders that were just placed, newest first."""
    found: list[str] = []
    path = "/v1/orders?limit=100&financial_status=AUTHORIZED"
    while len(found) < count:
        _, body = await fetch(run.port, request("GET", path, account.key))
        page = msgspec.json.decode(body)
        found += [order["id"] for order in page["data"]]
        if page["next_cursor"] is None:
            break
        path = f"/v1/orders?limit=100&financial_status=AUTHORIZED&cursor={page['next_cursor']}"
    return found[:count]


async def _measured(run: Running, name: str, sent: list[bytes], connections: int) -> Row:
    before = run.times()
    load: Load = await drive(run.port, sent, connections)
    after: Times = run.times()
    if load.failures:
        raise SystemExit(f"{name}: {len(load.failures)} failed, the first: {load.failures[0]}")
    return Row(
        name=name,
        per_second=load.per_second,
        p50_ms=load.percentile(0.5),
        p99_ms=load.percentile(0.99),
        program_ms=1000 * (after.program - before.program) / len(sent),
        database_ms=1000 * (after.database - before.database) / len(sent),
        statements=4.0,
    )
