from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from counterfoil.kernel.log import set_up_log
from tests.db import TestServer
from tests.sandbox.server import start_sandbox
from tests.soak.simulator import Simulator
from tests.soak.world import World


@pytest_asyncio.fixture(scope="module")
async def simulator(
    server: TestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Simulator]:
    """A world for all schedules of the file."""
    set_up_log("critical")
    database = await server.create()
    sandbox = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    try:
        async with World(database, sandbox) as world:
            yield Simulator(world)
    finally:
        sandbox.stop()
        sandbox.client.close()
        await server.drop(database)
