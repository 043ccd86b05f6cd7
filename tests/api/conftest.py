from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from counterfoil.kernel.db import Pool
from tests.api.server import Server, Shop, open_shop
from tests.db import Database, TestServer


@pytest_asyncio.fixture(scope="session")
async def api_database(server: TestServer) -> AsyncIterator[Database]:
    """The database of the one API server that all stories share."""
    made = await server.create()
    yield made
    await server.drop(made)


@pytest_asyncio.fixture(scope="session")
async def api_pool(api_database: Database) -> AsyncIterator[Pool]:
    connections = Pool(api_database.app_url)
    yield connections
    await connections.close()


@pytest_asyncio.fixture(scope="session")
async def api(
    api_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """The running server; its log is looked at by some tests."""
    folder: Path = tmp_path_factory.mktemp("api")
    running = Server(api_database.app_url, folder)
    yield running
    assert running.stop() == 0, running.log.read_text()[-2000:]


@pytest_asyncio.fixture(scope="module")
async def shop(api: Server, api_pool: Pool) -> Shop:
    """An account for the file's own use, with a key for everything."""
    return await open_shop(api, api_pool)


@pytest_asyncio.fixture
async def own_shop(api: Server, api_pool: Pool) -> Shop:
    """An account for one test alone."""
    return await open_shop(api, api_pool)


@pytest_asyncio.fixture
async def owner_of_api(
    api_database: Database,
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that sees every account, for looking at what the application cannot."""
    connection = await asyncpg.connect(api_database.owner_url)
    yield connection
    await connection.close()
