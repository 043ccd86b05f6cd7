"""Returns in the browser: who may, how late, without script, whatever a provider says."""

import msgspec
import pytest
from playwright.async_api import expect

from counterfoil.actions.decide_return import close_return
from counterfoil.actions.move_shipment import fail_shipment, send_shipment
from counterfoil.actions.receive_return import receive_return
from counterfoil.actions.return_goods import return_goods
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.returns import count_returns, count_waiting_returns, list_returns
from counterfoil.order.goods_return import ReturnRefund, WantedReturn, WantedReturnLine
from counterfoil.portal.figures import money
from tests.portal.goods_back import (
    act,
    delivered,
    lately,
    press,
    return_page,
    returned,
    stands,
    unit_of,
    user,
)
from tests.portal.site import Site, Tab
from tests.work.shop import PAY

pytestmark = pytest.mark.browser


async def test_a_return_is_rejected_with_why(site: Site, tab: Tab) -> None:
    order_id = await delivered(site, lines=(("Sweater", 1, 19900),))
    await return_page(tab, order_id, "?resolution=REFUND&arrived=no")
    await press(tab, "Record return")
    back = await returned(site, order_id)
    await tab.goto(f"/portal/orders/{order_id}")
    region = tab.page.locator("#order-refunds")
    await region.get_by_role("link", name="Reject…").click()
    await tab.page.locator("#dialog #note").evaluate("field => field.required = false")
    await tab.page.get_by_role("button", name="Reject return").click()
    await expect(tab.page.locator("#note-error")).to_contain_text("Say why it is not taken back")
    await tab.page.fill("#dialog #note", "It was worn.")
    await tab.page.get_by_role("button", name="Reject return").click()
    await expect(region).to_contain_text("Rejected by Anna Berg")
    await expect(region).to_contain_text("It was worn.")
    await tab.goto("/portal/returns?status=rejected")
    await expect(tab.page.locator(f"#return-{back.id}")).to_contain_text("Rejected")
    await tab.goto(f"/portal/orders/{order_id}/returns/{back.id}/receive")
    await expect(tab.page.locator("main")).to_contain_text("Return 1 is rejected by now.")
    assert await site.moved(order_id, "refund") == []


async def test_a_parcel_that_could_not_be_delivered_is_taken_back_whole(
    site: Site, tab: Tab
) -> None:
    order_id = await delivered(site, fail_shipment)
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.locator("#order-items").get_by_role("link", name="Take back…").click()
    await expect(tab.page.locator(await unit_of(site, order_id))).to_have_value("2")
    await expect(tab.page.locator("#dialog .cf-attn")).to_have_count(0)
    await return_page(tab, order_id)
    strip = tab.page.locator(".cf-attn", has_text="could not be delivered")
    await expect(strip).to_contain_text("2 × SWEATER, 1 × SOCKS")
    await strip.get_by_role("link", name="Take it all back").click()
    await expect(tab.page.locator(await unit_of(site, order_id))).to_have_value("2")
    await expect(tab.page.locator("#reason_code")).to_have_value("COULD_NOT_DELIVER")
    await tab.page.check("[name=resolution][value=REFUND]")
    await press(tab, "Return and refund 497.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 497.00")
    (parcel,) = (await site.shop.folder(order_id)).shipments
    assert parcel.status == "RETURNED"
    await stands(tab, order_id, "Returned", "Refunded")


async def test_after_its_time_only_who_approves_refunds_takes_it_back(
    site: Site, tab: Tab
) -> None:
    """Until when it was is said; taken back all the same, it is written down as late."""
    order_id = await delivered(site, lines=(("Sweater", 1, 19900),))
    await lately(site, order_id, 30)
    try:
        clerk = await user(site, "returns.write", "payments.refund")
        await return_page(clerk, order_id)
        await expect(clerk.page.locator("main")).to_contain_text("were taken back until")
        await expect(clerk.page.locator("main")).to_contain_text("who may approve refunds")
        assert await clerk.page.locator("#money-go").count() == 0
        await clerk.close()
        await return_page(tab, order_id)
        await expect(tab.page.locator("main")).to_contain_text("30 days after delivery")
        await tab.page.check("[name=resolution][value=REFUND]")
        await expect(tab.page.locator("#consequence")).to_contain_text("time for returns is over")
        await tab.page.check("#override_window")
        await press(tab, "Return and refund 199.00")
        await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 199.00")
    finally:
        await lately(site, order_id, None)
    assert (await returned(site, order_id)).late
    await stands(tab, order_id, "Returned", "Refunded")
    await expect(tab.page.locator("#order-refunds")).to_contain_text("After the time for returns")


