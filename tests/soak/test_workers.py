"""Workers that are stopped past their lease, and workers that are killed. [P-11, G8, G12]"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from counterfoil.book.invariants import check
from counterfoil.kernel.db import Pool
from counterfoil.order.config import Account
from tests.crash.flow import PACE
from tests.db import Clock, Database
from tests.sandbox.server import Sandbox, start_sandbox
from tests.soak.nursery import Nursery
from tests.soak.workers import ROWS, kill_workers, wake_zombies
from tests.work.shop import Shop, open_shop

pytestmark = pytest.mark.database
ZOMBIES, KILLS = 20, 3


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()
    running.client.close()


@pytest_asyncio.fixture
async def shop(pool: Pool, account: Account, sandbox: Sandbox) -> AsyncIterator[Shop]:
    opened = await open_shop(pool, account, sandbox, pace=PACE)
    yield opened
    await opened.works.aclose()
    assert await check(pool, account.id) == []


@pytest.fixture
def nursery(database: Database, account: Account, lease_s: int) -> Iterator[Nursery]:
    running = Nursery(database.app_url, account.id, lease_s=lease_s)
    yield running
    running.close()


@pytest.mark.parametrize("lease_s", [30])
async def test_twenty_zombies_wake_up_and_change_nothing(
    shop: Shop, sandbox: Sandbox, nursery: Nursery, clock: Clock
):
    await wake_zombies(shop, sandbox, nursery, clock, count=ZOMBIES)


@pytest.mark.parametrize("lease_s", [2])
async def test_what_a_killed_worker_held_is_settled_when_its_lease_ends(
    shop: Shop, sandbox: Sandbox, nursery: Nursery, lease_s: int
):
    waits = await kill_workers(shop, sandbox, nursery, rounds=KILLS)
    print(f"{KILLS} kills, {KILLS * ROWS} movements, settled after"
          f" {', '.join(f'{one:.2f}' for one in waits)} s; the lease is {lease_s} s")
