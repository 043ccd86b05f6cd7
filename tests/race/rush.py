"""Many actors at the same payments at once: captures, voids, refunds, cancellations. [R-1, G3]"""

import asyncio
import random
import time
from collections import Counter
from typing import Any

import asyncpg

from counterfoil.book.invariants import check
from counterfoil.book.run import Book
from counterfoil.kernel.db import Pool
from counterfoil.kernel.problem import Problem
from counterfoil.order.config import Account
from counterfoil.work.desk import Works
from tests.actions.laws import assert_lawful
from tests.db import Database
from tests.work.shop import CANCEL, CAPTURE, QUICK, REFUND, VOID, Shop, open_shop

WAIT_S = 60


async def open_shops(
    database: Database, pool: Pool, account: Account, actors: int
) -> list[Shop]:
    """Open a shop as many times as processes would; only the database is between them."""
    pool.wait_seconds = WAIT_S  # a crowd on a busy machine, and not a refusal, is what is meant
    first = await open_shop(pool, account, None)
    opened = [first]
    for _ in range(actors - 1):
        own = Pool(database.app_url, size=8, wait_seconds=WAIT_S)
        opened.append(Shop(Works(own, Book(own), keys=None, pace=QUICK), first.actor))
    return opened


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


async def rush(
    shops: list[Shop], owner: "asyncpg.Connection[Any]", *, payments: int, seed: int
) -> str:
    """Let every actor do two things to each payment; nothing is taken or returned too much."""
    orders = await place_many(shops[0], payments)
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
    assert {"internal", "unavailable"} & {kind.split()[-1] for kind in tally} == set()
    assert min(tally[kind] for kind in (CAPTURE, REFUND, VOID, CANCEL)) > 50, "all of it happened"
    assert tally["capture amount_invalid"] + tally["capture invalid_state"] > 50, "and was refused"
    for order_id in orders:
        assert_lawful(await shops[0].folder(order_id))
    await assert_books(owner, {kind: sum(a for k, a in results if k == kind)
                               for kind in (CAPTURE, REFUND)})
    assert await check(shops[0].works.pool, shops[0].actor.account_id) == []
    refused = sum(number for kind, number in tally.items() if " " in kind)
    return (f"{payments} payments, {len(shops)} actors, {len(results)} commands in {spent:.1f} s:"
            f" 0 taken or returned too much, {refused} refused")


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
