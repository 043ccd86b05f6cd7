"""Money in the browser: the stories of the design guide, section 7, against the card sandbox."""

import pytest
from playwright.async_api import Route, expect

from tests.portal.site import COLLEAGUE, Site, Tab

pytestmark = pytest.mark.browser


async def paid(site: Site, total: int = 100000) -> str:
    return await site.shop.order(total, flow="payment")


async def find(site: Site, tab: Tab, order_id: str, path: str = "/portal/orders/open") -> None:
    await tab.goto(f"{path}?q={await site.number(order_id)}")


async def open_form(site: Site, tab: Tab, order_id: str, action: str) -> None:
    await find(site, tab, order_id)
    await site.row(tab, order_id).locator(f"[data-cf-act={action}]").click()
    await expect(tab.page.locator("#dialog")).to_be_visible()


@pytest.mark.proves("Z-2", "Z-4", "Z-5", "Z-7", "Z-8", "Z-9", "Z-10", "Z-12")
async def test_a_paid_order_is_refunded_from_the_list(site: Site, tab: Tab) -> None:
    """Story 1. [Z-5 to Z-12]"""
    order_id = await paid(site)
    await open_form(site, tab, order_id, "refund")
    await expect(tab.page.locator("#amount")).to_have_value("1000.00")
    await tab.page.fill("#amount", "501")
    await expect(tab.page.locator("#money-go")).to_contain_text("Refund 501.00")
    reference = await tab.page.input_value("#reference")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 501.00")
    assert await site.moved(order_id, "refund") == [50100]
    assert (await site.shop.folder(order_id)).refunds[0].reference == reference
    await tab.page.get_by_role("button", name="Done").click()
    row = site.row(tab, order_id)
    await expect(row).to_contain_text("Partially refunded")
    await tab.expect_focus(f"#order-{order_id} .cf-number")


@pytest.mark.proves("Z-6", "Z-14", "Z-16")
async def test_an_authorised_row_offers_capture_and_void_alone(site: Site, tab: Tab) -> None:
    """Story 2. [Z-6, Z-16]"""
    order_id = await site.shop.order(5000)
    await find(site, tab, order_id)
    doors = site.row(tab, order_id).locator("[data-cf-act]")
    assert [await one.get_attribute("data-cf-act") for one in await doors.all()] == [
        "capture",
        "void",
    ]


async def test_many_clicks_are_one_refund(site: Site, tab: Tab) -> None:
    """Story 3: a double click, five times Enter, and the same form in two tabs."""
    order_id = await paid(site, 9000)
    await open_form(site, tab, order_id, "refund")
    await expect(tab.page.locator("#money-go")).to_contain_text("90.00")
    await tab.page.locator("#money-go").dblclick(no_wait_after=True)
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 90.00")
    assert await site.moved(order_id, "refund") == [9000]

    other = await paid(site, 8000)
    await tab.goto(f"/portal/orders/{other}/refund")
    form = await tab.page.evaluate("""() => {
      const form = document.querySelector('form[action$="/refund"]')
      return Object.fromEntries(new FormData(form))
    }""")
    sent = await tab.page.evaluate(
        """async ([path, form]) => Promise.all([1, 2, 3].map(() =>
          fetch(path, {method: 'POST', body: new URLSearchParams(form)})
            .then((answer) => answer.status)))""",
        [f"/portal/orders/{other}/refund", form],
    )
    assert 200 in sent
    assert set(sent) <= {200, 202, 409}
    assert await site.moved(other, "refund") == [8000]


@pytest.mark.proves("Z-14", "Z-17", "Z-26")
@pytest.mark.parametrize("way", ["Escape", "close", "keep"])
async def test_a_capture_that_is_left_did_nothing(site: Site, tab: Tab, way: str) -> None:
    """Story 4. [Z-26]"""
    order_id = await site.shop.order(5000)
    await open_form(site, tab, order_id, "capture")
    if way == "Escape":
        await tab.page.keyboard.press("Escape")
    elif way == "close":
        await tab.page.get_by_role("button", name="Close").click()
    else:
        await tab.page.get_by_role("button", name="Keep it open").click()
    await expect(tab.page.locator("#dialog")).to_be_hidden()
    await tab.expect_focus(f"#order-{order_id} [data-cf-act=capture]")
    assert await site.moved(order_id, "capture") == []
    assert (await site.shop.folder(order_id)).order.captured == 0


