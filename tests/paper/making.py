"""Folders of goods, made without a database, for slips to be printed from."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from counterfoil.order.actor import Actor
from counterfoil.order.bag import Bag
from counterfoil.order.config import OrderState, ShipmentMethod, Store
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.order import Order
from counterfoil.order.shipment import Shipment, ShipmentItem

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NO_MONEY = {"sub_total": 0, "shipping_total": 0, "tax_total": 0, "duty_total": 0,
            "discount_total": 0, "total": 0}
ADMIN = Actor(kind="user", id="anna", name="Anna", account_id="a", rights=frozenset({"*"}),
              credential="user:anna")
ACME = msgspec.structs.replace(ADMIN, merchants=frozenset({"acme"}))
STORE = Store(id="s", code="main", name="Nordlys Handel", currency="NOK", created_at=NOON)
STATE = OrderState(id="n", store="main", code="new", name="New", system_state="NEW")
METHODS = (ShipmentMethod(id="m", store="main", code="bring", name="Bring home"),)
NAMES = ("محمد الأحمد", "株式会社サンプル", "Bjørn Åse Ægir", "김철수", "Ελένη", "שלום", "สมชาย")


def line(key: str, quantity: int = 1, bag: str = "b1", **more: Any) -> Item:
    given = {"name": f"Article {key}", "sku": f"SKU-{key}", "unit_price": 1250, **more}
    return Item(id=key, order_id="o", bag_id=bag, position=0, quantity=quantity,
                line_total=quantity * given["unit_price"], **given)


def parcel(key: str, of: dict[str, int], status: str = "OPEN", **more: Any) -> Shipment:
    at = NOON + timedelta(minutes=more.pop("minute", 0))
    left = at if status != "OPEN" else None
    given = {"bag_id": "b1", "method": "bring", **more}
    return Shipment(
        id=key, order_id="o", position=0, status=status, shipped_at=left, created_at=at,
        updated_at=at, items=[ShipmentItem(item, count) for item, count in of.items()], **given,
    )


def folder(*items: Item, shipments: tuple[Shipment, ...] = (), **more: Any) -> Folder:
    order = {
        "number": "10412", "customer": {}, "shipping_method": "bring", "tags": [],
        "shipping_address": {"name": "Kari Nordmann", "line1": "Storgata 1", "city": "Oslo",
                             "postal_code": "0155", "country": "NO"},
        **more.pop("order", {}),
    }
    bags = more.pop("bags", {"b1": "acme"})
    return Folder(
        order=Order(id="o", store="main", channel="api", state="new", system_state="NEW",
                    currency="NOK", placed_at=NOON, created_at=NOON, updated_at=NOON,
                    **NO_MONEY, **order),
        store=more.pop("store", STORE), state=STATE, at=NOON, methods=METHODS,
        bags=tuple(Bag(id=key, order_id="o", merchant=code, position=n, **NO_MONEY)
                   for n, (key, code) in enumerate(bags.items())),
        items=items, shipments=shipments, notes=more.pop("notes", ()),
        merchants={code: code.title() for code in bags.values()},
    )
