"""Say of one line how far it has come; its shipments follow."""

import msgspec

from counterfoil.actions.leave import check_late_gate, check_send_gate, fare, go_on, leave
from counterfoil.actions.ship import check_gate, promised_method
from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.kernel.problem import NotFound
from counterfoil.order.allowed import require_bag
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import unpacked
from counterfoil.order.intent import Asked
from counterfoil.order.item import BEFORE_SHIPPED, Item
from counterfoil.order.life import ITEM, SHIPMENT
from counterfoil.order.opening import opens
from counterfoil.order.packing import opened, pack, restate, take_out
from counterfoil.order.problems import InvalidState
from counterfoil.order.shipment import Shipment, ShipmentItem
from counterfoil.order.telling import TOLD

#: States that a line is put in by something else, and by what.
ELSEWHERE = {
    "RETURNED": "Record a return: that says how many units came back.",
    "CANCELED": "Cancel the line: that settles its money too.",
}


@opens(*TOLD, "gateways", "methods")
def set_delivery_state(folder: Folder, *, asked: Asked, item_id: str, state: str) -> Change:
    """Put a line in a delivery state.

    SHIPPED: what of it has not left leaves. An open shipment that holds nothing else is sent; of
    one that holds other lines too, and of what is in none, a shipment is made and sent.
    IN_TRANSIT, DELIVERED and COULD_NOT_DELIVER, and SHIPPED once more after that, are said of the
    line's shipments, which may hold nothing else. The state it is in already changes nothing.

    Raises, in this order: PermissionDenied, NotFound, TransitionNotAllowed (returned, cancelled),
    ShipmentUpdateNotAllowed, InvalidState (nothing of it is sent), TransitionNotAllowed.
    [U-14…U-17, rulings 29, 30, 32]
    """
    item = _find(folder, asked, item_id)
    if item.delivery_state == state:
        return Change.none(folder, folder.order)
    if state in ELSEWHERE:
        raise TransitionNotAllowed(ELSEWHERE[state], allowed=ITEM.targets(item.delivery_state))
    _check_gate(folder, item, state)
    if not item.deliverable or item.digital:
        raise InvalidState(f"{item.name} is nothing that is sent.", item_id=item.id)
    ITEM.check(item.delivery_state, state)
    draft = Draft(folder, asked.actor)
    if state in BEFORE_SHIPPED:
        draft.put(msgspec.structs.replace(item, delivery_state=state))
    elif state == "SHIPPED" and item.waiting > 0:
        for parcel in _leaving(draft, item):
            leave(draft, asked, parcel)
    else:
        for parcel in _faring(folder, item, state):
            if state == "SHIPPED":
                leave(draft, asked, parcel)
            else:
                fare(draft, parcel, state)
    now: Item = draft.get("items", item.id)
    draft.fact(
        "item.state_changed",
        merchant=draft.get("bags", item.bag_id).merchant,
        item_id=item.id,
        name=item.name,
        **{"from": item.delivery_state, "to": now.delivery_state},
    )
    if state == "SHIPPED":
        go_on(draft)
    return draft.change(folder.order)


def _find(folder: Folder, asked: Asked, item_id: str) -> Item:
    asked.actor.require("shipments.write")
    item = next((item for item in folder.items if item.id == item_id), None)
    if item is None:
        raise NotFound("The order has no such item.")
    require_bag(folder, item.bag_id, asked.actor)
    return item


def _check_gate(folder: Folder, item: Item, state: str) -> None:
    """What happens before goods leave passes the gate; what they do then, a wider one."""
    if state in BEFORE_SHIPPED or (state == "SHIPPED" and item.waiting > 0):
        check_gate(folder)
        return
    check_late_gate(folder)
    if state == "SHIPPED":
        for parcel in folder.shipments:
            if item.id in parcel.units and parcel.status == "COULD_NOT_DELIVER":
                check_send_gate(folder, parcel)


def _leaving(draft: Draft, item: Item) -> list[Shipment]:
    """Bring what of a line has not left into open shipments that hold nothing else."""
    found = []
    loose = unpacked(item, draft.section("shipments"))
    for parcel in draft.section("shipments"):
        units = parcel.units.get(item.id, 0)
        if parcel.status != "OPEN" or not units:
            continue
        if len(parcel.items) == 1:
            found.append(parcel.id)
        else:
            take_out(draft, parcel, {item.id: units})
            found.append(_own(draft, item, units, like=parcel))
    if loose:
        found.append(_own(draft, item, loose))
    restate(draft, [item.id])
    return [draft.get("shipments", parcel_id) for parcel_id in found]


def _own(draft: Draft, item: Item, units: int, *, like: Shipment | None = None) -> str:
    """Make a shipment of units of one line; it travels as the one it comes from, without number."""
    code = like.method if like else item.shipping_method or draft.order.shipping_method
    method = promised_method(draft.before, code)
    carrier = like.carrier if like else method.carrier if method else None
    made = opened(draft, item.bag_id, code, [ShipmentItem(item.id, units)])
    pack(draft, msgspec.structs.replace(made, carrier=carrier))
    return made.id


def _faring(folder: Folder, item: Item, state: str) -> list[Shipment]:
    """Find the line's shipments of which that can be said; each must hold nothing else."""
    found = [
        parcel
        for parcel in folder.shipments
        if item.id in parcel.units and SHIPMENT.edge(parcel.status, state) is not None
    ]
    for parcel in found:
        if len(parcel.items) > 1:
            raise TransitionNotAllowed(
                f"Shipment {parcel.position} holds other items too; say it of the shipment.",
                allowed=[],
                shipment_id=parcel.id,
            )
    return found
