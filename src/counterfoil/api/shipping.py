"""Goods: make up parcels, change them, say how they fare."""

from counterfoil.actions.move_shipment import (
    NewShipping,
    deliver_shipment,
    fail_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import ShipmentBody, ShippingChange
from counterfoil.api.door import Door
from counterfoil.book.run import Action
from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.order.change import Answered
from counterfoil.order.goods_shapes import ShipmentShape
from counterfoil.order.problems import (
    AmountInvalid,
    DuplicateExternalId,
    InvalidState,
    ShipmentUpdateNotAllowed,
    TrackingNotAllowed,
    TrackingNumberTaken,
    UnknownReference,
)
from counterfoil.order.shipment import ShipmentItem

door = Door("Shipments")
_RIGHT = "shipments.write"
_SHIPMENT = {200: ShipmentShape}


@door.post(
    "/v1/orders/{order_id}/bags/{bag_id}/shipments", right=_RIGHT, versioned=True,
    answers={200: ShipmentShape, 201: ShipmentShape},
    raises=(ShipmentUpdateNotAllowed, InvalidState, UnknownReference, AmountInvalid,
            TransitionNotAllowed, TrackingNumberTaken, DuplicateExternalId),
)
async def make_shipment(ask: Ask, body: ShipmentBody) -> Answered:
    """Make up a parcel; a tracking number confirms its items for delivery."""
    wanted = WantedShipment(
        items=[ShipmentItem(part.item_id, part.quantity) for part in body.items],
        method=body.method,
        carrier=body.carrier,
        tracking_number=body.tracking_number,
        external_id=body.external_id,
    )
    return await ask.run(ship, bag_id=ask.path["bag_id"], wanted=wanted)


@door.patch(
    "/v1/shipments/{shipment_id}", right=_RIGHT, versioned=True, answers=_SHIPMENT,
    raises=(ShipmentUpdateNotAllowed, TrackingNotAllowed, UnknownReference, TrackingNumberTaken),
)
async def change_shipment(ask: Ask, body: ShippingChange) -> Answered:
    """Change a parcel's tracking number, carrier or method."""
    wanted = NewShipping(
        tracking_number=body.tracking_number, carrier=body.carrier, method=body.method
    )
    return await _run(ask, update_shipment, wanted=wanted)


@door.post(
    "/v1/shipments/{shipment_id}/ship", right=_RIGHT, versioned=True, answers=_SHIPMENT,
    raises=(TransitionNotAllowed, ShipmentUpdateNotAllowed),
)
async def send(ask: Ask) -> Answered:
    """The parcel leaves. The first one puts a new order to work, the last one completes it."""
    return await _run(ask, send_shipment)


@door.post(
    "/v1/shipments/{shipment_id}/deliver", right=_RIGHT, versioned=True, answers=_SHIPMENT,
    raises=(TransitionNotAllowed, ShipmentUpdateNotAllowed),
)
async def deliver(ask: Ask) -> Answered:
    """The customer has it."""
    return await _run(ask, deliver_shipment)


@door.post(
    "/v1/shipments/{shipment_id}/fail", right=_RIGHT, versioned=True, answers=_SHIPMENT,
    raises=(TransitionNotAllowed, ShipmentUpdateNotAllowed),
)
async def fail(ask: Ask) -> Answered:
    """The carrier gave up."""
    return await _run(ask, fail_shipment)


async def _run(ask: Ask, action: Action, **arguments: object) -> Answered:
    shipment_id = ask.path["shipment_id"]
    command = ask.command(shipment_id, found_by="shipments", created=False)
    return await ask.carry_out(command, action, shipment_id=shipment_id, **arguments)
