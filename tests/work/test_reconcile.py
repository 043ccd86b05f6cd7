"""Every gateway is compared with our book, once a night, whatever happens. [W-7, V3]"""

import asyncio
from typing import Any

import msgspec
import pytest

from counterfoil.book.drift import list_drift, resolve_drift
from counterfoil.book.reconciliations import Reconciliation, begin_run, list_runs
from counterfoil.kernel.due import claim
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.work import reconcile
from counterfoil.work.lanes import LANES, run_due, run_row
from counterfoil.work.reconcile import reconcile_now, schedule
from counterfoil.work.settle import settle_now
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same
from tests.work.shop import CAPTURE, REFUND, Shop
from tests.work.test_sync import console, provider

pytestmark = pytest.mark.database
RECONCILE = next(lane for lane in LANES if lane.name == "reconcile")
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def quick(shop: Shop) -> None:
    """Let nobody wait for the provider's sake."""
    shop.works.pace = msgspec.structs.replace(shop.works.pace, reconcile_per_s=1000, lease_s=30)


async def runs(shop: Shop) -> list[Reconciliation]:
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        return list((await list_runs(connection)).data)


async def drift(shop: Shop, status: str | None = "OPEN") -> list[Any]:
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        return list((await list_drift(connection, status=status)).data)


async def worked_off(shop: Shop) -> None:
    while await run_due(shop.works, RECONCILE):
        continue


async def now(shop: Shop, **more: Any) -> Reconciliation:
    return await reconcile_now(shop.works, shop.actor, "card", follow=lambda run: None, **more)


async def test_one_run_a_night_however_many_look(shop: Shop, clock: Clock):
    hour = (await shop.folder(await shop.order(5000, gateway="manual"))).at.hour
    shop.works.pace = msgspec.structs.replace(shop.works.pace, reconcile_hour=(hour + 12) % 24)
    assert await schedule(shop.works, set()) == 0, "what was made today waits for the night"
    await clock.advance(DAY)
    made = await asyncio.gather(*(schedule(shop.works, set()) for _ in range(4)))
    assert sum(made) == 1
    assert await schedule(shop.works, set()) == 0
    await clock.advance(3 * DAY)
    assert await schedule(shop.works, set()) == 1, "nights that were missed are made up for once"
    found = await runs(shop)
    assert [(run.gateway, run.kind, run.status) for run in found] == [
        ("card", "nightly", "RUNNING")] * 2
    assert len({run.slot for run in found}) == 2
    await worked_off(shop)
    assert {run.status for run in await runs(shop)} == {"COMPLETED"}


