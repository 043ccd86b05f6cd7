"""What is Zip's own in its adapter: the table of answers, the four error shapes, the totals."""

from decimal import Decimal

import msgspec
import pytest

from counterfoil.gateways.zip_verdict import REFUSALS, STATUSES, read_error
from counterfoil.kernel.http import Reply
from counterfoil.order.gateway import Booked, Kind, Outcome
from tests.gateways.zip_rig import Zip, as_json, zip_call

ORDER = {
    "orderId": "pay_1",
    "orderStatus": "Authorised",
    "amount": Decimal("14.00"),
    "capturedAmount": Decimal("0.00"),
    "refundedAmount": Decimal("0.00"),
}


# ---------------------------------------------------------------------------- the four error shapes

NESTED = {"error": {"code": "invalid_state", "message": "No.", "details": [
    {"name": "amount", "message": "too much"}, {"name": "x"}, 7,
]}}  # fmt: skip
FLAT = {"errorCode": "MRM007", "message": "Refund amount exceeds the balance"}
VALIDATION = {"message": "Invalid.", "errorCode": None, "isValid": False, "errors": [
    {"propertyName": "amount", "errorMessages": ["must be positive", "is odd"]}, None,
]}  # fmt: skip
PROBLEM = {"type": "about:blank", "title": "Not Found", "detail": "No order.", "traceId": "00"}

SHAPES = [
    (NESTED, ("nested", "invalid_state", "No. amount: too much x")),
    ({"error": {"message": "No."}}, ("nested", "nested", "No.")),
    ({"error": {"code": 42}}, ("nested", "42", "Zip says no.")),
    (FLAT, ("flat", "MRM007", "Refund amount exceeds the balance")),
    ({"errorCode": "MRM007"}, ("flat", "MRM007", "Zip says no.")),
    ({"errorCode": 7, "message": None}, ("flat", "7", "Zip says no.")),
    (VALIDATION, ("validation", "validation", "Invalid. amount: must be positive amount: is odd")),
    ({"isValid": False, "errorCode": "V1"}, ("validation", "V1", "Zip says no.")),
    ({"errors": [{"propertyName": "a", "errorMessages": ["b"]}]},
     ("validation", "validation", "a: b")),
    (PROBLEM, ("problem", "problem", "Not Found No order.")),
    ({"title": "Oops", "status": 400}, ("problem", "problem", "Oops")),
    ({"message": "Forbidden"}, None),
    ({"title": "Oops"}, None),
    ({"error": "no"}, None),
    ({"error": {}}, None),
    ({"errors": []}, None),
    ({}, None),
    ([FLAT], None),
    ("no", None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), SHAPES)
def test_the_shapes_of_errors_are_merged(body, expected):
    found = read_error(Reply(400, {}, as_json(body), truncated=False, elapsed_ms=1))
    assert (None if found is None else msgspec.structs.astuple(found)) == expected


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff", b'{"errorCode": "MRM007"', b"[" * 60_000]
)
def test_what_is_no_json_is_no_refusal(body):
    assert read_error(Reply(400, {}, body, truncated=False, elapsed_ms=1)) is None
    assert read_error(Reply(400, {}, as_json(FLAT), truncated=True, elapsed_ms=1)) is None


# ----------------------------------------------------------------------------- the table of answers

