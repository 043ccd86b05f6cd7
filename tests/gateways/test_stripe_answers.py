"""How Stripe's answers are sorted, and what goes over the wire."""

import json
import typing

import msgspec
import pytest
import stripe
from stripe._api_version import _ApiVersion

from counterfoil.gateways import GatewayMisconfigured, open_gateway
from counterfoil.gateways.stripe_gateway import API_VERSION
from counterfoil.gateways.stripe_verdict import CODES, ERRORS
from counterfoil.kernel.guard import in_transaction
from counterfoil.order.gateway import PENDING, Kind
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
from tests.ports import free_port
from tests.sandbox.server import API_KEY


@pytest.fixture
def gateway(sandbox, http):
    settings = {"base_url": sandbox.url + "/stripe", "payment_method": "pm_card_visa"}
    return open_gateway("stripe", settings, KEY, http=http)


# ----------------------------------------------------------------------------- the table of answers


ANSWERS = [
    (200, b"", U, "invalid_answer"),
    (204, b"", U, "http_204"),
    (200, b"[]", U, "invalid_answer"),
    (200, b"[" * 60_000, U, "invalid_answer"),
    (200, b'{"id": NaN}', U, "invalid_answer"),
    (200, b'{"id": "\xff"}', U, "invalid_answer"),
    (200, intent(id=""), U, "invalid_answer"),
    (200, intent(amount_received="700"), U, "invalid_answer"),
    (200, intent(amount_received=None), U, "invalid_answer"),
    (200, intent(filler="x" * 600_000), U, "invalid_answer"),
    (200, intent(), S, None),
    (201, intent(), S, None),
    (200, intent(status="processing"), U, PENDING),
    (200, intent(status="SUCCEEDED"), U, "unknown_status"),
    (200, intent(status="requires_capture"), U, "unknown_status"),
    (200, intent(amount_received=701), U, "amount_mismatch"),
    (200, intent(currency="usd"), U, "currency_mismatch"),
    (200, intent(id="pi_2"), U, "payment_mismatch"),
    (200, intent(metadata={"capture_reference": "other"}), U, "reference_mismatch"),
    (202, intent(), U, "http_202"),
    (302, b"", U, "http_302"),
    (400, b"<html>", U, "http_400"),
    (400, b'{"error": []}', U, "http_400"),
    (400, b'{"error": "invalid_client"}', U, "http_400"),
    (400, error(INVALID), D, "invalid_request"),
    (400, error(INVALID, "brand_new_code"), U, "brand_new_code"),
    (400, error("brand_new_error", "charge_already_refunded"), U, "charge_already_refunded"),
    (400, error("idempotency_error"), U, "idempotency_error"),
    (400, error(INVALID, "charge_already_refunded"), D, "charge_already_refunded"),
    (400, error(INVALID, "charge_expired_for_capture"), D, "charge_expired_for_capture"),
    (400, error(INVALID, "payment_intent_unexpected_state"), D, "payment_intent_unexpected_state"),
    (400, error(INVALID, "rate_limit"), N, "rate_limited"),
    (401, b"", U, "http_401"),
    (401, error(INVALID), N, "unauthorized"),
    (401, error(INVALID, "api_key_expired"), N, "api_key_expired"),
    (402, b"", U, "http_402"),
    (402, error("card_error", "card_declined"), D, "declined"),
    (402, error("card_error", "card_declined", decline_code="generic_decline"), D, "declined"),
    (402, error("card_error", "card_declined", decline_code="lost_card"), D, "lost_card"),
    (402, error("card_error", "expired_card"), D, "expired_card"),
    (402, error("card_error"), D, "declined"),
    (402, error("api_error", "card_declined"), U, "declined"),
    (403, error(INVALID), N, "forbidden"),
    (404, b"not here", U, "http_404"),
    (404, error(INVALID), U, "http_404"),
    (404, error(INVALID, "resource_missing"), D, "resource_missing"),
    (409, error(INVALID), U, "http_409"),
    (409, error(INVALID, "idempotency_key_in_use"), N, "in_use"),
    (409, error(INVALID, "lock_timeout"), N, "lock_timeout"),
    (418, error("card_error", "card_declined"), U, "declined"),
    (424, error("api_error"), U, "http_424"),
    (429, b"", N, "rate_limited"),
    (429, error(INVALID, "rate_limit"), N, "rate_limited"),
    (429, error(INVALID, "lock_timeout"), N, "lock_timeout"),
    (500, error("api_error"), U, "internal"),
    (500, error("card_error", "card_declined"), U, "declined"),
    (502, b"<html>", U, "http_502"),
    (503, error("api_error"), U, "unavailable"),
    (503, error(INVALID, "idempotency_key_in_use"), U, "in_use"),
]


