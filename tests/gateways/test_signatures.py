"""Our check of Standard Webhooks against the verifier that everybody uses, in both directions."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from counterfoil.gateways.port import GatewayMisconfigured, HookRefused
from counterfoil.gateways.signatures import TOLERANCE_S, check_signature, read_secrets

SECRET = "whsec_" + base64.b64encode(b"one secret of twenty-four").decode()
OTHER = "whsec_" + base64.b64encode(b"another of them").decode()


def signed(body, at, *, secret=SECRET, id_="msg_1"):
    """Headers as the library makes them."""
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id_, at, body),
    }


def ours(headers, body, at, secrets=SECRET):
    try:
        return check_signature(headers, body, read_secrets(secrets), at)
    except HookRefused:
        return None


def theirs(headers, body):
    try:
        Webhook(SECRET).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        return None
    return headers["webhook-id"]


@given(st.text(max_size=200), st.integers(-400, 400), st.sampled_from([SECRET, OTHER]))
def test_we_judge_as_the_library_does(body, seconds, secret):
    now = datetime.now(UTC)
    headers = signed(body, now + timedelta(seconds=seconds), secret=secret)
    if abs(abs(seconds) - TOLERANCE_S) > 20:  # its clock is its own
        assert ours(headers, body.encode(), now) == theirs(headers, body.encode())


@given(st.data())
def test_no_changed_byte_passes(data):
    body, now = b'{"id":"evt_1","amount":700}', datetime.now(UTC)
    headers = signed(body.decode(), now)
    assert ours(headers, body, now) == "msg_1"
    at = data.draw(st.integers(0, len(body) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = body[:at] + bytes([body[at] ^ bit]) + body[at + 1 :]
    assert ours(headers, changed, now) is None
    assert ours({**headers, "webhook-id": "msg_2"}, body, now) is None
    stamp = str(int(headers["webhook-timestamp"]) - 1)
    assert ours({**headers, "webhook-timestamp": stamp}, body, now) is None


@pytest.mark.parametrize(("seconds", "good"), [(-301, 0), (-299, 1), (0, 1), (299, 1), (301, 0)])
def test_five_minutes_either_way(seconds, good):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    headers = signed("{}", now + timedelta(seconds=seconds))
    assert ours(headers, b"{}", now) == ("msg_1" if good else None)


def test_two_secrets_are_good_while_they_change():
    now = datetime.now(UTC)
    for secret in (SECRET, OTHER):
        headers = signed("{}", now, secret=secret)
        assert ours(headers, b"{}", now, f"{OTHER} {SECRET}") == "msg_1"
    both = signed("{}", now)
    both["webhook-signature"] += " " + signed("{}", now, secret=OTHER)["webhook-signature"]
    assert ours(both, b"{}", now) == ours(both, b"{}", now, OTHER) == "msg_1"
    strange = signed("{}", now)
    strange["webhook-signature"] = "v1a,AAAA v2,BBBB v1,%%% v1 , " + strange["webhook-signature"]
    assert ours(strange, b"{}", now) == "msg_1"


def test_the_marks_that_are_looked_at_are_bounded():
    now = datetime.now(UTC)
    headers = signed("{}", now)
    headers["webhook-signature"] = "v1,AAAA " * 20 + headers["webhook-signature"]
    assert ours(headers, b"{}", now) is None


@pytest.mark.parametrize("text", ["whsec_***", "whsec_", "whsec_a", "ü", f"{SECRET} whsec_"])
def test_what_is_no_secret_is_not_taken_for_one(text):
    with pytest.raises(GatewayMisconfigured) as raised:
        read_secrets(text)
    assert "***" not in raised.value.detail


def test_a_secret_may_come_without_prefix_and_padding():
    bare = SECRET.removeprefix("whsec_").rstrip("=")
    assert read_secrets(bare) == read_secrets(SECRET) == (b"one secret of twenty-four",)
    assert read_secrets("") == ()
