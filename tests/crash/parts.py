"""Flows in which a bag or some lines are cancelled, and their money goes back. [X-1, rulings 27]"""

from dataclasses import dataclass

from counterfoil.actions.cancel import WantedCancel
from counterfoil.order.cancellation import CanceledLine
from tests.crash.flow import Flow
from tests.sandbox.server import Sandbox
from tests.work.shop import CANCEL, CAPTURE, Said, Shop


@dataclass(frozen=True, kw_only=True)
class PartCanceled(Flow):
    """Of an order of so many bags, with 20.00 taken of 50.00, the first or the lines of two."""

    command: str = CANCEL
    bags: int = 2
    lines: int = 0

    async def prepare(self, shop: Shop, sandbox: Sandbox) -> str:
        order_id = await shop.order(5000, bags=self.bags)
        await shop.run(CAPTURE, order_id, amount=2000)
        return order_id

    async def play(self, shop: Shop, order_id: str, key: str) -> Said:
        folder = await shop.folder(order_id)
        lines = tuple(CanceledLine(item.id, 1) for item in folder.items[: self.lines])
        bag = None if lines else folder.bags[0].id
        wanted = WantedCancel(bag_id=bag, lines=lines)
        named = {"bag_id": wanted.bag_id, "lines": wanted.lines}
        return await shop.run(CANCEL, order_id, key=key, **named)

    async def assert_more(self, shop: Shop, order_id: str) -> None:
        folder = await shop.folder(order_id)
        (plan,) = folder.cancellations
        assert plan.status == "CANCELED"
        assert plan.amount == plan.refunded_amount + plan.reversed_amount
        dead = [bag.status for bag in folder.bags].count("CANCELED")
        assert dead == (self.lines or 1)
        assert folder.order.canceled_total == plan.amount
        assert folder.tasks == ()