DONE = {"id": "cap_1"}
NO, AGAIN, ASK = Outcome.DECLINED, Outcome.NOT_EXECUTED, Outcome.UNKNOWN
ANSWERS = [
    (200, DONE, Outcome.SUCCEEDED, None),
    (201, DONE, Outcome.SUCCEEDED, None),
    (202, DONE, Outcome.SUCCEEDED, None),
    (204, b"", ASK, "http_204"),
    (202, b"", ASK, "invalid_answer"),
    (200, b"", ASK, "invalid_answer"),
    (200, {}, ASK, "invalid_answer"),
    (200, {"id": ""}, ASK, "invalid_answer"),
    (200, {"id": 7}, ASK, "invalid_answer"),
    (200, b'{"id": "cap_1"', ASK, "invalid_answer"),
    (200, b'{"id": "\xff"}', ASK, "invalid_answer"),
    (200, DONE | {"filler": "x" * 70_000}, ASK, "invalid_answer"),
    (200, DONE | {"amount": Decimal("7.00")}, Outcome.SUCCEEDED, None),
    (200, b'{"id": "cap_1", "amount": 7}', Outcome.SUCCEEDED, None),
    (200, DONE | {"amount": Decimal("7.01")}, ASK, "amount_mismatch"),
    (200, DONE | {"amount": Decimal("7.001")}, ASK, "invalid_answer"),
    (200, DONE | {"amount": Decimal("-7.00")}, ASK, "invalid_answer"),
    (200, b'{"id": "cap_1", "amount": 1e400}', ASK, "invalid_answer"),
    (200, b'{"id": "cap_1", "amount": "NaN"}', ASK, "invalid_answer"),
    (200, DONE | {"currency": "AUD"}, ASK, "currency_mismatch"),
    (200, DONE | {"orderStatus": "Captured"}, ASK, "unknown_status"),
    (302, b"", ASK, "http_302"),
    (400, b"<html>", ASK, "http_400"),
    (400, {"message": "no"}, ASK, "http_400"),
    *((status, FLAT, NO, "MRM007") for status in (400, 402, 403, 404, 422)),
    (400, NESTED, NO, "invalid_state"),
    (400, VALIDATION, NO, "validation"),
    (404, PROBLEM, NO, "problem"),
    (401, b"", AGAIN, "unauthorized"),
    (401, FLAT, AGAIN, "unauthorized"),
    (408, FLAT, ASK, "MRM007"),
    (409, FLAT, AGAIN, "MRM007"),
    (409, {"errorCode": "idempotency_key_reused"}, ASK, "idempotency_key_reused"),
    (409, b"", ASK, "http_409"),
    (418, NESTED, ASK, "invalid_state"),
    (429, b"", AGAIN, "rate_limited"),
    *((status, FLAT, ASK, "MRM007") for status in (500, 502, 503, 504)),
    (500, b"<html>", ASK, "http_500"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "outcome", "code"), ANSWERS)
async def test_every_answer_has_its_outcome(http, status, body, outcome, code):
    async with Zip(http, status, body) as server:
        got = await server.gateway().send(zip_call(Kind.CAPTURE))
    assert (got.outcome, got.error_code) == (outcome, code)
    if outcome is Outcome.SUCCEEDED:
        assert (got.gateway_transaction_id, got.payment_reference) == ("cap_1", "pay_1")
        assert got.amount == 700


def test_the_table_of_refusals_is_walked_whole():
    walked = {(status, "*") for status, *_ in ANSWERS} | {(409, "idempotency_key_reused")}
    assert set(REFUSALS) <= walked


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        (200, b"", Outcome.SUCCEEDED, None),
        (202, b"", Outcome.SUCCEEDED, None),
        (204, b"", Outcome.SUCCEEDED, None),
        (200, b"<html>", Outcome.SUCCEEDED, None),
        (400, NESTED, NO, "invalid_state"),
        (500, b"", ASK, "http_500"),
    ],
)
async def test_an_acknowledgement_is_heard_whatever_its_body(http, status, body, outcome, code):
    async with Zip(http, status, body) as server:
        got = await server.gateway().send(zip_call(Kind.ACKNOWLEDGE))
        head, sent = server.heard
    assert (got.outcome, got.error_code) == (outcome, code)
    assert head.startswith("POST /order/pay_1/acknowledge ")
    assert sent == b""


@pytest.mark.parametrize("flow", ["auth", "payment"])
@pytest.mark.parametrize("status", [*STATUSES, "Captured", "authorised"])
async def test_only_the_six_words_say_what_became_of_an_authorisation(http, status, flow):
    good = {"auth": "Authorised", "payment": "Approved"}[flow]
    async with Zip(http, 200, ORDER | {"orderStatus": status}) as server:
        got = await server.gateway().send(zip_call(Kind.AUTHORIZE, amount=1400, flow=flow))
    if status in ("Declined", "Abandoned", "Expired"):
        assert (got.outcome, got.error_code) == (NO, status.lower())
    elif status == good:
        assert (got.outcome, got.error_code, got.amount) == (Outcome.SUCCEEDED, None, 1400)
        assert got.payment_reference == "pay_1"
    else:
        assert got.outcome is ASK
        expected = {"Created": "pending", "Approved": "state_mismatch"}
        expected["Authorised"] = "state_mismatch"
        assert got.error_code == expected.get(status, "unknown_status")


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (ORDER | {"orderId": "pay_2"}, "payment_mismatch"),
        (ORDER | {"amount": Decimal("14.01")}, "amount_mismatch"),
        (ORDER | {"capturedAmount": Decimal("1.00")}, "state_mismatch"),
        (ORDER | {"currency": "AUD"}, "currency_mismatch"),
        (ORDER | {"amount": Decimal("14.001")}, "invalid_answer"),
        ({name: ORDER[name] for name in ORDER if name != "capturedAmount"}, "invalid_answer"),
        (b"<html>", "invalid_answer"),
    ],
)
async def test_a_claim_that_differs_is_not_believed(http, order, code):
    async with Zip(http, 200, order) as server:
        gateway = server.gateway()
        for answer in (gateway.send, gateway.ask):
            got = await answer(zip_call(Kind.AUTHORIZE, amount=1400))
            assert (got.outcome, got.error_code) == (ASK, code)


