"""Letters in the browser: a text is written, previewed and tried; a letter is sent again."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import expect

from counterfoil.access.users import NewUser, create_user
from counterfoil.kernel.ids import new_id
from counterfoil.setup.mail_servers import find_mail_server
from counterfoil.setup.suppressed import find_suppressed, suppress
from tests.portal.site import EMAIL, PASSWORD, Site, Tab
from tests.work.shop import CANCEL

pytestmark = pytest.mark.browser
CANARY = "CANARY-mail-2"
EVIL = '<script>document.title="x"</script>'


async def kept(site: Site, words: str, wanted: int = 1) -> list[str]:
    """Wait until so many letters with some words are in the mail folder."""
    for _ in range(80):
        found = [text for text in site.letters() if words in text]
        if len(found) >= wanted:
            break
        await asyncio.sleep(0.1)
    assert len(found) == wanted
    return found


async def edit(tab: Tab, kind: str, language: str = "English") -> None:
    """Open the text of a kind as people do."""
    await tab.goto("/portal/letters")
    await tab.page.get_by_role("link", name="Texts", exact=True).click()
    row = tab.page.get_by_role("row", name=kind)
    column = 0 if language == "English" else 1
    await row.get_by_role("link").nth(column).click()
    await expect(tab.page.locator("h1")).to_contain_text(kind)


async def status(site: Site, order_id: str) -> list[str]:
    found = sorted((await site.shop.folder(order_id)).letters, key=lambda one: one.id)
    return [letter.status for letter in found]


async def canceled(site: Site) -> str:
    """Cancel an order with its letter, and wait until that has left."""
    order_id = await site.shop.order(5000, gateway="manual")
    await site.shop.run(CANCEL, order_id, notify_customer=True)
    for _ in range(80):
        if await status(site, order_id) != ["QUEUED"]:
            break
        await asyncio.sleep(0.1)
    return order_id


async def test_a_text_is_previewed_while_it_is_written_saved_and_used(
    site: Site, tab: Tab
) -> None:
    await edit(tab, "Cancelled")
    frame = tab.page.frame_locator("[name=letter-preview]")
    await expect(frame.locator("h1")).to_have_text("Your order was cancelled")
    await expect(frame.locator("body")).to_contain_text("400.00 NOK")
    await tab.page.fill("#subject", "Gone: {{ number }}")
    await tab.page.fill("#body", f"<h1>Own words</h1>\n<p>{{{{ name }}}} {EVIL}</p>")
    await expect(frame.locator("body")).to_contain_text("Line 2: The tag <script> cannot be used")
    await tab.page.fill("#body", "<h1>Own words</h1><p>{{ nam }}</p>")
    await expect(frame.locator("li")).to_contain_text("There is no nam in this letter.")
    await tab.page.get_by_role("button", name="Save").click()
    await expect(tab.page.locator("#body-error")).to_contain_text("Line 1: There is no nam")
    await tab.expect_focus(".cf-errors")
    assert await tab.page.input_value("#subject") == "Gone: {{ number }}"
    await tab.page.fill("#body", "<h1>Own words</h1><p>Dear {{ name }}</p>")
    await expect(frame.locator("h1")).to_have_text("Own words")
    await tab.page.get_by_role("button", name="As plain text").click()
    await expect(frame.locator("body")).to_contain_text("Gone: 10412")
    await expect(frame.locator("body")).to_contain_text("Dear Kari Nordmann")
    await tab.page.get_by_role("button", name="Save").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Saved")
    await expect(tab.page.locator("main")).to_contain_text("by Anna Berg")
    number = await site.number(await canceled(site))
    (letter,) = await kept(site, f"Gone: {number}")
    assert "Own words" in letter
    await tab.page.get_by_role("button", name="Use the built-in text").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Yours is kept below")
    assert "was cancelled" in await tab.page.input_value("#subject")
    await tab.page.get_by_role("link", name="Edit the text before").click()
    assert await tab.page.input_value("#subject") == "Gone: {{ number }}"


async def test_a_preview_is_about_a_real_order(site: Site, tab: Tab) -> None:
    number = await site.number(await site.shop.order(7300, gateway="manual"))
    await edit(tab, "Order received", "Norsk bokmål")
    frame = tab.page.frame_locator("[name=letter-preview]")
    await expect(frame.locator("body")).to_contain_text("Kari Nordmann")
    await tab.page.fill("#order", number)
    await tab.page.get_by_role("button", name="As HTML").click()
    await expect(frame.locator("body")).to_contain_text("73,00 EUR")
    await expect(frame.locator("h1")).to_have_text("Takk for bestillingen")
    await tab.page.fill("#order", "no-such")
    await expect(frame.locator("li")).to_contain_text("The store has no order no-such.")
    assert await tab.page.locator("[name=letter-preview]").get_attribute("sandbox") == ""


async def test_a_text_is_sent_to_who_writes_it(site: Site, tab: Tab) -> None:
    await edit(tab, "Shipped")
    mark = f"Test-{new_id()[-8:]}"
    await tab.page.fill("#subject", f"{mark} {{{{ number }}}}")
    await tab.page.get_by_role("button", name=f"Send a test to {EMAIL}").click()
    await expect(tab.page.locator("#dialog-title")).to_have_text("The test has left")
    (letter,) = await kept(site, mark)
    assert f"To: {EMAIL}" in letter
    assert "[Test]" in letter
    await tab.page.get_by_role("button", name="Close").last.click()
    assert await tab.page.input_value("#subject") == f"{mark} {{{{ number }}}}"


async def test_two_people_do_not_overwrite_each_other_unseen(site: Site, tab: Tab) -> None:
    await edit(tab, "Return received")
    other = await site.open_tab("kari@example.com")
    await edit(other, "Return received")
    await other.page.fill("#subject", "Theirs")
    await other.page.get_by_role("button", name="Save").click()
    await expect(other.page.get_by_role("status").last).to_contain_text("Saved")
    await tab.page.fill("#subject", "Mine")
    await tab.page.get_by_role("button", name="Save").click()
    await expect(tab.page.locator(".cf-errors")).to_contain_text("Kari Lie changed this text")
    assert await tab.page.input_value("#subject") == "Mine"
    await tab.page.get_by_role("button", name="Save").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Saved")
    await tab.page.click("summary:has-text('Your text before')")
    await expect(tab.page.locator(".cf-fold")).to_contain_text("Theirs")
    await other.close()


@pytest.mark.parametrize("script", [True, False])
async def test_letters_that_go_by_themselves_are_chosen(site: Site, script: bool) -> None:
    tab = await site.open_tab(java_script_enabled=script)
    await tab.goto("/portal/letter-texts/main")
    await tab.page.get_by_label("when an order comes in").check()
    await tab.page.select_option("#language", "nb")
    await tab.page.get_by_role("button", name="Save").click()
    await expect(tab.page.get_by_role("status").last).to_have_text("Saved.")
    order_id = await site.shop.order(5000, gateway="manual")
    number = await site.number(order_id)
    (letter,) = await kept(site, f"ordren din {number}")
    assert "To: kari@example.com" in letter
    await tab.goto(f"/portal/orders/{order_id}")
    await expect(tab.page.locator("#order-timeline")).to_contain_text(
        "Letter to the customer sent")
    await tab.goto("/portal/letter-texts/main")
    await tab.page.get_by_label("when an order comes in").uncheck()
    await tab.page.select_option("#language", "en")
    await tab.page.get_by_role("button", name="Save").click()
    await expect(tab.page.get_by_label("when an order comes in")).not_to_be_checked()
    await tab.close()


async def test_a_letter_is_sent_again_and_a_bounced_address_wants_a_word(
    site: Site, tab: Tab
) -> None:
    order_id = await canceled(site)
    number = await site.number(order_id)
    async with site.pool.connection(site.actor.account_id) as connection:
        await suppress(
            connection, "kari@example.com", reason="550 5.1.1 No such mailbox",
            letter_id=new_id(),
        )
    await tab.goto("/portal/letters")
    await tab.page.locator("tr", has_text=number).get_by_role("link").first.click()
    await expect(tab.page.get_by_role("region", name="Tries")).to_contain_text("Taken")
    await tab.page.get_by_role("link", name="Send again…").click()
    send = tab.page.get_by_role("button", name="Send again")
    await send.click()
    await expect(tab.page.locator(".cf-errors")).to_contain_text("550 5.1.1")
    assert await status(site, order_id) == ["SENT"]
    await tab.page.get_by_label("It works by now").check()
    await send.click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("It is asked for")
    await expect(tab.page.get_by_role("link", name="The letter before")).to_be_visible()
    async with site.pool.connection(site.actor.account_id) as connection:
        assert await find_suppressed(connection, "kari@example.com") is None
    await kept(site, f"Your order {number} from", 2)
    await tab.page.reload()
    await tab.page.get_by_role("link", name="Send again…").click()
    await tab.page.fill("#recipient", "not an address")
    await tab.page.evaluate("document.querySelector('#recipient').type = 'text'")
    await send.click()
    await expect(tab.page.locator("#recipient-error")).to_contain_text("not one e-mail address")
    await tab.page.fill("#recipient", "new@example.com")
    await send.click()
    await expect(tab.page.locator("main")).to_contain_text("new@example.com")


async def test_a_mail_server_of_ones_own_is_set_tried_and_removed(site: Site, tab: Tab) -> None:
    await tab.goto("/portal/mail")
    await expect(tab.page.locator("main")).to_contain_text("the installation’s mail server")
    await tab.page.fill("#host", "127.0.0.1")
    await tab.page.fill("#port", "0")
    await tab.page.fill("#sender_address", "butikk@example.no")
    await tab.page.fill("#sender_name", 'Butikken, "Oslo"')
    await tab.page.get_by_role("button", name="Save").click()
    await expect(tab.page.locator("#port-error")).to_contain_text("a number from 1 to 65535")
    await tab.page.fill("#port", str(site.mail_port))
    await tab.page.select_option("#security", "none")
    await tab.page.fill("#password", CANARY)
    await tab.page.get_by_role("button", name="Save").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Saved.")
    assert CANARY not in await tab.page.content()
    assert await tab.page.input_value("#password") == ""
    await tab.page.get_by_role("button", name="Test").click()
    await expect(tab.page.locator("#dialog-title")).to_have_text("The mail server answers")
    await tab.page.get_by_role("button", name="Close").last.click()
    number = await site.number(await canceled(site))
    (letter,) = await kept(site, f"Your order {number} from")
    assert re.search(r'From: "Butikken, \\"Oslo\\"" <butikk@example\.no>', letter)
    await tab.page.fill("#host", "mail.nowhere.invalid")
    await tab.page.get_by_role("button", name="Save").click()
    await tab.page.get_by_role("button", name="Test").click()
    await expect(tab.page.locator("#dialog-title")).to_have_text("The mail server cannot be used")
    await tab.goto("/portal/mail")
    await tab.page.get_by_role("button", name="Remove this mail server").click()
    await expect(tab.page.get_by_role("status").last).to_contain_text("Removed")
    async with site.pool.connection(site.actor.account_id) as connection:
        assert await find_mail_server(connection) is None


async def test_who_may_not_is_told_the_permission(site: Site) -> None:
    email = f"per-{new_id()[-6:]}@example.com"
    async with site.pool.connection(site.actor.account_id) as connection:
        new = NewUser(email=email, name="Per", role="warehouse", password=PASSWORD)
        await create_user(connection, site.actor, new)
    tab = await site.open_tab(email)
    await tab.goto("/portal/letters")
    assert await tab.page.get_by_role("link", name="Texts").count() == 0
    for path in ("letter-texts", "letter-texts/main", "letter-texts/main/canceled/en", "mail"):
        answer: Any = await tab.page.goto(f"{site.url}/portal/{path}")
        assert answer.status == 403, path
        await expect(tab.page.locator("main")).to_contain_text("settings.manage")
    await tab.close()


async def test_the_mail_server_of_all_stores_is_not_set_for_one(site: Site) -> None:
    email = f"ine-{new_id()[-6:]}@example.com"
    async with site.pool.connection(site.actor.account_id) as connection:
        new = NewUser(email=email, name="Ine", role="admin", password=PASSWORD, stores=["main"])
        await create_user(connection, site.actor, new)
    tab = await site.open_tab(email)
    answer: Any = await tab.page.goto(f"{site.url}/portal/mail")
    assert answer.status == 403
    await expect(tab.page.locator("main")).to_contain_text("is about all stores")
    await tab.close()


async def test_what_is_not_there_is_not_found(tab: Tab) -> None:
    for path in ("letter-texts/nowhere", "letter-texts/main/nothing/en",
                 "letter-texts/main/canceled/xx", f"letters/{new_id()}",
                 f"letters/{new_id()}/resend"):
        answer: Any = await tab.page.goto(f"{tab.site.url}/portal/{path}")
        assert answer.status == 404, path
