"""Gateways in the browser: connected, tried, changed, chosen as a default, disabled. [3.13]"""

from typing import Any

import msgspec
import pytest
from playwright.async_api import expect

from counterfoil.access.users import NewUser, create_user
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.secrets import KeyRing
from counterfoil.order.problems import UnknownReference
from counterfoil.setup.gateways import find_gateway, open_credentials
from counterfoil.setup.stores import StoreChange, change_store
from tests.portal.site import PASSWORD, Site, Tab
from tests.work.shop import RING

pytestmark = pytest.mark.browser
CANARY = "CANARY-secret-1"


async def connect(site: Site, tab: Tab, code: str, key: str = "") -> None:
    """Connect a gateway at the sandbox as people do."""
    await tab.goto("/portal/gateways")
    await tab.page.get_by_role("link", name="Add a gateway").click()
    await tab.page.get_by_role("link", name="Choose Sandbox").click()
    await tab.page.fill("#code", code)
    await tab.page.fill("#secret_api_key", key or site.sandbox.credentials["api_key"])
    await tab.page.fill("#set_base_url", site.sandbox.settings["base_url"])
    await tab.page.get_by_role("button", name="Connect Sandbox").click()
    await tab.page.wait_for_url(f"**/portal/gateways/{code}?saved=new")


async def entries(site: Site, code: str) -> list[tuple[str, dict[str, Any], str]]:
    """The audit entries about a gateway or store: type, what changed, who."""
    async with site.pool.connection(site.actor.account_id) as connection:
        rows = await connection.rows(
            "select type, data::text, actor ->> 'name' as by from audit_entry"
            " where account_id = $1 and subject = $2 order by id", connection.account, code,
        )
    return [(row["type"], msgspec.json.decode(row["data"]), row["by"]) for row in rows]


async def stored(site: Site, code: str) -> Any:
    async with site.pool.connection(site.actor.account_id) as connection:
        return await find_gateway(connection, code)


async def test_the_list_tells_how_each_gateway_does(site: Site, tab: Tab) -> None:
    await site.shop.order(5000)
    await tab.goto("/portal/gateways")
    card = tab.page.get_by_role("region", name="Card", exact=True)
    await expect(card).to_contain_text("Enabled")
    await expect(card).to_contain_text("Sandbox")
    await expect(card).to_contain_text("in the last hour · 95 of 100 within")
    await expect(card).to_contain_text("Captures in part: yes")
    till = tab.page.get_by_role("region", name="Manual", exact=True)
    await expect(till).to_contain_text("Asks no provider")
    await card.get_by_role("button", name="Test connection").click()
    await expect(tab.page.locator("#dialog-title")).to_have_text("The gateway answers")
    await expect(tab.page.locator("#dialog")).to_contain_text("No money moved")
    await tab.page.get_by_role("button", name="Close").last.click()
    await card.get_by_role("link", name="Card").click()
    await expect(tab.page.locator("h1")).to_have_text("Card")
    table = tab.page.get_by_role("table", name="What this gateway can do")
    row = table.get_by_role("row", name="Keeps a reservation")
    await expect(row).to_contain_text("7 days")


