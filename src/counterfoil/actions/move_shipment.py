"""Say how a shipment fares: it left, it arrived, it could not be delivered."""

import msgspec

from counterfoil.actions.ship import (
    check_gate,
    check_tracking_number,
    find_method,
    promised_method,
    tracking_url,
)
from counterfoil.kernel.problem import NotFound
from counterfoil.order.allowed import may_follow, may_send_again, require_bag
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import restated_item
from counterfoil.order.intent import Asked
from counterfoil.order.item import CONFIRMED, Item
from counterfoil.order.letters import queue_if_wanted
from counterfoil.order.life import SHIPMENT
from counterfoil.order.opening import opens
from counterfoil.order.problems import ShipmentUpdateNotAllowed, TrackingNotAllowed
from counterfoil.order.shipment import Shipment
from counterfoil.order.status import Units


@opens("bags", "items", "shipments", "holds")
def send_shipment(folder: Folder, *, asked: Asked, shipment_id: str) -> Change:
    """The shipment leaves. The first one puts a new order to work; the last one completes it.

    Raises, in this order: PermissionDenied, NotFound, TransitionNotAllowed,
    ShipmentUpdateNotAllowed. [domain.md §2, rulings 29, 30]
    """
    parcel = _find(folder, asked, shipment_id)
    SHIPMENT.check(parcel.status, "SHIPPED")
    if not asked.instant:
        _check_send_gate(folder, parcel)
    draft = _moved(folder, asked, parcel, "SHIPPED", "shipment.shipped", "shipped_at")
    if parcel.status == "OPEN":
        _write_to_customer(draft, asked, parcel)
    units = Units.of(draft.section("items"))
    if draft.order.system_state == "NEW":
        draft.go_to_built_in("processing")
    done = units.all_shipped and not folder.order.hold_shipment and not folder.order.hold_capture
    if done and draft.order.system_state == "PROCESSING":
        draft.go_to_built_in("completed")
        draft.fact("order.completed")
    return draft.change(draft.get("shipments", parcel.id))


@opens("bags", "items", "shipments", "holds")
def deliver_shipment(folder: Folder, *, asked: Asked, shipment_id: str) -> Change:
    """The customer has it. Raises PermissionDenied, NotFound, TransitionNotAllowed."""
    parcel = _find(folder, asked, shipment_id)
    SHIPMENT.check(parcel.status, "DELIVERED")
    _check_late_gate(folder)
    draft = _moved(folder, asked, parcel, "DELIVERED", "shipment.delivered", "delivered_at")
    return draft.change(draft.get("shipments", parcel.id))


@opens("bags", "items", "shipments", "holds")
def fail_shipment(folder: Folder, *, asked: Asked, shipment_id: str) -> Change:
    """The carrier gave up. Raises PermissionDenied, NotFound, TransitionNotAllowed."""
    parcel = _find(folder, asked, shipment_id)
    SHIPMENT.check(parcel.status, "COULD_NOT_DELIVER")
    _check_late_gate(folder)
    draft = _moved(folder, asked, parcel, "COULD_NOT_DELIVER", "shipment.failed", None)
    return draft.change(draft.get("shipments", parcel.id))


class NewShipping(msgspec.Struct, frozen=True, kw_only=True):
    """What to change on a shipment; absent fields stay."""

    tracking_number: str | msgspec.UnsetType | None = msgspec.UNSET
    carrier: str | msgspec.UnsetType | None = msgspec.UNSET
    method: str | msgspec.UnsetType = msgspec.UNSET


