"""Goods that come back, at a shop's doors."""

from counterfoil.actions.move_shipment import deliver_shipment
from counterfoil.actions.receive_return import receive_return
from counterfoil.book.run import Command
from counterfoil.order.goods_return import ReceivedLine, Return, WantedReturn
from counterfoil.work.settle import settle_now
from tests.work.shipping import carry_out, pack, send
from tests.work.shop import RETURN, Said, Shop


async def delivered(shop: Shop, total: int = 5000, *, units: int = 2) -> str:
    """Place an order of one line, take all of its money, and bring it to the customer."""
    order_id = await shop.order(total, units=units, flow="payment")
    parcel = await pack(shop, order_id)
    await send(shop, order_id, parcel)
    await carry_out(shop, order_id, deliver_shipment, shipment_id=parcel)
    return order_id


async def announce(
    shop: Shop, order_id: str, wanted: WantedReturn, key: str | None = None
) -> Said:
    """Announce goods of the first bag, or bring them at once."""
    bag = (await shop.folder(order_id)).bags[0].id
    return await shop.run(RETURN, order_id, key=key, bag_id=bag, wanted=wanted)


async def receive(
    shop: Shop, return_id: str, lines: list[ReceivedLine] | None = None, key: str | None = None
) -> Said:
    """Take in what came of a return, found by its own id as the door finds it."""
    its = shop.key(key, f"receive {return_id} {lines}")
    asked = shop.works.asked(shop.actor, key=its.key)
    command = Command(
        order_id=return_id, actor=shop.actor, key=its, found_by="returns", created=False)
    ran = await shop.works.book.run(
        command, receive_return, asked=asked, return_id=return_id, lines=lines or [])
    return Said(await settle_now(shop.works, asked, ran))


async def units(shop: Shop, order_id: str, count: int) -> list[ReceivedLine]:
    """So many units of the only line."""
    (item,) = (await shop.folder(order_id)).items
    return [ReceivedLine(item_id=item.id, quantity=count)]


async def newest(shop: Shop, order_id: str) -> Return:
    """The return that was announced last."""
    return (await shop.folder(order_id)).returns[-1]