async def test_a_movement_that_is_not_known_shows_at_its_gateway(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    await connect(site, tab, "quiet")
    site.sandbox.fault("hang_before", kind="capture", payment=await site.provider_id(order_id))
    await site.shop.run("capture", order_id, amount=5000)
    await tab.goto("/portal/gateways")
    badge = tab.page.get_by_role("region", name="Card", exact=True).locator(".cf-unknown")
    await expect(badge).to_contain_text("not known")
    await badge.click()
    await tab.page.wait_for_url("**/portal/settle")
    await tab.goto("/portal/gateways")
    other = tab.page.get_by_role("region", name="Quiet", exact=True)
    assert await other.locator(".cf-unknown").count() == 0


async def test_a_gateway_is_connected_tested_and_told_where_to_call(site: Site, tab: Tab) -> None:
    await connect(site, tab, "fresh")
    await expect(tab.page.get_by_role("status").last).to_contain_text("Connected.")
    await expect(tab.page.locator("h1")).to_have_text("Fresh")
    await tab.page.get_by_role("button", name="Test connection").click()
    await expect(tab.page.locator("#dialog-title")).to_have_text("The gateway answers")
    account = site.actor.account_id.replace("-", "")
    hook = tab.page.get_by_role("region", name="Calls from the provider")
    if (await stored(site, "fresh")).kind == "sandbox":
        await expect(hook).to_contain_text(f"/v1/hooks/{account}-fresh")
        await expect(hook.get_by_role("button", name="Copy the address")).to_have_count(1)
    assert site.sandbox.credentials["api_key"] not in await tab.page.content()
    ((kind, data, by),) = await entries(site, "fresh")
    assert (kind, by, data["after"]["has_credentials"]) == ("gateway.created", "Anna Berg", True)


async def test_what_cannot_be_is_said_at_its_field_and_what_was_typed_stays(
    site: Site, tab: Tab
) -> None:
    await tab.goto("/portal/gateway-kinds/sandbox")
    await tab.page.fill("#code", "card")
    await tab.page.fill("#secret_api_key", CANARY)
    await tab.page.fill("#set_base_url", "nowhere")
    await tab.page.fill("#set_deadline_s", "soon")
    connect_it = tab.page.get_by_role("button", name="Connect Sandbox")
    await connect_it.click()
    await expect(tab.page.locator("#set_base_url-error")).to_contain_text("write a web address")
    await expect(tab.page.locator("#set_deadline_s-error")).to_contain_text("write a number")
    await tab.expect_focus(".cf-errors")
    assert await tab.page.input_value("#set_base_url") == "nowhere"
    assert await tab.page.input_value("#code") == "card"
    assert await tab.page.input_value("#secret_api_key") == ""
    assert CANARY not in await tab.page.content()
    await tab.page.fill("#set_base_url", "http://127.0.0.1:1")
    await tab.page.fill("#set_deadline_s", "2")
    await tab.page.fill("#secret_api_key", CANARY)
    await connect_it.click()
    await expect(tab.page.locator("#code-error")).to_contain_text("There is a gateway 'card'")
    await tab.page.fill("#code", "nobody-there")
    await tab.page.fill("#secret_api_key", CANARY)
    await connect_it.click()
    await tab.page.wait_for_url("**/nobody-there?saved=new")
    await tab.page.get_by_role("button", name="Test connection").click()
    await expect(tab.page.locator("#dialog-title")).to_contain_text("does not answer")


async def test_settings_are_saved_and_narrow_what_it_can(site: Site, tab: Tab) -> None:
    await connect(site, tab, "narrow")
    page = tab.page
    await page.select_option("#set_partial_capture", "false")
    await page.select_option("#store", "main")
    await page.fill("#set_hold_seconds", "3600")
    await page.click("summary:has-text('Further settings')")
    await page.fill("#advanced", '{"note": ["x"]')
    await page.get_by_role("button", name="Save settings").click()
    await expect(page.locator("#advanced-error")).to_contain_text("write one JSON object")
    assert (await stored(site, "narrow")).settings.get("hold_seconds") is None
    await page.fill("#advanced", '{"note": ["x"]}')
    await page.get_by_role("button", name="Save settings").click()
    await expect(page.get_by_role("status").last).to_contain_text("Settings saved.")
    saved = await stored(site, "narrow")
    assert saved.store == "main"
    assert saved.settings == {
        "base_url": site.sandbox.settings["base_url"], "partial_capture": False,
        "hold_seconds": 3600, "note": ["x"],
    }
    can = page.get_by_role("table", name="What this gateway can do")
    await expect(can).to_contain_text("A capture takes all that is reserved.")
    await expect(can).to_contain_text("After 1 hour an uncaptured reservation ends")
    await page.fill("#set_base_url", "")
    await page.evaluate("document.querySelector('#set_base_url').required = false")
    await page.get_by_role("button", name="Save settings").click()
    await expect(page.locator("#set_base_url-error")).to_contain_text("fill this in")
    assert (await stored(site, "narrow")).settings == saved.settings


async def test_credentials_are_replaced_and_never_shown(site: Site, tab: Tab) -> None:
    await connect(site, tab, "sealed", CANARY)
    await tab.page.get_by_role("button", name="Test connection").click()
    await expect(tab.page.locator("#dialog-title")).to_contain_text("does not answer")
    await tab.goto("/portal/gateways/sealed")
    part = tab.page.get_by_role("region", name="Credentials")
    await expect(part).to_contain_text("by Anna Berg")
    assert await tab.page.input_value("#secret_api_key") == ""
    assert await tab.page.get_attribute("#secret_api_key", "type") == "password"
    await tab.page.fill("#secret_api_key", site.sandbox.credentials["api_key"])
    await part.get_by_role("button", name="Replace credentials").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Credentials replaced.")
    await tab.page.get_by_role("button", name="Test connection").click()
    await expect(tab.page.locator("#dialog-title")).to_have_text("The gateway answers")
    told = await entries(site, "sealed")
    assert [one[0] for one in told] == ["gateway.created", "gateway.changed"]
    assert told[1][1]["credentials_replaced"] is True
    assert CANARY not in str(told)
    async with site.pool.connection(site.actor.account_id) as connection:
        kept = await open_credentials(connection, "sealed", KeyRing(RING))
    assert kept["api_key"] == site.sandbox.credentials["api_key"]


async def test_a_default_is_set_and_takes_orders_that_name_none(site: Site, tab: Tab) -> None:
    await connect(site, tab, "usual")
    part = tab.page.get_by_role("region", name="Default of")
    await part.get_by_role("checkbox").check()
    await part.get_by_role("button", name="Save").click()
    await expect(tab.page.locator("h1 + * + *")).to_contain_text("Default of main")
    order_id = await place_unnamed(site)
    assert (await site.shop.folder(order_id)).payments[0].gateway == "usual"
    told = await entries(site, "main")
    assert told[-1][0] == "store.changed"
    assert told[-1][2] == "Anna Berg"
    assert told[-1][1]["after"]["default_gateway"] == "usual"
    await tab.page.get_by_role("link", name="Disable…").click()
    await expect(tab.page.locator("#dialog")).to_contain_text("It is the default of main")
    await tab.goto("/portal/gateways/usual")
    await part.get_by_role("checkbox").uncheck()
    await part.get_by_role("button", name="Save").click()
    await expect(part.get_by_role("checkbox")).not_to_be_checked()
    assert (await stored(site, "usual")).default_for == ()


async def place_unnamed(site: Site) -> str:
    """Place an order whose payment names no gateway."""
    said = await site.shop.place(2500, gateway=None)
    return str(said.body["id"])


@pytest.mark.parametrize("script", [True, False])
async def test_a_gateway_is_disabled_by_its_code_and_enabled_again(
    site: Site, script: bool
) -> None:
    """Also with no script at all. [3.0, 7 (d)]"""
    tab = await site.open_tab(java_script_enabled=script)
    code = f"closing-{'js' if script else 'plain'}"
    await connect(site, tab, code)
    order_id = await site.shop.order(7300, gateway=code)
    await tab.page.get_by_role("link", name="Disable…").click()
    title = tab.page.locator("#dialog-title")
    await expect(title).to_contain_text("Disable Closing")
    await expect(tab.page.get_by_text("73.00\u00a0EUR of 1 payment")).to_be_visible()
    button = tab.page.get_by_role("button", name="Disable Closing")
    await tab.page.fill("#confirm", "something")
    await button.click()
    await expect(tab.page.locator("#confirm-error")).to_contain_text(f"Write {code}")
    assert (await stored(site, code)).enabled
    await tab.page.fill("#confirm", code)
    await button.click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Disabled")
    assert not (await stored(site, code)).enabled
    with pytest.raises(UnknownReference):
        await site.shop.place(100, gateway=code)
    assert (await site.shop.run("capture", order_id, amount=7300)).status == 201
    await tab.page.get_by_role("button", name="Enable").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Enabled")
    assert (await stored(site, code)).enabled
    await tab.close()


async def test_who_may_not_is_told_the_permission_and_sees_no_door(site: Site) -> None:
    email = f"sue-{new_id()[-6:]}@example.com"
    async with site.pool.connection(site.actor.account_id) as connection:
        new = NewUser(email=email, name="Sue", role="manager", password=PASSWORD)
        await create_user(connection, site.actor, new)
    tab = await site.open_tab(email)
    assert await tab.page.get_by_role("link", name="Gateways").count() == 0
    for path in (
        "gateways", "gateways/card", "gateways/card/disable", "gateway-kinds",
        "gateway-kinds/sandbox",
    ):
        answer = await tab.page.goto(f"{site.url}/portal/{path}")
        assert answer is not None
        assert answer.status == 403, path
        await expect(tab.page.locator("main")).to_contain_text("gateways.manage")
    await tab.close()


async def test_what_is_not_there_is_not_found(tab: Tab) -> None:
    for path in ("gateways/nothing", "gateways/nothing/disable", "gateway-kinds/nothing"):
        answer = await tab.page.goto(f"{tab.site.url}/portal/{path}")
        assert answer is not None
        assert answer.status == 404, path


async def test_a_gateway_of_another_store_offers_only_its_own(site: Site, tab: Tab) -> None:
    await connect(site, tab, "local")
    await tab.page.select_option("#store", "main")
    await tab.page.get_by_role("button", name="Save settings").click()
    part = tab.page.get_by_role("region", name="Default of")
    await expect(part.get_by_role("checkbox")).to_have_count(1)
    async with site.pool.connection(site.actor.account_id) as connection:
        await change_store(connection, site.actor, "main", StoreChange(default_gateway="local"))
    await tab.page.reload()
    await expect(part.get_by_role("checkbox")).to_be_checked()
    await part.get_by_role("checkbox").uncheck()
    await part.get_by_role("button", name="Save").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Saved.")
    assert (await stored(site, "local")).default_for == ()
