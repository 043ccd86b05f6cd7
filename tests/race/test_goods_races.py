"""Two at once on the same goods: exactly one wins, and no unit is in two places. [faults X-2, C-2]

Each has a Book and connections of its own, as processes have: nothing but PostgreSQL stands between
them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.rearrange import (
    WantedSplit,
    cancel_shipment,
    merge_shipments,
    split_shipment,
)
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.invariants import check
from counterfoil.book.run import Action, Command
from counterfoil.kernel.db import Pool
from counterfoil.kernel.problem import Problem
from counterfoil.order.config import Account
from counterfoil.order.folder import Folder
from counterfoil.order.intake import Person, WantedBag, WantedItem, WantedOrder, WantedPayment
from counterfoil.order.shipment import ShipmentItem
from counterfoil.work.settle import settle_now
from tests.actions.laws import assert_lawful
from tests.actions.packing import units_are_whole
from tests.db import Database
from tests.race.rush import open_shops
from tests.work.shop import CANCEL, CAPTURE, Placing, Shop

pytestmark = pytest.mark.database
TIMES = 30
UNITS = 4


@pytest_asyncio.fixture
async def shops(
    database: Database, pool: Pool, account: Account
) -> AsyncIterator[tuple[Shop, Shop]]:
    """Two processes, as far as the database can tell. Afterwards the books are in order."""
    first, second = await open_shops(database, pool, account, 2)
    yield first, second
    assert await check(pool, account.id) == []
    for shop in (first, second):
        await shop.works.aclose()
        await shop.works.pool.close()


async def placed(shop: Shop) -> Folder:
    """Place an order of four units of one line and one of another, paid by hand."""
    items = [
        WantedItem(sku="PEN", name="Pen", quantity=UNITS, unit_price=1000),
        WantedItem(sku="INK", name="Ink", quantity=1, unit_price=1000),
    ]
    wanted = WantedOrder(
        currency="EUR",
        customer=Person(email="kari@example.com"),
        bags=[WantedBag(merchant="m0", items=items)],
        payment=WantedPayment(gateway="manual"),
    )
    its = shop.key(None, "place")
    asked = shop.works.asked(shop.actor, key=its.key)
    ran = await shop.placer.place(
        Placing(asked=asked, wanted=wanted, channel="api", fingerprint="-", key=its)
    )
    assert ran.change is not None
    await settle_now(shop.works, asked, ran)
    return await shop.folder(ran.change.after.order.id)


async def do(shop: Shop, order_id: str, action: Action, **wanted: Any) -> str:
    """Do something to an order under a key of its own: "done", or the code of the refusal."""
    its = shop.key(None, action.__name__)
    asked = shop.works.asked(shop.actor, key=its.key)
    command = Command(order_id=order_id, actor=shop.actor, key=its)
    try:
        await shop.works.book.run(command, action, asked=asked, **wanted)
    except Problem as refused:
        return refused.code
    return "done"


async def money(shop: Shop, order_id: str, kind: str) -> str:
    """Move money as a door does."""
    try:
        await shop.run(kind, order_id)
    except Problem as refused:
        return refused.code
    return "done"


async def packed(shop: Shop, pens: int = UNITS, ink: int = 1) -> Folder:
    """Place an order and pack so much of it into one parcel."""
    order = await placed(shop)
    units = zip(order.items, (pens, ink), strict=True)
    items = [ShipmentItem(item.id, count) for item, count in units if count]
    done = await do(shop, order.order.id, ship, bag_id=order.bags[0].id,
                    wanted=WantedShipment(items=items))
    assert done == "done"
    return await shop.folder(order.order.id)


Two = tuple[Awaitable[str], Awaitable[str]]


async def race(
    shops: tuple[Shop, Shop], make: Callable[[Shop], Awaitable[Folder]],
    both: Callable[[Folder], Two],
) -> Counter[tuple[str, str]]:
    """Let two things happen at once to one order after the other; how often which came of it.

    Either has a head start of nothing at all in half of the races.
    """
    tally: Counter[tuple[str, str]] = Counter()
    for number in range(TIMES):
        order = await make(shops[0])
        one, other = both(order)
        if number % 2:
            first, second = await asyncio.gather(one, other)
        else:
            second, first = await asyncio.gather(other, one)
        tally[first, second] += 1
        now = await shops[0].folder(order.order.id)
        assert_lawful(now)
        units_are_whole(now)
    print(dict(tally))
    return tally


async def test_cancel_or_ship(shops: tuple[Shop, Shop]):
    """Whoever may cancel what has left may still do so; a clerk may not."""
    rights = frozenset({"orders.cancel", "payments.void"})
    clerk = Shop(shops[0].works, msgspec.structs.replace(shops[0].actor, rights=rights))

    def both(order: Folder) -> Two:
        at = order.order.id
        sent = do(shops[1], at, send_shipment, shipment_id=order.shipments[0].id)
        return money(clerk, at, CANCEL), sent

    tally = await race(shops, packed, both)
    assert tally.keys() <= {("done", "transition_not_allowed"), ("invalid_state", "done")}


async def test_the_same_parcel_is_sent_once(shops: tuple[Shop, Shop]):
    def both(order: Folder) -> Two:
        at, parcel = order.order.id, order.shipments[0].id
        return (do(shops[0], at, send_shipment, shipment_id=parcel),
                do(shops[1], at, send_shipment, shipment_id=parcel))

    tally = await race(shops, packed, both)
    assert tally.keys() <= {("done", "transition_not_allowed"), ("transition_not_allowed", "done")}


async def test_the_same_units_are_packed_once(shops: tuple[Shop, Shop]):
    def both(order: Folder) -> Two:
        pens = ShipmentItem(order.items[0].id, 3)
        wanted = {"bag_id": order.bags[0].id, "wanted": WantedShipment(items=[pens])}
        at = order.order.id
        return do(shops[0], at, ship, **wanted), do(shops[1], at, ship, **wanted)

    tally = await race(shops, placed, both)
    assert tally.keys() <= {("done", "amount_invalid"), ("amount_invalid", "done")}


async def test_a_parcel_is_split_before_it_leaves_or_not_at_all(shops: tuple[Shop, Shop]):
    def both(order: Folder) -> Two:
        at, parcel = order.order.id, order.shipments[0].id
        some = WantedSplit(items=[ShipmentItem(order.items[0].id, 2)])
        return (do(shops[0], at, split_shipment, shipment_id=parcel, wanted=some),
                do(shops[1], at, send_shipment, shipment_id=parcel))

    tally = await race(shops, packed, both)
    assert tally.keys() <= {("done", "done"), ("shipment_update_not_allowed", "done")}


async def test_a_line_that_leaves_meets_a_new_method(shops: tuple[Shop, Shop]):
    def both(order: Folder) -> Two:
        at, pen = order.order.id, order.items[0].id
        return (do(shops[0], at, set_delivery_state, item_id=pen, state="SHIPPED"),
                do(shops[1], at, choose_method, method="express", items=[pen]))

    tally = await race(shops, packed, both)
    assert tally.keys() <= {("done", "done"), ("done", "shipment_update_not_allowed")}


async def test_a_parcel_is_merged_or_called_off(shops: tuple[Shop, Shop]):
    async def two(shop: Shop) -> Folder:
        order = await packed(shop, pens=2, ink=0)
        bag = order.bags[0].id
        await do(shop, order.order.id, ship, bag_id=bag, wanted=WantedShipment())
        return await shop.folder(order.order.id)

    def both(order: Folder) -> Two:
        at, (one, other) = order.order.id, [parcel.id for parcel in order.shipments]
        return (do(shops[0], at, merge_shipments, shipment_id=one, shipment_ids=[other]),
                do(shops[1], at, cancel_shipment, shipment_id=other))

    tally = await race(shops, two, both)
    assert tally.keys() <= {("done", "transition_not_allowed"), ("invalid_state", "done")}


async def test_staff_and_a_parcel_take_the_same_money_once(shops: tuple[Shop, Shop], owner):
    await owner.execute("update stores set capture_on_ship = true")

    def both(order: Folder) -> Two:
        at = order.order.id
        sent = do(shops[1], at, send_shipment, shipment_id=order.shipments[0].id)
        return money(shops[0], at, CAPTURE), sent

    tally = await race(shops, packed, both)
    assert tally.keys() <= {("done", "done"), ("invalid_state", "done")}
    twice = await owner.fetch(
        "select order_id from transactions where type = 'CAPTURE' group by order_id"
        " having sum(amount) <> 5000 or count(*) <> 1")
    assert twice == []
