"""Shipments: make them up, rearrange and change them, say how they fare."""

from msgspec import UNSET

from counterfoil.actions.move_shipment import (
    NewShipping,
    carry_shipment,
    deliver_shipment,
    fail_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.rearrange import (
    WantedSplit,
    cancel_shipment,
    merge_shipments,
    split_shipment,
)
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.api.parcel_bodies import (
    MergeBody,
    PartBody,
    ShipmentBody,
    ShippingChange,
    SplitBody,
    TransitBody,
)
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
            TransitionNotAllowed, TrackingNumberTaken, TrackingNotAllowed, DuplicateExternalId),
)
async def make_shipment(ask: Ask, body: ShipmentBody) -> Answered:
    """Make up a parcel; a tracking number confirms its items for delivery."""
    wanted = WantedShipment(
        items=_parts(body.items),
        method=body.method,
        carrier=body.carrier,
        tracking_number=body.tracking_number,
        parcels=[parcel.parcel() for parcel in body.parcels],
        external_id=body.external_id,
    )
    return await ask.run(ship, bag_id=ask.path["bag_id"], wanted=wanted)


@door.patch(
    "/v1/shipments/{shipment_id}", right=_RIGHT, versioned=True, answers=_SHIPMENT,
    raises=(ShipmentUpdateNotAllowed, TrackingNotAllowed, UnknownReference, TrackingNumberTaken),
)
async def change_shipment(ask: Ask, body: ShippingChange) -> Answered:
    """Change a parcel's tracking numbers, carrier or method."""
    wanted = NewShipping(
        tracking_number=body.tracking_number,
        carrier=body.carrier,
        method=body.method,
        parcels=UNSET if body.parcels is UNSET else [one.parcel() for one in body.parcels],
    )
    return await _run(ask, update_shipment, wanted=wanted)


@door.post(
    "/v1/shipments/{shipment_id}/split", right=_RIGHT, versioned=True,
    answers={201: ShipmentShape},
    raises=(ShipmentUpdateNotAllowed, InvalidState, UnknownReference, AmountInvalid,
            TrackingNumberTaken, TrackingNotAllowed),
)
async def split(ask: Ask, body: SplitBody) -> Answered:
    """Move a part of a parcel into a new one, which is answered; numbers stay with what stays."""
    wanted = WantedSplit(
        items=_parts(body.items),
        method=body.method,
        carrier=body.carrier,
        tracking_number=body.tracking_number,
        parcels=[parcel.parcel() for parcel in body.parcels],
    )
    return await _run(ask, split_shipment, created=True, wanted=wanted)


@door.post(
    "/v1/shipments/{shipment_id}/merge", right=_RIGHT, versioned=True, answers=_SHIPMENT,
    raises=(ShipmentUpdateNotAllowed, InvalidState, UnknownReference, AmountInvalid,
            TrackingNotAllowed),
)
async def merge(ask: Ask, body: MergeBody) -> Answered:
    """Put all that is in other open parcels of the bag into this one; they are cancelled."""
    return await _run(ask, merge_shipments, shipment_ids=body.shipment_ids)


@door.post(
    "/v1/shipments/{shipment_id}/cancel", right=_RIGHT, versioned=True, answers=_SHIPMENT,
    raises=(TransitionNotAllowed, ShipmentUpdateNotAllowed),
)
async def cancel_parcel(ask: Ask) -> Answered:
    """The parcel will not be sent; what is in it can be packed again."""
    return await _run(ask, cancel_shipment)


@door.post(
    "/v1/shipments/{shipment_id}/ship", right=_RIGHT, versioned=True, answers=_SHIPMENT,
    raises=(TransitionNotAllowed, ShipmentUpdateNotAllowed),
)
async def send(ask: Ask) -> Answered:
    """The parcel leaves. The first one puts a new order to work, the last one completes it."""
    return await _run(ask, send_shipment)


@door.post(
    "/v1/shipments/{shipment_id}/in-transit", right=_RIGHT, versioned=True, answers=_SHIPMENT,
    raises=(TransitionNotAllowed, ShipmentUpdateNotAllowed),
)
async def carry(ask: Ask, body: TransitBody) -> Answered:
    """The carrier has it."""
    return await _run(ask, carry_shipment, carrier_status=body.carrier_status)


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


def _parts(parts: list[PartBody]) -> list[ShipmentItem]:
    return [ShipmentItem(part.item_id, part.quantity) for part in parts]


async def _run(
    ask: Ask, action: Action, *, created: bool = False, **arguments: object
) -> Answered:
    shipment_id = ask.path["shipment_id"]
    command = ask.command(shipment_id, found_by="shipments", created=created)
    return await ask.carry_out(command, action, shipment_id=shipment_id, **arguments)
