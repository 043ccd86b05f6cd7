"""A whole Counterfoil for the browser: database, card sandbox, mail folder, server and worker."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.db import TestServer
from tests.portal.site import Site, Tab


def pytest_addoption(parser: pytest.Parser) -> None:
    """Keep pictures of the pages, for people to look at."""
    parser.addoption("--pictures", default="", help="a folder for screenshots of the portal")


@pytest_asyncio.fixture(scope="session")
async def site(server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The running program, one for all stories; each makes its own orders."""
    running = Site(tmp_path_factory.mktemp("site"))
    await running.start(server)
    yield running
    await running.stop()


@pytest_asyncio.fixture
async def tab(site: Site) -> AsyncIterator[Tab]:
    """A signed-in page that fails its test at any error the browser tells of."""
    opened = await site.open_tab()
    yield opened
    await opened.close()


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Any:
    """The folder for screenshots, empty where none is wanted."""
    return request.config.getoption("--pictures", default="")
