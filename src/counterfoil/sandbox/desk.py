"""One request at the counter: is the key busy, is a fault due, the effect, the spoilt answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.response import Stream

from counterfoil.sandbox.control import Match, Rules, Script
from counterfoil.sandbox.courier import Courier
from counterfoil.sandbox.faults import Fault, Phase
from counterfoil.sandbox.till import Asked, Stored, Till
from counterfoil.sandbox.wire import Error, ErrorBody

Asking = Request[Any, Any, State]
_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def problem(status: int, code: str, message: str, **headers: str) -> Response[Any]:
    """Make the body of a refusal."""
    body = msgspec.json.encode(Error(ErrorBody(code, message)))
    return _json(status, body, {name.replace("_", "-"): text for name, text in headers.items()})


def _json(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response[Any]:
    return Response(body, status_code=status, media_type="application/json", headers=headers or {})


class Bucket:
    """At most so many requests a second; 0 means no limit."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.level = rate * 1_000_000_000
        self.seen_ns = time.monotonic_ns()

    def take(self) -> bool:
        """Take one place, if there is one."""
        if not self.rate:
            return True
        now = time.monotonic_ns()
        full = self.rate * 1_000_000_000
        self.level = min(full, self.level + (now - self.seen_ns) * self.rate)
        self.seen_ns = now
        if self.level < 1_000_000_000:
            return False
        self.level -= 1_000_000_000
        return True


