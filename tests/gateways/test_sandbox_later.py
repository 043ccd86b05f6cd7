"""What the sandbox adapter says of what happens later: fees, strangers' movements, events."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from counterfoil.gateways import open_gateway
from counterfoil.gateways.port import HookRefused
from counterfoil.order.gateway import Kind, Notice, Outcome
from tests.gateways.contract import call_for
from tests.sandbox.receiver import SECRET as HOOK_SECRET
from tests.sandbox.server import API_KEY

SECRET = {"api_key": API_KEY}


@pytest.fixture
def gateway(sandbox, http):
    return open_gateway("sandbox", sandbox.settings, SECRET, http=http)


async def authorized(gateway, amount=1000, flow="auth"):
    answer = await gateway.send(call_for(Kind.AUTHORIZE, amount=amount, flow=flow))
    assert answer.outcome is Outcome.SUCCEEDED
    return answer


async def test_a_capture_has_its_fee_and_a_hold_its_end(sandbox, gateway):
    made = await authorized(gateway)
    assert made.fee is None
    assert made.expires_at is not None
    taken = await gateway.send(call_for(Kind.CAPTURE, made.payment_reference, 600))
    assert taken.fee == 33, "1.4 % are 8.4, and 25"
    sale = await authorized(gateway, 1000, "payment")
    assert (sale.fee, sale.expires_at) == (39, None)
    told = await gateway.statement(sale.payment_reference)
    assert [(one.kind, one.fee) for one in told.movements] == [("AUTHORIZE", None), ("CAPTURE", 39)]
    claim = call_for(Kind.AUTHORIZE, sale.payment_reference, 1000, flow="payment")
    assert (await gateway.send(claim)).fee == 39


async def test_a_statement_shows_what_others_did(sandbox, gateway):
    payment = (await authorized(gateway)).payment_reference
    sandbox.move(payment, "capture", 600)
    sandbox.move(payment, "refund", 50)
    told = await gateway.statement(payment)
    assert [(m.kind, m.amount, m.our_reference) for m in told.movements[1:]] == [
        ("CAPTURE", 600, None), ("REFUND", 50, None),
    ]  # fmt: skip
    assert (told.itemised, told.status) == (True, "partially_captured")


async def test_a_statement_says_that_word_of_a_movement_is_on_its_way(sandbox, gateway):
    payment = (await authorized(gateway)).payment_reference
    call = call_for(Kind.CAPTURE, payment, 600)
    sandbox.fault("ok", reference=call.our_reference, visible_after_s=60)
    await gateway.send(call)
    told = await gateway.statement(payment)
    assert (told.captured, len(told.movements), told.itemised) == (600, 1, False)


async def test_a_final_capture_is_also_a_void_under_the_same_reference(sandbox, http):
    settings = {**sandbox.settings, "multi_capture": False}
    gateway = open_gateway("sandbox", settings, SECRET, http=http)
    payment = (await authorized(gateway)).payment_reference
    call = call_for(Kind.CAPTURE, payment, 400)
    taken = await gateway.send(call)
    told = await gateway.statement(payment)
    assert [(m.kind, m.amount, m.gateway_transaction_id, m.our_reference)
            for m in told.movements[1:]] == [
        ("CAPTURE", 400, taken.gateway_transaction_id, call.our_reference),
        ("VOID", 600, taken.gateway_transaction_id, call.our_reference),
    ]  # fmt: skip
    assert told.itemised


async def test_a_hold_is_renewed_without_the_shopper(sandbox, http):
    settings = {**sandbox.settings, "redirect": True, "hold_seconds": 60}
    gateway = open_gateway("sandbox", settings, SECRET, http=http)
    waiting = await gateway.send(call_for(Kind.AUTHORIZE, amount=1000))
    assert waiting.error_code == "pending"
    capture = await gateway.send(call_for(Kind.CAPTURE, waiting.payment_reference))
    assert (capture.outcome, capture.error_code) == (Outcome.DECLINED, "payment_pending")
    sandbox.shopper(waiting.payment_reference, "approve")
    renewal = call_for(Kind.AUTHORIZE, amount=800, renews=waiting.payment_reference)
    renewed = await gateway.send(renewal)
    assert (renewed.outcome, renewed.amount) == (Outcome.SUCCEEDED, 800)
    assert renewed.payment_reference != waiting.payment_reference
    assert sandbox.payment(renewed.payment_reference)["renews"] == waiting.payment_reference
    lost = await gateway.send(call_for(Kind.AUTHORIZE, renews="pay_nowhere"))
    assert (lost.outcome, lost.error_code) == (Outcome.DECLINED, "payment_not_found")


EVENT = {
    "id": "evt_1", "type": "payment.captured", "account": "acct_sandbox", "livemode": False,
    "created_at": "2026-01-01T00:00:00Z", "payment": "pay_1", "operation": "op_1",
    "reference": "our-1",
}  # fmt: skip


def rung(event, *, id_="evt_1", secret=HOOK_SECRET):
    at = datetime.now(UTC)
    body = event if isinstance(event, str) else json.dumps(event)
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id_, at, body),
    }
    return headers, {}, body.encode(), at


def receiving(**settings):
    credentials = {**SECRET, "webhook_secret": HOOK_SECRET}
    return open_gateway("sandbox", {"base_url": "http://localhost:1", **settings}, credentials)


@pytest.mark.parametrize(
    ("change", "notice"),
    [
        ({}, Notice("evt_1", "payment.captured", "pay_1", "our-1")),
        ({"reference": ""}, Notice("evt_1", "payment.captured", "pay_1", None)),
        ({"payment": None}, Notice("evt_1", "payment.captured", None, "our-1")),
        ({"type": "moon.full", "more": [1]}, Notice("evt_1", "moon.full", "pay_1", "our-1")),
    ],
)
def test_a_signed_event_says_where_to_look(change, notice):
    assert receiving().receive(*rung({**EVENT, **change})) == notice


@pytest.mark.parametrize(
    ("event", "settings"),
    [
        (EVENT | {"account": "acct_other"}, {}),
        (EVENT, {"account": "acct_other"}),
        (EVENT | {"livemode": True}, {}),
        (EVENT, {"livemode": True}),
        (EVENT | {"livemode": 0}, {}),
        (EVENT | {"id": "evt_2"}, {}),
        (EVENT | {"type": ""}, {}),
        (EVENT | {"payment": "a\0b"}, {}),
        (EVENT | {"reference": "\0"}, {}),
        (EVENT | {"reference": 7}, {}),
        (EVENT | {"payment": "x" * 256}, {}),
        ("[]", {}),
        ("", {}),
        ("[" * 60_000, {}),
    ],
)
def test_a_signed_event_about_somebody_else_is_refused(event, settings):
    with pytest.raises(HookRefused):
        receiving(**settings).receive(*rung(event))


def test_without_a_secret_or_with_another_nothing_is_believed():
    call = rung(EVENT)
    with pytest.raises(HookRefused):
        open_gateway("sandbox", {"base_url": "http://localhost:1"}, SECRET).receive(*call)
    other = "whsec_" + base64.b64encode(b"of somebody else").decode()
    with pytest.raises(HookRefused):
        receiving().receive(*rung(EVENT, secret=other))
    both = {**SECRET, "webhook_secret": f"{other} {HOOK_SECRET}"}
    gateway = open_gateway("sandbox", {"base_url": "http://localhost:1"}, both)
    assert gateway.receive(*call).event_id == "evt_1"
    with pytest.raises(HookRefused):
        open_gateway("manual", {}, {}).receive(*call)