@opens("bags", "items", "shipments", "methods", "holds", "payments", "refunds", "notes", "returns")
def update_shipment(
    folder: Folder, *, asked: Asked, shipment_id: str, wanted: NewShipping
) -> Change:
    """Change tracking number, carrier or method.

    Raises, in this order: PermissionDenied, NotFound, ShipmentUpdateNotAllowed, TrackingNotAllowed,
    UnknownReference, TrackingNumberTaken. [U-18…U-25, rulings 30, 31]
    """
    parcel = _find(folder, asked, shipment_id)
    left = parcel.status != "OPEN"
    if left:
        _check_late_gate(folder)
        if wanted.method is not msgspec.UNSET:
            raise ShipmentUpdateNotAllowed("It has left: its method cannot change any more.")
    else:
        check_gate(folder)
    fields = {
        name: value
        for name in ("tracking_number", "carrier", "method")
        if (value := getattr(wanted, name)) is not msgspec.UNSET and value != getattr(parcel, name)
    }
    if not fields:
        return Change.none(folder, parcel)
    number = fields.get("tracking_number")
    if number is not None and not left:
        _check_confirmed(folder, parcel)
    chosen = find_method(folder, fields.get("method"))
    check_tracking_number(folder, number, parcel.id)
    method = chosen or promised_method(folder, parcel.method)
    draft = Draft(folder, asked.actor)
    new = msgspec.structs.replace(parcel, updated_at=draft.at, **fields)
    if chosen and "carrier" not in fields:
        new = msgspec.structs.replace(new, carrier=chosen.carrier)
    new = msgspec.structs.replace(new, tracking_url=tracking_url(method, new.tracking_number))
    draft.put(new)
    if chosen:
        for item in _inside(draft, parcel):
            draft.put(msgspec.structs.replace(item, shipping_method=chosen.code))
    draft.fact("shipment.updated", new, merchant=_merchant(folder, parcel), fields=list(fields))
    return draft.change(new, retell="tracking_number" in fields)


def _find(folder: Folder, asked: Asked, shipment_id: str) -> Shipment:
    asked.actor.require("shipments.write")
    parcel = next((s for s in folder.shipments if s.id == shipment_id), None)
    if parcel is None:
        raise NotFound("There is no such shipment.")
    require_bag(folder, parcel.bag_id, asked.actor)
    return parcel


def _check_send_gate(folder: Folder, parcel: Shipment) -> None:
    """What leaves passes the gate; a completed order's parcel may be sent again. [rulings 30]"""
    if parcel.status == "OPEN" or not may_send_again(folder.order):
        check_gate(folder)


def _check_late_gate(folder: Folder) -> None:
    if not may_follow(folder.order):
        raise ShipmentUpdateNotAllowed(
            f"Shipping is locked: the order is {folder.state.name}.", state=folder.order.state
        )


def _check_confirmed(folder: Folder, parcel: Shipment) -> None:
    inside = {part.item_id for part in parcel.items}
    unready = [i.name for i in folder.items if i.id in inside and i.delivery_state not in CONFIRMED]
    if unready:
        raise TrackingNotAllowed(f"Not confirmed for delivery: {', '.join(unready)}.")


def _merchant(folder: Folder, parcel: Shipment) -> str:
    return next(bag.merchant for bag in folder.bags if bag.id == parcel.bag_id)


def _moved(
    folder: Folder, asked: Asked, parcel: Shipment, status: str, fact: str, stamp: str | None
) -> Draft:
    draft = Draft(folder, asked.actor)
    stamps = {stamp: draft.at} if stamp else {}
    new = msgspec.structs.replace(parcel, status=status, updated_at=draft.at, **stamps)
    draft.put(new)
    shipments = draft.section("shipments")
    for item in _inside(draft, parcel):
        draft.put(restated_item(item, shipments))
    draft.fact(fact, new, merchant=_merchant(folder, parcel))
    return draft


def _write_to_customer(draft: Draft, asked: Asked, parcel: Shipment) -> None:
    """Tell the customer what is on its way, as the parcel is now; its number may change later."""
    queue_if_wanted(
        draft,
        "shipped",
        asked,
        items={part.item_id: part.quantity for part in parcel.items},
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        tracking_url=parcel.tracking_url,
        more_to_come=not Units.of(draft.section("items")).all_shipped,
    )


def _inside(draft: Draft, parcel: Shipment) -> list[Item]:
    inside = {part.item_id for part in parcel.items}
    return [item for item in draft.section("items") if item.id in inside]
