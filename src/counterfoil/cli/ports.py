"""Ports: whether one is free, which one to take instead, whether somebody answers there."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

from counterfoil.cli.said import Said


def is_free(host: str, port: int) -> bool:
    """Tell whether nobody listens on a port, so that we can."""
    with _socket(host) as tried:
        try:
            tried.bind((host, port))
        except OSError:
            return False
    return True


def check_free(host: str, port: int) -> None:
    """Go on only where the port is free. Raises Said."""
    if port and not is_free(host, port):
        raise Said(
            f"Port {port} is taken on {host}. Choose another one: `--port {port + 1}`,"
            f" or COUNTERFOIL_PORT={port + 1} (`make up PORT={port + 1}`).",
            code=2,
        )


def choose(host: str, wanted: int) -> int:
    """Return the wanted port, or any free one where it is taken."""
    if wanted and is_free(host, wanted):
        return wanted
    with _socket(host) as free:
        free.bind((host, 0))
        return int(free.getsockname()[1])


def _socket(host: str) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what just ended is not in the way
    return made


def listens(host: str, port: int) -> Callable[[], Awaitable[bool]]:
    """Make the question whether a connection comes about."""

    async def ask() -> bool:
        with contextlib.suppress(OSError, TimeoutError):
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 2)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return True
        return False

    return ask


def answers(url: str) -> Callable[[], Awaitable[bool]]:
    """Make the question whether an address answers 200."""

    async def ask() -> bool:
        from counterfoil.kernel.http import Http, HttpFailure, Request

        try:
            async with Http(trusted=True) as http:
                reply = await http.exchange(Request(method="GET", url=url, deadline_s=2))
        except HttpFailure:
            return False
        return reply.status == 200

    return ask


async def at_once() -> bool:
    """Ready as soon as it runs."""
    return True
