"""One database, one provider, one clock, and the process in which everybody dies."""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass
class Scene:
    """Where flows are played, killed and looked at afterwards."""

    shop: Shop
    forge: Forge
    sandbox: Sandbox
    clock: Clock

    async def kill(self, name: str, order_id: str, key: str, point: str) -> None:
        """Let a door die at a failpoint."""
        code, _ = self.forge.run(name, order_id=order_id, key=key, arm=point)
        assert code == DEAD, f"{name} did not pass {point}"

    async def kill_worker(self, steps_s: Sequence[int], point: str) -> None:
        """Let a worker die at a failpoint, while time passes."""
        code, _ = self.forge.run("work", steps=steps_s, arm=point)
        assert code == DEAD, f"the worker did not pass {point}"
        await self.keep_time()

    async def play_worker(self, steps_s: Sequence[int]) -> list[str]:
        """Let a worker do all there is; the failpoints it passed."""
        code, points = self.forge.run("work", steps=steps_s)
        assert code == 0
        await self.keep_time()
        return points

    async def wound(self, name: str, key: str) -> str:
        """Make an order that waits for the worker, as the flow says."""
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
        """Let time pass and the worker work until nothing is left to do."""
        for seconds in steps_s:
            await self.clock.advance(seconds)
            await self.keep_time()
            await self.shop.worked()

    async def keep_time(self) -> None:
        """Let the provider live at the same time as our database."""
        self.sandbox.clock(await self.clock.offset_s())
        self.shop.works.clock._at = None  # it asks once a second, of a clock that jumps

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
