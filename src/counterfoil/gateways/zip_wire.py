"""One exchange with Zip under a token: the deadline, the renewal after a 401, the log of it all."""

import json
import re
import time
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import msgspec

from counterfoil.gateways.port import presentable
from counterfoil.gateways.zip_callback import SIGNATURE
from counterfoil.gateways.zip_shapes import encode
from counterfoil.gateways.zip_token import Grant, NoToken, Tokens, tokens_of
from counterfoil.kernel.http import Http, HttpFailure, NotSent, Reply, Request

_HIDDEN = "[hidden]"
#: Who the shopper is, and what opens something: Zip asks that all exchanges are logged, and the
#: order has the persons already.
_PRIVATE = {
    "consumer",
    "billing",
    "shipping",
    "token",
    "pairing",
    "access_token",
    "statusCallbackUrl",
}
_SIGNATURE = re.compile(rf"\b{SIGNATURE}=[0-9a-f]{{64}}\b")


class Wanted(msgspec.Struct, frozen=True):
    """One request. `key` is the idempotency key of a write."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    key: str | None = None


class Heard(msgspec.Struct, frozen=True):
    """What came back, or why nothing did; `raw` is the log, redacted, fit to be stored."""

    reply: Reply | None
    failure: HttpFailure | None
    raw: dict[str, Any]


class Wire:
    """Talks to Zip for one client of theirs."""

    def __init__(
        self, base_url: str, grant: Grant, http: Http | None, *, secrets: tuple[str, ...]
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._grant = grant
        self._http = http
        self._secrets = secrets

    async def exchange(self, wanted: Wanted, until: float) -> Heard:
        """Send one request, with one new token and one repeat where the token is refused.

        `until` is the deadline for all of it, by the monotonic clock. Never raises for what Zip
        or the network may do.
        """
        async with self._client() as http:
            return await self._exchange(http, wanted, until)

    async def try_credentials(self, deadline_s: float) -> None:
        """Fetch a token as if there were none. Raises NoToken."""
        async with self._client() as http:
            await Tokens().take(http, self._grant, deadline_s)

    def _client(self) -> Any:
        return nullcontext(self._http) if self._http else Http(trusted=True)

    async def _exchange(self, http: Http, wanted: Wanted, until: float) -> Heard:
        tokens = tokens_of(http)
        before: list[dict[str, Any]] = []
        renewed = False
        while True:
            try:
                token, waited = await tokens.take(http, self._grant, _left(until))
                if waited:
                    before.append(token.log)
                reply = await http.exchange(self._request(wanted, token.text, _left(until)))
            except NoToken as failure:
                return self._failed(wanted, failure, [*before, failure.log])
            except HttpFailure as failure:
                return self._failed(wanted, failure, before)
            log = self._log(wanted, reply, token.text)
            if reply.status != 401 or renewed:
                return Heard(reply, None, {**log, **({"before": before} if before else {})})
            renewed = True
            tokens.drop(self._grant, token)
            before.append(log)

    def _request(self, wanted: Wanted, token: str, left_s: float) -> Request:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        if wanted.body is not None:
            headers["content-type"] = "application/json"
        if wanted.key is not None:
            headers["idempotency-key"] = wanted.key
        return Request(
            method=wanted.method,
            url=self._base_url + wanted.path,
            headers=headers,
            body=b"" if wanted.body is None else encode(wanted.body),
            deadline_s=left_s,
        )

    def _failed(self, wanted: Wanted, failure: HttpFailure, before: list[dict[str, Any]]) -> Heard:
        told = {
            "code": failure.code,
            "message": presentable(str(failure), self._secrets),
            "sent": not isinstance(failure, NotSent),
        }
        raw = {"request": self._asked(wanted), "failure": told}
        return Heard(None, failure, {**raw, **({"before": before} if before else {})})

    def _log(self, wanted: Wanted, reply: Reply, token: str) -> dict[str, Any]:
        text = _SIGNATURE.sub(_HIDDEN, presentable(_discreet(reply), (*self._secrets, token)))
        answer = {"status": reply.status, "body": text, "truncated": reply.truncated}
        asked = self._asked(wanted)
        return {"request": asked, "answer": answer, "elapsed_ms": reply.elapsed_ms}

    def _asked(self, wanted: Wanted) -> dict[str, Any]:
        body = msgspec.to_builtins(None if wanted.body is None else _hide(wanted.body))
        return {"method": wanted.method, "path": wanted.path, "body": body}


def _left(until: float) -> float:
    """Seconds that are left; asking for less than a moment would be no deadline at all."""
    return max(until - time.monotonic(), 0.001)


def _discreet(reply: Reply) -> str:
    """Leave out of a body who the shopper is, where it can be read; numbers stay as they came."""
    text = reply.body.decode("utf-8", "replace")
    try:
        told = json.loads(text, parse_float=Decimal)
        return encode(_hide(told)).decode()
    except (ValueError, RecursionError, TypeError, ArithmeticError):
        return text


def _hide(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: _HIDDEN if key in _PRIVATE else _hide(value) for key, value in told.items()}
    if isinstance(told, list):
        return [_hide(one) for one in told]
    return told
