"""The sandbox in the shape of Zip: rules, the four shapes of errors, time, call-backs."""

import json
import time
from decimal import Decimal

import httpx2
import pytest

from tests.sandbox.receiver import Receiver
from tests.sandbox.server import API_KEY, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    running = start_sandbox(tmp_path_factory.mktemp("zip"), hang_s=1)
    yield running
    running.stop()
    running.client.close()


@pytest.fixture(autouse=True)
def afterwards(sandbox):
    yield
    sandbox.clear()


@pytest.fixture
def zip_(sandbox):
    """A client of Zip's with the scope for partial captures."""
    return Client(sandbox, "zip-partial")


class Client:
    """Sends what a merchant would; answers are status and body, numbers as decimals."""

    def __init__(self, sandbox, client_id):
        self.sandbox = sandbox
        self.token = token(sandbox, client_id).json()["access_token"]
        self.sent = 0

    def call(self, method, path, body=None, key=None):
        headers = {"authorization": f"Bearer {self.token}"}
        if key is not None:
            headers["idempotency-key"] = key
        address = f"{self.sandbox.url}/zip{path}"
        content = None if body is None else json.dumps(body)
        answer = self.sandbox.client.request(method, address, content=content, headers=headers)
        told = json.loads(answer.content, parse_float=Decimal) if answer.content else None
        return answer.status_code, told

    def post(self, path, body, key):
        return self.call("POST", path, body, key)

    def order(self, reference, amount=10.5, flow="auth", **merchant):
        body = {
            "amount": amount,
            "merchantReference": reference,
            "paymentFlow": flow,
            "merchant": {
                "redirectConfirmUrl": "https://shop.example/ok",
                "redirectCancelUrl": "https://shop.example/no?x=1",
                **merchant,
            },
            "consumer": {"email": "kari@example.com"},
        }
        status, told = self.post("/order", body, f"key-{reference}")
        assert status == 200, told
        return told["orderId"]

    def press(self, order, does):
        address = f"{self.sandbox.url}/zip/checkout/{order}/{does}"
        return self.sandbox.client.post(address).headers["location"]

    def authorised(self, reference, amount=10.5, flow="auth"):
        order = self.order(reference, amount, flow)
        self.press(order, "approve")
        return order

    def read(self, order):
        status, told = self.call("GET", f"/order/{order}")
        assert status == 200, told
        return told

    def seen(self, order):
        told = self.read(order)
        return told["orderStatus"], str(told["capturedAmount"]), str(told["refundedAmount"])


def token(sandbox, client_id="zip", secret=API_KEY, **more):
    body = {
        "client_id": client_id,
        "client_secret": secret,
        "audience": "https://auth.example",
        "grant_type": "client_credentials",
        **more,
    }
    return sandbox.client.post(f"{sandbox.url}/zip/oauth/token", json=body)


def shape(answer):
    """The status of a refusal, which of the four shapes its body has, and its code."""
    status, told = answer
    if "error" in told:
        return status, "nested", told["error"]["code"]
    if "isValid" in told:
        return status, "validation", told["errorCode"]
    if "errorCode" in told:
        return status, "flat", told["errorCode"]
    assert {"type", "title", "detail", "traceId"} <= set(told)
    return status, "problem", told["title"]


# ------------------------------------------------------------------------------------------- tokens


def test_tokens_are_given_counted_and_end(sandbox):
    before = sandbox.call("GET", "/zip/control")["token_requests"]
    given = token(sandbox)
    assert given.status_code == 200
    assert given.json() | {"access_token": ""} == {
        "access_token": "", "expires_in": 86_400, "scope": "read:me merchant",
        "token_type": "Bearer",
    }  # fmt: skip
    for wrong in (
        token(sandbox, "nobody"),
        token(sandbox, secret="wrong"),
        token(sandbox, audience=""),
        token(sandbox, grant_type="password"),
    ):
        assert wrong.status_code == 401
    assert token(sandbox, client_id=7).status_code == 400
    assert sandbox.call("GET", "/zip/control")["token_requests"] == before + 5
    client = Client(sandbox, "zip")
    assert client.call("GET", "/order/pay_none")[0] == 404
    sandbox.clock(86_401)
    assert shape(client.call("GET", "/order/pay_none")) == (401, "problem", "Unauthorized")
    sandbox.clock(0)
    sandbox.call("POST", "/zip/control", {"forget_tokens": True})
    assert client.call("GET", "/order/pay_none")[0] == 401


