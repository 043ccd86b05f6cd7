"""Ticked lines go on together: to a tracking number, to a return; and a state is taken back."""

import pytest
from playwright.async_api import Locator, expect

from tests.portal.goods import THREE, line, place, ready, shipments
from tests.portal.site import COLLEAGUE, Site, Tab

pytestmark = pytest.mark.browser


async def ticked(tab: Tab, order_id: str, *skus: str, then: str) -> Locator:
    """Tick lines and press a button below them."""
    await tab.goto(f"/portal/orders/{order_id}")
    for sku in skus:
        await tab.page.get_by_label(f"Tick {sku}", exact=True).check()
    await tab.page.get_by_role("button", name=then).first.click()
    await expect(tab.page.locator("#dialog-title")).to_be_visible()
    return tab.page.locator("section[aria-labelledby=dialog-title]")


@pytest.mark.proves("U-15")
async def test_a_slip_of_the_hand_is_undone(site: Site, tab: Tab) -> None:
    """Who changed a state is named beside it, with the way back while it is allowed."""
    order_id = await place(site)
    item = await line(site, order_id, "SKU-2")
    await tab.goto(f"/portal/orders/{order_id}")
    row = tab.page.locator(f"#item-{item.id}")
    await tab.page.locator(f"#state-{item.id}").click()
    await row.get_by_role("button", name="Ready").click()
    await expect(row).to_contain_text("Changed by Anna Berg")
    await row.get_by_role("button", name="Undo").focus()
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.locator(f"#state-{item.id}")).to_contain_text("Pending")
    await tab.expect_focus(f"#state-{item.id}")
    await expect(tab.page.locator("#live")).to_have_text("SKU-2 is Pending again")
    assert (await line(site, order_id, "SKU-2")).delivery_state == "PENDING"
    await ready(site, order_id, "SKU-3", state="BACKORDERED")
    await tab.goto(f"/portal/orders/{order_id}")
    scarf = tab.page.locator(f"#item-{(await line(site, order_id, 'SKU-3')).id}")
    assert await scarf.get_by_role("button", name="Undo").count() == 0, "no way from there"


async def test_what_somebody_else_changed_is_not_undone(site: Site, tab: Tab) -> None:
    """The newer choice stays, and who made it is named."""
    order_id = await place(site)
    await ready(site, order_id, "SKU-2", state="PROCESSING")
    item = await line(site, order_id, "SKU-2")
    await tab.goto(f"/portal/orders/{order_id}")
    row = tab.page.locator(f"#item-{item.id}")
    await expect(row.get_by_role("button", name="Undo")).to_be_visible()
    kari = await site.open_tab(COLLEAGUE)
    await kari.goto(f"/portal/orders/{order_id}/items/{item.id}/delivery-state")
    await kari.page.get_by_role("button", name="Ready").click()
    await expect(kari.page.locator(f"#state-{item.id}")).to_contain_text("Ready")
    await kari.close()
    await row.get_by_role("button", name="Undo").click()
    await expect(row.get_by_role("alert")).to_have_text(
        "Kari Lie changed it to Ready. Nothing was undone."
    )
    await tab.expect_focus(f"#state-{item.id}")
    assert (await line(site, order_id, "SKU-2")).delivery_state == "READY"


@pytest.mark.proves("U-3")
async def test_the_state_of_an_order_is_undone(site: Site, tab: Tab) -> None:
    order_id = await place(site)
    await tab.goto(f"/portal/orders/{order_id}")
    card = tab.page.locator("#order-state")
    for name in ("Processing", "Suspended"):
        await card.locator("summary").click()
        await card.get_by_role("button", name=name).click()
        await expect(card.locator("summary")).to_contain_text(name)
    await expect(card).to_contain_text("Changed by Anna Berg")
    await card.get_by_role("button", name="Undo").click()
    await expect(card.locator("summary")).to_contain_text("Processing")
    assert (await site.shop.folder(order_id)).order.state == "processing"


@pytest.mark.proves("U-18")
async def test_ticked_lines_get_a_tracking_number(site: Site, tab: Tab) -> None:
    """Lines that go together open one form; others are told, each with its reason."""
    order_id = await place(site)
    await ready(site, order_id, "SKU-1", "SKU-2")
    dialog = await ticked(tab, order_id, "SKU-1", "SKU-2", "SKU-3", then="Add tracking")
    await expect(dialog).to_contain_text("SKU-3: A tracking number can be added when")
    await dialog.get_by_role("link", name="SKU-1 and SKU-2").click()
    await tab.expect_focus("#tracking_number")
    await expect(dialog.get_by_label("SKU-2, how many")).to_have_value("3")
    await expect(dialog.get_by_label("SKU-3, how many")).to_have_value("0")
    await tab.page.keyboard.type("BOTH-1")
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.locator(".cf-parcel")).to_contain_text("BOTH-1")
    (made,) = await shipments(site, order_id)
    assert (made.status, made.tracking_number, len(made.items)) == ("OPEN", "BOTH-1", 2)


async def test_ticked_lines_come_back_together(site: Site, tab: Tab) -> None:
    """The dialog of a return has them filled in; what has not left is told."""
    order_id = await place(site)
    await ready(site, order_id, "SKU-2", "SKU-1", state="SHIPPED")
    dialog = await ticked(tab, order_id, "SKU-2", "SKU-3", then="Return…")
    item = await line(site, order_id, "SKU-2")
    await expect(dialog).to_contain_text("Nothing of SKU-3 has left that could come back.")
    await expect(tab.page.locator(f"#units-{item.id}")).to_have_value("3")
    other = await line(site, order_id, "SKU-1")
    await expect(tab.page.locator(f"#units-{other.id}")).to_have_value("")


async def test_ticked_lines_of_two_bags_come_back_one_by_one(site: Site) -> None:
    """Each bag has its own return, without script too; a completed order's lines can be ticked."""
    order_id = await place(site, THREE[:1], second=(("BOOK-1", "Book", 2, 5000),))
    await ready(site, order_id, "SKU-1", "BOOK-1", state="SHIPPED")
    tab = await site.open_tab(java_script_enabled=False)
    await ticked(tab, order_id, "SKU-1", "BOOK-1", then="Return…")
    await expect(tab.page.locator("main")).to_contain_text("belongs to several merchants")
    await tab.page.get_by_role("link", name="fjell").click()
    book = await line(site, order_id, "BOOK-1")
    await expect(tab.page.locator(f"#units-{book.id}")).to_have_value("2")
    await tab.page.get_by_label("Nothing").check()
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_have_text("2 units came back")
    assert (await line(site, order_id, "BOOK-1")).quantity_returned == 2
    await tab.close()
