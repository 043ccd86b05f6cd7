from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from counterfoil.kernel.http import Http
from tests.sandbox.server import Sandbox, start_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests of this folder: each looks only at its own references."""
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()
    running.client.close()


@pytest_asyncio.fixture(scope="session")
async def http() -> AsyncIterator[Http]:
    """The process's client for trusted addresses."""
    async with Http(trusted=True, per_host_max=50) as client:
        yield client
