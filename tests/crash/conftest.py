from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from counterfoil.kernel.db import Pool
from counterfoil.order.config import Account
from tests.crash.forge import Forge
from tests.crash.scene import Scene
from tests.db import Clock, Database
from tests.sandbox.server import Sandbox, start_sandbox
from tests.work.shop import Shop, open_shop


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()
    running.client.close()


@pytest_asyncio.fixture(scope="module")
async def shop(
    module_pool: Pool, module_account: Account, sandbox: Sandbox
) -> AsyncIterator[Shop]:
    """One shop for every crash of the file; each crash has an order of its own."""
    opened = await open_shop(module_pool, module_account, sandbox)
    yield opened
    await opened.works.aclose()


@pytest.fixture(scope="module")
def forge(module_database: Database, module_account: Account) -> Iterator[Forge]:
    running = Forge(module_database.app_url, module_database.owner_url, module_account)
    yield running
    running.close()


@pytest.fixture(scope="module")
def clock(module_database: Database) -> Clock:
    return Clock(module_database.owner_url)


@pytest.fixture(scope="module")
def scene(shop: Shop, forge: Forge, sandbox: Sandbox, clock: Clock) -> Scene:
    return Scene(shop, forge, sandbox, clock)
