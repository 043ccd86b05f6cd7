"""Many at once on the same money: what the database and the book let through. [R-1, G3, G4]

Each actor has a Book and connections of its own, as processes have: nothing but PostgreSQL stands
between them.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from counterfoil.book.invariants import check
from counterfoil.book.run import Book
from counterfoil.kernel.db import Pool, counter
from counterfoil.kernel.problem import Problem
from counterfoil.order.config import Account
from counterfoil.order.problems import RequestInProgress
from counterfoil.work.desk import Works
from tests.actions.laws import assert_lawful
from tests.db import Database
from tests.sandbox.server import start_sandbox
from tests.work.ledger import assert_same
from tests.work.shop import CANCEL, CAPTURE, QUICK, REFUND, VOID, Said, Shop, open_shop

pytestmark = pytest.mark.database
ACTORS = 4
PAYMENTS = 500


@pytest_asyncio.fixture
async def shops(database: Database, pool: Pool, account: Account) -> AsyncIterator[list[Shop]]:
    """As many processes as there are actors, as far as the database can tell."""
    first = await open_shop(pool, account, None)
    opened = [first]
    for _ in range(ACTORS - 1):
        own = Pool(database.app_url, size=8, wait_seconds=30)
        opened.append(Shop(Works(own, Book(own), keys=None, pace=QUICK), first.actor))
    yield opened
    for shop in opened:
        await shop.works.aclose()
        await shop.works.pool.close()


async def place_many(shop: Shop, count: int, total: int = 5000) -> list[str]:
    async def some(number: int) -> list[str]:
        return [await shop.order(total, gateway="manual", bags=2) for _ in range(number)]

    found = await asyncio.gather(*(some(count // 8 + (n < count % 8)) for n in range(8)))
    return [order_id for part in found for order_id in part]


async def attempt(shop: Shop, chance: random.Random, order_id: str) -> tuple[str, int]:
    """Do one thing of four; what came of it, and how much."""
    kind = chance.choices([CAPTURE, REFUND, VOID, CANCEL], [5, 4, 2, 1])[0]
    wanted = {} if kind == CANCEL else {"amount": chance.choice([700, 1900, 2600, 5000])}
    try:
        said = await shop.run(kind, order_id, **wanted)
    except Problem as refused:
        return f"{kind} {refused.code}", 0
    if kind == CANCEL:
        return kind, 0
    return kind, int(said.body["amount"])


@pytest.mark.parametrize("seed", [20261121])
async def test_500_payments_and_four_actors(shops: list[Shop], owner, seed: int):
    orders = await place_many(shops[0], PAYMENTS)
    results: list[tuple[str, int]] = []

    async def act(number: int, shop: Shop) -> None:
        chance = random.Random(f"{seed}-{number}")
        todo = iter(orders)

        async def hand() -> None:
            for order_id in todo:
                results.append(await attempt(shop, chance, order_id))
                results.append(await attempt(shop, chance, order_id))

        await asyncio.gather(*(hand() for _ in range(3)))

    since = time.monotonic()
    await asyncio.gather(*(act(number, shop) for number, shop in enumerate(shops)))
    spent = time.monotonic() - since
    tally = Counter(kind for kind, _ in results)
    print(f"{len(results)} commands in {spent:.1f} s: {dict(tally)}")
    assert {"internal", "unavailable"} & {kind.split()[-1] for kind in tally} == set()
    assert min(tally[kind] for kind in (CAPTURE, REFUND, VOID, CANCEL)) > 50, "all of it happened"
    assert tally["capture amount_invalid"] + tally["capture invalid_state"] > 50, "and was refused"
    for order_id in orders:
        assert_lawful(await shops[0].folder(order_id))
    await assert_books(owner, {kind: sum(a for k, a in results if k == kind)
                               for kind in (CAPTURE, REFUND)})
    assert await check(shops[0].works.pool, shops[0].actor.account_id) == []


async def assert_books(owner, accepted: dict[str, int]) -> None:
    """Whatever was accepted is booked, once; nothing exceeds what was there. By plain SQL."""
    over = await owner.fetchval(
        "select count(*) from payments where captured + voided + expired > authorized"
        " or refunded > captured or capture_pending + void_pending + refund_pending <> 0")
    assert over == 0
    booked = await owner.fetchrow(
        "select sum(amount) filter (where type = 'CAPTURE') captured,"
        " sum(amount) filter (where type = 'REFUND' and cancellation_id is null) refunded,"
        " count(*) filter (where status <> 'SUCCEEDED') other from transactions")
    assert dict(booked) == {
        "captured": accepted[CAPTURE], "refunded": accepted[REFUND], "other": 0}
    differing = await owner.fetchval(
        "select count(*) from orders o where row(o.authorized, o.captured, o.voided, o.refunded)"
        " is distinct from (select row("
        "   coalesce(sum(amount) filter (where type = 'AUTHORIZE'), 0)::bigint,"
        "   coalesce(sum(amount) filter (where type = 'CAPTURE'), 0)::bigint,"
        "   coalesce(sum(amount) filter (where type = 'VOID'), 0)::bigint,"
        "   coalesce(sum(amount) filter (where type = 'REFUND'), 0)::bigint)"
        "  from transactions t where t.order_id = o.id)")
    assert differing == 0
    gaps = await owner.fetchval(
        "select count(*) from orders o where o.version <> (select count(*) from facts f"
        " where f.order_id = o.id) or o.version <> (select max(sequence) from facts f"
        " where f.order_id = o.id)")
    assert gaps == 0
    twice = await owner.fetchval(
        "select count(*) from (select from transactions where idempotency_key is not null"
        " group by credential, idempotency_key having count(*) > 1) doubled")
    assert twice == 0


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
        shop = await open_shop(pool, account, sandbox)
        order_id = await shop.order(5000)
        others = [Shop(Works(s.works.pool, s.works.book, keys=shop.works.adapters._keys,
                             pace=QUICK), shop.actor) for s in shops]

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
    seconds, done, waits = 3.0, Counter[int](), []
    until = time.monotonic() + seconds

    async def client(number: int) -> None:
        while (since := time.monotonic()) < until:
            said = await shops[number % ACTORS].run(CAPTURE, order_id, amount=1)
            assert said.status == 201
            done[number] += 1
            waits.append(time.monotonic() - since)

    before = counter.statements
    await asyncio.gather(*(client(number) for number in range(50)))
    waits.sort()
    total = done.total()
    print(f"crowd of 50: {total / seconds:.0f}/s, {(counter.statements - before) / total:.1f}"
          f" statements each, p50 {waits[total // 2] * 1000:.0f} ms,"
          f" p99 {waits[total * 99 // 100] * 1000:.0f} ms, worst {waits[-1] * 1000:.0f} ms,"
          f" per client {min(done.values())}…{max(done.values())}")
    assert len(done) == 50, "everybody got through"
    assert min(done.values()) >= 3
    assert waits[-1] < 3
    folder = await shops[0].folder(order_id)
    assert folder.order.captured == total
    assert_lawful(folder)
