"""Holds that end by themselves, by the database's clock."""

from datetime import timedelta

import pytest

from counterfoil.actions.hold import WantedHold, hold, release
from counterfoil.book.run import Command
from tests.db import Clock
from tests.work.shop import Shop

pytestmark = pytest.mark.database


async def held(shop: Shop, hours: int, handle: str = "stock") -> str:
    order_id = await shop.order(5000, gateway="manual")
    until = (await shop.folder(order_id)).at + timedelta(hours=hours)
    await run(shop, order_id, hold, wanted=WantedHold(handle=handle, auto_release_at=until))
    return order_id


async def run(shop: Shop, order_id: str, action, **wanted):
    command = Command(order_id=order_id, actor=shop.actor)
    return await shop.works.book.run(command, action, asked=shop.works.asked(shop.actor), **wanted)


async def test_a_hold_is_released_when_its_time_has_come(shop: Shop, clock: Clock):
    order_id = await held(shop, 2)
    assert await shop.worked() == 0
    await clock.advance(3600)
    assert await shop.worked() == 0
    assert (await shop.folder(order_id)).order.hold_shipment
    await clock.advance(3601)
    assert await shop.worked() == 1
    folder = await shop.folder(order_id)
    assert (folder.order.hold_capture, folder.order.hold_shipment) == (False, False)
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        fact = await connection.row(
            "select type, data ->> 'by_itself' as by_itself, actor ->> 'kind' as kind from facts"
            " where account_id = $1 and order_id = $2 order by sequence desc limit 1",
            connection.account, order_id,
        )
        row = await connection.row(
            "select due_at, lease_token, attempts from holds where account_id = $1",
            connection.account,
        )
    assert tuple(fact) == ("order.released", "true", "system")
    assert tuple(row) == (None, None, 1)
    assert await shop.worked() == 0


async def test_one_that_somebody_released_first_is_left_alone(shop: Shop, clock: Clock):
    order_id = await held(shop, 1)
    await run(shop, order_id, release, handle="stock")
    version = (await shop.folder(order_id)).order.version
    await clock.advance(7200)
    assert await shop.worked() == 0
    assert (await shop.folder(order_id)).order.version == version


async def test_two_workers_release_it_once(shop: Shop, clock: Clock):
    order_id = await held(shop, 1)
    before = (await shop.folder(order_id)).order.version
    await clock.advance(7200)
    assert [await shop.worked(), await shop.worked()] == [1, 0]
    assert (await shop.folder(order_id)).order.version == before + 1
