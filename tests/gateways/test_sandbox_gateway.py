"""What is the sandbox adapter's own: its table of answers, verification, statements, settings."""

import json
import re
from pathlib import Path

import msgspec
import pytest

import counterfoil.sandbox
from counterfoil.gateways import GatewayMisconfigured, capabilities, open_gateway
from counterfoil.gateways.verdict import REFUSALS
from counterfoil.order.gateway import Kind, Outcome
from tests.gateways.contract import call_for
from tests.gateways.raw import Caller, RawServer
from tests.ports import free_port
from tests.sandbox.server import API_KEY

SECRET = {"api_key": API_KEY}
OPERATION = {
    "id": "op_1",
    "payment": "pay_1",
    "kind": "capture",
    "status": "succeeded",
    "amount": 700,
    "currency": "EUR",
    "created_at": "2026-01-01T00:00:00Z",
}


@pytest.fixture
def gateway(sandbox, http):
    return open_gateway("sandbox", sandbox.settings, SECRET, http=http)


async def authorized(gateway, amount=1000, flow="auth"):
    answer = await gateway.send(call_for(Kind.AUTHORIZE, amount=amount, flow=flow))
    assert answer.outcome is Outcome.SUCCEEDED
    return answer


def refusal(code: str) -> dict:
    return {"error": {"code": code, "message": f"Because of {code}."}}


# ----------------------------------------------------------------------------- the table of answers

ANSWERS = [
    (200, b"", Outcome.UNKNOWN, "invalid_answer"),
    (204, b"", Outcome.UNKNOWN, "http_204"),
    (200, b"[" * 60_000, Outcome.UNKNOWN, "invalid_answer"),
    (200, b'{"id": NaN}', Outcome.UNKNOWN, "invalid_answer"),
    (200, b'{"id": "\xff"}', Outcome.UNKNOWN, "invalid_answer"),
    (200, OPERATION | {"amount": "700"}, Outcome.UNKNOWN, "invalid_answer"),
    (200, OPERATION | {"id": ""}, Outcome.UNKNOWN, "invalid_answer"),
    (200, OPERATION | {"filler": "x" * 70_000}, Outcome.UNKNOWN, "invalid_answer"),
    (200, OPERATION, Outcome.SUCCEEDED, None),
    (201, OPERATION, Outcome.SUCCEEDED, None),
    (200, OPERATION | {"status": "pending"}, Outcome.UNKNOWN, "pending"),
    (200, OPERATION | {"status": "SUCCEEDED"}, Outcome.UNKNOWN, "unknown_status"),
    (200, OPERATION | {"status": "failed"}, Outcome.DECLINED, "failed"),
    (200, OPERATION | {"status": "declined", "code": "stolen"}, Outcome.DECLINED, "stolen"),
    (200, OPERATION | {"amount": 701}, Outcome.UNKNOWN, "amount_mismatch"),
    (200, OPERATION | {"currency": "USD"}, Outcome.UNKNOWN, "currency_mismatch"),
    (200, OPERATION | {"kind": "void"}, Outcome.UNKNOWN, "kind_mismatch"),
    (200, OPERATION | {"payment": "pay_2"}, Outcome.UNKNOWN, "payment_mismatch"),
    (200, OPERATION | {"reference": "other"}, Outcome.UNKNOWN, "reference_mismatch"),
    (202, OPERATION, Outcome.UNKNOWN, "http_202"),
    (302, b"", Outcome.UNKNOWN, "http_302"),
    (400, b"<html>", Outcome.UNKNOWN, "http_400"),
    (401, b"", Outcome.UNKNOWN, "http_401"),
    (402, b"", Outcome.UNKNOWN, "http_402"),
    (402, refusal("declined"), Outcome.DECLINED, "declined"),
    (402, refusal("declined") | {"operation": OPERATION}, Outcome.UNKNOWN, "contradiction"),
    (402, refusal("think_again"), Outcome.UNKNOWN, "think_again"),
    (404, b"not here", Outcome.UNKNOWN, "http_404"),
    (404, refusal("declined"), Outcome.UNKNOWN, "declined"),
    (418, refusal("teapot"), Outcome.UNKNOWN, "teapot"),
    (429, b"", Outcome.NOT_EXECUTED, "rate_limited"),
    (500, refusal("declined"), Outcome.UNKNOWN, "declined"),
    (502, b"<html>", Outcome.UNKNOWN, "http_502"),
    (503, refusal("in_use"), Outcome.UNKNOWN, "in_use"),
    *((status, refusal(code), outcome, code) for (status, code), outcome in REFUSALS.items()),
]


