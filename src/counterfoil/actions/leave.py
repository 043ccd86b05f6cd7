"""What follows when a shipment leaves or fares on: lines, letter, money, the order's state."""

import msgspec

from counterfoil.actions.capture_shipment import capture_shipment
from counterfoil.actions.complete import complete
from counterfoil.actions.ship import check_gate
from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.kernel.problem import NotFound
from counterfoil.order.allowed import may_follow, may_send_again, require_bag
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import restated_item
from counterfoil.order.intent import Asked
from counterfoil.order.item import Item
from counterfoil.order.letters import queue_if_wanted
from counterfoil.order.packing import BACKORDERED
from counterfoil.order.problems import ShipmentUpdateNotAllowed
from counterfoil.order.shipment import Shipment
from counterfoil.order.status import Units

#: How a shipment fares: the fact of it, and the time it leaves on the shipment.
_FARES = {
    "SHIPPED": ("shipment.shipped", "shipped_at"),
    "IN_TRANSIT": ("shipment.in_transit", None),
    "DELIVERED": ("shipment.delivered", "delivered_at"),
    "COULD_NOT_DELIVER": ("shipment.failed", None),
}
#: What has to be opened for a shipment to leave.
LEAVING = ("bags", "items", "shipments", "holds", "payments", "gateways")


def find_shipment(folder: Folder, asked: Asked, shipment_id: str) -> Shipment:
    """Find a shipment that the actor may handle. Raises PermissionDenied and NotFound."""
    asked.actor.require("shipments.write")
    parcel = next((s for s in folder.shipments if s.id == shipment_id), None)
    if parcel is None:
        raise NotFound("There is no such shipment.")
    require_bag(folder, parcel.bag_id, asked.actor)
    return parcel


def check_send_gate(folder: Folder, parcel: Shipment) -> None:
    """What leaves passes the gate; a completed order's parcel may be sent again. [rulings 30]"""
    if parcel.status == "OPEN" or not may_send_again(folder.order):
        check_gate(folder)


def check_late_gate(folder: Folder) -> None:
    """Refuse to say how a shipment fares of an order that is over. [rulings 30]"""
    if not may_follow(folder.order):
        raise ShipmentUpdateNotAllowed(
            f"Shipping is locked: the order is {folder.state.name}.", state=folder.order.state
        )


def leave(draft: Draft, asked: Asked, parcel: Shipment) -> None:
    """A shipment that is in the draft leaves, for the first time or again."""
    first = parcel.status == "OPEN"
    fare(draft, parcel, "SHIPPED")
    if first:
        capture_shipment(draft, asked, parcel)
        _write_to_customer(draft, asked, parcel)


def go_on(draft: Draft) -> None:
    """The first goods that leave put a new order to work; the last ones complete it. [U-6]"""
    if draft.order.system_state == "NEW":
        draft.go_to_built_in("processing")
    complete(draft)


def fare(draft: Draft, parcel: Shipment, status: str, **more: str) -> None:
    """Say how a shipment fares, and recount the lines in it. The machine was asked before."""
    fact, stamp = _FARES[status]
    stamps = {stamp: draft.at} if stamp else {}
    new = msgspec.structs.replace(parcel, status=status, updated_at=draft.at, **stamps, **more)
    draft.put(new)
    shipments = draft.section("shipments")
    for item_id in parcel.units:
        old: Item = draft.get("items", item_id)
        item = restated_item(old, shipments)
        if old.delivery_state == BACKORDERED != item.delivery_state:
            raise TransitionNotAllowed(
                f"{item.name} is on back order; say that it is being worked on before it leaves.",
                allowed=["PROCESSING"],
                item_id=item.id,
            )
        draft.put(item)
    draft.fact(fact, new, merchant=draft.get("bags", parcel.bag_id).merchant)


def _write_to_customer(draft: Draft, asked: Asked, parcel: Shipment) -> None:
    """Tell the customer what is on its way, as the parcel is now; its number may change later."""
    queue_if_wanted(
        draft,
        "shipped",
        asked,
        items=parcel.units,
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        tracking_url=parcel.tracking_url,
        more_to_come=not Units.of(draft.section("items")).all_shipped,
    )
