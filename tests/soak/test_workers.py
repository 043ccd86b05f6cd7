"""Workers that are stopped past their lease, and workers that are killed. [P-11, G8, G12]"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import pytest_asyncio

from counterfoil.book.invariants import check
from counterfoil.kernel.db import Pool
from counterfoil.order.config import Account
from tests.db import Clock, Database
from tests.sandbox.server import Sandbox, start_sandbox
from tests.soak.nursery import Nursery
from tests.work.ledger import assert_same
from tests.work.shop import CAPTURE, Shop, open_shop

pytestmark = pytest.mark.database
ZOMBIES = 20
KILLS, ROWS = 3, 4
#: Claimed, just before and just after the call, and just before the booking.
LINES = ("settle.claimed", "settle.before_call", "http.asks", "http.told", "settle.before_book")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()
    running.client.close()


@pytest_asyncio.fixture
async def shop(pool: Pool, account: Account, sandbox: Sandbox) -> AsyncIterator[Shop]:
    opened = await open_shop(pool, account, sandbox)
    yield opened
    await opened.works.aclose()
    assert await check(pool, account.id) == []


@pytest.fixture
def nursery(database: Database, account: Account, lease_s: int) -> Iterator[Nursery]:
    running = Nursery(database.app_url, account.id, lease_s=lease_s)
    yield running
    running.close()


async def until(reached: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    last = time.monotonic() + seconds
    while not await reached():
        assert time.monotonic() < last, "it does not come to that"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("lease_s", [1])
async def test_twenty_zombies_wake_up_and_change_nothing(
    shop: Shop, sandbox: Sandbox, nursery: Nursery, clock: Clock, lease_s: int
):
    """Each claims a movement and stands still; others settle it; then it goes on."""
    zombies = {}
    orders = []
    for number in range(ZOMBIES):
        orders.append(await shop.order(5000))
        _, ran = await shop.intend(CAPTURE, orders[-1], leased=False)
        pid = nursery.zombie(ran.change.result.id, LINES[number % len(LINES)])

        async def stopped(pid: int = pid) -> bool:
            return nursery.stands_still(pid)

        await until(stopped)
        zombies[pid] = orders[-1]

    await asyncio.sleep(2 * lease_s)
    for seconds in (0, 7, 70, 70):
        await clock.advance(seconds)
        await shop.worked()
    for order_id in orders:
        assert (await shop.folder(order_id)).order.captured == 5000
    before = {order_id: (await shop.folder(order_id)).order.version for order_id in orders}

    for pid in zombies:
        nursery.wake(pid)
    ended = Counter(await asyncio.to_thread(lambda: [nursery.wait(pid) for pid in zombies]))
    assert ended == {0: ZOMBIES}, "they end in peace"
    for order_id in orders:
        folder = await shop.folder(order_id)
        assert folder.order.version == before[order_id], "a zombie wrote something"
        assert_same(folder, sandbox)
        reference = next(row.id for row in folder.transactions if row.type == CAPTURE.upper())
        effects = [e for e in sandbox.ledger(reference=reference) if e["kind"] == CAPTURE]
        assert len(effects) == 1


@pytest.mark.parametrize("lease_s", [2])
async def test_what_a_killed_worker_held_is_settled_when_its_lease_ends(
    shop: Shop, sandbox: Sandbox, nursery: Nursery, lease_s: int
):
    """The provider has done it and is about to say so: another worker asks, and books. [K-1]"""
    waits = []
    doomed = nursery.worker()
    for _ in range(KILLS):
        orders = [await shop.order(5000) for _ in range(ROWS)]
        sandbox.fault("hang_after_effect", kind=CAPTURE, times=ROWS)
        wanted = await asyncio.gather(
            *(shop.intend(CAPTURE, order_id, leased=False) for order_id in orders))
        references = [ran.change.result.id for _, ran in wanted]

        async def all_done_there(references: list[str] = references) -> bool:
            return all(sandbox.ledger(reference=one) for one in references)

        await until(all_done_there)
        other = nursery.worker()
        nursery.kill(doomed)
        since = time.monotonic()

        async def all_settled(orders: list[str] = orders) -> bool:
            return all([(await shop.folder(one)).order.captured == 5000 for one in orders])

        await until(all_settled)
        waits.append(time.monotonic() - since)
        doomed = other
        for order_id in orders:
            assert_same(await shop.folder(order_id), sandbox)
    print(f"{KILLS} kills, {KILLS * ROWS} movements, settled after"
          f" {', '.join(f'{one:.2f}' for one in waits)} s; the lease is {lease_s} s")
    assert max(waits) < lease_s + 1 + 0.5, "the lease, a poll, and the asking itself"
