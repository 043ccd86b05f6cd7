"""The sandbox tells of changes: signed as receivers expect it, and as badly as it is told to."""

import time

import httpx2
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.sandbox.receiver import SECRET, Receiver
from tests.sandbox.server import API_KEY, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), hang_s=1)
    yield running
    running.stop()
    running.client.close()


@pytest.fixture
def account(request):
    return f"acct_{request.node.name}"[:64]


@pytest.fixture(autouse=True)
def afterwards(sandbox):
    yield
    sandbox.clear()
    for hook in sandbox.call("GET", "/control/hooks"):
        sandbox.call("DELETE", f"/control/hooks/{hook['id']}")


@pytest.fixture
def receiver(sandbox, account):
    with Receiver() as listening:
        sandbox.hook(listening.url, SECRET, account=account, retry_ms=20)
        yield listening


def send(sandbox, path, reference, account=None, **body):
    headers = {"idempotency-key": f"key-{reference}"}
    if account:
        headers["sandbox-account"] = account
    if "captures" in path or "voids" in path or "refunds" in path or path == "/v1/payments":
        body = {"amount": 1000, "currency": "EUR", **body}
    return sandbox.call("POST", path, {"reference": reference, **body}, **headers)


def authorize(sandbox, reference, account, **more):
    return send(sandbox, "/v1/payments", reference, account, **more)["payment"]


def ids(sandbox, **only):
    return [one["event"]["id"] for one in sandbox.events(**only)]


# ------------------------------------------------------------------------------------ what is told


def test_each_change_is_told_once_signed_and_in_order(sandbox, receiver, account):
    payment = authorize(sandbox, "a1", account)
    receiver.wait(1)
    send(sandbox, f"/v1/payments/{payment}/captures", "a2", amount=600)
    receiver.wait(2)
    send(sandbox, f"/v1/payments/{payment}/refunds", "a3", amount=50)
    receiver.wait(3)
    send(sandbox, f"/v1/payments/{payment}/voids", "a4", amount=100)
    receiver.wait(4)
    sandbox.end("a3", "fail", "account_closed")
    receiver.wait(5)
    sandbox.clock(8 * 86400)
    receiver.wait(6)
    assert receiver.types == [
        "payment.authorized", "payment.captured", "payment.refunded", "payment.voided",
        "refund.failed", "payment.expired",
    ]  # fmt: skip
    for one in receiver.heard[:5]:
        Webhook(SECRET).verify(one.body, one.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(one.body + b" ", one.headers)
    first = receiver.heard[0].event
    assert first["id"] == receiver.heard[0].headers["webhook-id"]
    assert (first["account"], first["livemode"], first["payment"], first["reference"]) == (
        account, False, payment, "a1",
    )  # fmt: skip
    told = sandbox.events(payment=payment)
    assert [one["event"]["type"] for one in told] == receiver.types
    assert [[a["status"] for a in one["attempts"]] for one in told] == [[204]] * 6


def test_a_sale_a_decline_and_a_final_capture_are_told(sandbox, receiver, account):
    authorize(sandbox, "b1", account, capture=True)
    receiver.wait(2)
    assert sorted(receiver.types) == ["payment.authorized", "payment.captured"]
    sandbox.fault("decline", reference="b2")
    with pytest.raises(httpx2.HTTPStatusError, match="402"):
        authorize(sandbox, "b2", account)
    receiver.wait(3)
    assert receiver.types[2:] == ["payment.declined"]
    payment = authorize(sandbox, "b3", account)
    send(sandbox, f"/v1/payments/{payment}/captures", "b4", amount=400, final=True)
    receiver.wait(6)
    assert sorted(receiver.types[3:]) == [
        "payment.authorized", "payment.captured", "payment.voided",
    ]  # fmt: skip


def test_a_hook_hears_of_its_account_alone_and_says_in_which_mode(sandbox, receiver, account):
    with Receiver() as everybody:
        sandbox.hook(everybody.url, SECRET, livemode=True)
        authorize(sandbox, "c1", "acct_other")
        authorize(sandbox, "c2", account)
        everybody.wait(2)
        receiver.wait(1)
    assert [one.event["reference"] for one in receiver.heard] == ["c2"]
    assert {one.event["livemode"] for one in everybody.heard} == {True}
    for one in everybody.heard:
        Webhook(SECRET).verify(one.body, one.headers)


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://example.com/hooks", SECRET),
        ("https://127.0.0.1/hooks", SECRET),
        ("http://127.0.0.1@example.com/hooks", SECRET),
        ("ftp://127.0.0.1/", SECRET),
        ("http://127.0.0.1/", "whsec_not base64!"),
        ("http://127.0.0.1/", "whsec_"),
    ],
)
def test_only_this_machine_is_called_and_only_with_a_secret(sandbox, url, secret):
    with pytest.raises(httpx2.HTTPStatusError, match="400"):
        sandbox.hook(url, secret)


def test_what_is_not_taken_is_told_again_a_few_times(sandbox, account):
    with Receiver(500, 302, 429) as grumpy:
        sandbox.hook(grumpy.url, SECRET, account=account, retry_ms=20)
        payment = authorize(sandbox, "d1", account)
        grumpy.wait(4)
    assert len({one.headers["webhook-id"] for one in grumpy.heard}) == 1
    (told,) = sandbox.events(payment=payment)
    assert [one["status"] for one in told["attempts"]] == [500, 302, 429, 204]


