from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from counterfoil.kernel.db import Pool
from counterfoil.kernel.ids import new_id
from counterfoil.setup.accounts import create_account
from tests.crash.flow import PACE
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


@pytest_asyncio.fixture
async def shop(module_pool: Pool, sandbox: Sandbox) -> AsyncIterator[Shop]:
    """A shop of an account of its own: its books are looked at when all its flows have died."""
    account = await create_account(module_pool, f"Crash {new_id()}")
    opened = await open_shop(module_pool, account, sandbox, pace=PACE)
    yield opened
    await opened.works.aclose()


@pytest.fixture(scope="module")
def forge(module_database: Database) -> Iterator[Forge]:
    running = Forge(module_database.app_url, module_database.owner_url)
    yield running
    running.close()


@pytest.fixture
def clock(module_database: Database) -> Clock:
    return Clock(module_database.owner_url)


@pytest_asyncio.fixture
async def scene(
    shop: Shop, forge: Forge, sandbox: Sandbox, clock: Clock
) -> AsyncIterator[Scene]:
    opened = Scene(shop, forge, sandbox, clock)
    yield opened
    await opened.close()
