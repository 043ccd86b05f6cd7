"""The books in the browser: comparisons, drift, files, the ledger, calls. [V3, W-7, 3.13]"""

import csv
import io
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from playwright.async_api import Locator, expect

from counterfoil.access.users import NewUser, create_user
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.secrets import KeyRing
from counterfoil.portal import pages
from counterfoil.setup.gateways import NewGateway, create_gateway
from tests.portal.shots import SHOTS
from tests.portal.site import PASSWORD, Site, Tab
from tests.work.hooking import SECRET, made_up, signed
from tests.work.ledger import settlement_of
from tests.work.shop import CAPTURE, REFUND, RING, VOID

pytestmark = pytest.mark.browser
HEADER = b"reference,gateway_transaction_id,type,amount,fee,currency,settled_at\r\n"


async def connected(site: Site, code: str) -> str:
    """Connect a gateway of its own at the sandbox, which calls are taken from; name it."""
    new = NewGateway(
        code=code, kind="sandbox", settings=site.sandbox.settings,
        credentials={**site.sandbox.credentials, "webhook_secret": SECRET},
    )
    async with site.pool.connection(site.actor.account_id) as connection:
        await create_gateway(connection, site.actor, new, KeyRing(RING))
    return code.capitalize()


def card_of(tab: Tab, name: str) -> Locator:
    return tab.page.get_by_role("region", name=name, exact=True)


async def ended(tab: Tab) -> None:
    """Look until the run has ended: the page asks by itself, without script somebody does."""
    running = tab.page.locator("h1 + .cf-badge", has_text="Running")
    for _ in range(100):
        if not await running.count():
            return
        again = tab.page.get_by_role("link", name="Look again")
        if await again.is_visible():
            await again.click()
        await tab.page.wait_for_timeout(200)
    raise AssertionError(await tab.page.content())


def figure(tab: Tab, name: str) -> Locator:
    return tab.page.locator("#run .cf-sums > div", has=tab.page.get_by_text(name, exact=True))


async def upload(tab: Tab, name: str, file: Path) -> None:
    await tab.goto("/portal/reconciliation")
    card = card_of(tab, name)
    await card.locator("summary").click()
    await card.locator("input[type=file]").set_input_files(file)
    await card.get_by_role("button", name="Read the file").click()


async def held(tab: Tab, name: str) -> dict[str, str]:
    """What the ledger's page says of a gateway."""
    await tab.goto("/portal/ledger")
    row = tab.page.get_by_role("table", name="What each gateway took").get_by_role("row", name=name)
    cells = [text.split()[-1] for text in await row.locator(".cf-money").all_inner_texts()]
    return dict(zip(("receivable", "fees", "bank", "authorised"), cells, strict=True))


