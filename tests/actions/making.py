"""Orders made without a database: a desk, an actor, a folder."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from counterfoil.actions.place import place
from counterfoil.order.actor import Actor
from counterfoil.order.capability import CAPABILITIES
from counterfoil.order.change import Change
from counterfoil.order.config import ShipmentMethod, Store
from counterfoil.order.draft import built_in
from counterfoil.order.folder import Folder
from counterfoil.order.intake import Desk, WantedOrder
from counterfoil.order.intent import Asked
from counterfoil.order.payment import GatewayOfPayment

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ADMIN = Actor(
    kind="user",
    id="anna",
    name="Anna Berg",
    account_id="a",
    rights=frozenset({"*"}),
    credential="user:anna",
)
STATES = tuple(
    built_in(code, "main")
    for code in (
        "new",
        "processing",
        "completed",
        "canceled",
        "cancel_requested",
        "fraud",
        "suspended",
    )
)
METHODS = (
    ShipmentMethod(id="m1", store="main", code="standard", name="Standard"),
    ShipmentMethod(
        id="m2",
        store="main",
        code="bring",
        name="Bring",
        carrier="Bring",
        tracking_url="https://track.example/{tracking_number}",
    ),
)
GATEWAYS = tuple(GatewayOfPayment(code=kind, kind=kind) for kind in CAPABILITIES)


def store(**more: Any) -> Store:
    """A store that captures in part and creates the merchants it does not know."""
    given = {"scopes": ("partial_capture",), "create_merchants": True, **more}
    return Store(id="s", code="main", name="Main", currency="EUR", created_at=NOON, **given)


def desk(**more: Any) -> Desk:
    """What receiving an order looks into."""
    return Desk(
        store=more.pop("store", store()),
        at=NOON,
        gateways=GATEWAYS,
        states=STATES,
        methods=("standard", "bring"),
        **more,
    )


def asked(**more: Any) -> Asked:
    """Anna asks."""
    return Asked(actor=ADMIN, **more)


def body(**more: Any) -> dict[str, Any]:
    """An order of two bags and 5,000 in all."""
    return {
        "currency": "EUR",
        "customer": {"email": "kari@example.com", "first_name": "Kari"},
        "shipping_method": "standard",
        "bags": [
            {
                "merchant": "acme",
                "shipping_total": 500,
                "items": [{"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": 1250}],
            },
            {
                "merchant": "zeta",
                "items": [{"sku": "TEE-M", "name": "T-shirt", "quantity": 1, "unit_price": 2000}],
            },
        ],
        **more,
    }


def placed(gateway: str | None = "manual", flow: str = "auth", **more: Any) -> Change:
    """Place an order and return the change."""
    sent = body(**more)
    if gateway is not None:
        sent.setdefault("payment", {"gateway": gateway, "flow": flow})
    wanted = msgspec.convert(sent, WantedOrder)
    return place(desk(), asked=asked(), wanted=wanted, number="1001", channel="api")


def later(folder: Folder, seconds: int = 60) -> Folder:
    """The same folder, opened a while later, with all configuration."""
    return msgspec.structs.replace(
        folder,
        at=folder.at + timedelta(seconds=seconds),
        methods=METHODS,
        states=STATES,
        gateways=GATEWAYS,
    )


def folder(gateway: str | None = "manual", **more: Any) -> Folder:
    """An order's folder, ready for an action."""
    return later(placed(gateway, **more).after)
