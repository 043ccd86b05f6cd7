"""The worker: what doors left behind and what providers left open."""

import asyncio

import pytest

from counterfoil.kernel.problem import Problem
from counterfoil.kernel.secrets import KeyRing
from counterfoil.setup.gateways import GatewayChange, change_gateway
from counterfoil.work.settle import settle_now
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same, moved
from tests.work.shop import CANCEL, CAPTURE, REFUND, RING, VOID, Shop

pytestmark = pytest.mark.database
DAY = 24 * 3600


async def test_what_nobody_sent_is_sent_at_once(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    await shop.intend(CAPTURE, order_id, key="k1", leased=False)
    assert await shop.worked() == 1
    assert await shop.calls(order_id) == [("AUTHORIZE", "SUCCEEDED"), ("CAPTURE", "SUCCEEDED")]
    assert_same(await shop.folder(order_id), sandbox)
    again = await shop.run(CAPTURE, order_id, key="k1")
    assert (again.status, again.body["status"], again.answered.replayed) == (201, "SUCCEEDED", True)


async def test_a_door_that_died_before_the_call(shop: Shop, sandbox: Sandbox, clock: Clock):
    order_id = await shop.order(5000)
    await shop.intend(CAPTURE, order_id, key="k1")
    with pytest.raises(Problem, match="still running"):
        await shop.run(CAPTURE, order_id, key="k1")
    assert await shop.worked() == 0, "the lease is the door's"
    await clock.advance(2)
    assert await shop.worked() == 1
    said = await shop.run(CAPTURE, order_id, key="k1")
    assert (said.status, said.body["status"]) == (202, "UNKNOWN")
    await clock.advance(61)
    assert await shop.worked() == 1
    assert (await shop.calls(order_id))[1:] == [
        ("ASK", "NOT_EXECUTED"), ("ASK", "NOT_EXECUTED"), ("CAPTURE", "SENDING"),
        ("CAPTURE", "SUCCEEDED"),
    ]
    assert_same(await shop.folder(order_id), sandbox)
    assert (await shop.run(CAPTURE, order_id, key="k1")).text == said.text


async def test_a_door_that_died_after_the_call(shop: Shop, sandbox: Sandbox, clock: Clock):
    order_id = await shop.order(5000)
    _, ran = await shop.intend(CAPTURE, order_id, key="k1")
    await call(shop, order_id, ran.change.result.id, sandbox)  # type: ignore[union-attr]
    await clock.advance(2)
    assert await shop.worked() == 1
    said = await shop.run(CAPTURE, order_id, key="k1")
    assert (said.status, said.body["status"]) == (201, "SUCCEEDED")
    assert (await shop.calls(order_id))[1:] == [("ASK", "SUCCEEDED")]
    assert_same(await shop.folder(order_id), sandbox)


async def call(shop: Shop, order_id: str, reference: str, sandbox: Sandbox) -> None:
    payment = (await shop.folder(order_id)).payments[0].provider_reference
    sandbox.call(
        "POST", f"/v1/payments/{payment}/captures",
        {"amount": 5000, "currency": "EUR", "reference": reference},
        **{"idempotency-key": reference},
    )


async def test_word_that_travels_slowly_is_waited_for(shop: Shop, sandbox: Sandbox, clock: Clock):
    order_id = await shop.order(5000)
    sandbox.fault("reset_after_effect", kind="capture", visible_after_s=0)
    sandbox.fault("not_found", kind="query", times=1)
    await shop.run(CAPTURE, order_id)
    await clock.advance(6)
    assert await shop.worked() == 1
    assert moved(await shop.folder(order_id)) == {"authorized": 5000, "pending": 5000}
    await clock.advance(40)
    assert await shop.worked() == 1
    assert (await shop.calls(order_id))[1:] == [
        ("CAPTURE", "UNKNOWN"), ("ASK", "NOT_EXECUTED"), ("ASK", "SUCCEEDED"),
    ]
    assert_same(await shop.folder(order_id), sandbox)


async def test_two_not_founds_close_together_prove_nothing(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    slow = shop.works.pace
    shop.works.pace = type(slow)(lease_s=1, deadline_s=0.5, propagation_s=60)
    order_id = await shop.order(5000)
    sandbox.fault("5xx_before", kind="capture")
    await shop.run(CAPTURE, order_id)
    for seconds in (6, 37):
        await clock.advance(seconds)
        assert await shop.worked() == 1
    assert sandbox.ledger(payment=await payment_of(shop, order_id), after=0)[-1]["kind"] == (
        "authorize")
    await clock.advance(40)
    assert await shop.worked() == 1
    assert [one[0] for one in await shop.calls(order_id)] == [
        "AUTHORIZE", "CAPTURE", "ASK", "ASK", "ASK", "CAPTURE", "CAPTURE",
    ]
    assert_same(await shop.folder(order_id), sandbox)


async def test_sending_again_is_the_same_request_to_the_provider(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    """Word that takes longer than anybody thought: the key keeps the second sending harmless."""
    order_id = await shop.order(5000)
    sandbox.fault("reset_after_effect", kind="capture", visible_after_s=3600)
    await shop.run(CAPTURE, order_id)
    for seconds in (6, 61):
        await clock.advance(seconds)
        await shop.worked()
    assert ("CAPTURE", "SENDING") in await shop.calls(order_id)
    assert_same(await shop.folder(order_id), sandbox)


async def test_a_door_that_was_too_late_sends_what_stands(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    asked, ran = await shop.intend(CAPTURE, order_id, key="k1")
    await call(shop, order_id, ran.change.result.id, sandbox)  # type: ignore[union-attr]
    await clock.advance(2)
    await shop.worked()
    late = await settle_now(shop.works, asked, ran)
    assert late.status == 201
    assert late.body == (await shop.run(CAPTURE, order_id, key="k1")).text
    assert_same(await shop.folder(order_id), sandbox)


async def payment_of(shop: Shop, order_id: str) -> str:
    found = (await shop.folder(order_id)).payments[0].provider_reference
    assert found is not None
    return found


async def test_an_intent_declined_on_asking_is_given_back(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    sandbox.fault("pending_then_failed", kind="void", seconds=0)
    said = await shop.run(VOID, order_id)
    assert said.status == 202
    await clock.advance(6)
    assert await shop.worked() == 1
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "open": 5000}
    assert_same(folder, sandbox)


async def test_after_the_key_s_lifetime_nothing_is_sent_and_a_person_is_called(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    sandbox.fault("5xx_before", kind="capture")
    said = await shop.run(CAPTURE, order_id, amount=1000)
    await clock.advance(25 * 3600)
    for _ in range(3):
        await shop.worked()
        await clock.advance(3700)
    assert [one[0] for one in await shop.calls(order_id)].count("CAPTURE") == 1
    payment = (await shop.folder(order_id)).payments[0]
    assert payment.attention is not None
    assert payment.attention["reason"] == "outcome_unknown"
    assert payment.attention["transaction_id"] == said.body["id"]
    for kind in (CAPTURE, VOID):
        with pytest.raises(Problem, match=r"person|attention") as refused:
            await shop.run(kind, order_id)
        assert refused.value.code == "attention_required"
    # Whatever the provider says in the end settles it, and nobody is needed any more.
    sandbox.call(
        "POST", f"/v1/payments/{payment.provider_reference}/captures",
        {"amount": 1000, "currency": "EUR", "reference": said.body["id"]},
        **{"idempotency-key": "by hand"},
    )
    await clock.advance(3700)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert folder.payments[0].attention is None
    assert moved(folder) == {"authorized": 5000, "captured": 1000, "open": 4000}
    assert_same(folder, sandbox)


async def test_a_zombie_writes_nothing(shop: Shop, sandbox: Sandbox, clock: Clock):
    order_id = await shop.order(5000)
    asked, ran = await shop.intend(CAPTURE, order_id, key="k1")
    doors = (await shop.folder(order_id)).transactions[-1].lease_token
    await clock.advance(2)
    sandbox.fault("hang_before", kind="query", seconds=1)
    worker = asyncio.ensure_future(shop.worked())  # has the lease now, and waits for an answer
    while (await shop.folder(order_id)).transactions[-1].lease_token == doors:
        await asyncio.sleep(0.02)
    answered = await settle_now(shop.works, asked, ran)  # the door wakes up, sends and may not book
    await worker
    assert answered.status == 202
    folder = await shop.folder(order_id)
    assert folder.order.captured == 0
    await clock.advance(6)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert_same(folder, sandbox)
    assert folder.order.captured == 5000
    facts = [t.type for t in folder.transactions]
    assert sorted(facts) == ["AUTHORIZE", "CAPTURE"]


async def test_a_poisoned_row_stops_nobody_and_ends_with_a_person(
    shop: Shop, sandbox: Sandbox, clock: Clock, owner
):
    bad, good = await shop.order(5000), await shop.order(5000)
    await shop.intend(CAPTURE, bad, leased=False)
    await owner.execute(
        "update payments set provider_reference = null where order_id = $1", bad)
    await shop.intend(CAPTURE, good, leased=False)
    await shop.worked()
    assert (await shop.folder(good)).order.captured == 5000
    for _ in range(24):
        await clock.advance(3000)
        await shop.worked()
    folder = await shop.folder(bad)
    row = next(t for t in folder.transactions if t.type == "CAPTURE")
    assert folder.payments[0].attention is not None
    assert folder.payments[0].attention["reason"] == "cannot_be_settled"
    assert row.status == "UNKNOWN", "after the first failure it was asked about"
    assert row.due_at is not None
    assert row.attempts <= 24
    assert folder.order.pending == 5000


async def test_a_gateway_without_credentials_waits_for_them(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    ring = KeyRing(RING)

    async def change(credentials: dict[str, str] | None) -> None:
        async with shop.works.pool.connection(shop.actor.account_id) as connection:
            await change_gateway(
                connection, shop.actor, "card", GatewayChange(credentials=credentials), ring
            )
        shop.works.adapters._kept.clear()

    await change(None)
    said = await shop.run(CAPTURE, order_id)
    assert (said.status, said.body["status"]) == (202, "PENDING")
    await change(sandbox.credentials)
    await clock.advance(5)
    assert await shop.worked() == 1
    assert_same(await shop.folder(order_id), sandbox)


async def test_a_provider_that_is_down_is_called_again(shop: Shop, sandbox: Sandbox, clock: Clock):
    order_id = await shop.order(5000)
    sandbox.stop()
    try:
        said = await shop.run(CAPTURE, order_id)
    finally:
        sandbox.start()
    assert (said.status, said.body["status"]) == (202, "PENDING")
    await clock.advance(5)
    assert await shop.worked() == 1
    assert_same(await shop.folder(order_id), sandbox)


# ------------------------------------------------------------------------------------ cancellation


async def test_a_refused_step_leaves_the_rest_to_another_run(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    await shop.run(CAPTURE, order_id, amount=2000)
    sandbox.fault("decline", kind="refund")
    said = await shop.run(CANCEL, order_id, key="c1")
    assert (said.status, said.body["status"]) == (200, "PARTIALLY_CANCELED")
    assert (said.body["refunded_amount"], said.body["reversed_amount"]) == (0, 3000)
    folder = await shop.folder(order_id)
    assert folder.order.system_state == "CANCEL_REQUESTED"
    assert (await shop.run(CANCEL, order_id, key="c1")).text == said.text
    again = await shop.run(CANCEL, order_id, key="c2")
    assert (again.status, again.body["status"]) == (200, "CANCELED")
    folder = await shop.folder(order_id)
    assert folder.order.system_state == "CANCELED"
    assert [t.status for t in folder.transactions if t.type == "VOID"] == ["SUCCEEDED"]
    assert_same(folder, sandbox)


@pytest.mark.parametrize("fault", ["5xx_after_effect", "5xx_before", "429"])
async def test_an_unclear_step_is_finished_by_the_worker(
    shop: Shop, sandbox: Sandbox, clock: Clock, fault: str
):
    order_id = await shop.order(5000)
    await shop.run(CAPTURE, order_id, amount=2000)
    sandbox.fault(fault, kind="void")
    said = await shop.run(CANCEL, order_id, key="c1")
    assert (said.status, said.body["status"]) == (202, "PROCESSING")
    assert said.body["order"]["state"]["code"] == "cancel_requested"
    with pytest.raises(Problem, match="cancellation is running"):
        await shop.run(CANCEL, order_id, key="c2")
    for seconds in (6, 61):
        await clock.advance(seconds)
        await shop.worked()
    folder = await shop.folder(order_id)
    assert folder.order.system_state == "CANCELED"
    assert folder.cancellations[0].refunded_amount == 2000
    assert folder.cancellations[0].reversed_amount == 3000
    assert_same(folder, sandbox)
    assert (await shop.run(CANCEL, order_id, key="c1")).text == said.text


@pytest.mark.parametrize(("fault", "refunded"), [("5xx_after_effect", 2000), ("decline", 0)])
async def test_a_cancellation_waits_for_a_capture_that_is_unknown(
    shop: Shop, sandbox: Sandbox, clock: Clock, fault: str, refunded: int
):
    order_id = await shop.order(5000)
    if fault == "decline":
        await shop.intend(CAPTURE, order_id, amount=2000, leased=False)
        sandbox.fault(fault, kind="capture")
    else:
        sandbox.fault(fault, kind="capture")
        await shop.run(CAPTURE, order_id, amount=2000)
    said = await shop.run(CANCEL, order_id, key="c1", notify_customer=True)
    assert (said.status, said.body["status"]) == (202, "PROCESSING")
    for _ in range(3):
        await clock.advance(6)
        await shop.worked()
    folder = await shop.folder(order_id)
    assert folder.order.system_state == "CANCELED"
    assert folder.order.refunded == refunded
    assert folder.order.voided == 5000 - refunded
    assert [letter.kind for letter in folder.letters] == ["canceled"]
    assert_same(folder, sandbox)


# ------------------------------------------------------------------------------------------ expiry


async def test_an_authorisation_expires(shop: Shop, sandbox: Sandbox, clock: Clock):
    order_id = await shop.order(5000)
    await shop.run(CAPTURE, order_id, amount=2000)
    await clock.advance(7 * DAY - 60)
    assert await shop.worked() == 1, "that it will expire is told"
    assert await shop.worked() == 0
    sandbox.clock(7 * DAY + 60)
    await clock.advance(120)
    assert await shop.worked() == 1
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "captured": 2000, "expired": 3000}
    assert folder.payments[0].status == "CAPTURED"
    assert folder.payments[0].due_at is None
    assert_same(folder, sandbox)
    assert await shop.worked() == 0


async def test_what_is_reserved_is_left_to_its_outcome(shop: Shop, sandbox: Sandbox, clock: Clock):
    order_id = await shop.order(5000)
    await clock.advance(7 * DAY - 2)
    sandbox.fault("5xx_before", kind="capture")
    await shop.run(CAPTURE, order_id)
    await clock.advance(4)
    assert await shop.worked() == 1, "the expiry, which has nothing to take yet"
    assert moved(await shop.folder(order_id)) == {"authorized": 5000, "pending": 5000}
    sandbox.clock(7 * DAY + 60)
    sandbox.fault("decline", kind="capture")
    for _ in range(3):
        await clock.advance(62)
        await shop.worked()
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "expired": 5000}
    assert folder.order.financial_status == "VOIDED"
    assert_same(folder, sandbox)


async def test_a_refund_is_sent_by_the_worker_too(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    await shop.run(CAPTURE, order_id)
    await shop.intend(REFUND, order_id, key="r1", leased=False, amount=700)
    assert await shop.worked() == 1
    said = await shop.run(REFUND, order_id, key="r1", amount=700)
    assert (said.status, said.body["status"], said.body["amount"]) == (201, "COMPLETED", 700)
    assert_same(await shop.folder(order_id), sandbox)
