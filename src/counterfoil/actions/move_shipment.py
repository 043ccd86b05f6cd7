"""Say how a shipment fares: it left, it arrived, it could not be delivered; or correct it."""

from typing import Any

import msgspec

from counterfoil.actions.leave import (
    LEAVING,
    check_late_gate,
    check_send_gate,
    fare,
    find_shipment,
    go_on,
    leave,
)
from counterfoil.actions.ship import check_gate, find_method, promised_method
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.item import CONFIRMED
from counterfoil.order.life import SHIPMENT
from counterfoil.order.opening import opens
from counterfoil.order.packing import addressed, check_numbers, set_method, take_numbers
from counterfoil.order.problems import ShipmentUpdateNotAllowed, TrackingNotAllowed
from counterfoil.order.shipment import Parcel, Shipment


@opens(*LEAVING)
def send_shipment(folder: Folder, *, asked: Asked, shipment_id: str) -> Change:
    """The shipment leaves. The first one puts a new order to work; the last one completes it.

    Where the store captures on shipping, the money for what is in it is asked for in the same
    change. Raises, in this order: PermissionDenied, NotFound, TransitionNotAllowed,
    ShipmentUpdateNotAllowed. [domain.md §2, rulings 29, 30, 46]
    """
    parcel = find_shipment(folder, asked, shipment_id)
    SHIPMENT.check(parcel.status, "SHIPPED")
    if not asked.instant:
        check_send_gate(folder, parcel)
    draft = Draft(folder, asked.actor)
    leave(draft, asked, parcel)
    go_on(draft)
    return draft.change(parcel)


@opens("bags", "items", "shipments", "holds")
def carry_shipment(
    folder: Folder, *, asked: Asked, shipment_id: str, carrier_status: str | None = None
) -> Change:
    """The carrier has it; `carrier_status` is its own word for that.

    Raises PermissionDenied, NotFound, TransitionNotAllowed, ShipmentUpdateNotAllowed.
    """
    more = {} if carrier_status is None else {"carrier_status": carrier_status}
    return _follow(folder, asked, shipment_id, "IN_TRANSIT", **more)


@opens("bags", "items", "shipments", "holds")
def deliver_shipment(folder: Folder, *, asked: Asked, shipment_id: str) -> Change:
    """The customer has it. Raises PermissionDenied, NotFound, TransitionNotAllowed."""
    return _follow(folder, asked, shipment_id, "DELIVERED")


@opens("bags", "items", "shipments", "holds")
def fail_shipment(folder: Folder, *, asked: Asked, shipment_id: str) -> Change:
    """The carrier gave up. Raises PermissionDenied, NotFound, TransitionNotAllowed."""
    return _follow(folder, asked, shipment_id, "COULD_NOT_DELIVER")


def _follow(folder: Folder, asked: Asked, shipment_id: str, status: str, **more: str) -> Change:
    parcel = find_shipment(folder, asked, shipment_id)
    SHIPMENT.check(parcel.status, status)
    check_late_gate(folder)
    draft = Draft(folder, asked.actor)
    fare(draft, parcel, status, **more)
    return draft.change(parcel)


class NewShipping(msgspec.Struct, frozen=True, kw_only=True):
    """What to change on a shipment; absent fields stay. `parcels` takes the place of the list."""

    tracking_number: str | msgspec.UnsetType | None = msgspec.UNSET
    carrier: str | msgspec.UnsetType | None = msgspec.UNSET
    method: str | msgspec.UnsetType = msgspec.UNSET
    parcels: list[Parcel] | msgspec.UnsetType = msgspec.UNSET


@opens("bags", "items", "shipments", "methods", "holds", "payments", "refunds", "notes", "returns")
def update_shipment(
    folder: Folder, *, asked: Asked, shipment_id: str, wanted: NewShipping
) -> Change:
    """Change tracking numbers, carrier or method.

    Raises, in this order: PermissionDenied, NotFound, ShipmentUpdateNotAllowed, TrackingNotAllowed,
    UnknownReference, TrackingNumberTaken. [U-18…U-25, rulings 30, 31]
    """
    parcel = find_shipment(folder, asked, shipment_id)
    if parcel.status == "CANCELED":
        raise ShipmentUpdateNotAllowed("The shipment is cancelled; nothing travels in it.")
    left = parcel.status != "OPEN"
    if left:
        check_late_gate(folder)
        if wanted.method is not msgspec.UNSET:
            raise ShipmentUpdateNotAllowed("It has left: its method cannot change any more.")
    else:
        check_gate(folder)
    fields = _changed(parcel, wanted)
    if not fields:
        return Change.none(folder, parcel)
    draft = Draft(folder, asked.actor)
    new = msgspec.structs.replace(parcel, updated_at=draft.at, **fields)
    added = [number for number in new.numbers if number not in parcel.numbers]
    if added and not left:
        _check_confirmed(folder, parcel)
    chosen = find_method(folder, fields.get("method"))
    check_numbers(folder.shipments, new.numbers, parcel.id)
    if chosen and "carrier" not in fields:
        new = msgspec.structs.replace(new, carrier=chosen.carrier)
    new = addressed(new, chosen or promised_method(folder, parcel.method))
    draft.put(new)
    take_numbers(draft, new)
    if chosen:
        set_method(draft, parcel.units, chosen.code)
    merchant = draft.get("bags", parcel.bag_id).merchant
    draft.fact("shipment.updated", new, merchant=merchant, fields=list(fields))
    return draft.change(new, retell=new.numbers != parcel.numbers)


def _changed(parcel: Shipment, wanted: NewShipping) -> dict[str, Any]:
    """List what differs from how the shipment is; where parcels are tracked is not compared."""
    fields = {
        name: value
        for name in ("tracking_number", "carrier", "method")
        if (value := getattr(wanted, name)) is not msgspec.UNSET and value != getattr(parcel, name)
    }
    if wanted.parcels is not msgspec.UNSET:
        known = [msgspec.structs.replace(one, tracking_url=None) for one in parcel.parcels]
        if wanted.parcels != known:
            fields["parcels"] = wanted.parcels
    return fields


def _check_confirmed(folder: Folder, parcel: Shipment) -> None:
    inside = parcel.units
    unready = [i.name for i in folder.items if i.id in inside and i.delivery_state not in CONFIRMED]
    if unready:
        raise TrackingNotAllowed(f"Not confirmed for delivery: {', '.join(unready)}.")