@pytest.mark.parametrize(("status", "body", "outcome", "code"), ANSWERS)
async def test_every_answer_has_its_outcome(http, status, body, outcome, code):
    call = call_for(Kind.CAPTURE, "pay_1")

    async def answer(caller: Caller) -> None:
        told = body
        if isinstance(told, dict):
            for place in (told, told.get("operation", {})):
                if "kind" in place:
                    place.setdefault("reference", call.our_reference)
            told = json.dumps(told).encode()
        await caller.answer(status, told, "content-type: application/json", "connection: close")

    if isinstance(body, dict):
        body = json.loads(json.dumps(body))
    async with RawServer(answer) as server:
        settings = {"base_url": server.url + "/"}
        got = await open_gateway("sandbox", settings, SECRET, http=http).send(call)
    assert (got.outcome, got.error_code) == (outcome, code)
    if outcome is Outcome.SUCCEEDED:
        assert (got.gateway_transaction_id, got.payment_reference) == ("op_1", "pay_1")


def test_the_table_knows_every_refusal_that_the_sandbox_documents():
    folder = Path(counterfoil.sandbox.__file__).parent
    text = "".join((folder / name).read_text() for name in ("till.py", "desk.py"))
    said = set(re.findall(r'(?:Refused|problem)\(\s*(4\d\d), "(\w+)"', text))
    said -= {("404", "not_found"), ("429", "rate_limited")}  # the status query; judged by status
    assert len(said) > 8
    assert {(int(status), code) for status, code in said} <= set(REFUSALS)


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", 7), ("99999", 300), ("9" * 5000, None), ("soon", None), ("-1", None), ("²", None)],
)
async def test_retry_after_is_heard_and_bounded(http, header, wait):
    async def answer(caller: Caller) -> None:
        await caller.answer(429, b"", f"retry-after: {header}", "connection: close")

    async with RawServer(answer) as server:
        gateway = open_gateway("sandbox", {"base_url": server.url}, SECRET, http=http)
        answered = await gateway.send(call_for(Kind.VOID, "pay_1"))
    assert answered.retry_after_s == wait


async def test_a_secret_that_the_provider_repeats_is_hidden(http):
    async def echo(caller: Caller) -> None:
        body = json.dumps(refusal(API_KEY) | {"sent": caller.request.decode(), "nul": "a\0b"})
        await caller.answer(402, body.encode() + b"\0\xff", "connection: close")

    async with RawServer(echo) as server:
        gateway = open_gateway("sandbox", {"base_url": server.url}, SECRET, http=http)
        answered = await gateway.send(call_for(Kind.VOID, "pay_1"))
    kept = json.dumps(msgspec.to_builtins(answered))
    assert API_KEY not in kept
    assert "[hidden]" in kept
    assert "\0" not in answered.raw["answer"]["body"]


# ------------------------------------------------------------------------------------- the provider


async def test_nobody_there_means_not_executed(http):
    settings = {"base_url": f"http://127.0.0.1:{free_port()}"}
    gateway = open_gateway("sandbox", settings, SECRET, http=http)
    sent = await gateway.send(call_for(Kind.CAPTURE, "pay_1"))
    assert (sent.outcome, sent.error_code) == (Outcome.NOT_EXECUTED, "unreachable")
    assert sent.raw["failure"]["sent"] is False
    asked = await gateway.ask(call_for(Kind.CAPTURE, "pay_1"))
    assert asked.outcome is Outcome.UNKNOWN, "who could not be asked has not said no"
    assert await gateway.statement("pay_1") is None
    assert (await gateway.test())["ok"] is False


async def test_a_wrong_key_moves_nothing_and_shows_in_the_test(sandbox):
    gateway = open_gateway("sandbox", sandbox.settings, {"api_key": "wrong"})
    call = call_for(Kind.AUTHORIZE)
    sent = await gateway.send(call)
    assert (sent.outcome, sent.error_code) == (Outcome.NOT_EXECUTED, "unauthorized")
    assert (await gateway.test())["ok"] is False
    assert sandbox.ledger(reference=call.our_reference) == []