async def test_a_refund_above_the_limit_waits_and_the_goods_do_not(site: Site, tab: Tab) -> None:
    """[R-7]"""
    order_id = await delivered(site, lines=(("Sweater", 1, 19900),))
    clerk = await user(site, "returns.write", "payments.refund", limit=5000)
    await return_page(clerk, order_id, "?resolution=REFUND")
    await expect(clerk.page.locator("#consequence")).to_contain_text("more than the 50.00")
    await expect(clerk.page.locator("#consequence")).to_contain_text("Anna Berg")
    await press(clerk, "Return and ask for approval of 199.00")
    await expect(clerk.page.locator("#dialog-title")).to_contain_text("waits for approval")
    await clerk.close()
    await stands(tab, order_id, "Returned", "Paid")
    assert await site.moved(order_id, "refund") == []
    await tab.page.locator("#order-refunds").get_by_role("link", name="Approve…").click()
    await press(tab, "Approve and refund 199.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 199.00")


async def test_a_merchant_takes_back_its_own_and_sees_no_more(site: Site, tab: Tab) -> None:
    order_id = await delivered(site, merchants=("m1", "m2"))
    other = next(one for one in (await site.shop.folder(order_id)).bags if one.merchant == "m2")
    await return_page(tab, order_id)
    await tab.page.get_by_role("link", name="m2").click()
    await tab.page.check("[name=arrived][value=no]")
    await tab.page.check("[name=resolution][value=NONE]")
    await tab.page.locator(".cf-coming-units input").first.fill("1")
    await press(tab, "Record return")
    theirs = await returned(site, order_id)
    mia = await user(site, "returns.write", merchants=["m1"])
    await return_page(mia, order_id)
    main = mia.page.locator("main")
    await expect(main).to_contain_text("Sweater")
    assert await mia.page.locator("[name=resolution][value=EXCHANGE]").count() == 0
    await mia.page.locator(".cf-coming-units input").first.fill("1")
    await mia.page.check("[name=resolution][value=REFUND]")
    await expect(mia.page.locator("#consequence")).to_contain_text("not give money back")
    await press(mia, "Return and ask for approval of 199.00")
    await expect(main).to_contain_text("is set aside until somebody who may has approved it")
    assert (await returned(site, order_id)).bag_id != other.id
    await mia.goto("/portal/returns?status=received")
    await expect(main).to_contain_text(await site.number(order_id))
    await mia.goto("/portal/returns")
    await expect(main.locator(f"#return-{theirs.id}")).to_have_count(0)
    await mia.goto(f"/portal/orders/{order_id}/returns/{theirs.id}/receive")
    await expect(main).to_contain_text("no such return")
    await mia.close()


async def test_it_needs_no_script(site: Site) -> None:
    """Principle 8: what it comes to is said by the server, and the second press does it."""
    order_id = await delivered(site)
    tab = await site.open_tab(java_script_enabled=False)
    await tab.goto(f"/portal/orders/{order_id}")
    await tab.page.locator("#order-refunds").get_by_role("link", name="Return…").click()
    await tab.page.fill(await unit_of(site, order_id), "1")
    await tab.page.check("[name=resolution][value=EXCHANGE]")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("main [role=alert]")).to_contain_text("press again")
    await expect(tab.page.locator("#return-swap")).to_contain_text("Instead of 1 × SWEATER")
    await tab.page.click("#money-go")
    await expect(tab.page.locator("h1")).to_contain_text("1 unit came back")
    assert (await returned(site, order_id)).exchange_order_id
    field = await unit_of(site, order_id)
    await return_page(tab, order_id, f"?resolution=REFUND&{field[1:]}=7")
    await expect(tab.page.locator(field)).to_have_value("7")
    await tab.page.locator(field).press("Enter")
    await expect(tab.page.locator("main [role=alert]").first).to_contain_text("no more than 1")
    await tab.page.fill(await unit_of(site, order_id), "1")
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.locator("main [role=alert]").first).to_contain_text("199.00")
    assert await site.moved(order_id, "refund") == []
    await tab.page.click("#money-go")
    await expect(tab.page.locator("h1")).to_contain_text("Refunded 199.00")
    assert await site.moved(order_id, "refund") == [19900]
    await tab.close()


