"""Shipments on the order page: their method, their parcels, and how they fare. [U-19 to U-25]"""

import pytest
from playwright.async_api import Locator, expect

from counterfoil.access.users import NewUser, create_user
from tests.portal.goods import THREE, line, place, ready, shipments
from tests.portal.site import PASSWORD, Site, Tab

pytestmark = pytest.mark.browser


async def open_dialog(tab: Tab, order_id: str, name: str) -> Locator:
    """Open a dialog of the order's page."""
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.locator("#order-items").get_by_role("link", name=name).first.click()
    await expect(tab.page.locator("#dialog-title")).to_be_visible()
    return tab.page.locator("#dialog")


@pytest.mark.proves("U-19", "U-20", "U-21", "U-22", "U-23", "U-25")
async def test_two_of_three_items_get_another_method(site: Site, tab: Tab) -> None:
    """Story 15: they share a new shipment without a number, and the work goes on there."""
    order_id = await place(site)
    await ready(site, order_id, "SKU-2")
    dialog = await open_dialog(tab, order_id, "Update shipment")
    await tab.page.evaluate("window.stayed = true")
    await expect(dialog).to_contain_text("All items that have not left (3)")
    await dialog.get_by_label("Specific items").check()
    await dialog.get_by_label("Socks").check()
    await dialog.get_by_label("Scarf").check()
    await dialog.get_by_label("Shipment method").select_option("express")
    await expect(dialog.locator("#goods-says")).to_contain_text(
        "3 × SKU-2 and SKU-3 go into one new shipment."
    )
    await expect(dialog.locator("#goods-says")).to_contain_text("its own tracking number")
    assert await shipments(site, order_id) == [], "nothing is done before Update"
    await dialog.get_by_label("Reason").select_option("vendor")
    await dialog.get_by_label("In words").fill("Bring is on strike")
    await dialog.get_by_role("button", name="Update").click()
    await expect(dialog).to_be_hidden()
    socks = await line(site, order_id, "SKU-2")
    await tab.expect_focus(f"#tracking-{socks.id} input[name=tracking_number]")
    assert await tab.page.evaluate("window.stayed"), "the page was not loaded anew"
    made = await shipments(site, order_id)
    assert [(one.method, one.tracking_number, len(one.items)) for one in made] == [
        ("express", None, 2)
    ]
    await expect(tab.page.locator(f"#item-{socks.id} .cf-c-method")).to_have_text("Express")
    await expect(tab.page.locator("#order-notes")).to_contain_text(
        "Shipment method of SKU-2 and SKU-3 changed to Express:"
        " Another delivery company – Bring is on strike"
    )


@pytest.mark.proves("U-24", "U-25")
async def test_each_item_gets_its_own_method_and_number(site: Site, tab: Tab) -> None:
    """One by one; each has its own shipment, and no number is an order's twice. [U-24, U-25]"""
    order_id = await place(site)
    await ready(site, order_id, "SKU-1", "SKU-2")
    for sku, name, method, number in (
        ("SKU-1", "Wool sweater", "express", "EXP-1"),
        ("SKU-2", "Socks", "standard", "STD-1"),
    ):
        dialog = await open_dialog(tab, order_id, "Update shipment")
        await dialog.get_by_label("Specific items").check()
        await dialog.get_by_label(name).check()
        await dialog.get_by_label("Shipment method").select_option(method)
        await dialog.get_by_role("button", name="Update").click()
        await expect(dialog).to_be_hidden()
        item = await line(site, order_id, sku)
        await tab.expect_focus(f"#tracking-{item.id} input[name=tracking_number]")
        await tab.page.keyboard.type(number)
        await tab.page.keyboard.press("Enter")
        await expect(tab.page.locator("#order-items")).to_contain_text(number)
    made = await shipments(site, order_id)
    assert [(one.method, one.tracking_number) for one in made] == [
        ("express", "EXP-1"),
        ("standard", "STD-1"),
    ]
    parcel = tab.page.locator(f"#shipment-{made[1].id}")
    await parcel.locator("summary").click()
    await parcel.get_by_role("link", name="Tracking").click()
    await tab.page.fill("#tracking_number", "EXP-1")
    await tab.page.get_by_role("button", name="Save tracking").click()
    await expect(tab.page.locator("#dialog .cf-errors")).to_contain_text("EXP-1")
    assert (await shipments(site, order_id))[1].tracking_number == "STD-1"


