"""Refunds through several payments, above a limit, and those that come back, at a provider."""

import asyncio

import msgspec
import pytest

from counterfoil.actions.decide_refund import approve_refund, reject_refund
from counterfoil.actions.refund import refund_reversed
from counterfoil.book.run import Book, Command
from counterfoil.kernel.db import counter
from counterfoil.kernel.problem import Problem
from counterfoil.order.actor import Actor
from counterfoil.order.draft import Draft
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens
from counterfoil.work.desk import Works
from counterfoil.work.settle import settle_now
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same, moved
from tests.work.shop import CANCEL, EVERYTHING, PAY, QUICK, REFUND, Said, Shop

pytestmark = pytest.mark.database


async def paid_twice(shop: Shop, second: str = "card") -> str:
    """An order of 5,000: 3,000 at the card gateway, then 2,000."""
    order_id = await shop.order(5000, bags=2, amount=3000, flow="payment")
    paid = await shop.run(PAY, order_id, gateway=second, amount=2000, flow="payment")
    assert paid.status == 201, paid.text
    assert moved(await shop.folder(order_id)) == {"authorized": 5000, "captured": 5000}
    return order_id


def rows_of(said: Said) -> list[tuple[int, str]]:
    return [(row["amount"], row["status"]) for row in said.body["transactions"]]


async def test_one_refund_goes_through_two_payments(shop: Shop, sandbox: Sandbox):
    order_id = await paid_twice(shop)
    said = await shop.run(REFUND, order_id, key="r1", amount=4000)
    assert (said.status, said.body["status"]) == (201, "COMPLETED")
    assert rows_of(said) == [(2000, "SUCCEEDED"), (2000, "SUCCEEDED")]
    assert said.body["order"]["amounts"]["refunded"] == 4000
    folder = await shop.folder(order_id)
    assert [payment.refunded for payment in folder.payments] == [2000, 2000]
    assert_same(folder, sandbox)
    again = await shop.run(REFUND, order_id, key="r1", amount=4000)
    assert (again.text, again.answered.replayed) == (said.text, True)


async def test_by_hand_and_at_a_provider_in_one_refund(shop: Shop, sandbox: Sandbox):
    order_id = await paid_twice(shop, "manual")
    sandbox.fault("5xx_after_effect", kind="refund")
    said = await shop.run(REFUND, order_id, amount=4000)
    assert (said.status, said.body["status"]) == (202, "PROCESSING")
    assert sorted(rows_of(said)) == [(2000, "SUCCEEDED"), (2000, "UNKNOWN")]
    folder = await shop.folder(order_id)
    assert (folder.order.refunded, folder.order.refund_pending) == (2000, 2000)


async def test_half_of_it_refused_is_told_and_only_the_whole_of_it_is_402(
    shop: Shop, sandbox: Sandbox
):
    order_id = await paid_twice(shop)
    sandbox.fault("decline", kind="refund")
    said = await shop.run(REFUND, order_id, amount=4000)
    assert (said.status, said.body["status"]) == (201, "PARTIALLY_COMPLETED")
    assert {status for _, status in rows_of(said)} == {"SUCCEEDED", "FAILED"}
    folder = await shop.folder(order_id)
    assert (folder.order.refunded, folder.order.refundable) == (2000, 3000)
    assert_same(folder, sandbox)
    sandbox.fault("decline", kind="refund", times=2)
    said = await shop.run(REFUND, order_id, key="no", amount=3000)
    assert (said.status, said.body["code"]) == (402, "gateway_declined")
    assert (await shop.run(REFUND, order_id, key="no", amount=3000)).text == said.text
    assert (await shop.folder(order_id)).refunds[-1].status == "FAILED"


