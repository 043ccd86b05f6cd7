"""Rearrange what has not left: split a shipment, merge several into one, cancel one."""

from collections.abc import Sequence

import msgspec

from counterfoil.actions.leave import find_shipment
from counterfoil.actions.ship import check_gate, find_method, promised_method
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.life import SHIPMENT
from counterfoil.order.opening import opens
from counterfoil.order.packing import (
    addressed,
    call_off,
    check_in_stock,
    check_numbers,
    check_parts,
    confirm,
    opened,
    pack,
    put_in,
    restate,
    set_method,
    take_out,
)
from counterfoil.order.problems import AmountInvalid, InvalidState, UnknownReference
from counterfoil.order.shipment import Parcel, Shipment, ShipmentItem


class WantedSplit(msgspec.Struct, frozen=True, kw_only=True):
    """What moves into a shipment of its own, and how that one travels; as before where absent."""

    items: Sequence[ShipmentItem]
    method: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    parcels: Sequence[Parcel] = ()

    @property
    def numbers(self) -> list[str]:
        """Every tracking number that is named."""
        own = [self.tracking_number] if self.tracking_number else []
        return own + [parcel.tracking_number for parcel in self.parcels]


@opens("bags", "items", "shipments", "methods", "holds", "payments", "refunds", "notes", "returns")
def split_shipment(
    folder: Folder, *, asked: Asked, shipment_id: str, wanted: WantedSplit
) -> Change:
    """Move a part of an open shipment into a new one; numbers stay with what stays.

    Raises, in this order: PermissionDenied, NotFound, ShipmentUpdateNotAllowed, InvalidState (not
    open), UnknownReference, AmountInvalid (also where nothing would stay), TrackingNumberTaken,
    TrackingNotAllowed (back order). [U-19…U-25, rulings 30, 31]
    """
    parcel = find_shipment(folder, asked, shipment_id)
    check_gate(folder)
    _check_open(parcel, "split")
    chosen = find_method(folder, wanted.method)
    names = {item.id: item.name for item in folder.items}
    check_parts(wanted.items, {i: (names[i], units) for i, units in parcel.units.items()})
    moved = {part.item_id: part.quantity for part in wanted.items}
    if moved == parcel.units:
        raise AmountInvalid(
            f"That is all of shipment {parcel.position}: leave something in it, or change it.",
            shipment_id=parcel.id,
        )
    check_numbers(folder.shipments, wanted.numbers, None)
    if wanted.numbers:
        check_in_stock(item for item in folder.items if item.id in moved)
    draft = Draft(folder, asked.actor)
    take_out(draft, parcel, moved)
    made = opened(draft, parcel.bag_id, chosen.code if chosen else parcel.method, wanted.items)
    new = msgspec.structs.replace(
        made,
        carrier=wanted.carrier or (chosen.carrier if chosen else parcel.carrier),
        tracking_number=wanted.tracking_number,
        parcels=list(wanted.parcels),
    )
    pack(draft, addressed(new, chosen or promised_method(folder, parcel.method)))
    return draft.change(new, retell=bool(wanted.numbers))


@opens("bags", "items", "shipments", "holds")
def merge_shipments(
    folder: Folder, *, asked: Asked, shipment_id: str, shipment_ids: Sequence[str]
) -> Change:
    """Put all of other open shipments of the bag into this one; they are cancelled.

    This one keeps its method and numbers; a number on it confirms what comes in. Raises, in this
    order: PermissionDenied, NotFound, ShipmentUpdateNotAllowed, InvalidState (not open),
    UnknownReference, AmountInvalid (named twice), InvalidState (of the others: not open, another
    bag's), TrackingNotAllowed (back order). [rulings 30, 31]
    """
    parcel = find_shipment(folder, asked, shipment_id)
    check_gate(folder)
    _check_open(parcel, "merged")
    others = _others(folder, asked, parcel, shipment_ids)
    inside = {item_id for other in others for item_id in other.units}
    if parcel.numbers:
        check_in_stock(item for item in folder.items if item.id in inside)
    draft = Draft(folder, asked.actor)
    coming: dict[str, int] = {}
    for other in others:
        call_off(draft, other)
        for item_id, units in other.units.items():
            coming[item_id] = coming.get(item_id, 0) + units
    put_in(draft, parcel, coming)
    if parcel.numbers:
        confirm(draft, coming)
    if parcel.method is not None:
        set_method(draft, coming, parcel.method)
    restate(draft, coming)
    return draft.change(parcel)


@opens("bags", "items", "shipments", "holds")
def cancel_shipment(folder: Folder, *, asked: Asked, shipment_id: str) -> Change:
    """Cancel a shipment that has not left; its units can be packed again.

    Raises, in this order: PermissionDenied, NotFound, TransitionNotAllowed,
    ShipmentUpdateNotAllowed. [rulings 33]
    """
    parcel = find_shipment(folder, asked, shipment_id)
    SHIPMENT.check(parcel.status, "CANCELED")
    check_gate(folder)
    draft = Draft(folder, asked.actor)
    call_off(draft, parcel)
    restate(draft, parcel.units)
    return draft.change(parcel)


def _check_open(parcel: Shipment, what: str) -> None:
    if parcel.status != "OPEN":
        raise InvalidState(
            f"Shipment {parcel.position} is {parcel.status}; only one that is OPEN can be {what}.",
            shipment_id=parcel.id,
            status=parcel.status,
        )


def _others(
    folder: Folder, asked: Asked, parcel: Shipment, shipment_ids: Sequence[str]
) -> list[Shipment]:
    """Find the shipments to merge into another one."""
    merchants = {bag.id: bag.merchant for bag in folder.bags}
    seen = asked.actor.merchants
    known = {
        one.id: one for one in folder.shipments if seen is None or merchants[one.bag_id] in seen
    }
    for name in shipment_ids:
        if name not in known:
            raise UnknownReference("The order has no such shipment.", shipment_id=name)
    if len({parcel.id, *shipment_ids}) != len(shipment_ids) + 1:
        raise AmountInvalid("A shipment is named twice, or is the one to merge into.")
    others = [known[name] for name in shipment_ids]
    for other in others:
        if other.bag_id != parcel.bag_id:
            raise InvalidState(
                f"Shipment {other.position} is another bag's; a shipment has one bag's items.",
                shipment_id=other.id,
            )
        _check_open(other, "merged")
    return others
