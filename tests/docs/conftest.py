from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from counterfoil.kernel.db import Pool
from tests.db import Database
from tests.docs.installation import Installation


@pytest_asyncio.fixture(scope="module")
async def installation(
    module_database: Database, module_pool: Pool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """One Counterfoil for all pages; each makes orders of its own."""
    running = Installation(tmp_path_factory.mktemp("docs"), module_database)
    try:
        await running.start(module_pool)
        yield running
    finally:
        running.stop()
