"""Flows in which goods leave, and their money is taken with them. [faults C-2, S-3]"""

from tests.crash.flow import WAIT, Flow
from tests.sandbox.server import Sandbox
from tests.work.shipping import captures_on_ship, pack, send
from tests.work.shop import Said, Shop

#: What a worker passes that settles a movement.
SETTLES = frozenset({
    "book.commit", "book.committed", "settle.claimed", "settle.before_call", "settle.after_call",
    "settle.before_book", "settle.booked",
})


class Leaving(Flow):
    """A parcel leaves, and a worker takes the money for it; both are one process here."""

    async def prepare(self, shop: Shop, sandbox: Sandbox) -> str:
        order_id = await shop.order(5000, bags=2, **self.placed)
        await captures_on_ship(shop)
        await pack(shop, order_id, tracking_number="T-1")
        return order_id

    async def leave(self, shop: Shop, order_id: str, key: str) -> Said:
        """Let the parcel leave; the answer does not tell of money."""
        parcel = (await shop.folder(order_id)).shipments[0].id
        return await send(shop, order_id, parcel, key)

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
