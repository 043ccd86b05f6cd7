"""Payments after the first, at a provider: pages, renewals, what comes too late, what it asks."""

from typing import Any

import pytest
import pytest_asyncio

from counterfoil.actions.decide_payment import decide_payment
from counterfoil.book.run import Command
from counterfoil.book.waiting import expiring, tasks
from counterfoil.kernel.secrets import KeyRing
from counterfoil.order.gateway import CANNOT_TELL, Answer, Call, Outcome
from counterfoil.setup.gateways import NewGateway, create_gateway
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same, moved
from tests.work.shop import CAPTURE, PAY, RENEW, RING, VOID, Shop

pytestmark = pytest.mark.database
BACK = "https://shop.example/back"
DAY = 24 * 3600


@pytest_asyncio.fixture
async def pages(shop: Shop, sandbox: Sandbox) -> str:
    """A gateway that sends the shopper to a page of its own."""
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        await create_gateway(
            connection, shop.actor,
            NewGateway(code="pages", kind="sandbox", credentials=sandbox.credentials,
                       settings=sandbox.settings | {"redirect": True}),
            KeyRing(RING),
        )
    return "pages"


async def types(shop: Shop, order_id: str) -> list[str]:
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        rows = await connection.rows(
            "select type from facts where account_id = $1 and order_id = $2 order by sequence",
            connection.account, order_id,
        )
    return [row["type"] for row in rows]


# ------------------------------------------------------------------------------ the shopper's page


async def test_the_shopper_confirms_at_the_providers_page(
    shop: Shop, sandbox: Sandbox, clock: Clock, pages: str
):
    order_id = await shop.order(5000, amount=2000)
    said = await shop.run(PAY, order_id, key="p1", gateway=pages, return_url=BACK)
    assert (said.status, said.body["status"], said.body["amount"]) == (201, "CREATED", 3000)
    there = (await shop.folder(order_id)).payments[1].provider_reference
    assert said.body["redirect_url"] == f"{sandbox.url}/pay/{there}"
    assert said.answered.location == f"/v1/orders/{order_id}/payments/{said.body['id']}"
    assert there is not None
    assert (await shop.run(PAY, order_id, key="p1", gateway=pages, return_url=BACK)).text == (
        said.text)
    for _ in range(3):
        await clock.advance(40)
        assert await shop.worked() == 1
    assert (await shop.calls(order_id))[1:] == [("AUTHORIZE", "UNKNOWN")], "no news is not kept"
    row = next(t for t in (await shop.folder(order_id)).transactions if t.amount == 3000)
    assert (row.status, row.attempts) == ("PENDING", 1)
    sandbox.shopper(there, "approve")
    await clock.advance(40)
    assert await shop.worked() == 1
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "open": 5000}
    assert folder.payments[1].redirect_url is None
    assert_same(folder, sandbox)
    facts = await types(shop, order_id)
    assert facts[-3:] == [
        "payment.authorize_requested", "payment.action_required", "payment.authorized"]


@pytest.mark.parametrize(("does", "status"), [("leave", "ABANDONED"), ("decline", "DECLINED")])
async def test_the_shopper_does_not_pay(
    shop: Shop, sandbox: Sandbox, clock: Clock, pages: str, does: str, status: str
):
    order_id = await shop.order(5000, amount=2000)
    said = await shop.run(PAY, order_id, gateway=pages, return_url=BACK)
    there = (await shop.folder(order_id)).payments[1].provider_reference
    assert there is not None
    sandbox.shopper(there, does)
    await clock.advance(40)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert (folder.payments[1].status, folder.order.due) == (status, 3000)
    assert folder.order.system_state == "NEW"
    assert_same(folder, sandbox)
    again = await shop.run(PAY, order_id)
    assert (again.status, again.body["amount"]) == (201, 3000)
    assert said.body["id"] != again.body["id"]


async def test_an_order_comes_with_a_page_to_pay_at(
    shop: Shop, sandbox: Sandbox, clock: Clock, pages: str
):
    said = await shop.place(5000, gateway=pages, return_url=BACK)
    assert said.status == 201
    assert said.body["financial_status"] == "PENDING"
    assert said.body["payments"][0]["redirect_url"].startswith(sandbox.url)
    folder = await shop.folder(said.body["id"])
    assert folder.payments[0].return_url == BACK


