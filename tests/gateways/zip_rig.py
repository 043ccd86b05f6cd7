"""Zip for tests: the sandbox in its shape, and a server that says whatever it is told."""

from typing import Any

import msgspec

from counterfoil.gateways import open_gateway
from counterfoil.order.gateway import Kind, Outcome
from tests.gateways.contract import call_for
from tests.gateways.raw import Caller, RawServer
from tests.sandbox.server import API_KEY, Sandbox

WHOLE = {"client_id": "zip", "client_secret": API_KEY}
PARTIAL = {"client_id": "zip-partial", "client_secret": API_KEY}
SECRET = "CANARY-zip-client-secret"
CREDENTIALS = {"client_id": "shop", "client_secret": SECRET}
BACK = "https://shop.example/back?order=1001"


def zip_settings(sandbox: Sandbox) -> dict[str, Any]:
    """Where a gateway of kind `zip` finds this sandbox."""
    return {"base_url": f"{sandbox.url}/zip", "auth_url": f"{sandbox.url}/zip/oauth/token"}


def shopper(sandbox: Sandbox, order: str, does: str) -> str:
    """Press a button on the page, and return where it leads back to."""
    answer = sandbox.client.post(f"{sandbox.url}/zip/checkout/{order}/{does}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


class Zip:
    """A server that gives a token and then says what it is told."""

    def __init__(self, http, status, body, **headers):
        self.http = http
        self.status = status
        self.body = body if isinstance(body, bytes) else as_json(body)
        self.headers = [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]

    async def __aenter__(self):
        self.server = await RawServer(self.behave).__aenter__()
        return self

    async def __aexit__(self, *about):
        await self.server.__aexit__(*about)

    async def behave(self, caller: Caller) -> None:
        if b"/oauth/token" in caller.request:
            token = b'{"access_token": "CANARY-token", "expires_in": 86400}'
            await caller.answer(200, token, "connection: close")
        else:
            await caller.answer(self.status, self.body, "connection: close", *self.headers)

    def gateway(self, **settings):
        base = {"base_url": self.server.url, "auth_url": f"{self.server.url}/oauth/token"}
        return open_gateway("zip", {**base, **settings}, CREDENTIALS, http=self.http)

    @property
    def heard(self):
        """The last request: its head and its body."""
        head, _, body = self.server.requests[-1].partition(b"\r\n\r\n")
        return head.decode(), body


def as_json(told) -> bytes:
    return msgspec.json.Encoder(decimal_format="number").encode(told)


def zip_call(kind, payment="pay_1", amount=700, **more):
    return call_for(kind, payment, amount, currency=more.pop("currency", "NZD"), **more)


def gateway_at(sandbox, http, credentials=PARTIAL, **settings):
    settings = {"partial_capture": credentials is PARTIAL} | settings
    return open_gateway("zip", zip_settings(sandbox) | settings, credentials, http=http)


async def ordered(gateway, amount=1000, flow="auth", **more):
    call = zip_call(Kind.AUTHORIZE, None, amount, flow=flow, return_url=BACK, **more)
    answer = await gateway.send(call)
    assert (answer.outcome, answer.error_code) == (Outcome.UNKNOWN, "pending")
    return msgspec.structs.replace(call, payment_reference=answer.payment_reference), answer
