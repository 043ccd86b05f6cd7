"""Cancelling in the browser: all of it, a bag, some items, and on request. [U-31 to U-33]"""

import pytest
from playwright.async_api import expect

from counterfoil.access.roles import NewRole, create_role
from counterfoil.access.users import NewUser, create_user
from counterfoil.actions.request_cancel import request_cancel
from counterfoil.book.placing import Placing
from counterfoil.book.run import Command
from counterfoil.kernel.ids import new_id
from counterfoil.order.intake import Person, WantedBag, WantedItem, WantedOrder, WantedPayment
from counterfoil.work.settle import settle_now
from tests.portal.site import PASSWORD, Site, Tab
from tests.work.shop import CAPTURE, Said

pytestmark = pytest.mark.browser


async def placed(site: Site, *bags: tuple[str, int, int]) -> str:
    """Place an order of a bag for each name, count and price; the sandbox holds its money."""
    shop = site.shop
    wanted = WantedOrder(
        store="main",
        currency="EUR",
        customer=Person(email="kari@example.com", first_name="Kari", last_name="Nordmann"),
        bags=[
            WantedBag(
                merchant=f"m{place}",
                items=[WantedItem(sku=name.upper(), name=name, quantity=count, unit_price=price)],
            )
            for place, (name, count, price) in enumerate(bags)
        ],
        payment=WantedPayment(gateway="card", flow="auth"),
    )
    its = shop.key(None, f"cancel {bags} {new_id()}")
    asked = shop.works.asked(shop.actor, key=its.key)
    ran = await shop.placer.place(
        Placing(asked=asked, wanted=wanted, channel="api", fingerprint="-", key=its)
    )
    return str(Said(await settle_now(shop.works, asked, ran)).body["id"])


async def two_bags(site: Site, taken: int = 0) -> str:
    """Two mugs at 12.50 and a lamp at 20.00: 45.00 in all."""
    order_id = await placed(site, ("Mug", 2, 1250), ("Lamp", 1, 2000))
    if taken:
        await site.shop.run(CAPTURE, order_id, amount=taken)
    return order_id


async def open_form(tab: Tab, order_id: str, way: str = "") -> None:
    """Press the button at the top right, and choose how much is cancelled."""
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.locator("#order-head").get_by_role("link", name="Cancel").click()
    await expect(tab.page.locator("#cancel-form")).to_be_visible()
    if way:
        await tab.page.locator("#dialog").get_by_role("link", name=way).click()
        await expect(tab.page.locator("#dialog [aria-current=page]")).to_have_text(way)


async def press(tab: Tab, words: str) -> None:
    """Press the button once it says what it does."""
    await expect(tab.page.locator("#money-go")).to_contain_text(words)
    await tab.page.click("#money-go")


async def units(site: Site, order_id: str) -> dict[str, str]:
    return {item.name: item.id for item in (await site.shop.folder(order_id)).items}


@pytest.mark.proves("U-31", "U-32", "U-33")
@pytest.mark.parametrize("send", ["yes", "no"])
async def test_all_of_an_order_is_cancelled_and_the_e_mail_is_chosen(
    site: Site, tab: Tab, send: str
) -> None:
    """Story 11: both amounts before and after; one e-mail if chosen, none if not."""
    order_id = await placed(site, ("Mug", 1, 100000))
    await site.shop.run(CAPTURE, order_id, amount=60000)
    await open_form(tab, order_id)
    dialog = tab.page.locator("#dialog")
    await expect(dialog).to_contain_text("Release 400.00 EUR that is only authorised.")
    await expect(dialog).to_contain_text("Refund 600.00 EUR that was captured.")
    assert await dialog.locator("[name=notify]:checked").count() == 0
    await press(tab, "Cancel and return 1,000.00")
    assert await site.moved(order_id, "refund") == [], "the browser wants an answer first"
    await tab.page.locator("#cancel-form").evaluate("one => one.noValidate = true")
    await tab.page.click("#money-go")
    await expect(dialog).to_contain_text("Choose whether kari@example.com gets an e-mail.")
    assert await site.moved(order_id, "refund") == []
    await tab.page.check(f"[name=notify][value={send}]")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("is cancelled")
    await expect(dialog).to_contain_text(
        "Captured amount 600.00 EUR has been refunded; authorised amount 400.00 EUR has been"
        " reversed."
    )
    mail = "An e-mail to kari@example.com" if send == "yes" else "No e-mail is sent"
    await expect(dialog).to_contain_text(mail)
    await tab.page.get_by_role("button", name="Done").click()
    await expect(tab.page.locator("#order-head")).to_contain_text("Cancelled")
    letters = [one for one in (await site.shop.folder(order_id)).letters if one.kind == "canceled"]
    assert len(letters) == (send == "yes")


