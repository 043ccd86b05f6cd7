"""The wiring: one function puts the program together, one more makes the server that runs it."""

import gc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server import Server as Granian
from granian.server.common import AbstractServer
from litestar import Litestar

from counterfoil.api.door import check_rights, options, serve
from counterfoil.api.every import every_endpoint
from counterfoil.api.metrics import SHARED
from counterfoil.api.office import Office
from counterfoil.api.refusals import exception_handlers
from counterfoil.api.watch import Teller, Watch, telling
from counterfoil.kernel.failpoint import arm
from counterfoil.kernel.log import set_up_log
from counterfoil.portal.refusals import tell_page
from counterfoil.portal.router import create_portal
from counterfoil.settings import Settings, set_for_children

HEADER_SECONDS = 10


def create_app(settings: Settings) -> Litestar:
    """Put the program together: every address behind the watch, `app.state.works` for the pages.

    Raises NoRight for an address without a right, and WrongSetting.
    """
    set_up_log(settings.log_level)
    if settings.testing and settings.failpoint:
        arm(settings.failpoint)
    endpoints = every_endpoint()
    check_rights(endpoints)
    office = Office(settings)
    pages: Mapping[str, Teller] = {"/portal": tell_page}
    tell = telling(pages)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await office.close()

    app = Litestar(
        route_handlers=[
            *options(endpoints),
            *(serve(endpoint, office) for endpoint in endpoints),
            create_portal(),
        ],
        exception_handlers=exception_handlers(tell),
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
    )
    app.state.works = office
    app.asgi_handler = Watch(app.asgi_handler, tell, office.meter)
    return app


def load(settings: Settings) -> Callable[..., Any]:
    """Make the program in a worker process; what is there by now never becomes garbage."""
    app = create_app(settings)
    gc.collect()
    gc.freeze()
    return app


def make_server(settings: Settings) -> "AbstractServer[Any]":
    """Make the server for the settings; `serve_with` starts it."""
    return Granian(
        "counterfoil.app:load",
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        loop=Loops.uvloop,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
    )


def serve_with(settings: Settings) -> None:
    """Serve until told to stop. The database is migrated and reachable by now."""
    with TemporaryDirectory(prefix="counterfoil-metrics-") as folder:
        set_for_children(SHARED, folder)
        make_server(settings).serve(target_loader=partial(load, settings), wrap_loader=False)
