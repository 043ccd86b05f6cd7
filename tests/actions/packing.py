"""Parcels of an order made without a database: packed, sent, and what is in them."""

from contextlib import suppress
from typing import Any

from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.kernel.problem import Problem
from counterfoil.order.folder import Folder
from counterfoil.order.life import ITEM
from counterfoil.order.shipment import LEFT, ShipmentItem
from tests.actions.living import act, lived
from tests.actions.making import folder as made

PENS = {"sku": "PEN-1", "name": "Pen", "quantity": 3, "unit_price": 300}
INK = {"sku": "INK-1", "name": "Ink", "quantity": 1, "unit_price": 700}


def two_lines(gateway: str | None = "manual", **more: Any) -> Folder:
    """An order of one bag with three pens and one ink, and another bag with a shirt."""
    bags = [
        {"merchant": "acme", "shipping_total": 400, "items": [PENS, INK]},
        {
            "merchant": "zeta",
            "items": [{"sku": "TEE-M", "name": "T-shirt", "quantity": 1, "unit_price": 2000}],
        },
    ]
    return made(gateway, bags=bags, **more)


def packed(
    order: Folder, parts: dict[str, int] | None = None, *, bag: int = 0, **more: Any
) -> Folder:
    """Make up a parcel of a bag: of so many units of each named line, or of all that is left."""
    ids = {item.name: item.id for item in order.items}
    items = [ShipmentItem(ids[name], units) for name, units in (parts or {}).items()]
    wanted = WantedShipment(items=items, **more)
    return lived(order, ship, bag_id=order.bags[bag].id, wanted=wanted)


def sent(order: Folder, which: int = -1) -> Folder:
    """Let a parcel leave."""
    return lived(order, send_shipment, shipment_id=order.shipments[which].id)


def line(order: Folder, name: str) -> Any:
    """Find a line by its name."""
    return next(item for item in order.items if item.name == name)


def inside(order: Folder) -> list[tuple[str, str | None, str | None, dict[str, int]]]:
    """List the shipments: status, method, tracking number, and units by name."""
    names = {item.id: item.name for item in order.items}
    return [
        (
            parcel.status,
            parcel.method,
            parcel.tracking_number,
            {names[item_id]: units for item_id, units in parcel.units.items()},
        )
        for parcel in order.shipments
    ]


def alive(order: Folder) -> list[tuple[str, str | None, str | None, dict[str, int]]]:
    """List the shipments that are not cancelled, as `inside` does."""
    return [one for one in inside(order) if one[0] != "CANCELED"]


def possible_states(order: Folder, item_id: str) -> list[str]:
    """List the states that a line may be put in now."""
    found = []
    for state in ITEM.statuses:
        with suppress(Problem):
            if not act(order, set_delivery_state, item_id=item_id, state=state).nothing:
                found.append(state)
    return found


def units_are_whole(order: Folder) -> None:
    """No unit is in two parcels, and what left of a line is what its parcels say."""
    for item in order.items:
        parcels = [one for one in order.shipments if one.status != "CANCELED"]
        everywhere = sum(one.units.get(item.id, 0) for one in parcels)
        gone = sum(one.units.get(item.id, 0) for one in parcels if one.status in LEFT)
        assert everywhere <= item.live
        assert item.quantity_shipped == gone
        assert item.quantity_delivered + item.quantity_failed + item.quantity_returned <= gone
    numbers = [number for one in order.shipments for number in one.numbers]
    assert len(numbers) == len(set(numbers))
    assert all(one.items for one in order.shipments)
