"""Everything but money in the browser: cancelling, shipping, invoice, state, notes, signing in."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.portal.site import EMAIL, PASSWORD, Site, Tab

pytestmark = pytest.mark.browser


async def half_captured(site: Site) -> str:
    order_id = await site.shop.order(100000)
    await site.shop.run("capture", order_id, amount=60000)
    return order_id


async def cancel(site: Site, tab: Tab, order_id: str, notify: str) -> None:
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.get_by_role("link", name="Cancel order").click()
    await expect(tab.page.locator("#dialog")).to_contain_text("Release 400.00")
    await expect(tab.page.locator("#dialog")).to_contain_text("Refund 600.00")
    assert await tab.page.locator("[name=notify]:checked").count() == 0, "no answer beforehand"
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Cancel order")
    await tab.page.check(f"[name=notify][value={notify}]")
    await tab.page.click("#money-go")


@pytest.mark.proves("U-7", "U-31", "U-32", "U-33")
@pytest.mark.parametrize("notify", ["yes", "no"])
async def test_cancelling_settles_the_money_and_asks_about_the_letter(
    site: Site, tab: Tab, notify: str
) -> None:
    """Story 11. [U-31 to U-33]"""
    order_id = await half_captured(site)
    number = await site.number(order_id)
    await cancel(site, tab, order_id, notify)
    await expect(tab.page.locator("#dialog-title")).to_have_text(f"Order {number} is cancelled")
    told = tab.page.locator("#dialog")
    await expect(told).to_contain_text("600.00\u00a0EUR has been refunded")
    await expect(told).to_contain_text("400.00\u00a0EUR has been reversed")
    assert await site.moved(order_id, "refund") == [60000]
    assert await site.moved(order_id, "void") == [40000]
    wanted = 1 if notify == "yes" else 0
    for _ in range(50):
        letters = [text for text in site.letters() if f"order {number}" in text.lower()]
        if len(letters) >= wanted:
            break
        await asyncio.sleep(0.1)
    assert len(letters) == wanted
    await tab.page.get_by_role("button", name="Done").click()
    await expect(tab.page.locator("#order-head")).to_contain_text("Cancelled")
    assert await tab.page.get_by_role("link", name="Cancel order").count() == 0
    if wanted:
        await tab.goto("/portal/letters")
        await tab.page.locator("tr", has_text=number).get_by_role("link").first.click()
        await expect(tab.page.locator(".cf-letter-text")).to_contain_text(number)


async def test_a_cancellation_that_failed_is_run_again(site: Site, tab: Tab) -> None:
    """Story 12: the refund is refused; nothing is done twice when it is run again."""
    order_id = await half_captured(site)
    provider_id = await site.provider_id(order_id)
    site.sandbox.fault("decline", kind="refund", payment=provider_id)
    await cancel(site, tab, order_id, "no")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("is not finished")
    await expect(tab.page.locator("#dialog")).to_contain_text("was refused")
    assert (await site.shop.folder(order_id)).order.system_state == "CANCEL_REQUESTED"
    await tab.page.get_by_role("link", name="Run again").last.click()
    await tab.page.check("[name=notify][value=no]")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("is cancelled")
    assert await site.moved(order_id, "void") == [40000]
    assert await site.moved(order_id, "refund") == [60000]


@pytest.mark.proves("U-6", "U-14", "U-18", "U-23")
async def test_goods_are_shipped_tracked_and_delivered(site: Site, tab: Tab) -> None:
    """Story 14, as far as shipments go. [U-14 to U-25]"""
    order_id = await site.shop.order(5000, flow="payment")
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.get_by_role("link", name="Ship items").click()
    await tab.page.fill("#tracking_number", "70727800000000012")
    await tab.page.get_by_role("button", name="Create shipment").click()
    await expect(tab.page.locator("#dialog")).to_be_hidden()
    items = tab.page.locator("#order-items")
    await expect(items).to_contain_text("70727800000000012")
    await expect(tab.page.locator("#order-head")).to_contain_text("Completed")
    await items.get_by_role("link", name="Mark as delivered").click()
    await tab.page.get_by_role("button", name="Mark as delivered").click()
    await expect(tab.page.locator("#order-head")).to_contain_text("Delivered")


@pytest.mark.proves("U-8", "U-16")
async def test_a_closed_gate_says_why(site: Site, tab: Tab) -> None:
    """Story 14. [U-16, U-17]"""
    order_id = await site.shop.order(5000)
    await tab.goto(f"/portal/orders/{order_id}")
    await choose_state(tab, "Fraud")
    await expect(tab.page.locator("#order-items")).to_contain_text(
        "Shipping is locked: the order is Fraud."
    )
    open_doors = tab.page.get_by_role("link", name="Ship items", disabled=False)
    assert await open_doors.count() == 0


async def choose_state(tab: Tab, name: str) -> None:
    await tab.page.locator("#order-state summary").click()
    await tab.page.locator("#order-state button", has_text=name).click()


@pytest.mark.proves("U-3", "U-9")
async def test_arrowing_through_the_states_changes_nothing(site: Site, tab: Tab) -> None:
    """Story 17. [U-3 to U-11]"""
    order_id = await site.shop.order(5000)
    await tab.goto(f"/portal/orders/{order_id}")
    summary = tab.page.locator("#order-state summary")
    await summary.focus()
    for _ in range(3):
        await tab.page.keyboard.press("ArrowDown")
    assert (await site.shop.folder(order_id)).order.state == "new"
    await tab.page.keyboard.press("Escape")
    await choose_state(tab, "Processing")
    await expect(tab.page.locator("#order-head")).to_contain_text("Processing")
    assert (await site.shop.folder(order_id)).order.state == "processing"
    await tab.page.locator("#order-state summary").click()
    await (
        tab.page.locator("#order-state a", has_text="Cancelled")
        .or_(tab.page.locator("#order-state a", has_text="Canceled"))
        .click()
    )
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Cancel order")


@pytest.mark.proves("U-12", "U-13")
async def test_two_people_and_one_invoice_number(site: Site, tab: Tab) -> None:
    """Story 16. [U-12, U-13]"""
    order_id = await site.shop.order(5000)
    await tab.goto(f"/portal/orders/{order_id}")
    other = await site.open_tab("kari@example.com")
    await other.goto(f"/portal/orders/{order_id}")
    await other.page.fill("#note-body", "Called the customer")
    await other.page.locator("#order-notes").get_by_role("button", name="Save").click()
    await expect(other.page.locator("#order-notes li")).to_contain_text("Called the customer")

    await tab.page.fill("#invoice_number", "INV-1")
    await tab.page.get_by_role("button", name="Save invoice").click()
    await expect(tab.page.locator("#order-invoice")).to_contain_text("Saved")

    await other.page.fill("#invoice_number", "INV-2")
    await other.page.get_by_role("button", name="Save invoice").click()
    box = other.page.locator("#order-invoice")
    await expect(box).to_contain_text("Anna Berg changed it to INV-1. You typed INV-2.")
    assert (await site.shop.folder(order_id)).order.invoice_number == "INV-1"
    await other.page.get_by_role("button", name="Keep mine").click()
    await expect(box).to_contain_text("Saved")
    assert (await site.shop.folder(order_id)).order.invoice_number == "INV-2"
    await other.close()


async def test_a_lost_session_keeps_the_form(site: Site, tab: Tab) -> None:
    """Story 24."""
    order_id = await site.shop.order(7000, flow="payment")
    await tab.goto(f"/portal/orders/{order_id}/refund")
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.get_by_role("link", name="Refund…").click()
    await tab.page.fill("#reason", "Wrong colour")
    await tab.context.clear_cookies()
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#relogin")).to_be_visible()
    await tab.page.fill("#relogin #email", EMAIL)
    await tab.page.fill("#relogin #password", PASSWORD)
    await tab.page.locator("#relogin button").click()
    await expect(tab.page.locator("#relogin")).to_be_hidden()
    await expect(tab.page.locator("#reason")).to_have_value("Wrong colour")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 70.00")


async def test_everything_works_without_script(site: Site) -> None:
    """Principle 8."""
    order_id = await site.shop.order(5000)
    tab = await site.open_tab(java_script_enabled=False)
    await tab.goto("/portal/orders/open")
    await tab.page.fill("#q", await site.number(order_id))
    await tab.page.get_by_role("button", name="Filter", exact=True).click()
    await tab.page.locator(f"#order-{order_id} [data-cf-act=capture]").click()
    await expect(tab.page.locator("h1")).to_contain_text("Capture payment")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("h1")).to_contain_text("Captured 50.00")
    await tab.page.get_by_role("link", name="Done").click()
    await tab.page.fill("#invoice_number", "INV-9")
    await tab.page.get_by_role("button", name="Save invoice").click()
    await expect(tab.page.locator("#order-timeline")).to_contain_text("INV-9")
    await tab.page.locator("#order-state summary").click()
    await tab.page.locator("#order-state button", has_text="Suspended").click()
    await expect(tab.page.locator("#order-head")).to_contain_text("Suspended")
    await tab.page.locator(".cf-side-foot summary").click()
    await tab.page.get_by_role("button", name="Dark").click()
    await expect(tab.page.locator("html")).to_have_attribute("data-cf-theme", "dark")
    await tab.page.locator(".cf-side-foot summary").click()
    await tab.page.get_by_role("button", name="As this device").click()
    await tab.page.locator(".cf-side-foot summary").click()
    await tab.page.get_by_role("button", name="Sign out").click()
    await expect(tab.page.locator("h1")).to_have_text("Sign in")
    await tab.close()


@pytest.mark.proves("U-2")
async def test_the_address_is_the_state(site: Site, tab: Tab) -> None:
    """Story 21, without saved views: filters survive a reload, Back, and a colleague's screen."""
    await site.shop.order(5000)
    await tab.goto("/portal/orders/open")
    await tab.page.locator("summary", has_text="Payment").click()
    await tab.page.locator("label", has_text="Authorised").click()
    await tab.page.wait_for_url("**payment=AUTHORIZED**")
    await expect(tab.page.locator(".cf-chip")).to_have_count(1)
    shown = await tab.page.locator("[data-cf-row]").count()
    assert shown > 0
    await tab.page.locator("[data-cf-row] th a").first.click()
    await expect(tab.page.locator("#order-head")).to_be_visible()
    await tab.page.go_back()
    await expect(tab.page.locator("[data-cf-row]")).to_have_count(shown)
    await expect(tab.page.locator(".cf-chip")).to_have_count(1)


async def test_another_sites_form_is_refused(site: Site, tab: Tab) -> None:
    """[faults H-13, H-14]"""
    order_id = await site.shop.order(5000)
    await tab.goto("/portal/orders/open")
    told = await tab.page.evaluate(
        """async (path) => (await fetch(path, {method: 'POST', body: new URLSearchParams(
          {body: 'x', idempotency_key: 'k', _csrf_token: 'wrong'})})).status""",
        f"/portal/orders/{order_id}/notes",
    )
    assert told == 403
    assert (await site.shop.folder(order_id)).notes == ()


async def test_pictures(site: Site, tab: Tab, pictures: str) -> None:
    """Both pages, wide and narrow, light and dark: nothing overflows. `--pictures` keeps them."""
    order_id = await site.shop.order(100000, bags=2)
    await site.shop.run("capture", order_id, amount=60000)
    for width in (1440, 390):
        await tab.page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            await tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for name, path in (("orders", "/orders/open"), ("order", f"/orders/{order_id}")):
                await tab.goto(f"/portal{path}")
                wide = await tab.page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                assert wide <= 0, (name, width)
                if pictures:
                    place = Path(pictures) / f"{name}-{width}-{scheme}.png"
                    await tab.page.screenshot(path=place, full_page=name == "order")
