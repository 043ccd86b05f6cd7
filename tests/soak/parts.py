"""What soak does beside the schedules; each part tells in a line what it has shown."""

import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from counterfoil.book.invariants import check
from counterfoil.kernel.db import Pool
from counterfoil.order.config import Account
from counterfoil.setup.accounts import create_account
from tests.crash.flow import PACE
from tests.crash.flows import FLOWS
from tests.crash.forge import Forge
from tests.crash.pairs import Pairs
from tests.crash.scene import Scene
from tests.db import Clock, Database, TestServer
from tests.race.rush import open_shops, rush
from tests.sandbox.server import Sandbox, start_sandbox
from tests.soak.nursery import Nursery
from tests.soak.restarts import House
from tests.soak.workers import ROWS, kill_workers, wake_zombies
from tests.work.shop import Shop, open_shop

ACTORS, ZOMBIES = 4, 20
ZOMBIE_LEASE_S, KILL_LEASE_S = 30, 2
PAUSE_S = 1.0


@dataclass
class Stage:
    """A database, a provider, an account and its shop, for one part."""

    database: Database
    sandbox: Sandbox
    pool: Pool
    account: Account
    shop: Shop
    clock: Clock


async def on_stage(part: Callable[[Stage], Awaitable[str]]) -> str:
    """Set up everything, play the part, look at the books, and put everything away."""
    server = await TestServer.start()
    with tempfile.TemporaryDirectory() as folder:
        sandbox = start_sandbox(Path(folder))
        try:
            database = await server.create()
            pool = Pool(database.app_url)
            account = await create_account(pool, "Soak")
            shop = await open_shop(pool, account, sandbox, pace=PACE)
            clock = Clock(database.owner_url)
            shown = await part(Stage(database, sandbox, pool, account, shop, clock))
            await shop.works.aclose()
            assert await check(pool, account.id) == []
            await pool.close()
        finally:
            sandbox.stop()
            sandbox.client.close()
            server.stop()
    return shown


async def deaths(stage: Stage, *, seconds: float, seed: int) -> str:
    """Deaths in pairs, in random order."""
    forge = Forge(stage.database.app_url, stage.database.owner_url)
    scene = Scene(stage.shop, forge, stage.sandbox, stage.clock)
    try:
        pairs = Pairs(scene, seed)
        await pairs.play(seconds)
    finally:
        await scene.close()
        forge.close()
    return f"{len(pairs.played)} pairs of deaths in {len(FLOWS)} flows, 0 lost, 0 doubled"


async def races(stage: Stage, *, payments: int, seed: int) -> str:
    """Four actors at each payment, in a database of their own."""
    owner = await asyncpg.connect(stage.database.owner_url)
    account = await create_account(stage.pool, "Races")
    shops = await open_shops(stage.database, stage.pool, account, ACTORS)
    shown = await rush(shops, owner, payments=payments, seed=seed)
    for shop in shops:
        await shop.works.aclose()
        if shop.works.pool is not stage.pool:
            await shop.works.pool.close()
    await owner.close()
    return shown


async def zombies(stage: Stage, *, rounds: int) -> str:
    """Twenty workers stand still past their lease, and wake up."""
    nursery = Nursery(stage.database.app_url, stage.account.id, lease_s=ZOMBIE_LEASE_S)
    try:
        for _ in range(rounds):
            await wake_zombies(stage.shop, stage.sandbox, nursery, stage.clock, count=ZOMBIES)
    finally:
        nursery.close()
    return f"{rounds * ZOMBIES} of {rounds * ZOMBIES} zombies changed nothing"


async def kills(stage: Stage, *, rounds: int) -> str:
    """Workers die with what they hold; others take it over."""
    nursery = Nursery(stage.database.app_url, stage.account.id, lease_s=KILL_LEASE_S)
    try:
        waits = await kill_workers(stage.shop, stage.sandbox, nursery, rounds=rounds)
    finally:
        nursery.close()
    return (f"{rounds} kills, {rounds * ROWS} movements settled after {min(waits):.2f} to"
            f" {max(waits):.2f} s; the lease is {KILL_LEASE_S} s")


async def restarts(stage: Stage, *, times: int) -> str:
    """PostgreSQL stops as in a power cut while a server and a worker are busy."""
    async with House(stage.sandbox) as house:
        waits = [await house.restart_after(PAUSE_S) for _ in range(times)]
        await house.assert_well()
        return (f"{times} restarts under load, back after {max(waits):.2f} s at most,"
                f" {len(house.seen.done)} requests answered, {house.seen.refused.total()}"
                " told to try again, nothing else")
