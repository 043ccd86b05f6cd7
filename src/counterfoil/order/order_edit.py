"""The edit: how an order looked before somebody changed it, and after."""

from datetime import datetime
from typing import Any

import msgspec


class EditedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as one version of the order had it; `quantity` counts live units."""

    item_id: str
    bag_id: str
    sku: str | None
    name: str
    quantity: int
    unit_price: int


class EditedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of an order was like: lines, shipping by bag, addresses, and its worth.

    `total` is what it comes to, cancelled units taken off, in minor units.
    """

    lines: list[EditedLine]
    shipping: dict[str, int]
    shipping_address: dict[str, Any] | None
    billing_address: dict[str, Any] | None
    total: int


class OrderEdit(msgspec.Struct, frozen=True, kw_only=True):
    """An edit as stored; it is only ever added. Edit n makes version n + 1 of the order."""

    id: str
    order_id: str
    position: int
    note: str | None = None
    before: EditedOrder
    after: EditedOrder
    actor: dict[str, Any]
    created_at: datetime
