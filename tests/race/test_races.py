"""Many at once on the same money: what the database and the book let through. [R-1, G3, G4]

Each actor has a Book and connections of its own, as processes have: nothing but PostgreSQL stands
between them.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from counterfoil.kernel.db import Pool, counter
from counterfoil.order.config import Account
from counterfoil.order.problems import RequestInProgress
from counterfoil.work.desk import Pace, Works
from tests.actions.laws import assert_lawful
from tests.db import Database
from tests.race.rush import open_shops, place_many, rush
from tests.sandbox.server import start_sandbox
from tests.work.ledger import assert_same
from tests.work.shop import CAPTURE, REFUND, VOID, Said, Shop, open_shop

pytestmark = pytest.mark.database
ACTORS = 4
PAYMENTS = 500
#: A busy machine must not be taken for a silent provider.
PATIENT = Pace(deadline_s=25)


@pytest_asyncio.fixture
async def shops(database: Database, pool: Pool, account: Account) -> AsyncIterator[list[Shop]]:
    """As many processes as there are actors, as far as the database can tell."""
    opened = await open_shops(database, pool, account, ACTORS)
    yield opened
    for shop in opened:
        await shop.works.aclose()
        await shop.works.pool.close()


async def test_500_payments_and_four_actors(shops: list[Shop], owner):
    print(await rush(shops, owner, payments=PAYMENTS, seed=20261121))


async def test_one_request_fifty_times(shops: list[Shop]):
    (order_id,) = await place_many(shops[0], 1)
    for kind, wanted in ((CAPTURE, {"amount": 3000}), (REFUND, {"amount": 800}), (VOID, {})):
        version = (await shops[0].folder(order_id)).order.version
        said: list[Said] = await asyncio.gather(*(
            shops[n % ACTORS].run(kind, order_id, key=f"{kind}-once", **wanted)
            for n in range(50)
        ))
        assert {one.status for one in said} == {201}
        assert len({one.text for one in said}) == 1, "byte for byte"
        assert sum(1 for one in said if not one.answered.replayed) == 1
        folder = await shops[0].folder(order_id)
        rows = [t for t in folder.transactions if t.type == kind.upper()]
        assert len(rows) == 1
        assert folder.order.version > version
        assert_lawful(folder)


async def test_one_order_placed_fifty_times(shops: list[Shop], owner):
    said = await asyncio.gather(*(
        shops[n % ACTORS].place(5000, gateway="manual", key="place-once") for n in range(50)
    ))
    assert len({one.text for one in said}) == 1
    assert await owner.fetchval("select count(*) from orders") == 1


async def test_one_request_fifty_times_at_a_provider(
    shops: list[Shop], database: Database, pool: Pool, account: Account, tmp_path
):
    sandbox = start_sandbox(tmp_path)
    try:
        shop = await open_shop(pool, account, sandbox, pace=PATIENT)
        order_id = await shop.order(5000)
        others = [Shop(Works(s.works.pool, s.works.book, keys=shop.works.adapters._keys,
                             pace=PATIENT), shop.actor) for s in shops]

        async def insist(one: Shop) -> Said:
            while True:
                try:
                    return await one.run(CAPTURE, order_id, key="once", amount=3000)
                except RequestInProgress:
                    await asyncio.sleep(0.02)

        said = await asyncio.gather(*(insist(others[n % ACTORS]) for n in range(50)))
        assert len({one.text for one in said}) == 1
        folder = await shop.folder(order_id)
        assert folder.order.captured == 3000
        assert_same(folder, sandbox)
        for one in (shop, *others):
            await one.works.aclose()
    finally:
        sandbox.stop()
        sandbox.client.close()


async def test_a_crowd_on_one_order_makes_progress(shops: list[Shop]):
    (order_id,) = await place_many(shops[0], 1, total=100_000)
    done, waits = Counter(dict.fromkeys(range(50), 0)), []
    began = time.monotonic()

    def goes_on(now: float) -> bool:
        """For three seconds, and until everybody got through three times: a minute at most."""
        return now < began + 3 or (min(done.values()) < 3 and now < began + 60)

    async def client(number: int) -> None:
        while goes_on(since := time.monotonic()):
            said = await shops[number % ACTORS].run(CAPTURE, order_id, amount=1)
            assert said.status == 201
            done[number] += 1
            waits.append(time.monotonic() - since)

    before = counter.statements
    await asyncio.gather(*(client(number) for number in range(50)))
    waits.sort()
    seconds = time.monotonic() - began
    total = done.total()
    print(f"crowd of 50: {total / seconds:.0f}/s, {(counter.statements - before) / total:.1f}"
          f" statements each, p50 {waits[total // 2] * 1000:.0f} ms,"
          f" p99 {waits[total * 99 // 100] * 1000:.0f} ms, worst {waits[-1] * 1000:.0f} ms,"
          f" per client {min(done.values())}…{max(done.values())}")
    assert min(done.values()) >= 3, "everybody got through"
    assert max(done.values()) < 20 * min(done.values()), "and nobody at the others' cost"
    assert waits[-1] < seconds / 2, "nobody waited for the crowd to go home"
    folder = await shops[0].folder(order_id)
    assert folder.order.captured == total
    assert_lawful(folder)