async def test_what_happened_twice_needs_a_person(sandbox, gateway):
    payment = (await authorized(gateway)).payment_reference
    call = call_for(Kind.CAPTURE, payment, 100)
    await gateway.send(call)
    twin = msgspec.structs.replace(call, transaction_id="another-key-" + call.transaction_id)
    await gateway.send(twin)
    asked = await gateway.ask(call)
    assert (asked.outcome, asked.error_code) == (Outcome.UNKNOWN, "several_found")


async def test_a_key_that_did_something_else_is_unknown(gateway):
    payment = (await authorized(gateway)).payment_reference
    call = call_for(Kind.CAPTURE, payment, 100)
    await gateway.send(call)
    other = msgspec.structs.replace(call, amount=200)
    sent = await gateway.send(other)
    assert (sent.outcome, sent.error_code) == (Outcome.UNKNOWN, "idempotency_key_reused")
    asked = await gateway.ask(other)
    assert (asked.outcome, asked.error_code, asked.amount) == (
        Outcome.UNKNOWN, "amount_mismatch", 100,
    )  # fmt: skip


async def test_voiding_what_is_void_already_is_done(gateway):
    payment = (await authorized(gateway)).payment_reference
    assert (await gateway.send(call_for(Kind.VOID, payment, 1000))).error_code is None
    again = await gateway.send(call_for(Kind.VOID, payment, 1000))
    assert (again.outcome, again.error_code) == (Outcome.SUCCEEDED, "already_voided")


async def test_voiding_what_is_captured_is_declined(gateway):
    payment = (await authorized(gateway)).payment_reference
    await gateway.send(call_for(Kind.CAPTURE, payment, 1000))
    void = await gateway.send(call_for(Kind.VOID, payment, 1000))
    assert (void.outcome, void.error_code) == (Outcome.DECLINED, "already_captured")


async def test_a_pending_refund_is_unknown_until_it_has_ended(sandbox, gateway):
    payment = (await authorized(gateway, flow="payment")).payment_reference
    call = call_for(Kind.REFUND, payment, 300)
    sandbox.fault("pending_then_failed", reference=call.our_reference, seconds=60)
    assert (await gateway.send(call)).error_code == "pending"
    assert (await gateway.ask(call)).outcome is Outcome.UNKNOWN
    sandbox.clock(61)
    try:
        asked = await gateway.ask(call)
    finally:
        sandbox.clock(0)
    assert (asked.outcome, asked.error_code) == (Outcome.DECLINED, "failed")
    assert sandbox.ledger(reference=call.our_reference) == []


async def test_a_gateway_without_multi_capture_releases_the_rest(sandbox, http):
    settings = {**sandbox.settings, "multi_capture": False, "hold_seconds": 900}
    gateway = open_gateway("sandbox", settings, SECRET, http=http)
    payment = (await authorized(gateway)).payment_reference
    before = sandbox.payment(payment)
    assert before["expires_at"][:16] > before["created_at"][:16]
    call = call_for(Kind.CAPTURE, payment, 400)
    assert (await gateway.send(call)).outcome is Outcome.SUCCEEDED
    entries = [(one["kind"], one["amount"]) for one in sandbox.ledger(payment=payment)]
    assert entries == [("authorize", 1000), ("capture", 400), ("void", 600)]


async def test_a_statement_tells_the_totals_and_every_movement(gateway):
    payment = (await authorized(gateway)).payment_reference
    for kind, amount in ((Kind.CAPTURE, 600), (Kind.VOID, 100), (Kind.REFUND, 50)):
        await gateway.send(call_for(kind, payment, amount))
    told = await gateway.statement(payment)
    sums = (told.authorized, told.captured, told.voided, told.expired, told.refunded)
    assert sums == (1000, 600, 100, 0, 50)
    kinds = [one.kind for one in told.movements]
    assert kinds == ["AUTHORIZE", "CAPTURE", "VOID", "REFUND"]
    assert all(one.our_reference and one.at.tzinfo for one in told.movements)
    assert told.expires_at is not None
    assert await gateway.statement("pay_nowhere") is None


# ------------------------------------------------------------------- what the checkout says it did


