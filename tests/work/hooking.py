"""Calls of the sandbox to us, made and signed here: any order, any number, any time."""

import base64
import hashlib
import hmac
import itertools
from typing import Any

import msgspec

from counterfoil.kernel.secrets import KeyRing
from counterfoil.setup.gateways import GatewayChange, change_gateway
from counterfoil.work.hooks import Arrived, receive_hook
from counterfoil.work.lanes import LANES, run_due
from tests.sandbox.server import Sandbox
from tests.work.shop import RING, Shop

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
HOOKS = next(lane for lane in LANES if lane.name == "hooks")
_numbers = itertools.count(1)


async def listen(shop: Shop, sandbox: Sandbox) -> None:
    """Let the gateway `card` take the sandbox's calls."""
    change = GatewayChange(credentials={**sandbox.credentials, "webhook_secret": SECRET})
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        await change_gateway(connection, shop.actor, "card", change, KeyRing(RING))
    shop.works.adapters._kept.clear()


def events(sandbox: Sandbox, payment: str) -> list[dict[str, Any]]:
    """Everything that happened to a payment, oldest first."""
    return [told["event"] for told in sandbox.call("GET", f"/control/events?payment={payment}")]


def made_up(**more: Any) -> dict[str, Any]:
    """An event of the sandbox's shape about something that it never heard of."""
    return {
        "id": f"evt_made_up_{next(_numbers)}", "type": "payment.captured",
        "account": "acct_sandbox", "livemode": False, "created_at": "2026-11-20T10:15:00Z",
        "payment": "pay_nowhere", "operation": "op_nowhere", "reference": "", **more,
    }


async def signed(
    shop: Shop, event: dict[str, Any], *, ago_s: int = 0, secret: str = SECRET
) -> tuple[dict[str, str], bytes]:
    """Make the headers and the body of a call."""
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        now = (await connection.value("select cf_now()")).timestamp()
    body = msgspec.json.encode(event)
    return mark(event["id"], int(now) - ago_s, body, secret), body


def mark(id_: str, at: int, body: bytes, secret: str = SECRET) -> dict[str, str]:
    """Sign as Standard Webhooks has it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{id_}.{at}.".encode() + body
    code = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"content-type": "application/json", "webhook-id": id_, "webhook-timestamp": str(at),
            "webhook-signature": f"v1,{code}"}


async def call(shop: Shop, headers: dict[str, str], body: bytes) -> Arrived:
    return await receive_hook(shop.works, shop.actor.account_id, "card", headers, {}, body)


async def tell(shop: Shop, event: dict[str, Any]) -> Arrived:
    """Let the sandbox call with an event."""
    return await call(shop, *await signed(shop, event))


async def followed(shop: Shop) -> int:
    """Let the worker look into what has come; tell how many that was."""
    done = 0
    while count := await run_due(shop.works, HOOKS):
        done += count
    return done


async def kept(shop: Shop) -> list[dict[str, Any]]:
    """The events as stored, in the order of their arrival."""
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        rows = await connection.rows(
            "select * from inbound_events where account_id = $1 order by received_at, id",
            connection.account)
    return [dict(row) for row in rows]
