"""Death at every line between intent and outcome: one effect, one answer, nothing left over.

Each flow is run once to write down the failpoints it passes, then once for each of them in a
process that dies there. A worker that comes later finds its way. [faults §1, P-1, P-2, G1]
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from counterfoil.book.invariants import check
from counterfoil.kernel.failpoint import DEAD
from counterfoil.order.transaction import UNSETTLED
from tests.crash.forge import WORK_STEPS_S, Forge
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same, moved
from tests.work.post_office import PostOffice
from tests.work.shop import CANCEL, CAPTURE, REFUND, VOID, Shop

pytestmark = pytest.mark.database
A = {"authorized": 5000}


@dataclass(frozen=True)
class Flow:
    """A command, what was captured before it, and what it leads to."""

    kind: str
    captured: int
    leads_to: dict[str, int]
    state: str
    wanted: dict[str, Any] = field(default_factory=dict)


FLOWS = {
    "capture": Flow(CAPTURE, 0, A | {"captured": 5000}, "PROCESSING"),
    "capture part": Flow(CAPTURE, 0, A | {"captured": 2000, "open": 3000}, "PROCESSING",
                         {"amount": 2000}),
    "void": Flow(VOID, 0, A | {"voided": 5000}, "CANCELED"),
    "refund": Flow(REFUND, 5000, A | {"captured": 5000, "refunded": 700}, "PROCESSING",
                   {"amount": 700, "reference": "R-1"}),
    "cancel": Flow(CANCEL, 2000, A | {"captured": 2000, "voided": 3000, "refunded": 2000},
                   "CANCELED"),
}


async def prepare(shop: Shop, flow: Flow) -> str:
    order_id = await shop.order(5000, bags=2)
    if flow.captured:
        await shop.run(CAPTURE, order_id, amount=flow.captured)
    return order_id


def told(flow: Flow, order_id: str) -> dict[str, Any]:
    """The same words in the child and here, so that the fingerprints agree."""
    wanted = dict(flow.wanted)
    if flow.kind == REFUND:
        wanted["reference"] = f"{order_id}-{wanted['reference']}"
    return wanted


async def recover(shop: Shop, clock: Clock) -> None:
    """Let time pass and the worker work until nothing is left to do."""
    for seconds in WORK_STEPS_S:
        await clock.advance(seconds)
        await shop.worked()


async def assert_recovered(
    shop: Shop, sandbox: Sandbox, flow: Flow, order_id: str, key: str
) -> None:
    """One effect, the same answer for ever, and books that agree."""
    before = len((await shop.folder(order_id)).transactions)
    first = await shop.run(flow.kind, order_id, key=key, **told(flow, order_id))
    assert first.status in (200, 201, 202)
    folder = await shop.folder(order_id)
    intended = len(folder.transactions) - before
    assert intended == 0 or not first.answered.replayed
    assert moved(folder) == flow.leads_to
    assert folder.order.system_state == flow.state
    assert_same(folder, sandbox)
    again = await shop.run(flow.kind, order_id, key=key, **told(flow, order_id))
    assert again.answered.replayed
    assert again.text == first.text
    assert (await shop.folder(order_id)).order.version == folder.order.version
    await assert_gapless(shop, order_id, folder.order.version)


async def assert_gapless(shop: Shop, order_id: str, version: int) -> None:
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        rows = await connection.rows(
            "select sequence from facts where account_id = $1 and order_id = $2"
            " order by sequence", connection.account, order_id,
        )
    assert [row["sequence"] for row in rows] == list(range(1, version + 1))


@pytest.mark.parametrize("name", FLOWS)
async def test_a_door_dies_at_each_line(
    shop: Shop, forge: Forge, sandbox: Sandbox, clock: Clock, name: str
):
    flow = FLOWS[name]
    order_id = await prepare(shop, flow)
    code, points = forge.run(
        flow.kind, order_id=order_id, key=f"{name}-whole", wanted=told(flow, order_id))
    assert code == 0
    assert moved(await shop.folder(order_id)) == flow.leads_to, "undisturbed"
    assert {point.partition(":")[0] for point in points} >= {
        "book.commit", "book.committed", "settle.intent", "settle.before_call",
        "settle.after_call", "settle.before_book", "settle.booked", "settle.before_answer",
    }
    orders = {}
    for point in points:
        orders[point] = await prepare(shop, flow)
        code, _ = forge.run(
            flow.kind, arm=point, order_id=orders[point], key=f"{name}-{point}",
            wanted=told(flow, orders[point]))
        assert code == DEAD, point
    await recover(shop, clock)
    for point, crashed in orders.items():
        try:
            await assert_recovered(shop, sandbox, flow, crashed, f"{name}-{point}")
        except AssertionError as wrong:
            wrong.add_note(f"died at {point}")
            raise


async def test_a_door_dies_at_each_line_of_placing_an_order(
    shop: Shop, forge: Forge, sandbox: Sandbox, clock: Clock
):
    code, points = forge.run("place", key="place-whole")
    assert code == 0
    for point in points:
        code, _ = forge.run("place", arm=point, key=f"place-{point}")
        assert code == DEAD, point
    await recover(shop, clock)
    for point in points:
        first = await shop.place(5000, key=f"place-{point}")
        assert first.status == 201, point
        folder = await shop.folder(first.body["id"])
        assert moved(folder) == A | {"open": 5000}, point
        assert_same(folder, sandbox)
        again = await shop.place(5000, key=f"place-{point}")
        assert again.answered.replayed
        assert again.text == first.text
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        doubled = await connection.rows(
            "select key from idempotency where account_id = $1 and key like 'place-%'"
            " group by key having count(distinct order_id) <> 1", connection.account)
    assert doubled == []


@pytest.mark.parametrize("door_died_at", ["settle.before_call", "settle.after_call"])
async def test_the_worker_dies_at_each_line_of_its_recovery(
    shop: Shop, forge: Forge, sandbox: Sandbox, clock: Clock, door_died_at: str
):
    flow = FLOWS["capture"]

    async def crashed(key: str) -> str:
        order_id = await prepare(shop, flow)
        code, _ = forge.run(flow.kind, arm=door_died_at, order_id=order_id, key=key, wanted={})
        assert code == DEAD
        return order_id

    await crashed(f"{door_died_at}-whole")
    code, points = forge.run("work", steps=WORK_STEPS_S)
    assert code == 0
    passed = {point.partition(":")[0] for point in points}
    assert passed >= {"work.claimed", "settle.before_ask", "settle.after_ask", "settle.before_book"}
    if door_died_at == "settle.before_call":
        assert passed >= {"settle.sending_again", "settle.before_call", "settle.after_call"}
    for point in points:
        key = f"{door_died_at}-{point}"
        order_id = await crashed(key)
        code, _ = forge.run("work", arm=point, steps=WORK_STEPS_S)
        assert code == DEAD, point
        for _ in range(2):
            await recover(shop, clock)
        try:
            await assert_recovered(shop, sandbox, flow, order_id, key)
        except AssertionError as wrong:
            wrong.add_note(f"the worker died at {point}")
            raise


async def test_the_worker_dies_at_each_line_of_sending_again(
    shop: Shop, forge: Forge, sandbox: Sandbox, clock: Clock
):
    """A provider that turned us away, and a worker that dies while it is being asked anew."""
    flow = FLOWS["capture"]

    async def turned_away(key: str) -> str:
        order_id = await prepare(shop, flow)
        sandbox.fault("429", kind="capture")
        said = await shop.run(CAPTURE, order_id, key=key)
        assert said.body["status"] == "PENDING"
        return order_id

    await turned_away("429-whole")
    code, points = forge.run("work", steps=WORK_STEPS_S)
    assert code == 0
    for point in points:
        order_id = await turned_away(f"429-{point}")
        code, _ = forge.run("work", arm=point, steps=WORK_STEPS_S)
        assert code == DEAD, point
        for _ in range(2):
            await recover(shop, clock)
        await assert_recovered(shop, sandbox, flow, order_id, f"429-{point}")


async def test_a_letter_is_sent_once_or_at_most_twice_and_never_not(
    shop: Shop, forge: Forge, clock: Clock, tmp_path
):
    office = await PostOffice(tmp_path / "letters").open()

    async def wanted() -> str:
        order_id = await shop.order(5000, gateway="manual")
        await shop.run(CANCEL, order_id, notify_customer=True)
        return order_id

    await wanted()
    code, points = await off_loop(forge, steps=[0], smtp=office.url)
    assert code == 0
    assert {point.partition(":")[0] for point in points} >= {
        "letter.claimed", "letter.before_send", "letter.after_send", "letter.before_mark",
        "letter.marked"}
    for point in points:
        order_id = await wanted()
        code, _ = await off_loop(forge, arm=point, steps=[0], smtp=office.url)
        assert code == DEAD, point
        await clock.advance(2)
        code, _ = await off_loop(forge, steps=[0], smtp=office.url)
        assert code == 0
        letter = (await shop.folder(order_id)).letters[0]
        assert letter.status == "SENT", point
        sent = [one for one in office.read() if one["Message-ID"] == letter.message_id]
        assert 1 <= len(sent) <= 2, point
        unmarked = ("letter.after_send:0", "letter.before_mark:0", "book.commit:0")
        assert len(sent) == (2 if point in unmarked else 1), point
    await office.close()


async def off_loop(forge: Forge, **more: Any) -> tuple[int, list[str]]:
    """Run the worker while this process's mail server goes on serving."""
    import asyncio

    return await asyncio.to_thread(lambda: forge.run("work", **more))


async def test_nothing_is_left_over(shop: Shop):
    """After all these deaths nothing is unsettled, and every promise of the books holds."""
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        rows = await connection.rows(
            "select id from transactions where account_id = $1 and status = any($2)",
            connection.account, list(UNSETTLED))
    assert rows == []
    assert await check(shop.works.pool, shop.actor.account_id) == []
