"""HTTP to the outside world: the only module that opens a socket for it.

An exchange never runs inside a database transaction, has one deadline for all of it, follows no
redirect, knows no proxy from the environment and reads a bounded answer. A failure says whether
anything may have left this machine, because that decides what may be repeated.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Self

import httpcore2
import httpx2
import msgspec

from counterfoil.kernel.address import AddressRefused, Guard, Pinned
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.guard import assert_no_transaction

CONNECT_S_MAX = 3
ANSWER_BYTES_MAX = 65_536
ADDRESSES_TRIED_MAX = 3
LANES_MAX = 1000


class HttpFailure(Exception):
    """An exchange that brought no answer. `code` is one word for tables and metrics."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotSent(HttpFailure):
    """Nothing left this machine: the same request may be sent again without a doubt."""


class NoAnswer(HttpFailure):
    """Some of it may have arrived: whether it had an effect is not known."""


class Request(msgspec.Struct, frozen=True):
    """One request. `deadline_s` bounds everything from the lookup to the last byte.

    A connection must come about within half of it, and within `CONNECT_S_MAX`: cut off by the
    deadline in the middle of a handshake, httpcore2 2.16 would leave the socket open.
    """

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    deadline_s: float = 10
    answer_bytes_max: int = ANSWER_BYTES_MAX


class Reply(msgspec.Struct, frozen=True):
    """What came back, undecoded; `truncated` where it was longer than was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    elapsed_ms: int


class Breaker:
    """Opens after five failures to connect in a row; lets one try through every ten seconds.

    It counts only what was certainly not sent, so an open breaker hides no answer. [faults N-1]
    """

    failures_max = 5
    pause_s = 10

    def __init__(self) -> None:
        self.failures = 0
        self.again_at = 0.0

    def check(self) -> None:
        """Raise NotSent while it is open; the try that is let through moves the time on."""
        if self.failures >= self.failures_max:
            now = time.monotonic()
            if now < self.again_at:
                raise NotSent("circuit_open", "The other side could not be reached just now.")
            self.again_at = now + self.pause_s

    def failed(self) -> None:
        """Note that no connection came about."""
        self.failures += 1
        self.again_at = time.monotonic() + self.pause_s


class _Lane:
    """What one host may have of us at a time."""

    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.breaker = Breaker()
        self.users = 0


class Http:
    """A client with the rules of this module. Close it, or use it as a context manager.

    `trusted` is for addresses that the operator configured (gateways): any host, http too, and
    connections are kept. Without it every address is a stranger's, guarded, and connected anew.
    One client belongs to one event loop.
    """

    def __init__(
        self,
        *,
        trusted: bool = False,
        guard: Guard | None = None,
        tls: ssl.SSLContext | None = None,
        per_host_max: int = 20,
    ) -> None:
        self._guard = None if trusted else (guard or Guard())
        self._per_host_max = per_host_max
        self._lanes: dict[str, _Lane] = {}
        self._client = httpx2.AsyncClient(
            verify=tls or default_tls(),
            trust_env=False,
            follow_redirects=False,
            limits=httpx2.Limits(
                max_connections=None, max_keepalive_connections=20 if trusted else 0
            ),
            headers={"user-agent": "counterfoil", "accept-encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the kept connections."""
        await self._client.aclose()

    async def exchange(self, request: Request) -> Reply:
        """Send one request and read the answer, whatever its status.

        Raises AddressRefused (a stranger's address that we do not call), NotSent, NoAnswer.
        """
        assert_no_transaction()
        exchange = _Exchange(request)
        host = request.url.split("/", 3)[2] if request.url.count("/") > 1 else ""
        lane = self._enter(host)
        try:
            async with asyncio.timeout(request.deadline_s), lane.places:
                lane.breaker.check()
                failpoint("http.asks")
                reply = await self._send(exchange)
                failpoint("http.told")
            lane.breaker.failures = 0
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as why:
            failure = exchange.classify(why)
            if exchange.may_have_left:
                lane.breaker.failures = 0
            elif exchange.connecting or failure.code == "unreachable":
                lane.breaker.failed()
            raise failure from why
        finally:
            self._leave(host, lane)
        return reply

    def _enter(self, host: str) -> _Lane:
        if len(self._lanes) > LANES_MAX:
            self._lanes = {name: lane for name, lane in self._lanes.items() if lane.users}
        lane = self._lanes.setdefault(host, _Lane(self._per_host_max))
        lane.users += 1
        return lane

    def _leave(self, host: str, lane: _Lane) -> None:
        lane.users -= 1
        if not lane.users and not lane.breaker.failures:
            self._lanes.pop(host, None)

    async def _send(self, exchange: "_Exchange") -> Reply:
        if self._guard is None:
            return await self._once(exchange, exchange.request.url, {}, {})
        pinned = await self._guard.pin(exchange.request.url)
        headers = {"host": _authority(pinned)}
        extensions = {"sni_hostname": pinned.host}
        *others, last = pinned.addresses[:ADDRESSES_TRIED_MAX]
        for address in others:
            with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
                return await self._once(exchange, pinned.at(address), headers, extensions)
        return await self._once(exchange, pinned.at(last), headers, extensions)

    async def _once(
        self,
        exchange: "_Exchange",
        url: str | httpx2.URL,
        headers: dict[str, str],
        extensions: dict[str, Any],
    ) -> Reply:
        request = exchange.request
        built = self._client.build_request(
            request.method,
            url,
            headers={**request.headers, **headers},
            content=request.body or None,
            extensions={**extensions, "trace": exchange.trace},
            timeout=httpx2.Timeout(None, connect=min(CONNECT_S_MAX, request.deadline_s / 2)),
        )
        answer = await self._client.send(built, stream=True)
        try:
            body, truncated = await _read(answer, request.answer_bytes_max)
        finally:
            await answer.aclose()
        return Reply(
            status=answer.status_code,
            headers=answer.headers,
            body=body,
            truncated=truncated,
            elapsed_ms=exchange.elapsed_ms(),
        )


