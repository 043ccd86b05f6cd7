"""Units: how an item follows from the shipments that carry it. [domain.md §3, rulings 32]"""

from collections.abc import Mapping

import msgspec

from counterfoil.order.bag import Bag
from counterfoil.order.draft import Draft
from counterfoil.order.goods_return import Return
from counterfoil.order.item import Item
from counterfoil.order.life import ITEM
from counterfoil.order.losing import lose
from counterfoil.order.moves import with_refunded
from counterfoil.order.refund import Refund
from counterfoil.order.refunding import prices_of
from counterfoil.order.shipment import LEFT, Shipment, ShipmentItem

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
        if bag.live:
            items = [item for item in draft.section("items") if item.bag_id == bag.id]
            cancel_units(draft, bag, {item.id: item.waiting for item in items if item.deliverable})


def cancel_units(draft: Draft, bag: Bag, units: Mapping[str, int]) -> None:
    """Cancel so many waiting units of a bag's lines, and take them out of parcels here.

    What the bag is worth falls by what was paid for them and the tax on it; what was given back as
    lines of refunds for such units went back for that. A bag with nothing live left is cancelled,
    with all that is left of it. `units` are by item.
    """
    inside = [item for item in draft.section("items") if item.bag_id == bag.id]
    prices = prices_of(bag, inside)
    value = back = 0
    for item in inside:
        count = units.get(item.id, 0)
        if count <= 0:
            continue
        assert item.deliverable, item.name
        assert count <= item.waiting, f"{count} of {item.waiting} of {item.id}"
        lost = lose(item, count, prices, *_refunds_and_returns(draft))
        value, back = value + lost.value, back + lost.given
        gone = msgspec.structs.replace(
            item,
            quantity_canceled=item.quantity_canceled + count,
            canceled_refunded=item.canceled_refunded + lost.refunded,
        )
        _unpack(draft, bag, gone)
        draft.put(restated_item(gone, draft.section("shipments")))
    now: Bag = draft.get("bags", bag.id)
    if back:
        now = with_refunded(now, now.worth_refunded + back)
    if any(item.deliverable and item.live > units.get(item.id, 0) for item in inside):
        worth = min(now.canceled_total + value, now.total)
        draft.put(msgspec.structs.replace(now, canceled_total=worth))
        return
    dead = msgspec.structs.replace(now, canceled_total=now.total, status="CANCELED")
    draft.put(dead)
    draft.fact("bag.status_changed", dead, merchant=bag.merchant)


def _refunds_and_returns(draft: Draft) -> tuple[list[Refund], list[Return]]:
    """What may have given something back for units; nothing where nobody looks into it."""
    opened = draft.before.opened
    refunds = draft.section("refunds") if opened("refunds") else []
    return refunds, draft.section("returns") if opened("returns") else []


def _unpack(draft: Draft, bag: Bag, item: Item) -> None:
    """Take what is cancelled of a line out of parcels that are here, the newest first.

    What is in no parcel goes first; a parcel with nothing left in it is cancelled.
    """
    packed = sum(part.quantity for part in _packed(draft, bag, item.id))
    over = packed - item.waiting
    for parcel in reversed(draft.section("shipments")):
        part = next((one for one in parcel.items if one.item_id == item.id), None)
        if over <= 0 or part is None or parcel.status != "OPEN":
            continue
        taken = min(over, part.quantity)
        over -= taken
        _take_out(draft, bag, parcel, part, taken)


def _packed(draft: Draft, bag: Bag, item_id: str) -> list[ShipmentItem]:
    return [
        part
        for parcel in draft.section("shipments")
        if parcel.bag_id == bag.id and parcel.status == "OPEN"
        for part in parcel.items
        if part.item_id == item_id
    ]


def _take_out(
    draft: Draft, bag: Bag, parcel: Shipment, part: ShipmentItem, count: int
) -> None:
    others = [one for one in parcel.items if one.item_id != part.item_id]
    if count < part.quantity:
        others.append(ShipmentItem(part.item_id, part.quantity - count))
    if others:
        less = msgspec.structs.replace(parcel, items=others, updated_at=draft.at)
        draft.put(less)
        draft.fact("shipment.updated", less, merchant=bag.merchant, fields=["items"])
        return
    gone = msgspec.structs.replace(parcel, status="CANCELED", updated_at=draft.at)
    draft.put(gone)
    draft.fact("shipment.canceled", gone, merchant=bag.merchant)
