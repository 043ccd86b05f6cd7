"""How many statements a hot command costs; a round trip each."""

from collections.abc import Awaitable
from functools import partial
from typing import Any

import pytest

from counterfoil.actions.decide_return import approve_return, close_return
from counterfoil.actions.edit_lines import edit_lines
from counterfoil.actions.move_shipment import (
    NewShipping,
    carry_shipment,
    deliver_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.rearrange import WantedSplit, merge_shipments, split_shipment
from counterfoil.actions.request_cancel import decline_cancel, request_cancel
from counterfoil.actions.return_goods import return_goods
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.opening import open_folder
from counterfoil.book.run import Action, Command
from counterfoil.kernel.db import Pool, counter
from counterfoil.order.cancellation import CanceledLine
from counterfoil.order.config import Account
from counterfoil.order.editing import WantedEdit, WantedUnits
from counterfoil.order.goods_return import WantedReturn
from counterfoil.order.shipment import ShipmentItem
from counterfoil.order.telling import TOLD
from tests.work.returning import receive
from tests.work.shipping import captures_on_ship, carry_out, pack, send
from tests.work.shop import CANCEL, CAPTURE, REFUND, VOID, open_shop

pytestmark = pytest.mark.database


async def statements_of(counted: dict[str, int], name: str, command: Awaitable[Any]) -> Any:
    """Count under a name how often the database is asked meanwhile."""
    before = counter.statements
    done = await command
    counted[name] = counter.statements - before
    return done


async def test_hot_commands_at_the_manual_gateway(pool: Pool, account: Account):
    shop = await open_shop(pool, account, None)
    counted: dict[str, int] = {}
    count = partial(statements_of, counted)
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


async def test_commands_on_goods(pool: Pool, account: Account):
    shop = await open_shop(pool, account, None)
    counted: dict[str, int] = {}
    count = partial(statements_of, counted)
    order_id = await shop.order(6000, gateway="manual", units=3, flow="payment")
    folder = await shop.folder(order_id)
    bag, item = folder.bags[0].id, folder.items[0].id

    async def run(name: str, action: Action, **wanted: Any) -> Any:
        ran = await count(name, carry_out(shop, order_id, action, key=name, **wanted))
        assert ran.change is not None
        return ran.change.result

    await run("item state", set_delivery_state, item_id=item, state="PROCESSING")
    await run("item state again", set_delivery_state, item_id=item, state="READY")
    await run("edit", edit_lines, wanted=WantedEdit(
        lines=[WantedUnits(item_id=item, quantity=2)]))
    parcel = (await run("ship", ship, bag_id=bag, wanted=WantedShipment())).id
    await run("update", update_shipment, shipment_id=parcel,
              wanted=NewShipping(tracking_number="T-1"))
    other = (await run("split", split_shipment, shipment_id=parcel,
                       wanted=WantedSplit(items=[ShipmentItem(item, 1)]))).id
    await run("merge", merge_shipments, shipment_id=parcel, shipment_ids=[other])
    await run("send", send_shipment, shipment_id=parcel)
    await run("carry", carry_shipment, shipment_id=parcel)
    await run("deliver", deliver_shipment, shipment_id=parcel)
    back = (await run("announce", return_goods, bag_id=bag, wanted=WantedReturn())).id
    await run("approve", approve_return, return_id=back)
    await count("receive", receive(shop, back))
    await run("close", close_return, return_id=back)
    order_id = await shop.order(6000, gateway="manual", units=3)
    item = (await shop.folder(order_id)).items[0].id
    await count("cancel a part", shop.run(
        CANCEL, order_id, lines=(CanceledLine(item_id=item, quantity=1),)))
    await run("ask to cancel", request_cancel)
    await run("decline", decline_cancel)
    await shop.works.aclose()
    assert counted == dict.fromkeys(counted, 2)
    assert len(counted) == 17
