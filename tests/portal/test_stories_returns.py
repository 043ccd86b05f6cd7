"""Goods coming back in the browser: for a refund, a replacement, credit or nothing. [V-6…V-11]"""

import pytest
from playwright.async_api import expect

from tests.portal.goods_back import (
    delivered,
    press,
    returned,
    stands,
    unit_of,
)
from tests.portal.site import Site, Tab
from tests.work.shop import PAY

pytestmark = pytest.mark.browser


@pytest.mark.proves("V-6", "V-9")
async def test_a_return_for_a_refund_gives_the_money_back(site: Site, tab: Tab) -> None:
    """Story 18: Returned and Refunded, while the status stays Completed."""
    order_id = await delivered(site)
    page = tab.page
    await tab.goto(f"/portal/orders/{order_id}")
    await page.locator("#order-refunds").get_by_role("link", name="Return…").click()
    dialog = page.locator("#dialog")
    await expect(dialog).to_contain_text("Say how many units come back.")
    await page.fill(await unit_of(site, order_id), "2")
    await page.fill(await unit_of(site, order_id, "Socks"), "1")
    await expect(dialog).to_contain_text("Choose what the shopper gets.")
    await dialog.get_by_label("Refund", exact=False).first.check()
    says = page.locator("#consequence")
    await expect(says).to_contain_text("398.00\u00a0EUR")
    await expect(says).to_contain_text("was paid for 2 × Sweater")
    await expect(says.locator("tfoot")).to_contain_text("497.00\u00a0EUR")
    await expect(says).to_contain_text("This cannot be undone.")
    await press(tab, "Return and refund 497.00")
    await expect(page.locator("#dialog-title")).to_contain_text("Refunded 497.00")
    await page.get_by_role("button", name="Done").click()
    region = page.locator("#order-refunds")
    await expect(region).to_contain_text("Return 1")
    await expect(region).to_contain_text("Received")
    await expect(region).to_contain_text("2 × SWEATER: back in stock")
    await expect(region.get_by_role("link", name="Return…")).to_have_count(0)
    await stands(tab, order_id, "Completed", "Refunded", "Returned")
    await expect(page.locator("#order-timeline")).to_contain_text("Came back: 3 units")
    folder = await site.shop.folder(order_id)
    (bag,) = folder.bags
    assert (bag.status, bag.fulfillment_status, bag.financial_status) == (
        "COMPLETED", "RETURNED", "REFUNDED",
    )  # fmt: skip
    assert await site.moved(order_id, "refund") == [49700]
    assert folder.refunds[0].return_id == folder.returns[0].id


@pytest.mark.proves("V-7", "V-8", "V-10", "V-11")
@pytest.mark.parametrize("gets", ["EXCHANGE", "STORE_CREDIT", "NONE"])
async def test_a_return_without_a_refund_moves_no_money(site: Site, tab: Tab, gets: str) -> None:
    """Story 18: Returned and Paid, and no money moved."""
    order_id = await delivered(site, lines=(("Sweater", 1, 19900),))
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.locator("#order-refunds").get_by_role("link", name="Return…").click()
    await tab.page.check(f"#dialog [name=resolution][value={gets}]")
    await expect(tab.page.locator("#consequence")).to_contain_text(
        "No money moves. Payment stays Paid."
    )
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog")).to_contain_text("No money moved.")
    await tab.page.get_by_role("button", name="Done").click()
    await stands(tab, order_id, "Completed", "Paid", "Returned")
    folder = await site.shop.folder(order_id)
    (bag,) = folder.bags
    assert (bag.status, bag.fulfillment_status, bag.financial_status) == (
        "COMPLETED", "RETURNED", "PAID",
    )  # fmt: skip
    assert await site.moved(order_id, "refund") == []
    assert folder.returns[0].resolution == gets
    assert folder.returns[0].credit == (0 if gets == "NONE" else 19900)


