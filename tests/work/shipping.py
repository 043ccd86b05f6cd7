"""Parcels at a shop's doors."""

from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.run import Action, Command, Ran
from tests.work.shop import Said, Shop


async def carry_out(
    shop: Shop, order_id: str, action: Action, *, key: str | None = None, **wanted: object
) -> Ran:
    """Run a command on parcels as a door does; it waits for no provider."""
    its = shop.key(key, f"{action.__name__} {order_id}")
    asked = shop.works.asked(shop.actor, key=its.key)
    command = Command(order_id=order_id, actor=shop.actor, key=its, created=False)
    return await shop.works.book.run(command, action, asked=asked, **wanted)


async def captures_on_ship(shop: Shop) -> None:
    """Let the shop's store take money as goods leave."""
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        await connection.rows(
            "update stores set capture_on_ship = true where account_id = $1", connection.account)


async def pack(shop: Shop, order_id: str, bag: int = 0, **more: object) -> str:
    """Pack all of a bag; the parcel's id."""
    bag_id = (await shop.folder(order_id)).bags[bag].id
    ran = await carry_out(
        shop, order_id, ship, bag_id=bag_id, wanted=WantedShipment(**more))  # type: ignore[arg-type]
    assert ran.change is not None
    return str(ran.change.result.id)


async def send(shop: Shop, order_id: str, shipment_id: str, key: str | None = None) -> Said:
    """Let a parcel leave."""
    ran = await carry_out(shop, order_id, send_shipment, key=key, shipment_id=shipment_id)
    assert ran.answered is not None, "a parcel waits for no money"
    return Said(ran.answered)
