"""Flows in which goods come back, for their money or for something else. [V-6…V-11, rulings 34]"""

from dataclasses import dataclass

from counterfoil.order.goods_return import Replacement, ReturnRefund, WantedReturn
from tests.crash.flow import WAIT, Flow
from tests.sandbox.server import Sandbox
from tests.work.returning import announce, delivered, newest, receive, units
from tests.work.shop import Said, Shop

JUG = Replacement(sku="JUG", name="Jug", quantity=1, unit_price=6000)


@dataclass(frozen=True, kw_only=True)
class Returned(Flow):
    """Two units of 25.00 come back, 2.00 is kept; a worker sends the refund, in one process here.

    `parts` come in one after the other, announced before where there is more than one.
    """

    command: str = "return"
    state: str = "COMPLETED"
    parts: tuple[int, ...] = (2,)

    async def prepare(self, shop: Shop, sandbox: Sandbox) -> str:
        order_id = await delivered(shop)
        if len(self.parts) > 1:
            await self.say(shop, order_id, f"announce-{order_id}")
        return order_id

    async def say(self, shop: Shop, order_id: str, key: str) -> Said:
        """Announce it, under a reference that names the order."""
        refund = ReturnRefund(reference=f"RMA-{order_id}")
        return await announce(shop, order_id, WantedReturn(fee=200, refund=refund), key)

    async def play(self, shop: Shop, order_id: str, key: str) -> Said | None:
        if len(self.parts) == 1:
            await self.say(shop, order_id, f"{key}-announce")
        back = await newest(shop, order_id)
        for number, count in enumerate(self.parts):
            lines = await units(shop, order_id, count)
            said = await receive(shop, back.id, lines, f"{key}-{number}")
            await shop.worked()
        return said

    async def assert_more(self, shop: Shop, order_id: str) -> None:
        folder = await shop.folder(order_id)
        (back,) = folder.returns
        (line,) = back.lines
        assert (back.status, line.received, back.worth, back.fee_kept) == (
            "RECEIVED", 2, 5000, 200)
        assert folder.items[0].quantity_returned == folder.items[0].quantity_refunded == 2
        made = [(one.reference, one.status, one.return_id) for one in folder.refunds]
        references = [f"RMA-{order_id}", f"RMA-{order_id}-2"][: len(self.parts)]
        assert made == [(name, "COMPLETED", back.id) for name in references]
        assert folder.tasks == ()


class CameBack(Returned):
    """Goods have come back, and their refund waits for the worker."""

    async def prepare(self, shop: Shop, sandbox: Sandbox) -> str:
        order_id = await delivered(shop)
        await self.say(shop, order_id, f"announce-{order_id}")
        await receive(shop, (await newest(shop, order_id)).id, key=f"receive-{order_id}")
        return order_id

    async def play(self, shop: Shop, order_id: str, key: str) -> None:
        """Nobody asks again: it is the worker's."""
        assert self.command == WAIT


class Exchanged(Returned):
    """Two units of 25.00 come back for one thing of 60.00: an order of its own, or neither."""

    async def play(self, shop: Shop, order_id: str, key: str) -> Said:
        wanted = WantedReturn(resolution="EXCHANGE", fee=200, replacement=[JUG], received=True)
        return await announce(shop, order_id, wanted, key)

    async def assert_more(self, shop: Shop, order_id: str) -> None:
        folder = await shop.folder(order_id)
        (back,) = folder.returns
        assert (back.status, back.worth, back.credit, folder.refunds) == (
            "RECEIVED", 5000, 4800, ())
        assert back.exchange_order_id is not None
        linked = await shop.folder(back.exchange_order_id)
        assert (linked.order.exchange_for, linked.order.due) == (order_id, 1200)
        assert [one.blocks for one in linked.holds] == [["shipment"]]
        async with shop.works.pool.connection(shop.actor.account_id) as connection:
            made = await connection.rows(
                "select id from orders where account_id = $1 and exchange_for = $2",
                connection.account, order_id)
        assert [str(row["id"]) for row in made] == [linked.order.id], "one return, one order"
