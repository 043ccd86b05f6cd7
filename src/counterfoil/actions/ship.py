"""Make up a shipment: items of one bag that will travel together."""

from collections.abc import Sequence

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.order.allowed import may_ship, require_bag
from counterfoil.order.bag import Bag
from counterfoil.order.change import Change
from counterfoil.order.config import ShipmentMethod
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import unpacked
from counterfoil.order.intent import Asked
from counterfoil.order.life import ITEM
from counterfoil.order.opening import opens
from counterfoil.order.problems import (
    AmountInvalid,
    DuplicateExternalId,
    InvalidState,
    ShipmentUpdateNotAllowed,
    TrackingNumberTaken,
    UnknownReference,
)
from counterfoil.order.shipment import Shipment, ShipmentItem


class WantedShipment(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment as it is asked for; without items it takes all that is in no shipment yet."""

    items: Sequence[ShipmentItem] = ()
    method: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    external_id: str | None = None


@opens("bags", "items", "shipments", "methods", "holds")
def ship(folder: Folder, *, asked: Asked, bag_id: str, wanted: WantedShipment) -> Change:
    """Make up a shipment; one that carries a tracking number confirms its items for delivery.

    The same external id again is the first shipment. Raises, in this order: PermissionDenied,
    NotFound, DuplicateExternalId (another bag's), ShipmentUpdateNotAllowed, InvalidState,
    UnknownReference, AmountInvalid, TrackingNumberTaken. [U-14…U-25, rulings 30, 31, 46]
    """
    asked.actor.require("shipments.write")
    bag = require_bag(folder, bag_id, asked.actor)
    first = next(
        (s for s in folder.shipments if wanted.external_id and s.external_id == wanted.external_id),
        None,
    )
    if first is not None and first.bag_id != bag.id:
        raise DuplicateExternalId("A shipment of another bag of this order has this external id.")
    if first is not None:
        return Change.none(folder, first)
    if not asked.instant:
        check_gate(folder)
    if not bag.live:
        raise InvalidState(f"The bag is {bag.status}.", status=bag.status)
    promised = folder.order.shipping_method
    method = find_method(folder, wanted.method) or promised_method(folder, promised)
    packed = _packed(folder, bag, wanted.items)
    check_tracking_number(folder, wanted.tracking_number, None)
    draft = Draft(folder, asked.actor)
    parcel = Shipment(
        id=new_id(),
        order_id=folder.order.id,
        bag_id=bag.id,
        position=len(folder.shipments) + 1,
        method=method.code if method else promised,
        carrier=wanted.carrier or (method.carrier if method else None),
        tracking_number=wanted.tracking_number,
        tracking_url=tracking_url(method, wanted.tracking_number),
        items=packed,
        external_id=wanted.external_id,
        created_at=draft.at,
        updated_at=draft.at,
    )
    draft.add(parcel)
    for part in packed:
        item = draft.get("items", part.item_id)
        state = item.delivery_state
        if wanted.tracking_number and state in ("PENDING", "PROCESSING"):
            state = ITEM.check(state, "READY")
        draft.put(
            msgspec.structs.replace(
                item,
                shipment_id=parcel.id,
                delivery_state=state,
                shipping_method=parcel.method or item.shipping_method,
            )
        )
    draft.fact("shipment.created", parcel, merchant=bag.merchant)
    return draft.change(parcel, retell=wanted.tracking_number is not None)


def check_gate(folder: Folder) -> None:
    """Refuse where state, review or a hold locks shipping; it is named. [U-16, U-17]"""
    if may_ship(folder.order):
        return
    holds = [hold.handle for hold in folder.open_holds if "shipment" in hold.blocks]
    because = (
        f"held by {', '.join(holds)}"
        if holds
        else f"the order is {folder.state.name}"
        if folder.order.fraud_status in ("NOT_REQUIRED", "PASSED")
        else "the fraud review has not passed"
    )
    raise ShipmentUpdateNotAllowed(
        f"Shipping is locked: {because}.", state=folder.order.state, holds=holds
    )


def find_method(folder: Folder, code: str | None) -> ShipmentMethod | None:
    """Find a method that is chosen now. Raises UnknownReference where it is off or not there."""
    if code is None:
        return None
    found = next((m for m in folder.methods if m.code == code and m.enabled), None)
    if found is None:
        raise UnknownReference(
            f"The store has no shipment method {code}.",
            methods=[m.code for m in folder.methods if m.enabled],
        )
    return found


def promised_method(folder: Folder, code: str | None) -> ShipmentMethod | None:
    """Find a method that was chosen before; one that is off by now still serves what it carries."""
    return next((method for method in folder.methods if method.code == code), None)


def check_tracking_number(folder: Folder, number: str | None, own: str | None) -> None:
    """Refuse a number that another shipment of the order has. [U-25]"""
    for shipment in folder.shipments:
        if number and shipment.tracking_number == number and shipment.id != own:
            raise TrackingNumberTaken(
                f"Shipment {shipment.position} has {number}.", shipment_id=shipment.id
            )


def tracking_url(method: ShipmentMethod | None, number: str | None) -> str | None:
    """Fill a method's tracking address with a number."""
    if method is None or method.tracking_url is None or number is None:
        return None
    return method.tracking_url.replace("{tracking_number}", number)


def _packed(folder: Folder, bag: Bag, wanted: Sequence[ShipmentItem]) -> list[ShipmentItem]:
    shipments = list(folder.shipments)
    items = {
        item.id: item
        for item in folder.items
        if item.bag_id == bag.id and item.deliverable and not item.digital
    }
    if not wanted:
        free = [
            ShipmentItem(item.id, left)
            for item in items.values()
            if (left := unpacked(item, shipments)) > 0
        ]
        if not free:
            raise InvalidState("Every item of the bag is in a shipment already.")
        return free
    if len({part.item_id for part in wanted}) != len(wanted):
        raise AmountInvalid("An item is named twice.")
    for part in wanted:
        item = items.get(part.item_id)
        if item is None:
            raise UnknownReference("The bag has no such item.", item_id=part.item_id)
        left = unpacked(item, shipments)
        if not 0 < part.quantity <= left:
            raise AmountInvalid(
                f"{part.quantity} of {item.name} is not between 1 and the {left} left.",
                item_id=item.id,
                left=left,
            )
    return list(wanted)
