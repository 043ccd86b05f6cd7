"""How the program is: alive, ready, and in figures."""

import time
from functools import cache

import msgspec
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from counterfoil.api.ask import Ask
from counterfoil.api.door import OPEN, Door
from counterfoil.api.reply import Reply
from counterfoil.book.standing import Standing, read_standing
from counterfoil.kernel.db import NO_ACCOUNT, Gone
from counterfoil.kernel.problem import Unavailable
from counterfoil.setup.accounts import list_accounts
from counterfoil.setup.migrate import newest_revision
from counterfoil.work.beat import worker_lives

door = Door("Running")
FIGURES_KEPT_S = 5
ACCOUNTS_MAX = 1_000


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "alive"


class Ready(msgspec.Struct, frozen=True):
    """Everything is there that requests need."""

    status: str = "ready"
    database: str = "reachable"
    schema: str = ""
    worker: str = "alive"


@door.get("/healthz", right=OPEN, answers={200: Alive})
async def show_health(ask: Ask) -> Alive:
    """Tell that the process is alive."""
    return Alive()


@door.get("/readyz", right=OPEN, answers={200: Ready}, raises=(Unavailable,))
async def show_readiness(ask: Ask) -> Ready:
    """Tell whether the database is reachable and at its newest schema, and a worker alive."""
    wanted = _wanted_revision()
    async with ask.office.pool.connection(NO_ACCOUNT) as connection:
        found = await connection.value("select version_num from alembic_version")
        alive = await worker_lives(connection)
    problems = []
    if found != wanted:
        problems.append(f"the schema is at {found}, this program needs {wanted}")
    if not alive:
        problems.append("no worker is alive")
    if problems:
        raise Unavailable(
            f"Not ready: {', '.join(problems)}.", headers={"Retry-After": "1"}, missing=problems
        )
    return Ready(schema=wanted)


@cache
def _wanted_revision() -> str:
    return newest_revision()


class Figures:
    """Reads what waits in every account, at most once in five seconds."""

    def __init__(self) -> None:
        self._until = 0.0
        self._found: list[Standing] = []

    async def read(self, ask: Ask) -> list[Standing]:
        """Read it. Raises Unavailable, Gone."""
        if time.monotonic() >= self._until:
            found = []
            for account in (await list_accounts(ask.office.pool))[:ACCOUNTS_MAX]:
                async with ask.office.pool.connection(account.id) as connection:
                    found.append(await read_standing(connection))
            self._found = found
            self._until = time.monotonic() + FIGURES_KEPT_S
        return self._found


_figures = Figures()


@door.get("/metrics", right=OPEN, answers={200: None})
async def show_metrics(ask: Ask) -> Reply:
    """Tell the figures in Prometheus' text format; those of the database where it is reachable."""
    try:
        standings = await _figures.read(ask)
    except (Unavailable, Gone):
        standings = []
    return Reply(200, ask.office.meter.expose(standings), media=CONTENT_TYPE_LATEST.encode())


