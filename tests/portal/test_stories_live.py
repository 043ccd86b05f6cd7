"""Open pages follow what others do, and take nothing from who is typing. [U-23, principle 10]"""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from counterfoil.actions.move_shipment import NewShipping, update_shipment
from counterfoil.book.run import Command
from tests.portal.site import COLLEAGUE, Site, Tab

pytestmark = pytest.mark.browser
SOON = 15_000
ASK = "htmx.trigger('#order-live', 'every')"


async def ship_all(tab: Tab, order_id: str, number: str) -> None:
    """Ship what there is, as a person does."""
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.get_by_role("link", name="Ship items").click()
    await tab.page.fill("#tracking_number", number)
    await tab.page.locator("#dialog button.btn-primary").click()
    await expect(tab.page.locator("#order-items")).to_contain_text(number)


async def correct_number(site: Site, order_id: str, number: str) -> None:
    """Correct the tracking number, and nothing else: no state changes with it."""
    (parcel,) = (await site.shop.folder(order_id)).shipments
    wanted = NewShipping(tracking_number=number)
    command = Command(order_id=order_id, actor=site.actor)
    asked = site.shop.works.asked(site.actor)
    await site.shop.works.book.run(
        command, update_shipment, asked=asked, shipment_id=parcel.id, wanted=wanted
    )


@pytest.mark.proves("U-23")
async def test_a_colleague_ships_and_it_stands_here_within_15_seconds(
    site: Site, tab: Tab
) -> None:
    """Nobody asks for it: the page asks by itself, says who it was, and keeps a half-typed note."""
    order_id = await site.shop.order(5000)
    kari = await site.open_tab(COLLEAGUE)
    page = kari.page
    await kari.goto(f"/portal/orders/{order_id}")
    await page.fill("#note-body", "The customer rang about")
    await page.evaluate("window.stays = true")
    await ship_all(tab, order_id, "TN-live-1")
    await expect(page.locator("#order-items")).to_contain_text("TN-live-1", timeout=SOON)
    await expect(page.locator(".cf-news")).to_contain_text("Anna Berg: Shipment")
    await expect(page.locator("#live")).to_contain_text("Anna Berg: ")
    await expect(page.locator("#order-head")).to_contain_text("Shipped")
    await correct_number(site, order_id, "TN-live-2")
    await page.evaluate(ASK)
    await expect(page.locator("#order-items")).to_contain_text("TN-live-2")
    assert await page.input_value("#note-body") == "The customer rang about"
    assert await page.evaluate("window.stays"), "the page was not loaded anew"
    await expect(page.locator("#note-body")).to_be_focused()
    await page.get_by_role("button", name="Close").click()
    await expect(page.locator(".cf-news")).to_have_count(0)
    await kari.close()


@pytest.mark.proves("U-23")
async def test_where_somebody_types_the_newer_one_waits_until_it_is_asked_for(
    site: Site, tab: Tab
) -> None:
    order_id = await site.shop.order(5000)
    kari = await site.open_tab(COLLEAGUE)
    page = kari.page
    await kari.goto(f"/portal/orders/{order_id}")
    notes = page.locator("#order-notes")
    await page.fill("#note-body", "Half a note")
    await page.check("[name=visibility][value=customer]")
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.fill("#note-body", "Anna was here")
    await tab.page.click("#order-notes button:has-text('Save')")
    await expect(tab.page.locator("#order-notes")).to_contain_text("Anna was here")
    await page.evaluate(ASK)
    await expect(page.locator("#order-timeline")).to_contain_text("Note added")
    await expect(notes).to_contain_text("A newer version is available")
    await expect(notes).not_to_contain_text("Anna was here")
    assert await page.input_value("#note-body") == "Half a note"
    await notes.get_by_role("button", name="Show").click()
    await expect(notes).to_contain_text("Anna was here")
    await expect(notes).not_to_contain_text("A newer version is available")
    assert await page.input_value("#note-body") == "Half a note"
    assert await page.is_checked("[name=visibility][value=customer]")
    await page.check("[name=visibility][value=internal]")
    await page.click("#order-notes button:has-text('Save')")
    await expect(notes.locator("li", has_text="Half a note")).to_contain_text("Kari Lie")
    await kari.close()


