"""The door: intent, call, outcome; what the client is told, and what the sandbox did."""

import pytest

from counterfoil.kernel.db import counter
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same, moved
from tests.work.shop import CANCEL, CAPTURE, REFUND, VOID, Shop

pytestmark = pytest.mark.database


async def test_an_order_is_authorised_when_it_is_placed(shop: Shop, sandbox: Sandbox):
    said = await shop.place(5000, bags=2)
    assert said.status == 201
    assert said.body["financial_status"] == "AUTHORIZED"
    assert said.answered.location == f"/v1/orders/{said.body['id']}"
    assert_same(await shop.folder(said.body["id"]), sandbox)


async def test_a_payment_that_is_taken_at_once(shop: Shop, sandbox: Sandbox):
    said = await shop.place(5000, flow="payment")
    assert said.body["financial_status"] == "PAID"
    assert_same(await shop.folder(said.body["id"]), sandbox)


async def test_a_declined_authorisation_leaves_an_unpaid_order(shop: Shop, sandbox: Sandbox):
    sandbox.fault("decline", kind="authorize")
    said = await shop.place(5000)
    assert said.status == 201
    assert said.body["financial_status"] == "UNPAID"
    assert said.body["payments"][0]["status"] == "DECLINED"


async def test_a_reference_of_the_checkout_is_verified(shop: Shop, sandbox: Sandbox):
    made = sandbox.call(
        "POST", "/v1/payments", {"amount": 5000, "currency": "EUR", "reference": "checkout-1"},
        **{"idempotency-key": "checkout-1"},
    )
    said = await shop.place(5000, reference=made["payment"])
    assert said.body["financial_status"] == "AUTHORIZED"
    assert len(sandbox.ledger(payment=made["payment"])) == 1, "nothing was authorised anew"
    await shop.run(CAPTURE, said.body["id"])
    assert sandbox.payment(made["payment"])["captured"] == 5000


async def test_an_invented_reference_is_declined(shop: Shop, sandbox: Sandbox):
    said = await shop.place(5000, reference="pay_nobody_has")
    assert said.body["financial_status"] == "UNPAID"
    assert said.body["payments"][0]["status"] == "DECLINED"


