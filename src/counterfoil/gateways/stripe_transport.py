"""Stripe's official library on our own transport. [rulings 19]

The library keeps no connection, repeats nothing and reports nothing: every request goes through
kernel/http, with its deadline, its guard and its assertion that no transaction is open.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import msgspec
import stripe

from counterfoil.kernel.http import Http, HttpFailure, NotSent, Reply, Request

# The library's only switch for it is global; its default writes a file and reports every request.
stripe.enable_telemetry = False

ANSWER_BYTES_MAX = 524_288
#: What of the library's headers leaves us; it would add the machine's and its user's particulars.
_SENT = ("authorization", "content-type", "idempotency-key", "stripe-version", "stripe-account")
#: What of the answer's headers the library hears; others make it warn and log.
_HEARD = ("request-id", "retry-after", "stripe-should-retry")


class Heard(msgspec.Struct, frozen=True):
    """One exchange as it was: what was sent, and the reply or why there is none."""

    method: str
    url: str
    body: str
    outcome: Reply | HttpFailure


class Journal:
    """The exchanges of one call to a gateway, which share one deadline."""

    def __init__(self, deadline_s: float) -> None:
        self.heard: list[Heard] = []
        self._until = time.monotonic() + deadline_s

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return self._until - time.monotonic()


_journal: ContextVar[Journal] = ContextVar("stripe_journal")


@contextmanager
def journal(deadline_s: float) -> Iterator[Journal]:
    """Write down what this task exchanges with Stripe inside."""
    opened = Journal(deadline_s)
    token = _journal.set(opened)
    try:
        yield opened
    finally:
        _journal.reset(token)


def current() -> Journal:
    """Return the journal of this task."""
    return _journal.get()


class Transport(stripe.HTTPClient):
    """Carries the library's requests. Only asynchronous ones, and only inside a `journal`."""

    name = "counterfoil"

    def __init__(self, http: Http | None) -> None:
        super().__init__()
        self._http = http

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Exchange once. Raises stripe.APIConnectionError from the HttpFailure that it was."""
        opened = current()
        body = post_data or ""
        outcome: Reply | HttpFailure
        try:
            outcome = await self._exchange(method, url, headers, body)
        except HttpFailure as failure:
            outcome = failure
        opened.heard.append(Heard(method.upper(), url, body, outcome))
        if isinstance(outcome, HttpFailure):
            failed: Callable[[str], Exception] = stripe.APIConnectionError
            raise failed(str(outcome)) from outcome
        heard = {name: outcome.headers[name] for name in _HEARD if name in outcome.headers}
        return outcome.body, outcome.status, heard

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: str
    ) -> Reply:
        left_s = current().left_s
        if left_s <= 0:
            raise NotSent("timeout", "No time was left to ask.")
        request = Request(
            method=method.upper(),
            url=url,
            headers={name: text for name, text in headers.items() if name.lower() in _SENT},
            body=body.encode(),
            deadline_s=left_s,
            answer_bytes_max=ANSWER_BYTES_MAX,
        )
        async with nullcontext(self._http) if self._http else Http(trusted=True) as http:
            return await http.exchange(request)

    async def close_async(self) -> None:
        """Nothing is kept open here."""

    def close(self) -> None:
        """Nothing is kept open here."""
