"""A server for each pytest process, a database for each test that asks for one."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings

from counterfoil.kernel.db import Pool
from counterfoil.order.actor import Actor
from counterfoil.order.config import Account
from counterfoil.setup.accounts import create_account
from tests.db import Clock, Database, TestServer

# A law draws the same examples on every machine until its text changes: what landed stays green.
# `--hypothesis-profile default` draws anew, and `make soak` tries at random for an hour.
settings.register_profile("steady", derandomize=True)
settings.load_profile("steady")


@pytest_asyncio.fixture(scope="session")
async def server() -> AsyncIterator[TestServer]:
    """The PostgreSQL of this process, with a migrated template."""
    running = await TestServer.start()
    yield running
    running.stop()


@pytest_asyncio.fixture
async def database(server: TestServer) -> AsyncIterator[Database]:
    """A database of the test's own: nothing is left over from any other."""
    made = await server.create()
    yield made
    await server.drop(made)


@pytest_asyncio.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    """Connections as the application's role, whom row-level security binds."""
    connections = Pool(database.app_url)
    yield connections
    await connections.close()


@pytest_asyncio.fixture
async def owner(database: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that sees every account, for looking at what the application cannot."""
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def account(pool: Pool) -> Account:
    """An account named Test, with the store main in EUR."""
    return await create_account(pool, "Test")


@pytest.fixture
def admin(account: Account) -> Actor:
    """A user of the account who may do everything."""
    return make_admin(account)


@pytest.fixture
def clock(database: Database) -> Clock:
    """The database's clock: `await clock.advance(seconds)`."""
    return Clock(database.owner_url)


@pytest_asyncio.fixture(scope="module")
async def module_database(server: TestServer) -> AsyncIterator[Database]:
    """One database for all tests of a file, for those that mostly read."""
    made = await server.create()
    yield made
    await server.drop(made)


@pytest_asyncio.fixture(scope="module")
async def module_pool(module_database: Database) -> AsyncIterator[Pool]:
    """Connections to the file's database as the application's role."""
    connections = Pool(module_database.app_url)
    yield connections
    await connections.close()


@pytest_asyncio.fixture(scope="module")
async def module_account(module_pool: Pool) -> Account:
    """The account of the file's database."""
    return await create_account(module_pool, "Test")


@pytest.fixture(scope="module")
def module_admin(module_account: Account) -> Actor:
    """A user of the file's account who may do everything."""
    return make_admin(module_account)


def make_admin(account: Account) -> Actor:
    """Make a user who may do everything in an account."""
    return Actor(
        kind="user",
        id="0199c000-0000-7000-8000-000000000001",
        name="Anna Berg",
        account_id=account.id,
        rights=frozenset({"*"}),
        credential="user:0199c000-0000-7000-8000-000000000001",
    )
