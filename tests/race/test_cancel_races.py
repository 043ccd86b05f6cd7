"""Cancelling units while they leave, are paid or are cancelled by another. [faults X-2]

Two processes, as far as the database can tell: nothing but PostgreSQL stands between them.
"""

from typing import Any

import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.cancellation import CanceledLine
from counterfoil.order.folder import Folder
from counterfoil.order.shipment import ShipmentItem
from tests.actions.canceling import assert_part_lawful
from tests.race.test_goods_races import Two, do, money, packed, placed, race
from tests.race.test_goods_races import shops as shops
from tests.work.shop import CAPTURE, Shop

pytestmark = pytest.mark.database


def pens(order: Folder, count: int) -> dict[str, Any]:
    """Want so many pens cancelled."""
    return {"wanted": WantedCancel(lines=(CanceledLine(order.items[0].id, count),))}


async def paid(shop: Shop) -> Folder:
    order = await placed(shop)
    assert await money(shop, order.order.id, CAPTURE) == "done"
    return await shop.folder(order.order.id)


async def test_units_leave_or_are_cancelled(shops: tuple[Shop, Shop]):
    """A parcel that is sent after its pens were cancelled carries what was left in it."""

    def both(order: Folder) -> Two:
        at = order.order.id
        return (do(shops[0], at, cancel, **pens(order, 3)),
                do(shops[1], at, send_shipment, shipment_id=order.shipments[0].id))

    tally = await race(shops, packed, both)
    assert tally.keys() <= {("done", "done"), ("invalid_state", "done")}


async def test_units_are_packed_or_cancelled(shops: tuple[Shop, Shop]):
    """What is packed first is taken out again; what is cancelled first cannot be packed."""

    def both(order: Folder) -> Two:
        at = order.order.id
        wanted = WantedShipment(items=[ShipmentItem(order.items[0].id, 3)])
        return (do(shops[0], at, cancel, **pens(order, 2)),
                do(shops[1], at, ship, bag_id=order.bags[0].id, wanted=wanted))

    tally = await race(shops, placed, both)
    assert tally.keys() <= {("done", "done"), ("done", "amount_invalid")}


@pytest.mark.parametrize("make", [placed, paid])
async def test_the_same_units_are_cancelled_once(shops: tuple[Shop, Shop], make: Any):
    def both(order: Folder) -> Two:
        at = order.order.id
        return (do(shops[0], at, cancel, **pens(order, 3)),
                do(shops[1], at, cancel, **pens(order, 3)))

    tally = await race(shops, make, both)
    assert tally.keys() <= {("done", "amount_invalid"), ("amount_invalid", "done")}


async def test_money_is_taken_for_what_is_not_cancelled(shops: tuple[Shop, Shop], owner):
    """Whoever is first: what is kept is the worth of what is left, and nothing stays open."""
    seen = []

    def both(order: Folder) -> Two:
        at = order.order.id
        seen.append(at)
        return do(shops[0], at, cancel, **pens(order, 2)), money(shops[1], at, CAPTURE)

    tally = await race(shops, placed, both)
    assert tally.keys() == {("done", "done")}
    for order_id in seen:
        order = await shops[0].folder(order_id)
        assert_part_lawful(order)
        assert (order.order.captured - order.order.refunded, order.order.open) == (3000, 0)
        assert order.order.voided + order.order.refunded == 2000


async def test_a_bag_of_which_a_unit_left_is_not_cancelled_as_a_whole(shops: tuple[Shop, Shop]):
    async def two_parcels(shop: Shop) -> Folder:
        order = await packed(shop, pens=1, ink=0)
        await do(shop, order.order.id, ship, bag_id=order.bags[0].id, wanted=WantedShipment())
        return await shop.folder(order.order.id)

    def both(order: Folder) -> Two:
        at = order.order.id
        bag = {"wanted": WantedCancel(bag_id=order.bags[0].id)}
        return (do(shops[0], at, cancel, **bag),
                do(shops[1], at, send_shipment, shipment_id=order.shipments[0].id))

    tally = await race(shops, two_parcels, both)
    assert tally.keys() <= {("done", "transition_not_allowed"), ("invalid_state", "done")}
