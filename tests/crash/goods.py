"""Flows in which goods leave, and their money is taken with them. [faults C-2, S-3]"""

from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.run import Action, Command, Ran
from tests.crash.flow import WAIT, Flow
from tests.sandbox.server import Sandbox
from tests.work.shop import Said, Shop

#: What a worker passes that settles a movement.
SETTLES = frozenset({
    "book.commit", "book.committed", "settle.claimed", "settle.before_call", "settle.after_call",
    "settle.before_book", "settle.booked",
})


async def carry_out(shop: Shop, order_id: str, action: Action, key: str, **wanted: object) -> Ran:
    """Run a command on parcels as a door does; it waits for no provider."""
    its = shop.key(key, f"{action.__name__} {order_id}")
    asked = shop.works.asked(shop.actor, key=its.key)
    command = Command(order_id=order_id, actor=shop.actor, key=its, created=False)
    return await shop.works.book.run(command, action, asked=asked, **wanted)


class Leaving(Flow):
    """A parcel leaves, and a worker takes the money for it; both are one process here."""

    async def prepare(self, shop: Shop, sandbox: Sandbox) -> str:
        order_id = await shop.order(5000, bags=2, **self.placed)
        async with shop.works.pool.connection(shop.actor.account_id) as connection:
            await connection.rows(
                "update stores set capture_on_ship = true where account_id = $1",
                connection.account)
        bag = (await shop.folder(order_id)).bags[0].id
        await carry_out(shop, order_id, ship, f"pack-{order_id}", bag_id=bag,
                        wanted=WantedShipment(tracking_number="T-1"))
        return order_id

    async def leave(self, shop: Shop, order_id: str, key: str) -> Said:
        """Let the parcel leave; the answer does not tell of money."""
        parcel = (await shop.folder(order_id)).shipments[0].id
        ran = await carry_out(shop, order_id, send_shipment, key, shipment_id=parcel)
        assert ran.answered is not None
        return Said(ran.answered)

    async def play(self, shop: Shop, order_id: str, key: str) -> Said:
        said = await self.leave(shop, order_id, key)
        await shop.worked()
        return said

    async def assert_more(self, shop: Shop, order_id: str) -> None:
        folder = await shop.folder(order_id)
        captures = [row.shipment_id for row in folder.transactions if row.type == "CAPTURE"]
        assert captures == [folder.shipments[0].id], "one parcel, one capture"
        assert folder.shipments[0].status == "SHIPPED"


class HasLeft(Leaving):
    """A parcel has left, and its money waits for the worker."""

    async def prepare(self, shop: Shop, sandbox: Sandbox) -> str:
        order_id = await super().prepare(shop, sandbox)
        await self.leave(shop, order_id, f"send-{order_id}")
        return order_id

    async def play(self, shop: Shop, order_id: str, key: str) -> None:  # type: ignore[override]
        """Nobody asks again: it is the worker's."""
        assert self.command == WAIT
