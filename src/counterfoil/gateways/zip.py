"""Zip, by the NZ Online API: the shopper pays Zip in instalments, Zip pays the merchant.

Zip tells of an order its status and the totals of captures and refunds, nothing by our reference
and nothing of voids. So what became of a capture or refund is read off the totals, and for the
rest the same request under the same key is the way to find out. [requirements 1B.2]
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec

from counterfoil.gateways.port import GatewayMisconfigured, presentable, read_settings
from counterfoil.gateways.verdict import Verdict
from counterfoil.gateways.zip_callback import callback_key, read_callback
from counterfoil.gateways.zip_judge import (
    Page,
    done,
    is_expired,
    judge_claim,
    judge_created,
    judge_move,
    judge_totals,
    read_order,
)
from counterfoil.gateways.zip_shapes import EXPONENT, create_order, to_wire, totals, unfit
from counterfoil.gateways.zip_token import Grant, NoToken
from counterfoil.gateways.zip_verdict import STATUSES
from counterfoil.gateways.zip_wire import Heard, Wanted, Wire
from counterfoil.kernel.currencies import EXPONENTS
from counterfoil.kernel.http import Http, NotSent
from counterfoil.order.capability import capabilities
from counterfoil.order.gateway import (
    CANNOT_TELL,
    Answer,
    Call,
    Capabilities,
    Kind,
    Notice,
    Outcome,
    Statement,
)

_Address = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/\s]+(/\S*)?$")]
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[\x21-\x7e]+$")]


class _Settings(msgspec.Struct):
    """Where Zip is, and what the merchant's account has.

    The defaults are production; for Zip's own sandbox give `base_url`, `auth_url` and `audience`.
    `currency` is the account's: Zip names none. `partial_capture` says that Zip's integrations
    team has switched on the scope for it. [Z-18, Z-19]
    """

    base_url: _Address = "https://zip.co/nz/api"
    auth_url: _Address = "https://merchant-auth-nz.zip.co/oauth/token"
    audience: _Word = "https://auth.partpay.co.nz"
    currency: str = "NZD"
    product_type: Literal["Classic", "Plus"] | None = None
    deadline_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10
    partial_capture: bool = False
    multi_capture: bool | None = None
    partial_void: bool | None = None
    hold_seconds: Annotated[int, msgspec.Meta(ge=1)] | None = None
    acknowledge: bool | None = None


class _Credentials(msgspec.Struct):
    """What Zip gave the merchant. `callback_secret` is ours alone, and may be left out."""

    client_id: _Word
    client_secret: _Word
    callback_secret: Annotated[str, msgspec.Meta(min_length=16, max_length=500)] | None = None


class ZipGateway:
    """Zip's adapter. One deadline covers a call with everything that it takes: token and repeat."""

    SETTINGS, CREDENTIALS = _Settings, _Credentials

    def __init__(
        self, settings: dict[str, Any], credentials: dict[str, Any], http: Http | None = None
    ) -> None:
        self._settings = read_settings(settings, _Settings)
        if EXPONENTS.get(self._settings.currency) != EXPONENT:
            raise GatewayMisconfigured("The currency must be one with two decimals, as Zip counts.")
        own = read_settings(credentials, _Credentials)
        self._capabilities = capabilities("zip", settings)
        self._callback_key = callback_key(own.client_secret, own.callback_secret)
        self._secrets = (own.client_secret, own.callback_secret or "")
        grant = Grant(
            self._settings.auth_url, self._settings.audience, own.client_id, own.client_secret
        )
        self._wire = Wire(self._settings.base_url, grant, http, secrets=self._secrets)

    @property
    def capabilities(self) -> Capabilities:
        """Tell what Zip can do, and the merchant's account of it."""
        return self._capabilities

    async def send(self, call: Call) -> Answer:
        """Move money, make an order for the shopper to confirm, or verify one."""
        refused = unfit(call, self._settings.currency)
        if refused is not None:
            return self._answer(refused, None, {"note": "Nothing was sent to Zip."})
        if call.kind == Kind.AUTHORIZE and call.payment_reference is not None:
            return await self._verify(call)
        until = self._until()
        heard = await self._wire.exchange(self._wanted(call), until)
        if heard.reply is None:
            return self._failed(heard)
        if call.kind == Kind.AUTHORIZE:
            return self._answer(*judge_created(call, heard.reply), heard.raw)
        verdict = judge_move(call, heard.reply)
        if call.kind == Kind.VOID and verdict.outcome is Outcome.DECLINED:
            return await self._look_again(call, verdict, heard, until)
        return self._answer(verdict, None, heard.raw)

    async def ask(self, call: Call) -> Answer:
        """Read off the order what became of it, as far as that can be."""
        if call.payment_reference is None:
            return self._cannot_tell("Zip finds no order by our reference.")
        if call.kind == Kind.VOID:
            return self._cannot_tell("Zip does not tell what was voided.")
        if call.kind == Kind.AUTHORIZE:
            return await self._verify(call, asking=True)
        heard = await self._wire.exchange(self._read(call.payment_reference), self._until())
        if heard.reply is None:
            return self._failed(heard, asking=True)
        return self._answer(judge_totals(call, heard.reply), None, heard.raw)

    async def statement(self, payment_reference: str) -> Statement | None:
        """Read the order's totals. Zip tells no movements, and of voids nothing at all."""
        heard = await self._wire.exchange(self._read(payment_reference), self._until())
        if heard.reply is None:
            return None
        order = read_order(payment_reference, heard.reply)
        if isinstance(order, Verdict) or order.order_status not in STATUSES:
            return None
        told = totals(order)
        held = order.order_status in ("Authorised", "Approved", "Expired")
        taken = order.order_status == "Approved" and order.captured_amount is None
        captured = told.amount if taken else told.captured
        return Statement(
            payment_reference=order.order_id,
            currency=self._settings.currency,
            authorized=told.amount if held or captured else 0,
            captured=captured,
            voided=0,
            expired=told.amount - captured if order.order_status == "Expired" else 0,
            refunded=told.refunded,
            itemised=False,
            status=order.order_status,
        )

    def receive(
        self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, at: datetime
    ) -> Notice:
        """Check that the address was signed by us; the body is believed in nothing."""
        return read_callback(query, body, at, self._callback_key)

    async def test(self) -> dict[str, Any]:
        """Fetch a token."""
        since = time.monotonic()
        try:
            await self._wire.try_credentials(self._settings.deadline_s)
        except NoToken as failure:
            message = presentable(f"{failure.code}: {failure}", self._secrets)
            return {"ok": False, "message": message, "elapsed_ms": _elapsed_ms(since)}
        told = "Zip accepts the client id and its secret."
        return {"ok": True, "message": told, "elapsed_ms": _elapsed_ms(since)}

    # -------------------------------------------------------------------------------- requests

    def _until(self) -> float:
        return time.monotonic() + self._settings.deadline_s

    def _read(self, payment_reference: str) -> Wanted:
        return Wanted("GET", f"/order/{quote(payment_reference, safe='')}")

    def _wanted(self, call: Call) -> Wanted:
        """Write the request. The amount is always said, so that no more moves than is reserved.

        How to acknowledge is not public: a POST without a body is our choice. [requirements 1B.2]
        """
        key = call.transaction_id
        if call.kind == Kind.AUTHORIZE:
            body = create_order(call, self._settings.product_type, self._callback_key)
            return Wanted("POST", "/order", body, key)
        assert call.payment_reference is not None, "a movement on a payment names the payment"
        path = f"{self._read(call.payment_reference).path}/{call.kind.lower()}"
        if call.kind == Kind.ACKNOWLEDGE:
            return Wanted("POST", path, None, key)
        body = {"amount": to_wire(call.amount, call.currency)}
        if call.kind == Kind.REFUND:
            body["merchantRefundReference"] = call.our_reference
        return Wanted("POST", path, body, key)

    # ------------------------------------------------------------------------------- judgement

    # ------------------------------------------------------------------------------- exchanges

    async def _verify(self, call: Call, *, asking: bool = False) -> Answer:
        """Ask whether the shopper has confirmed the order; the redirect alone proves nothing."""
        assert call.payment_reference is not None, "what is verified has a name"
        heard = await self._wire.exchange(self._read(call.payment_reference), self._until())
        if heard.reply is None:
            return self._failed(heard, asking=asking)
        return self._answer(*judge_claim(call, heard.reply, asking=asking), heard.raw)

    async def _look_again(self, call: Call, refused: Verdict, first: Heard, until: float) -> Answer:
        """See whether a refused void was refused because nothing is held any more. [faults V-2]"""
        assert call.payment_reference is not None, "a void names its payment"
        second = await self._wire.exchange(self._read(call.payment_reference), until)
        raw = {**second.raw, "before": [first.raw, *second.raw.get("before", [])]}
        verdict = refused
        if second.reply is not None and is_expired(call.payment_reference, second.reply):
            verdict = done(call, None, "expired")
        return self._answer(verdict, None, raw)

    # --------------------------------------------------------------------------------- answers

    def _cannot_tell(self, why: str) -> Answer:
        return self._answer(Verdict(Outcome.UNKNOWN, CANNOT_TELL, why), None, {"note": why})

    def _failed(self, heard: Heard, *, asking: bool = False) -> Answer:
        failure = heard.failure
        assert failure is not None, "there is an answer or a failure"
        safe = isinstance(failure, NotSent) and not asking
        wait_s = failure.retry_after_s if isinstance(failure, NoToken) else None
        verdict = Verdict(
            Outcome.NOT_EXECUTED if safe else Outcome.UNKNOWN,
            failure.code,
            str(failure),
            retry_after_s=wait_s,
        )
        return self._answer(verdict, None, heard.raw)

    def _answer(self, verdict: Verdict, page: Page | None, raw: dict[str, Any]) -> Answer:
        told = (verdict.code, verdict.message)
        code, message = (None if one is None else presentable(one, self._secrets) for one in told)
        return Answer(
            outcome=verdict.outcome,
            gateway_transaction_id=verdict.gateway_transaction_id,
            payment_reference=verdict.payment_reference,
            error_code=code,
            error_message=message,
            amount=verdict.amount,
            retry_after_s=verdict.retry_after_s,
            redirect_url=None if page is None else page.redirect_url,
            expires_at=None if page is None else page.expires_at,
            raw=raw,
        )


def _elapsed_ms(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