@pytest.mark.proves("U-19", "U-22")
async def test_all_items_change_at_once_and_what_left_stays(site: Site, tab: Tab) -> None:
    """What has left is listed, and cannot be chosen. [U-19, U-22]"""
    order_id = await place(site)
    await ready(site, order_id, "SKU-3", state="SHIPPED")
    dialog = await open_dialog(tab, order_id, "Update shipment")
    await expect(dialog).to_contain_text("All items that have not left (2)")
    await dialog.get_by_label("Specific items").check()
    await expect(dialog.get_by_label("Scarf")).to_be_disabled()
    await expect(dialog).to_contain_text("has left already")
    await dialog.get_by_label("All items that have not left").check()
    await dialog.get_by_label("Shipment method").select_option("express")
    await expect(dialog.locator("#goods-says")).to_contain_text("go into one new shipment")
    await dialog.get_by_role("button", name="Update").click()
    await expect(dialog).to_be_hidden()
    sent, made = await shipments(site, order_id)
    assert (sent.status, made.status, made.method) == ("SHIPPED", "OPEN", "express")
    await tab.expect_focus(f"#shipment-{made.id}")


async def test_keeping_it_as_it_is_changes_nothing(site: Site, tab: Tab) -> None:
    order_id = await place(site)
    dialog = await open_dialog(tab, order_id, "Update shipment")
    await dialog.get_by_role("button", name="Keep as it is").click()
    await expect(dialog).to_be_hidden()
    assert await shipments(site, order_id) == []


async def test_a_part_leaves_comes_back_and_leaves_again(site: Site, tab: Tab) -> None:
    """Two of three are sent; the carrier gives up; they are sent again and arrive."""
    order_id = await place(site, THREE[1:2])
    dialog = await open_dialog(tab, order_id, "Ship items")
    await expect(dialog.locator("#goods-says")).to_contain_text("3 × SKU-2 leaves")
    await dialog.get_by_label("Not yet").check()
    await expect(dialog.locator("#goods-says")).to_contain_text("is packed and waits to be sent")
    await dialog.get_by_role("button", name="Create shipment").click()
    await expect(dialog).to_be_hidden()
    (made,) = await shipments(site, order_id)
    parcel = tab.page.locator(f"#shipment-{made.id}")
    await expect(parcel).to_be_focused()
    await parcel.get_by_role("link", name="Mark as sent").click()
    await dialog.get_by_label("SKU-2, how many").fill("2")
    await expect(dialog.locator("#goods-says")).to_contain_text("2 × SKU-2 leaves")
    await expect(dialog.locator("#goods-says")).to_contain_text("1 × SKU-2 stays behind")
    await dialog.get_by_role("button", name="Mark as sent").click()
    await expect(dialog).to_be_hidden()
    item = await line(site, order_id, "SKU-2")
    row = tab.page.locator(f"#item-{item.id}")
    await expect(row).to_contain_text("2 of 3 shipped")
    kept, sent = await shipments(site, order_id)
    assert [(kept.status, kept.units[item.id]), (sent.status, sent.units[item.id])] == [
        ("OPEN", 1),
        ("SHIPPED", 2),
    ]
    gone = tab.page.locator(f"#shipment-{sent.id}")
    await gone.locator("summary").click()
    await gone.get_by_role("button", name="In transit").click()
    badge = gone.locator(".cf-badge")
    await expect(badge).to_have_text("In transit")
    await gone.locator("summary").click()
    await gone.get_by_role("link", name="Could not deliver").click()
    await expect(dialog.locator("#goods-says")).to_contain_text("can be sent again or taken back")
    await dialog.get_by_role("button", name="Could not deliver").click()
    await expect(row).to_contain_text("2 not delivered")
    await expect(gone).to_be_focused()
    await gone.get_by_role("link", name="Send again").click()
    await dialog.get_by_role("button", name="Send again").click()
    await expect(badge).to_have_text("Shipped")
    await gone.get_by_role("link", name="Mark as delivered").click()
    await expect(dialog.locator("#goods-says")).to_contain_text("2 × SKU-2 is with the customer.")
    await expect(dialog.locator("#goods-says")).to_contain_text("This cannot be undone.")
    assert (await shipments(site, order_id))[1].status == "SHIPPED", "nothing is done before"
    await dialog.get_by_role("button", name="Mark as delivered").click()
    await expect(badge).to_have_text("Delivered")
    await expect(row).to_contain_text("2 delivered")


