"""Zip over real HTTP: tokens, the shopper's page, time running out, keys and references."""

import asyncio
import json
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec
import pytest
import pytest_asyncio

from counterfoil.gateways import open_gateway
from counterfoil.gateways.zip_token import Grant, Tokens, tokens_of
from counterfoil.kernel.http import Http
from counterfoil.order.gateway import Kind, Outcome
from tests.gateways.raw import Caller, RawServer
from tests.gateways.zip_rig import (
    BACK,
    WHOLE,
    gateway_at,
    ordered,
    shopper,
    zip_call,
    zip_settings,
)
from tests.ports import free_port
from tests.sandbox.server import API_KEY, start_sandbox


@pytest.fixture(scope="module")
def zip_sandbox(tmp_path_factory):
    """A sandbox of this file's own: its clock is moved and its tokens are counted."""
    running = start_sandbox(tmp_path_factory.mktemp("zip"))
    yield running
    running.stop()
    running.client.close()


@pytest.fixture(autouse=True)
def afterwards(zip_sandbox):
    yield
    zip_sandbox.clear()
    zip_sandbox.call("POST", "/zip/control", {"token_s": 86_400})


@pytest_asyncio.fixture
async def fresh():
    """A client for HTTP that has no token yet."""
    async with Http(trusted=True) as client:
        yield client


def tokens_asked(sandbox):
    return sandbox.call("GET", "/zip/control")["token_requests"]


async def authorised(sandbox, gateway, amount=1000, flow="auth"):
    call, answer = await ordered(gateway, amount, flow)
    shopper(sandbox, answer.payment_reference, "approve")
    return call.payment_reference


# ------------------------------------------------------------------------------------------- tokens


async def test_twenty_at_once_fetch_one_token(zip_sandbox, fresh):
    before = tokens_asked(zip_sandbox)
    gateways = [gateway_at(zip_sandbox, fresh) for _ in range(20)]
    told = await asyncio.gather(*(one.statement("pay_none") for one in gateways))
    assert told == [None] * 20
    assert tokens_asked(zip_sandbox) == before + 1
    again = gateway_at(zip_sandbox, fresh)
    await again.statement("pay_none")
    assert tokens_asked(zip_sandbox) == before + 1, "an adapter that is opened later has it too"


async def test_a_token_that_is_refused_is_renewed_once_and_the_request_repeated(zip_sandbox, fresh):
    gateway = gateway_at(zip_sandbox, fresh)
    payment = await authorised(zip_sandbox, gateway)
    before = tokens_asked(zip_sandbox)
    zip_sandbox.call("POST", "/zip/control", {"forget_tokens": True})
    calls = [zip_call(Kind.CAPTURE, payment, 100) for _ in range(5)]
    answers = await asyncio.gather(*(gateway.send(call) for call in calls))
    assert {one.outcome for one in answers} == {Outcome.SUCCEEDED}
    assert tokens_asked(zip_sandbox) == before + 1
    told = [one["answer"]["status"] for answer in answers for one in answer.raw.get("before", [])]
    assert 401 in told
    assert zip_sandbox.payment(payment)["captured"] == 500


async def test_a_token_is_renewed_before_its_end(zip_sandbox, fresh):
    zip_sandbox.call("POST", "/zip/control", {"token_s": 2})
    gateway = gateway_at(zip_sandbox, fresh)
    before = tokens_asked(zip_sandbox)
    await gateway.statement("pay_none")
    await gateway.statement("pay_none")
    assert tokens_asked(zip_sandbox) == before + 1
    await asyncio.sleep(1.1)
    await gateway.statement("pay_none")
    assert tokens_asked(zip_sandbox) == before + 2


async def test_a_long_token_is_renewed_five_minutes_before_its_end(zip_sandbox, fresh):
    settings = zip_settings(zip_sandbox)
    grant = Grant(settings["auth_url"], "https://auth.example", "zip", API_KEY)
    token, waited = await Tokens().take(fresh, grant, 5)
    assert waited
    assert token.ends_at - token.renew_at == 300
    assert API_KEY not in repr(grant)
    assert token.text not in repr(token)
    assert grant.key != msgspec.structs.replace(grant, client_secret="other").key


