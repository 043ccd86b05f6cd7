"""Edits in the browser: looked at as one types, saved, refused, and two versions compared."""

from typing import Any

import pytest
from playwright.async_api import expect

from counterfoil.access.roles import NewRole, create_role
from counterfoil.access.users import NewUser, create_user
from counterfoil.actions.edit import edit
from counterfoil.book.run import Command
from counterfoil.kernel.ids import new_id
from counterfoil.portal.figures import money
from tests.portal.site import PASSWORD, Site, Tab
from tests.portal.test_stories_refunds import goods

pytestmark = pytest.mark.browser


async def begin(tab: Tab, order_id: str) -> None:
    """Open the form from the order's page."""
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.locator("#order-head summary", has_text="More").click()
    await tab.page.get_by_role("link", name="Edit order…").click()
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Edit order")


async def lines(site: Site, order_id: str) -> dict[str, str]:
    return {item.name: item.id for item in (await site.shop.folder(order_id)).items}


async def worth(site: Site, order_id: str) -> int:
    order = (await site.shop.folder(order_id)).order
    return order.total - order.canceled_total


def sums(tab: Tab) -> Any:
    return tab.page.locator("#consequence")


async def somebody(site: Site, *rights: str, limit: int | None = None) -> str:
    """A user who may do just this."""
    code = f"desk-{new_id()[-12:]}"
    limits = {} if limit is None else {"refund": {"EUR": limit}}
    role = NewRole(code=code, name=code, permissions=["orders.read", *rights], limits=limits)
    email = f"{code}@example.com"
    async with site.pool.connection(site.actor.account_id) as connection:
        await create_role(connection, site.actor, role)
        new = NewUser(email=email, name=f"Desk {code[-4:]}", role=code, password=PASSWORD)
        await create_user(connection, site.actor, new)
    return email


async def test_one_less_is_seen_before_it_is_saved_and_captured_less(site: Site, tab: Tab) -> None:
    order_id = await goods(site, flow="auth")
    items = await lines(site, order_id)
    await begin(tab, order_id)
    await expect(sums(tab)).to_contain_text("Nothing is changed yet")
    await tab.page.fill(f"#units-{items['Mug']}", "2")
    await expect(sums(tab)).to_contain_text("can be captured")
    before = await worth(site, order_id)
    assert before == (await site.shop.folder(order_id)).order.authorized
    await tab.page.fill("#note", "Two are enough")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("is edited")
    after = await worth(site, order_id)
    assert 0 < after < before
    await expect(tab.page.locator("#dialog")).to_contain_text(money(after, "EUR"))
    await tab.page.get_by_role("button", name="Done").click()
    timeline = tab.page.locator("#order-timeline")
    await expect(timeline).to_contain_text("Order edited: 1 line changed")
    await expect(tab.page.locator("#capture-value")).to_have_value(f"{after / 100:.2f}")
    await tab.page.get_by_role("button", name="Capture transaction").click()
    await expect(sums(tab)).to_contain_text("is released: nothing is owed any more")
    await tab.page.click("#money-go")
    heading = tab.page.locator("#dialog-title")
    await expect(heading).to_contain_text(f"Captured {money(after, 'EUR')}")
    assert await site.moved(order_id, "capture") == [after]


async def test_what_is_added_is_due_and_a_payment_is_a_press_away(site: Site, tab: Tab) -> None:
    order_id = await goods(site, flow="auth")
    await begin(tab, order_id)
    await tab.page.fill("#add-0-name", "Cap")
    await tab.page.fill("#add-0-sku", "CAP-9")
    await tab.page.fill("#add-0-quantity", "2")
    await tab.page.fill("#add-0-price", "9.00")
    await tab.page.get_by_role("button", name="Another line").click()
    await expect(tab.page.locator("#add-1-name")).to_be_visible()
    await expect(tab.page.locator("#add-0-name")).to_have_value("Cap")
    await expect(sums(tab)).to_contain_text(f"{money(1800, 'EUR')} is due")
    await expect(sums(tab)).to_contain_text("The goods stay here")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("is edited")
    await expect(tab.page.locator("#dialog")).to_contain_text(f"{money(1800, 'EUR')} is due")
    assert (await site.shop.folder(order_id)).order.hold_shipment
    await expect(tab.page.locator("#order-items")).to_contain_text("CAP-9")
    await tab.page.get_by_role("link", name="Add a payment of").click()
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Add a payment")
    await expect(tab.page.locator("#amount")).to_have_value("18.00")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("18.00")
    order = (await site.shop.folder(order_id)).order
    assert (order.due, order.hold_shipment) == (0, False)


async def test_what_was_taken_too_much_goes_back(site: Site, tab: Tab) -> None:
    order_id = await goods(site)
    items = await lines(site, order_id)
    taken = sum(await site.moved(order_id, "capture"))
    await begin(tab, order_id)
    await tab.page.fill(f"#units-{items['Lamp']}", "0")
    await expect(tab.page.locator("#money-go")).to_contain_text("Save and give back")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("is edited")
    back = taken - await worth(site, order_id)
    await site.shop.worked()
    (refund,) = (await site.shop.folder(order_id)).refunds
    assert (refund.amount, refund.reference.startswith("edit-")) == (back, True)
    assert sum(await site.moved(order_id, "refund")) == back