async def test_a_night_finds_what_happened_without_us(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    """No call of the provider's comes, for a day: only when we hear of it changes."""
    orders = [await shop.order(5000) for _ in range(6)]
    await shop.order(700, gateway="manual")
    await console(shop, sandbox, orders[0], "capture", 2000)
    sandbox.fault("reset_after_effect", kind="capture")
    await shop.run(CAPTURE, orders[1])
    await shop.run(CAPTURE, orders[2])
    await shop.run(REFUND, orders[2], amount=100)
    await console(shop, sandbox, orders[3], "void", 5000)
    await clock.advance(DAY)
    await schedule(shop.works, set())
    await worked_off(shop)
    (run,) = await runs(shop)
    assert (run.status, run.seen, run.matched, run.found, run.settled) == (
        "COMPLETED", 6, 3, 2, 1)
    assert (run.drifted, run.failed, run.errors) == (0, 0, [])
    for order_id in orders:
        assert_same(await shop.folder(order_id), sandbox)
    assert await drift(shop) == []
    again = await now(shop)
    assert (again.status, again.found, again.settled) == ("COMPLETED", 0, 0)


async def test_what_has_not_moved_since_is_not_asked_about(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    done = await shop.order(5000)
    await shop.run(CAPTURE, done)
    assert (await now(shop)).seen == 1
    await clock.advance(DAY)
    await shop.order(5000)
    assert (await now(shop)).seen == 2, "the last run's last hour is looked at again"
    await clock.advance(DAY)
    assert (await now(shop)).seen == 1, "the open one"
    everything = await now(shop, since=(await shop.folder(done)).order.placed_at)
    assert everything.seen == 2


async def test_drift_is_told_once_and_closed_by_a_person(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    await clock.advance(8 * DAY)
    await shop.worked()
    await console(shop, sandbox, order_id, "capture", 5000)
    first = await now(shop, since=(await shop.folder(order_id)).order.placed_at)
    assert (first.drifted, first.matched) == (1, 0)
    (line,) = await drift(shop)
    assert (line.kind, line.reconciliation_id, line.order_id) == (
        "beyond_our_limits", first.id, order_id)
    again = await now(shop, since=(await shop.folder(order_id)).order.placed_at)
    assert again.drifted == 1
    assert len(await drift(shop, None)) == 1
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        closed = await resolve_drift(connection, shop.actor, line.id, "Refunded at the console.")
        assert (closed.status, closed.note) == ("RESOLVED", "Refunded at the console.")
        assert closed.resolved_by == shop.actor.told()
        with pytest.raises(Problem, match="closed already"):
            await resolve_drift(connection, shop.actor, line.id, "Again.")
        with pytest.raises(NotFound):
            await resolve_drift(connection, shop.actor, first.id, "No line.")
    assert await drift(shop) == []


async def test_one_that_cannot_be_read_is_counted(shop: Shop, sandbox: Sandbox):
    orders = [await shop.order(5000) for _ in range(3)]
    sandbox.fault("5xx_before", kind="payment", payment=await provider(shop, orders[1]))
    run = await now(shop)
    assert (run.status, run.seen, run.matched, run.failed) == ("COMPLETED", 3, 2, 1)
    (line,) = await drift(shop)
    assert (line.kind, line.gateway) == ("unreachable", "card")
    sandbox.fault("5xx_before", kind="payment", payment=await provider(shop, orders[2]))
    await now(shop)
    assert len(await drift(shop)) == 1


async def test_a_silent_provider_is_waited_for(shop: Shop, sandbox: Sandbox, clock: Clock):
    orders = [await shop.order(5000) for _ in range(8)]
    sandbox.fault("5xx_before", kind="payment", payment=await provider(shop, orders[0]), times=1)
    for order_id in orders[2:]:
        sandbox.fault("5xx_before", kind="payment", payment=await provider(shop, order_id))
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        await begin_run(connection, shop.actor, "card")
    assert await run_due(shop.works, RECONCILE) == 1
    (run,) = await runs(shop)
    assert (run.status, run.seen, run.failed) == ("RUNNING", 2, 1)
    assert await run_due(shop.works, RECONCILE) == 0
    sandbox.clear()
    await clock.advance(80)
    await worked_off(shop)
    (run,) = await runs(shop)
    assert (run.status, run.seen, run.matched, run.failed) == ("COMPLETED", 8, 7, 1)


async def test_one_that_stays_silent_has_failed(shop: Shop, sandbox: Sandbox, clock: Clock):
    for _ in range(5):
        await shop.order(5000)
    sandbox.fault("5xx_before", kind="payment", times=None)
    await clock.advance(DAY)
    await schedule(shop.works, set())
    passes = 0
    while await run_due(shop.works, RECONCILE):
        passes += 1
        await clock.advance(4400)
    (run,) = await runs(shop)
    assert (run.status, [one.detail for one in run.errors]) == (
        "FAILED", ["The provider is silent."])
    assert passes == reconcile.CLAIMS_MAX
    assert [line.kind for line in await drift(shop)] == ["unreachable"]


async def test_a_crash_anywhere_is_gone_on_from(
    shop: Shop, sandbox: Sandbox, clock: Clock, monkeypatch
):
    """A worker dies after each payment; the others take up where it was."""
    orders = [await shop.order(5000) for _ in range(5)]
    for order_id in orders:
        await console(shop, sandbox, order_id, "capture", 1000)
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        await begin_run(connection, shop.actor, "card")

    class Died(BaseException):
        pass

    points = iter(["reconcile.compared", "reconcile.noted"] * 10)
    wanted = next(points)

    def die(name: str) -> None:
        nonlocal wanted
        if name == wanted:
            wanted = next(points)
            raise Died

    monkeypatch.setattr(reconcile, "failpoint", die)
    deaths = 0
    for _ in range(20):
        rows = await claim(shop.works.pool, "reconcile", 1, 1)
        if not rows:
            break
        try:
            await run_row(shop.works, RECONCILE, rows[0])
        except Died:
            deaths += 1
        await clock.advance(31)
    assert deaths >= 5
    (run,) = await runs(shop)
    assert (run.status, run.seen) == ("COMPLETED", 5)
    for order_id in orders:
        folder = await shop.folder(order_id)
        assert folder.order.captured == 1000
        assert_same(folder, sandbox)


async def test_a_gateway_that_is_not_here_is_said_so(shop: Shop):
    with pytest.raises(NotFound):
        await reconcile_now(shop.works, shop.actor, "nowhere", follow=lambda run: None)
    assert await runs(shop) == []


async def test_a_thousand_outcomes_that_nobody_knew_are_known_by_the_morning(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    """Fifty here, for the time it takes. [G7]"""
    orders = []
    for _ in range(50):
        orders.append(await shop.order(5000))
        sandbox.fault("reset_after_effect", kind="capture")
        asked, ran = await shop.intend(CAPTURE, orders[-1])
        assert (await settle_now(shop.works, asked, ran)).status == 202
    await clock.advance(120)
    run = await now(shop)
    assert (run.settled, run.seen) == (50, 50)
    folders = [await shop.folder(order_id) for order_id in orders]
    assert {folder.order.captured for folder in folders} == {5000}
