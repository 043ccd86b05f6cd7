"""Goods that come back, without a database: orders that arrived, and what is asked of them."""

from collections.abc import Callable
from typing import Any

from counterfoil.actions.move_shipment import deliver_shipment, send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import ReceivedLine, WantedReturn, WantedReturnLine
from tests.actions.living import lived
from tests.actions.refunding import paid


def arrived(
    gateway: str = "manual", *, step: Callable[..., Change] = deliver_shipment, **more: Any
) -> Folder:
    """A paid order of which everything has left and arrived, or could not be delivered."""
    return all_gone(paid(gateway, **more), step=step)


def all_gone(order: Folder, *, step: Callable[..., Change] = deliver_shipment) -> Folder:
    """The same order, when everything has left and arrived, or could not be delivered."""
    for bag in order.bags:
        order = lived(order, ship, bag_id=bag.id, wanted=WantedShipment())
    for parcel in order.shipments:
        order = lived(order, send_shipment, shipment_id=parcel.id)
        order = lived(order, step, shipment_id=parcel.id)
    return order


def wanted(order: Folder, *units: tuple[int, int], **more: Any) -> dict[str, Any]:
    """What is asked to announce units of items, each by its place, as of the first bag."""
    lines = [WantedReturnLine(item_id=order.items[n].id, quantity=count) for n, count in units]
    return {"bag_id": order.bags[0].id, "wanted": WantedReturn(lines=lines, **more)}


def took(order: Folder, *units: tuple[int, int]) -> dict[str, Any]:
    """What is asked to take in units of the newest return."""
    lines = [ReceivedLine(item_id=order.items[n].id, quantity=count) for n, count in units]
    return {"return_id": order.returns[-1].id, "lines": lines}
