"""Calls that Stripe makes to us, good and bad ones. [faults W-1, W-3, W-8, W-9]"""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from counterfoil.gateways import open_gateway
from counterfoil.gateways.port import HookRefused
from counterfoil.order.gateway import Kind, Notice, Outcome
from tests.gateways.contract import call_for
from tests.gateways.raw import Caller, RawServer

SECRET = "whsec_CANARY_4f1b2c"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
EVENT = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": NOW,
    "data": {
        "object": {
            "id": "pi_1",
            "object": "payment_intent",
            "metadata": {"our_reference": "ours-1"},
        }
    },
    "livemode": False,
    "type": "payment_intent.succeeded",
}


def gateway(key="sk_test_1", secret=SECRET, **settings):
    credentials = {"api_key": key}
    if secret:
        credentials["webhook_secret"] = secret
    return open_gateway("stripe", settings, credentials)


def signed(body, *, at=NOW, secret=SECRET):
    text = body.decode() if isinstance(body, bytes) else body
    return stripe.WebhookSignature.generate_signature_header(text, secret, at)


def told(event=EVENT, **changed):
    return json.dumps({**event, **changed}).encode()


def about(**object_):
    return told(data={"object": object_})


def receive(body, header=None, adapter=None, at=AT):
    header = signed(body) if header is None else header
    adapter = adapter or gateway()
    return adapter.receive({"stripe-signature": header}, {}, body, at)


def test_a_good_call_says_where_to_look():
    notice = receive(told())
    assert notice == Notice("evt_1", "payment_intent.succeeded", "pi_1", "ours-1")


@pytest.mark.parametrize(
    ("body", "payment", "reference"),
    [
        (
            about(object="refund", id="re_1", payment_intent="pi_2",
                  metadata={"our_reference": "r-1"}),
            "pi_2", "r-1",
        ),
        (about(object="charge", id="ch_1", payment_intent="pi_2", metadata={}), "pi_2", None),
        (about(object="dispute", id="dp_1", payment_intent="pi_2", metadata=None), "pi_2", None),
        (about(object="payout", id="po_1"), None, None),
        (about(object="refund", id="re_1", payment_intent=None), None, None),
        (about(id="pi_9"), None, None),
        (about(object="payment_intent", id="../x"), None, None),
        (about(object="payment_intent", id="pi_1", metadata={"our_reference": "x" * 300}),
         "pi_1", None),
    ],
)  # fmt: skip
def test_other_objects_name_their_payment(body, payment, reference):
    notice = receive(body)
    assert (notice.payment_reference, notice.our_reference) == (payment, reference)


def test_a_kind_of_event_that_nobody_knows_is_taken_all_the_same():
    assert receive(told(type="brand.new_thing")).topic == "brand.new_thing"


@pytest.mark.parametrize("seconds", [-300, -1, 0, 299, 300])
def test_five_minutes_either_way_are_tolerated(seconds):
    assert receive(told(), signed(told(), at=NOW + seconds)).event_id == "evt_1"


def test_one_good_signature_among_several_will_do():
    good = signed(told()).split("v1=")[1]
    assert receive(told(), f"t={NOW},v1={'0' * 64},v0=abc,v1={good}").event_id == "evt_1"


def test_a_connected_account_hears_of_itself_alone():
    connected = gateway(account="acct_1")
    assert receive(told(account="acct_1"), adapter=connected).event_id == "evt_1"
    for body in (told(account="acct_2"), told(account=None), told()):
        with pytest.raises(HookRefused):
            receive(body, adapter=connected)
    with pytest.raises(HookRefused):
        receive(told(account="acct_1"))


def test_test_and_live_are_kept_apart():
    live = [gateway("sk_live_1"), gateway("rk_live_1")]
    for adapter in live:
        assert receive(told(livemode=True), adapter=adapter).event_id == "evt_1"
        with pytest.raises(HookRefused):
            receive(told(livemode=False), adapter=adapter)
    with pytest.raises(HookRefused):
        receive(told(livemode=True))


