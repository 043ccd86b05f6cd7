"""Order configurations in the browser: states made, used, kept, emptied, deleted. [3.11]

Each story makes states of its own, so that none disturbs another.
"""

from typing import Any

import msgspec
import pytest
from playwright.async_api import expect

from counterfoil.access.users import NewUser, create_user
from counterfoil.actions.change_state import change_state
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.book.run import Command
from counterfoil.kernel.ids import new_id
from counterfoil.setup.states import NewState, add_state, find_state
from tests.portal.site import PASSWORD, Site, Tab

pytestmark = pytest.mark.browser
PAGE = "/portal/config/states"


def fresh(name: str) -> str:
    """Make a name that no other story has."""
    return f"{name} {new_id()[-6:]}"


def code_of(name: str) -> str:
    return name.lower().replace(" ", "-")


async def make(site: Site, name: str, system_state: str = "PROCESSING", **more: Any) -> str:
    """Make a state without the browser; return its code."""
    new = NewState(code=code_of(name), name=name, system_state=system_state, **more)
    async with site.pool.connection(site.actor.account_id) as connection, connection.transaction():
        return (await add_state(connection, site.actor, new)).code


async def put(site: Site, order_id: str, code: str) -> None:
    await run(site, order_id, change_state, state=code)


async def run(site: Site, order_id: str, action: Any, **wanted: Any) -> None:
    works = site.shop.works
    command = Command(order_id=order_id, actor=site.actor)
    await works.book.run(command, action, asked=works.asked(site.actor), **wanted)


async def state_of(site: Site, order_id: str) -> str:
    return (await site.shop.folder(order_id)).order.state


def row(tab: Tab, code: str) -> Any:
    return tab.page.locator(f"[id='state-{code}']")


async def add(tab: Tab, name: str, counts_as: str, colour: str, description: str = "") -> None:
    """Add a state as people do."""
    await tab.goto(PAGE)
    await tab.page.get_by_role("link", name="Add status").click()
    await tab.page.fill("#name", name)
    await tab.page.select_option("#system_state", label=counts_as)
    await tab.page.get_by_role("radio", name=colour).check()
    await tab.page.fill("#description", description)
    await tab.page.get_by_role("button", name="Add status").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Added.")


@pytest.mark.proves("U-3", "U-4", "U-11")
@pytest.mark.parametrize("script", [True, False])
async def test_a_state_is_added_and_an_order_is_moved_there(
    site: Site, script: bool, pictures: str
) -> None:
    """U-4, U-11: what is added here is in the order's menu, in the list and in its filter."""
    tab = await site.open_tab(java_script_enabled=script)
    name, idle = fresh("Picking"), fresh("Idle")
    await make(site, idle, colour="purple", description="Nobody is at it")
    await add(tab, name, "Processing", "Teal", "In the warehouse")
    mine = row(tab, code_of(name))
    for text in (name, code_of(name), "Processing", "In the warehouse", "Not in use"):
        await expect(mine).to_contain_text(text)
    await expect(mine.locator(".cf-hue-teal")).to_have_count(1)
    order_id = await site.shop.order(5000)
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.locator("#order-state summary").click()
    choice = tab.page.get_by_role("button", name=name)
    await expect(choice).to_contain_text("In the warehouse")
    if pictures and script:
        shot = f"{pictures}/order-state-menu.png"
        await tab.page.screenshot(path=shot, caret="initial")
    await choice.click()
    await expect(tab.page.locator("#order-head")).to_contain_text(name)
    assert await state_of(site, order_id) == code_of(name)
    await tab.goto(f"/portal/orders/all?status={code_of(name)}")
    await expect(site.row(tab, order_id)).to_contain_text(name)
    await expect(tab.page.locator("#filters")).to_contain_text(name)
    await expect(tab.page.locator("tbody tr")).to_have_count(1)
    await tab.goto(PAGE)
    await mine.get_by_role("link", name="1 order", exact=True).click()
    await expect(site.row(tab, order_id)).to_be_visible()
    await tab.close()