@pytest.mark.parametrize(("status", "body", "outcome", "code"), ANSWERS)
async def test_every_answer_has_its_outcome(http, status, body, outcome, code):
    call = call_for(Kind.CAPTURE, "pi_1")
    answered = await answered_with(http, call, status, body)
    assert said(answered) == (outcome, code)
    if outcome is S:
        assert (answered.gateway_transaction_id, answered.payment_reference) == ("ch_1", "pi_1")


def documented_codes() -> set[str]:
    return set(_texts(stripe.PaymentIntent.LastPaymentError.__annotations__["code"]))


def _texts(hint) -> typing.Iterator[str]:
    for one in typing.get_args(hint):
        if isinstance(one, str):
            yield one
        else:
            yield from _texts(one)


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_every_code_that_the_library_knows_is_sorted_on_purpose(http, status):
    """A code of the table is documented; one that is not in the table leaves a doubt."""
    codes = documented_codes()
    assert len(codes) > 150
    assert {code for code in CODES if code} <= codes
    for code in sorted(codes):
        call = call_for(Kind.REFUND, "pi_1")
        answer = await answered_with(http, call, status, error(INVALID, code))
        assert answer.outcome is CODES.get(code, U), code


def test_only_what_is_documented_is_definitive():
    assert {status for (status, _), outcome in ERRORS.items() if outcome is not U} == {
        401, 402, 403, 429,
    }  # fmt: skip
    assert set(ERRORS.values()) | set(CODES.values()) == {D, N, U}


async def test_a_refusal_whose_payment_says_yes_is_a_contradiction(http):
    body = error("card_error", "card_declined", payment_intent=intent(status="requires_capture"))
    answer = await answered_with(http, call_for(Kind.AUTHORIZE), 402, body)
    assert said(answer) == (U, "contradiction")
    body = error("card_error", "card_declined", payment_intent=intent(status="canceled"))
    answer = await answered_with(http, call_for(Kind.AUTHORIZE), 402, body)
    assert (answer.outcome, answer.payment_reference) == (D, "pi_1")


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", 7), ("99999", 300), ("9" * 5000, None), ("soon", None), ("-1", None), ("²", None)],
)
async def test_retry_after_is_heard_and_bounded(http, header, wait):
    call = call_for(Kind.REFUND, "pi_1")
    told = f"retry-after: {header}"
    assert (await answered_with(http, call, 429, b"", told)).retry_after_s == wait
    body = error(INVALID, "rate_limit")
    assert (await answered_with(http, call, 429, body, told)).retry_after_s == wait


# ---------------------------------------------------------------------------------------- the wire


async def test_what_leaves_us_is_what_stripe_needs_and_no_more(http):
    async def refuse(caller: Caller) -> None:
        await caller.answer(
            400, b"{}", "Request-Id: req_1", "stripe-notice: hear", "connection: close"
        )

    call = call_for(Kind.REFUND, "pi_1")
    async with RawServer(refuse) as server:
        settings = {"base_url": server.url, "account": "acct_1"}
        gateway = open_gateway("stripe", settings, KEY, http=http)
        for _ in range(2):
            await gateway.send(call)
        heads = [sent.split(b"\r\n\r\n")[0].decode().lower() for sent in server.requests]
    for head in heads:
        lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        assert lines["idempotency-key"] == call.transaction_id
        assert lines["stripe-version"] == API_VERSION
        assert lines["stripe-account"] == "acct_1"
        assert lines["user-agent"] == "counterfoil"
        assert set(lines) == {
            "host", "content-type", "content-length", "authorization", "idempotency-key",
            "stripe-version", "stripe-account", "user-agent", "accept-encoding", "accept",
            "connection",
        }  # fmt: skip
    assert stripe.enable_telemetry is False