@pytest.mark.parametrize("flow", ["auth", "payment"])
async def test_an_authorisation_of_the_checkout_is_verified(sandbox, gateway, flow):
    made = await authorized(gateway, flow=flow)
    claim = call_for(Kind.AUTHORIZE, made.payment_reference, 1000, flow=flow)
    before = len(sandbox.ledger())
    for answer in (await gateway.send(claim), await gateway.ask(claim)):
        assert answer.outcome is Outcome.SUCCEEDED
        assert answer.gateway_transaction_id == made.gateway_transaction_id
        assert (answer.payment_reference, answer.amount) == (made.payment_reference, 1000)
    assert len(sandbox.ledger()) == before, "nothing was moved by looking"


async def test_a_false_claim_is_not_believed(sandbox, gateway):
    made = (await authorized(gateway)).payment_reference

    async def claim(payment=made, amount=1000, **more):
        call = call_for(Kind.AUTHORIZE, payment, amount)
        answer = await gateway.send(msgspec.structs.replace(call, **more))
        return answer.outcome, answer.error_code

    assert await claim(amount=900) == (Outcome.UNKNOWN, "amount_mismatch")
    assert await claim(currency="USD") == (Outcome.UNKNOWN, "currency_mismatch")
    assert await claim(flow="payment") == (Outcome.UNKNOWN, "amount_mismatch")
    assert await claim("pay_nowhere") == (Outcome.DECLINED, "payment_not_found")
    await gateway.send(call_for(Kind.VOID, made, 1000))
    assert await claim() == (Outcome.DECLINED, "voided")
    taken = (await authorized(gateway)).payment_reference
    await gateway.send(call_for(Kind.CAPTURE, taken, 10))
    assert await claim(taken) == (Outcome.UNKNOWN, "state_mismatch")
    refused = call_for(Kind.AUTHORIZE)
    sandbox.fault("decline", reference=refused.our_reference)
    declined = await gateway.send(refused)
    assert await claim(declined.payment_reference) == (Outcome.DECLINED, "declined")


@pytest.mark.parametrize("fault", ["5xx_before", "garbage_200", "truncated_200", "missing_200"])
async def test_a_claim_that_cannot_be_checked_stays_open(sandbox, gateway, fault):
    made = (await authorized(gateway)).payment_reference
    sandbox.fault(fault, kind="payment", payment=made)
    claim = call_for(Kind.AUTHORIZE, made, 1000)
    assert (await gateway.send(claim)).outcome is Outcome.UNKNOWN
    assert (await gateway.ask(claim)).outcome is Outcome.SUCCEEDED


# ------------------------------------------------------------------------------------------ set-up


def test_what_a_gateway_can_do_is_narrowed_by_its_settings(sandbox):
    gateway = open_gateway(
        "sandbox", {**sandbox.settings, "partial_capture": False, "hold_seconds": 900}, SECRET
    )
    assert gateway.capabilities.partial_capture is False
    assert gateway.capabilities.hold_seconds == 900
    assert gateway.capabilities == capabilities(
        "sandbox", {"partial_capture": False, "hold_seconds": 900}
    )
    assert open_gateway("manual", {}, {}).capabilities.instant is True


@pytest.mark.parametrize(
    ("kind", "settings", "credentials"),
    [
        ("bank", {}, {}),
        ("sandbox", {}, SECRET),
        ("sandbox", {"base_url": "nonsense"}, SECRET),
        ("sandbox", {"base_url": "http://localhost:1", "deadline_s": 0}, SECRET),
        ("sandbox", {"base_url": "http://localhost:1", "partial_capture": "no"}, SECRET),
        ("sandbox", {"base_url": "http://localhost:1"}, {}),
        ("sandbox", {"base_url": "http://localhost:1"}, {"api_key": "a\r\nb"}),
        ("sandbox", {"base_url": "http://localhost:1"}, {**SECRET, "webhook_secret": "CANARY!"}),
        ("sandbox", {"base_url": "http://localhost:1", "account": "a b"}, SECRET),
        ("sandbox", {"base_url": "http://localhost:1", "livemode": "yes"}, SECRET),
    ],
)
def test_what_is_set_up_wrongly_is_refused_without_telling_secrets(kind, settings, credentials):
    with pytest.raises(GatewayMisconfigured) as raised:
        open_gateway(kind, settings, credentials)
    assert raised.value.status == 422
    assert "CANARY" not in raised.value.detail
