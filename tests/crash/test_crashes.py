"""Death at every line between intent and outcome: one effect, one answer, nothing left over.

Each flow is run once to write down the failpoints it passes, then once for each instant that can
be told apart in a process that dies there. A worker that comes later finds its way. [faults §1,
P-1, P-2, G1]
"""

import pytest

from tests.crash.flow import instants
from tests.crash.flows import DOORS, WORKERS
from tests.crash.scene import Scene
from tests.work.ledger import moved

pytestmark = pytest.mark.database


@pytest.mark.parametrize("name", DOORS)
async def test_a_door_dies_at_each_line(scene: Scene, name: str):
    flow = DOORS[name]
    order_id = await flow.prepare(scene.shop, scene.sandbox)
    code, points = scene.run(name, order_id=order_id, key=f"{name}-whole")
    assert code == 0
    if order_id:
        assert moved(await scene.shop.folder(order_id)) == flow.leads_to, "undisturbed"
    passed = {point.partition(":")[0] for point in points}
    assert passed >= flow.passes | {"db.asks", "db.told"}
    orders = {}
    for point in instants(points):
        orders[point] = await flow.prepare(scene.shop, scene.sandbox)
        await scene.kill(name, orders[point], f"{name}-{point}", point)
    await scene.recover()
    for point, crashed in orders.items():
        try:
            await scene.assert_recovered(flow, crashed, f"{name}-{point}")
        except AssertionError as wrong:
            wrong.add_note(f"died at {point}")
            raise
    await scene.assert_books()


@pytest.mark.parametrize("name", WORKERS)
async def test_a_worker_dies_at_each_line(scene: Scene, name: str):
    flow = WORKERS[name]
    await scene.recover(flow.steps_s)  # nobody else's order is due
    await scene.wound(name, f"{name}-whole")
    points = await scene.play_worker(flow.steps_s)
    assert {point.partition(":")[0] for point in points} >= {
        "work.claimed", "work.done", "book.commit", "book.committed", "db.asks", "db.told"}
    for point in instants(points):
        order_id, key = await scene.wound(name, f"{name}-{point}")
        await scene.kill_worker(flow.steps_s, point)
        await scene.recover(flow.steps_s)
        await scene.recover()
        try:
            await scene.assert_recovered(flow, order_id, key)
        except AssertionError as wrong:
            wrong.add_note(f"the worker died at {point}")
            raise
    await scene.assert_books()


async def test_there_are_enough_flows_and_enough_ways_to_die(scene: Scene):
    """Of ten flows and more, at least a hundred instants that leave different worlds. [G1]"""
    killed_at = {}
    for name, flow in DOORS.items():
        order_id = await flow.prepare(scene.shop, scene.sandbox)
        _, points = scene.run(name, order_id=order_id, key=f"{name}-counted")
        killed_at[name] = len(instants(points))
    for name, flow in WORKERS.items():
        await scene.recover(flow.steps_s)
        await scene.wound(name, f"{name}-counted")
        killed_at[name] = len(instants(await scene.play_worker(flow.steps_s)))
    print(f"{len(killed_at)} flows, {sum(killed_at.values())} instants: {killed_at}")
    assert len(killed_at) >= 10
    assert sum(killed_at.values()) >= 100
