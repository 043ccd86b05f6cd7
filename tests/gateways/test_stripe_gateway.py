"""What is Stripe's adapter's own: movements, the shopper, late refunds, statements."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from counterfoil.gateways import open_gateway
from counterfoil.order.gateway import CANNOT_TELL, PENDING, Kind
from tests.gateways.contract import call_for
from tests.gateways.raw import Caller, RawServer
from tests.gateways.stripe_bodies import (
    INVALID,
    KEY,
    D,
    N,
    S,
    U,
    answered_with,
    error,
    intent,
    said,
)


@pytest.fixture
def gateway(sandbox, http):
    settings = {"base_url": sandbox.url + "/stripe", "payment_method": "pm_card_visa"}
    return open_gateway("stripe", settings, KEY, http=http)


def open_at(sandbox, http, **settings):
    return open_gateway("stripe", {"base_url": sandbox.url + "/stripe", **settings}, KEY, http=http)


async def authorized(gateway, amount=1000, flow="auth"):
    answer = await gateway.send(call_for(Kind.AUTHORIZE, amount=amount, flow=flow))
    assert answer.outcome is S, answer
    return answer


# -------------------------------------------------------------------------------------- movements


async def test_a_void_of_a_part_is_refused_before_it_is_asked_for(sandbox, gateway):
    payment = (await authorized(gateway)).payment_reference
    part = call_for(Kind.VOID, payment, 400)
    assert said(await gateway.send(part)) == (D, "partial_void_not_supported")
    assert sandbox.ledger(reference=part.our_reference) == []
    assert (await gateway.ask(part)).outcome is N


async def test_voiding_what_is_void_already_is_done(gateway):
    payment = (await authorized(gateway)).payment_reference
    first = await gateway.send(call_for(Kind.VOID, payment, 1000))
    again = await gateway.send(call_for(Kind.VOID, payment, 1000))
    assert said(first) == (S, None)
    assert said(again) == (S, "already_voided")
    assert again.gateway_transaction_id == first.gateway_transaction_id


async def test_voiding_what_is_captured_is_declined(gateway):
    payment = (await authorized(gateway)).payment_reference
    await gateway.send(call_for(Kind.CAPTURE, payment, 1000))
    void = call_for(Kind.VOID, payment, 1000)
    assert (await gateway.send(void)).outcome is D
    assert said(await gateway.ask(void)) == (D, "already_captured")


async def test_capturing_what_is_void_or_captured_is_declined(gateway):
    void = (await authorized(gateway)).payment_reference
    await gateway.send(call_for(Kind.VOID, void, 1000))
    taken = (await authorized(gateway)).payment_reference
    await gateway.send(call_for(Kind.CAPTURE, taken, 400))
    for payment, code in ((void, "voided"), (taken, "already_captured")):
        call = call_for(Kind.CAPTURE, payment, 400)
        assert said(await gateway.send(call)) == (D, "payment_intent_unexpected_state")
        assert said(await gateway.ask(call)) == (D, code)


async def test_a_capture_of_a_part_releases_the_rest_and_tells_the_fee(sandbox, gateway):
    payment = (await authorized(gateway)).payment_reference
    call = call_for(Kind.CAPTURE, payment, 400)
    answer = await gateway.send(call)
    assert (answer.outcome, answer.amount, answer.fee) == (S, 400, 31)
    entries = sandbox.ledger(reference=call.our_reference)
    assert [(one["kind"], one["amount"]) for one in entries] == [("capture", 400), ("void", 600)]


async def test_a_key_that_did_something_else_is_unknown(gateway):
    payment = (await authorized(gateway, flow="payment")).payment_reference
    call = call_for(Kind.REFUND, payment, 100)
    await gateway.send(call)
    other = msgspec.structs.replace(call, amount=200)
    assert said(await gateway.send(other)) == (U, "idempotency_error")
    asked = await gateway.ask(other)
    assert (said(asked), asked.amount) == ((U, "amount_mismatch"), 100)


async def test_what_happened_twice_needs_a_person(gateway):
    payment = (await authorized(gateway, flow="payment")).payment_reference
    call = call_for(Kind.REFUND, payment, 100)
    twin = msgspec.structs.replace(call, transaction_id="twin-" + call.transaction_id)
    for one in (call, twin):
        assert (await gateway.send(one)).outcome is S
    assert said(await gateway.ask(call)) == (U, "several_found")


async def test_everything_is_refunded_only_once(gateway):
    payment = (await authorized(gateway, flow="payment")).payment_reference
    assert said(await gateway.send(call_for(Kind.REFUND, payment, 1001))) == (D, "amount_too_large")
    assert (await gateway.send(call_for(Kind.REFUND, payment, 1000))).outcome is S
    again = await gateway.send(call_for(Kind.REFUND, payment, 1000))
    assert said(again) == (D, "charge_already_refunded")


@pytest.mark.parametrize(
    ("ends", "expected"), [("succeed", (S, None)), ("fail", (D, "expired_or_canceled_card"))]
)
async def test_a_refund_is_pending_until_it_has_ended(sandbox, gateway, ends, expected):
    payment = (await authorized(gateway, flow="payment")).payment_reference
    call = call_for(Kind.REFUND, payment, 300)
    sandbox.fault("async", reference=call.our_reference)
    assert said(await gateway.send(call)) == (U, PENDING)
    assert said(await gateway.ask(call)) == (U, PENDING)
    told = await gateway.statement(payment)
    assert [(one.kind, one.status) for one in told.movements][-1] == ("REFUND", "pending")
    assert told.refunded == 0
    sandbox.call("POST", f"/control/operations/{call.our_reference}/{ends}", {})
    assert said(await gateway.ask(call)) == expected
    told = await gateway.statement(payment)
    status, back = ("succeeded", 300) if ends == "succeed" else ("failed", 0)
    assert (told.movements[-1].status, told.refunded) == (status, back)


@pytest.mark.parametrize("payment", ["pay_1", "pi_../../v1/balance", "pi_1?x=1", "", "pi_1\n"])
async def test_a_name_that_stripe_cannot_have_given_is_not_asked_for(http, payment):
    async def never(caller: Caller) -> None:
        await caller.answer(200, b"{}")

    async with RawServer(never) as server:
        gateway = open_gateway("stripe", {"base_url": server.url}, KEY, http=http)
        for kind in (Kind.AUTHORIZE, Kind.CAPTURE, Kind.VOID, Kind.REFUND):
            assert said(await gateway.send(call_for(kind, payment))) == (D, "resource_missing")
        assert await gateway.statement(payment) is None
        assert server.requests == []


# ------------------------------------------------------------------------------------- the shopper


async def test_a_payment_waits_for_the_shopper_and_then_holds(sandbox, http):
    gateway = open_at(sandbox, http, payment_method="pm_card_authenticationRequired")
    call = call_for(Kind.AUTHORIZE, return_url="https://shop.example/back")
    answer = await gateway.send(call)
    assert said(answer) == (U, PENDING)
    assert answer.redirect_url.startswith(sandbox.url)
    asked = await gateway.ask(call)
    assert (said(asked), asked.redirect_url) == ((U, PENDING), answer.redirect_url)
    name = answer.payment_reference.replace("pi_", "pay_")
    sandbox.call("POST", f"/control/payments/{name}/shopper", {"does": "approve"})
    for one in (call, msgspec.structs.replace(call, payment_reference=answer.payment_reference)):
        asked = await gateway.ask(one)
        assert (said(asked), asked.amount, asked.redirect_url) == ((S, None), 700, None)


@pytest.mark.parametrize(("does", "code"), [("decline", "declined"), ("leave", "voided")])
async def test_a_shopper_may_fail_or_leave(sandbox, http, does, code):
    gateway = open_at(sandbox, http, payment_method="pm_card_authenticationRequired")
    call = call_for(Kind.AUTHORIZE)
    name = (await gateway.send(call)).payment_reference.replace("pi_", "pay_")
    sandbox.call("POST", f"/control/payments/{name}/shopper", {"does": does})
    assert said(await gateway.ask(call)) == (D, code)


async def test_without_a_card_the_payment_waits_for_one(sandbox, http):
    gateway = open_at(sandbox, http)
    call = call_for(Kind.AUTHORIZE)
    answer = await gateway.send(call)
    assert (said(answer), answer.redirect_url) == ((U, PENDING), None)
    assert answer.payment_reference
    assert said(await gateway.ask(call)) == (U, PENDING)


async def test_a_card_that_fails_may_be_followed_by_another_one_of_the_shoppers(http):
    """Whoever holds the payment's secret may try again: only our own card's failure is the end."""
    failed = intent(
        status="requires_payment_method", amount_received=0,
        last_payment_error={"code": "card_declined", "decline_code": "insufficient_funds"},
    )  # fmt: skip
    call = call_for(Kind.AUTHORIZE)
    failed["metadata"] = {"our_reference": call.our_reference}
    assert said(await answered_with(http, call, 200, failed)) == (U, PENDING)
    named = msgspec.structs.replace(call, payment_reference="pi_1")
    assert said(await answered_with(http, named, 200, failed)) == (U, PENDING)
    claim = call_for(Kind.AUTHORIZE, "pi_1")
    assert said(await answered_with(http, claim, 200, failed)) == (D, "insufficient_funds")
    ours = await answered_with(http, call, 200, failed, payment_method="pm_card_visa")
    assert said(ours) == (D, "insufficient_funds")


async def test_a_new_hold_is_had_from_the_card_that_was_kept(sandbox, http):
    seen: list[bytes] = []
    old = intent(id="pi_old", customer="cus_1", payment_method="pm_1")
    call = call_for(Kind.AUTHORIZE, renews="pi_old")

    async def answer(caller: Caller) -> None:
        seen.append(caller.request)
        made = intent(status="requires_capture", metadata={"our_reference": call.our_reference})
        told = old if caller.request.startswith(b"GET") else made
        await caller.answer(200, json.dumps(told).encode(), "connection: close")

    async with RawServer(answer) as server:
        gateway = open_gateway("stripe", {"base_url": server.url}, KEY, http=http)
        assert said(await gateway.send(call)) == (S, None)
        old["customer"] = None
        assert said(await gateway.send(call)) == (D, "cannot_reauthorize")
    assert len(seen) == 3
    for part in (b"off_session=true", b"confirm=true", b"customer=cus_1", b"payment_method=pm_1"):
        assert part in seen[1]


async def test_a_search_that_stripe_does_not_offer_cannot_tell(sandbox, http):
    call = call_for(Kind.AUTHORIZE)
    asked = await open_at(sandbox, http, search=False).ask(call)
    assert said(asked) == (U, CANNOT_TELL)

    async def refuse(caller: Caller) -> None:
        body = json.dumps(error(INVALID)).encode()
        await caller.answer(400, body, "connection: close")

    async with RawServer(refuse) as server:
        gateway = open_gateway("stripe", {"base_url": server.url}, KEY, http=http)
        assert said(await gateway.ask(call)) == (U, CANNOT_TELL)


# ------------------------------------------------------------------- what the checkout says it did


@pytest.mark.parametrize("flow", ["auth", "payment"])
async def test_an_authorisation_of_the_checkout_is_verified(sandbox, gateway, flow):
    made = await authorized(gateway, flow=flow)
    claim = call_for(Kind.AUTHORIZE, made.payment_reference, 1000, flow=flow)
    before = len(sandbox.ledger())
    for answer in (await gateway.send(claim), await gateway.ask(claim)):
        assert (said(answer), answer.amount) == ((S, None), 1000)
        assert (answer.expires_at is not None) == (flow == "auth")
    assert len(sandbox.ledger()) == before, "nothing was moved by looking"


async def test_a_false_claim_is_not_believed(gateway):
    made = (await authorized(gateway)).payment_reference

    async def claim(payment=made, amount=1000, **more):
        call = call_for(Kind.AUTHORIZE, payment, amount)
        return said(await gateway.send(msgspec.structs.replace(call, **more)))

    assert await claim(amount=900) == (U, "amount_mismatch")
    assert await claim(currency="USD") == (U, "currency_mismatch")
    assert await claim(flow="payment") == (U, "state_mismatch")
    assert await claim("pi_nowhere") == (D, "resource_missing")
    await gateway.send(call_for(Kind.VOID, made, 1000))
    assert await claim() == (D, "voided")
    taken = (await authorized(gateway)).payment_reference
    await gateway.send(call_for(Kind.CAPTURE, taken, 10))
    assert await claim(taken) == (U, "state_mismatch")


# -------------------------------------------------------------------------------------- statements


async def test_a_statement_tells_the_totals_and_every_movement(gateway):
    made = await authorized(gateway)
    payment = made.payment_reference
    capture, refund = call_for(Kind.CAPTURE, payment, 600), call_for(Kind.REFUND, payment, 50)
    answers = [await gateway.send(capture), await gateway.send(refund)]
    told = await gateway.statement(payment)
    sums = (told.authorized, told.captured, told.voided, told.expired, told.refunded)
    assert (sums, told.status, told.itemised) == ((1000, 600, 400, 0, 50), "succeeded", True)
    lines = [(one.kind, one.amount, one.our_reference) for one in told.movements]
    assert lines[1:] == [
        ("CAPTURE", 600, capture.our_reference),
        ("VOID", 400, None),
        ("REFUND", 50, refund.our_reference),
    ]
    named = {one.kind: one.gateway_transaction_id for one in told.movements}
    assert named["AUTHORIZE"] == made.gateway_transaction_id
    assert named["CAPTURE"] == answers[0].gateway_transaction_id
    assert named["REFUND"] == answers[1].gateway_transaction_id
    assert next(one.fee for one in told.movements if one.kind == "CAPTURE") == answers[0].fee == 33
    assert all(one.at.tzinfo for one in told.movements)
    assert await gateway.statement("pi_nowhere") is None


async def test_a_statement_tells_holds_voids_expiries_and_what_never_was(sandbox, http, gateway):
    held = await gateway.statement((await authorized(gateway)).payment_reference)
    assert (held.authorized, held.voided, held.status) == (1000, 0, "requires_capture")
    assert held.expires_at > datetime.now(UTC)
    void = await authorized(gateway)
    done = await gateway.send(call_for(Kind.VOID, void.payment_reference, 1000))
    told = await gateway.statement(void.payment_reference)
    assert (told.voided, told.expired, told.expires_at) == (1000, 0, None)
    assert told.movements[-1].gateway_transaction_id == done.gateway_transaction_id
    sale = await authorized(gateway, flow="payment")
    assert sale.fee == 39
    told = await gateway.statement(sale.payment_reference)
    assert {one.gateway_transaction_id for one in told.movements} == {sale.gateway_transaction_id}
    assert len({one.our_reference for one in told.movements}) == 1
    waiting = await open_at(sandbox, http).send(call_for(Kind.AUTHORIZE))
    told = await gateway.statement(waiting.payment_reference)
    assert (told.authorized, told.movements) == (0, [])
    refused = call_for(Kind.AUTHORIZE)
    sandbox.fault("decline", reference=refused.our_reference)
    told = await gateway.statement((await gateway.send(refused)).payment_reference)
    assert (told.authorized, told.captured, told.movements) == (0, 0, [])


async def test_a_hold_that_nobody_captured_has_expired(sandbox, gateway):
    payment = (await authorized(gateway)).payment_reference
    sandbox.clock(8 * 86400)
    try:
        told = await gateway.statement(payment)
        capture = call_for(Kind.CAPTURE, payment, 1000)
        assert (await gateway.send(capture)).outcome is D
    finally:
        sandbox.clock(0)
    assert (told.authorized, told.voided, told.expired) == (1000, 0, 1000)
    assert told.movements[-1].kind == "EXPIRE"


async def test_many_refunds_are_read_page_by_page(http):
    found = [
        {"id": f"re_{n}", "amount": 1, "currency": "eur", "status": "succeeded",
         "payment_intent": "pi_1", "created": 1_700_000_000 + n, "metadata": {}}
        for n in range(250)
    ]  # fmt: skip

    async def answer(caller: Caller) -> None:
        path = caller.request.split(b" ")[1].decode()
        if "refunds" not in path:
            told = intent(amount_received=700, status="succeeded")
        else:
            after = path.split("starting_after=re_")
            start = int(after[1].split("&")[0]) + 1 if len(after) > 1 else 0
            told = {"data": found[start : start + 100], "has_more": start + 100 < len(found)}
        await caller.answer(200, json.dumps(told).encode(), "connection: close")

    async with RawServer(answer) as server:
        gateway = open_gateway("stripe", {"base_url": server.url}, KEY, http=http)
        told = await gateway.statement("pi_1")
        assert told.refunded == 250
        found = found * 10
        assert await gateway.statement("pi_1") is None, "more than can be read proves nothing"