GOOD = told()
MAC = signed(GOOD).split("v1=")[1]
HEADERS = {
    "empty": "",
    "blank": " ",
    "no signature": f"t={NOW}",
    "no time": f"v1={MAC}",
    "empty time": f"t=,v1={MAC}",
    "words for a time": f"t=noon,v1={MAC}",
    "a fraction": f"t={NOW}.5,v1={MAC}",
    "a negative time": f"t=-{NOW},v1={MAC}",
    "a huge time": f"t={'9' * 5000},v1={MAC}",
    "a long time": f"t={'9' * 400},v1={MAC}",
    "other time than was signed": f"t={NOW + 1},v1={MAC}",
    "two times": f"t={NOW + 1},t={NOW},v1={MAC}",
    "too old": signed(GOOD, at=NOW - 301),
    "of the future": signed(GOOD, at=NOW + 301),
    "of 1970": signed(GOOD, at=0),
    "another secret": signed(GOOD, secret="whsec_other"),
    "another scheme": f"t={NOW},v0={MAC}",
    "upper case": f"t={NOW},v1={MAC.upper()}",
    "cut": f"t={NOW},v1={MAC[:-1]}",
    "longer": f"t={NOW},v1={MAC}0",
    "not hexadecimal": f"t={NOW},v1={'z' * 64}",
    "not ASCII": f"t={NOW},v1={'é' * 64}",
    "a lone surrogate": f"t={NOW},v1=\udc80{MAC[1:]}",
    "NUL": f"t={NOW},v1={MAC}\x00",
    "no equals signs": f"t{NOW} v1{MAC}",
    "equals alone": "=,=,=",
    "commas alone": ",,,,",
    "semicolons": f"t={NOW};v1={MAC}",
    "JSON": json.dumps({"t": NOW, "v1": MAC}),
    "very long": f"t={NOW}," + "v1=0," * 2000 + f"v1={MAC}",
}
BODIES = {
    "empty": b"",
    "blank": b" ",
    "not UTF-8": b'{"id": "\xff\xfe"}',
    "UTF-16": GOOD.decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "no JSON": b"<html>",
    "half of it": GOOD[: len(GOOD) // 2],
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "deep": b"[" * 100_000,
    "NaN": told().replace(b'"evt_1"', b"NaN"),
    "a huge number": told().replace(b'"evt_1"', b"9" * 5000),
    "a lone surrogate": told(id="\ud800"),
    "no id": told(id=None),
    "an empty id": told(id=""),
    "a long id": told(id="e" * 256),
    "a number for an id": told(id=7),
    "no type": told(type=None),
    "a list for a type": told(type=["payment_intent.succeeded"]),
    "no data": told(data=None),
    "data without an object": told(data={}),
    "a string for the object": told(data={"object": "pi_1"}),
    "metadata that is no text": about(object="refund", metadata={"our_reference": 7}),
    "livemode as a string": told(livemode="false"),
    "livemode as a number": told(livemode=0),
    "no livemode": told(livemode=None),
    "a thin event": told(object="v2.core.event"),
    "another object": told(object="payment_intent"),
    "an account that is a number": told(account=7),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_malformed_or_wrong_header_is_refused(header):
    with pytest.raises(HookRefused):
        receive(GOOD, header)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_malformed_body_is_refused_though_it_is_signed(body):
    try:
        header = signed(body)
    except UnicodeDecodeError:
        header = signed(GOOD)
    with pytest.raises(HookRefused):
        receive(body, header)


def test_the_corpus_is_long_enough():
    assert len(HEADERS) >= 30
    assert len(BODIES) >= 30


def test_without_a_header_or_a_secret_nobody_is_believed():
    with pytest.raises(HookRefused):
        gateway().receive({}, {}, GOOD, AT)
    with pytest.raises(HookRefused):
        receive(GOOD, adapter=gateway(secret=None))
    with pytest.raises(HookRefused):
        receive(GOOD + b" ", signed(GOOD))


def test_our_clock_decides_and_not_the_machines():
    with pytest.raises(HookRefused):
        receive(GOOD, at=AT + timedelta(seconds=301))
    with pytest.raises(HookRefused):
        receive(GOOD, at=AT - timedelta(seconds=301))


async def test_the_sandbox_calls_as_stripe_does(sandbox, http):
    """Made, captured, refunded: each change is told, signed, and the adapter takes it."""
    heard: list[tuple[dict[str, str], bytes]] = []

    async def listen(caller: Caller) -> None:
        head, body = caller.request.split(b"\r\n\r\n", 1)
        lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        heard.append(({name.lower(): text for name, text in lines}, body))
        await caller.answer(200, b"", "connection: close")

    async with RawServer(listen) as server:
        endpoint = sandbox.client.post(
            f"{sandbox.url}/stripe/v1/webhook_endpoints",
            data={"url": server.url + "/hook"},
            headers={"authorization": f"Bearer {sandbox.credentials['api_key']}"},
        ).json()
        adapter = open_gateway(
            "stripe",
            {"base_url": sandbox.url + "/stripe", "payment_method": "pm_card_visa"},
            {**sandbox.credentials, "webhook_secret": endpoint["secret"]},
            http=http,
        )
        made = await adapter.send(call_for(Kind.AUTHORIZE, amount=900))
        payment = made.payment_reference
        assert (await adapter.send(call_for(Kind.CAPTURE, payment, 900))).outcome is (
            Outcome.SUCCEEDED
        )
        back = call_for(Kind.REFUND, payment, 400)
        assert (await adapter.send(back)).outcome is Outcome.SUCCEEDED
        sandbox.call("POST", f"/control/operations/{back.our_reference}/fail", {})
        for _ in range(100):
            if len(heard) >= 4:
                break
            await asyncio.sleep(0.05)
        sandbox.call("DELETE", f"/stripe/v1/webhook_endpoints/{endpoint['id']}")
    notices = [adapter.receive(headers, {}, body, datetime.now(UTC)) for headers, body in heard]
    assert [one.topic for one in notices] == [
        "payment_intent.amount_capturable_updated",
        "payment_intent.succeeded",
        "refund.updated",
        "refund.failed",
    ]
    assert {one.payment_reference for one in notices} == {payment}
    assert notices[2].our_reference == notices[3].our_reference == back.our_reference
    asked = await adapter.ask(back)
    assert (asked.outcome, asked.error_code) == (Outcome.DECLINED, "expired_or_canceled_card")