@pytest.mark.proves("U-4")
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(tab: Tab) -> None:
    await tab.goto(f"{PAGE}/new")
    await tab.page.fill("#name", "New")
    await tab.page.get_by_role("radio", name="Red").check()
    await tab.page.get_by_role("checkbox", name="Only the states").check()
    await tab.page.get_by_role("checkbox", name="Suspended", exact=True).check()
    await tab.page.get_by_role("button", name="Add status").click()
    await expect(tab.page.locator("#code-error")).to_contain_text("is what a built-in state")
    await tab.expect_focus(".cf-errors")
    await tab.page.fill("#name", "Processing ")
    await tab.page.fill("#code", "at-work")
    await tab.page.get_by_role("button", name="Add status").click()
    await expect(tab.page.locator("#name-error")).to_contain_text("is called Processing already")
    await tab.page.fill("#code", "")
    assert await tab.page.get_by_role("radio", name="Red").is_checked()
    assert await tab.page.get_by_role("checkbox", name="Suspended", exact=True).is_checked()
    name = fresh("New")
    await tab.page.fill("#name", name)
    await tab.page.get_by_role("button", name="Add status").click()
    await expect(row(tab, code_of(name))).to_contain_text("Then: Suspended")


@pytest.mark.proves("U-10", "U-11")
async def test_what_may_come_next_is_narrowed_and_the_menu_says_why(site: Site, tab: Tab) -> None:
    """U-10: Suspended is reached from Processing, and from New it is not."""
    then = await make(site, fresh("Packed"))
    only = await make(site, fresh("Checked"), next=[then, "suspended"])
    order_id = await site.shop.order(5000)
    await tab.goto(f"/portal/orders/{order_id}")
    menu = tab.page.locator("#order-state .cf-menu-body")
    await tab.page.locator("#order-state summary").click()
    await expect(menu.locator("[value=suspended]")).to_be_disabled()
    await put(site, order_id, only)
    await tab.page.reload()
    await tab.page.locator("#order-state summary").click()
    await expect(menu.locator("[value=processing]")).to_be_disabled()
    await expect(menu.locator("[value=processing]")).to_contain_text("it may go to")
    await expect(menu.locator(f"[value='{then}']")).to_be_enabled()
    await menu.locator("[value=suspended]").click()
    await expect(tab.page.locator("#order-head")).to_contain_text("Suspended")
    assert await state_of(site, order_id) == "suspended"


async def test_while_orders_are_in_it_only_the_description_changes(site: Site, tab: Tab) -> None:
    """Story 17: a state in use cannot be edited, and links to its orders."""
    code = await make(site, fresh("Busy"))
    order_id = await site.shop.order(5000)
    await put(site, order_id, code)
    await tab.goto(PAGE)
    assert await row(tab, code).get_by_role("link", name="Delete").count() == 0
    await row(tab, code).get_by_role("link", name="Edit").click()
    dialog = tab.page.locator("#dialog")
    await expect(dialog).to_contain_text("1 order uses this status")
    assert await dialog.locator("#name, [name=colour], #system_state").count() == 0
    await dialog.locator("#description").fill("Three people at it")
    await dialog.get_by_role("button", name="Save").click()
    await expect(row(tab, code)).to_contain_text("Three people at it")
    await tab.goto(f"{PAGE}/{code}/delete")
    await expect(tab.page.locator("main")).to_contain_text("so it cannot be deleted")
    await tab.page.get_by_role("link", name="1 order").click()
    await expect(site.row(tab, order_id)).to_be_visible()


async def test_a_form_that_is_late_is_refused_with_what_is_true_now(site: Site, tab: Tab) -> None:
    """An order enters while the form is open: nothing is saved, and the page says why."""
    code = await make(site, fresh("Late"))
    await tab.goto(f"{PAGE}/{code}/edit")
    await tab.page.fill("#name", "Too late")
    doomed = await site.open_tab()
    await doomed.goto(f"{PAGE}/{code}/delete")
    order_id = await site.shop.order(5000)
    await put(site, order_id, code)
    await tab.page.get_by_role("button", name="Save").click()
    await expect(tab.page.get_by_role("alert")).to_contain_text("1 order is in Late")
    await expect(tab.page.locator("main")).to_contain_text("1 order uses this status")
    await doomed.page.get_by_role("button", name="Delete").click()
    await expect(doomed.page.get_by_role("alert")).to_contain_text("so it cannot be deleted")
    await doomed.close()
    async with site.pool.connection(site.actor.account_id) as connection:
        assert (await find_state(connection, code, store=None)).name != "Too late"


