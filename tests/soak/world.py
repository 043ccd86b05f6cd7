"""Where schedules are played: one database, one provider, one clock for both, a few actors."""

from typing import Any, Self

import asyncpg

from counterfoil.book.run import Book
from counterfoil.kernel.db import Pool
from counterfoil.kernel.failpoint import disarm
from counterfoil.kernel.secrets import KeyRing
from counterfoil.order.actor import Actor as Person
from counterfoil.order.config import Account
from counterfoil.setup.accounts import create_account
from counterfoil.setup.stores import StoreChange, change_store
from counterfoil.work import lanes
from counterfoil.work.desk import Pace, Works
from counterfoil.work.sequence import place_waiting
from tests.db import Database
from tests.sandbox.server import Sandbox
from tests.soak.actor import Actor, watch_actors
from tests.work.hooking import listen
from tests.work.shop import RING, Shop, open_shop

#: The real ones, but for the provider's deadline: who stands still does so in real time as well,
#: and a provider's silence is a fate that somebody meets.
PACE = Pace(deadline_s=60)
CLIENTS, WORKERS = 3, 2
_KEPT = """select string_agg(format('%I', c.relname), ', ') from pg_class c
  where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
    and (c.relname in ('orders', 'idempotency', 'counters', 'inbound_events') or exists (
      select from pg_attribute a where a.attrelid = c.oid and a.attname = 'order_id'))"""
_RESTING = """do $$ begin
  set local session_replication_role = replica;
  update transactions set due_at = '9000-01-01', lease_until = null where due_at is not null;
  update payments set due_at = '9000-01-01', lease_until = null where due_at is not null;
  update inbound_events set due_at = '9000-01-01', lease_until = null where due_at is not null;
end $$"""


class Ear:
    """Hears what a worker says of a row that it could not work off: nobody else would."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def error(self, name: str, **words: Any) -> None:
        self.heard.append(f"{name} {words}")

    def warning(self, name: str, **words: Any) -> None:
        """A worker may lose a lease or a connection."""

    debug = info = warning


class World:
    """Everything a schedule needs, kept for the next one."""

    def __init__(self, database: Database, sandbox: Sandbox) -> None:
        self.database = database
        self.sandbox = sandbox
        self.account: Account
        self.person: Person
        self.home: Shop
        self.owner: asyncpg.Connection[Any]
        self.clients: list[Actor] = []
        self.workers: list[Actor] = []
        self.offset_s = 0
        self.ear = Ear()
        self._log: Any = vars(lanes)["log"]

    async def __aenter__(self) -> Self:
        self.owner = await asyncpg.connect(self.database.owner_url)
        pool = Pool(self.database.app_url, size=4)
        self.account = await create_account(pool, "Soak")
        self.home = await open_shop(
            pool, self.account, self.sandbox, pace=PACE, deadline_s=PACE.deadline_s)
        self.person = self.home.actor
        ships = StoreChange(capture_on_ship=True, scopes=["partial_capture"])
        async with pool.connection(self.account.id) as connection:
            await change_store(connection, self.person, "main", ships)
        await listen(self.home, self.sandbox)
        vars(lanes)["log"] = self.ear
        watch_actors()
        self.clients = [Actor(f"client {n}", self._open_shop) for n in range(CLIENTS)]
        self.workers = [Actor(f"worker {n}", self._open_shop) for n in range(WORKERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for actor in self.actors:
            actor.close()
        disarm()
        vars(lanes)["log"] = self._log
        await self.home.works.aclose()
        await self.home.works.pool.close()
        await self.owner.close()

    @property
    def actors(self) -> list[Actor]:
        return [*self.clients, *self.workers]

    def _open_shop(self) -> Shop:
        pool = Pool(self.database.app_url, size=6)
        works = Works(pool, Book(pool), keys=KeyRing(RING), pace=PACE)
        return Shop(works, self.person)

    async def advance(self, seconds: int) -> None:
        """Let time pass, for the database and for the provider."""
        self.offset_s += seconds
        await self.owner.execute(
            "update clock_offset set seconds = $1, allowed = true", self.offset_s)
        self.sandbox.clock(self.offset_s)

    async def place_feed(self) -> None:
        """Let the sequencer run once."""
        await place_waiting(self.home.works.pool)

    async def rest(self) -> None:
        """Let nothing of the schedules so far become due again."""
        await self.owner.execute(_RESTING)

    async def clean(self) -> None:
        """Forget all orders, and set both clocks right."""
        tables = await self.owner.fetchval(_KEPT)
        await self.owner.execute(
            f"set session_replication_role = replica; truncate {tables} cascade;"
            " set session_replication_role = origin")
        await self.advance(-self.offset_s)