async def test_what_is_not_known_is_said_and_becomes_known(site: Site, tab: Tab) -> None:
    """Story 5: the gateway hangs, the amount is set aside, later the panel turns by itself."""
    order_id = await site.shop.order(70000)
    site.sandbox.fault("hang_before", kind="capture", payment=await site.provider_id(order_id))
    await open_form(site, tab, order_id, "capture")
    await tab.page.click("#money-go")
    title = tab.page.locator("#dialog-title")
    await expect(title).to_have_text("Not known yet", timeout=12_000)
    await expect(tab.page.locator("#dialog")).to_contain_text("700.00")
    await expect(tab.page.locator("#dialog")).to_contain_text("set aside")
    capture = site.row(tab, order_id).locator("[data-cf-act=capture]")
    assert await capture.count() == 0, "no second capture of what is reserved"
    await tab.page.get_by_role("link", name="Ask now").click()
    await expect(title).to_contain_text("Captured 700.00", timeout=30_000)
    assert await site.moved(order_id, "capture") == [70000]
    await expect(site.row(tab, order_id)).to_contain_text("Paid")


@pytest.mark.proves("Z-26")
async def test_a_refusal_keeps_the_form_and_takes_a_new_key(site: Site, tab: Tab) -> None:
    """Story 6."""
    order_id = await paid(site, 60000)
    provider_id = await site.provider_id(order_id)
    site.sandbox.fault("decline", kind="refund", payment=provider_id)
    await open_form(site, tab, order_id, "refund")
    key = await tab.page.input_value("#dialog [name=idempotency_key]")
    await tab.page.fill("#reason", "Too small")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("said no. No money moved.")
    assert await site.moved(order_id, "refund") == []
    await tab.page.get_by_role("link", name="Change and try again").click()
    await expect(tab.page.locator("#amount")).to_have_value("600.00")
    assert await tab.page.input_value("#dialog [name=idempotency_key]") != key
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 600.00")
    assert await site.moved(order_id, "refund") == [60000]


@pytest.mark.proves("Z-7", "Z-8", "Z-10", "Z-11")
async def test_what_the_button_named_is_what_is_done(site: Site, tab: Tab) -> None:
    """Story 9: Enter before the button follows sends nothing; neither does an old balance."""
    order_id = await paid(site, 100000)
    await open_form(site, tab, order_id, "refund")
    await tab.page.fill("#amount", "300")
    await tab.page.press("#amount", "Enter")
    await expect(tab.page.locator("#dialog")).to_contain_text("You typed 300.00")
    assert await site.moved(order_id, "refund") == []
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 300.00")
    await tab.page.get_by_role("button", name="Done").click()

    await open_form(site, tab, order_id, "refund")
    await expect(tab.page.locator("#money-go")).to_contain_text("700.00")
    await site.shop.run("refund", order_id, amount=20000)
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog")).to_contain_text("changed from 700.00")
    await expect(tab.page.locator("#dialog")).to_contain_text("Nothing was sent.")
    assert await site.moved(order_id, "refund") == [30000, 20000]


@pytest.mark.proves("Z-13", "Z-19", "U-26", "U-28", "U-29", "U-30")
async def test_a_part_is_captured_and_both_sets_of_buttons_stand(site: Site, tab: Tab) -> None:
    """Story 10. [Z-18, Z-19, U-28 to U-30]"""
    order_id = await site.shop.order(100000)
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.fill("#capture-value", "600")
    await tab.page.get_by_role("button", name="Capture transaction").click()
    await expect(tab.page.locator("#money-go")).to_contain_text("Capture 600.00")
    await expect(tab.page.locator("#consequence")).to_contain_text("400.00")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Captured 600.00")
    await tab.page.get_by_role("button", name="Done").click()
    await expect(tab.page.locator("#order-head")).to_contain_text("Partly captured")
    await expect(tab.page.locator("#order-timeline")).to_contain_text("Captured 600.00")
    await tab.page.get_by_role("link", name="Transaction history").click()
    await expect(tab.page.locator("#order-payments tbody tr")).to_have_count(2)
    await find(site, tab, order_id)
    assert await site.row(tab, order_id).locator("[data-cf-act]").count() == 3
    assert await site.moved(order_id, "capture") == [60000]


