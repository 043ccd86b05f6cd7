"""What the simulator has found, each once more without chance."""

from counterfoil.book.invariants import check
from counterfoil.work.settle import settle_now
from counterfoil.work.sync import sync_order
from tests.actions.laws import assert_lawful
from tests.soak.simulator import Simulator
from tests.work.ledger import assert_same
from tests.work.shop import CAPTURE, PAY, REFUND, VOID, Shop


async def test_what_happened_since_a_statement_was_read_is_neither_missed_nor_doubled(
    simulator: Simulator,
):
    """Both are read again: nothing is booked from the old one, and nobody is called."""
    world = simulator.world
    order_id = await world.home.order(5000)
    await world.home.run(CAPTURE, order_id)
    reader = world.workers[0]
    reader.start_anew()

    async def read(shop: Shop) -> None:
        await sync_order(shop.works, shop.actor, order_id)

    reader.begin(read)
    while reader.line != "sync.after_statement":
        reader.go_on()
    await world.home.run(REFUND, order_id, amount=700)
    version = (await world.home.folder(order_id)).order.version
    readings = 1
    while not reader.idle:
        reader.go_on()
        readings += reader.line == "sync.before_statement" and reader.at == "http.asks"
    assert reader.outcome is None, reader.outcome
    assert readings == 2
    folder = await world.home.folder(order_id)
    assert folder.order.version == version
    assert folder.payments[0].attention is None
    assert_same(folder, world.sandbox)
    await world.clean()


async def test_what_expired_there_at_once_and_here_in_parts_calls_nobody(simulator: Simulator):
    """A void that finds the hold expired is done; what is left expires here by itself. [V-2]"""
    world = simulator.world
    order_id = await world.home.order(5000)
    asked, ran = await world.home.intend(VOID, order_id, amount=1000)
    await world.advance(8 * 24 * 3600)
    said = await settle_now(world.home.works, asked, ran)
    assert said.status == 201
    await world.home.worked()
    await world.advance(3600)
    await sync_order(world.home.works, world.person, order_id)
    folder = await world.home.folder(order_id)
    assert (folder.order.voided, folder.order.expired) == (1000, 4000)
    assert world.sandbox.payment(folder.payments[0].provider_reference)["expired"] == 5000
    assert folder.payments[0].attention is None
    await world.clean()


async def test_a_person_is_called_where_a_cancelled_order_cannot_give_up_a_late_payment(
    simulator: Simulator,
):
    """Authorised after the order was cancelled, and the provider refuses to release it. [A-3]"""
    world = simulator.world
    order_id = await world.home.order(5000, amount=3000)
    asked, ran = await world.home.intend(PAY, order_id, gateway="card", amount=2000)
    await world.home.run(VOID, order_id)
    world.sandbox.fault("decline", kind=VOID)
    await settle_now(world.home.works, asked, ran)
    await world.home.worked()
    folder = await world.home.folder(order_id)
    assert (folder.order.system_state, folder.order.open) == ("CANCELED", 2000)
    assert [(task.kind, task.status) for task in folder.tasks] == [("compensation", "OPEN")]
    assert_lawful(folder)
    assert await check(world.home.works.pool, world.account.id) == []
    await world.clean()
