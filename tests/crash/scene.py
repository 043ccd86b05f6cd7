"""One database, one provider, one clock, and the process in which everybody dies."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from counterfoil.book.invariants import check
from counterfoil.kernel.failpoint import DEAD
from counterfoil.order.transaction import UNSETTLED
from tests.crash.flow import PLACE, SOON_S, Flow
from tests.crash.flows import FLOWS
from tests.crash.forge import Forge
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same, moved
from tests.work.shop import Shop

WOUNDS_MAX = 30
_ADVANCE = "update clock_offset set seconds = seconds + $1, allowed = true returning seconds"
_DUE = "select least({}) <= cf_now() + make_interval(secs => $1)".format(
    ", ".join(
        f"(select due_at from {table} where due_at is not null order by due_at limit 1)"
        for table in ("transactions", "payments", "inbound_events", "holds", "letters")
    )
)
#: Servers that still work for a process that died a moment ago.
_AT_WORK = """
    select count(*) from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend'
      and state <> 'idle' and pid <> pg_backend_pid()
"""


@dataclass
class Scene:
    """Where flows are played, killed and looked at afterwards."""

    shop: Shop
    forge: Forge
    sandbox: Sandbox
    clock: Clock
    _owner: "list[asyncpg.Connection[Any]]" = field(default_factory=list)

    def run(self, flow: str, **more: Any) -> tuple[int, list[str]]:
        """Run a flow, or `work`, in a process that may die of it."""
        return self.forge.run(flow, account=self.shop.actor.account_id, **more)

    async def kill(self, name: str, order_id: str, key: str, point: str) -> None:
        """Let a door die at a failpoint."""
        code, _ = self.run(name, order_id=order_id, key=key, arm=point)
        assert code == DEAD, f"{name} did not pass {point}"
        await self.buried()

    async def kill_worker(self, steps_s: Sequence[int], point: str) -> None:
        """Let a worker die at a failpoint, while time passes."""
        code, _ = self.run("work", steps=steps_s, arm=point)
        assert code == DEAD, f"the worker did not pass {point}"
        await self.buried()
        await self.keep_time()

    async def play_worker(self, steps_s: Sequence[int]) -> list[str]:
        """Let a worker do all there is; the failpoints it passed."""
        code, points = self.run("work", steps=steps_s)
        assert code == 0
        await self.keep_time()
        return points

    async def wound(self, name: str, key: str) -> tuple[str, str]:
        """Make an order that waits for the worker, as the flow says; its id, and the key used."""
        flow = FLOWS[name]
        for number in range(WOUNDS_MAX):
            tried = f"{key}-{number}"
            order_id = await self._wound(name, tried)
            if flow.there in (None, await self._effects(flow, order_id)):
                return order_id, tried
            await self.recover(flow.steps_s)  # it must not be found with the next one
        raise AssertionError(f"{name} never begins as it should")

    async def _effects(self, flow: Flow, order_id: str) -> int:
        rows = (await self.shop.folder(order_id)).transactions
        return sum(entry["kind"] == flow.command
                   for row in rows for entry in self.sandbox.ledger(reference=row.id))

    async def _wound(self, name: str, key: str) -> str:
        flow = FLOWS[name]
        order_id = await flow.prepare(self.shop, self.sandbox)
        if flow.died is not None:
            await self.kill(name, order_id, key, flow.died)
        elif flow.fault is not None:
            self.sandbox.fault(flow.fault, kind=flow.command)
            said = await flow.play(self.shop, order_id, key)
            assert said is not None
            assert said.status in (201, 202)
        return order_id

    async def recover(self, steps_s: Sequence[int] = SOON_S) -> None:
        """Let time pass and the worker work until nothing is left to do.

        Where nothing becomes due in the time that is left it passes at once.
        """
        left_s = sum(steps_s)
        for seconds in steps_s:
            if not await self.look(_DUE, left_s):
                await self.keep_time(left_s)
                return
            await self.keep_time(seconds)
            await self.shop.worked()
            left_s -= seconds

    async def buried(self) -> None:
        """Wait until what the dead had asked last is done or undone: its locks are gone then."""
        async with asyncio.timeout(30):
            while await self.look(_AT_WORK):
                await asyncio.sleep(0.005)

    async def keep_time(self, seconds: int = 0) -> None:
        """Let time pass, for the provider as for our database."""
        self.sandbox.clock(await self.look(_ADVANCE, seconds))
        self.shop.works.clock._at = None  # it asks once a second, of a clock that jumps

    async def look(self, sql: str, *values: Any) -> Any:
        """Ask the database as its owner; one value."""
        if not self._owner:
            self._owner.append(await asyncpg.connect(self.clock.owner_url))
        return await self._owner[0].fetchval(sql, *values)

    async def close(self) -> None:
        """Let go of the database."""
        while self._owner:
            await self._owner.pop().close()

    async def assert_recovered(self, flow: Flow, order_id: str, key: str) -> None:
        """One effect, the same answer for ever, and books that agree."""
        before = len((await self.shop.folder(order_id)).transactions) if order_id else 0
        first = await flow.play(self.shop, order_id, key)
        if first is not None:
            assert first.status in (200, 201, 202)
            order_id = order_id or first.body["id"]
        folder = await self.shop.folder(order_id)
        assert moved(folder) == flow.leads_to
        assert folder.order.system_state == flow.state
        assert_same(folder, self.sandbox)
        assert [t.id for t in folder.transactions if t.status in UNSETTLED] == []
        await flow.assert_more(self.shop, order_id)
        if first is None:
            return
        if flow.command != PLACE:
            assert len(folder.transactions) == before or not first.answered.replayed
        again = await flow.play(self.shop, order_id, key)
        assert again is not None
        assert again.answered.replayed
        assert again.text == first.text
        assert (await self.shop.folder(order_id)).order.version == folder.order.version

    async def assert_books(self) -> None:
        """After all these deaths nothing is unsettled, and every promise of the books holds."""
        async with self.shop.works.pool.connection(self.shop.actor.account_id) as connection:
            rows = await connection.rows(
                "select id from transactions where account_id = $1 and status = any($2)",
                connection.account, list(UNSETTLED))
            doubled = await connection.rows(
                "select key from idempotency where account_id = $1"
                " group by key having count(distinct order_id) > 1", connection.account)
        assert rows == []
        assert doubled == [], "a key that placed two orders"
        found = await check(self.shop.works.pool, self.shop.actor.account_id)
        assert [(one.invariant, one.count, one.rows[:3]) for one in found] == []