async def test_the_keyboard_alone_records_it_once(site: Site, tab: Tab) -> None:
    """Pressed five times, it is one return and one refund."""
    order_id = await delivered(site, lines=(("Sweater", 2, 19900),))
    await tab.goto(f"/portal/orders/{order_id}")
    door = tab.page.locator("#order-refunds").get_by_role("link", name="Return…")
    await door.focus()
    await tab.page.keyboard.press("Enter")
    await tab.expect_focus(await unit_of(site, order_id))
    await tab.page.keyboard.type("1")
    await tab.page.locator("#dialog [name=resolution][value=REFUND]").focus()
    await tab.page.keyboard.press("Space")
    go = tab.page.locator("#money-go")
    await expect(go).to_contain_text("Return and refund 199.00")
    await go.focus()
    for _ in range(5):
        await tab.page.keyboard.press("Enter")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 199.00")
    folder = await site.shop.folder(order_id)
    assert len(folder.returns) == 1
    assert await site.moved(order_id, "refund") == [19900]


@pytest.mark.parametrize(("fault", "says"), [("decline", "said no"), ("hang_before", "Not known")])
async def test_goods_that_are_here_stay_here_whatever_the_provider_says(
    site: Site, tab: Tab, fault: str, says: str
) -> None:
    order_id = await delivered(site, lines=(("Sweater", 1, 19900),))
    site.sandbox.fault(fault, kind="refund", payment=await site.provider_id(order_id))
    await return_page(tab, order_id, "?resolution=REFUND")
    await press(tab, "Return and refund 199.00")
    await expect(tab.page.locator("main")).to_contain_text(says, timeout=15_000)
    await stands(tab, order_id, "Returned")
    assert (await returned(site, order_id)).status == "RECEIVED"


async def test_the_list_is_filtered_and_paged_by_its_address(site: Site, tab: Tab) -> None:
    """What waits stands oldest first, what is over newest first; a merchant's own alone."""
    order_id = await delivered(site, lines=(("Sweater", 3, 100),), merchants=("m1", "m7"))
    folder = await site.shop.folder(order_id)
    for bag in (folder.bags[0], folder.bags[1], folder.bags[1], folder.bags[1]):
        item = next(one for one in folder.items if one.bag_id == bag.id)
        lines = [WantedReturnLine(item_id=item.id, quantity=1)]
        wanted = WantedReturn(lines=lines, resolution="NONE")
        await act(site, order_id, return_goods, bag_id=bag.id, wanted=wanted)
    known = [one.id for one in (await site.shop.folder(order_id)).returns]
    own = msgspec.structs.replace(site.actor, merchants=frozenset({"m7"}))
    async with site.pool.connection(site.actor.account_id) as connection:
        first = await list_returns(connection, own, limit=2)
        second = await list_returns(connection, own, limit=2, cursor=first.next_cursor)
        refunds = await list_returns(connection, own, resolution="REFUND")
        counts = await count_returns(connection, own)
    assert [one.id for one in (*first.data, *second.data)] == known[1:]
    assert second.next_cursor is None and first.count.value == 3
    assert list(refunds.data) == []
    assert counts == {"waiting": 3, "received": 0, "closed": 0, "rejected": 0}
    for return_id in known[1:]:
        await act(site, order_id, receive_return, return_id=return_id)
        await act(site, order_id, close_return, return_id=return_id)
    async with site.pool.connection(site.actor.account_id) as connection:
        over = await list_returns(connection, own, which="closed")
        assert await count_waiting_returns(connection, own) == 0
    assert [one.id for one in over.data] == known[:0:-1]
    page, row = tab.page, tab.page.locator(f"#return-{known[0]}")
    await tab.goto("/portal/returns")
    await expect(row).to_contain_text("1 × SWEATER")
    await page.get_by_role("link", name="Nothing", exact=True).click()
    await page.wait_for_url("**/returns?resolution=NONE")
    await expect(row).to_have_count(1)
    await page.get_by_role("link", name="Closed").click()
    await page.wait_for_url("**/returns?status=closed&resolution=NONE")
    await expect(page.locator("main")).to_contain_text("newest first")
    await expect(page.locator(f"#return-{known[1]}")).to_contain_text("No money moved")
    await tab.goto("/portal/returns?status=rejected&resolution=STORE_CREDIT")
    await expect(page.locator("main")).to_contain_text("No such return")
    await page.get_by_role("link", name="Show all of them").click()
    await page.wait_for_url("**/returns?status=rejected")