def test_its_levers_want_the_key_of_the_sandbox(sandbox, zip_):
    assert zip_.call("GET", "/control")[0] == 401
    with pytest.raises(httpx2.HTTPStatusError, match="400"):
        sandbox.call("POST", "/zip/control", {"colour": "red"})


# -------------------------------------------------------------------------------------------- rules


def test_an_order_goes_from_created_to_captured_and_refunded(sandbox, zip_):
    order = zip_.order("a1")
    assert zip_.seen(order) == ("Created", "0.00", "0.00")
    back = zip_.press(order, "approve")
    assert back == f"https://shop.example/ok?orderId={order}"
    assert zip_.seen(order) == ("Authorised", "0.00", "0.00")
    path = f"/order/{order}"
    assert zip_.post(f"{path}/acknowledge", None, "a2") == (200, {})
    status, told = zip_.post(f"{path}/capture", {"amount": 4.25}, "a3")
    assert (status, set(told)) == (200, {"id"})
    assert zip_.post(f"{path}/void", {"amount": 1}, "a4")[0] == 200
    assert zip_.post(f"{path}/capture", {}, "a5")[0] == 200
    refund = {"amount": 2.5, "merchantRefundReference": "a6-ref"}
    status, told = zip_.post(f"{path}/refund", refund, "a6")
    assert (status, str(told["amount"]), told["merchantReference"]) == (200, "2.50", "a6-ref")
    assert zip_.seen(order) == ("Authorised", "9.50", "2.50")
    entries = [(one["kind"], one["amount"], one["reference"])
               for one in sandbox.ledger(payment=order)]  # fmt: skip
    assert entries == [
        ("authorize", 1050, "a1"), ("acknowledge", 0, "a2"), ("capture", 425, "a3"),
        ("void", 100, "a4"), ("capture", 525, "a5"), ("refund", 250, "a6-ref"),
    ]  # fmt: skip
    assert zip_.read(order)["consumer"] == {"email": "kari@example.com"}


def test_a_payment_flow_is_approved_and_captured_at_once(zip_):
    order = zip_.authorised("b1", flow="payment")
    assert zip_.seen(order) == ("Approved", "10.50", "0.00")


def test_declined_and_abandoned_orders_lead_back_to_the_other_address(sandbox, zip_):
    for does, status in (("decline", "Declined"), ("leave", "Abandoned")):
        order = zip_.order(f"c-{does}")
        assert zip_.press(order, does) == f"https://shop.example/no?x=1&orderId={order}"
        assert zip_.seen(order)[0] == status
        page = sandbox.client.get(f"{sandbox.url}/zip/checkout/{order}")
        assert f"It is {status}." in page.text
    assert sandbox.client.get(f"{sandbox.url}/zip/checkout/pay_none").status_code == 404


def test_each_kind_of_error_has_its_shape(zip_):
    order = zip_.authorised("d1")
    path = f"/order/{order}"
    wrong = [
        zip_.post(f"{path}/capture", {"amount": amount}, f"d2-{amount}")
        for amount in (0, -1, "5.00", 1.001, None, True, 10**11)
    ]
    assert {shape(one) for one in wrong} == {(400, "validation", "validation_error")}
    assert wrong[0][1]["errors"][0]["propertyName"] == "amount"
    much = zip_.post(f"{path}/capture", {"amount": 10.51}, "d3")
    assert shape(much) == (400, "flat", "MRM007")
    early = zip_.post(f"{path}/refund", {"amount": 1, "merchantRefundReference": "x"}, "d4")
    assert shape(early) == (400, "nested", "invalid_state")
    assert shape(zip_.call("GET", "/order/pay_none")) == (404, "problem", "Not Found")
    assert zip_.post(f"{path}/capture", {"amount": 1}, "d5")[0] == 200
    reused = zip_.post(f"{path}/capture", {"amount": 2}, "d5")
    assert shape(reused) == (409, "flat", "idempotency_key_reused")
    assert zip_.post(f"{path}/void", {"amount": 9.5}, "d6")[0] == 200
    assert shape(zip_.post(f"{path}/void", {"amount": 1}, "d7")) == (400, "nested", "order_voided")
    whole = Client(zip_.sandbox, "zip")
    part = whole.post(f"/order/{whole.authorised('d8')}/capture", {"amount": 1}, "d9")
    assert shape(part) == (403, "problem", "Forbidden")
    assert shape(whole.call("GET", path)) == (404, "problem", "Not Found")
    for body in (b"", b"[]", b"nonsense"):
        answer = zip_.sandbox.client.post(
            f"{zip_.sandbox.url}/zip/order", content=body,
            headers={"authorization": f"Bearer {zip_.token}"},
        )  # fmt: skip
        assert answer.json()["isValid"] is False


