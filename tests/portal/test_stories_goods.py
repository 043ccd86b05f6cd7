"""Goods on the order page: delivery states, tracking numbers, what locks them. [U-14 to U-18]"""

import pytest
from playwright.async_api import expect

from tests.portal.goods import held, line, place, ready, shipments
from tests.portal.site import Site, Tab

pytestmark = pytest.mark.browser


@pytest.mark.proves("U-15")
async def test_a_delivery_state_is_chosen_in_a_menu(site: Site, tab: Tab) -> None:
    """Nothing changes before Enter; what is closed says why. [U-15]"""
    order_id = await place(site)
    item = await line(site, order_id, "SKU-2")
    await tab.goto(f"/portal/orders/{order_id}")
    button = tab.page.locator(f"#state-{item.id}")
    await expect(button).to_contain_text("Pending")
    await button.focus()
    await tab.page.keyboard.press("Enter")
    row = tab.page.locator(f"#item-{item.id}")
    await expect(row.get_by_role("button", name="Ready")).to_be_enabled()
    closed = row.get_by_role("button", name="Delivered")
    await expect(closed).to_be_disabled()
    await expect(closed).to_contain_text("Not from Pending.")
    await expect(row.get_by_role("button", name="Returned")).to_contain_text("Record a return")
    await expect(row.get_by_role("link", name="Cancelled")).to_be_visible()
    for _ in range(3):
        await tab.page.keyboard.press("ArrowDown")
    await expect(row.get_by_role("button", name="Ready")).to_be_focused()
    assert (await line(site, order_id, "SKU-2")).delivery_state == "PENDING"
    await tab.page.keyboard.press("Enter")
    await expect(button).to_contain_text("Ready")
    await tab.expect_focus(f"#state-{item.id}")
    assert (await line(site, order_id, "SKU-2")).delivery_state == "READY"
    await expect(tab.page.locator("#live")).to_have_text("SKU-2 is Ready now")
    await expect(tab.page.locator("#order-timeline")).to_contain_text("Socks: Pending to Ready")


@pytest.mark.proves("U-15")
async def test_several_lines_get_a_state_at_once(site: Site, tab: Tab) -> None:
    """What cannot be is told line by line, and the rest is done. [U-15]"""
    order_id = await place(site)
    await ready(site, order_id, "SKU-3", state="BACKORDERED")
    await tab.goto(f"/portal/orders/{order_id}")
    bar = tab.page.locator(".cf-bulk")
    await expect(bar).to_be_hidden()
    for name in ("SKU-1", "SKU-2", "SKU-3"):
        await tab.page.get_by_label(f"Tick {name}").check()
    await expect(bar).to_contain_text("3 ticked")
    await bar.get_by_role("button", name="Set delivery state").click()
    dialog = tab.page.locator("#dialog")
    await expect(dialog.locator("label", has_text="Ready")).to_contain_text("2 of 3")
    await dialog.get_by_label("Ready").check()
    await dialog.get_by_role("button", name="Set delivery state").click()
    await expect(tab.page.locator("#dialog-title")).to_have_text("2 of 3 set to Ready")
    await expect(dialog).to_contain_text("SKU-3:")
    states = {sku: (await line(site, order_id, sku)).delivery_state for sku in ("SKU-1", "SKU-3")}
    assert states == {"SKU-1": "READY", "SKU-3": "BACKORDERED"}
    await dialog.get_by_role("button", name="Done").click()
    item = await line(site, order_id, "SKU-1")
    await expect(tab.page.locator(f"#state-{item.id}")).to_contain_text("Ready")


@pytest.mark.proves("U-14", "U-18")
async def test_tracking_numbers_are_scanned_one_after_the_other(site: Site, tab: Tab) -> None:
    """Only what is Ready takes one; Enter goes on to the next, Esc restores. [U-14, U-18]"""
    order_id = await place(site)
    await ready(site, order_id, "SKU-1", "SKU-2")
    ids = {sku: (await line(site, order_id, sku)).id for sku in ("SKU-1", "SKU-2", "SKU-3")}
    await tab.goto(f"/portal/orders/{order_id}")
    items = tab.page.locator("#order-items")
    await expect(tab.page.locator(f"#tracking-{ids['SKU-3']}")).to_have_text("not yet1")
    await expect(items).to_contain_text("can be added when the item is Ready or later")
    await tab.page.keyboard.press("t")
    await tab.expect_focus(f"#tracking-{ids['SKU-1']} input[name=tracking_number]")
    await tab.page.keyboard.press("Escape")
    await tab.expect_focus(f"#add-{ids['SKU-1']}")
    await tab.page.keyboard.press("Enter")
    await tab.expect_focus(f"#tracking-{ids['SKU-1']} input[name=tracking_number]")
    await tab.page.keyboard.type("70727800000000012")
    await tab.page.keyboard.press("Enter")
    await tab.expect_focus(f"#tracking-{ids['SKU-2']} input[name=tracking_number]")
    await tab.page.keyboard.type("70727800000000012")
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.locator("#tracking_number-error")).to_contain_text("70727800000000012")
    await tab.page.fill("#tracking_number", "70727800000000029")
    await tab.page.keyboard.press("Enter")
    await tab.expect_focus(f"#item-{ids['SKU-2']}")
    numbers = [one.tracking_number for one in await shipments(site, order_id)]
    assert numbers == ["70727800000000012", "70727800000000029"]
    await expect(tab.page.locator(f"#tracking-{ids['SKU-1']}")).to_contain_text("70727800000000012")


