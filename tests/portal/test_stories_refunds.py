"""Refunds in the browser: by amount and by lines, through payments, with a second person."""

from typing import Any

import pytest
from playwright.async_api import expect

from counterfoil.access.roles import NewRole, create_role
from counterfoil.access.users import NewUser, create_user
from counterfoil.book.placing import Placing
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.money import to_decimal
from counterfoil.order.intake import Person, WantedBag, WantedItem, WantedOrder, WantedPayment
from counterfoil.portal.figures import money
from counterfoil.work.settle import settle_now
from tests.portal.site import PASSWORD, Site, Tab
from tests.work.shop import PAY, Said

pytestmark = pytest.mark.browser
#: Three lines whose discount and tax leave a minor unit over, whatever it is worth.
LINES = (("Mug", 3, 333), ("Lamp", 1, 1001), ("Spoon", 2, 250))
TOTALS: dict[str, Any] = {"discount_total": 100, "tax_total": 257, "shipping_total": 499}
TOTAL = 3 * 333 + 1001 + 2 * 250 - 100 + 257 + 499


async def goods(site: Site, currency: str = "EUR", flow: str = "payment") -> str:
    """Place an order of three lines; it is paid at once."""
    shop = site.shop
    items = [
        WantedItem(sku=name.upper(), name=name, quantity=count, unit_price=price)
        for name, count, price in LINES
    ]
    wanted = WantedOrder(
        store="main",
        currency=currency,
        customer=Person(email="kari@example.com", first_name="Kari"),
        bags=[WantedBag(merchant="m1", items=items, **TOTALS)],
        payment=WantedPayment(gateway="card", flow=flow),
    )
    its = shop.key(None, f"goods {currency} {flow}")
    asked = shop.works.asked(shop.actor, key=its.key)
    ran = await shop.placer.place(
        Placing(asked=asked, wanted=wanted, channel="api", fingerprint="-", key=its)
    )
    return str(Said(await settle_now(shop.works, asked, ran)).body["id"])


async def paid_twice(site: Site) -> str:
    """An order of 50.00: 30.00 by card, then 20.00 by card again."""
    order_id = await site.shop.order(5000, amount=3000, flow="payment")
    assert (await site.shop.run(PAY, order_id, amount=2000, flow="payment")).status == 201
    return order_id


async def somebody(site: Site, *more: str, limit: int = 20000) -> str:
    """A user who may give back up to a limit alone; `more` are further rights."""
    code = f"till-{new_id()[-12:]}"
    role = NewRole(
        code=code,
        name=code,
        permissions=["orders.read", "payments.refund", *more],
        limits={"refund": {"EUR": limit}},
    )
    email = f"{code}@example.com"
    async with site.pool.connection(site.actor.account_id) as connection:
        await create_role(connection, site.actor, role)
        new = NewUser(email=email, name=f"Till {code[-4:]}", role=code, password=PASSWORD)
        await create_user(connection, site.actor, new)
    return email


async def refund_page(tab: Tab, order_id: str, query: str = "") -> None:
    await tab.goto(f"/portal/orders/{order_id}/refund{query}")


async def press(tab: Tab, words: str) -> None:
    """Press the button once it says what it does."""
    await expect(tab.page.locator("#money-go")).to_contain_text(words)
    await tab.page.click("#money-go")


@pytest.mark.proves("Z-8", "Z-10", "V-12", "V-13")
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
async def test_line_by_line_until_nothing_is_left(site: Site, tab: Tab, currency: str) -> None:
    """The parts add up to the total, to the last minor unit. [H-6, H-7]"""
    order_id = await goods(site, currency)
    items = {item.name: item.id for item in (await site.shop.folder(order_id)).items}
    for name, units in (("Mug", 1), ("Mug", 1), ("Lamp", 1), ("Mug", 1), ("Spoon", 2)):
        await refund_page(tab, order_id, "?way=lines")
        await tab.page.fill(f"#units-{items[name]}", str(units))
        await expect(tab.page.locator("#money-go")).to_contain_text(currency)
        comes = await tab.page.locator(f"#comes-{items[name]} strong").inner_text()
        await press(tab, f"Refund {comes}")
        await expect(tab.page.locator("#dialog-title")).to_contain_text(f"Refunded {comes}")
    await refund_page(tab, order_id, "?way=lines")
    assert await tab.page.locator(f"#units-{items['Mug']}").count() == 0
    await tab.page.fill("#shipping", to_decimal(499, currency))
    await expect(tab.page.locator("#consequence tfoot")).to_contain_text(currency)
    rest = TOTAL - sum(await site.moved(order_id, "refund"))
    await press(tab, f"Refund {money(rest, currency)}")
    await expect(tab.page.locator("#dialog-title")).to_contain_text(money(rest, currency))
    assert sum(await site.moved(order_id, "refund")) == TOTAL
    await refund_page(tab, order_id)
    await expect(tab.page.locator("main")).to_contain_text("nothing left to give back")


