"""Emptying a state: by batches, in a dry run first, a fact for each order. [rulings 6]"""

import asyncio

import msgspec
import pytest
import pytest_asyncio

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.change_state import change_state
from counterfoil.actions.decide_review import pass_review
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.review import send_to_review
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.run import Command
from counterfoil.kernel.page import Count
from counterfoil.kernel.problem import MerchantLimited, NotFound, PermissionDenied, ValidationFailed
from counterfoil.order.cancellation import CanceledLine
from counterfoil.order.problems import UnknownReference
from counterfoil.order.shipment import ShipmentItem
from counterfoil.setup.states import NewState, add_state
from counterfoil.work.migrating import Migration, migrate
from tests.work.shop import open_shop

pytestmark = pytest.mark.database


@pytest_asyncio.fixture
async def shop(pool, account):
    opened = await open_shop(pool, account, None)
    async with pool.connection(account.id) as connection, connection.transaction():
        for code, system in (("intake", "NEW"), ("picking", "PROCESSING"), ("lost", "PROCESSING")):
            new = NewState(code=code, name=code.capitalize(), system_state=system)
            await add_state(connection, opened.actor, new)
    yield opened
    await opened.works.aclose()


async def run(shop, order_id, action, **wanted):
    asked = shop.works.asked(shop.actor)
    command = Command(order_id=order_id, actor=shop.actor)
    return await shop.works.book.run(command, action, asked=asked, **wanted)


async def placed(shop, count, code="intake"):
    orders = [await shop.order(gateway="manual") for _ in range(count)]
    for order_id in orders:
        await run(shop, order_id, change_state, state=code)
    return orders


async def move(shop, source="intake", target="picking", actor=None, **more):
    wanted = Migration(store="main", source=source, target=target, **more)
    return await migrate(shop.works, shop.works.asked(actor or shop.actor), wanted)


async def states(shop, orders):
    return [(await shop.folder(order_id)).order.state for order_id in orders]


async def test_a_state_is_emptied_batch_by_batch(shop):
    orders = await placed(shop, 5)
    first = await move(shop, limit=2)
    assert (first.looked, first.moved, first.left, first.kept) == (2, 2, Count(3), [])
    assert await states(shop, orders) == ["picking"] * 2 + ["intake"] * 3
    rest = await move(shop, limit=100, cursor=first.next_cursor)
    assert (rest.moved, rest.left, rest.next_cursor) == (3, Count(0), None)
    again = await move(shop)
    assert (again.looked, again.moved) == (0, 0)
    folder = await shop.folder(orders[0])
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        facts = await connection.rows(
            "select type, data ->> 'to' as target, actor ->> 'name' as name from facts"
            " where order_id = $1 order by sequence desc limit 1", orders[0],
        )
    assert [tuple(row) for row in facts] == [("order.state_changed", "picking", shop.actor.name)]
    assert folder.order.version == 4


async def test_a_dry_run_says_how_many_and_which_rules_keep_the_others(shop):
    orders = await placed(shop, 25)
    for order_id in orders[:22]:
        await run(shop, order_id, hold, wanted=WantedHold(handle="stock"))
    told = await move(shop, dry_run=True)
    assert (told.dry_run, told.looked, told.moved, told.left) == (True, 25, 3, Count(25))
    assert [(one.code, one.count, len(one.numbers)) for one in told.kept] == [
        ("order_on_hold", 22, 20)]
    first = (await shop.folder(orders[0])).order.number
    assert told.kept[0].numbers[0] == first
    assert set(await states(shop, orders)) == {"intake"}
    nowhere = await move(shop, target="completed", dry_run=True)
    assert {one.why for one in nowhere.kept} >= {"Not every item has been shipped."}
    assert nowhere.moved == 0
    done = await move(shop)
    assert (done.moved, done.left) == (3, Count(22))
    assert [(one.code, one.count) for one in done.kept] == [("order_on_hold", 22)]


async def test_two_at_once_move_each_order_once(shop):
    orders = await placed(shop, 8)
    told = await asyncio.gather(*(move(shop) for _ in range(3)))
    assert sum(one.moved for one in told) == 8
    assert {(await shop.folder(order_id)).order.version for order_id in orders} == {4}


async def test_what_cannot_be_is_refused_before_anything_moves(shop):
    orders = await placed(shop, 1)
    for wrong, problem in (
        ({"target": "intake"}, ValidationFailed),
        ({"target": "nowhere"}, UnknownReference),
        ({"source": "nowhere"}, NotFound),
        ({"cursor": "nonsense"}, ValidationFailed),
    ):
        with pytest.raises(problem):
            await move(shop, **wrong)
    for limits, refusal in (
        ({"rights": frozenset({"orders.state"})}, PermissionDenied),
        ({"merchants": frozenset({"m0"})}, MerchantLimited),
        ({"stores": frozenset({"oslo"})}, NotFound),
    ):
        actor = msgspec.structs.replace(shop.actor, **limits)
        with pytest.raises(refusal):
            await move(shop, actor=actor)
    assert await states(shop, orders) == ["intake"]


async def test_a_review_completes_what_was_moved_with_all_others_and_has_left(shop):
    """One unit leaves; the rest is cancelled while the review waits in a state of the store's."""
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        async with connection.transaction():
            new = NewState(code="parked", name="Parked", system_state="SUSPENDED")
            await add_state(connection, shop.actor, new)
    order_id = await shop.order(gateway="manual", units=2)
    item = next(one for one in (await shop.folder(order_id)).items if one.live > 1)
    one = WantedShipment(items=[ShipmentItem(item.id, 1)])
    await run(shop, order_id, ship, bag_id=item.bag_id, wanted=one)
    parcel = (await shop.folder(order_id)).shipments[0]
    await run(shop, order_id, send_shipment, shipment_id=parcel.id)
    await run(shop, order_id, send_to_review)
    assert (await move(shop, "suspended", "parked")).moved == 1
    waiting = [(line.id, line.live - line.quantity_shipped)
               for line in (await shop.folder(order_id)).items if line.deliverable]
    rest = tuple(CanceledLine(line, units) for line, units in waiting if units)
    await run(shop, order_id, cancel, wanted=WantedCancel(lines=rest))
    assert await states(shop, [order_id]) == ["parked"]
    await run(shop, order_id, pass_review)
    assert await states(shop, [order_id]) == ["completed"]
