from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from counterfoil.kernel.db import Pool
from tests.db import TestServer
from tests.docs.installation import Installation


@pytest_asyncio.fixture(scope="session")
async def installation(
    server: TestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """One Counterfoil for all pages; each makes orders of its own."""
    database = await server.create()
    pool = Pool(database.app_url)
    running = Installation(tmp_path_factory.mktemp("docs"), database)
    try:
        await running.start(pool)
        yield running
    finally:
        running.stop()
        await pool.close()
        await server.drop(database)