async def test_what_cannot_leave_is_not_packed_either(site: Site, tab: Tab) -> None:
    """A line on back order is refused before anything is done."""
    order_id = await place(site, THREE[2:])
    await ready(site, order_id, "SKU-3", state="BACKORDERED")
    dialog = await open_dialog(tab, order_id, "Ship items")
    await expect(dialog.locator("#goods-says")).to_contain_text("on back order")
    await dialog.get_by_role("button", name="Create shipment").click()
    await expect(dialog.locator(".cf-errors")).to_contain_text("on back order")
    assert await shipments(site, order_id) == []


async def test_shipments_are_split_merged_and_cancelled(site: Site, tab: Tab) -> None:
    order_id = await place(site, THREE[:2])
    dialog = await open_dialog(tab, order_id, "Ship items")
    await dialog.get_by_label("Not yet").check()
    await dialog.get_by_role("button", name="Create shipment").click()
    await expect(dialog).to_be_hidden()
    (made,) = await shipments(site, order_id)
    parcel = tab.page.locator(f"#shipment-{made.id}")
    await expect(parcel).to_be_focused()
    await parcel.locator("summary").click()
    await parcel.get_by_role("link", name="Split").click()
    await dialog.get_by_label("SKU-2, how many").fill("9")
    await dialog.locator("form").evaluate("(form) => { form.noValidate = true }")
    await dialog.get_by_role("button", name="Split shipment").click()
    await expect(dialog.locator(".cf-errors")).to_contain_text("write a number from 0 to 3")
    await dialog.get_by_label("SKU-2, how many").fill("2")
    await dialog.get_by_role("button", name="Split shipment").click()
    await expect(dialog).to_be_hidden()
    first, second = await shipments(site, order_id)
    assert sorted(second.units.values()) == [2]
    await tab.expect_focus(f"#shipment-{second.id}")
    await parcel.locator("summary").click()
    await parcel.get_by_role("link", name="Merge").click()
    await dialog.get_by_role("button", name="Merge shipments").click()
    await expect(dialog).to_be_hidden()
    (whole,) = await shipments(site, order_id)
    assert (whole.id, sorted(whole.units.values())) == (first.id, [2, 3])
    await parcel.locator("summary").click()
    await parcel.get_by_role("link", name="Cancel shipment").click()
    await expect(dialog).to_contain_text("can be packed again")
    await dialog.get_by_role("button", name="Cancel shipment").click()
    await expect(parcel).to_contain_text("Cancelled")
    assert await shipments(site, order_id) == []
    await expect(tab.page.get_by_role("link", name="Ship items")).to_be_visible()


async def test_two_tabs_and_one_shipment(site: Site, tab: Tab) -> None:
    """The slower tab is told what happened meanwhile, and nothing is done twice."""
    order_id = await place(site, THREE[:2])
    await open_dialog(tab, order_id, "Ship items")
    await tab.page.get_by_label("Not yet").check()
    second = await tab.context.new_page()
    here = f"{site.url}/portal/orders/{order_id}"
    (bag,) = (await site.shop.folder(order_id)).bags
    await second.goto(f"{here}/bags/{bag.id}/ship")
    await tab.page.get_by_role("button", name="Create shipment").click()
    await expect(tab.page.locator("#dialog")).to_be_hidden()
    await second.get_by_role("button", name="Create shipment").click()
    await expect(second.locator("main")).to_contain_text("is in a shipment already")
    (made,) = await shipments(site, order_id)
    await second.goto(f"{here}/shipments/{made.id}/split")
    await second.get_by_label("SKU-1, how many").fill("1")
    await second.get_by_label("SKU-2, how many").fill("1")
    await tab.goto(f"/portal/orders/{order_id}/shipments/{made.id}/split")
    await tab.page.get_by_label("SKU-2, how many").fill("3")
    await tab.page.get_by_role("button", name="Split shipment").click()
    await expect(tab.page.locator(".cf-parcel")).to_have_count(2)
    await second.get_by_role("button", name="Split shipment").click()
    await expect(second.locator(".cf-errors")).to_contain_text("Somebody packed or moved some")
    assert len(await shipments(site, order_id)) == 2


