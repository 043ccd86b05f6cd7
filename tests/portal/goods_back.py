"""Orders whose goods left and may come back, for the browser's stories."""

from typing import Any

from playwright.async_api import expect

from counterfoil.access.roles import NewRole, create_role
from counterfoil.access.users import NewUser, create_user
from counterfoil.actions.move_shipment import deliver_shipment, send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.placing import Placing
from counterfoil.book.run import Command
from counterfoil.kernel.ids import new_id
from counterfoil.order.intake import Person, WantedBag, WantedItem, WantedOrder, WantedPayment
from counterfoil.work.settle import settle_now
from tests.portal.site import PASSWORD, Site, Tab
from tests.work.shop import Said

LINES = (("Sweater", 2, 19900), ("Socks", 1, 9900))


async def order_of(site: Site, lines: Any = LINES, merchants: tuple[str, ...] = ("m1",)) -> str:
    """A paid order, for each merchant a bag with these lines."""
    shop = site.shop
    items = [
        WantedItem(sku=name.upper(), name=name, quantity=count, unit_price=price)
        for name, count, price in lines
    ]
    wanted = WantedOrder(
        store="main",
        currency="EUR",
        customer=Person(email="kari@example.com", first_name="Kari"),
        bags=[WantedBag(merchant=merchant, items=items) for merchant in merchants],
        payment=WantedPayment(gateway="card", flow="payment"),
    )
    its = shop.key(None, f"returns {lines} {merchants}")
    asked = shop.works.asked(shop.actor, key=its.key)
    ran = await shop.placer.place(
        Placing(asked=asked, wanted=wanted, channel="api", fingerprint="-", key=its)
    )
    return str(Said(await settle_now(shop.works, asked, ran)).body["id"])


async def act(site: Site, order_id: str, action: Any, **arguments: Any) -> Any:
    """Run an action as the shop does, and return its result."""
    shop = site.shop
    ran = await shop.works.book.run(
        Command(order_id=order_id, actor=shop.actor), action,
        asked=shop.works.asked(shop.actor), **arguments,
    )  # fmt: skip
    assert ran.change is not None
    return ran.change.result


async def delivered(site: Site, *steps: Any, **given: Any) -> str:
    """An order whose bags all left and arrived, or fared as `steps` say."""
    order_id = await order_of(site, **given)
    for bag in (await site.shop.folder(order_id)).bags:
        parcel = await act(site, order_id, ship, bag_id=bag.id, wanted=WantedShipment())
        for step in (send_shipment, *(steps or (deliver_shipment,))):
            await act(site, order_id, step, shipment_id=parcel.id)
    return order_id


async def returned(site: Site, order_id: str) -> Any:
    """The newest return of an order."""
    return (await site.shop.folder(order_id)).returns[-1]


async def unit_of(site: Site, order_id: str, name: str = "Sweater") -> str:
    """The field for the units of a line."""
    folder = await site.shop.folder(order_id)
    return f"#units-{next(item.id for item in folder.items if item.name == name)}"


async def return_page(tab: Tab, order_id: str, query: str = "") -> None:
    await tab.goto(f"/portal/orders/{order_id}/returns/new{query}")


async def press(tab: Tab, words: str) -> None:
    """Press the button once it says what it does."""
    await expect(tab.page.locator("#money-go")).to_contain_text(words)
    await tab.page.click("#money-go")


async def stands(tab: Tab, order_id: str, *badges: str) -> None:
    """Look at the badges of an order's page."""
    await tab.goto(f"/portal/orders/{order_id}")
    for badge in badges:
        await expect(tab.page.locator("#order-head .cf-badges")).to_contain_text(badge)


async def lately(site: Site, order_id: str, days: int | None) -> None:
    """Let the store take back for so many days, and the order have arrived long ago."""
    async with site.pool.connection(site.actor.account_id) as connection:
        await connection.rows(
            "update stores set refund_window_days = $2 where account_id = $1",
            connection.account, days,
        )  # fmt: skip
        await connection.rows(
            "update shipments set delivered_at = delivered_at - interval '60 days'"
            " where account_id = $1 and order_id = $2", connection.account, order_id,
        )  # fmt: skip


async def user(site: Site, *rights: str, limit: int | None = None, **given: Any) -> Tab:
    """Sign in somebody who may read orders and what is named."""
    code = f"back-{new_id()[-12:]}"
    limits = {} if limit is None else {"refund": {"EUR": limit}}
    role = NewRole(code=code, name=code, permissions=["orders.read", *rights], limits=limits)
    async with site.pool.connection(site.actor.account_id) as connection:
        await create_role(connection, site.actor, role)
        new = NewUser(
            email=f"{code}@example.com", name="Rita Retur", role=code, password=PASSWORD, **given
        )
        await create_user(connection, site.actor, new)
    return await site.open_tab(f"{code}@example.com")