@pytest.mark.parametrize("script", [True, False])
async def test_a_free_state_is_edited_moved_and_deleted(site: Site, script: bool) -> None:
    tab = await site.open_tab(java_script_enabled=script)
    code = await make(site, fresh("Free"))
    await tab.goto(PAGE)
    await row(tab, code).get_by_role("link", name="Edit").click()
    name = fresh("Freed")
    await tab.page.fill("#name", name)
    await tab.page.select_option("#system_state", "SUSPENDED")
    await tab.page.get_by_role("button", name="Save").click()
    await expect(row(tab, code)).to_contain_text(name)
    await expect(row(tab, code)).to_contain_text("Suspended")
    before = [await one.get_attribute("id") for one in await tab.page.locator("tbody tr").all()]
    await row(tab, code).get_by_role("button", name=f"Move {name} up").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Moved.")
    after = [await one.get_attribute("id") for one in await tab.page.locator("tbody tr").all()]
    here = before.index(f"state-{code}")
    assert after.index(f"state-{code}") == here - 1
    assert sorted(map(str, after)) == sorted(map(str, before))
    await row(tab, code).get_by_role("link", name="Delete").click()
    await expect(tab.page.locator("#dialog-title")).to_have_text(f"Delete {name}")
    await tab.page.get_by_role("button", name=f"Delete {name}").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Deleted.")
    await expect(row(tab, code)).to_have_count(0)
    await tab.close()


async def test_several_are_made_at_once_or_none(tab: Tab) -> None:
    one, two = fresh("One"), fresh("Two")
    await tab.goto(PAGE)
    await tab.page.get_by_role("link", name="Create states").click()
    lines = tab.page.locator("#lines")
    await lines.fill(f"{one}\n{two}, Nowhere\n株式会社")
    await tab.page.get_by_role("button", name="Create states").click()
    problem = tab.page.locator("#lines-error")
    await expect(problem).to_contain_text("Line 2: Nowhere is none of")
    await expect(problem).to_contain_text("Line 3: write a code as well")
    await lines.fill(f"{one}\n{two}, Fraud, {code_of(two)}\n{one}")
    await tab.page.get_by_role("button", name="Create states").click()
    await expect(tab.page.get_by_role("alert")).to_contain_text("already")
    await lines.fill(f"{one}\n{two}, Fraud, {code_of(two)}")
    await tab.page.get_by_role("button", name="Create states").click()
    await expect(row(tab, code_of(one))).to_contain_text("Processing")
    await expect(row(tab, code_of(two))).to_contain_text("Fraud")


@pytest.mark.parametrize("script", [True, False])
async def test_a_state_is_emptied_after_its_numbers_were_seen(site: Site, script: bool) -> None:
    """The dry run says what moves and what a rule keeps; then it happens, once."""
    tab = await site.open_tab(java_script_enabled=script)
    old, new = await make(site, fresh("Old"), "NEW"), await make(site, fresh("Next"))
    orders = [await site.shop.order(1000, gateway="manual") for _ in range(53)]
    for order_id in orders:
        await put(site, order_id, old)
    await run(site, orders[0], hold, wanted=WantedHold(handle="stock"))
    await tab.goto(PAGE)
    await row(tab, old).get_by_role("link", name="Move orders").click()
    await tab.page.select_option("#to", new)
    await tab.page.get_by_role("button", name="Check").click()
    told = tab.page.locator("main")
    await expect(told).to_contain_text("52 orders move to Next")
    await expect(told).to_contain_text("1 order stays in Old")
    held = tab.page.get_by_role("row", name="A hold blocks this.")
    await expect(held).to_contain_text(await site.number(orders[0]))
    assert await state_of(site, orders[1]) == old
    await tab.page.get_by_role("button", name="Move 52 orders").click()
    if not script:
        await expect(told).to_contain_text("49 orders moved")
        await expect(tab.page.locator("progress")).to_have_attribute("max", "53")
        await tab.page.get_by_role("button", name="Go on").click()
    await expect(told).to_contain_text("52 orders moved to Next")
    await expect(told).to_contain_text("1 order stays in Old")
    assert [await state_of(site, one) for one in orders] == [old, *[new] * 52]
    async with site.pool.connection(site.actor.account_id) as connection:
        notes = await connection.rows(
            "select data::text as data from audit_entry where subject = $1"
            " and type = 'order_state.migrated'",
            old,
        )
    assert sum(msgspec.json.decode(note["data"])["moved"] for note in notes) == 52
    await tab.close()