@pytest.mark.proves("V-11")
async def test_a_dearer_replacement_waits_until_the_difference_is_paid(
    site: Site, tab: Tab
) -> None:
    """The linked order is held until it is paid, and leads back to the first. [rulings 34]"""
    order_id = await delivered(site, lines=(("Sweater", 1, 19900),))
    page, item = tab.page, (await unit_of(site, order_id)).removeprefix("#units-")
    await tab.goto(f"/portal/orders/{order_id}")
    await page.locator("#order-refunds").get_by_role("link", name="Return…").click()
    await page.check("#dialog [name=resolution][value=EXCHANGE]")
    says = page.locator("#consequence")
    await expect(says).to_contain_text("Nothing is left to pay")
    await page.fill(f"#swap-name-{item}", "Sweater XL")
    await page.fill(f"#swap-price-{item}", "249")
    await expect(says).to_contain_text("50.00\u00a0EUR is left to pay")
    await expect(says).to_contain_text("No money moves. Payment stays Paid.")
    await press(tab, "Return and replace")
    number = await site.number(order_id)
    await expect(page.locator("#dialog")).to_contain_text(f"Order {number}-X1 is made")
    await expect(page.locator("#dialog")).to_contain_text("held until 50.00")
    await page.get_by_role("link", name=f"Open order {number}-X1").click()
    await expect(page.locator("#order-head")).to_contain_text(f"Exchange for order {number}")
    await expect(page.locator("#order-head")).to_contain_text("On hold")
    await expect(page.locator("#order-holds")).to_contain_text("Awaiting payment")
    await expect(page.locator("#order-items")).to_contain_text("Sweater XL")
    linked = (await returned(site, order_id)).exchange_order_id
    assert (await site.shop.run(PAY, linked, amount=5000, flow="payment")).status == 201
    await tab.goto(f"/portal/orders/{linked}")
    await expect(page.locator("#order-head")).not_to_contain_text("On hold")
    await page.get_by_role("link", name=f"order {number}", exact=False).first.click()
    await page.wait_for_url(f"**/orders/{order_id}*")
    region = page.locator("#order-refunds")
    await expect(region).to_contain_text("No money moved (replacement).")
    await region.get_by_role("link", name=f"Order {number}-X1").click()
    await page.wait_for_url(f"**/orders/{linked}*")
    assert await site.moved(order_id, "refund") == []


@pytest.mark.proves("V-6")
async def test_goods_come_in_bit_by_bit(site: Site, tab: Tab) -> None:
    """Announced, approved, received in two parts with a condition each, and closed."""
    order_id = await delivered(site)
    page, units = tab.page, await unit_of(site, order_id)
    item = units.removeprefix("#units-")
    await tab.goto(f"/portal/orders/{order_id}")
    region, dialog = page.locator("#order-refunds"), page.locator("#dialog")
    await region.get_by_role("link", name="Return…").click()
    await page.fill(units, "2")
    await page.check("#dialog [name=arrived][value=no]")
    await page.check("#dialog [name=resolution][value=REFUND]")
    await page.fill("#fee", "20")
    await page.fill("#dialog #note", "She rang")
    await expect(page.locator("#consequence tfoot")).to_contain_text("378.00")
    await expect(page.locator("#consequence")).to_contain_text("Nothing goes back before that.")
    await press(tab, "Record return")
    await expect(dialog).to_contain_text("It waits for 2 units to come in.")
    await page.get_by_role("button", name="Done").click()
    await expect(region).to_contain_text("Announced")
    assert await site.moved(order_id, "refund") == []

    await region.get_by_role("link", name="Approve…").click()
    await page.fill("#dialog #note", "Send it")
    await page.get_by_role("button", name="Approve return").click()
    await expect(region).to_contain_text("Approved by Anna Berg")
    await tab.goto("/portal/returns?resolution=REFUND")
    row = page.locator(f"#return-{(await returned(site, order_id)).id}")
    await expect(row).to_contain_text("When it comes in")
    await expect(row).to_contain_text("2 × SWEATER")
    assert await page.locator("nav.cf-side a", has_text="Returns").locator(".cf-count").count()
    await row.get_by_role("link", name=await site.number(order_id)).click()

    await region.get_by_role("link", name="Receive…").click()
    await page.fill(units, "1")
    await page.select_option(f"#state-{item}", "DAMAGED")
    await press(tab, "Take in and refund 179.00")
    await expect(page.locator("#dialog-title")).to_contain_text("Refunded 179.00")
    await page.get_by_role("button", name="Done").click()
    await expect(region).to_contain_text("Partly received")
    await expect(region).to_contain_text("1 came in, 1 missing, damaged, 1 written off")
    await region.get_by_role("link", name="Receive…").click()
    await expect(page.locator(units)).to_have_value("1")
    await press(tab, "Take in and refund 199.00")
    await expect(page.locator("#dialog-title")).to_contain_text("Refunded 199.00")
    await page.get_by_role("button", name="Done").click()
    back = await returned(site, order_id)
    line = back.lines[0]
    assert (line.received, line.restocked, line.written_off) == (2, 1, 1)
    assert await site.moved(order_id, "refund") == [17900, 19900]
    await region.get_by_role("link", name="Close…").click()
    await page.get_by_role("button", name="Close return").click()
    await expect(region.locator(f"#return-{back.id}")).to_contain_text("Closed")
    await expect(page.locator("#order-timeline")).to_contain_text("Return closed")
