"""Units: how an item follows from the shipments that carry it. [domain.md §3, rulings 32]"""

import msgspec

from counterfoil.order.bag import Bag
from counterfoil.order.draft import Draft
from counterfoil.order.item import Item
from counterfoil.order.life import ITEM
from counterfoil.order.shipment import LEFT, Shipment

_RETURNED_FROM = ("DELIVERED", "COULD_NOT_DELIVER", "IN_TRANSIT", "SHIPPED")
_ADVANCE = ("SHIPPED", "IN_TRANSIT", "COULD_NOT_DELIVER", "DELIVERED", "RETURNED")


def restated_item(item: Item, shipments: list[Shipment]) -> Item:
    """Recount a line's units from all shipments of its order, and its delivery state from them.

    Raises TransitionNotAllowed where the item's machine does not have the step.
    """
    by_status = dict.fromkeys(_ADVANCE, 0)
    newest = None
    for shipment in shipments:
        for part in shipment.items:
            if part.item_id == item.id and shipment.status != "CANCELED":
                newest = shipment.id
                if shipment.status in LEFT:
                    by_status[shipment.status] += part.quantity
    shipped = sum(by_status.values())
    state = item.delivery_state
    stages = _with_returned(by_status, item.quantity_returned)
    if item.live == 0:
        state = "CANCELED"
    elif item.live == shipped:
        state = next(stage for stage in _ADVANCE if stages[stage] > 0)
    if state != item.delivery_state and (item.delivery_state, state) not in ITEM.jumps:
        ITEM.check(item.delivery_state, state)
    return msgspec.structs.replace(
        item,
        quantity_shipped=shipped,
        quantity_delivered=stages["DELIVERED"],
        quantity_failed=stages["COULD_NOT_DELIVER"],
        delivery_state=state,
        shipment_id=newest,
    )


def _with_returned(by_status: dict[str, int], returned: int) -> dict[str, int]:
    """Count the units that came back as returned: those of returned parcels, then delivered ones.

    Then such as could not be delivered, and at last those that are on their way by what we know.
    """
    stages = dict(by_status)
    back = max(0, returned - stages["RETURNED"])
    for stage in _RETURNED_FROM:
        taken = min(back, stages[stage])
        stages[stage] -= taken
        stages["RETURNED"] += taken
        back -= taken
    return stages


def unpacked(item: Item, shipments: list[Shipment]) -> int:
    """Count the live units that are in no shipment yet."""
    packed = sum(
        part.quantity
        for shipment in shipments
        if shipment.status != "CANCELED"
        for part in shipment.items
        if part.item_id == item.id
    )
    return max(0, item.live - packed)


def cancel_goods(draft: Draft, bags: list[Bag]) -> None:
    """Cancel what has not left in these bags: units, and the parcels they are packed in.

    A bag with nothing live left is cancelled itself, and all its value with it.
    """
    for bag in bags:
        if not bag.live:
            continue
        _unpack(draft, bag)
        shipments = draft.section("shipments")
        for item in draft.section("items"):
            if item.bag_id == bag.id and item.deliverable and item.waiting > 0:
                gone = msgspec.structs.replace(
                    item, quantity_canceled=item.quantity_canceled + item.waiting
                )
                draft.put(restated_item(gone, shipments))
        left = [item for item in draft.section("items") if item.bag_id == bag.id]
        alive = any(item.live and item.deliverable for item in left)
        value = sum(item.canceled_value for item in left) if alive else bag.total
        new: Bag = msgspec.structs.replace(
            draft.get("bags", bag.id), canceled_total=min(value, bag.total)
        )
        if not alive:
            new = msgspec.structs.replace(new, status="CANCELED")
            draft.fact("bag.status_changed", new, merchant=bag.merchant)
        draft.put(new)


def _unpack(draft: Draft, bag: Bag) -> None:
    for parcel in draft.section("shipments"):
        if parcel.bag_id == bag.id and parcel.status == "OPEN":
            gone = msgspec.structs.replace(parcel, status="CANCELED", updated_at=draft.at)
            draft.put(gone)
            draft.fact("shipment.canceled", gone, merchant=bag.merchant)
