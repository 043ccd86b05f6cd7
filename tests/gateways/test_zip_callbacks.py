"""What Zip calls us at: an address that we signed, and nothing else is believed."""

import asyncio
import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from counterfoil.gateways import open_gateway
from counterfoil.gateways.port import HookRefused
from counterfoil.gateways.zip_callback import signed_address
from tests.gateways.raw import Caller, RawServer
from tests.gateways.zip_rig import WHOLE, gateway_at, ordered, shopper

AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
HOOK = "https://oms.example/v1/hooks/acme-zip"


async def called_back(sandbox, http, does):
    """Let the sandbox call us, and return our address's query and the body that came."""
    heard: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def behave(caller: Caller) -> None:
        head, _, body = caller.request.partition(b"\r\n\r\n")
        heard.put_nowait((dict(parse_qsl(urlsplit(head.split(b" ")[1].decode()).query)), body))
        await caller.answer(204, b"", "connection: close")

    gateway = gateway_at(sandbox, http)
    async with RawServer(behave) as server:
        call, answer = await ordered(gateway, callback_url=f"{server.url}/v1/hooks/acme-zip")
        await asyncio.to_thread(shopper, sandbox, answer.payment_reference, does)
        query, body = await asyncio.wait_for(heard.get(), 5)
    return gateway, call, query, body


@pytest.mark.parametrize(("does", "status"), [("approve", "Authorised"), ("decline", "Declined")])
async def test_a_call_back_is_known_by_its_address(sandbox, http, does, status):
    gateway, call, query, body = await called_back(sandbox, http, does)
    assert json.loads(body) == {"orderId": call.payment_reference, "orderStatus": status}
    notice = gateway.receive({}, query, body, AT)
    assert (notice.topic, notice.our_reference) == ("order.status", call.our_reference)
    assert notice.payment_reference is None, "the body is believed in nothing"
    assert gateway.receive({}, query, body, AT.replace(hour=11)).event_id == notice.event_id
    other = body.replace(status.encode(), b"Expired")
    assert gateway.receive({}, query, other, AT).event_id != notice.event_id


def signed_query(gateway, reference, address=HOOK):
    made = signed_address(address, reference, gateway._callback_key)
    return dict(parse_qsl(urlsplit(made).query))


def test_a_body_that_cannot_be_read_still_says_where_to_look():
    gateway = open_gateway("zip", {}, WHOLE)
    query = signed_query(gateway, "T-1")
    for body in (b"", b"\xff\0", b"<html>", b"[]", b"[" * 60_000, b'{"orderStatus": 7}'):
        first = gateway.receive({}, query, body, AT)
        assert first.our_reference == "T-1"
        assert gateway.receive({}, query, body, AT.replace(second=59)) == first
        assert gateway.receive({}, query, body, AT.replace(minute=1)).event_id != first.event_id


def test_a_call_back_that_we_did_not_sign_is_refused():
    gateway = open_gateway("zip", {}, WHOLE)
    good = signed_query(gateway, "T-1")
    stranger = open_gateway("zip", {}, WHOLE | {"client_secret": "other"})
    own = open_gateway("zip", {}, WHOLE | {"callback_secret": "a secret of its own"})
    mark = good["signature"]
    for query in (
        {},
        {"for": "T-1"},
        {"signature": mark},
        good | {"for": "T-2"},
        good | {"for": ""},
        good | {"for": "T" * 201},
        good | {"for": "T-1\0"},
        good | {"for": "\ud800"},
        good | {"signature": ""},
        good | {"signature": mark[:-1]},
        good | {"signature": mark.upper()},
        good | {"signature": mark + "0"},
        good | {"signature": "é" * 64},
        good | {"signature": "\ud800"},
        signed_query(gateway, "T-2") | {"for": "T-1"},
        signed_query(stranger, "T-1"),
        signed_query(own, "T-1"),
    ):
        with pytest.raises(HookRefused):
            gateway.receive({}, query, b"{}", AT)
    with pytest.raises(HookRefused):
        gateway.receive({}, good, b"x" * 65_537, AT)
    assert gateway.receive({}, good, b"{}", AT).our_reference == "T-1"
    assert own.receive({}, signed_query(own, "T-1"), b"{}", AT).our_reference == "T-1"


def test_the_address_of_a_hook_keeps_its_own_query():
    gateway = open_gateway("zip", {}, WHOLE)
    query = signed_query(gateway, "a b&c=d", HOOK + "?via=x&for=old")
    assert (query["via"], query["for"]) == ("x", "a b&c=d")
    assert gateway.receive({}, query, b"", AT).our_reference == "a b&c=d"
