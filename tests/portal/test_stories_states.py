"""The seven states in the browser: a new order, its way through the menu, and out of the list."""

import pytest
from playwright.async_api import expect

from tests.portal.site import Site, Tab
from tests.portal.test_stories_orders import choose_state

pytestmark = pytest.mark.browser


@pytest.mark.proves("U-1", "U-2", "U-5", "U-8", "U-9", "U-10")
async def test_a_new_order_goes_through_the_states(site: Site, tab: Tab) -> None:
    """U-5 to U-10: it comes in as New; work begins, somebody doubts it, it stops, it goes on."""
    order_id = await site.shop.order(5000)
    number = await site.number(order_id)
    await tab.goto("/portal/orders/open")
    row = tab.page.locator(f"#order-{order_id}")
    await expect(row).to_contain_text("New")
    await row.get_by_role("link", name=number, exact=True).click()
    head = tab.page.locator("#order-head")
    await expect(head).to_contain_text("New")
    for state in ("Processing", "Fraud", "Suspended", "Processing"):
        await choose_state(tab, state)
        await expect(tab.page.locator("#order-state summary")).to_contain_text(state)
    folder = await site.shop.folder(order_id)
    assert folder.order.system_state == "PROCESSING"


@pytest.mark.proves("U-7")
async def test_canceled_is_done_and_not_put(site: Site, tab: Tab) -> None:
    """U-7: choosing Canceled asks what a cancellation asks, and the order leaves the list."""
    order_id = await site.shop.order(5000)
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.locator("#order-state summary").click()
    await tab.page.locator("#order-state a", has_text="Canceled").click()
    await expect(tab.page.locator("h1, #dialog-title").last).to_contain_text("Cancel order")
    assert (await site.shop.folder(order_id)).order.system_state == "NEW"
    await tab.page.check("[name=notify][value=no]")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("main, #dialog").last).to_contain_text("is cancelled")
    assert (await site.shop.folder(order_id)).order.system_state == "CANCELED"
    await tab.goto("/portal/orders/open")
    assert await tab.page.locator(f"#order-{order_id}").count() == 0