async def test_the_refund_goes_through_the_payment_that_was_chosen(site: Site, tab: Tab) -> None:
    """Which payment and which reference can be said, as in the refund dialog. [V-12 to V-16]"""
    order_id = await site.shop.order(5000, amount=3000, flow="payment")
    assert (await site.shop.run(PAY, order_id, amount=2000, flow="payment")).status == 201
    (bag,) = (await site.shop.folder(order_id)).bags
    parcel = await act(site, order_id, ship, bag_id=bag.id, wanted=WantedShipment())
    await act(site, order_id, send_shipment, shipment_id=parcel.id)
    first, second = (await site.shop.folder(order_id)).payments
    await return_page(tab, order_id, "?resolution=REFUND")
    await tab.page.select_option("#through", f"payment:{second.id}")
    await expect(tab.page.locator("#consequence")).to_contain_text("this payment can give")
    await tab.page.select_option("#through", "first_in_first")
    plan = tab.page.locator(".cf-through li")
    await expect(plan.first).to_contain_text(money(3000, "EUR"))
    await tab.page.fill("#fee", "20")
    await tab.page.select_option("#through", f"payment:{first.id}")
    await tab.page.fill("#reference", "back-by-card")
    await press(tab, "Return and refund 30.00")
    await expect(tab.page.locator("#dialog-title")).to_contain_text("Refunded 30.00")
    folder = await site.shop.folder(order_id)
    assert [payment.refunded for payment in folder.payments] == [3000, 0]
    assert [one.reference for one in folder.refunds] == ["back-by-card"]


async def test_a_reference_that_is_taken_is_said_at_its_field(site: Site, tab: Tab) -> None:
    """Another order's refund has it: nothing is sent."""
    first, other = await delivered(site), await delivered(site)
    taken = f"again-{first}"
    (bag,) = (await site.shop.folder(first)).bags
    wanted = WantedReturn(received=True, fee=0, refund=ReturnRefund(reference=taken))
    await act(site, first, return_goods, bag_id=bag.id, wanted=wanted)
    await return_page(tab, other, "?resolution=REFUND")
    await tab.page.fill("#reference", taken)
    await tab.page.fill(await unit_of(site, other), "1")
    await press(tab, "Return and refund 199.00")
    await expect(tab.page.locator("#reference-error")).to_contain_text("was used before")
    assert (await site.shop.folder(other)).refunds == ()


async def test_what_somebody_else_took_in_is_told(site: Site, tab: Tab) -> None:
    """Two people and the same goods: the second reads what happened, and nothing is sent."""
    order_id = await delivered(site)
    units = await unit_of(site, order_id)
    await return_page(tab, order_id, "?resolution=REFUND")
    await tab.page.fill(units, "2")
    await expect(tab.page.locator("#money-go")).to_contain_text("398.00")
    (bag,) = (await site.shop.folder(order_id)).bags
    lines = [WantedReturnLine(item_id=units.removeprefix("#units-"), quantity=2)]
    back = await act(
        site, order_id, return_goods, bag_id=bag.id, wanted=WantedReturn(lines=lines, fee=0)
    )
    await tab.page.click("#money-go")
    await expect(tab.page.locator("main")).to_contain_text(
        "SWEATER came back meanwhile, or is announced."
    )
    await tab.goto(f"/portal/orders/{order_id}/returns/{back.id}/receive")
    await act(site, order_id, receive_return, return_id=back.id)
    await tab.page.click("#money-go")
    await expect(tab.page.locator("main")).to_contain_text("Everything of this return has come in.")
    assert len((await site.shop.folder(order_id)).refunds) == 1
