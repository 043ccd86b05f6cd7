"""What the tests of Stripe's adapter share: bodies as Stripe sends them, and a server that does."""

import json

from counterfoil.gateways import open_gateway
from counterfoil.order.gateway import Answer, Call, Outcome
from tests.gateways.raw import Caller, RawServer
from tests.sandbox.server import API_KEY

KEY = {"api_key": API_KEY}
INVALID = "invalid_request_error"
S, D, N, U = Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.NOT_EXECUTED, Outcome.UNKNOWN


def said(answer: Answer) -> tuple[Outcome, str | None]:
    return answer.outcome, answer.error_code


def error(type_: str, code: str | None = None, **more) -> dict:
    told = {"type": type_, "message": f"Because of {code or type_}.", **more}
    return {"error": told if code is None else {**told, "code": code}}


def intent(**changed) -> dict:
    return {
        "id": "pi_1", "object": "payment_intent", "amount": 700, "amount_received": 700,
        "currency": "eur", "status": "succeeded", "latest_charge": "ch_1",
        "capture_method": "manual", "metadata": {}, **changed,
    }  # fmt: skip


async def answered_with(http, call: Call, status: int, body, *headers: str, **settings) -> Answer:
    async def answer(caller: Caller) -> None:
        told = body
        if isinstance(told, dict):
            told = json.loads(json.dumps(told))
            told.get("metadata", {}).setdefault("capture_reference", call.our_reference)
            told = json.dumps(told).encode()
        await caller.answer(status, told, *headers, "connection: close")

    async with RawServer(answer) as server:
        gateway = open_gateway("stripe", {"base_url": server.url, **settings}, KEY, http=http)
        return await gateway.send(call)
