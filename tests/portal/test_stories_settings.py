"""A store's settings in the browser: each card by itself, and who changed it. [3.23]"""

import msgspec
import pytest
from playwright.async_api import expect

from counterfoil.access.users import NewUser, create_user
from counterfoil.order.config import Store
from counterfoil.setup.stores import NewStore, create_store, find_store
from tests.portal.site import COLLEAGUE, PASSWORD, Site, Tab

pytestmark = pytest.mark.browser


async def own_store(site: Site, code: str, currency: str = "NOK") -> str:
    """A store for one story; return the address of its settings."""
    new = NewStore(code=code, name=f"Store {code}", currency=currency)
    installer = msgspec.structs.replace(site.actor, name="The installer")
    async with site.pool.connection(site.actor.account_id) as connection:
        await create_store(connection, installer, new)
    return f"/portal/settings?store={code}"


async def read(site: Site, code: str) -> Store:
    async with site.pool.connection(site.actor.account_id) as connection:
        return await find_store(connection, code)


async def test_each_card_is_saved_by_itself_and_says_who_changed_it(
    site: Site, tab: Tab
) -> None:
    page = tab.page
    await tab.goto(await own_store(site, "cards"))
    general, money = page.locator("#general"), page.locator("#money")
    await page.fill("#return_fee", "12,50")
    await page.fill("#name", "Kortbutikken")
    await page.select_option("#language", "nb")
    page.on("dialog", lambda asked: asked.accept())
    await general.get_by_role("button", name="Save").click()
    await expect(general).to_contain_text("Saved")
    await expect(general).to_contain_text("Changed by Anna Berg")
    await expect(money).to_contain_text("Changed by The installer")
    store = await read(site, "cards")
    assert (store.name, store.language, store.return_fee) == ("Kortbutikken", "nb", 0)
    await page.check("#partial")
    await page.check("#capture_on_ship")
    await page.fill("#auth_hold_seconds", "900")
    await page.select_option("#refund_order", "card_first")
    await page.fill("#refund_window_days", "30")
    await page.fill("#return_fee", "1 249,50")
    await money.get_by_role("button", name="Save").click()
    await expect(money).to_contain_text("Changed by Anna Berg")
    store = await read(site, "cards")
    assert store.scopes == ("partial_capture",)
    assert (store.capture_on_ship, store.auth_hold_seconds) == (True, 900)
    assert (store.refund_order, store.refund_window_days) == ("card_first", 30)
    assert store.return_fee == 124_950
    assert await page.input_value("#return_fee") == "1249.50"
    await page.fill("#refund_window_days", "")
    await page.uncheck("#partial")
    await money.get_by_role("button", name="Save").click()
    await expect(money).to_contain_text("Saved")
    store = await read(site, "cards")
    assert (store.refund_window_days, store.scopes, store.name) == (None, (), "Kortbutikken")


async def test_letters_and_incoming_orders_are_chosen(site: Site, tab: Tab) -> None:
    page = tab.page
    await tab.goto(await own_store(site, "choices"))
    letters, orders = page.locator("#letters"), page.locator("#orders")
    await letters.locator("[name=shipped]").check()
    await letters.locator("[name=return_received]").check()
    await page.select_option("#cancel_email", "yes")
    await letters.get_by_role("button", name="Save").click()
    await expect(letters).to_contain_text("Saved")
    await page.uncheck("#test_orders")
    await page.check("#create_merchants")
    await orders.get_by_role("button", name="Save").click()
    await expect(orders).to_contain_text("Saved")
    store = await read(site, "choices")
    assert store.letters == ("shipped", "return_received")
    assert (store.cancel_email_default, store.test_orders) == (True, False)
    assert store.create_merchants


async def test_what_is_wrong_is_said_at_its_field_and_kept_as_it_was_typed(
    site: Site, tab: Tab
) -> None:
    page = tab.page
    await tab.goto(await own_store(site, "wrong", "JPY"))
    await page.fill("#return_fee", "12.5")
    await page.fill("#auth_hold_seconds", "5")
    await page.locator("#money").get_by_role("button", name="Save").click()
    await expect(page.locator("#return_fee-error")).to_contain_text("JPY has no decimals")
    await expect(page.locator("#auth_hold_seconds-error")).to_contain_text("from 60 to 31,622,400")
    assert await page.input_value("#return_fee") == "12.5"
    assert await page.get_attribute("#return_fee", "aria-invalid") == "true"
    await expect(page.locator("#money [role=alert]")).to_be_focused()
    await page.fill("#number_prefix", "a b")
    await page.locator("#general").get_by_role("button", name="Save").click()
    await expect(page.locator("#number_prefix-error")).to_be_visible()
    store = await read(site, "wrong")
    assert (store.return_fee, store.auth_hold_seconds, store.number_prefix) == (0, None, "")


async def test_two_people_do_not_overwrite_each_other_unseen(site: Site, tab: Tab) -> None:
    path = await own_store(site, "both")
    kari = await site.open_tab(COLLEAGUE)
    await tab.goto(path)
    await kari.goto(path)
    await kari.page.fill("#refund_window_days", "14")
    await kari.page.locator("#money").get_by_role("button", name="Save").click()
    await expect(kari.page.locator("#money")).to_contain_text("Saved")
    await tab.page.fill("#number_prefix", "B-")
    await tab.page.locator("#general").get_by_role("button", name="Save").click()
    await expect(tab.page.locator("#general")).to_contain_text("Saved")
    await kari.page.fill("#number_prefix", "K-")
    await kari.page.locator("#general").get_by_role("button", name="Save").click()
    await expect(kari.page.locator("#general")).to_contain_text("Anna Berg changed this meanwhile")
    assert await kari.page.input_value("#number_prefix") == "K-"
    assert (await read(site, "both")).number_prefix == "B-"
    await kari.page.locator("#general").get_by_role("button", name="Save").click()
    await expect(kari.page.locator("#general")).to_contain_text("Saved")
    store = await read(site, "both")
    assert (store.number_prefix, store.refund_window_days) == ("K-", 14)
    await kari.close()


async def test_it_stands_in_the_menu_of_who_may_and_works_without_script(
    site: Site, tab: Tab
) -> None:
    await tab.goto("/portal/orders/open")
    await tab.page.get_by_role("link", name="Settings").click()
    await expect(tab.page.locator("h1")).to_have_text("Settings")
    new = NewUser(email="pakk@example.com", name="Per Pakk", role="warehouse", password=PASSWORD)
    async with site.pool.connection(site.actor.account_id) as connection:
        await create_user(connection, site.actor, new)
    other = await site.open_tab(new.email)
    assert await other.page.get_by_role("link", name="Settings").count() == 0
    await other.goto("/portal/settings")
    await expect(other.page.locator("main")).to_contain_text("settings.manage")
    await other.close()
    path = await own_store(site, "plain")
    bare = await site.open_tab(java_script_enabled=False)
    await bare.goto(path)
    await bare.page.fill("#name", "Plain")
    await bare.page.locator("#general button").click()
    await expect(bare.page.locator("#general")).to_contain_text("Saved")
    assert (await read(site, "plain")).name == "Plain"
    await bare.close()
