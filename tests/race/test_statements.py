"""How many statements a hot command costs; a round trip each."""

from collections.abc import Awaitable
from typing import Any

import pytest

from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.opening import open_folder
from counterfoil.book.run import Command
from counterfoil.kernel.db import Pool, counter
from counterfoil.order.config import Account
from counterfoil.order.telling import TOLD
from tests.work.shipping import captures_on_ship, pack, send
from tests.work.shop import CANCEL, CAPTURE, REFUND, VOID, open_shop

pytestmark = pytest.mark.database


async def test_hot_commands_at_the_manual_gateway(pool: Pool, account: Account):
    shop = await open_shop(pool, account, None)
    counted: dict[str, int] = {}

    async def count(name: str, command: Awaitable[Any]) -> Any:
        before = counter.statements
        done = await command
        counted[name] = counter.statements - before
        return done

    await shop.order(5000, gateway="manual")  # takes the block of numbers
    order_id = str((await count("create", shop.place(5000, gateway="manual", bags=2))).body["id"])
    await count(CAPTURE, shop.run(CAPTURE, order_id, amount=3000))
    await count(REFUND, shop.run(REFUND, order_id, amount=500))
    await count(VOID, shop.run(VOID, order_id, amount=500))
    bag = (await shop.folder(order_id)).bags[0].id
    asked = shop.works.asked(shop.actor)
    made = await count("ship", shop.works.book.run(
        Command(order_id=order_id, actor=shop.actor, key=shop.key(None, "ship")), ship,
        asked=asked, bag_id=bag, wanted=WantedShipment(tracking_number="T-1")))
    await count("send", shop.works.book.run(
        Command(order_id=order_id, actor=shop.actor, key=shop.key(None, "send")), send_shipment,
        asked=asked, shipment_id=made.change.result.id))
    await captures_on_ship(shop)
    paid = await shop.order(5000, gateway="manual")
    parcel = await pack(shop, paid)
    await count("send and take", send(shop, paid, parcel))
    assert (await shop.folder(paid)).order.captured == 5000
    other = await shop.order(5000, gateway="manual")
    await count(CANCEL, shop.run(CANCEL, other))
    other = await shop.order(5000, gateway="manual", bags=2)
    part = (await shop.folder(other)).bags[0].id
    await count("cancel a bag", shop.run(CANCEL, other, bag_id=part))
    async with pool.connection(account.id) as connection:
        await count("read", open_folder(connection, order_id, frozenset(TOLD)))
    await shop.works.aclose()
    assert counted == {
        "create": 2, CAPTURE: 2, REFUND: 2, VOID: 2, "ship": 2, "send": 2,
        "send and take": 2, CANCEL: 2,
        "cancel a bag": 2, "read": 1,
    }
