"""What stands before every request, whatever becomes of it.

One plain ASGI layer around the whole application: it names the request, refuses addresses that
hold what no address may, answers HEAD as GET without its body, turns anything that went wrong
below it into a problem, and writes the log's line and the metrics. Nothing gets past it, not even
what a middleware raises.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from counterfoil.api.metrics import Meter
from counterfoil.api.reply import tell_problem
from counterfoil.kernel.body import check_text
from counterfoil.kernel.log import log, read_request_id, request_id
from counterfoil.kernel.problem import Internal, Problem
from counterfoil.order.actor import Actor

#: Makes the answer of a problem at an address, as an ASGI application.
Teller = Callable[[Any, Problem], Any]
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT")
_QUIET = ("/healthz", "/readyz", "/metrics")


def telling(pages: Mapping[str, Teller]) -> Teller:
    """Tell problems as JSON, but below the prefixes of `pages` the way its teller does."""

    def tell(scope: Any, problem: Problem) -> Any:
        path = scope["path"]
        for prefix, teller in pages.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                return teller(scope, problem)
        return tell_problem(problem, path)

    return tell


class Trace:
    """What is known of a request by the time its line is written."""

    __slots__ = ("actor", "id", "started", "status")

    def __init__(self, id: str) -> None:
        self.id = id
        self.started = time.perf_counter()
        self.status = 0
        self.actor: Actor | None = None


class Watch:
    """The outermost layer; `tell` makes the answer of a problem (see `telling`)."""

    def __init__(self, app: Any, tell: Teller, meter: Meter) -> None:
        self.app = app
        self.tell = tell
        self.meter = meter

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = next((v for name, v in scope["headers"] if name == b"x-request-id"), None)
        trace = scope["counterfoil"] = Trace(read_request_id(sent))
        token = request_id.set(trace.id)
        method = scope["method"]
        head = method == "HEAD"
        if head:
            scope["method"] = "GET"

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                trace.status = message["status"]
                named = (b"x-request-id", trace.id.encode())
                message = {**message, "headers": [*message["headers"], named]}
            elif head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._serve(scope, receive, sending, trace)
        finally:
            self._write(scope, method, trace)
            request_id.reset(token)

    async def _serve(self, scope: Any, receive: Any, send: Any, trace: Trace) -> None:
        try:
            check_text(scope["path"], "address")
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            trace.status = trace.status or 499
            raise
        except Exception as error:  # the last one who can answer
            if not isinstance(error, Problem):
                log.error("request_failed", path=scope["path"], exc_info=error)
            if trace.status:
                raise  # the answer has begun: only closing the connection tells the client
            problem = error if isinstance(error, Problem) else Internal()
            await self.tell(scope, problem)(scope, receive, send)

    def _write(self, scope: Any, method: str, trace: Trace) -> None:
        elapsed = time.perf_counter() - trace.started
        route = scope.get("path_template") or "unknown"
        self.meter.count(
            method if method in _METHODS else "other", route, trace.status, elapsed
        )
        if route in _QUIET and trace.status < 400:
            return
        actor = trace.actor
        log.info(
            "request", request_id=trace.id, method=method, route=route, status=trace.status,
            ms=round(elapsed * 1000, 2), account=actor.account_id if actor else None,
            credential=actor.credential if actor else None,
        )