@pytest.mark.proves("U-26")
@pytest.mark.parametrize("script", [True, False])
async def test_a_comparison_finds_what_the_console_did_and_lists_what_differs(
    site: Site, script: bool
) -> None:
    """Also with no script at all. [3.0, 7 (d)]"""
    tab = await site.open_tab(java_script_enabled=script)
    name = await connected(site, code := f"compared{'js' if script else 'plain'}")
    found, undone = [await site.shop.order(5000, gateway=code) for _ in range(2)]
    site.sandbox.move(await site.provider_id(found), "capture", 2000)
    said = await site.shop.run(VOID, undone, amount=1500)
    site.sandbox.end(said.body["id"], "fail")
    await tab.goto("/portal/orders/open")
    if script:
        await tab.page.get_by_role("link", name="Reconciliation").click()
    else:
        await tab.goto("/portal/reconciliation")
    await expect(card_of(tab, name)).to_contain_text("Not compared yet")
    await card_of(tab, name).get_by_role("button", name="Run now").click()
    await tab.page.wait_for_url("**/reconciliation/runs/*")
    await ended(tab)
    await expect(tab.page.locator("h1 + .cf-badge")).to_have_text("Differs")
    for label, number in (("Compared", 2), ("Found", 1), ("Differ", 1), ("Failed", 0)):
        await expect(figure(tab, label).locator("dd")).to_have_text(str(number))
    line = tab.page.locator("#run tr", has_text="Not at the provider")
    await expect(line).to_contain_text("do not send it again by hand")
    await line.get_by_role("link", name=await site.number(undone), exact=True).click()
    await tab.page.wait_for_url(f"**/portal/orders/{undone}")
    await tab.goto(f"/portal/orders/{found}?tab=history")
    history = tab.page.get_by_role("table", name="Transaction history")
    await expect(history.get_by_role("row", name="Capture")).to_contain_text("20.00\u00a0EUR")

    await tab.goto(f"/portal/reconciliation/drift?gateway={code}")
    await tab.page.get_by_role("link", name="Resolve…").click()
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Not at the provider")
    await tab.page.locator("#note").evaluate("(note) => { note.required = false }")
    await tab.page.get_by_role("button", name="Close the line").click()
    await expect(tab.page.locator("#note-error")).to_contain_text("write what you found out")
    await tab.page.fill("#note", "Undone at the console by Kari.")
    await tab.page.get_by_role("button", name="Close the line").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("The line is closed.")
    await tab.goto(f"/portal/reconciliation/drift?gateway={code}")
    await expect(tab.page.get_by_role("heading", name="Both sides agree")).to_be_visible()
    await tab.page.get_by_role("link", name="Closed").click()
    row = tab.page.get_by_role("row", name="Not at the provider")
    await expect(row).to_contain_text("by Anna Berg: Undone at the console by Kari.")
    assert await tab.page.get_by_role("link", name="Resolve…").count() == 0
    await tab.close()


@pytest.mark.parametrize("script", [True, False])
async def test_a_settlement_file_moves_the_balances_once(
    site: Site, tmp_path: Path, script: bool
) -> None:
    tab = await site.open_tab(java_script_enabled=script)
    name = await connected(site, code := f"paidout{'js' if script else 'plain'}")
    orders = [await site.shop.order(5000, gateway=code) for _ in range(2)]
    for order_id in orders:
        await site.shop.run(CAPTURE, order_id)
    await site.shop.run(REFUND, orders[0], amount=1000)
    before = await held(tab, name)
    assert before["bank"] == "0.00"
    assert before["receivable"] != "0.00"
    file = tmp_path / "day.csv"
    content = await settlement_of(site.shop, site.sandbox, *orders)
    file.write_bytes(content + b"x,,capture,much,0,EUR,soon\r\n")
    await upload(tab, name, file)
    await tab.page.wait_for_url("**/reconciliation/runs/*")
    await ended(tab)
    for label, number in (("Lines", 4), ("Matched", 3), ("Booked now", 3), ("Unreadable", 1)):
        await expect(figure(tab, label).locator("dd")).to_have_text(str(number))
    await expect(tab.page.get_by_role("row", name="Line 5")).to_contain_text("much")
    after = await held(tab, name)
    assert after["receivable"] == "0.00"
    assert cents(after["bank"]) + cents(after["fees"]) == 9000
    agree = tab.page.get_by_role("region", name="Trial balance, EUR")
    await expect(agree).to_contain_text("Debits and credits agree")
    await expect(agree.get_by_role("row", name="All accounts")).to_contain_text("0.00\u00a0EUR")

    await upload(tab, name, file)
    await tab.page.wait_for_url("**/reconciliation/runs/*?again=1")
    await expect(tab.page.get_by_role("status").last).to_contain_text("nothing is booked twice")
    await ended(tab)
    await expect(figure(tab, "Booked now").locator("dd")).to_have_text("0")
    assert await held(tab, name) == after
    await tab.close()


def cents(shown: str) -> int:
    return int(shown.replace(",", "").replace(".", "").replace("\u2212", "-"))


