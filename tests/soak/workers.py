"""Workers that are stopped past their lease, and workers that are killed. [P-11, G8, G12]"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.soak.nursery import Nursery
from tests.work.ledger import assert_same
from tests.work.shop import CAPTURE, Shop

ROWS = 4
LATE_S_MAX = 20
#: Claimed, just before and just after the call, and just before the booking.
LINES = ("settle.claimed", "settle.before_call", "http.asks", "http.told", "settle.before_book")


async def until(reached: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    last = time.monotonic() + seconds
    while not await reached():
        assert time.monotonic() < last, "it does not come to that"
        await asyncio.sleep(0.02)


async def wake_zombies(
    shop: Shop, sandbox: Sandbox, nursery: Nursery, clock: Clock, *, count: int
) -> None:
    """Let each claim a movement and stand still; others settle it; then it goes on."""
    lease_s = nursery.told["lease_s"]
    zombies = {}
    orders = []
    for number in range(count):
        orders.append(await shop.order(5000))
        _, ran = await shop.intend(CAPTURE, orders[-1], leased=False)
        pid = nursery.zombie(ran.change.result.id, LINES[number % len(LINES)])

        async def stopped(pid: int = pid) -> bool:
            return nursery.stands_still(pid)

        await until(stopped)
        zombies[pid] = orders[-1]

    for seconds in (lease_s + 1, 7, 70, 70):
        await clock.advance(seconds)
        await shop.worked()
    for order_id in orders:
        assert (await shop.folder(order_id)).order.captured == 5000
    before = {order_id: (await shop.folder(order_id)).order.version for order_id in orders}

    for pid in zombies:
        nursery.wake(pid)
    ended = Counter(await asyncio.to_thread(lambda: [nursery.wait(pid) for pid in zombies]))
    assert ended == {0: count}, "they end in peace"
    for order_id in orders:
        folder = await shop.folder(order_id)
        assert folder.order.version == before[order_id], "a zombie wrote something"
        assert_same(folder, sandbox)
        reference = next(row.id for row in folder.transactions if row.type == CAPTURE.upper())
        effects = [e for e in sandbox.ledger(reference=reference) if e["kind"] == CAPTURE]
        assert len(effects) == 1


async def kill_workers(
    shop: Shop, sandbox: Sandbox, nursery: Nursery, *, rounds: int
) -> list[float]:
    """Kill a worker whose provider has done it and is about to say so; seconds until settled."""
    lease_s = nursery.told["lease_s"]
    waits = []
    doomed = nursery.worker()
    for _ in range(rounds):
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
    # The lease, a poll and the asking itself are lease_s + 1.5; the rest is for a busy machine.
    assert max(waits) < lease_s + LATE_S_MAX, "settled when the lease ends"
    return waits
