"""Holds and fraud reviews in the browser. [N-21…N-28, U-16, U-17; design guide 3.10, 3.14]"""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import expect

from counterfoil.actions.review import send_to_review
from counterfoil.book.placing import Placing
from counterfoil.book.run import Command
from counterfoil.order.intake import Person, WantedItem, WantedOrder, WantedPayment
from counterfoil.setup.review_rules import read_rules
from counterfoil.work.settle import settle_now
from tests.portal.site import COLLEAGUE, Site, Tab

pytestmark = pytest.mark.browser


async def in_review(site: Site, total: int = 100_000) -> str:
    """An authorised order that somebody sent to review."""
    order_id = await site.shop.order(total)
    shop = site.shop
    await shop.works.book.run(
        Command(order_id=order_id, actor=shop.actor), send_to_review,
        asked=shop.works.asked(shop.actor), note="Three cards were tried.",
    )
    return order_id


async def came_in(site: Site, total: int, email: str) -> str:
    """An order through the door that screens."""
    shop = site.shop
    wanted = WantedOrder(
        store="main",
        currency="EUR", customer=Person(email=email, first_name="Eva"),
        items=[WantedItem(sku="S", name="Mug", quantity=1, unit_price=total)],
        payment=WantedPayment(gateway="card"),
    )
    key = shop.key(None, email)
    asked = shop.works.asked(shop.actor, key=key.key)
    ran = await shop.placer.place(
        Placing(asked=asked, wanted=wanted, channel="api", fingerprint="-", key=key)
    )
    body: dict[str, Any] = json.loads((await settle_now(shop.works, asked, ran)).body)
    return str(body["id"])