@pytest.mark.proves("Z-13", "Z-22", "Z-23", "Z-25")
async def test_a_part_is_released_then_the_rest_which_cancels(site: Site, tab: Tab) -> None:
    """Story 13. [Z-23, Z-25]"""
    order_id = await site.shop.order(10000)
    await open_form(site, tab, order_id, "void")
    await tab.page.check("[name=scope][value=part]")
    await tab.page.fill("#amount", "40")
    await expect(tab.page.locator("#money-go")).to_contain_text("Void 40.00")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Released 40.00")
    await tab.page.get_by_role("button", name="Done").click()
    await expect(site.row(tab, order_id)).to_contain_text("Authorised")
    await expect(site.row(tab, order_id)).to_contain_text("60.00 open")

    await open_form(site, tab, order_id, "void")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog")).to_contain_text("Choose whether kari@example.com")
    assert await site.moved(order_id, "void") == [4000]
    await tab.page.check("[name=notify][value=no]")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("is cancelled")
    assert await site.moved(order_id, "void") == [4000, 6000]
    assert (await site.shop.folder(order_id)).order.system_state == "CANCELED"


@pytest.mark.proves("U-23")
async def test_a_colleague_sees_it_without_a_reload(site: Site, tab: Tab) -> None:
    """Principle 10: an open page follows what somebody else does."""
    order_id = await site.shop.order(5000)
    other = await site.open_tab(COLLEAGUE)
    await other.goto(f"/portal/orders/{order_id}")
    await site.shop.run("capture", order_id)
    await other.page.evaluate("htmx.trigger('#order-live', 'every')")
    await expect(other.page.locator("#order-head")).to_contain_text("Paid")
    await expect(other.page.locator("#order-timeline")).to_contain_text("Captured 50.00")
    await other.close()


@pytest.mark.parametrize("reached", [True, False], ids=["reached", "lost"])
async def test_a_lost_answer_can_be_asked_for(site: Site, tab: Tab, reached: bool) -> None:
    """Story 7: "Check what happened" tells the truth, "Try again safely" never pays twice."""
    order_id = await paid(site, 40000)
    await open_form(site, tab, order_id, "refund")

    async def cut(route: Route) -> None:
        if reached:
            await route.fetch()
        await route.abort()

    await tab.page.route("**/refund", cut, times=1)
    await tab.page.click("#money-go")
    result = tab.page.locator("#dialog [data-cf-result]")
    await expect(result).to_contain_text("We did not hear back.")
    key = await tab.page.input_value("#dialog [name=idempotency_key]")
    other = await site.open_tab()
    await other.goto(f"/portal/requests/{key}")
    told = "Refunded 400.00" if reached else "It never reached us"
    await expect(other.page.locator("h1")).to_contain_text(told)
    await other.close()
    await result.get_by_role("button", name="Try again safely").click()
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 400.00")
    assert await site.moved(order_id, "refund") == [40000]


@pytest.mark.proves("Z-14", "U-28")
async def test_the_keyboard_alone_is_enough(site: Site, tab: Tab) -> None:
    """Principle 8: from the list to a capture and back without a mouse."""
    order_id = await site.shop.order(4500)
    await tab.goto("/portal/orders/open")
    await tab.page.keyboard.press("/")
    await tab.expect_focus("#q")
    await tab.page.keyboard.type(await site.number(order_id))
    await expect(tab.page.locator("[data-cf-row]")).to_have_count(1)
    await tab.page.keyboard.press("Escape")
    await tab.page.locator("#q").blur()
    await tab.page.keyboard.press("j")
    await tab.expect_focus(f"#order-{order_id} .cf-number")
    await tab.page.keyboard.press("c")
    await tab.expect_focus("#amount")
    await tab.page.keyboard.press("Enter")
    await tab.expect_focus("#dialog-title")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Captured 45.00")
    await tab.page.keyboard.press("Escape")
    await tab.expect_focus(f"#order-{order_id} .cf-number")
    assert await site.moved(order_id, "capture") == [4500]