@pytest.mark.proves("Z-8", "U-28", "U-29")
@pytest.mark.parametrize(
    ("currency", "wrong", "says", "right"),
    [("JPY", "10.5", "JPY has no decimals.", "1000"),
     ("KWD", "1.2345", "KWD has 3 decimals.", "1.005")],
)  # fmt: skip
async def test_amounts_have_the_decimals_of_their_currency(
    site: Site, tab: Tab, currency: str, wrong: str, says: str, right: str
) -> None:
    """Typed, read back and taken with no decimals, or with three. [H-6]"""
    order_id = await goods(site, currency, flow="auth")
    minor = int(right.replace(".", ""))
    for action, verb in (("capture", "Capture"), ("refund", "Refund")):
        await tab.goto(f"/portal/orders/{order_id}/{action}")
        most = TOTAL if action == "capture" else minor
        await expect(tab.page.locator("#amount")).to_have_value(to_decimal(most, currency))
        await tab.page.fill("#amount", wrong)
        await expect(tab.page.locator("#consequence")).to_contain_text(says)
        await tab.page.fill("#amount", right)
        await press(tab, f"{verb} {money(minor, currency)}")
        await expect(tab.page.locator("#dialog-title")).to_contain_text(money(minor, currency))
        assert await site.moved(order_id, action) == [minor]


async def test_lines_need_no_script(site: Site) -> None:
    """Principle 8: what it comes to is said by the server, and the second press does it."""
    order_id = await goods(site)
    tab = await site.open_tab(java_script_enabled=False)
    await refund_page(tab, order_id)
    await tab.page.get_by_role("link", name="Items and shipping").click()
    await tab.page.get_by_label("Units of LAMP").fill("1")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("main [role=alert]")).to_contain_text("It comes to")
    assert await site.moved(order_id, "refund") == []
    await expect(tab.page.locator("#consequence")).to_contain_text("was paid for 1 × Lamp")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("h1")).to_contain_text("Refunded")
    assert len(await site.moved(order_id, "refund")) == 1
    await tab.close()


async def test_everything_that_is_left_is_all_there_is(site: Site, tab: Tab) -> None:
    order_id = await goods(site)
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.get_by_role("link", name="Refund…").click()
    await tab.page.fill("#reason", "Came back")
    await tab.page.get_by_role("link", name="Items and shipping").click()
    await expect(tab.page.locator("#consequence")).to_contain_text("Say how many units")
    await expect(tab.page.locator("#reason")).to_have_value("Came back")
    await tab.page.get_by_role("link", name="Everything that is left").click()
    await press(tab, f"Refund {money(TOTAL, 'EUR')}")
    await expect(tab.page.locator("#dialog-title")).to_contain_text(money(TOTAL, "EUR"))
    await tab.page.get_by_role("button", name="Done").click()
    refunds = tab.page.locator("#order-refunds")
    await expect(refunds).to_contain_text("3 × MUG")
    await expect(refunds).to_contain_text("Came back")
    await expect(refunds).to_contain_text("Anna Berg")
    assert await site.moved(order_id, "refund") == [TOTAL]


async def test_several_payments_give_it_back_in_the_order_chosen(site: Site, tab: Tab) -> None:
    order_id = await paid_twice(site)
    await refund_page(tab, order_id)
    await tab.page.fill("#amount", "40")
    plan = tab.page.locator(".cf-through li")
    await expect(plan).to_have_count(2)
    await expect(plan.first).to_contain_text(money(2000, "EUR"))
    await tab.page.select_option("#through", "first_in_first")
    await expect(plan.first).to_contain_text(money(3000, "EUR"))
    await expect(plan.last).to_contain_text(money(1000, "EUR"))
    second = (await site.shop.folder(order_id)).payments[1].id
    await tab.page.select_option("#through", f"payment:{second}")
    await expect(tab.page.locator("#consequence")).to_contain_text("this payment can give back")
    await tab.page.select_option("#through", "first_in_first")
    await press(tab, "Refund 40.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 40.00")
    payments = (await site.shop.folder(order_id)).payments
    assert [payment.refunded for payment in payments] == [3000, 1000]


async def test_half_of_it_refused_is_said_and_the_rest_can_be_tried(site: Site, tab: Tab) -> None:
    order_id = await paid_twice(site)
    site.sandbox.fault("decline", kind="refund", payment=await site.provider_id(order_id))
    await refund_page(tab, order_id)
    await press(tab, "Refund 50.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 20.00")
    await expect(tab.page.locator(".cf-steps")).to_contain_text("was refused by")
    await tab.page.get_by_role("link", name="Refund the rest").click()
    await press(tab, "Refund 30.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 30.00")


@pytest.mark.proves("Z-9")
async def test_a_reference_is_one_refund(site: Site, tab: Tab) -> None:
    """The same again is the first refund; something else under it is refused."""
    order_id = await site.shop.order(6000, flow="payment")
    await site.shop.run("refund", order_id, reference="once", amount=4000)
    await refund_page(tab, order_id)
    await tab.page.fill("#reference", "once")
    await tab.page.fill("#amount", "40")
    await press(tab, "Show refund of 40.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 40.00")
    await refund_page(tab, order_id)
    await tab.page.fill("#reference", "once")
    await tab.page.fill("#amount", "10")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("#reference-error")).to_contain_text("was used before")
    assert await site.moved(order_id, "refund") == [4000]


