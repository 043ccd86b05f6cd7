"""The worker as a process: it works, shows that it lives, and ends in order. [K-1, K-2, P-10]"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from counterfoil.work.beat import worker_lives
from tests.db import Database
from tests.sandbox.server import Sandbox
from tests.work.shop import CAPTURE, RING, Shop

pytestmark = pytest.mark.database
ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, sys
from counterfoil.kernel.log import set_up_log
from counterfoil.settings import Settings
from counterfoil.work.loop import run_work
set_up_log("error")
url, key = sys.argv[1:]
asyncio.run(run_work(Settings(
    database_url=url, secret_key=key, lease_s=3, provider_deadline_s=2, propagation_s=1)))
"""


@pytest_asyncio.fixture
async def worker(database: Database, shop: Shop) -> AsyncIterator["subprocess.Popen[bytes]"]:
    """A worker of its own, beside the doors of this process."""
    started = start(database)
    yield started
    if started.poll() is None:
        started.kill()
    started.wait()


def start(database: Database) -> "subprocess.Popen[bytes]":
    import base64

    key = base64.b64encode(RING[0]).decode()
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, database.app_url, key],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )


async def until(reached, seconds: int = 10) -> None:
    last = time.monotonic() + seconds
    while not await reached():
        assert time.monotonic() < last, "it does not come to that"
        await asyncio.sleep(0.05)


async def lives(shop: Shop) -> bool:
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        return await worker_lives(connection)


async def test_it_works_shows_that_it_lives_and_ends_in_order(
    shop: Shop, sandbox: Sandbox, worker: "subprocess.Popen[bytes]", owner
):
    await until(lambda: lives(shop))
    order_id = await shop.order(5000)
    await shop.intend(CAPTURE, order_id, leased=False)
    since = time.monotonic()

    async def captured() -> bool:
        return (await shop.folder(order_id)).order.captured == 5000

    await until(captured)
    assert time.monotonic() - since < 3, "polled at least once a second"

    async def told() -> bool:
        return await owner.fetchval("select count(*) from facts where position is null") == 0

    await until(told)

    # Told to stop in the middle of a call, it books the answer and leaves nothing leased.
    sandbox.fault("slow_bytes", kind="capture", seconds=1)
    late = await shop.order(5000)
    await shop.intend(CAPTURE, late, leased=False)

    async def claimed() -> bool:
        return (await shop.folder(late)).transactions[-1].lease_token is not None

    await until(claimed)
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 10) == 0
    folder = await shop.folder(late)
    assert folder.order.captured == 5000
    assert [t.lease_token for t in folder.transactions] == [None, None]
    assert not await lives(shop)


async def test_killed_in_the_middle_its_rows_are_taken_over_when_the_lease_ends(
    shop: Shop, sandbox: Sandbox, database: Database, worker: "subprocess.Popen[bytes]"
):
    await until(lambda: lives(shop))
    order_id = await shop.order(5000)
    sandbox.fault("slow_bytes", kind="capture", seconds=1)
    await shop.intend(CAPTURE, order_id, leased=False)

    async def claimed() -> bool:
        return (await shop.folder(order_id)).transactions[-1].lease_token is not None

    await until(claimed)
    reference = (await shop.folder(order_id)).transactions[-1].id

    async def done_there() -> bool:
        return bool(sandbox.ledger(reference=reference))

    await until(done_there)  # and its answer is still on its way
    worker.kill()
    worker.wait()
    since = time.monotonic()
    second = start(database)
    try:

        async def captured() -> bool:
            return (await shop.folder(order_id)).order.captured == 5000

        await until(captured)
        assert time.monotonic() - since < 3 + 1 + 4, "the lease, a poll, a process that starts"
    finally:
        second.terminate()
        assert await asyncio.to_thread(second.wait, 10) == 0
    assert len(sandbox.ledger(reference=reference)) == 1
