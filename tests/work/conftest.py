from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from counterfoil.book.invariants import check
from counterfoil.kernel.db import Pool
from counterfoil.order.config import Account
from tests.sandbox.server import Sandbox, start_sandbox
from tests.work.shop import Shop, open_shop


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests of this folder."""
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), hang_s=2)
    yield running
    running.stop()
    running.client.close()


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox with no fault scripted."""
    running_sandbox.clear()
    yield running_sandbox
    running_sandbox.clear()


@pytest_asyncio.fixture
async def shop(pool: Pool, account: Account, sandbox: Sandbox) -> AsyncIterator[Shop]:
    """A shop whose gateway `card` is the sandbox. Whatever the test did, the books are in order."""
    opened = await open_shop(pool, account, sandbox)
    yield opened
    await opened.works.aclose()
    assert await check(pool, account.id) == []