@pytest.mark.proves("U-31", "U-33")
async def test_one_bag_is_cancelled_and_the_other_stays(site: Site, tab: Tab) -> None:
    order_id = await two_bags(site, taken=1000)
    await open_form(tab, order_id, "One bag")
    dialog = tab.page.locator("#dialog")
    await expect(dialog.locator("#consequence")).to_contain_text("Choose the bag.")
    await dialog.get_by_label("m1").check()
    await expect(dialog.locator("#consequence")).to_contain_text("Cancel 1 × Lamp.")
    await tab.page.check("[name=notify][value=no]")
    await press(tab, "Cancel and return 20.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("A part of order")
    await expect(dialog).to_contain_text(
        "Captured amount 4.44 EUR has been refunded; authorised amount 15.56 EUR has been reversed."
    )
    await tab.page.get_by_role("button", name="Done").click()
    await expect(tab.page.locator("#order-head")).to_contain_text("Processing")
    await expect(tab.page.locator("#order-head")).to_contain_text("20.00 EUR of it cancelled")
    await expect(tab.page.locator("#order-timeline")).to_contain_text(
        "A part of the order cancelled: 4.44 EUR refunded, 15.56 EUR reversed"
    )
    assert await site.moved(order_id, "void") == [1556]
    assert await site.moved(order_id, "refund") == [444]


@pytest.mark.proves("U-31", "U-33")
async def test_some_items_are_cancelled_with_both_amounts(site: Site, tab: Tab) -> None:
    order_id = await two_bags(site, taken=4000)
    items = await units(site, order_id)
    await open_form(tab, order_id, "Items")
    await expect(tab.page.locator("#money-go")).to_contain_text("See what it comes to")
    await tab.page.fill(f"#units-{items['Mug']}", "1")
    says = tab.page.locator("#consequence")
    await expect(says).to_contain_text("Cancel 1 × Mug.")
    await expect(says).to_contain_text("that was captured.")
    await tab.page.check("[name=notify][value=yes]")
    await press(tab, "Cancel and return 12.50")
    dialog = tab.page.locator("#dialog")
    await expect(dialog).to_contain_text("Cancelled: 1 × Mug, back in stock")
    folder = await site.shop.folder(order_id)
    plan = folder.cancellations[0]
    assert (plan.status, plan.refunded_amount + plan.reversed_amount) == ("CANCELED", 1250)
    assert sum(await site.moved(order_id, "refund")) == plan.refunded_amount > 0
    assert [one.kind for one in folder.letters if one.kind == "part_canceled"] == ["part_canceled"]


async def test_what_was_typed_is_read_back_before_it_is_done(site: Site, tab: Tab) -> None:
    order_id = await two_bags(site)
    items = await units(site, order_id)
    await open_form(tab, order_id, "Items")
    await tab.page.route("**/cancel/preview*", lambda route: route.abort())
    await tab.page.check("[name=notify][value=no]")
    await tab.page.fill(f"#units-{items['Mug']}", "2")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog")).to_contain_text("It comes to 25.00")
    assert (await site.shop.folder(order_id)).cancellations == ()
    await press(tab, "Cancel and return 25.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("A part of order")


async def test_more_than_there_is_and_a_balance_that_changed_are_said(
    site: Site, tab: Tab
) -> None:
    order_id = await two_bags(site)
    items = await units(site, order_id)
    await open_form(tab, order_id, "Items")
    await tab.page.fill(f"#units-{items['Mug']}", "3")
    await expect(tab.page.locator("#consequence")).to_contain_text("Only 2 units have not left")
    await tab.page.fill(f"#units-{items['Mug']}", "1")
    await expect(tab.page.locator("#money-go")).to_contain_text("12.50")
    await site.shop.run("void", order_id, amount=1000)
    await tab.page.check("[name=notify][value=no]")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog")).to_contain_text("changed from 45.00")
    assert (await site.shop.folder(order_id)).cancellations == ()


async def test_a_step_that_is_refused_says_so_and_calls_a_person(site: Site, tab: Tab) -> None:
    order_id = await two_bags(site)
    site.sandbox.fault("decline", kind="void")
    await open_form(tab, order_id, "One bag")
    dialog = tab.page.locator("#dialog")
    await dialog.get_by_label("m1").check()
    await tab.page.check("[name=notify][value=no]")
    await press(tab, "Cancel and return 20.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Not all the money went back")
    await expect(dialog).to_contain_text("20.00 EUR authorised was refused: not reversed")
    assert await dialog.get_by_role("link", name="Run again").count() == 0
    await tab.goto(f"/portal/orders/{order_id}")
    strip = tab.page.locator("#order-attention")
    await expect(strip).to_contain_text("20.00 EUR of what was cancelled did not go back")
    await tab.goto("/portal/tasks")
    row = tab.page.locator("#tasks tr", has_text="Cancelled, money not back").last
    await expect(row.get_by_role("link", name="Try again…")).to_be_visible()
    await tab.goto(f"/portal/orders/{order_id}")
    await strip.get_by_role("link", name="Try again…").click()
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Return what did not go back")
    await expect(dialog).to_contain_text("1 × Lamp")
    await expect(dialog).to_contain_text("Release 20.00 EUR that is only authorised.")
    await tab.page.check("[name=notify][value=no]")
    await press(tab, "Try again to return 20.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("A part of order")
    assert await site.moved(order_id, "void") == [2000]
    folder = await site.shop.folder(order_id)
    assert [task.status for task in folder.tasks] == ["DONE"]
    await tab.page.get_by_role("button", name="Done").click()
    await expect(strip).not_to_contain_text("did not go back")


@pytest.mark.proves("U-7", "U-31")
async def test_a_request_is_shown_with_both_doors_and_is_declined(site: Site, tab: Tab) -> None:
    order_id = await two_bags(site)
    shop = site.shop
    command = Command(order_id=order_id, actor=shop.actor, key=shop.key(None, f"ask {order_id}"))
    await shop.works.book.run(
        command, request_cancel, asked=shop.works.asked(shop.actor, key="ask"),
        reason="Ordered twice", reason_code="CUSTOMER",
    )
    await tab.goto(f"/portal/orders/{order_id}")
    banner = tab.page.locator("#order-attention")
    await expect(banner).to_contain_text("Kari Nordmann asked to cancel this order")
    await expect(banner).to_contain_text("Ordered twice")
    await banner.get_by_role("link", name="Cancel order…").click()
    await expect(tab.page.locator("#money-go")).to_contain_text("Cancel and return 45.00")
    await tab.page.get_by_role("button", name="Keep the order").click()
    await banner.get_by_role("link", name="Decline…").click()
    await expect(tab.page.locator("#dialog")).to_contain_text("goes back to New")
    await tab.page.fill("#dialog #note", "It is packed.")
    await tab.page.get_by_role("button", name="Decline the cancellation").click()
    await expect(tab.page.locator("#order-head")).to_contain_text("New")
    await expect(banner).not_to_contain_text("asked to cancel")
    await expect(tab.page.locator("#order-notes")).to_contain_text("It is packed.")
    await expect(tab.page.locator("#order-timeline")).to_contain_text("Cancellation declined")


async def somebody(site: Site, *rights: str, merchants: list[str] | None = None) -> str:
    """A user who may do just this."""
    code = f"desk-{new_id()[-12:]}"
    email = f"{code}@example.com"
    async with site.pool.connection(site.actor.account_id) as connection:
        role = NewRole(code=code, name=code, permissions=["orders.read", *rights])
        await create_role(connection, site.actor, role)
        new = NewUser(email=email, name=f"Bo {code[-4:]}", role=code, password=PASSWORD,
                      merchants=merchants)
        await create_user(connection, site.actor, new)
    return email


async def test_who_may_not_cancel_asks_somebody_to(site: Site) -> None:
    order_id = await two_bags(site)
    tab = await site.open_tab(await somebody(site, "orders.state"))
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.get_by_role("link", name="Ask to cancel").click()
    await tab.page.fill("#dialog #reason", "Wrong address")
    await tab.page.locator("#dialog").get_by_role("button", name="Ask to cancel").click()
    banner = tab.page.locator("#order-attention")
    await expect(banner).to_contain_text("asked to cancel this order")
    await expect(banner).to_contain_text("Wrong address")
    assert await banner.get_by_role("link", name="Cancel order…").count() == 0
    assert await banner.get_by_role("link", name="Decline…").count() == 1
    await tab.close()


@pytest.mark.proves("U-9", "U-31")
async def test_the_menu_of_states_opens_the_same_dialog(site: Site, tab: Tab) -> None:
    order_id = await two_bags(site)
    await tab.goto(f"/portal/orders/{order_id}/cancel")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Cancel order")
    await tab.page.check("[name=notify][value=no]")
    await press(tab, "Cancel and return 45.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("is cancelled")
    await tab.goto(f"/portal/orders/{order_id}/cancel")
    await expect(tab.page.locator("main")).to_contain_text("The order is Canceled")


async def test_without_script_it_is_a_page_all_the_way(site: Site) -> None:
    order_id = await two_bags(site)
    items = await units(site, order_id)
    tab = await site.open_tab(java_script_enabled=False)
    await tab.goto(f"/portal/orders/{order_id}/cancel?scope=items")
    await tab.page.fill(f"#units-{items['Lamp']}", "1")
    await tab.page.check("[name=notify][value=no]")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("main")).to_contain_text("It comes to 20.00")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("h1")).to_contain_text("A part of order")
    await tab.close()


async def test_a_merchant_cancels_its_own_bag_and_sees_no_other(site: Site) -> None:
    order_id = await two_bags(site)
    tab = await site.open_tab(await somebody(site, "orders.cancel", merchants=["m0"]))
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.locator("#order-head").get_by_role("link", name="Cancel items").click()
    dialog = tab.page.locator("#dialog")
    await expect(dialog).to_contain_text("Mug")
    await expect(dialog).not_to_contain_text("Lamp")
    items = await units(site, order_id)
    await dialog.get_by_role("link", name="Items").click()
    await tab.page.fill(f"#units-{items['Mug']}", "1")
    await tab.page.check("[name=notify][value=no]")
    await press(tab, "Cancel and return 12.50")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("A part of order")
    await tab.close()
