"""Replies: bytes that are ready to be sent, and problems told as RFC 9457."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from counterfoil.kernel.log import request_id
from counterfoil.kernel.problem import Problem
from counterfoil.order.change import Answered

JSON = b"application/json"
PROBLEM = b"application/problem+json"
_ALWAYS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
_encode = msgspec.json.Encoder().encode


class Reply:
    """An answer as it goes over the wire; an ASGI application of its own."""

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        *,
        media: bytes = JSON,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        self.status = status
        self.body = body
        kind = ((b"content-type", media),) if body else ()
        length = () if status == 204 else ((b"content-length", b"%d" % len(body)),)
        self.headers = [*kind, *length, *_ALWAYS, *headers]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it."""
        await send({
            "type": "http.response.start", "status": self.status, "headers": self.headers
        })
        await send({"type": "http.response.body", "body": self.body})


class Stream:
    """An answer that is sent while it is made: pieces of bytes, in order."""

    __slots__ = ("media", "pieces")

    def __init__(self, pieces: AsyncIterator[bytes], media: bytes) -> None:
        self.pieces = pieces
        self.media = media

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it. Nothing is sent before the first piece, so that it may still be refused."""
        first = await anext(self.pieces, b"")
        headers = [(b"content-type", self.media), *_ALWAYS]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def tell(value: Any, status: int = 200, *, etag: str | None = None) -> Reply:
    """Tell a struct as JSON."""
    headers = ((b"etag", etag.encode()),) if etag else ()
    return Reply(status, _encode(value), headers=headers)


def tell_answered(answered: Answered) -> Reply:
    """Tell the stored answer of a command, byte for byte."""
    headers: list[tuple[bytes, bytes]] = []
    if answered.etag:
        headers.append((b"etag", answered.etag.encode()))
    if answered.location:
        headers.append((b"location", answered.location.encode()))
    if answered.replayed:
        headers.append((b"idempotent-replayed", b"true"))
    media = JSON if answered.status < 400 else PROBLEM
    return Reply(answered.status, answered.body.encode(), media=media, headers=tuple(headers))


def tell_problem(problem: Problem, instance: str = "") -> Reply:
    """Tell a problem; its trace id is the request's own id."""
    body = problem.body(instance=instance, trace_id=request_id.get())
    return Reply(
        problem.status, _encode(body), media=PROBLEM, headers=_headers_of(problem.headers)
    )


def _headers_of(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode(), text.encode()) for name, text in headers.items())