async def test_a_shipment_has_several_parcels(site: Site, tab: Tab) -> None:
    order_id = await place(site, THREE[:1])
    dialog = await open_dialog(tab, order_id, "Ship items")
    await dialog.get_by_label("Tracking number").fill("BOX-1")
    await dialog.get_by_role("button", name="Create shipment").click()
    await expect(dialog).to_be_hidden()
    (made,) = await shipments(site, order_id)
    parcel = tab.page.locator(f"#shipment-{made.id}")
    await expect(parcel).to_be_focused()
    await parcel.locator("summary").click()
    await parcel.get_by_role("link", name="Tracking").click()
    await dialog.get_by_role("button", name="One more parcel").click()
    await tab.expect_focus("#number-2")
    await tab.page.keyboard.type("BOX-2")
    await dialog.get_by_label("Weight in grams").fill("1250")
    await tab.page.keyboard.press("Enter")
    await expect(parcel).to_contain_text("BOX-2")
    (made,) = await shipments(site, order_id)
    assert [(one.tracking_number, one.weight_g) for one in made.parcels] == [("BOX-2", 1250)]


async def test_two_people_and_one_tracking_number(site: Site, tab: Tab) -> None:
    """Nobody is overwritten silently: who changed it is named, and nothing is lost."""
    order_id = await place(site, THREE[:1])
    dialog = await open_dialog(tab, order_id, "Ship items")
    await dialog.get_by_label("Tracking number").fill("MINE-1")
    await dialog.get_by_role("button", name="Create shipment").click()
    await expect(dialog).to_be_hidden()
    (made,) = await shipments(site, order_id)
    other = await site.open_tab("kari@example.com")
    await other.goto(f"/portal/orders/{order_id}/shipments/{made.id}/tracking")
    await tab.goto(f"/portal/orders/{order_id}/shipments/{made.id}/tracking")
    await other.page.fill("#tracking_number", "KARI-1")
    await other.page.get_by_role("button", name="Save tracking").last.click()
    await expect(other.page.locator("#order-items")).to_contain_text("KARI-1")
    await tab.page.fill("#tracking_number", "ANNA-1")
    await tab.page.get_by_role("button", name="Save tracking").last.click()
    await expect(tab.page.locator(".cf-errors")).to_contain_text("Kari Lie changed it to KARI-1")
    assert (await shipments(site, order_id))[0].tracking_number == "KARI-1"
    await expect(tab.page.locator("#tracking_number")).to_have_value("ANNA-1")
    await tab.page.get_by_role("button", name="Save tracking").last.click()
    await expect(tab.page.locator("#order-items")).to_contain_text("ANNA-1")
    await other.close()


async def test_what_has_left_is_followed_after_the_order_is_completed(site: Site, tab: Tab) -> None:
    """Nothing can leave any more; how it fares is still said. [U-17, rulings 30]"""
    order_id = await place(site, THREE[:1])
    await ready(site, order_id, "SKU-1", state="SHIPPED")
    item = await line(site, order_id, "SKU-1")
    await tab.goto(f"/portal/orders/{order_id}")
    items = tab.page.locator("#order-items")
    await expect(items.locator(".cf-lock")).to_have_text(
        "Everything has left. How a shipment fares is told below."
    )
    await tab.page.locator(f"#state-{item.id}").click()
    row = tab.page.locator(f"#item-{item.id}")
    await expect(row.get_by_role("button", name="Ready")).to_be_disabled()
    await row.get_by_role("link", name="Delivered").click()
    await tab.page.get_by_role("button", name="Set Delivered").click()
    await expect(tab.page.locator("#order-head")).to_contain_text("Delivered")
    assert [one.status for one in await shipments(site, order_id)] == ["DELIVERED"]