async def test_credentials_that_are_wrong_move_nothing(zip_sandbox, fresh):
    wrong = {"client_id": "zip", "client_secret": "CANARY-wrong"}
    gateway = gateway_at(zip_sandbox, fresh, wrong)
    for call in (zip_call(Kind.CAPTURE, "pay_1"), zip_call(Kind.REFUND, "pay_1")):
        sent = await gateway.send(call)
        assert (sent.outcome, sent.error_code) == (Outcome.NOT_EXECUTED, "unauthorized")
        assert "CANARY" not in json.dumps(msgspec.to_builtins(sent))
        assert (await gateway.ask(call)).outcome is Outcome.UNKNOWN
    tried = await gateway.test()
    assert tried["ok"] is False
    assert (await gateway_at(zip_sandbox, fresh).test())["ok"] is True


async def test_nobody_there_means_not_executed(fresh):
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings = {"base_url": nowhere, "auth_url": f"{nowhere}/token"}
    gateway = open_gateway("zip", settings, WHOLE, http=fresh)
    sent = await gateway.send(zip_call(Kind.CAPTURE, "pay_1"))
    assert (sent.outcome, sent.error_code) == (Outcome.NOT_EXECUTED, "unreachable")
    assert (await gateway.test())["ok"] is False


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"{}", "invalid_answer"),
        (200, b'{"access_token": "a b", "expires_in": 9}', "invalid_answer"),
        (200, b'{"access_token": "a", "expires_in": 0}', "invalid_answer"),
        (400, b"", "unauthorized"),
        (403, b"", "unauthorized"),
        (429, b"", "rate_limited"),
        (500, b"", "http_500"),
    ],
)
async def test_without_a_token_nothing_is_sent(fresh, status, body, code):
    async def behave(caller: Caller) -> None:
        await caller.answer(status, body, "connection: close", "retry-after: 7")

    async with RawServer(behave) as server:
        settings = {"base_url": server.url, "auth_url": f"{server.url}/token"}
        gateway = open_gateway("zip", settings, WHOLE, http=fresh)
        sent = await gateway.send(zip_call(Kind.CAPTURE, "pay_1"))
        paths = {one.split(b" ")[1] for one in server.requests}
    assert (sent.outcome, sent.error_code) == (Outcome.NOT_EXECUTED, code)
    assert sent.retry_after_s == (7 if status == 429 else None)
    assert paths == {b"/token"}


async def test_a_token_that_does_not_come_ends_with_the_deadline(fresh):
    async def behave(caller: Caller) -> None:
        await asyncio.sleep(30)

    async with RawServer(behave) as server:
        settings = {"base_url": server.url, "auth_url": server.url, "deadline_s": 0.4}
        gateways = [open_gateway("zip", settings, WHOLE, http=fresh) for _ in range(3)]
        call = zip_call(Kind.CAPTURE, "pay_1")
        answers = await asyncio.gather(*(one.send(call) for one in gateways))
        assert len(server.requests) == 1
    told = {(one.outcome, one.error_code) for one in answers}
    assert told == {(Outcome.NOT_EXECUTED, "timeout")}


async def test_who_gives_up_waiting_leaves_the_token_to_the_others(zip_sandbox, fresh):
    settings = zip_settings(zip_sandbox)
    grant = Grant(settings["auth_url"], "https://auth.example", "zip", API_KEY)
    tokens = tokens_of(fresh)
    first = asyncio.create_task(tokens.take(fresh, grant, 5))
    await asyncio.sleep(0)
    second = asyncio.create_task(tokens.take(fresh, grant, 5))
    await asyncio.sleep(0)
    first.cancel()
    token, _ = await second
    assert (await tokens.take(fresh, grant, 5)) == (token, False)


# ------------------------------------------------------------------------------------ the shopper


