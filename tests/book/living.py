"""Orders that live through the book at the manual gateway, for whoever reads about them."""

from typing import Any

import msgspec

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.edit import edit
from counterfoil.actions.hold import WantedHold, hold, release
from counterfoil.actions.move_shipment import deliver_shipment, fail_shipment, send_shipment
from counterfoil.actions.note import note
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.book.numbers import Numbers
from counterfoil.book.opening import Key
from counterfoil.book.placing import Placer, Placing
from counterfoil.book.run import Book, Command
from counterfoil.kernel.db import Pool
from counterfoil.kernel.ids import new_id
from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.intake import WantedOrder
from counterfoil.order.intent import Asked
from tests.actions.making import body


class Living:
    """One actor who places orders and does things to them."""

    def __init__(self, pool: Pool, actor: Actor) -> None:
        self.book, self.placer = Book(pool), Placer(pool, Numbers())
        self.actor = actor

    def _key(self) -> Key:
        return Key(credential=self.actor.credential, key=new_id(), fingerprint="f")

    async def place(self, **more: Any) -> Folder:
        """Place an order of two bags, authorised at the manual gateway unless told otherwise."""
        wanted = msgspec.convert(
            body(**{"payment": {"gateway": "manual"}, **more}), WantedOrder
        )
        ran = await self.placer.place(
            Placing(asked=Asked(actor=self.actor), wanted=wanted, channel="api",
                    fingerprint="f", key=self._key())
        )
        assert ran.change is not None
        return ran.change.after

    async def run(self, order: Folder, action: Any, **arguments: Any) -> Any:
        """Run an action; return its result."""
        wanted = arguments.get("wanted")
        command = Command(
            order_id=order.order.id,
            actor=self.actor,
            key=self._key(),
            reference=wanted.reference if isinstance(wanted, WantedRefund) else None,
        )
        ran = await self.book.run(command, action, asked=Asked(actor=self.actor), **arguments)
        assert ran.change is not None
        return ran.change.result


async def live_many_lives(living: Living) -> list[Folder]:
    """Place ten orders and let each have another life."""
    orders = [await living.place(tags=["vip"], external_id=f"w-{n}") for n in range(9)]
    orders.append(await living.place(payment=None, fraud_review=True, is_test=True))
    run = living.run
    await run(orders[0], capture)
    await run(orders[0], refund, wanted=WantedRefund(reference="R-1", amount=700))
    for bag in orders[0].bags:
        parcel = await run(
            orders[0], ship, bag_id=bag.id, wanted=WantedShipment(tracking_number=f"T-{bag.id}")
        )
        await run(orders[0], send_shipment, shipment_id=parcel.id)
        await run(orders[0], deliver_shipment, shipment_id=parcel.id)
    await run(orders[1], void)
    await run(orders[2], capture)
    await run(orders[2], cancel, wanted=WantedCancel(notify_customer=True))
    await run(orders[3], cancel, wanted=WantedCancel())
    await run(orders[4], hold, wanted=WantedHold(handle="stock", blocks=("shipment",)))
    await run(orders[5], hold, wanted=WantedHold(handle="stock"))
    await run(orders[5], release, handle="stock")
    await run(orders[5], capture)
    await run(orders[5], refund, wanted=WantedRefund(reference="R-2"))
    parcel = await run(
        orders[6], ship, bag_id=orders[6].bags[1].id, wanted=WantedShipment()
    )
    await run(orders[6], send_shipment, shipment_id=parcel.id)
    await run(orders[6], fail_shipment, shipment_id=parcel.id)
    await run(orders[7], note, body="Kari ringte.")
    await run(orders[7], edit, fields={"invoice_number": "INV-7", "tags": ["late"]})
    await run(orders[7], void, amount=1000)
    return orders