def test_the_same_request_gets_the_same_answer(sandbox, zip_):
    order = zip_.authorised("e1")
    assert zip_.order("e1") == order
    path = f"/order/{order}"
    everything = zip_.post(f"{path}/capture", {}, "e2")
    assert zip_.post(f"{path}/capture", {}, "e2") == everything
    body = {"amount": 1, "merchantRefundReference": "e3-ref"}
    first = zip_.post(f"{path}/refund", body, "e3")
    assert zip_.post(f"{path}/refund", body, "e3") == first
    assert zip_.post(f"{path}/refund", body, "e4") == first, "another key, the same reference"
    assert zip_.post(f"{path}/refund", body | {"amount": 5}, "e5") == first
    sandbox.clock(86_401)
    zip_ = Client(sandbox, "zip-partial")
    assert zip_.post(f"{path}/refund", body, "e3") == first, "references do not age as keys do"
    assert zip_.seen(order) == ("Authorised", "10.50", "1.00")


def test_a_reference_can_be_changed(zip_):
    order = zip_.order("f1")
    path = f"/order/{order}/merchantReference"
    assert zip_.call("PUT", path, {"merchantReference": "f2"})[0] == 200
    assert zip_.read(order)["merchantReference"] == "f2"
    assert shape(zip_.call("PUT", path, {}))[:2] == (400, "validation")


def test_an_authorisation_lasts_fifteen_minutes_unless_acknowledged(sandbox, zip_):
    kept, lost, part = (zip_.authorised(f"g{n}") for n in range(3))
    assert zip_.post(f"/order/{kept}/acknowledge", None, "g4")[0] == 200
    assert zip_.post(f"/order/{part}/capture", {"amount": 1}, "g5")[0] == 200
    sandbox.clock(901)
    assert zip_.seen(kept)[0] == "Authorised"
    assert zip_.seen(lost) == ("Expired", "0.00", "0.00")
    assert zip_.seen(part) == ("Expired", "1.00", "0.00")
    late = zip_.post(f"/order/{lost}/acknowledge", None, "g6")
    assert shape(late) == (400, "nested", "order_expired")


def test_a_page_is_not_open_for_ever(sandbox, zip_):
    order = zip_.order("h1")
    sandbox.clock(86_000)
    assert zip_.seen(order)[0] == "Abandoned"


# ---------------------------------------------------------------------------- faults and call-backs


def test_faults_are_scripted_as_everywhere(sandbox, zip_):
    order = zip_.authorised("i1")
    path = f"/order/{order}/capture"
    sandbox.fault("202", reference="i2")
    assert zip_.post(path, {"amount": 1}, "i2")[0] == 202
    sandbox.fault("429", kind="capture")
    assert shape(zip_.post(path, {"amount": 1}, "i3")) == (429, "nested", "rate_limited")
    sandbox.fault("decline", amount=300)
    assert shape(zip_.post(path, {"amount": 3}, "i4")) == (400, "flat", "MRM007")
    sandbox.fault("5xx_after_effect", payment=order)
    assert zip_.post(path, {"amount": 2}, "i5")[0] == 500
    assert zip_.post(path, {"amount": 2}, "i5")[0] == 200
    sandbox.fault("unknown_status_200", kind="payment", payment=order)
    assert zip_.read(order)["orderStatus"] == "HalfDone"
    assert zip_.seen(order) == ("Authorised", "3.00", "0.00")


def test_changes_of_status_are_called_back_and_nothing_else(sandbox, zip_):
    with Receiver(500) as receiver:
        order = zip_.order("j1", statusCallbackUrl=f"{receiver.url}/zip?for=j1")
        stranger = zip_.order("j2", statusCallbackUrl="http://192.0.2.1/")
        for one in (order, stranger):
            zip_.press(one, "approve")
        wait(lambda: len(receiver.heard) == 2)
        zip_.post(f"/order/{order}/capture", {"amount": 1}, "j3")
        sandbox.clock(901)
        wait(lambda: len(receiver.heard) == 3)
    told = [one.event for one in receiver.heard]
    assert told == [
        {"orderId": order, "orderStatus": "Authorised"},
        {"orderId": order, "orderStatus": "Authorised"},
        {"orderId": order, "orderStatus": "Expired"},
    ]


def wait(done):
    until = time.monotonic() + 5
    while not done():
        assert time.monotonic() < until, "nothing came"
        time.sleep(0.02)
