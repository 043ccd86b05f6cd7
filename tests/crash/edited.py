"""Flows in which an order is edited, and what is not owed any more goes back. [rulings 41]"""

from dataclasses import dataclass

from counterfoil.actions.edit_lines import edit_lines
from counterfoil.book.run import Command
from counterfoil.order.editing import WantedEdit, WantedUnits
from counterfoil.work.settle import settle_now
from tests.crash.flow import Flow
from tests.sandbox.server import Sandbox
from tests.work.shop import CAPTURE, Said, Shop


@dataclass(frozen=True, kw_only=True)
class Edited(Flow):
    """Of two bags of 25.00 each, with so much taken, the second is edited away.

    The edit answers at once; a worker gives back or releases, and both are one process here.
    """

    command: str = "edit"
    taken: int = 5000

    async def prepare(self, shop: Shop, sandbox: Sandbox) -> str:
        order_id = await shop.order(5000, bags=2)
        await shop.run(CAPTURE, order_id, amount=self.taken)
        return order_id

    async def play(self, shop: Shop, order_id: str, key: str) -> Said:
        said = await edit(shop, order_id, key)
        await shop.worked()
        return said

    async def assert_more(self, shop: Shop, order_id: str) -> None:
        folder = await shop.folder(order_id)
        (made,) = folder.edits
        assert [bag.status for bag in folder.bags] == ["ACCEPTED", "CANCELED"]
        assert (made.before.total, made.after.total) == (5000, 2500)
        given = [(one.reference, one.status, one.amount) for one in folder.refunds]
        back = self.taken - 2500
        assert given == ([(f"edit-{made.id}", "COMPLETED", back)] if back else [])
        assert folder.order.owed == 0
        assert folder.tasks == ()


async def edit(shop: Shop, order_id: str, key: str) -> Said:
    """Edit the second bag's line away, under a key; the same again is the first answer."""
    folder = await shop.folder(order_id)
    its = shop.key(key, f"edit {order_id}")
    asked = shop.works.asked(shop.actor, key=its.key)
    command = Command(order_id=order_id, actor=shop.actor, key=its)
    wanted = WantedEdit(lines=[WantedUnits(item_id=folder.items[1].id, quantity=0)])
    ran = await shop.works.book.run(command, edit_lines, asked=asked, wanted=wanted)
    return Said(await settle_now(shop.works, asked, ran))