class _Exchange:
    """One request under way: since when, and whether a byte of it may have left."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.connecting = False
        self.may_have_left = False
        self._since = time.monotonic()

    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self._since) * 1000)

    async def trace(self, event: str, told: dict[str, Any]) -> None:
        """Hear from the transport what it does."""
        if event == "connection.connect_tcp.started":
            self.connecting = True
        elif event == "http11.send_request_headers.started":
            self.may_have_left = True
        elif event == "http11.send_request_headers.failed":
            self.may_have_left = not isinstance(told["exception"], httpcore2.LocalProtocolError)

    def classify(self, failure: Exception) -> HttpFailure:
        """Sort a failure by the one fact that counts."""
        code = "timeout" if isinstance(failure, TimeoutError) else _code(failure)
        message = str(failure) or type(failure).__name__
        kind = NoAnswer if self.may_have_left else NotSent
        return kind(code, message)


def _code(failure: Exception) -> str:
    if isinstance(failure, httpx2.TimeoutException):
        return "timeout"
    if isinstance(failure, httpx2.ConnectError | OSError):
        return "unreachable"
    if isinstance(failure, httpx2.ProtocolError | httpx2.NetworkError):
        return "broken_connection"
    return "bad_request"


async def _read(answer: httpx2.Response, bytes_max: int) -> tuple[bytes, bool]:
    """Read at most so many bytes, undecoded: a compressed answer is not unpacked."""
    parts = bytearray()
    async for part in answer.aiter_raw():
        parts += part
        if len(parts) > bytes_max:
            return bytes(parts[:bytes_max]), True
    return bytes(parts), False


def _authority(pinned: Pinned) -> str:
    host = f"[{pinned.host}]" if ":" in pinned.host else pinned.host
    return f"{host}:{pinned.url.port}" if pinned.url.port else host


@cache
def default_tls() -> ssl.SSLContext:
    """Make the TLS settings once; loading the trusted roots takes a while."""
    return ssl.create_default_context()


__all__ = [
    "AddressRefused",
    "Breaker",
    "Guard",
    "Http",
    "HttpFailure",
    "NoAnswer",
    "NotSent",
    "Reply",
    "Request",
]
