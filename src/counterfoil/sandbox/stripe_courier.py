"""Events in Stripe's shape, signed by Stripe's scheme, to addresses of this machine only."""

import asyncio
import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from counterfoil.sandbox.stripe_form import NewEndpoint, Wrong
from counterfoil.sandbox.stripe_till import StripeTill
from counterfoil.sandbox.till import DEFAULT_ACCOUNT

VERSION = "2026-10-28.endive"
TRIES_MAX = 3
ANSWER_S = 5
_LOOK_S = 0.05
_HERE = {"127.0.0.1", "localhost", "::1"}
#: What Stripe calls a change, by what the ledger calls it; what is missing is not told.
_TYPES = {
    "payment.declined": "payment_intent.payment_failed",
    "payment.captured": "payment_intent.succeeded",
    "payment.voided": "payment_intent.canceled",
    "payment.expired": "payment_intent.canceled",
    "payment.refunded": "refund.updated",
    "refund.failed": "refund.failed",
}


class Endpoint(msgspec.Struct, frozen=True):
    """Who hears of what."""

    id: str
    url: str
    secret: str
    types: tuple[str, ...]


def sign(body: bytes, secret: str, at_s: int) -> str:
    """Make the header that Stripe's library checks."""
    mac = hmac.new(secret.encode(), b"%d.%s" % (at_s, body), hashlib.sha256)
    return f"t={at_s},v1={mac.hexdigest()}"


class StripeCourier:
    """Looks for news as long as somebody listens; a process that ends forgets the addresses."""

    def __init__(self, till: StripeTill) -> None:
        self.till, self.ledger = till, till.ledger
        self.endpoints: dict[str, Endpoint] = {}
        self.seen = 0
        self._looking: asyncio.Task[None] | None = None

    def add(self, new: NewEndpoint) -> dict[str, Any]:
        """Keep an address; it hears of what happens from now on. Raises Wrong."""
        parts = urlsplit(new.url)
        if parts.scheme != "http" or parts.hostname not in _HERE:
            raise Wrong(400, "Only http addresses of this machine are called.", code="url_invalid")
        made = Endpoint(
            f"we_{secrets.token_hex(12)}", new.url, f"whsec_{secrets.token_hex(16)}",
            new.enabled_events,
        )  # fmt: skip
        if not self.endpoints:
            self.seen = self.ledger.last_event()
            self._looking = asyncio.create_task(self._look())
        self.endpoints[made.id] = made
        return {
            "id": made.id,
            "object": "webhook_endpoint",
            "api_version": VERSION,
            "enabled_events": made.types,
            "livemode": False,
            "secret": made.secret,
            "status": "enabled",
            "url": made.url,
        }

    def forget(self, id_: str) -> None:
        """Call an address no more."""
        self.endpoints.pop(id_, None)

    async def _look(self) -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=ANSWER_S) as client:
            while self.endpoints:
                rows = self.ledger.all("select * from event where seq > ? order by seq", self.seen)
                for row in rows:
                    self.seen = row["seq"]
                    event = self._event(row)
                    if event is not None:
                        await self._tell(client, event)
                await asyncio.sleep(_LOOK_S)

    async def _tell(self, client: httpx2.AsyncClient, event: dict[str, Any]) -> None:
        body = msgspec.json.encode(event)
        for endpoint in list(self.endpoints.values()):
            if not {"*", event["type"]} & set(endpoint.types):
                continue
            for attempt in range(TRIES_MAX):
                at_s = self.ledger.now() // 1000
                headers = {
                    "content-type": "application/json",
                    "stripe-signature": sign(body, endpoint.secret, at_s),
                }
                try:
                    answer = await client.post(endpoint.url, content=body, headers=headers)
                except (httpx2.HTTPError, OSError):
                    pass
                else:
                    if answer.is_success:
                        break
                await asyncio.sleep(0.1 * 2**attempt)

    def _event(self, row: Any) -> dict[str, Any] | None:
        payment = self.till.payment(row["payment"])
        type_ = _TYPES.get(row["type"])
        if row["type"] == "payment.authorized":
            at_once = payment.operations[0].also is not None
            type_ = "payment_intent." + ("succeeded" if at_once else "amount_capturable_updated")
        if type_ is None:
            return None
        about = (
            self.till.one_refund(row["operation"].replace("op_", "re_", 1))
            if type_.startswith("refund.")
            else self.till.intent(payment.id, [])
        )
        told = {
            "id": row["id"],
            "object": "event",
            "api_version": VERSION,
            "created": row["at"] // 1000,
            "data": {"object": about},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": type_,
        }
        account = row["account"]
        return told if account == DEFAULT_ACCOUNT else {**told, "account": account}