@pytest.mark.proves("U-16", "U-17")
async def test_a_hold_is_placed_locks_what_it_says_and_is_released(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    page = tab.page
    await tab.goto(f"/portal/orders/{order_id}")
    await page.get_by_role("link", name="Place hold").click()
    await page.select_option("#reason_code", "INCORRECT_ADDRESS")
    await page.check("[name=blocks][value=shipment]")
    await page.fill("#dialog #note", "The house number is missing.")
    await page.get_by_role("button", name="Place hold").click()
    card = page.locator("#order-holds")
    await expect(card).to_contain_text("Incorrect address")
    await expect(card).to_contain_text("Blocks shipment. The house number is missing.")
    await expect(card).to_contain_text("Anna Berg")
    await expect(page.locator("#order-head")).to_contain_text("On hold")
    await expect(page.locator(".cf-lock").first).to_contain_text("held by incorrect-address")
    await expect(page.locator("#order-items")).not_to_contain_text("Mark as sent")
    assert await page.locator("#order-items [aria-disabled=true]").count() > 0
    await expect(page.locator("#order-attention")).to_contain_text("Incorrect address")
    await tab.goto("/portal/orders/open?view=hold")
    await expect(site.row(tab, order_id)).to_contain_text("On hold")
    await tab.goto(f"/portal/orders/{order_id}")
    await card.get_by_role("link", name="Release…").click()
    await expect(page.locator("#dialog")).to_contain_text("Shipment is not blocked any more.")
    await page.get_by_role("button", name="Release hold").click()
    await expect(card).not_to_contain_text("Incorrect address")
    await expect(page.locator("#order-items")).to_contain_text("Ship items")
    assert await page.locator("#order-items [aria-disabled=true]").count() == 0
    await expect(page.locator("#order-timeline")).to_contain_text("Hold released")


async def test_holds_stack_and_one_that_blocks_nothing_is_refused(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    page = tab.page
    for what in ("capture", "both"):
        await tab.goto(f"/portal/orders/{order_id}/holds/new")
        await page.check(f"[name=blocks][value={what}]")
        await page.fill("#owner", "The warehouse")
        await page.get_by_role("button", name="Place hold").click()
        await page.wait_for_url(f"**/orders/{order_id}*")
    await expect(page.locator("#order-holds")).to_contain_text("Seen to by The warehouse")
    await expect(page.locator("#order-holds .cf-code")).to_have_text(["other", "other-2"])
    folder = await site.shop.folder(order_id)
    assert [one.handle for one in folder.open_holds] == ["other", "other-2"]
    await tab.goto(f"/portal/orders/{order_id}/holds/other/release")
    await expect(page.locator("main")).to_contain_text("Nothing becomes free yet.")
    await expect(page.locator("main")).to_contain_text("1 other hold stays.")
    await tab.goto(f"/portal/orders/{order_id}/holds/new")
    await page.fill("#auto_release_at", "2020-01-01T10:00")
    await page.get_by_role("button", name="Place hold").click()
    await expect(page.get_by_role("alert")).to_contain_text("choose a time that is still to come")
    assert len((await site.shop.folder(order_id)).open_holds) == 2


@pytest.mark.proves("N-24", "N-25", "N-27")
async def test_an_order_waits_in_the_queue_and_goes_on_when_it_passes(
    site: Site, tab: Tab
) -> None:
    """Story 19, the part that is ours: in the queue, blocked, and back when passed."""
    order_id = await in_review(site)
    page, row = tab.page, tab.page.locator(f"#review-{order_id}")
    await tab.goto(f"/portal/orders/{order_id}")
    await expect(page.locator("#order-head")).to_contain_text("Suspended")
    await expect(page.locator("#order-head")).to_contain_text("In review")
    assert await page.locator("#order-attention .cf-strip").count() == 1, "one reason, not two"
    assert await page.get_by_role("button", name="Capture transaction").count() == 0
    await page.keyboard.press("g")
    await page.keyboard.press("r")
    await page.wait_for_url("**/portal/reviews")
    await expect(row).to_contain_text("Somebody sent it to review. Three cards were tried.")
    await expect(row).to_contain_text("1,000.00\u00a0EUR")
    await row.get_by_role("button", name="Take").click()
    await expect(row).to_contain_text("You")
    await row.get_by_role("link", name="Pass…").click()
    await expect(page.locator("#dialog")).to_contain_text("The order goes back to New.")
    await expect(page.locator("#dialog")).to_contain_text("No money moves.")
    await tab.expect_focus("#note")
    await page.get_by_role("button", name="Pass order").click()
    assert await page.locator("#dialog[open]").count() == 1, "a note is needed"
    await page.fill("#dialog #note", "Rang her; it is fine.")
    await page.get_by_role("button", name="Pass order").click()
    await expect(page.locator("#dialog-title")).to_contain_text("is passed")
    await expect(row).to_contain_text("Review passed")
    await expect(row).to_contain_text("The order is New now.")
    folder = await site.shop.folder(order_id)
    assert (folder.order.state, folder.order.fraud_status) == ("new", "PASSED")
    assert not folder.open_holds
    await tab.goto("/portal/reviews?status=passed")
    await expect(row).to_contain_text("Anna Berg")


@pytest.mark.proves("N-28")
async def test_failing_says_what_happens_to_the_money_and_does_it(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(100_000)
    await site.shop.run("capture", order_id, amount=60_000)
    shop = site.shop
    await shop.works.book.run(
        Command(order_id=order_id, actor=shop.actor), send_to_review,
        asked=shop.works.asked(shop.actor),
    )
    page = tab.page
    await tab.goto("/portal/reviews")
    row = page.locator(f"#review-{order_id}")
    await row.get_by_role("link", name="Fail…").click()
    dialog = page.locator("#dialog")
    await expect(dialog).to_contain_text("Release 400.00\u00a0EUR that is only authorised.")
    await expect(dialog).to_contain_text("Refund 600.00\u00a0EUR that was captured.")
    await expect(dialog).to_contain_text("no e-mail is sent")
    await page.fill("#dialog #note", "A stolen card.")
    await expect(page.locator("#money-go")).to_contain_text("1,000.00\u00a0EUR")
    await page.locator("#money-go").dblclick()
    await expect(page.locator("#dialog-title")).to_contain_text("is cancelled")
    await expect(row).to_contain_text("Review failed")
    assert await site.moved(order_id, "refund") == [60_000]
    assert await site.moved(order_id, "void") == [40_000]
    folder = await site.shop.folder(order_id)
    assert (folder.order.system_state, folder.order.fraud_status) == ("CANCELED", "FAILED")
    assert not folder.letters
    assert folder.cancellations[0].reason_code == "FRAUD"


async def test_failing_goes_on_when_the_provider_answers_late(site: Site, tab: Tab) -> None:
    order_id = await in_review(site)
    site.sandbox.fault("hang_after_effect", kind="void", payment=await site.provider_id(order_id))
    page = tab.page
    await tab.goto(f"/portal/orders/{order_id}/review/fail")
    await page.fill("#note", "A stolen card.")
    await page.locator("#money-go").click()
    await expect(page.locator("#dialog-title")).to_contain_text("under way")
    for _ in range(100):
        if (await site.shop.folder(order_id)).order.system_state == "CANCELED":
            break
        await asyncio.sleep(0.2)
    folder = await site.shop.folder(order_id)
    assert (folder.order.system_state, folder.order.voided) == ("CANCELED", 100_000)
    assert await site.moved(order_id, "void") == [100_000]


async def test_two_people_decide_and_the_second_is_told(site: Site, tab: Tab) -> None:
    order_id = await in_review(site)
    kari = await site.open_tab(COLLEAGUE)
    for one in (tab, kari):
        await one.goto(f"/portal/orders/{order_id}/review/pass")
        await one.page.fill("#note", "Looked at it.")
    await tab.page.get_by_role("button", name="Pass order").click()
    await tab.page.wait_for_url(f"**/orders/{order_id}*")
    await kari.page.get_by_role("button", name="Pass order").click()
    await expect(kari.page.get_by_role("alert")).to_contain_text(
        "Anna Berg passed the review already."
    )
    await kari.close()


async def test_an_order_is_sent_to_review_taken_and_given_back(site: Site, tab: Tab) -> None:
    order_id = await site.shop.order(5000)
    page = tab.page
    await tab.goto(f"/portal/orders/{order_id}")
    card = page.locator("#order-holds")
    await card.get_by_role("link", name="Send to review").click()
    await page.fill("#dialog #note", "Odd addresses.")
    await page.get_by_role("button", name="Send to review").click()
    await expect(card).to_contain_text("Somebody sent it to review.")
    await expect(page.locator("#order-state")).to_contain_text("Suspended")
    await card.get_by_role("button", name="Take it").click()
    await expect(card).to_contain_text("You have it")
    await card.get_by_role("button", name="Give it back").click()
    await expect(card).not_to_contain_text("You have it")
    await expect(page.locator("#order-timeline")).to_contain_text("Fraud review: given back")
    await card.get_by_role("button", name="Put it off").click()
    await expect(card).to_contain_text("Review on hold")
    await tab.goto("/portal/reviews")
    await expect(page.locator(f"#review-{order_id}")).to_contain_text("Review on hold")
    await tab.goto(f"/portal/orders/{order_id}")
    await card.get_by_role("button", name="Take it up again").click()
    await expect(card).to_contain_text("In review")
    assert (await site.shop.folder(order_id)).order.fraud_status == "PENDING"


@pytest.mark.proves("N-21", "N-23", "N-24")
async def test_rules_are_written_tried_and_used(site: Site, tab: Tab) -> None:
    page = tab.page
    plain = await came_in(site, 900_000, "before@example.com")
    number = await site.number(plain)
    await tab.goto("/portal/config/review-rules")
    await page.fill("#amount_over", "a lot EUR")
    await page.get_by_role("button", name="Save rules").click()
    await expect(page.get_by_role("alert")).to_contain_text("a lot EUR")
    await page.fill("#amount_over", "8,000.00 EUR")
    await page.fill("#number", number)
    await page.get_by_role("button", name="Try on this order").click()
    await expect(page.locator("#verdict")).to_contain_text("would wait for a review")
    await expect(page.locator("#verdict")).to_contain_text(
        "The total of 9000.00 EUR is more than 8000.00 EUR."
    )
    async with site.pool.connection(site.actor.account_id) as connection:
        assert not (await read_rules(connection, "main")).amount_over, "a try saves nothing"
    await page.get_by_role("button", name="Save rules").click()
    await expect(page.get_by_role("status").first).to_contain_text("Saved")
    order_id = await came_in(site, 900_000, "after@example.com")
    assert (await site.shop.folder(plain)).order.fraud_status == "NOT_REQUIRED"
    await tab.goto("/portal/reviews")
    await expect(page.locator(f"#review-{order_id}")).to_contain_text("more than 8000.00 EUR")
    await tab.goto("/portal/config/review-rules")
    await page.fill("#amount_over", "")
    await page.get_by_role("button", name="Save rules").click()
    await expect(page.get_by_role("status").first).to_contain_text("Saved")
