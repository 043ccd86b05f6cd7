"""Calls an order's `statusCallbackUrl` when its status has changed: a small body, no signature.

What Zip sends is not public; this is our choice. Only addresses of this machine are called.
"""

import asyncio
import contextlib
from urllib.parse import urlsplit

import httpx2

from counterfoil.sandbox.zip_till import ZipTill
from counterfoil.sandbox.zip_wire import encode

_HERE = {"127.0.0.1", "localhost", "::1"}
_LOOK_S = 0.1
_TRIES = 3


class StatusCalls:
    """Looks for changes for as long as the process runs, once there is somebody to call."""

    def __init__(self, till: ZipTill) -> None:
        self._ledger = till.ledger
        self._task: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Look from now on."""
        if self._task is None:
            self._task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                rows = self._ledger.all(
                    "select payment, callback_url, status from zip_seen"
                    " where callback_url is not null and told <> status"
                )
                for row in rows:
                    self._ledger.run(
                        "update zip_order set told = ? where payment = ?",
                        row["status"], row["payment"],
                    )  # fmt: skip
                    self._call(client, row["callback_url"], row["payment"], row["status"])
                await asyncio.sleep(_LOOK_S)

    def _call(self, client: httpx2.AsyncClient, address: str, order: str, status: str) -> None:
        """Call somebody who may be slow while the others are called."""
        call = asyncio.create_task(_insist(client, address, order, status))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)


async def _insist(client: httpx2.AsyncClient, address: str, order: str, status: str) -> None:
    if urlsplit(address).hostname not in _HERE:
        return
    body = encode({"orderId": order, "orderStatus": status})
    headers = {"content-type": "application/json"}
    for attempt in range(_TRIES):
        with contextlib.suppress(httpx2.HTTPError, httpx2.InvalidURL, OSError):
            answer = await client.post(address, content=body, headers=headers)
            if answer.is_success:
                return
        await asyncio.sleep(0.2 * 2**attempt)