async def test_a_file_that_is_none_is_refused_at_its_field(
    site: Site, tab: Tab, tmp_path: Path
) -> None:
    name = await connected(site, "nofile")
    file = tmp_path / "letter.csv"
    file.write_bytes(b"Dear Sir,\r\n")
    await upload(tab, name, file)
    error = tab.page.locator("#file-nofile-error")
    await expect(error).to_contain_text("The first line must name the columns reference")
    await expect(card_of(tab, name)).to_contain_text("Not compared yet")
    stranger = tmp_path / "stranger.csv"
    stranger.write_bytes(HEADER + b",op_nobody,capture,12.50,0.10,EUR,2026-11-20T10:15:00Z\r\n")
    await upload(tab, name, stranger)
    await tab.page.wait_for_url("**/reconciliation/runs/*")
    row = tab.page.locator("#run tr", has_text="Not in our book")
    await expect(row).to_contain_text("12.50\u00a0EUR")
    await expect(row).to_contain_text("line 2 of stranger.csv")


async def test_the_ledger_lists_entries_by_filter_and_hands_out_a_period(
    site: Site, tab: Tab
) -> None:
    await connected(site, code := "ledgered")
    order_id = await site.shop.order(6000, gateway=code, bags=2)
    await site.shop.run(CAPTURE, order_id)
    number = await site.number(order_id)
    await tab.goto("/portal/ledger")
    await expect(tab.page.get_by_role("table", name="What each merchant is due")).to_be_visible()
    await tab.page.get_by_role("link", name="Entries").click()
    rows = tab.page.get_by_role("table", name="Entries of the period").locator("tbody tr")
    await tab.page.fill("#order", number)
    await tab.page.get_by_role("button", name="Show").click()
    await expect(rows.filter(has_text="Captured")).to_have_count(2)
    await expect(rows.filter(has_text="A gateway holds money")).to_have_count(1)
    await tab.page.select_option("#account", "authorised")
    await tab.page.get_by_role("button", name="Show").click()
    await expect(rows).to_have_count(2)
    await tab.page.fill("#merchant", "m1")
    await tab.page.get_by_role("button", name="Show").click()
    await expect(tab.page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    await tab.page.select_option("#account", "payable")
    await tab.page.select_option("#gateway", code)
    await tab.page.get_by_role("button", name="Show").click()
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("30.00\u00a0EUR")
    await tab.page.fill("#to", "2020-01-01")
    await tab.page.fill("#from", "2020-01-01")
    await tab.page.get_by_role("button", name="Show").click()
    await expect(tab.page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    await tab.page.get_by_role("link", name="Clear all").first.click()
    async with tab.page.expect_download() as waiting:
        await tab.page.get_by_role("link", name="Export this period").click()
    told = (await (await waiting.value).path()).read_text()
    mine = [row for row in csv.DictReader(io.StringIO(told)) if row["order"] == number]
    assert [row["amount"] for row in mine if row["kind"] == "captured"] == ["30.00", "30.00"]


async def test_entries_are_turned_page_by_page(site: Site, tab: Tab) -> None:
    for _ in range(26):
        await site.shop.run(CAPTURE, await site.shop.order(1000))
    seen: list[str] = []
    await tab.goto("/portal/ledger/entries?gateway=card")
    for _ in range(20):
        table = tab.page.get_by_role("table", name="Entries of the period")
        seen += await table.locator("tbody tr").evaluate_all(
            "(rows) => rows.map((row) => row.querySelector('time').dateTime + row.innerText)")
        later = tab.page.get_by_role("link", name="Later")
        if not await later.count():
            break
        await later.click()
        await tab.page.wait_for_url("**after=*")
        await expect(tab.page.get_by_role("link", name="Oldest")).to_be_visible()
    async with site.pool.connection(site.actor.account_id) as connection:
        stored = await connection.value(
            "select count(*) from ledger_entries where account_id = $1 and gateway = 'card'",
            connection.account)
    assert len(seen) == stored


async def test_what_a_provider_tells_is_listed_with_what_became_of_it(
    site: Site, tab: Tab
) -> None:
    await connected(site, code := "calling")
    order_id = await site.shop.order(5000, gateway=code)
    payment = await site.provider_id(order_id)
    account = site.actor.account_id.replace("-", "")
    address = f"{site.url}/v1/hooks/{account}-{code}"
    hook = site.sandbox.hook(address, SECRET)
    try:
        site.sandbox.move(payment, "capture", 1200)
        row = tab.page.get_by_role("row").filter(has_text="Calling").filter(has_text="Looked into")
        await appears(tab, "/portal/inbound", row)
    finally:
        site.sandbox.call("DELETE", f"/control/hooks/{hook}")
    await expect(row.first).to_contain_text(await site.number(order_id))
    assert sum(await site.moved(order_id, "capture")) == 1200
    await row.first.get_by_role("rowheader").get_by_role("link").click()
    await expect(tab.page.get_by_role("region", name="Body")).to_contain_text(payment)
    headers = tab.page.locator("dl", has_text="webhook-signature")
    await expect(headers).to_contain_text("hidden")
    assert "v1," not in await headers.inner_text()
    assert await tab.page.get_by_role("button", name="Work it again").count() == 0

    sent, body = await signed(site.shop, made_up())
    with httpx2.Client(trust_env=False) as client:
        assert client.post(address, headers=sent, content=body).status_code == 200
    lost = tab.page.get_by_role("row").filter(has_text="Belongs to nobody yet")
    await appears(tab, "/portal/inbound?view=unmatched", lost)
    await lost.first.get_by_role("rowheader").get_by_role("link").click()
    await expect(tab.page.locator("main")).to_contain_text("No payment here has these references.")
    await tab.page.get_by_role("button", name="Work it again").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("in a moment")


async def appears(tab: Tab, path: str, row: Any) -> None:
    """Look at a list again until something is there."""
    for _ in range(60):
        await tab.goto(path)
        if await row.count():
            return
        await tab.page.wait_for_timeout(250)
    raise AssertionError(await tab.page.inner_text("main"))


async def test_who_may_not_is_told_the_permission_and_sees_no_door(site: Site) -> None:
    email = f"per-{new_id()[-6:]}@example.com"
    async with site.pool.connection(site.actor.account_id) as connection:
        new = NewUser(email=email, name="Per", role="warehouse", password=PASSWORD)
        await create_user(connection, site.actor, new)
    tab = await site.open_tab(email)
    assert await tab.page.get_by_role("link", name="Ledger").count() == 0
    for path, right in (
        ("reconciliation", "reports.read"), ("reconciliation/drift", "reports.read"),
        ("ledger", "reports.read"), ("ledger/entries", "reports.read"),
        ("ledger/export", "reports.read"), ("inbound", "reports.read"),
        (f"reconciliation/drift/{new_id()}/resolve", "payments.sync"),
    ):
        answer = await tab.page.goto(f"{site.url}/portal/{path}")
        assert answer is not None
        assert answer.status == 403, path
        await expect(tab.page.locator("main")).to_contain_text(right)
    await tab.close()


async def test_what_is_not_there_is_not_found(tab: Tab) -> None:
    for path in (
        f"reconciliation/runs/{new_id()}", "reconciliation/runs/x", f"inbound/{new_id()}",
        f"reconciliation/drift/{new_id()}/resolve",
    ):
        answer = await tab.page.goto(f"{tab.site.url}/portal/{path}")
        assert answer is not None
        assert answer.status == 404, path


@pytest.mark.parametrize("name", ["reconciliation", "run", "drift", "inbound-event-failed"])
def test_who_may_only_look_sees_no_control(name: str) -> None:
    shot = next(shot for shot in SHOTS if shot.name == name)
    frame = msgspec.structs.replace(shot.frame, rights=frozenset({"reports.read"}))
    text = pages.render(shot.template, frame, **shot.context())
    for door in ("Run now", "Read the file", "Resolve…", "Work it again"):
        assert door not in text
