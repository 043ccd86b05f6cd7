"""The payments panel in the browser: sync, keep, decide, a provider's page; and the work lists."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from counterfoil.kernel.secrets import KeyRing
from counterfoil.setup.gateways import NewGateway, create_gateway
from tests.portal.site import Site, Tab
from tests.work.shop import RING

pytestmark = pytest.mark.browser
SECRET = "whsec_" + base64.b64encode(b"p" * 32).decode()
BACK = "https://shop.example/back"


@pytest_asyncio.fixture(scope="session")
async def counters(site: Site) -> Site:
    """Three more gateways: a page of its own, a short hold, and Zip."""
    box, ring, account = site.sandbox, KeyRing(RING), site.actor.account_id.replace("-", "")
    here = {**box.credentials, "webhook_secret": SECRET}
    zip_at = {"base_url": f"{box.url}/zip", "auth_url": f"{box.url}/zip/oauth/token"}
    login = {"client_id": "zip-partial", "client_secret": box.credentials["api_key"]}
    made = (
        ("pages", "sandbox", {**box.settings, "redirect": True}, here),
        ("soon", "sandbox", {**box.settings, "hold_seconds": 1200}, here),
        ("once", "sandbox", {**box.settings, "multi_capture": False}, here),
        ("zip", "zip", {**zip_at, "currency": "EUR", "partial_capture": True}, login),
    )
    async with site.pool.connection(site.actor.account_id) as connection:
        for code, kind, settings, credentials in made:
            new = NewGateway(code=code, kind=kind, settings=settings, credentials=credentials)
            await create_gateway(connection, site.actor, new, ring)
    box.hook(f"{site.url}/v1/hooks/{account}-pages", SECRET, attempts=3)
    return site


@pytest_asyncio.fixture
async def plain(site: Site) -> AsyncIterator[Tab]:
    """A signed-in page without script."""
    opened = await site.open_tab(java_script_enabled=False)
    yield opened
    await opened.close()


def panel(tab: Tab) -> Any:
    return tab.page.locator("#order-payments")


async def press(tab: Tab, name: str) -> None:
    await tab.page.get_by_role("button", name=name).click()


async def close(tab: Tab) -> None:
    await tab.page.locator("#dialog").get_by_role("button", name="Done").click()


@pytest.mark.proves("U-26", "U-27", "U-30")
async def test_sync_brings_what_the_console_did(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(10000)
    site.sandbox.move(await site.provider_id(order_id), "capture", 4000)
    site.sandbox.move(await site.provider_id(order_id), "refund", 1500)
    await tab.goto(f"/portal/orders/{order_id}")
    await press(tab, "Sync payments")
    title = tab.page.locator("#dialog-title")
    await expect(title).to_have_text("Found 2 movements that were not here.")
    await tab.expect_focus("#dialog-title")
    await expect(tab.page.locator("#dialog")).to_contain_text("Capture of 40.00")
    await close(tab)
    await expect(panel(tab)).to_contain_text("100.00 EUR authorised = 40.00 captured + 60.00 open")
    await press(tab, "Sync payments")
    await expect(title).to_have_text("Card agrees. Nothing changed.")
    await close(tab)
    await panel(tab).get_by_role("link", name="Transaction history").click()
    await expect(panel(tab).locator("tbody tr")).to_have_count(3)
    assert tab.page.url.endswith("?tab=history")
    await panel(tab).get_by_role("link", name="Ledger").click()
    await expect(panel(tab)).to_contain_text("Owed to the merchant")
    await expect(panel(tab).locator("tbody tr").first).to_contain_text("100.00")


@pytest.mark.proves("U-26", "U-27")
async def test_sync_needs_no_script(site: Site, plain: Tab) -> None:
    order_id = await site.shop.order(10000)
    site.sandbox.move(await site.provider_id(order_id), "capture", 4000)
    await plain.goto(f"/portal/orders/{order_id}")
    await press(plain, "Sync payments")
    await expect(plain.page.locator("h1")).to_have_text("Found 1 movement that was not here.")
    await plain.page.get_by_role("link", name="Done").click()
    await expect(panel(plain)).to_contain_text("40.00 captured")
    await panel(plain).get_by_role("link", name="Ledger").click()
    await expect(panel(plain)).to_contain_text("Due from the gateway")


@pytest.mark.proves("Z-18", "Z-19", "U-28", "U-29")
async def test_without_the_scope_only_all_of_it_is_captured(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(10000)
    await scopes(site, "[]")
    try:
        await tab.goto(f"/portal/orders/{order_id}")
        value = tab.page.locator("#capture-value")
        await expect(value).to_have_attribute("readonly", "")
        await expect(panel(tab)).to_contain_text("This store captures in full only.")
        await tab.goto(f"/portal/orders/{order_id}/capture?amount=60")
        await expect(tab.page.locator("#amount")).to_have_value("100.00")
        await expect(tab.page.locator("main")).to_contain_text("This store captures in full only.")
    finally:
        await scopes(site, '["partial_capture"]')
    await tab.goto(f"/portal/orders/{order_id}/capture?amount=60")
    await expect(tab.page.locator("#amount")).to_have_value("60")
    assert await site.moved(order_id, "capture") == []


async def scopes(site: Site, told: str) -> None:
    async with site.pool.connection(site.actor.account_id) as connection:
        await connection.rows(
            "update stores set scopes = $2 where account_id = $1", connection.account, told
        )


@pytest.mark.proves("Z-13", "Z-17", "Z-19", "Z-20", "Z-21", "U-28", "U-29", "U-30")
async def test_one_payment_is_captured_several_times(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(10000)
    await tab.goto(f"/portal/orders/{order_id}")
    for asked, left in (("30", "70.00"), ("20", "50.00"), ("50", "")):
        await tab.page.fill("#capture-value", asked)
        await press(tab, "Capture transaction")
        says = f"{left} EUR stays reserved" if left else "Nothing stays reserved"
        await expect(tab.page.locator("#consequence")).to_contain_text(says)
        await tab.page.click("#money-go")
        await expect(tab.page.locator("#dialog-title")).to_contain_text(f"Captured {asked}.00")
        await close(tab)
    await expect(tab.page.locator("#order-head")).to_contain_text("Processing")
    await expect(panel(tab)).to_contain_text("100.00 EUR authorised = 100.00 captured")
    assert await site.moved(order_id, "capture") == [3000, 2000, 5000]


@pytest.mark.proves("Z-19", "U-28")
async def test_a_gateway_that_captures_once_releases_the_rest(counters: Site, tab: Tab) -> None:
    order_id = await counters.shop.order(10000, gateway="once")
    await tab.goto(f"/portal/orders/{order_id}/capture?amount=60")
    said = "The remaining 40.00 EUR is released for good"
    await expect(tab.page.locator("#consequence")).to_contain_text(said)
    await tab.page.click("#money-go")
    await expect(tab.page.locator("h1")).to_contain_text("Captured 60.00")
    await tab.page.get_by_role("link", name="Done").click()
    await expect(panel(tab)).to_contain_text("100.00 EUR authorised = 60.00 captured + 40.00")


@pytest.mark.proves("Z-13", "Z-15")
async def test_a_reservation_is_kept_and_its_clock_stands(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    await tab.goto(f"/portal/orders/{order_id}")
    await expect(panel(tab)).to_contain_text("reserved until")
    await press(tab, "Keep the reservation")
    await expect(tab.page.locator("#dialog-title")).to_have_text("The reservation is kept")
    await close(tab)
    await expect(panel(tab)).to_contain_text("Card holds it until it is captured or released.")
    assert await tab.page.get_by_role("button", name="Keep the reservation").count() == 0
    assert (await site.shop.folder(order_id)).payments[0].expires_at is None
    assert await site.moved(order_id, "acknowledge") == [0]


@pytest.mark.proves("Z-15", "Z-20")
async def test_what_ends_soon_is_captured_or_kept_from_its_list(counters: Site, tab: Tab) -> None:
    taken = await counters.shop.order(4200, gateway="soon")
    kept = await counters.shop.order(4300, gateway="soon")
    await tab.goto("/portal/expiring?within=1")
    row = row_of(tab, await counters.number(taken))
    await expect(row).to_contain_text("19 min left")
    await expect(tab.page.locator(".cf-plot")).to_contain_text("85.00 EUR")
    await row.get_by_role("link", name="Capture now").click()
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Captured 42.00")
    await close(tab)
    await expect(row_of(tab, await counters.number(taken))).to_contain_text("nothing of it is open")
    await row_of(tab, await counters.number(kept)).get_by_role("button", name="Keep it").click()
    await expect(tab.page.locator("#dialog-title")).to_have_text("The reservation is kept")
    await close(tab)
    await tab.page.reload()
    await expect(tab.page.locator("#expiring")).to_contain_text("Nothing ends that soon")
    assert await counters.moved(taken, "capture") == [4200]
    assert await counters.moved(kept, "acknowledge") == [0]


def row_of(tab: Tab, number: str) -> Any:
    return tab.page.locator("#expiring tbody tr, #tasks tbody tr").filter(has_text=number)


async def differing(site: Site, reference: str) -> str:
    """Order for 50.00 what was authorised at the provider for 40.00; the worker calls a person."""
    made = site.sandbox.call(
        "POST",
        "/v1/payments",
        {"amount": 4000, "currency": "EUR", "reference": reference},
        **{"idempotency-key": reference},
    )
    order_id = await site.shop.order(5000, reference=made["payment"])
    for _ in range(100):
        if (await site.shop.folder(order_id)).payments[0].attention:
            return order_id
        await asyncio.sleep(0.3)
    pytest.fail("nobody was called")


@pytest.mark.proves("Z-26", "U-27")
@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
async def test_where_both_sides_differ_a_person_decides(site: Site, script: bool) -> None:
    tab = await site.open_tab(java_script_enabled=script)
    order_id = await differing(site, f"checkout-{script}")
    await tab.goto(f"/portal/orders/{order_id}")
    said = "We asked Card for an authorisation of 50.00 EUR; it moved another amount."
    await expect(tab.page.locator("#order-attention")).to_contain_text(said)
    await expect(panel(tab)).to_contain_text("Until then no money of this payment moves.")
    await expect(panel(tab).locator(".cf-sides tbody")).to_contain_text("40.00 EUR")
    number = await site.number(order_id)
    await tab.goto("/portal/tasks")
    await row_of(tab, number).get_by_role("link", name="Decide…").click()
    sheet = tab.page.locator("#dialog" if script else "main")
    await sheet.get_by_role("radio", name="Book what the provider says").check()
    if script:
        await tab.page.locator("#note").evaluate("(field) => field.removeAttribute('required')")
        await sheet.get_by_role("button", name="Book this decision").click()
        await expect(sheet).to_contain_text("Write down how you found out")
        await sheet.get_by_role("radio", name="Book what the provider says").check()
    await tab.page.fill("#note", "Seen at the provider’s console.")
    await sheet.get_by_role("button", name="Book this decision").click()
    await expect(sheet).to_contain_text("Decided: Book what the provider says")
    await expect(sheet).to_contain_text("1 task is done with it.")
    folder = await site.shop.folder(order_id)
    assert (folder.order.authorized, folder.payments[0].attention) == (4000, None)
    assert [(one.status, one.note) for one in folder.tasks] == [
        ("DONE", "Seen at the provider’s console.")
    ]
    await tab.goto("/portal/tasks?status=done")
    await expect(row_of(tab, number)).to_contain_text("Anna Berg")
    await tab.close()


@pytest.mark.proves("U-27")
async def test_a_release_undone_there_is_told_and_ours_is_kept(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    said = await site.shop.run("void", order_id, amount=2000)
    site.sandbox.end(said.body["id"], "fail")
    await tab.goto(f"/portal/orders/{order_id}")
    await press(tab, "Sync payments")
    title = tab.page.locator("#dialog-title")
    await expect(title).to_have_text("Card says something else. Somebody has to decide.")
    await tab.page.locator("#dialog").get_by_role("link", name="Decide…").click()
    await expect(tab.page.locator("#dialog .cf-sides")).to_contain_text("20.00")
    await tab.page.get_by_role("radio", name="Keep ours").check()
    await tab.page.fill("#note", "The provider corrects it.")
    await press(tab, "Book this decision")
    await expect(title).to_have_text("Decided: Keep ours")
    await close(tab)
    await expect(panel(tab)).to_contain_text("30.00 open")


@pytest.mark.proves("U-26", "U-30")
async def test_the_shopper_confirms_at_the_providers_page(counters: Site, tab: Tab) -> None:
    order_id = await counters.shop.order(5000, amount=2000)
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.get_by_role("link", name="Add payment").click()
    await expect(tab.page.locator("#amount")).to_have_value("30.00")
    await tab.page.select_option("#gateway", "pages")
    await expect(tab.page.locator("#consequence")).to_contain_text("Pages opens a page")
    await tab.page.fill("#amount", "31")
    await expect(tab.page.locator("#consequence")).to_contain_text("more than the 30.00")
    await tab.page.fill("#amount", "30")
    await expect(tab.page.locator("#money-go")).to_contain_text("Add payment of 30.00")
    await tab.page.fill("#return_url", BACK)
    await tab.page.click("#money-go")
    title = tab.page.locator("#dialog-title")
    await expect(title).to_contain_text("The shopper has to confirm 30.00")
    link = tab.page.get_by_role("link", name="Continue at the provider")
    address = await link.last.get_attribute("href")
    await expect(panel(tab)).to_contain_text("30.00 EUR asked for, nothing held yet")
    assert address is not None
    counters.sandbox.client.post(f"{address}/approve")
    await expect(title).to_contain_text("Authorised 30.00", timeout=20_000)
    await close(tab)
    await expect(panel(tab)).to_contain_text("30.00 EUR authorised = 30.00 open")
    assert await tab.page.locator("#capture-payment option").count() == 2


@pytest.mark.proves("Z-13", "Z-22", "Z-23", "Z-24", "U-28")
async def test_of_two_payments_each_is_moved_by_itself(counters: Site, tab: Tab) -> None:
    order_id = await counters.shop.order(5000, amount=2000)
    await counters.shop.run("pay", order_id)
    first, second = (await counters.shop.folder(order_id)).payments
    await tab.goto(f"/portal/orders/{order_id}")
    box = panel(tab).locator(f"#payment-{second.id}")
    await box.get_by_role("link", name="Capture…").click()
    await expect(tab.page.locator("#amount")).to_have_value("30.00")
    await tab.page.locator("#dialog").get_by_role("link", name="Card, 20.00").click()
    await expect(tab.page.locator("#amount")).to_have_value("20.00")
    await tab.page.fill("#amount", "25")
    await expect(tab.page.locator("#consequence")).to_contain_text("more than the 20.00")
    await tab.page.locator("#dialog").get_by_role("link", name="Card, 30.00").click()
    await expect(tab.page.locator("#amount")).to_have_value("30.00")
    await tab.page.fill("#amount", "25")
    await expect(tab.page.locator("#money-go")).to_contain_text("Capture 25.00")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog")).to_contain_text("Captured 25.00")
    await close(tab)
    await panel(tab).locator(f"#payment-{first.id}").get_by_role("link", name="Void…").click()
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Released 20.00")
    await close(tab)
    folder = await counters.shop.folder(order_id)
    assert [(one.captured, one.voided) for one in folder.payments] == [(0, 2000), (2500, 0)]
    assert folder.order.system_state == "PROCESSING"


@pytest.mark.proves("Z-1", "Z-5", "Z-10", "Z-11", "Z-13", "Z-14", "Z-15", "Z-20", "Z-21")
async def test_zip_is_taken_and_given_back_from_the_list(counters: Site, tab: Tab) -> None:
    order_id = await counters.shop.order(8000, gateway="zip", return_url=BACK)
    there = await counters.provider_id(order_id)
    await tab.goto(f"/portal/orders/{order_id}")
    await expect(panel(tab)).to_contain_text("The shopper has to confirm.")
    link = panel(tab).get_by_role("link", name="Continue at the provider")
    assert there in (await link.get_attribute("href") or "")
    counters.sandbox.client.post(f"{counters.sandbox.url}/zip/checkout/{there}/approve")
    await press(tab, "Sync payments")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("known now")
    await close(tab)
    await expect(panel(tab)).to_contain_text("80.00 EUR authorised = 80.00 open")
    await tab.goto(f"/portal/orders/open?q={await counters.number(order_id)}")
    row = counters.row(tab, order_id)
    await row.locator("[data-cf-act=capture]").click()
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Captured 80.00")
    await close(tab)
    await row.locator("[data-cf-act=refund]").click()
    await tab.page.fill("#amount", "30")
    await expect(tab.page.locator("#money-go")).to_contain_text("Refund 30.00")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 30.00")
    folder = await counters.shop.folder(order_id)
    assert (folder.order.captured, folder.order.refunded) == (8000, 3000)
