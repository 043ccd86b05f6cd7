"""Packing slips in the browser: found, looked at, printed, as a PDF. [design guide 5.10]"""

import pytest
from playwright.async_api import expect

from tests.paper.reading import scanned, text_of
from tests.portal.site import Site, Tab
from tests.portal.test_doors import signed_in

pytestmark = pytest.mark.browser


async def test_a_slip_is_printed_from_the_order_s_head(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000, bags=2)
    number = await site.number(order_id)
    page = tab.page
    await tab.goto(f"/portal/orders/{order_id}")
    await page.locator("#order-head summary", has_text="Print").click()
    await page.get_by_role("link", name="Packing slip", exact=True).click()
    await expect(page.locator("h1")).to_have_text("Packing slip")
    slips = page.locator("article.slip")
    await expect(slips).to_have_count(2)
    await expect(slips.nth(1)).to_contain_text("Bag 2 of 2")
    await expect(slips.first).to_contain_text(number)
    assert await page.get_by_role("img", name=f"Order {number}").count() == 2
    assert "25.00" not in await page.locator("main").inner_text()
    await page.evaluate("window.print = () => { window.printed = true }")
    await page.get_by_role("button", name="Print").click()
    assert await page.evaluate("window.printed")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("navigation")).to_be_hidden()
    paper = await page.pdf(prefer_css_page_size=False, format="A4")
    assert len(text_of(paper)) == 2, "a sheet for each bag"
    assert scanned(paper) == [number]
    await page.emulate_media(media="screen")
    await tab.goto(f"/portal/orders/{order_id}/print/packing-slip?prices=yes")
    await expect(slips.first).to_contain_text("25.00")
    await page.get_by_role("link", name="Back to the order").click()
    await expect(page.locator("h1")).to_have_text(f"Order {number}")


async def test_a_shipment_has_its_own_slip(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    page = tab.page
    await tab.goto(f"/portal/orders/{order_id}")
    await page.get_by_role("link", name="Ship items").click()
    await page.fill("#tracking_number", "TN-slip-1")
    await page.check("[name=sent][value=no]")
    await page.get_by_role("button", name="Create shipment").click()
    await page.locator(".cf-parcel").get_by_role("link", name="Packing slip").click()
    await expect(page.locator("article.slip")).to_contain_text("TN-slip-1")


async def test_the_pdf_says_the_same_and_only_to_who_may_see_the_order(
    site: Site, tab: Tab
) -> None:
    order_id = await site.shop.order(5000)
    path = f"/portal/orders/{order_id}/print/packing-slip"
    number = await site.number(order_id)
    with signed_in(site) as client:
        answer = client.get(f"{path}.pdf?paper=letter")
        assert answer.headers["content-type"] == "application/pdf"
        assert number in text_of(answer.content)[0]
        nobody = path.replace(order_id, "0199c000-0000-7000-8000-000000000009")
        assert client.get(nobody).status_code == 404
        assert client.get(f"{path}?shipment={order_id}").status_code == 404
    bare = await site.open_tab(java_script_enabled=False)
    await bare.goto(path)
    await expect(bare.page.locator("article.slip")).to_contain_text(number)
    await expect(bare.page.get_by_role("button", name="Print")).to_be_hidden()
    await bare.close()