async def test_another_refund_under_way_has_to_be_known(site: Site, tab: Tab) -> None:
    """[R-1]"""
    order_id = await site.shop.order(9000, flow="payment")
    site.sandbox.fault("hang_before", kind="refund", payment=await site.provider_id(order_id))
    said = await site.shop.run("refund", order_id, amount=3000)
    assert said.status == 202
    await refund_page(tab, order_id)
    also = tab.page.get_by_label("Another refund of 30.00")
    assert await also.get_attribute("required") is not None
    await also.evaluate("box => box.required = false")
    await tab.page.fill("#amount", "20")
    await press(tab, "Refund 20.00")
    await expect(tab.page.locator("#also-error")).to_contain_text("is in progress")
    await tab.page.get_by_label("Another refund of 30.00").check()
    await press(tab, "Refund 20.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 20.00")


async def test_a_second_person_approves_what_is_above_the_limit(site: Site, tab: Tab) -> None:
    """[R-7]"""
    order_id = await site.shop.order(49900, flow="payment")
    asker = await site.open_tab(await somebody(site))
    await refund_page(asker, order_id)
    await expect(asker.page.locator("#consequence")).to_contain_text("more than the 200.00")
    await expect(asker.page.locator("#consequence")).to_contain_text("Anna Berg")
    await press(asker, "Ask for approval of 499.00")
    await expect(asker.page.locator("#dialog-title")).to_contain_text("waits for approval")
    assert await asker.page.get_by_role("link", name="Approvals").count() == 0
    await asker.close()
    assert await site.moved(order_id, "refund") == []

    await tab.goto("/portal/approvals")
    menu = tab.page.locator("nav.cf-side a", has_text="Approvals")
    assert int(await menu.locator(".cf-count").inner_text()) >= 1
    refund_id = (await site.shop.folder(order_id)).refunds[0].id
    row = tab.page.locator(f"#waits-{refund_id}")
    await expect(row).to_contain_text("499.00")
    await row.get_by_role("link", name="Approve…").click()
    await press(tab, "Approve and refund 499.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 499.00")
    await expect(row).to_contain_text("Done")
    assert await site.moved(order_id, "refund") == [49900]
    await tab.goto(f"/portal/orders/{order_id}")
    await expect(tab.page.locator("#order-refunds")).to_contain_text("Approved by Anna Berg")
    await expect(tab.page.locator("#order-timeline")).to_contain_text("Refund of 499.00")


async def test_nobody_approves_their_own_and_a_rejection_says_why(site: Site, tab: Tab) -> None:
    """[R-7]"""
    order_id = await site.shop.order(30000, flow="payment")
    asker = await site.open_tab(await somebody(site, "payments.approve"))
    await refund_page(asker, order_id)
    await press(asker, "Ask for approval of 300.00")
    await expect(asker.page.locator("#dialog-title")).to_contain_text("waits for approval")
    refund_id = (await site.shop.folder(order_id)).refunds[0].id
    await asker.goto("/portal/approvals")
    row = asker.page.locator(f"#waits-{refund_id}")
    await expect(row).to_contain_text("You asked for this refund yourself")
    assert await row.get_by_role("link", name="Approve…").count() == 0
    await asker.goto(f"/portal/orders/{order_id}/refunds/{refund_id}/approve")
    await expect(asker.page.locator("main")).to_contain_text("somebody else has to approve it")
    await asker.close()

    await tab.goto(f"/portal/orders/{order_id}")
    refunds = tab.page.locator("#order-refunds")
    await refunds.get_by_role("link", name="Reject…").click()
    await tab.page.locator("#note").evaluate("field => field.required = false")
    await press(tab, "Reject refund of 300.00")
    await expect(tab.page.locator("#note-error")).to_contain_text("Say why")
    await tab.page.fill("#note", "Not agreed with the customer")
    await press(tab, "Reject refund of 300.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("rejected")
    await tab.page.get_by_role("button", name="Done").click()
    await expect(refunds).to_contain_text("Not agreed with the customer")
    assert (await site.shop.folder(order_id)).order.refundable == 30000
    assert await site.moved(order_id, "refund") == []


async def test_the_keyboard_alone_refunds_a_line(site: Site, tab: Tab) -> None:
    order_id = await goods(site)
    await tab.goto(f"/portal/orders/open?q={await site.number(order_id)}")
    await tab.page.keyboard.press("j")
    await tab.page.keyboard.press("f")
    await tab.expect_focus("#amount")
    await tab.page.keyboard.press("Shift+Tab")
    await tab.page.keyboard.press("Enter")
    first = (await site.shop.folder(order_id)).items[0].id
    await tab.expect_focus(f"#units-{first}")
    await tab.page.keyboard.press("ArrowUp")
    await expect(tab.page.locator("#money-go")).to_contain_text("EUR")
    await tab.page.keyboard.press("Enter")
    await tab.expect_focus("#dialog-title")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded")
    assert len(await site.moved(order_id, "refund")) == 1
