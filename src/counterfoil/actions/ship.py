"""Make up a shipment: items of one bag that will travel together."""

from collections.abc import Sequence

import msgspec

from counterfoil.order.allowed import may_ship, require_bag
from counterfoil.order.bag import Bag
from counterfoil.order.change import Change
from counterfoil.order.config import ShipmentMethod
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import unpacked
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens
from counterfoil.order.packing import (
    BACKORDERED,
    addressed,
    check_in_stock,
    check_numbers,
    check_parts,
    opened,
    pack,
)
from counterfoil.order.problems import (
    DuplicateExternalId,
    InvalidState,
    ShipmentUpdateNotAllowed,
    UnknownReference,
)
from counterfoil.order.shipment import Parcel, ShipmentItem


class WantedShipment(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment as it is asked for.

    Without items it takes all that is in no shipment yet and not on back order.
    """

    items: Sequence[ShipmentItem] = ()
    method: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    parcels: Sequence[Parcel] = ()
    external_id: str | None = None

    @property
    def numbers(self) -> list[str]:
        """Every tracking number that is named."""
        own = [self.tracking_number] if self.tracking_number else []
        return own + [parcel.tracking_number for parcel in self.parcels]


@opens("bags", "items", "shipments", "methods", "holds")
def ship(folder: Folder, *, asked: Asked, bag_id: str, wanted: WantedShipment) -> Change:
    """Make up a shipment; one that carries a tracking number confirms its items for delivery.

    The same external id again is the first shipment. Raises, in this order: PermissionDenied,
    NotFound, DuplicateExternalId (another bag's), ShipmentUpdateNotAllowed, InvalidState,
    UnknownReference, AmountInvalid, TrackingNumberTaken, TrackingNotAllowed (back order).
    [U-14…U-25, rulings 30, 31, 46]
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
    check_numbers(folder.shipments, wanted.numbers, None)
    inside = {part.item_id for part in packed}
    if wanted.numbers:
        check_in_stock(item for item in folder.items if item.id in inside)
    draft = Draft(folder, asked.actor)
    parcel = msgspec.structs.replace(
        opened(draft, bag.id, method.code if method else promised, packed),
        carrier=wanted.carrier or (method.carrier if method else None),
        tracking_number=wanted.tracking_number,
        parcels=list(wanted.parcels),
        external_id=wanted.external_id,
    )
    pack(draft, addressed(parcel, method))
    return draft.change(parcel, retell=bool(wanted.numbers))


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


def _packed(folder: Folder, bag: Bag, wanted: Sequence[ShipmentItem]) -> list[ShipmentItem]:
    shipments = list(folder.shipments)
    lines = [
        item
        for item in folder.items
        if item.bag_id == bag.id and item.deliverable and not item.digital
    ]
    left = {item.id: (item.name, unpacked(item, shipments)) for item in lines}
    if wanted:
        check_parts(wanted, left)
        return list(wanted)
    missing = {item.id for item in lines if item.delivery_state == BACKORDERED}
    free = [ShipmentItem(item_id, units) for item_id, (_, units) in left.items() if units > 0]
    if not free:
        raise InvalidState("Every item of the bag is in a shipment already.")
    there = [part for part in free if part.item_id not in missing]
    if not there:
        raise InvalidState("Every item of the bag is in a shipment already or on back order.")
    return there