async def test_one_that_is_not_known_makes_the_whole_202_and_the_worker_ends_it(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await paid_twice(shop)
    sandbox.fault("5xx_after_effect", kind="refund")
    said = await shop.run(REFUND, order_id, key="r1", amount=4000, notify_customer=True)
    assert (said.status, said.body["status"]) == (202, "PROCESSING")
    assert {status for _, status in rows_of(said)} == {"SUCCEEDED", "UNKNOWN"}
    assert said.answered.location == f"/v1/orders/{order_id}/refunds/{said.body['id']}"
    assert (await shop.folder(order_id)).letters == ()
    await clock.advance(6)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert (folder.refunds[0].status, len(folder.letters)) == ("COMPLETED", 1)
    assert folder.letters[0].context["amount"] == 4000
    assert_same(folder, sandbox)
    assert (await shop.run(REFUND, order_id, key="r1", amount=4000,
                           notify_customer=True)).text == said.text, "the answer stays"


async def test_one_that_was_turned_away_is_told_beside_the_one_that_is_done(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await paid_twice(shop)
    sandbox.fault("429", kind="refund")
    said = await shop.run(REFUND, order_id, key="r1", amount=4000)
    assert (said.status, said.body["order"]["amounts"]["refunded"]) == (202, 2000)
    assert {status for _, status in rows_of(said)} == {"SUCCEEDED", "PENDING"}
    assert (await shop.run(REFUND, order_id, key="r1", amount=4000)).text == said.text
    await clock.advance(10)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert folder.refunds[0].status == "COMPLETED"
    assert_same(folder, sandbox)


async def test_while_one_of_them_is_on_its_way_a_repeat_waits(shop: Shop, sandbox: Sandbox):
    order_id = await paid_twice(shop)
    await shop.intend(REFUND, order_id, key="r1", leased=False, amount=4000)
    sandbox.fault("in_use", kind="refund")
    await shop.worked()
    assert {t.status for t in (await shop.folder(order_id)).transactions if t.type == "REFUND"} == {
        "SUCCEEDED", "PENDING"}
    with pytest.raises(Problem, match="still running"):
        await shop.run(REFUND, order_id, key="r1", amount=4000)


async def test_an_answer_that_the_worker_gives_is_told_as_its_asker_sees_it(
    shop: Shop, sandbox: Sandbox
):
    """A key for one merchant; the worker, who sees everything, answers in its place."""
    order_id = await paid_twice(shop)
    mine = (await shop.folder(order_id)).bags[0]
    limited = msgspec.structs.replace(shop.actor, merchants=frozenset({mine.merchant}))
    own = Shop(shop.works, limited)
    wanted = {"amount": 2000, "bag_id": mine.id}
    await own.intend(REFUND, order_id, key="m1", leased=False, **wanted)
    await shop.worked()
    said = await own.run(REFUND, order_id, key="m1", **wanted)
    assert (said.status, said.answered.replayed, said.body["status"]) == (201, True, "COMPLETED")
    amounts = said.body["order"]["amounts"]
    assert (amounts["captured"], amounts["refunded"]) == (mine.captured, 2000)
    assert set(said.body["transactions"][0]["actor"]) == {"kind", "id", "name"}
    direct = await own.run(REFUND, order_id, amount=100, bag_id=mine.id)
    assert direct.body["order"]["amounts"]["captured"] == mine.captured


@opens(*EVERYTHING)
def bounce(folder, *, asked):
    """What a sync does when the provider says that every refund came back."""
    draft = Draft(folder, asked.actor)
    for row in folder.transactions:
        if row.type == "REFUND" and row.status == "SUCCEEDED":
            refund_reversed(draft, row, folder.at)
    return draft.change(folder.order)


async def test_a_refund_that_came_back_is_booked_and_the_books_agree(
    shop: Shop, sandbox: Sandbox
):
    order_id = await paid_twice(shop)
    said = await shop.run(REFUND, order_id, amount=4000)
    for row in said.body["transactions"]:
        sandbox.end(row["id"], "fail")
    command = Command(order_id=order_id, actor=shop.actor, key=shop.key(None, "bounce"))
    await shop.works.book.run(command, bounce, asked=Asked(actor=shop.actor, source="sync"))
    folder = await shop.folder(order_id)
    assert (folder.refunds[0].status, folder.order.refunded, folder.order.refundable) == (
        "FAILED", 0, 5000)
    assert folder.order.financial_status == "PAID"
    assert [task.kind for task in folder.tasks] == ["refund_failed", "refund_failed"]
    said = await shop.run(REFUND, order_id, amount=5000)
    assert said.body["status"] == "COMPLETED"


@pytest.mark.parametrize("how", ["succeed", "fail"])
async def test_what_is_pending_at_the_provider_stays_reserved_until_it_is_told(
    shop: Shop, sandbox: Sandbox, clock: Clock, how: str
):
    order_id = await paid_twice(shop)
    sandbox.fault("async", kind="refund")
    said = await shop.run(REFUND, order_id, amount=2000)
    assert (said.status, said.body["status"]) == (202, "PROCESSING")
    (row,) = said.body["transactions"]
    await clock.advance(6)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert (folder.order.refund_pending, folder.order.refunded, folder.tasks) == (2000, 0, ())
    sandbox.end(row["id"], how)
    await clock.advance(60)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert folder.order.refund_pending == 0
    if how == "succeed":
        assert (folder.refunds[0].status, folder.order.refunded) == ("COMPLETED", 2000)
        assert folder.tasks == ()
    else:
        assert (folder.refunds[0].status, folder.order.refundable) == ("FAILED", 5000)
        assert [(task.kind, task.status) for task in folder.tasks] == [("refund_failed", "OPEN")]


def clerk(shop: Shop, limit: int = 1000) -> Shop:
    actor = msgspec.structs.replace(
        shop.actor, id="carl", name="Carl", credential="user:carl",
        limits={"refund": {"EUR": limit}},
    )
    return Shop(shop.works, actor)


async def decide(
    shop: Shop, order_id: str, action=approve_refund, *, key: str | None = None, which: int = 0,
) -> Said:
    """Decide about a refund of the order as a door does."""
    refund_id = (await shop.folder(order_id)).refunds[which].id
    its = shop.key(key, f"decide {refund_id}")
    asked = shop.works.asked(shop.actor, key=its.key)
    command = Command(order_id=order_id, actor=shop.actor, key=its, created=False)
    more = {"note": "No."} if action is reject_refund else {}
    ran = await shop.works.book.run(command, action, asked=asked, refund_id=refund_id, **more)
    return Said(await settle_now(shop.works, asked, ran))


async def test_above_a_limit_it_waits_and_an_approval_sends_it(shop: Shop, sandbox: Sandbox):
    order_id = await paid_twice(shop)
    carl = clerk(shop)
    said = await carl.run(REFUND, order_id, key="r1", amount=4000)
    assert (said.status, said.body["status"], said.body["transactions"]) == (
        202, "AWAITING_APPROVAL", [])
    assert (await carl.run(REFUND, order_id, key="r1", amount=4000)).text == said.text
    folder = await shop.folder(order_id)
    assert (folder.order.refund_pending, folder.order.refundable) == (4000, 1000)
    assert_same_money(folder, sandbox, refunded=0)
    approved = await decide(shop, order_id, key="a1")
    assert (approved.status, approved.body["status"]) == (200, "COMPLETED")
    assert approved.body["approved_by"]["name"] == shop.actor.name
    assert (await decide(shop, order_id, key="a1")).text == approved.text
    folder = await shop.folder(order_id)
    assert [task.status for task in folder.tasks] == ["DONE"]
    assert_same(folder, sandbox)


def assert_same_money(folder, sandbox: Sandbox, *, refunded: int) -> None:
    told = [sandbox.payment(p.provider_reference)["refunded"] for p in folder.payments]
    assert sum(told) == refunded


async def test_while_it_waits_the_books_agree(shop: Shop):
    order_id = await paid_twice(shop, "manual")
    await shop.run(REFUND, order_id, amount=1500)
    carl = clerk(shop)
    await carl.run(REFUND, order_id, amount=1100)
    mine = (await shop.folder(order_id)).bags[0].id
    await carl.run(REFUND, order_id, amount=1200, bag_id=mine)
    folder = await shop.folder(order_id)
    assert (folder.order.refund_pending, folder.order.refundable) == (2300, 1200)
    with pytest.raises(Problem) as over:
        await shop.run(REFUND, order_id, amount=1201)
    assert over.value.code == "amount_invalid"
    rejected = await decide(shop, order_id, reject_refund, which=1)
    assert (rejected.status, rejected.body["status"]) == (200, "CANCELED")
    assert (await shop.folder(order_id)).order.refund_pending == 1200


async def test_an_approval_that_the_provider_leaves_open_is_settled_by_the_worker(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await paid_twice(shop)
    await clerk(shop).run(REFUND, order_id, amount=4000)
    sandbox.fault("5xx_after_effect", kind="refund", times=2)
    said = await decide(shop, order_id, key="a1")
    assert (said.status, said.body["status"]) == (202, "PROCESSING")
    await clock.advance(6)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert folder.refunds[0].status == "COMPLETED"
    assert_same(folder, sandbox)
    assert (await decide(shop, order_id, key="a1")).text == said.text


def others(shop: Shop, count: int) -> list[Shop]:
    """Processes of their own, as far as the order's queue can tell."""
    found = []
    for number in range(count):
        actor: Actor = msgspec.structs.replace(
            shop.actor, id=f"chief-{number}", credential=f"user:chief-{number}")
        works = Works(shop.works.pool, Book(shop.works.pool), keys=None, pace=QUICK)
        works.adapters = shop.works.adapters
        found.append(Shop(works, actor))
    return found


async def attempt(doing) -> str:
    try:
        return str((await doing).body["status"])
    except Problem as problem:
        return problem.code


async def test_two_approvals_at_once_send_it_once(shop: Shop, sandbox: Sandbox):
    for _ in range(5):
        order_id = await paid_twice(shop)
        await clerk(shop).run(REFUND, order_id, amount=4000)
        told = await asyncio.gather(*(attempt(decide(one, order_id)) for one in others(shop, 4)))
        assert sorted(told) == ["COMPLETED", *["invalid_state"] * 3]
        assert_same(await shop.folder(order_id), sandbox)


async def test_an_approval_and_a_rejection_at_once_have_one_winner(shop: Shop, sandbox: Sandbox):
    seen = set()
    for number in range(8):
        order_id = await paid_twice(shop)
        await clerk(shop).run(REFUND, order_id, amount=4000)
        yes, no = others(shop, 2)
        both = [decide(yes, order_id), decide(no, order_id, reject_refund)]
        if number % 2:
            both.reverse()
        told = sorted(await asyncio.gather(*(attempt(one) for one in both)))
        seen.add(told[0])
        assert told in (["CANCELED", "invalid_state"], ["COMPLETED", "invalid_state"])
        folder = await shop.folder(order_id)
        assert folder.order.refunded == (4000 if told[0] == "COMPLETED" else 0)
        assert folder.order.refund_pending == 0
        assert_same(folder, sandbox)


async def test_an_approval_and_a_cancellation_at_once_give_it_all_back_once(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    for number in range(6):
        order_id = await paid_twice(shop)
        await clerk(shop).run(REFUND, order_id, amount=4000)
        one, other = others(shop, 2)
        both = [decide(one, order_id), other.run(CANCEL, order_id)]
        if number % 2:
            both.reverse()
        told = await asyncio.gather(*(attempt(doing) for doing in both))
        assert "CANCELED" in told or "PROCESSING" in told
        await clock.advance(2)
        await shop.worked()
        folder = await shop.folder(order_id)
        assert (folder.order.system_state, folder.order.refunded) == ("CANCELED", 5000)
        statuses = [one.status for one in folder.refunds if one.cancellation_id is None]
        assert statuses in (["COMPLETED"], ["CANCELED"])
        assert_same(folder, sandbox)


async def test_a_clerk_does_not_cancel_what_is_above_the_limit(shop: Shop):
    order_id = await paid_twice(shop)
    with pytest.raises(Problem) as why:
        await clerk(shop).run(CANCEL, order_id)
    assert why.value.code == "approval_required"


async def test_two_payments_cost_no_more_statements_than_one(shop: Shop):
    order_id = await shop.order(5000, gateway="manual", bags=2, amount=3000, flow="payment")
    await shop.run(PAY, order_id, gateway="manual", amount=2000, flow="payment")
    before = counter.statements
    said = await shop.run(REFUND, order_id, amount=4000)
    assert (counter.statements - before, len(said.body["transactions"])) == (2, 2)
