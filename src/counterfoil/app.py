"""The wiring: one function puts the program together, one more makes the server that runs it."""

import gc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server import Server as Granian
from granian.server.common import AbstractServer
from litestar import Litestar

from counterfoil.access.keys import KeyCheck
from counterfoil.access.sessions import SessionCheck
from counterfoil.api.door import check_rights, serve
from counterfoil.api.every import every_endpoint
from counterfoil.api.office import Office
from counterfoil.api.refusals import exception_handlers
from counterfoil.api.watch import Teller, Watch, telling
from counterfoil.book.numbers import Numbers
from counterfoil.book.placing import Placer
from counterfoil.book.run import Book
from counterfoil.kernel.db import Pool
from counterfoil.kernel.log import set_up_log
from counterfoil.kernel.secrets import KeyRing
from counterfoil.settings import Settings
from counterfoil.work.desk import Works

HEADER_SECONDS = 10


def make_office(settings: Settings) -> Office:
    """Make the tools of a process. Raises WrongSetting."""
    assert settings.database_url is not None, "the embedded server is started before the program"
    pool = Pool(settings.database_url, size=settings.pool_size)
    book = Book(pool)
    remember_s = settings.credential_cache_s
    return Office(
        settings=settings,
        pool=pool,
        book=book,
        placer=Placer(pool, Numbers(block=settings.number_block)),
        keys=KeyCheck(pool, remember_s=remember_s),
        sessions=SessionCheck(pool, remember_s=remember_s, idle_s=settings.session_idle_s),
        ring=KeyRing(settings.secret_keys()),
        desk=Works.from_settings(settings, pool, book),
    )


def create_app(settings: Settings) -> Litestar:
    """Put the program together: every address behind the watch, `app.state.works` for the pages.

    Raises NoRight for an address without a right, and WrongSetting.
    """
    set_up_log(settings.log_level)
    endpoints = every_endpoint()
    check_rights(endpoints)
    office = make_office(settings)
    pages: Mapping[str, Teller] = {}
    tell = telling(pages)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await office.desk.aclose()
            await office.pool.close()

    app = Litestar(
        route_handlers=[serve(endpoint, office) for endpoint in endpoints],
        exception_handlers=exception_handlers(tell),
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
    )
    app.state.works = office
    app.asgi_handler = Watch(app.asgi_handler, tell)
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
    make_server(settings).serve(target_loader=partial(load, settings), wrap_loader=False)