async def test_a_shipment_method_is_added_changed_and_switched_off(site: Site, tab: Tab) -> None:
    name = fresh("Bike")
    await tab.goto("/portal/config/methods")
    await tab.page.get_by_role("link", name="Add method").click()
    await tab.page.fill("#name", name)
    await tab.page.fill("#tracking_url", "https://track.example.com/")
    await tab.page.get_by_role("button", name="Add method").click()
    await expect(tab.page.locator("#tracking_url-error")).to_contain_text("{tracking_number}")
    await tab.page.fill("#tracking_url", "https://track.example.com/{tracking_number}")
    await tab.page.get_by_role("button", name="Add method").click()
    line = tab.page.get_by_role("row", name=name)
    await expect(line).to_contain_text("On")
    order_id = await site.shop.order(5000)
    bag = (await site.shop.folder(order_id)).bags[0].id
    await tab.goto(f"/portal/orders/{order_id}/bags/{bag}/ship")
    offered = tab.page.locator(f"#method option[value='{code_of(name)}']")
    await expect(offered).to_have_count(1)
    await tab.goto("/portal/config/methods")
    await line.get_by_role("link", name="Edit").click()
    await tab.page.get_by_role("checkbox", name="Offer it").uncheck()
    await tab.page.get_by_role("button", name="Save").click()
    await expect(line).to_contain_text("Off")
    await tab.goto(f"/portal/orders/{order_id}/bags/{bag}/ship")
    await expect(offered).to_have_count(0)


async def test_a_store_has_its_own_names_for_delivery_states(site: Site, tab: Tab) -> None:
    name = fresh("Packed")
    order_id = await site.shop.order(5000)
    await tab.goto("/portal/config/deliveries")
    await tab.page.get_by_label("Pending is called").fill(name)
    await tab.page.get_by_label("Ready is called").fill("x" * 60)
    await tab.page.get_by_role("button", name="Save names").click()
    await expect(tab.page.locator("main")).to_contain_text("Saved.")
    await expect(tab.page.get_by_label("Pending is called")).to_have_value(name)
    await tab.goto(f"/portal/orders/{order_id}")
    await expect(tab.page.locator("[id^=order-items]").first).to_contain_text(name)
    await tab.goto("/portal/config/deliveries")
    await tab.page.get_by_label("Pending is called").fill("In transit")
    await tab.page.get_by_role("button", name="Save names").click()
    await expect(tab.page.locator("#PENDING-error")).to_contain_text("is what In transit is called")
    await tab.page.get_by_label("Pending is called").fill("")
    await tab.page.get_by_label("Ready is called").fill("")
    await tab.page.get_by_role("button", name="Save names").click()
    await tab.goto(f"/portal/orders/{order_id}")
    await expect(tab.page.locator("[id^=order-items]").first).to_contain_text("Pending")


async def test_who_may_not_is_told_the_permission_and_sees_no_door(site: Site) -> None:
    email = f"sam-{new_id()[-6:]}@example.com"
    async with site.pool.connection(site.actor.account_id) as connection:
        new = NewUser(email=email, name="Sam", role="service", password=PASSWORD)
        await create_user(connection, site.actor, new)
    tab = await site.open_tab(email)
    assert await tab.page.get_by_role("link", name="Order configurations").count() == 0
    for path in ("states", "states/new", "states/new/edit", "states/new/migrate", "methods",
                 "deliveries"):
        answer = await tab.page.goto(f"{site.url}/portal/config/{path}")
        assert answer is not None
        assert answer.status == 403, path
        await expect(tab.page.locator("main")).to_contain_text("states.manage")
    await tab.close()


async def test_what_is_not_there_is_not_found(tab: Tab) -> None:
    for path in ("states?store=nowhere", "states/nothing/edit", "states/nothing/delete",
                 "states/nothing/migrate", "methods/nothing/edit"):
        answer = await tab.page.goto(f"{tab.site.url}/portal/config/{path}")
        assert answer is not None
        assert answer.status == 404, path