def test_nobody_there_is_noted_and_given_up(sandbox, account):
    with Receiver() as gone:
        url = gone.url
    sandbox.hook(url, SECRET, account=account, attempts=2, retry_ms=1)
    payment = authorize(sandbox, "e1", account)
    until = time.monotonic() + 5
    while len((told := sandbox.events(payment=payment))[0]["attempts"]) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert all(a["status"] is None and a["note"] for a in told[0]["attempts"])


# ------------------------------------------------------------------------------------------ tricks


def test_an_event_may_come_several_times(sandbox, receiver, account):
    sandbox.trick("duplicate", account=account, count=5)
    authorize(sandbox, "f1", account)
    receiver.wait(5)
    assert len({one.event["id"] for one in receiver.heard}) == 1


def test_a_later_event_may_overtake(sandbox, receiver, account):
    sandbox.trick("reorder", type="payment.authorized", account=account)
    payment = authorize(sandbox, "g1", account)
    time.sleep(0.1)
    assert receiver.heard == []
    send(sandbox, f"/v1/payments/{payment}/captures", "g2")
    receiver.wait(2)
    assert receiver.types == ["payment.captured", "payment.authorized"]


def test_an_event_may_come_late_or_only_at_the_second_try(sandbox, receiver, account):
    sandbox.trick("delay", reference="h1", seconds=1)
    sandbox.trick("drop", reference="h2")
    since = time.monotonic()
    authorize(sandbox, "h1", account)
    payment = authorize(sandbox, "h2", account)
    receiver.wait(2)
    assert [one.event["reference"] for one in receiver.heard] == ["h2", "h1"]
    assert receiver.heard[1].at - since > 0.9
    (told,) = sandbox.events(payment=payment)
    assert [(a["status"], a["note"]) for a in told["attempts"]] == [
        (None, "lost on the way"), (204, None),
    ]  # fmt: skip


def test_an_event_may_come_before_the_answer(sandbox, receiver, account):
    sandbox.trick("before_response", account=account)
    sandbox.fault("hang_after_effect", reference="i1", seconds=1)
    with pytest.raises(httpx2.HTTPStatusError, match="504"):
        authorize(sandbox, "i1", account)
    answered = time.monotonic()
    assert answered - receiver.wait(1)[0].at > 0.9
    sandbox.trick("before_response", account=account)
    authorize(sandbox, "i2", account)
    assert len(receiver.heard) == 2, "the answer waited for it"


def test_an_event_may_never_come_and_still_be_delivered_by_hand(sandbox, receiver, account):
    sandbox.trick("never", account=account, times=None)
    payment = authorize(sandbox, "j1", account)
    send(sandbox, f"/v1/payments/{payment}/captures", "j2")
    time.sleep(0.15)
    assert receiver.heard == []
    made, taken = ids(sandbox, payment=payment)
    done = sandbox.deliver([taken, made, taken, "evt_unknown"])
    assert [(one["event"], one["status"]) for one in done] == [
        (taken, 204), (made, 204), (taken, 204),
    ]  # fmt: skip
    assert [one.event["id"] for one in receiver.heard] == [taken, made, taken]
    many = sandbox.deliver([made] * 100, at_once=True)
    assert len(many) == 100
    assert len(receiver.heard) == 103


def test_an_event_may_be_forged_old_or_somebody_elses(sandbox, receiver, account):
    sandbox.trick("wrong_signature", account=account)
    sandbox.trick("old_timestamp", account=account)
    sandbox.trick("wrong_account", account=account)
    sandbox.trick("wrong_livemode", account=account)
    for number in range(4):
        authorize(sandbox, f"k{number}", account)
        receiver.wait(number + 1)
    forged, old, other, live = receiver.heard
    for bad, why in ((forged, "No matching signature"), (old, "too old")):
        with pytest.raises(WebhookVerificationError, match=why):
            Webhook(SECRET).verify(bad.body, bad.headers)
    assert Webhook(SECRET).verify(other.body, other.headers)["account"] != account
    assert Webhook(SECRET).verify(live.body, live.headers)["livemode"] is True
    event = ids(sandbox, account=account)[0]
    sandbox.deliver([event], trick="wrong_signature")
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(receiver.heard[-1].body, receiver.heard[-1].headers)


def test_hooks_and_events_survive_and_secrets_are_not_shown(tmp_path):
    sandbox = start_sandbox(tmp_path)
    try:
        with Receiver() as receiver:
            sandbox.hook(receiver.url, SECRET)
            payment = authorize(sandbox, "l1", None)
            receiver.wait(1)
            sandbox.kill()
            sandbox.start()
            send(sandbox, f"/v1/payments/{payment}/captures", "l2")
            receiver.wait(2)
            assert receiver.types == ["payment.authorized", "payment.captured"]
        shown = sandbox.client.get(
            f"{sandbox.url}/control/hooks", headers={"authorization": f"Bearer {API_KEY}"}
        )
        assert SECRET not in shown.text
        assert receiver.url in shown.text
    finally:
        sandbox.stop()
        sandbox.client.close()