async def test_a_line_leaves_only_after_a_word(site: Site, tab: Tab) -> None:
    """Shipped is asked about: it writes to the customer and cannot be undone. [U-15]"""
    order_id = await place(site)
    item = await line(site, order_id, "SKU-3")
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.locator(f"#state-{item.id}").click()
    await tab.page.locator(f"#item-{item.id}").get_by_role("link", name="Shipped").click()
    dialog = tab.page.locator("#dialog")
    await expect(dialog).to_contain_text("SKU-3 leaves")
    await expect(dialog).to_contain_text("This cannot be undone.")
    assert await shipments(site, order_id) == []
    await dialog.get_by_role("button", name="Set Shipped").click()
    await expect(tab.page.locator(f"#state-{item.id}")).to_contain_text("Shipped")
    assert [one.status for one in await shipments(site, order_id)] == ["SHIPPED"]


async def test_goods_without_script(site: Site) -> None:
    """State, number, method and parcel: each is a page with a plain form. [principle 8]"""
    order_id = await place(site)
    item = await line(site, order_id, "SKU-1")
    tab = await site.open_tab(java_script_enabled=False)
    here = f"/portal/orders/{order_id}"
    await tab.goto(here)
    await tab.page.locator(f"#state-{item.id}").click()
    await tab.page.locator(f"#item-{item.id}").get_by_role("link", name="Choose a state").click()
    await tab.page.get_by_role("button", name="Ready").click()
    await expect(tab.page.locator(f"#state-{item.id}")).to_contain_text("Ready")
    await tab.page.locator(f"#add-{item.id}").click()
    await tab.page.fill("#tracking_number", "PLAIN-1")
    await tab.page.get_by_role("button", name="Save tracking number").click()
    await expect(tab.page.locator(f"#tracking-{item.id}")).to_contain_text("PLAIN-1")
    await tab.page.get_by_label("Tick SKU-2").check()
    await tab.page.get_by_role("button", name="Update shipment…").click()
    await expect(tab.page.get_by_label("Socks")).to_be_checked()
    await tab.page.get_by_label("Shipment method").select_option("express")
    await tab.page.get_by_role("button", name="Update").click()
    first, second = await shipments(site, order_id)
    assert (first.tracking_number, second.method) == ("PLAIN-1", "express")
    parcel = tab.page.locator(f"#shipment-{first.id}")
    await parcel.get_by_role("link", name="Mark as sent").click()
    await tab.page.get_by_role("button", name="Mark as sent").click()
    await parcel.get_by_role("link", name="Mark as delivered").click()
    await tab.page.get_by_role("button", name="Mark as delivered").click()
    await expect(parcel.locator(".cf-badge")).to_have_text("Delivered")
    await tab.close()


async def test_a_merchant_handles_their_own_goods_alone(site: Site) -> None:
    """Another merchant's lines and parcels are not there, by page or by address. [rulings 5]"""
    order_id = await place(site, second=(("OTHER-1", "Book", 1, 5000),))
    async with site.pool.connection(site.actor.account_id) as connection:
        new = NewUser(
            email="wool@example.com",
            name="Nordic Wool",
            role="merchant",
            password=PASSWORD,
            merchants=["wool"],
        )
        await create_user(connection, site.actor, new)
    other = await line(site, order_id, "OTHER-1")
    tab = await site.open_tab("wool@example.com")
    dialog = await open_dialog(tab, order_id, "Update shipment")
    assert await dialog.get_by_text("Book").count() == 0
    assert await dialog.get_by_label("Reason").count() == 0
    await dialog.get_by_label("Shipment method").select_option("express")
    await dialog.get_by_role("button", name="Update").click()
    await expect(dialog).to_be_hidden()
    (made,) = await shipments(site, order_id)
    assert other.id not in made.units
    answer = await tab.page.request.get(
        f"{site.url}/portal/orders/{order_id}/items/{other.id}/delivery-state"
    )
    assert answer.status == 404
    await tab.close()
