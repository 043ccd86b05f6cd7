"""Packing: units into shipments and between them, and the numbers on them; all in a draft.

`shipments[].items` is the truth, and lines are recounted from it. [domain.md §3, rulings 31, 32]
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.order.bag import Bag
from counterfoil.order.carriers import tracking_address
from counterfoil.order.config import ShipmentMethod
from counterfoil.order.draft import Draft
from counterfoil.order.goods import restated_item
from counterfoil.order.item import Item
from counterfoil.order.life import ITEM
from counterfoil.order.problems import (
    AmountInvalid,
    TrackingNotAllowed,
    TrackingNumberTaken,
    UnknownReference,
)
from counterfoil.order.shipment import Shipment, ShipmentItem

BACKORDERED = "BACKORDERED"


def check_parts(parts: Sequence[ShipmentItem], left: Mapping[str, tuple[str, int]]) -> None:
    """Refuse what cannot be packed. `left`: by line its name and how many units there are.

    Raises AmountInvalid and UnknownReference.
    """
    if len({part.item_id for part in parts}) != len(parts):
        raise AmountInvalid("An item is named twice.")
    for part in parts:
        if part.item_id not in left:
            raise UnknownReference("There is no such item here.", item_id=part.item_id)
        name, units = left[part.item_id]
        if not 0 < part.quantity <= units:
            raise AmountInvalid(
                f"{part.quantity} of {name} is not between 1 and the {units} left.",
                item_id=part.item_id,
                left=units,
            )


def check_numbers(shipments: Iterable[Shipment], wanted: Sequence[str], own: str | None) -> None:
    """Refuse a number that is named twice or that another shipment of the order has.

    One of a cancelled shipment is free again. Raises TrackingNumberTaken. [U-25]
    """
    if len(set(wanted)) != len(wanted):
        raise TrackingNumberTaken("A tracking number is named twice; each parcel has its own.")
    for shipment in shipments:
        if shipment.id == own or shipment.status == "CANCELED":
            continue
        for number in shipment.numbers:
            if number in wanted:
                raise TrackingNumberTaken(
                    f"Shipment {shipment.position} has {number}.", shipment_id=shipment.id
                )


def check_in_stock(items: Iterable[Item]) -> None:
    """Refuse to confirm for delivery what is on back order. Raises TrackingNotAllowed."""
    missing = [item.name for item in items if item.delivery_state == BACKORDERED]
    if missing:
        raise TrackingNotAllowed(f"On back order: {', '.join(missing)}.")


def addressed(parcel: Shipment, method: ShipmentMethod | None) -> Shipment:
    """The shipment with the address that each of its numbers is tracked at.

    That of the method, else of the carrier; one that is not named may be in the method's name.
    """
    pattern = method.tracking_url if method is not None else None
    carrier = parcel.carrier or (method.name if method is not None else None)

    def at(number: str | None) -> str | None:
        return tracking_address(pattern, carrier, number)

    return msgspec.structs.replace(
        parcel,
        tracking_url=at(parcel.tracking_number),
        parcels=[
            msgspec.structs.replace(one, tracking_url=at(one.tracking_number))
            for one in parcel.parcels
        ],
    )


def opened(
    draft: Draft, bag_id: str, method: str | None, items: Sequence[ShipmentItem]
) -> Shipment:
    """Make a shipment that has no number yet; it is in no draft before it is packed."""
    return Shipment(
        id=new_id(),
        order_id=draft.order.id,
        bag_id=bag_id,
        position=len(draft.section("shipments")) + 1,
        method=method,
        items=list(items),
        created_at=draft.at,
        updated_at=draft.at,
    )


def pack(draft: Draft, parcel: Shipment) -> None:
    """Add a new shipment; a number on it confirms its lines for delivery. [rulings 31]"""
    draft.add(parcel)
    take_numbers(draft, parcel)
    if parcel.numbers:
        confirm(draft, parcel.units)
    if parcel.method is not None:
        set_method(draft, parcel.units, parcel.method)
    restate(draft, parcel.units)
    draft.fact("shipment.created", parcel, merchant=_bag(draft, parcel).merchant)


def confirm(draft: Draft, item_ids: Iterable[str]) -> None:
    """Confirm lines for delivery: those that nobody has confirmed yet become READY."""
    for item_id in item_ids:
        item: Item = draft.get("items", item_id)
        if item.delivery_state in ("PENDING", "PROCESSING"):
            state = ITEM.check(item.delivery_state, "READY")
            draft.put(msgspec.structs.replace(item, delivery_state=state))


def set_method(draft: Draft, item_ids: Iterable[str], method: str) -> None:
    """Tell of lines by which method they travel."""
    for item_id in item_ids:
        item: Item = draft.get("items", item_id)
        if item.shipping_method != method:
            draft.put(msgspec.structs.replace(item, shipping_method=method))


def take_numbers(draft: Draft, parcel: Shipment) -> None:
    """Take the numbers of a shipment away from cancelled ones that have them."""
    taken = set(parcel.numbers)
    for old in draft.section("shipments"):
        if old.id == parcel.id or taken.isdisjoint(old.numbers):
            continue
        own = None if old.tracking_number in taken else old.tracking_number
        draft.put(
            msgspec.structs.replace(
                old,
                tracking_number=own,
                tracking_url=old.tracking_url if own else None,
                parcels=[one for one in old.parcels if one.tracking_number not in taken],
                updated_at=draft.at,
            )
        )


def put_in(draft: Draft, parcel: Shipment, units: Mapping[str, int]) -> None:
    """Put more units into an open shipment that is in the draft."""
    inside = {**parcel.units}
    for item_id, more in units.items():
        inside[item_id] = inside.get(item_id, 0) + more
    _refill(draft, parcel, inside)


def take_out(draft: Draft, parcel: Shipment, units: Mapping[str, int]) -> None:
    """Take units out of an open shipment; one that is emptied is cancelled."""
    inside = {
        item_id: left
        for item_id, quantity in parcel.units.items()
        if (left := quantity - units.get(item_id, 0)) > 0
    }
    if inside:
        _refill(draft, parcel, inside)
    else:
        call_off(draft, parcel)


def call_off(draft: Draft, parcel: Shipment) -> None:
    """Cancel a shipment; what it holds then is kept as a record, and counts no more."""
    gone = msgspec.structs.replace(parcel, status="CANCELED", updated_at=draft.at)
    draft.put(gone)
    draft.fact("shipment.canceled", gone, merchant=_bag(draft, parcel).merchant)


def _refill(draft: Draft, parcel: Shipment, inside: Mapping[str, int]) -> None:
    items = [ShipmentItem(item_id, quantity) for item_id, quantity in inside.items()]
    new = msgspec.structs.replace(parcel, items=items, updated_at=draft.at)
    draft.put(new)
    merchant = _bag(draft, parcel).merchant
    draft.fact("shipment.updated", new, merchant=merchant, fields=["items"])


def restate(draft: Draft, item_ids: Iterable[str]) -> None:
    """Recount lines from the shipments as they are in the draft."""
    shipments = draft.section("shipments")
    for item_id in item_ids:
        draft.put(restated_item(draft.get("items", item_id), shipments))


def _bag(draft: Draft, parcel: Shipment) -> Bag:
    found: Bag = draft.get("bags", parcel.bag_id)
    return found
