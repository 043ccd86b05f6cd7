"""Access tokens of OAuth 2 client credentials: fetched once, shared, renewed before their end.

The tokens belong to the process's client for HTTP and not to an adapter, because adapters are
opened anew every few seconds. [requirements 1B.2, Auth]
"""

import asyncio
import hashlib
import time
from functools import partial
from typing import Annotated, Any
from weakref import WeakKeyDictionary

import msgspec

from counterfoil.gateways.port import decode, retry_after_s
from counterfoil.kernel.http import Http, HttpFailure, NotSent, Request

RENEW_BEFORE_S = 300
KEPT_MAX = 1000
_REFUSED = (400, 401, 403)


class Grant(msgspec.Struct, frozen=True):
    """Who asks whom for a token, and for what."""

    auth_url: str
    audience: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Grant({self.auth_url}, {self.audience}, {self.client_id})"

    @property
    def key(self) -> bytes:
        """Name the grant without its secret; another secret is another grant."""
        return hashlib.sha256(msgspec.json.encode(msgspec.structs.astuple(self))).digest()


class Token(msgspec.Struct, frozen=True, eq=False):
    """A token; times are of the monotonic clock. `log` is the exchange it came by, redacted."""

    text: str
    renew_at: float
    ends_at: float
    log: dict[str, Any]

    def __repr__(self) -> str:
        return f"Token(renew_at={self.renew_at:.0f})"


class NoToken(NotSent):
    """No token could be had, so that nothing was asked for with it."""

    def __init__(
        self, code: str, message: str, log: dict[str, Any], *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(code, message)
        self.log = log
        self.retry_after_s = retry_after_s


class _Granted(msgspec.Struct):
    access_token: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,8192}$")]
    expires_in: Annotated[int, msgspec.Meta(ge=1, le=10**9)]


class Tokens:
    """The tokens at hand. One event loop."""

    def __init__(self) -> None:
        self._kept: dict[bytes, Token] = {}
        self._coming: dict[bytes, asyncio.Task[Token]] = {}

    async def take(self, http: Http, grant: Grant, deadline_s: float) -> tuple[Token, bool]:
        """Return a good token, and whether it had to be waited for. Raises NoToken.

        However many want one, it is fetched once; whoever gives up leaves the others theirs. A
        renewal that fails costs nothing while the token at hand is good.
        """
        key = grant.key
        kept = self._kept.get(key)
        if kept is not None and time.monotonic() < kept.renew_at:
            return kept, False
        task = self._coming.get(key)
        if task is None:
            task = asyncio.create_task(_fetch(http, grant, deadline_s))
            self._coming[key] = task
            task.add_done_callback(partial(self._came, key))
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.shield(task), True
        except (NoToken, TimeoutError) as why:
            if kept is not None and time.monotonic() < kept.ends_at:
                return kept, False
            if isinstance(why, NoToken):
                raise
            raise NoToken("timeout", "No token came in time.", _told(grant)) from why

    def drop(self, grant: Grant, token: Token) -> None:
        """Forget a token that was refused, unless a newer one is here already."""
        if self._kept.get(grant.key) is token:
            del self._kept[grant.key]

    def _came(self, key: bytes, task: asyncio.Task[Token]) -> None:
        self._coming.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        if len(self._kept) >= KEPT_MAX:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = task.result()


_tokens_of: WeakKeyDictionary[Http, Tokens] = WeakKeyDictionary()


def tokens_of(http: Http) -> Tokens:
    """Return the tokens that live as long as this client does."""
    return _tokens_of.setdefault(http, Tokens())


async def _fetch(http: Http, grant: Grant, deadline_s: float) -> Token:
    body = {
        "client_id": grant.client_id,
        "client_secret": grant.client_secret,
        "audience": grant.audience,
        "grant_type": "client_credentials",
    }
    request = Request(
        method="POST",
        url=grant.auth_url,
        headers={"content-type": "application/json", "accept": "application/json"},
        body=msgspec.json.encode(body),
        deadline_s=deadline_s,
    )
    asked_at = time.monotonic()
    try:
        reply = await http.exchange(request)
    except HttpFailure as failure:
        raise NoToken(failure.code, f"No token: {failure}", _told(grant)) from failure
    log = _told(grant, status=reply.status, elapsed_ms=reply.elapsed_ms)
    if reply.status == 429:
        wait_s = retry_after_s(reply)
        raise NoToken("rate_limited", "Too many requests.", log, retry_after_s=wait_s)
    if reply.status in _REFUSED:
        raise NoToken("unauthorized", "The client id or its secret is not accepted.", log)
    if reply.status not in (200, 201):
        raise NoToken(f"http_{reply.status}", "The token could not be had.", log)
    granted = decode(reply, _Granted)
    if granted is None:
        raise NoToken("invalid_answer", "The answer has no token.", log)
    life_s = granted.expires_in
    margin_s = min(RENEW_BEFORE_S, life_s // 2)
    return Token(granted.access_token, asked_at + life_s - margin_s, asked_at + life_s, log)


def _told(grant: Grant, **answer: int) -> dict[str, Any]:
    request = {"method": "POST", "path": grant.auth_url, "body": "[hidden]"}
    return {"request": request, "answer": answer or None}
