"""Choose by which method goods travel: all that has not left, or some lines of it."""

from collections.abc import Sequence

import msgspec

from counterfoil.actions.ship import check_gate, find_method
from counterfoil.order.bag import Bag
from counterfoil.order.change import Change
from counterfoil.order.config import ShipmentMethod
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import unpacked
from counterfoil.order.intent import Asked
from counterfoil.order.item import Item
from counterfoil.order.opening import opens
from counterfoil.order.packing import opened, pack, put_in, restate, set_method, take_out
from counterfoil.order.problems import ShipmentUpdateNotAllowed, UnknownReference
from counterfoil.order.shipment import Shipment, ShipmentItem
from counterfoil.order.telling import TOLD, visible_bags


@opens(*TOLD, "methods")
def choose_method(
    folder: Folder, *, asked: Asked, method: str, items: Sequence[str] | None = None
) -> Change:
    """Move what has not left of these lines, or of all, into one open shipment a bag and method.

    Units that travel by that method under a tracking number already stay where they are. A
    shipment keeps its numbers for what stays in it; what moves has none yet; one that is emptied
    is cancelled. Where all that is sent of the order travels by it, so does the order. Raises, in
    this order: PermissionDenied, ShipmentUpdateNotAllowed (the gate), UnknownReference (the
    method, a line), ShipmentUpdateNotAllowed (it has left, nothing is left).
    [U-19…U-25, domain.md §3]
    """
    asked.actor.require("shipments.write")
    check_gate(folder)
    chosen = find_method(folder, method)
    assert chosen is not None
    bags = [bag for bag in visible_bags(folder, asked.actor) if bag.live]
    lines = _lines(folder, bags, items)
    draft = Draft(folder, asked.actor)
    for bag in bags:
        own = [item for item in lines if item.bag_id == bag.id]
        if own:
            _gather(draft, bag, own, chosen)
    set_method(draft, [item.id for item in lines], chosen.code)
    every = {item.id for item in folder.items if _is_sent(item) and item.waiting > 0}
    before = folder.order.shipping_method
    if every <= {item.id for item in lines} and before != chosen.code:
        draft.set_order(shipping_method=chosen.code)
        draft.fact(
            "order.updated",
            fields=["shipping_method"],
            before={"shipping_method": before},
            after={"shipping_method": chosen.code},
        )
    if draft.next_sequence == folder.order.version + 1:
        return Change.none(folder, folder.order)
    return draft.change(folder.order)


def _is_sent(item: Item) -> bool:
    return item.deliverable and not item.digital


def _lines(folder: Folder, bags: Sequence[Bag], named: Sequence[str] | None) -> list[Item]:
    """Find the lines whose method may be chosen, or say why that of one may not."""
    own = {bag.id for bag in bags}
    able = [i for i in folder.items if i.bag_id in own and _is_sent(i) and i.waiting > 0]
    if named is None:
        if not able:
            raise ShipmentUpdateNotAllowed(
                "Everything has left or is cancelled: no method can change any more."
            )
        return able
    known = {item.id: item for item in folder.items if item.bag_id in own}
    for item_id in named:
        item = known.get(item_id)
        if item is None:
            raise UnknownReference("The order has no such item.", item_id=item_id)
        if not _is_sent(item):
            raise UnknownReference(f"{item.name} is nothing that is sent.", item_id=item_id)
    for item_id in named:
        item = known[item_id]
        if item.waiting <= 0:
            what = "has left" if item.live else "is cancelled"
            raise ShipmentUpdateNotAllowed(
                f"{item.name} {what}: its method cannot change any more.", item_id=item_id
            )
    return [item for item in able if item.id in set(named)]


def _gather(draft: Draft, bag: Bag, lines: Sequence[Item], chosen: ShipmentMethod) -> None:
    """Bring what has not left of some lines of a bag together under a method."""
    ids = {item.id for item in lines}
    shipments: list[Shipment] = draft.section("shipments")
    coming = {item.id: left for item in lines if (left := unpacked(item, shipments)) > 0}
    sources = [
        (parcel, moved)
        for parcel in shipments
        if parcel.bag_id == bag.id
        and parcel.status == "OPEN"
        and not (parcel.method == chosen.code and parcel.numbers)
        and (moved := {i: units for i, units in parcel.units.items() if i in ids})
    ]
    target = _target(draft, bag, sources, chosen)
    for parcel, moved in sources:
        if target is None or parcel.id != target.id:
            take_out(draft, parcel, moved)
            for item_id, units in moved.items():
                coming[item_id] = coming.get(item_id, 0) + units
    if target is None and coming:
        parts = [ShipmentItem(item_id, units) for item_id, units in coming.items()]
        made = opened(draft, bag.id, chosen.code, parts)
        pack(draft, msgspec.structs.replace(made, carrier=chosen.carrier))
    elif target is not None and coming:
        put_in(draft, draft.get("shipments", target.id), coming)
    restate(draft, ids)


def _target(
    draft: Draft,
    bag: Bag,
    sources: Sequence[tuple[Shipment, dict[str, int]]],
    chosen: ShipmentMethod,
) -> Shipment | None:
    """Find the open shipment of the method that has no number, to put the rest into.

    Else one without a number of which everything is chosen: its method changes. None: it takes a
    new shipment.
    """
    for parcel in draft.section("shipments"):
        ready = parcel.status == "OPEN" and parcel.bag_id == bag.id and not parcel.numbers
        if ready and parcel.method == chosen.code:
            found: Shipment = parcel
            return found
    for parcel, moved in sources:
        if moved == parcel.units and not parcel.numbers:
            new = msgspec.structs.replace(
                parcel, method=chosen.code, carrier=chosen.carrier, updated_at=draft.at
            )
            draft.put(new)
            draft.fact("shipment.updated", new, merchant=bag.merchant, fields=["method", "carrier"])
            return new
    return None