async def test_a_question_is_not_answered_by_a_refusal(http):
    """An order that we made is there; who says otherwise, or refuses, has not told."""
    for status, body in ((404, PROBLEM), (400, FLAT), (401, b""), (429, b""), (500, b"")):
        async with Zip(http, status, body) as server:
            for kind in (Kind.AUTHORIZE, Kind.CAPTURE, Kind.REFUND, Kind.ACKNOWLEDGE):
                assert (await server.gateway().ask(zip_call(kind))).outcome is ASK


# -------------------------------------------------------------------------------------- the totals

TOTALS = [
    (Kind.CAPTURE, "3.00", "0.00", Outcome.NOT_EXECUTED, "not_found"),
    (Kind.CAPTURE, "10.00", "0.00", Outcome.SUCCEEDED, None),
    (Kind.CAPTURE, "14.00", "0.00", ASK, "totals_differ"),
    (Kind.CAPTURE, "2.99", "0.00", ASK, "totals_differ"),
    (Kind.REFUND, "3.00", "1.00", Outcome.NOT_EXECUTED, "not_found"),
    (Kind.REFUND, "3.00", "8.00", Outcome.SUCCEEDED, None),
    (Kind.REFUND, "3.00", "0.99", ASK, "totals_differ"),
    (Kind.REFUND, None, None, ASK, "totals_differ"),
]


@pytest.mark.parametrize(("kind", "captured", "refunded", "outcome", "code"), TOTALS)
async def test_totals_tell_what_became_of_a_movement(http, kind, captured, refunded, outcome, code):
    told = [None if one is None else Decimal(one) for one in (captured, refunded)]
    order = ORDER | dict(zip(("capturedAmount", "refundedAmount"), told, strict=True))
    call = zip_call(kind, booked=Booked(captured=300, refunded=100))
    async with Zip(http, 200, order) as server:
        got = await server.gateway().ask(call)
        crowd = msgspec.structs.replace(call, booked=Booked(300, 0, 100, sole=False))
        unsure = await server.gateway().ask(crowd)
    assert (got.outcome, got.error_code) == (outcome, code)
    assert (unsure.outcome, unsure.error_code) == (ASK, "cannot_tell")


async def test_what_zip_does_not_tell_is_not_asked(http):
    async with Zip(http, 200, ORDER) as server:
        for call in (zip_call(Kind.VOID), zip_call(Kind.AUTHORIZE, None)):
            got = await server.gateway().ask(call)
            assert (got.outcome, got.error_code) == (ASK, "cannot_tell")
        assert server.server.requests == []


@pytest.mark.parametrize(
    ("told", "sums"),
    [
        ({}, (1400, 0, 0, 0, 0)),
        ({"capturedAmount": Decimal("7.5")}, (1400, 750, 0, 0, 0)),
        ({"orderStatus": "Approved", "capturedAmount": None}, (1400, 1400, 0, 0, 0)),
        ({"orderStatus": "Expired"}, (1400, 0, 0, 1400, 0)),
        ({"orderStatus": "Created"}, (0, 0, 0, 0, 0)),
        ({"orderStatus": "Settled"}, None),
        ({"orderId": "pay_2"}, None),
        ({"amount": "much"}, None),
    ],
)
async def test_a_statement_tells_totals_and_no_movements(http, told, sums):
    async with Zip(http, 200, ORDER | told) as server:
        found = await server.gateway().statement("pay_1")
    if sums is None:
        assert found is None
        return
    assert found is not None
    totals = (found.authorized, found.captured, found.voided, found.expired, found.refunded)
    assert totals == sums
    assert (found.currency, found.itemised, found.movements) == ("NZD", False, [])
    assert found.status == told.get("orderStatus", "Authorised")