def test_the_version_is_the_one_that_the_library_was_made_for():
    """When it changes: read Stripe's changelog, then the shapes, then this."""
    assert API_VERSION == _ApiVersion.CURRENT


async def test_no_exchange_runs_inside_a_transaction(gateway):
    token = in_transaction.set(True)
    try:
        with pytest.raises(AssertionError):
            await gateway.send(call_for(Kind.AUTHORIZE))
    finally:
        in_transaction.reset(token)


async def test_nobody_there_means_not_executed(http):
    settings = {"base_url": f"http://127.0.0.1:{free_port()}", "payment_method": "pm_card_visa"}
    gateway = open_gateway("stripe", settings, KEY, http=http)
    for kind in (Kind.AUTHORIZE, Kind.CAPTURE, Kind.VOID, Kind.REFUND):
        payment = None if kind is Kind.AUTHORIZE else "pi_1"
        sent = await gateway.send(call_for(kind, payment))
        assert sent.outcome is N
        assert sent.error_code in ("unreachable", "circuit_open")
        assert sent.raw["failure"]["sent"] is False
        assert (await gateway.ask(call_for(kind, payment))).outcome is U
    assert await gateway.statement("pi_1") is None
    assert (await gateway.test())["ok"] is False


async def test_a_wrong_key_moves_nothing_and_shows_in_the_test(sandbox):
    settings = {"base_url": sandbox.url + "/stripe", "payment_method": "pm_card_visa"}
    gateway = open_gateway("stripe", settings, {"api_key": "sk_test_wrong"})
    call = call_for(Kind.AUTHORIZE)
    assert said(await gateway.send(call)) == (N, "unauthorized")
    assert (await gateway.ask(call)).outcome is U
    assert (await gateway.test())["ok"] is False
    assert sandbox.ledger(reference=call.our_reference) == []


async def test_nothing_secret_and_nobodys_name_is_kept(http):
    async def echo(caller: Caller) -> None:
        told = intent(
            client_secret="pi_1_secret_CANARY", receipt_email="jo@example.com",
            note=f"{API_KEY} pi_1_secret_CANARY", sent=caller.request.decode(), nul="a\0b",
            latest_charge={"id": "ch_1", "billing_details": {"name": "Jo"}},
        )  # fmt: skip
        await caller.answer(200, json.dumps(told).encode(), "connection: close")

    async with RawServer(echo) as server:
        settings = {"base_url": server.url, "payment_method": "pm_card_visa"}
        gateway = open_gateway("stripe", settings, KEY, http=http)
        answers = [
            await gateway.send(call_for(Kind.AUTHORIZE)),
            await gateway.send(call_for(Kind.VOID, "pi_1", 700)),
        ]
    for answer in answers:
        kept = json.dumps(msgspec.to_builtins(answer))
        for secret in (API_KEY, "CANARY", "jo@example.com", '"Jo"', "client_secret"):
            assert secret not in kept, secret
        assert "[hidden]" in kept
        assert "\0" not in answer.raw["answer"]["body"]
    assert answers[1].raw["before"][0]["request"]["method"] == "GET"


# ------------------------------------------------------------------------------------------ set-up


@pytest.mark.parametrize(
    ("settings", "credentials"),
    [
        ({}, {}),
        ({}, {"api_key": ""}),
        ({}, {"api_key": "sk_\r\nx"}),
        ({}, {"api_key": "sk_1", "webhook_secret": "a b"}),
        ({"base_url": "nonsense"}, KEY),
        ({"deadline_s": 0}, KEY),
        ({"api_version": "newest"}, KEY),
        ({"account": "someone"}, KEY),
        ({"payment_method": "pm 1"}, KEY),
        ({"payment_method_types": []}, KEY),
    ],
)
def test_what_is_set_up_wrongly_is_refused_without_telling_secrets(settings, credentials):
    with pytest.raises(GatewayMisconfigured) as raised:
        open_gateway("stripe", settings, credentials)
    assert "CANARY" not in raised.value.detail


def test_what_stripe_can_do_may_be_narrowed():
    able = open_gateway("stripe", {"partial_capture": False, "hold_seconds": 900}, KEY).capabilities
    assert (able.partial_capture, able.hold_seconds, able.multi_capture) == (False, 900, False)