class Desk:
    """Where requests meet the till and the scripted faults. One event loop, one process."""

    def __init__(self, till: Till, *, rate: int = 0, hang_s: int = 30) -> None:
        self.till = till
        self.rules = Rules()
        self.bucket = Bucket(rate)
        self.hang_s = hang_s
        self.courier = Courier(till.ledger)
        self.running: set[str] = set()

    async def serve(self, request: Asking, asked: Asked) -> Response[Any]:
        """Serve what has an effect, in the native shape. Raises what the till refuses."""
        try:
            # Litestar takes "5" and 5.0 for 5; a provider does not.
            msgspec.json.decode(await request.body(), type=type(asked.want))
        except msgspec.ValidationError as wrong:
            return problem(400, "malformed", str(wrong))
        return await self.play(
            request, asked.key, lambda: self._due(asked),
            lambda script: self.till.perform(asked, script),
        )  # fmt: skip

    async def play(
        self,
        request: Asking,
        key: str,
        due: Callable[[], Script | None],
        effect: Callable[[Script | None], Stored],
    ) -> Response[Any]:
        """Play a request of any shape: a busy key, the fault that is due, the effect, the answer.

        A key is in use until its answer is on the way, or its caller has gone. `due` finds the
        fault and counts it down, `effect` writes. Raises what `effect` does.
        """
        if not self.bucket.take():
            return problem(429, "rate_limited", "Too many requests.", Retry_After="1")
        if key in self.running:
            return problem(409, "in_use", "A request with this key is running.", Retry_After="1")
        self.running.add(key)
        try:
            script = due()
            if script is not None and script.fault.phase is Phase.BEFORE:
                return await self._instead(request, script)
            stored = effect(script)
            await self.courier.look()
            headers = {"Idempotent-Replayed": "true"} if stored.replayed else {}
            if script is None or script.fault.phase is not Phase.AFTER:
                return _json(stored.status, stored.body, headers)
            return await self._spoil(request, script, stored.body)
        finally:
            self.running.discard(key)

    async def read(
        self, request: Asking, match: Match, find: Callable[[], msgspec.Struct]
    ) -> Response[Any]:
        """Serve a read, spoilt where a rule says so."""
        script = self.rules.take(match)
        if script is not None and script.fault.phase is Phase.BEFORE:
            return await self._instead(request, script)
        body = msgspec.json.encode(find())
        await self.courier.look()
        if script is None or script.fault.phase is not Phase.AFTER:
            return _json(200, body)
        return await self._spoil(request, script, body)

    async def tick(self) -> None:
        """Let happen what time has brought, and tell of it."""
        if self.till.posting.something_is_due():
            with self.till.ledger.together():
                self.till.posting.catch_up()
        await self.courier.look()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Tell of changes, and look at the clock, for as long as this is open."""

        async def look_at_the_clock() -> None:
            while True:
                await asyncio.sleep(1)
                await self.tick()

        async with self.courier.open():
            clock = asyncio.create_task(look_at_the_clock())
            yield
            clock.cancel()

    def _due(self, asked: Asked) -> Script | None:
        match = Match(asked.kind, asked.want.reference, asked.payment, asked.amount)
        script = self.rules.take(match)
        if script is not None:
            return script
        fault = self.till.magic(asked)
        return None if fault is None else Script(fault)

    async def _instead(self, request: Asking, script: Script) -> Response[Any]:
        match script.fault:
            case Fault.ERROR_BEFORE:
                return problem(503, "unavailable", "Told to fail before the effect.")
            case Fault.RATE_LIMITED:
                wait = str(1 if script.seconds is None else script.seconds)
                return problem(429, "rate_limited", "Too many requests.", Retry_After=wait)
            case Fault.IN_USE:
                return problem(409, "in_use", "A request with this key is running.")
            case Fault.NOT_FOUND:
                return problem(404, "not_found", "Nothing is known by this name.")
            case Fault.RESET_BEFORE:
                return _broken(b'{"id":"op_', 400)
            case _:
                await self._hang(request, script)
                return problem(504, "timeout", "Told to hang.")

    async def _spoil(self, request: Asking, script: Script, body: bytes) -> Response[Any]:
        match script.fault:
            case Fault.ERROR_AFTER:
                return problem(500, "internal", "Told to fail after the effect.")
            case Fault.HANG_AFTER:
                await self._hang(request, script)
                return problem(504, "timeout", "Told to hang.")
            case Fault.RESET_AFTER:
                return _broken(body[: len(body) // 3], len(body))
            case Fault.SLOW:
                return _drip(body, self.hang_s if script.seconds is None else script.seconds)
            case Fault.GARBAGE:
                return Response(_PAGE, status_code=200, media_type="text/html")
            case Fault.TRUNCATED:
                return _json(200, body[: len(body) // 2])
            case _:
                return _json(200, _falsify(script.fault, body))

    async def _hang(self, request: Asking, script: Script) -> None:
        """Keep silent for the time given, or until the caller has gone."""

        async def gone() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass

        seconds = self.hang_s if script.seconds is None else script.seconds
        waiter = asyncio.ensure_future(gone())
        await asyncio.wait({waiter}, timeout=seconds)
        waiter.cancel()


def _falsify(fault: Fault, body: bytes) -> bytes:
    told: dict[str, Any] = msgspec.json.decode(body)
    match fault:
        case Fault.MISSING:
            told = {"status": told.get("status"), "kind": told.get("kind")}
        case Fault.STRANGE:
            told["status"] = "half_done"
        case Fault.AMOUNT:
            told["amount"] = told.get("amount", 0) + 1
        case Fault.CURRENCY:
            told["currency"] = "XTS"
    return msgspec.json.encode(told)


def _broken(start: bytes, length: int) -> Response[Any]:
    """Promise `length` bytes, send the start, then break the connection."""

    async def parts() -> AsyncIterator[bytes]:
        yield start
        await asyncio.sleep(0.01)
        raise ConnectionAbortedError("told to break the connection")

    return Stream(
        parts(), status_code=200, media_type="application/json",
        headers={"content-length": str(length)},
    )  # fmt: skip


def _drip(body: bytes, seconds: int) -> Response[Any]:
    """Send the answer in pieces, spread over the time given."""

    async def parts() -> AsyncIterator[bytes]:
        pieces = max(1, min(len(body), seconds * 10))
        size = -(-len(body) // pieces)
        for start in range(0, len(body), size):
            yield body[start : start + size]
            await asyncio.sleep(seconds / pieces)

    return Stream(
        parts(), status_code=200, media_type="application/json",
        headers={"content-length": str(len(body))},
    )  # fmt: skip