async def test_an_open_menu_is_not_taken_away(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    kari = await site.open_tab(COLLEAGUE)
    page = kari.page
    await kari.goto(f"/portal/orders/{order_id}")
    menu = page.locator("#order-head details.cf-menu", has_text="Packing slip")
    await menu.locator("summary").click()
    await ship_all(tab, order_id, "TN-live-2")
    await page.evaluate(ASK)
    await expect(page.locator("#order-items")).to_contain_text("TN-live-2")
    await expect(menu.get_by_role("link", name="Packing slip", exact=True)).to_be_visible()
    await expect(page.locator("#order-head")).not_to_contain_text("Shipped")
    await page.keyboard.press("Escape")
    await menu.evaluate("menu => { menu.open = false }")
    await expect(page.locator("#order-head")).to_contain_text("Shipped")
    await kari.close()


async def test_the_button_that_had_the_focus_has_it_again(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    page = tab.page
    await tab.goto(f"/portal/orders/{order_id}")
    await page.get_by_role("link", name="Cancel order").focus()
    await site.shop.run("capture", order_id)
    await page.evaluate(ASK)
    await expect(page.locator("#order-head")).to_contain_text("Paid")
    await expect(page.get_by_role("link", name="Cancel order")).to_be_focused()


async def polled(tab: Tab) -> list[str]:
    """Collect the requests of polls from now on."""
    asked: list[str] = []
    tab.page.on("request", lambda one: asked.append(one.url) if "/live" in one.url else None)
    return asked


async def test_nothing_is_asked_while_nobody_looks(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    page = tab.page
    await tab.goto(f"/portal/orders/{order_id}")
    asked = await polled(tab)
    hide = """hidden => Object.defineProperty(
      document, 'hidden', {value: hidden, configurable: true})"""
    await page.evaluate(hide, True)
    await page.evaluate(ASK)
    await asyncio.sleep(0.5)
    assert asked == []
    await page.evaluate(hide, False)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await asyncio.sleep(0.5)
    assert len(asked) == 1, "who comes back is told at once"


async def test_a_poll_with_nothing_new_weighs_next_to_nothing(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    page = tab.page
    await tab.goto(f"/portal/orders/{order_id}")
    async with page.expect_response("**/live") as heard:
        await page.evaluate(ASK)
    answer = await heard.value
    sizes = await answer.request.sizes()
    assert answer.status == 304
    assert sizes["responseHeadersSize"] + sizes["responseBodySize"] <= 300


async def test_new_orders_are_told_above_the_list_and_come_when_asked_for(
    site: Site, tab: Tab
) -> None:
    """Under the pointer nothing moves: rows stay where they are until Show is pressed."""
    first = await site.shop.order(5000)
    page = tab.page
    await tab.goto("/portal/orders/open")
    row = page.locator(f"#order-{first}")
    before = await row.bounding_box()
    new = [await site.shop.order(6000), await site.shop.order(7000)]
    ask: Any = "htmx.trigger('.cf-newer', 'every')"
    await page.evaluate(ask)
    pill = page.get_by_role("link", name="2 new orders · Show")
    await expect(pill).to_be_visible()
    await expect(page.locator("#live")).to_have_text("2 new orders")
    assert await row.bounding_box() == before
    assert await page.locator(f"#order-{new[0]}").count() == 0
    async with page.expect_response("**/newer*") as heard:
        await page.evaluate(ask)
    assert (await heard.value).status == 304
    await pill.click()
    for order_id in new:
        await expect(page.locator(f"#order-{order_id}")).to_be_visible()
    await expect(page.locator(".cf-newer-pill")).to_have_count(0)
    await tab.goto("/portal/orders/open?payment=REFUNDED")
    await site.shop.order(8000)
    await page.evaluate(ask)
    await asyncio.sleep(0.4)
    assert await page.locator(".cf-newer-pill").count() == 0, "it is not of this list"