async def test_a_reference_of_another_amount_calls_a_person(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    made = sandbox.call(
        "POST", "/v1/payments", {"amount": 4000, "currency": "EUR", "reference": "checkout-2"},
        **{"idempotency-key": "checkout-2"},
    )
    order_id = await shop.order(5000, reference=made["payment"])
    folder = await shop.folder(order_id)
    assert folder.transactions[0].status == "UNKNOWN"
    await clock.advance(10)
    await shop.worked()
    folder = await shop.folder(order_id)
    assert folder.payments[0].attention is not None
    assert folder.payments[0].attention["reason"] == "provider_differs"
    assert folder.payments[0].attention["theirs"] == 4000
    assert folder.order.authorized == 0


@pytest.mark.proves("Z-21")
async def test_money_moves_in_parts(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000, bags=2)
    captured = await shop.run(CAPTURE, order_id, amount=3000)
    assert (captured.status, captured.body["status"]) == (201, "SUCCEEDED")
    assert captured.body["order"]["financial_status"] == "PARTIALLY_PAID"
    voided = await shop.run(VOID, order_id, amount=500)
    assert voided.status == 201
    refunded = await shop.run(REFUND, order_id, amount=1000)
    assert (refunded.status, refunded.body["status"]) == (201, "COMPLETED")
    folder = await shop.folder(order_id)
    assert moved(folder) == {
        "authorized": 5000, "captured": 3000, "voided": 500, "refunded": 1000, "open": 1500,
    }
    assert_same(folder, sandbox)
    assert folder.order.system_state == "PROCESSING"


async def test_a_call_costs_four_statements(shop: Shop):
    order_id = await shop.order(5000)
    await shop.run(CAPTURE, order_id, amount=100)
    counted = {}
    for kind, wanted in ((CAPTURE, {"amount": 100}), (REFUND, {"amount": 50}), (VOID, {})):
        before = counter.statements
        await shop.run(kind, order_id, **wanted)
        counted[kind] = counter.statements - before
    assert counted == {CAPTURE: 4, REFUND: 4, VOID: 4}


async def test_a_decline_is_402_and_the_reservation_is_gone(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    sandbox.fault("decline", kind="capture")
    said = await shop.run(CAPTURE, order_id, key="k1")
    assert (said.status, said.body["code"]) == (402, "gateway_declined")
    again = await shop.run(CAPTURE, order_id, key="k1")
    assert again.answered.replayed
    assert again.text == said.text
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "open": 5000}
    assert_same(folder, sandbox)
    assert (await shop.run(CAPTURE, order_id, key="k2")).status == 201


AFTER = [
    "5xx_after_effect", "hang_after_effect", "reset_after_effect", "slow_bytes", "garbage_200",
    "truncated_200", "missing_200", "unknown_status_200", "amount_200", "currency_200",
]
BEFORE = ["5xx_before", "hang_before", "reset_before"]


# The verdict is one table for every kind; void and refund are shown once on either side of it.
UNCLEAR = [(CAPTURE, fault) for fault in AFTER + BEFORE]
UNCLEAR += [(VOID, "5xx_after_effect"), (VOID, "5xx_before")]
UNCLEAR += [(REFUND, "5xx_after_effect"), (REFUND, "5xx_before")]


@pytest.mark.parametrize(("kind", "fault"), UNCLEAR)
async def test_no_clear_answer_is_202_until_the_worker_knows(
    shop: Shop, sandbox: Sandbox, clock: Clock, fault: str, kind: str
):
    order_id = await shop.order(5000)
    if kind == REFUND:
        await shop.run(CAPTURE, order_id)
    sandbox.fault(fault, kind=kind, seconds=2)
    said = await shop.run(kind, order_id, key="k1")
    assert said.status == 202
    assert said.body["status"] == ("PROCESSING" if kind == REFUND else "UNKNOWN")
    assert said.answered.location is not None
    folder = await shop.folder(order_id)
    assert folder.order.unknown_pending == 5000
    assert folder.order.open == 0 if kind != REFUND else folder.order.refundable == 0
    assert (await shop.run(kind, order_id, key="k1")).text == said.text

    assert await shop.worked() == 0, "nothing is due yet"
    sandbox.clear()
    await clock.advance(6)
    assert await shop.worked() == 1
    if fault in BEFORE:
        folder = await shop.folder(order_id)
        assert folder.order.unknown_pending == 5000, "one 'not found' is not believed"
        await clock.advance(60)
        assert await shop.worked() == 1
    folder = await shop.folder(order_id)
    assert folder.order.unknown_pending == 0
    assert [t.status for t in folder.transactions if t.type == kind.upper()] == ["SUCCEEDED"]
    assert_same(folder, sandbox)
    assert (await shop.run(kind, order_id, key="k1")).text == said.text, "the answer stays"


@pytest.mark.parametrize("fault", ["429", "in_use"])
async def test_turned_away_is_202_pending_and_sent_again(
    shop: Shop, sandbox: Sandbox, clock: Clock, fault: str
):
    order_id = await shop.order(5000)
    sandbox.fault(fault, kind="capture", times=2, seconds=3)
    said = await shop.run(CAPTURE, order_id, key="k1")
    assert (said.status, said.body["status"]) == (202, "PENDING")
    assert (await shop.run(CAPTURE, order_id, key="k1")).text == said.text
    assert await shop.worked() == 0, "Retry-After is honoured"
    await clock.advance(10)
    assert await shop.worked() == 1
    assert moved(await shop.folder(order_id)) == {"authorized": 5000, "pending": 5000}
    await clock.advance(10)
    assert await shop.worked() == 1
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "captured": 5000}
    assert_same(folder, sandbox)
    log = await shop.calls(order_id)
    assert [one for one in log if one[0] == "CAPTURE"] == [
        ("CAPTURE", "NOT_EXECUTED"), ("CAPTURE", "NOT_EXECUTED"), ("CAPTURE", "SUCCEEDED"),
    ]


async def test_an_acknowledged_authorisation_does_not_expire(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    assert (await shop.folder(order_id)).payments[0].expires_at is not None
    said = await shop.run("acknowledge", order_id)
    assert said.status == 200
    assert said.body["payments"][0]["expires_at"] is None
    await clock.advance(8 * 24 * 3600)
    assert await shop.worked() == 0
    folder = await shop.folder(order_id)
    payment = folder.payments[0].provider_reference
    assert payment is not None
    assert sandbox.payment(payment)["acknowledged_at"] is not None
    assert_same(folder, sandbox)


async def test_a_cancellation_is_answered_when_all_its_steps_are(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000, bags=2)
    await shop.run(CAPTURE, order_id, amount=2000)
    said = await shop.run(CANCEL, order_id, key="c1")
    assert (said.status, said.body["status"]) == (200, "CANCELED")
    assert (said.body["refunded_amount"], said.body["reversed_amount"]) == (2000, 3000)
    folder = await shop.folder(order_id)
    assert folder.order.system_state == "CANCELED"
    assert_same(folder, sandbox)
    assert (await shop.run(CANCEL, order_id, key="c1")).text == said.text
