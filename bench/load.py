"""A load of HTTP requests over a few kept-alive connections, measured request by request.

The client is bare asyncio streams, so that it takes as little of the machine as it can; its own
time is not counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Load:
    """What came of a load: how long each request took, and every answer that was no success."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Requests a second over the whole load."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of the requests stayed below."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request(method: str, path: str, key: str, body: bytes = b"") -> bytes:
    """Write a request as it goes over the wire."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes
) -> tuple[int, bytes]:
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    start = lowered.find(b"content-length:")
    if start >= 0:
        size = int(lowered[start + 15 : lowered.index(b"\r\n", start)])
        body = await reader.readexactly(size)
    else:
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    return int(head[9:12]), body


async def drive(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Send the requests, each connection its share in turn, and wait for every answer."""
    load = Load()

    async def connection(share: Sequence[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for sent in share:
            start = time.perf_counter()
            status, body = await _exchange(reader, writer, sent)
            load.latencies.append(time.perf_counter() - start)
            if status >= 300:
                load.failures.append(f"{status} {body[:300]!r}")
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(connection(requests[i::connections]) for i in range(connections)))
    load.seconds = time.perf_counter() - start
    return load


async def fetch(port: int, sent: bytes) -> tuple[int, bytes]:
    """Send one request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await _exchange(reader, writer, sent)
    finally:
        writer.close()