async def test_above_the_limit_it_waits_and_without_the_right_it_is_refused(site: Site) -> None:
    order_id = await goods(site)
    items = await lines(site, order_id)
    tab = await site.open_tab(await somebody(site, "orders.edit", "payments.refund", limit=100))
    await begin(tab, order_id)
    await tab.page.fill(f"#units-{items['Mug']}", "1")
    await expect(sums(tab)).to_contain_text("a second person approves it")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog")).to_contain_text("is set aside")
    await tab.close()
    tab = await site.open_tab(await somebody(site, "orders.edit"))
    await begin(tab, order_id)
    await tab.page.fill(f"#units-{items['Mug']}", "0")
    await expect(sums(tab)).to_contain_text("you may not give money back")
    await expect(tab.page.locator("#money-go")).to_have_attribute("aria-disabled", "true")
    assert len((await site.shop.folder(order_id)).edits) == 1
    await tab.close()


async def test_who_was_slower_is_told_and_loses_nothing(site: Site, tab: Tab) -> None:
    order_id = await goods(site, flow="auth")
    items = await lines(site, order_id)
    await begin(tab, order_id)
    await tab.page.fill(f"#units-{items['Mug']}", "1")
    await expect(tab.page.locator("#consequence table")).to_be_visible()
    its = site.shop.key(None, f"address {order_id}")
    command = Command(order_id=order_id, actor=site.actor, key=its)
    place = {"line1": "Storgata 9", "city": "Bergen", "country": "NO"}
    asked = site.shop.works.asked(site.actor, key=its.key)
    await site.shop.works.book.run(command, edit, asked=asked, fields={"shipping_address": place})
    await tab.page.click("#money-go")
    box = tab.page.locator("#dialog [role=alert]").first
    await expect(box).to_contain_text("changed the order while you were writing")
    await expect(tab.page.locator(f"#units-{items['Mug']}")).to_have_value("1")
    assert (await site.shop.folder(order_id)).edits == ()
    await tab.page.get_by_role("button", name="Keep mine").click()
    await expect(tab.page.locator("#dialog-title")).to_contain_text("is edited")
    folder = await site.shop.folder(order_id)
    assert folder.order.shipping_address == place


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_versions_stand_side_by_side(site: Site, script: bool) -> None:
    order_id = await goods(site, flow="auth")
    items = await lines(site, order_id)
    tab = await site.open_tab(java_script_enabled=script)
    await tab.goto(f"/portal/orders/{order_id}/edits")
    await expect(tab.page.locator("main")).to_contain_text("Nobody has edited this order")
    await _save(tab, order_id, {f"#units-{items['Spoon']}": "0", "#note": "Out of stock"},
                script=script)
    await _save(tab, order_id, {f"#units-{items['Mug']}": "2", "#add-0-name": "Cap",
                                "#add-0-quantity": "1", "#add-0-price": "5"}, script=script)
    await tab.goto(f"/portal/orders/{order_id}/edits")
    table = tab.page.locator(".cf-versions tbody tr")
    await expect(table).to_have_count(3)
    await expect(table.nth(1)).to_contain_text("1 line removed")
    await expect(table.nth(1)).to_contain_text("Out of stock")
    await expect(table.nth(0)).to_contain_text("Anna Berg")
    compared = tab.page.locator("#compared")
    await expect(compared).to_contain_text("Version 2 and version 3")
    await tab.page.locator("input[name=from][value='1']").check()
    await tab.page.locator("input[name=to][value='3']").check()
    await tab.page.get_by_role("button", name="Compare the two").click()
    await expect(compared).to_contain_text("Version 1 and version 3")
    for name, word in (("Mug", "Changed"), ("Spoon", "Removed"), ("Cap", "Added"),
                       ("Lamp", "Same"), ("Total", "Changed")):
        row = compared.locator("tr", has=tab.page.get_by_role("rowheader", name=name))
        await expect(row).to_contain_text(word)
    await tab.close()


async def _save(tab: Tab, order_id: str, fields: dict[str, str], *, script: bool) -> None:
    """Fill the form on a page of its own; without script the second press saves."""
    await tab.goto(f"/portal/orders/{order_id}/edits/new")
    for field, text in fields.items():
        await tab.page.fill(field, text)
    heading = tab.page.locator("h1#dialog-title")
    shown = tab.page.locator("[name=shown_edit]")
    before = await shown.get_attribute("value")
    if script:
        await expect(shown).not_to_have_attribute("value", before or "")
        await tab.page.wait_for_timeout(600)  # the last field is asked about, too
    else:
        await tab.page.click("#money-go")
        await expect(tab.page.locator("main [role=alert]")).to_contain_text("press again")
    await tab.page.click("#money-go")
    await expect(heading).to_contain_text("is edited")


async def test_on_a_phone_nothing_is_wider_than_it(site: Site) -> None:
    order_id = await goods(site, flow="auth")
    items = await lines(site, order_id)
    tab = await site.open_tab()
    await tab.page.set_viewport_size({"width": 390, "height": 844})
    await begin(tab, order_id)
    await tab.page.fill(f"#units-{items['Mug']}", "1")
    await tab.page.locator("summary", has_text="Ship to").click()
    await tab.page.fill("#ship-line1", "Storgata 2")
    await tab.page.fill("#ship-country", "no")
    await expect(tab.page.locator("#consequence table")).to_be_visible()
    wide = "document.documentElement.scrollWidth - innerWidth"
    assert await tab.page.evaluate(wide) <= 0
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("is edited")
    await tab.page.get_by_role("link", name="See what changed").click()
    await expect(tab.page.locator("#compared")).to_contain_text("Storgata 2")
    assert await tab.page.evaluate(wide) <= 0
    place = (await site.shop.folder(order_id)).order.shipping_address
    assert place == {"line1": "Storgata 2", "country": "NO"}
    await tab.close()
