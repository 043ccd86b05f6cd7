"""Orders of several lines, and their goods, as the stories of shipments want them."""

import msgspec

from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.book.placing import Placing
from counterfoil.book.run import Command
from counterfoil.order.intake import Person, WantedBag, WantedItem, WantedOrder, WantedPayment
from counterfoil.order.item import Item
from counterfoil.order.shipment import Shipment
from counterfoil.work.settle import settle_now
from tests.portal.site import Site

Line = tuple[str, str, int, int]
THREE: tuple[Line, ...] = (
    ("SKU-1", "Wool sweater", 2, 19900),
    ("SKU-2", "Socks", 3, 9900),
    ("SKU-3", "Scarf", 1, 10300),
)


async def place(
    site: Site, lines: tuple[Line, ...] = THREE, *, second: tuple[Line, ...] = ()
) -> str:
    """Place an order that is paid for; `second` are the lines of another merchant's bag."""
    bags = [WantedBag(merchant="wool", items=_items(lines))]
    if second:
        bags.append(WantedBag(merchant="fjell", items=_items(second)))
    wanted = WantedOrder(
        store="main",
        currency="EUR",
        customer=Person(email="kari@example.com", first_name="Kari"),
        bags=bags,
        payment=WantedPayment(gateway="card", flow="payment"),
    )
    key = site.shop.key(None, "goods")
    asked = site.shop.works.asked(site.shop.actor, key=key.key)
    ran = await site.shop.placer.place(
        Placing(asked=asked, wanted=wanted, channel="api", fingerprint="-", key=key)
    )
    answered = await settle_now(site.shop.works, asked, ran)
    return str(msgspec.json.decode(answered.body)["id"])


def _items(lines: tuple[Line, ...]) -> list[WantedItem]:
    return [
        WantedItem(sku=sku, name=name, quantity=quantity, unit_price=price)
        for sku, name, quantity, price in lines
    ]


async def ready(site: Site, order_id: str, *skus: str, state: str = "READY") -> None:
    """Put lines in a delivery state, as somebody else would."""
    for sku in skus:
        item = await line(site, order_id, sku)
        key = site.shop.key(None, f"{sku} {state}")
        await site.shop.works.book.run(
            Command(order_id=order_id, actor=site.shop.actor, key=key),
            set_delivery_state,
            asked=site.shop.works.asked(site.shop.actor, key=key.key),
            item_id=item.id,
            state=state,
        )


async def held(site: Site, order_id: str) -> None:
    """Hold the order's shipments."""
    key = site.shop.key(None, "hold")
    await site.shop.works.book.run(
        Command(order_id=order_id, actor=site.shop.actor, key=key),
        hold,
        asked=site.shop.works.asked(site.shop.actor, key=key.key),
        wanted=WantedHold(handle="address", reason_code="INCORRECT_ADDRESS", blocks=("shipment",)),
    )


async def line(site: Site, order_id: str, sku: str) -> Item:
    """Find a line as it is now."""
    folder = await site.shop.folder(order_id)
    return next(item for item in folder.items if item.sku == sku)


async def shipments(site: Site, order_id: str) -> list[Shipment]:
    """List the shipments that are not cancelled, in the order of making."""
    folder = await site.shop.folder(order_id)
    live = [one for one in folder.shipments if one.status != "CANCELED"]
    return sorted(live, key=lambda one: one.position)
