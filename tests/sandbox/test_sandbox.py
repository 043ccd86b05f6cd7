"""The sandbox itself: its rules, its faults, and that its ledger survives what it survives."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx2
import pytest

from tests.sandbox.server import API_KEY, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), hang_s=1)
    yield running
    running.stop()
    running.client.close()


@pytest.fixture(autouse=True)
def afterwards(sandbox):
    yield
    sandbox.clear()


def post(sandbox, path, body, key):
    """Send once and return status and body, whatever they are."""
    headers = {"authorization": f"Bearer {API_KEY}", "idempotency-key": key}
    answer = sandbox.client.post(sandbox.url + path, json=body, headers=headers)
    return answer.status_code, answer.json()


def authorize(sandbox, reference, amount=1000, **more):
    body = {"amount": amount, "currency": "EUR", "reference": reference, **more}
    status, told = post(sandbox, "/v1/payments", body, f"key-{reference}")
    assert status == 201, told
    return told["payment"]


def move(sandbox, payment, what, amount, reference, key=None):
    body = {"amount": amount, "currency": "EUR", "reference": reference}
    return post(sandbox, f"/v1/payments/{payment}/{what}", body, key or f"key-{reference}")


def code(answer):
    status, told = answer
    return status, told["error"]["code"]


# ------------------------------------------------------------------------------------------- rules


def test_money_is_authorised_captured_voided_and_refunded_within_its_bounds(sandbox):
    payment = authorize(sandbox, "a1")
    assert move(sandbox, payment, "captures", 600, "a2")[0] == 201
    assert code(move(sandbox, payment, "captures", 401, "a3")) == (422, "amount_too_large")
    assert code(move(sandbox, payment, "voids", 401, "a4")) == (422, "amount_too_large")
    assert move(sandbox, payment, "voids", 400, "a5")[0] == 201
    assert code(move(sandbox, payment, "captures", 1, "a6")) == (409, "already_voided")
    assert code(move(sandbox, payment, "refunds", 601, "a7")) == (422, "amount_too_large")
    assert move(sandbox, payment, "refunds", 600, "a8")[0] == 201
    seen = sandbox.payment(payment)
    sums = [seen[name] for name in ("authorized", "captured", "voided", "expired", "refunded")]
    assert (sums, seen["status"]) == ([1000, 600, 400, 0, 600], "captured")
    entries = [
        (one["kind"], one["amount"], one["reference"]) for one in sandbox.ledger(payment=payment)
    ]
    assert entries == [
        ("authorize", 1000, "a1"),
        ("capture", 600, "a2"),
        ("void", 400, "a5"),
        ("refund", 600, "a8"),
    ]


def test_refusals_name_their_reason(sandbox):
    payment = authorize(sandbox, "b1")
    assert code(move(sandbox, payment, "refunds", 1, "b2")) == (409, "nothing_captured")
    assert code(move(sandbox, "pay_none", "captures", 1, "b3")) == (404, "payment_not_found")
    body = {"amount": 1, "currency": "USD", "reference": "b4"}
    answer = post(sandbox, f"/v1/payments/{payment}/captures", body, "b4")
    assert code(answer) == (422, "currency_mismatch")
    for amount in (0, -1, 10**12, "5", 1.5, True, None):
        assert code(move(sandbox, payment, "captures", amount, "b5")) == (400, "malformed")
    assert code(post(sandbox, "/v1/payments", {"colour": "red"}, "b6")) == (400, "malformed")
    assert code(post(sandbox, "/v1/nothing", {}, "b7")) == (404, "not_found")
    assert len(sandbox.ledger(payment=payment)) == 1


def test_nobody_gets_in_without_the_key_but_the_reference_is_open(sandbox):
    for path in ("/v1/ledger", "/v1/ping", "/control/faults"):
        for headers in ({}, {"authorization": "Bearer wrong"}):
            answer = sandbox.client.get(sandbox.url + path, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    reference = sandbox.client.get(sandbox.url + "/openapi.json").json()
    assert "/v1/payments/{payment_id}/refunds" in reference["paths"]
    assert "hang_after_effect" in str(reference["components"])


# -------------------------------------------------------------------------------- idempotency keys


def test_a_key_is_answered_once_and_refuses_another_body(sandbox):
    payment = authorize(sandbox, "c1")
    first = move(sandbox, payment, "captures", 100, "c2")
    assert move(sandbox, payment, "captures", 100, "c2") == first
    other = move(sandbox, payment, "captures", 101, "c2")
    assert code(other) == (409, "idempotency_key_reused")
    elsewhere = move(sandbox, payment, "voids", 100, "c2")
    assert code(elsewhere) == (409, "idempotency_key_reused")
    assert len(sandbox.ledger(reference="c2")) == 1


def test_a_key_is_in_use_while_its_first_request_runs(sandbox):
    payment = authorize(sandbox, "d1")
    sandbox.fault("hang_before", reference="d2", seconds=1)
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(move, sandbox, payment, "captures", 100, "d2")
        time.sleep(0.3)
        assert code(move(sandbox, payment, "captures", 100, "d2")) == (409, "in_use")
        assert code(slow.result()) == (504, "timeout")
    assert move(sandbox, payment, "captures", 100, "d2")[0] == 201


def test_a_key_is_free_again_when_its_caller_has_gone(sandbox):
    payment = authorize(sandbox, "e1")
    sandbox.fault("hang_after_effect", reference="e2", seconds=30)
    address = f"{sandbox.url}/v1/payments/{payment}/captures"
    body = {"amount": 1, "currency": "EUR", "reference": "e2"}
    headers = {"authorization": f"Bearer {API_KEY}", "idempotency-key": "key-e2"}
    with httpx2.Client(timeout=0.2) as impatient, pytest.raises(httpx2.ReadTimeout):
        impatient.post(address, json=body, headers=headers)
    time.sleep(0.1)
    assert move(sandbox, payment, "captures", 1, "e2")[0] == 201
    assert len(sandbox.ledger(reference="e2")) == 1


def test_after_its_lifetime_a_key_is_a_new_request(sandbox):
    payment = authorize(sandbox, "f1")
    move(sandbox, payment, "captures", 100, "f2")
    sandbox.clock(86_399)
    move(sandbox, payment, "captures", 100, "f2")
    assert len(sandbox.ledger(reference="f2")) == 1
    sandbox.clock(86_401)
    move(sandbox, payment, "captures", 100, "f2")
    assert len(sandbox.ledger(reference="f2")) == 2


# -------------------------------------------------------------------------------------------- time


def test_an_authorisation_expires_unless_it_is_acknowledged(sandbox):
    kept, lost = (
        authorize(sandbox, "g1", hold_seconds=900),
        authorize(sandbox, "g2", hold_seconds=900),
    )
    assert move(sandbox, lost, "captures", 300, "g3")[0] == 201
    path = f"/v1/payments/{kept}/acknowledge"
    assert post(sandbox, path, {"reference": "g4"}, "g4")[0] == 201
    sandbox.clock(901)
    assert code(move(sandbox, lost, "captures", 1, "g5")) == (409, "authorization_expired")
    assert move(sandbox, kept, "captures", 1, "g6")[0] == 201
    seen = sandbox.payment(lost)
    assert (seen["expired"], seen["captured"], seen["status"]) == (700, 300, "captured")
    assert [one["kind"] for one in sandbox.ledger(payment=lost)] == [
        "authorize",
        "capture",
        "expire",
    ]
    again = post(
        sandbox, f"/v1/payments/{authorize(sandbox, 'g7')}/acknowledge", {"reference": "g8"}, "g8"
    )
    assert again[0] == 201


@pytest.mark.parametrize(
    ("fault", "at_first", "later", "kinds"),
    [
        ("pending", "pending", "succeeded", ["refund"]),
        ("pending_then_failed", "pending", "failed", []),
        ("fails_later", "succeeded", "failed", ["refund", "reversal"]),
    ],
)
def test_a_refund_may_end_later(sandbox, fault, at_first, later, kinds):
    payment = authorize(sandbox, f"h1{fault}", capture=True)
    sandbox.fault(fault, kind="refund", seconds=100)
    reference = f"h2{fault}"
    assert move(sandbox, payment, "refunds", 400, reference)[1]["status"] == at_first
    assert sandbox.payment(payment)["refunded"] == 400, "reserved meanwhile"
    sandbox.clock(101)
    found = sandbox.call("GET", f"/v1/operations?reference={reference}")["operations"]
    assert [one["status"] for one in found] == [later]
    assert sandbox.payment(payment)["refunded"] == (400 if later == "succeeded" else 0)
    assert [one["kind"] for one in sandbox.ledger(reference=reference)] == kinds


def test_word_of_an_operation_may_travel_slowly(sandbox):
    payment = authorize(sandbox, "i1")
    sandbox.fault("5xx_after_effect", reference="i2", visible_after_s=60)
    assert move(sandbox, payment, "captures", 100, "i2")[0] == 500
    query = "/v1/operations?reference=i2"
    assert sandbox.call("GET", query) == {"operations": []}
    assert len(sandbox.ledger(reference="i2")) == 1
    sandbox.clock(61)
    assert len(sandbox.call("GET", query)["operations"]) == 1
    sandbox.fault("not_found", kind="query", reference="i2")
    with pytest.raises(httpx2.HTTPStatusError, match="404"):
        sandbox.call("GET", query)
    assert len(sandbox.call("GET", query)["operations"]) == 1


# ------------------------------------------------------------------------------------------ faults


def test_rules_are_played_in_order_counted_down_and_forgotten(sandbox):
    payment = authorize(sandbox, "j1")
    sandbox.fault("ok", reference="j2")
    sandbox.fault("5xx_before", kind="capture", times=2)
    sandbox.fault("decline", amount=7, times=None)
    assert move(sandbox, payment, "captures", 1, "j2")[0] == 201
    assert move(sandbox, payment, "voids", 1, "j3")[0] == 201
    assert move(sandbox, payment, "captures", 1, "j4")[0] == 503
    assert [one["times"] for one in sandbox.call("GET", "/control/faults")["faults"]] == [1, None]
    assert move(sandbox, payment, "captures", 1, "j4")[0] == 503
    assert move(sandbox, payment, "captures", 1, "j4")[0] == 201
    assert move(sandbox, payment, "captures", 7, "j5")[0] == 402
    assert move(sandbox, payment, "voids", 7, "j6")[0] == 402
    sandbox.clear()
    assert move(sandbox, payment, "captures", 7, "j7")[0] == 201


MAGIC = {91: 402, 92: 503, 93: 500, 94: 504, 96: 200, 97: 429, 98: 504}


@pytest.mark.parametrize(("digits", "status"), MAGIC.items())
def test_amounts_choose_faults_on_payments_that_say_so_and_only_once(sandbox, digits, status):
    payment = authorize(sandbox, f"k1{digits}", 100_000, magic=True)
    body = {"amount": 1200 + digits, "currency": "EUR", "reference": f"k2{digits}"}
    headers = {"authorization": f"Bearer {API_KEY}", "idempotency-key": f"k2{digits}"}
    address = f"{sandbox.url}/v1/payments/{payment}/captures"
    first = sandbox.client.post(address, json=body, headers=headers)
    assert first.status_code == status
    again = sandbox.client.post(address, json=body, headers=headers)
    assert again.status_code == (402 if digits == 91 else 201)
    assert len(sandbox.ledger(reference=f"k2{digits}")) == (0 if digits == 91 else 1)


def test_ordinary_payments_may_have_any_amount(sandbox):
    payment = authorize(sandbox, "l1", 1291)
    assert move(sandbox, payment, "captures", 1291, "l2")[0] == 201
    assert authorize(sandbox, "l3", 1295, magic=True), "an authorisation is never spoilt by amount"


def test_requests_beyond_the_rate_are_turned_away(tmp_path):
    slow = start_sandbox(tmp_path, rate=5, magic_amounts=True)
    try:
        payment = authorize(slow, "m1", 100_000)
        assert code(move(slow, payment, "captures", 91, "m2")) == (402, "declined")
        told = [move(slow, payment, "captures", 1, f"m3{n}")[0] for n in range(30)]
        assert told[:2] == [201, 201]
        assert 429 in told
        time.sleep(0.5)
        assert move(slow, payment, "captures", 1, "m4")[0] == 201
    finally:
        assert slow.stop() == 0
        slow.client.close()


# ------------------------------------------------------------------------------------------- crash


def test_every_answer_that_was_given_survives_kill_9(tmp_path):
    sandbox = start_sandbox(tmp_path)
    payment = authorize(sandbox, "n0", 1_000_000)
    address = f"{sandbox.url}/v1/payments/{payment}/captures"
    answered: dict[str, str] = {}
    sent: list[str] = []
    stop = threading.Event()

    def capture(worker: int) -> None:
        with httpx2.Client(headers={"authorization": f"Bearer {API_KEY}"}) as client:
            for number in range(10_000):
                reference = f"n{worker}-{number}"
                sent.append(reference)
                body = {"amount": 1, "currency": "EUR", "reference": reference}
                try:
                    told = client.post(address, json=body, headers={"idempotency-key": reference})
                    answered[reference] = told.json()["id"]
                except httpx2.TransportError:
                    return
                if stop.is_set():
                    return

    with ThreadPoolExecutor(4) as threads:
        work = [threads.submit(capture, worker) for worker in range(4)]
        while len(answered) < 60:
            time.sleep(0.01)
        sandbox.kill()
        stop.set()
        for one in work:
            one.result()
    sandbox.start()
    try:
        kept = {one["reference"]: one["operation"] for one in sandbox.ledger(payment=payment)}
        assert answered.items() <= kept.items()
        assert set(kept) <= {"n0", *sent}
        for reference in sent:
            body = {"amount": 1, "currency": "EUR", "reference": reference}
            status, told = post(sandbox, f"/v1/payments/{payment}/captures", body, reference)
            assert status == 201
            assert told["id"] == kept.get(reference, told["id"])
        assert len(sandbox.ledger(payment=payment)) == len(sent) + 1
        assert sandbox.payment(payment)["captured"] == len(sent)
    finally:
        assert sandbox.stop() == 0
        sandbox.client.close()


def test_it_starts_quickly_and_keeps_its_clock(tmp_path):
    since = time.monotonic()
    sandbox = start_sandbox(tmp_path)
    assert time.monotonic() - since < 15, "about 0.3 s on an idle machine"
    sandbox.clock(3600)
    sandbox.kill()
    sandbox.start()
    try:
        payment = sandbox.payment(authorize(sandbox, "o1"))
        ahead = datetime.fromisoformat(payment["created_at"]) - datetime.now(UTC)
        assert 3500 < ahead.total_seconds() < 3700
    finally:
        sandbox.stop()
        sandbox.client.close()
