"""The wrapped client: what may be repeated, how long it waits, how much it reads."""

import asyncio
import time

import pytest

from counterfoil.kernel.guard import in_transaction
from counterfoil.kernel.http import Breaker, Http, NoAnswer, NotSent, Request
from tests.gateways.raw import Caller, RawServer
from tests.ports import free_port


async def silence(caller: Caller) -> None:
    await asyncio.sleep(30)


async def close(caller: Caller) -> None:
    return


async def reset(caller: Caller) -> None:
    caller.reset()


async def half_a_head(caller: Caller) -> None:
    await caller.send(b"HTTP/1.1 200 OK\r\ncontent-le")


async def half_a_body(caller: Caller) -> None:
    await caller.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")


async def no_http(caller: Caller) -> None:
    await caller.send(b"SSH-2.0-OpenSSH_9.2\r\n")


async def drip(caller: Caller) -> None:
    await caller.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        await caller.send(b"x")
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("behave", [close, reset, half_a_head, half_a_body, no_http])
async def test_a_connection_that_breaks_after_the_request_leaves_a_doubt(http, behave):
    async with RawServer(behave) as server:
        with pytest.raises(NoAnswer) as raised:
            await http.exchange(Request("POST", server.url, body=b"{}"))
        assert raised.value.code == "broken_connection"
        assert len(server.requests) == 1, "never sent twice"


@pytest.mark.parametrize("behave", [silence, drip])
async def test_the_deadline_is_for_the_whole_exchange(http, behave):
    async with RawServer(behave) as server:
        since = time.monotonic()
        with pytest.raises(NoAnswer) as raised:
            await http.exchange(Request("POST", server.url, body=b"{}", deadline_s=0.3))
        assert raised.value.code == "timeout"
        assert time.monotonic() - since < 5, "what comes byte by byte takes a minute"


async def test_a_refused_connection_is_certainly_not_sent(http):
    with pytest.raises(NotSent) as raised:
        await http.exchange(Request("POST", f"http://127.0.0.1:{free_port()}/", body=b"{}"))
    assert raised.value.code == "unreachable"


async def test_a_name_that_does_not_exist_is_certainly_not_sent(http):
    with pytest.raises(NotSent):
        await http.exchange(Request("GET", "http://no.such.host.invalid/"))


async def test_a_handshake_that_never_ends_is_certainly_not_sent(http):
    async with RawServer(silence) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(NotSent):
            await http.exchange(Request("POST", url, body=b"{}", deadline_s=0.3))
        assert server.requests == []


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "ftp://127.0.0.1/"),
        Request("GET", "http://["),
        Request("GET", "nonsense"),
        Request("GET", "http://127.0.0.1:9/", headers={"x": "a\r\nb: c"}),
        Request("GET", "http://127.0.0.1:9/", headers={"x": "\udc80"}),
    ],
)
async def test_a_request_that_cannot_be_said_is_certainly_not_sent(http, request_):
    with pytest.raises(NotSent):
        await http.exchange(request_)


async def test_an_illegal_header_reaches_nobody(http):
    async with RawServer(close) as server:
        with pytest.raises(NotSent):
            await http.exchange(Request("GET", server.url, headers={"x": "a\r\nb: c"}))
        assert server.requests == []


async def test_no_exchange_runs_inside_a_transaction(http):
    async with RawServer(close) as server:
        token = in_transaction.set(True)
        try:
            with pytest.raises(AssertionError):
                await http.exchange(Request("GET", server.url))
        finally:
            in_transaction.reset(token)
        assert server.requests == []


async def test_an_answer_is_read_up_to_its_limit(http):
    async def long(caller: Caller) -> None:
        await caller.answer(200, b"x" * 1_000_000)

    async with RawServer(long) as server:
        reply = await http.exchange(Request("GET", server.url))
        assert (len(reply.body), reply.truncated) == (65_536, True)
        reply = await http.exchange(Request("GET", server.url, answer_bytes_max=10))
        assert (reply.body, reply.truncated) == (b"x" * 10, True)


async def test_a_compressed_answer_is_not_unpacked(http):
    async def packed(caller: Caller) -> None:
        await caller.answer(200, b"\x1f\x8b\x08 not really", "content-encoding: gzip")

    async with RawServer(packed) as server:
        reply = await http.exchange(Request("GET", server.url))
        assert reply.body.startswith(b"\x1f\x8b")
        assert b"accept-encoding: identity" in server.requests[0].lower()


async def test_redirects_are_told_and_not_followed(http):
    async def elsewhere(caller: Caller) -> None:
        await caller.answer(302, b"", "location: /elsewhere")

    async with RawServer(elsewhere) as server:
        reply = await http.exchange(Request("GET", server.url))
        assert (reply.status, len(server.requests)) == (302, 1)


async def test_proxies_of_the_environment_are_not_used(monkeypatch):
    async def ok(caller: Caller) -> None:
        await caller.answer(200, b"direct")

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    async with RawServer(ok) as server, Http(trusted=True) as http:
        assert (await http.exchange(Request("GET", server.url))).body == b"direct"


async def test_one_host_gets_only_so_many_connections():
    now = most = 0

    async def busy(caller: Caller) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1
        await caller.answer(200, b"", "connection: close")

    async with RawServer(busy) as server, Http(trusted=True, per_host_max=2) as http:
        request = Request("GET", server.url)
        await asyncio.gather(*(http.exchange(request) for _ in range(6)))
        assert most == 2
    async with RawServer(silence) as server, Http(trusted=True, per_host_max=2) as http:
        hurried = [http.exchange(Request("GET", server.url, deadline_s=0.5)) for _ in range(3)]
        ends = await asyncio.gather(*hurried, return_exceptions=True)
        assert [type(end) for end in ends] == [NoAnswer, NoAnswer, NotSent]


async def test_after_five_failures_to_connect_the_host_is_left_alone(monkeypatch):
    port = free_port()
    request = Request("GET", f"http://127.0.0.1:{port}/")

    async def said(http: Http) -> str:
        with pytest.raises(NotSent) as raised:
            await http.exchange(request)
        return raised.value.code

    async with Http(trusted=True) as http:
        for _ in range(4):
            assert await said(http) == "unreachable"
        monkeypatch.setattr(Breaker, "pause_s", 0.5)
        assert await said(http) == "unreachable"
        monkeypatch.setattr(Breaker, "pause_s", 60)
        assert await said(http) == "circuit_open"

        async def ok(caller: Caller) -> None:
            await caller.answer(200, b"")

        async with RawServer(ok) as other:
            assert (await http.exchange(Request("GET", other.url))).status == 200
        await asyncio.sleep(0.5)
        assert await said(http) == "unreachable", "one try is let through"
        assert await said(http) == "circuit_open"


async def test_answers_of_any_kind_and_lost_ones_do_not_open_the_breaker(http):
    async with RawServer(close) as server:
        for _ in range(7):
            with pytest.raises(NoAnswer):
                await http.exchange(Request("GET", server.url))
        assert len(server.requests) == 7


async def test_connections_to_trusted_hosts_are_kept():
    ports = set()

    async def ok(caller: Caller) -> None:
        while True:
            ports.add(caller.writer.get_extra_info("peername")[1])
            await caller.answer(200, b"ok")
            await caller.reader.readuntil(b"\r\n\r\n")

    async with RawServer(ok) as server, Http(trusted=True) as http:
        for _ in range(3):
            await http.exchange(Request("GET", server.url))
    assert len(ports) == 1


async def test_a_cancelled_exchange_is_cancelled(http):
    async with RawServer(silence) as server:
        task = asyncio.create_task(http.exchange(Request("GET", server.url)))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