@pytest.mark.parametrize(("flow", "status"), [("auth", "Authorised"), ("payment", "Approved")])
async def test_the_shopper_confirms_and_only_the_question_is_believed(
    zip_sandbox, fresh, flow, status
):
    gateway = gateway_at(zip_sandbox, fresh)
    call, answer = await ordered(gateway, 1234, flow)
    assert answer.redirect_url.startswith(f"{zip_sandbox.url}/zip/checkout/")
    assert answer.expires_at is not None
    waiting = await gateway.ask(call)
    assert (waiting.outcome, waiting.error_code) == (Outcome.UNKNOWN, "pending")
    assert waiting.redirect_url == answer.redirect_url
    page = zip_sandbox.client.get(answer.redirect_url)
    assert page.status_code == 200
    assert "Pay in instalments" in page.text
    back = shopper(zip_sandbox, answer.payment_reference, "approve")
    assert back.partition("?")[0] == BACK.partition("?")[0]
    query = dict(parse_qsl(urlsplit(back).query))
    assert query == {
        "order": "1001", "result": "confirmed", "orderId": answer.payment_reference,
    }  # fmt: skip
    asked = await gateway.ask(call)
    assert (asked.outcome, asked.amount) == (Outcome.SUCCEEDED, 1234)
    found = await gateway.statement(answer.payment_reference)
    assert found.status == status
    assert (found.authorized, found.captured) == (1234, 1234 if flow == "payment" else 0)
    kinds = [one["kind"] for one in zip_sandbox.ledger(reference=call.our_reference)]
    assert kinds == (["authorize", "capture"] if flow == "payment" else ["authorize"])
    assert shopper(zip_sandbox, answer.payment_reference, "decline") == back, "pressed too late"


@pytest.mark.parametrize(("does", "code"), [("decline", "declined"), ("leave", "abandoned")])
async def test_the_shopper_may_be_declined_or_leave(zip_sandbox, fresh, does, code):
    gateway = gateway_at(zip_sandbox, fresh)
    call, answer = await ordered(gateway)
    back = shopper(zip_sandbox, answer.payment_reference, does)
    assert parse_qs(urlsplit(back).query)["result"] == ["cancelled"]
    asked = await gateway.ask(call)
    assert (asked.outcome, asked.error_code) == (Outcome.DECLINED, code)
    capture = await gateway.send(zip_call(Kind.CAPTURE, call.payment_reference))
    assert (capture.outcome, capture.error_code) == (Outcome.DECLINED, "invalid_state")
    assert zip_sandbox.ledger(reference=call.our_reference) == []


async def test_somebody_elses_order_is_not_there(zip_sandbox, fresh):
    payment = await authorised(zip_sandbox, gateway_at(zip_sandbox, fresh))
    other = gateway_at(zip_sandbox, fresh, WHOLE)
    claim = await other.send(zip_call(Kind.AUTHORIZE, payment, 1000))
    assert (claim.outcome, claim.error_code) == (Outcome.DECLINED, "problem")
    assert await other.statement(payment) is None


# --------------------------------------------------------------------------------------------- time


@pytest.mark.proves("Z-15")
async def test_after_fifteen_minutes_an_authorisation_is_gone_unless_acknowledged(
    zip_sandbox, fresh
):
    gateway = gateway_at(zip_sandbox, fresh)
    kept = await authorised(zip_sandbox, gateway)
    lost = await authorised(zip_sandbox, gateway)
    assert (await gateway.send(zip_call(Kind.ACKNOWLEDGE, kept))).outcome is Outcome.SUCCEEDED
    zip_sandbox.clock(899)
    assert (await gateway.statement(lost)).status == "Authorised"
    zip_sandbox.clock(901)
    assert (await gateway.send(zip_call(Kind.CAPTURE, kept, 1000))).outcome is Outcome.SUCCEEDED
    found = await gateway.statement(lost)
    assert (found.status, found.expired) == ("Expired", 1000)
    capture = await gateway.send(zip_call(Kind.CAPTURE, lost, 1000))
    assert (capture.outcome, capture.error_code) == (Outcome.DECLINED, "order_expired")
    late = await gateway.ask(zip_call(Kind.ACKNOWLEDGE, lost))
    assert (late.outcome, late.error_code) == (Outcome.DECLINED, "expired")
    void = await gateway.send(zip_call(Kind.VOID, lost, 1000))
    assert (void.outcome, void.amount) == (Outcome.SUCCEEDED, 1000)


async def test_a_void_that_zip_refuses_in_words_unknown_is_done_where_the_order_expired(fresh):
    order = {"orderId": "pay_1", "amount": 7, "capturedAmount": None, "refundedAmount": None}

    async def behave(caller: Caller) -> None:
        if caller.request.startswith(b"POST /token"):
            await caller.answer(200, b'{"access_token": "a", "expires_in": 9}', "connection: close")
        elif caller.request.startswith(b"POST"):
            await caller.answer(400, b'{"errorCode": "MRM099"}', "connection: close")
        else:
            told = json.dumps(order | {"orderStatus": status}).encode()
            await caller.answer(200, told, "connection: close")

    async with RawServer(behave) as server:
        settings = {"base_url": server.url, "auth_url": f"{server.url}/token"}
        gateway = open_gateway("zip", settings, WHOLE, http=fresh)
        status = "Expired"
        void = await gateway.send(zip_call(Kind.VOID, "pay_1"))
        assert (void.outcome, void.error_code) == (Outcome.SUCCEEDED, "expired")
        assert void.raw["before"][0]["answer"]["status"] == 400
        status = "Authorised"
        void = await gateway.send(zip_call(Kind.VOID, "pay_1"))
        assert (void.outcome, void.error_code) == (Outcome.DECLINED, "MRM099")


