"""Lines on their way: how far each has come, by which method it travels, and known carriers."""

from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.api.parcel_bodies import ItemChange, MethodBody
from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.order.carriers import CARRIERS, Carrier
from counterfoil.order.change import Answered
from counterfoil.order.problems import (
    InvalidState,
    ShipmentUpdateNotAllowed,
    UnknownReference,
)
from counterfoil.order.shapes import OrderShape

door = Door("Shipments")
_RIGHT = "shipments.write"


@door.patch(
    "/v1/orders/{order_id}/items/{item_id}", right=_RIGHT, versioned=True,
    answers={200: OrderShape},
    raises=(TransitionNotAllowed, ShipmentUpdateNotAllowed, InvalidState),
)
async def change_item(ask: Ask, body: ItemChange) -> Answered:
    """Say how far a line has come; SHIPPED sends what of it has not left."""
    return await ask.run(
        set_delivery_state, item_id=ask.path["item_id"], state=body.delivery_state
    )


@door.post(
    "/v1/orders/{order_id}/shipment-method", right=_RIGHT, versioned=True,
    answers={200: OrderShape}, raises=(ShipmentUpdateNotAllowed, UnknownReference),
)
async def change_method(ask: Ask, body: MethodBody) -> Answered:
    """Choose by which method lines travel; per bag they come together in one open parcel."""
    items = None if body.items == "all" else body.items
    return await ask.run(choose_method, items=items, method=body.method)


@door.get("/v1/carriers", right=("orders.read", _RIGHT), answers={200: list[Carrier]})
async def list_carriers(ask: Ask) -> list[Carrier]:
    """List the carriers whose tracking pages are known; a method's own pattern comes first."""
    return list(CARRIERS)