async def test_a_page_whose_address_was_lost_is_found_again(
    shop: Shop, sandbox: Sandbox, clock: Clock, pages: str
):
    order_id = await shop.order(5000, amount=2000)
    sandbox.fault("5xx_after_effect", kind="authorize")
    said = await shop.run(PAY, order_id, gateway=pages, return_url=BACK)
    assert (said.status, said.body["redirect_url"]) == (202, None)
    await clock.advance(6)
    assert await shop.worked() == 1
    payment = (await shop.folder(order_id)).payments[1]
    assert payment.redirect_url is not None
    assert payment.provider_reference is not None
    sandbox.shopper(payment.provider_reference, "approve")
    await clock.advance(40)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "open": 5000}
    assert_same(folder, sandbox)


async def test_a_payment_that_is_declined_is_402_and_the_order_stays(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000, amount=2000)
    sandbox.fault("decline", kind="authorize")
    said = await shop.run(PAY, order_id)
    assert (said.status, said.body["code"]) == (402, "gateway_declined")
    folder = await shop.folder(order_id)
    assert (folder.payments[1].status, folder.order.system_state) == ("DECLINED", "NEW")
    assert_same(folder, sandbox)


# ----------------------------------------------------------------------------------------- renewal


async def test_a_hold_is_renewed_and_the_old_one_released_by_the_worker(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    old = (await shop.folder(order_id)).payments[0]
    said = await shop.run(RENEW, order_id, payment_id=old.id)
    assert (said.status, said.body["renews"], said.body["status"]) == (201, old.id, "AUTHORIZED")
    assert await shop.worked() == 1
    folder = await shop.folder(order_id)
    assert [p.status for p in folder.payments] == ["VOIDED", "AUTHORIZED"]
    assert folder.order.system_state == "NEW"
    new = folder.payments[1].provider_reference
    assert sandbox.payment(str(new))["renews"] == old.provider_reference
    assert_same(folder, sandbox)


async def test_an_expired_hold_is_told_of_listed_and_renewed(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    await clock.advance(6 * DAY + 60)
    sandbox.clock(6 * DAY + 60)
    assert await shop.worked() == 1
    assert (await types(shop, order_id))[-1] == "payment.expiring"
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        (soon,) = (await expiring(connection, shop.actor, within_hours=24)).data
        assert (await expiring(connection, shop.actor, within_hours=23)).data == []
    assert (soon.order_id, soon.open, soon.may_capture, soon.may_reauthorise) == (
        order_id, 5000, True, True)
    assert DAY - 120 < soon.seconds_left < DAY
    assert soon.warned_at is not None
    sandbox.clock(7 * DAY + 120)
    await clock.advance(DAY)
    assert await shop.worked() == 1
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        (task,) = (await tasks(connection, shop.actor)).data
    assert (task.kind, task.context["may_reauthorise"]) == ("reauthorise", True)
    said = await shop.run(RENEW, order_id, payment_id=soon.id)
    assert said.body["status"] == "AUTHORIZED"
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 10_000, "expired": 5000, "open": 5000}
    assert folder.tasks[0].status == "DONE"
    assert_same(folder, sandbox)


# ------------------------------------------------------------------------------------ compensation


@pytest.mark.parametrize(("flow", "went"), [("auth", "voided"), ("payment", "refunded")])
async def test_what_succeeds_on_a_cancelled_order_goes_back_by_itself(
    shop: Shop, sandbox: Sandbox, clock: Clock, flow: str, went: str
):
    order_id = await shop.order(5000, amount=2000)
    sandbox.fault("5xx_after_effect", kind="authorize")
    said = await shop.run(PAY, order_id, flow=flow)
    assert said.status == 202
    await shop.run(VOID, order_id)
    assert (await shop.folder(order_id)).order.system_state == "CANCELED"
    await clock.advance(6)
    assert await shop.worked() == 2, "the authorisation, and at once what sends it back"
    folder = await shop.folder(order_id)
    (task,) = folder.tasks
    assert (task.kind, task.status) == ("compensation", "DONE")
    assert getattr(folder.payments[1], went) == 3000
    assert [refund.reference[:5] for refund in folder.refunds] == (
        ["late-"] if flow == "payment" else [])
    assert_same(folder, sandbox)


# --------------------------------------------------------------------------------- what is asked


class Tight:
    """A gateway at the port that cannot say what became of a movement; else the sandbox's."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.capabilities = real.capabilities
        self.sent: list[Call] = []

    async def send(self, call: Call) -> Answer:
        self.sent.append(call)
        answer: Answer = await self.real.send(call)
        return answer

    async def ask(self, call: Call) -> Answer:
        return Answer(outcome=Outcome.UNKNOWN, error_code=CANNOT_TELL, error_message="Repeat it.")


async def tight(shop: Shop) -> Tight:
    account = shop.actor.account_id
    gateway = Tight(await shop.works.adapters.of(account, "card"))
    shop.works.adapters._kept[account, "card"] = (1e12, gateway)  # type: ignore[assignment]
    return gateway


async def test_what_cannot_be_asked_about_is_repeated_under_its_key(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    gateway = await tight(shop)
    sandbox.fault("5xx_after_effect", kind="capture")
    assert (await shop.run(CAPTURE, order_id)).status == 202
    await clock.advance(6)
    assert await shop.worked() == 1
    assert (await shop.calls(order_id))[1:] == [
        ("CAPTURE", "UNKNOWN"), ("ASK", "UNKNOWN"), ("CAPTURE", "SENDING"),
        ("CAPTURE", "SUCCEEDED")]
    assert len({call.transaction_id for call in gateway.sent}) == 1
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "captured": 5000}
    assert_same(folder, sandbox)


async def test_what_cannot_be_asked_about_nor_repeated_is_for_a_person_who_decides(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    gateway = await tight(shop)
    sandbox.fault("5xx_before", kind="capture", times=None)
    await shop.run(CAPTURE, order_id)
    sent = len(gateway.sent)
    await clock.advance(23 * 3600 + 60)
    await shop.worked()
    assert len(gateway.sent) == sent, "never after the key's lifetime"
    folder = await shop.folder(order_id)
    assert folder.payments[0].attention is not None
    assert folder.payments[0].attention["reason"] == "outcome_unknown"
    assert [task.kind for task in folder.tasks] == ["payment_attention"]
    command = Command(order_id=order_id, actor=shop.actor, key=shop.key("d1", "decide"))
    ran = await shop.works.book.run(
        command, decide_payment, asked=shop.works.asked(shop.actor, key="d1"),
        payment_id=folder.payments[0].id, decision="did_not_happen")
    assert ran.answered is not None
    assert ran.answered.status == 200
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "open": 5000}
    assert [task.status for task in folder.tasks] == ["DONE"]
    assert_same(folder, sandbox)


async def test_a_provider_is_told_what_is_bought_and_where_to_call(shop: Shop, clock: Clock):
    shop.works.public_url = "https://oms.example/"
    gateway = await tight(shop)
    order_id = await shop.order(5000, amount=2000, return_url=BACK)
    await shop.intend(PAY, order_id, amount=1000, leased=False)
    await shop.worked()
    placed, paid = gateway.sent
    assert placed.basket == paid.basket
    assert placed.basket is not None
    assert placed.basket.customer["email"] == "kari@example.com"
    assert [line["line_total"] for line in placed.basket.lines] == [5000]
    assert (placed.return_url, paid.return_url) == (BACK, None)
    assert placed.order_number == paid.order_number
    hex_id = shop.actor.account_id.replace("-", "")
    assert placed.callback_url == paid.callback_url == (
        f"https://oms.example/v1/hooks/{hex_id}-card")
    await shop.run(CAPTURE, order_id, amount=500)
    await shop.run(CAPTURE, order_id, amount=600)
    call = gateway.sent[-1]
    assert (call.basket, call.booked.captured, call.booked.sole) == (None, 500, True)
    payment = (await shop.folder(order_id)).payments[0]
    await shop.run(RENEW, order_id, payment_id=payment.id)
    assert gateway.sent[-1].renews == payment.provider_reference


async def test_two_movements_on_their_way_are_not_told_apart_by_totals(shop: Shop, clock: Clock):
    gateway = await tight(shop)
    order_id = await shop.order(5000)
    for amount in (500, 600):
        await shop.intend(CAPTURE, order_id, amount=amount, leased=False)
    await shop.worked()
    assert [call.booked.sole for call in gateway.sent[1:]] == [False, True]
