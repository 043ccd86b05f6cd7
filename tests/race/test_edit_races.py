"""An edit beside what ships, takes and edits at the same time: exactly one consistent outcome."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from counterfoil.actions.capture import capture
from counterfoil.actions.edit_lines import edit_lines
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.invariants import check
from counterfoil.kernel.db import Pool
from counterfoil.order.config import Account
from counterfoil.order.editing import WantedAddition, WantedEdit, WantedUnits
from counterfoil.order.folder import Folder
from tests.actions.editing import lawful
from tests.db import Database
from tests.race.rush import open_shops
from tests.race.test_goods_races import do, placed
from tests.work.shop import Shop

pytestmark = pytest.mark.database
TIMES = 20
ORDER, PEN = 5000, 1000


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


def pens(order: Folder, units: int) -> WantedEdit:
    """So many pens are to stay."""
    return WantedEdit(lines=[WantedUnits(item_id=order.items[0].id, quantity=units)])


async def both(shops: tuple[Shop, Shop], order: Folder, *steps: Any) -> tuple[list[str], Folder]:
    """Do two things at once; what came of each, and the order afterwards."""
    order_id = order.order.id
    came = await asyncio.gather(
        *(do(shop, order_id, action, **wanted)
          for shop, (action, wanted) in zip(shops, steps, strict=True))
    )
    after = await shops[0].folder(order_id)
    lawful(after)
    return list(came), after


async def test_an_edit_and_a_parcel_that_leaves(shops: tuple[Shop, Shop]) -> None:
    seen = Counter[str]()
    for turn in range(TIMES):
        order = await placed(shops[0])
        await do(shops[0], order.order.id, ship, bag_id=order.bags[0].id, wanted=WantedShipment())
        parcel = (await shops[0].folder(order.order.id)).shipments[0].id
        steps = [(edit_lines, {"wanted": pens(order, 1)}), (send_shipment, {"shipment_id": parcel})]
        order_of_steps = (shops, order, *steps) if turn % 2 else (shops[::-1], order, *steps)
        came, after = await both(*order_of_steps)
        pen = after.items[0]
        assert came[1] == "done"
        if came[0] == "done":
            assert (pen.live, pen.quantity_shipped) == (1, 1), "it left without what was edited"
        else:
            assert came[0] == "invalid_state"
            assert (pen.live, pen.quantity_shipped) == (4, 4), "it had left with everything"
        assert after.order.fulfillment_status == "SHIPPED"
        seen[came[0]] += 1
    assert seen.total() == TIMES


async def test_an_edit_and_a_capture(shops: tuple[Shop, Shop]) -> None:
    given_back = Counter[bool]()
    for turn in range(TIMES):
        order = await placed(shops[0])
        steps = [(edit_lines, {"wanted": pens(order, 1)}), (capture, {})]
        came, after = await both(shops if turn % 2 else shops[::-1], order, *steps)
        assert came == ["done", "done"]
        whole = after.order
        worth = ORDER - 3 * PEN
        assert whole.captured - whole.refunded == worth, "never more than it is worth is kept"
        assert (whole.open, whole.owed, whole.due) == (0, 0, 0)
        assert (whole.captured, whole.voided, whole.refunded) in (
            (worth, 3 * PEN, 0), (ORDER, 0, 3 * PEN))
        given_back[bool(after.refunds)] += 1
    assert given_back.total() == TIMES


async def test_edits_at_once_each_see_the_other(shops: tuple[Shop, Shop]) -> None:
    for _ in range(TIMES):
        order = await placed(shops[0])
        cap = WantedAddition(sku="CAP", name="Cap", quantity=1, unit_price=700)
        steps = [(edit_lines, {"wanted": pens(order, 2)}),
                 (edit_lines, {"wanted": WantedEdit(add=[cap])})]
        came, after = await both(shops, order, *steps)
        assert came == ["done", "done"]
        first, second = after.edits
        assert (first.position, second.position) == (1, 2)
        assert second.before == first.after
        assert second.after.total == ORDER - 2 * PEN + 700