@pytest.mark.proves("U-16", "U-17")
async def test_a_hold_locks_every_control_and_is_named(site: Site, tab: Tab) -> None:
    """Story 14: all four controls are closed, one sentence says why. [U-16, U-17]"""
    order_id = await place(site)
    await ready(site, order_id, "SKU-1")
    await held(site, order_id)
    item = await line(site, order_id, "SKU-1")
    await tab.goto(f"/portal/orders/{order_id}")
    items = tab.page.locator("#order-items")
    await expect(items.locator(".cf-lock")).to_have_text("Shipping is locked: held by address.")
    assert await items.get_by_role("link", name="Update shipment", disabled=False).count() == 0
    assert await items.locator("details").count() == 0
    await expect(items.get_by_role("button", name="Ready")).to_be_disabled()
    await expect(items.get_by_label("Tick SKU-1")).to_be_disabled()
    assert await tab.page.locator(f"#add-{item.id}").count() == 0
    await tab.goto(f"/portal/orders/{order_id}/shipments/update")
    await expect(tab.page.locator("main")).to_contain_text("Shipping is locked: held by address.")
    assert await tab.page.locator("main form").count() == 0


async def test_a_long_order_is_searched(site: Site, tab: Tab) -> None:
    """Over 20 lines there is a field that leaves only those that are looked for."""
    lines = tuple((f"SKU-{n}", f"Thing {n}", 1, 1000 + n) for n in range(100, 125))
    order_id = await place(site, lines)
    await tab.goto(f"/portal/orders/{order_id}")
    rows = tab.page.locator(".cf-items tbody tr:visible")
    await expect(rows).to_have_count(25)
    await tab.page.get_by_label("Find a line").fill("thing 107")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("SKU-107")
    await tab.page.get_by_label("Find a line").fill("")
    await expect(rows).to_have_count(25)


async def test_a_very_long_order_is_paged(site: Site, tab: Tab) -> None:
    """A hundred lines at once; what is saved on the second page shows the second page again."""
    lines = tuple((f"SKU-{n}", f"Thing {n}", 1, 1000 + n) for n in range(100, 205))
    order_id = await place(site, lines)
    await ready(site, order_id, "SKU-203")
    item = await line(site, order_id, "SKU-203")
    await tab.goto(f"/portal/orders/{order_id}")
    rows = tab.page.locator(".cf-items tbody tr")
    await expect(rows).to_have_count(100)
    await tab.page.get_by_role("link", name="Next 100").click()
    await expect(rows).to_have_count(5)
    await expect(tab.page.locator(".cf-line-pages")).to_contain_text("Lines 101–105 of 105")
    await tab.page.locator(f"#add-{item.id}").click()
    await tab.page.fill("#tracking_number", "LATE-1")
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.locator(f"#tracking-{item.id}")).to_contain_text("LATE-1")
    await expect(rows).to_have_count(5)


async def test_a_state_that_is_an_operation_opens_it(site: Site, tab: Tab) -> None:
    """Cancelled and Returned are done, not put: each opens its own dialog. [principle 5]"""
    order_id = await place(site)
    await ready(site, order_id, "SKU-1", state="SHIPPED")
    await tab.goto(f"/portal/orders/{order_id}")
    dialog = tab.page.locator("#dialog")
    for sku, name, title in (
        ("SKU-1", "Returned", "coming back"),
        ("SKU-2", "Cancelled", "Cancel"),
    ):
        item = await line(site, order_id, sku)
        await tab.page.locator(f"#state-{item.id}").click()
        await tab.page.locator(f"#item-{item.id}").get_by_role("link", name=name).click()
        await expect(tab.page.locator("#dialog-title")).to_contain_text(title)
        await tab.page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
    states = [(await line(site, order_id, sku)).delivery_state for sku in ("SKU-1", "SKU-2")]
    assert states == ["SHIPPED", "PENDING"]