async def test_a_void_of_what_is_void_is_done_and_of_what_is_captured_is_not(zip_sandbox, fresh):
    gateway = gateway_at(zip_sandbox, fresh)
    payment = await authorised(zip_sandbox, gateway)
    assert (await gateway.send(zip_call(Kind.VOID, payment, 400))).error_code is None
    assert (await gateway.send(zip_call(Kind.VOID, payment, 600))).error_code is None
    again = await gateway.send(zip_call(Kind.VOID, payment, 600))
    assert (again.outcome, again.error_code) == (Outcome.SUCCEEDED, "order_voided")
    taken = await authorised(zip_sandbox, gateway)
    await gateway.send(zip_call(Kind.CAPTURE, taken, 1000))
    void = await gateway.send(zip_call(Kind.VOID, taken, 1000))
    assert (void.outcome, void.error_code) == (Outcome.DECLINED, "invalid_state")


# ------------------------------------------------------------------------------------- its own ways


@pytest.mark.proves("Z-18")
async def test_without_the_scope_only_everything_can_be_captured(zip_sandbox, fresh):
    gateway = gateway_at(zip_sandbox, fresh, WHOLE)
    payment = await authorised(zip_sandbox, gateway)
    part = await gateway.send(zip_call(Kind.CAPTURE, payment, 999))
    assert (part.outcome, part.error_code) == (Outcome.DECLINED, "problem")
    assert "scope" in part.error_message
    call = zip_call(Kind.CAPTURE, payment, 1000)
    assert (await gateway.send(call)).outcome is Outcome.SUCCEEDED
    assert (await gateway.send(call)).outcome is Outcome.SUCCEEDED
    assert zip_sandbox.payment(payment)["captured"] == 1000


@pytest.mark.parametrize("kind", [Kind.CAPTURE, Kind.VOID, Kind.REFUND, Kind.ACKNOWLEDGE])
async def test_a_202_is_as_good_as_what_is_documented(zip_sandbox, fresh, kind):
    gateway = gateway_at(zip_sandbox, fresh)
    flow = "payment" if kind == Kind.REFUND else "auth"
    payment = await authorised(zip_sandbox, gateway, flow=flow)
    call = zip_call(kind, payment)
    zip_sandbox.fault("202", reference=call.our_reference)
    zip_sandbox.fault("202", kind="payment", payment=payment)
    answer = await gateway.send(call)
    assert answer.raw["answer"]["status"] == 202
    assert (answer.outcome, answer.error_code) == (Outcome.SUCCEEDED, None)
    assert await gateway.statement(payment) is not None


async def test_a_refund_reference_used_again_gets_the_first_answer_only_once_paid(
    zip_sandbox, fresh
):
    gateway = gateway_at(zip_sandbox, fresh)
    payment = await authorised(zip_sandbox, gateway, flow="payment")
    call = zip_call(Kind.REFUND, payment, 300)
    first = await gateway.send(call)
    twin = msgspec.structs.replace(call, transaction_id="another-key")
    second = await gateway.send(twin)
    assert second.gateway_transaction_id == first.gateway_transaction_id
    other = msgspec.structs.replace(twin, transaction_id="a-third-key", amount=500)
    third = await gateway.send(other)
    assert (third.outcome, third.error_code, third.amount) == (
        Outcome.UNKNOWN, "amount_mismatch", 300,
    )  # fmt: skip
    assert zip_sandbox.payment(payment)["refunded"] == 300


async def test_a_key_that_did_something_else_is_unknown(zip_sandbox, fresh):
    gateway = gateway_at(zip_sandbox, fresh)
    call = zip_call(Kind.CAPTURE, await authorised(zip_sandbox, gateway), 100)
    await gateway.send(call)
    sent = await gateway.send(msgspec.structs.replace(call, amount=200))
    assert (sent.outcome, sent.error_code) == (Outcome.UNKNOWN, "idempotency_key_reused")
