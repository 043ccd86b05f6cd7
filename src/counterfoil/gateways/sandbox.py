"""The practice gateway over HTTP, and the model for adapters of real providers."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from counterfoil.gateways.port import (
    HookRefused,
    decode,
    presentable,
    read_settings,
    retry_after_s,
)
from counterfoil.gateways.sandbox_wire import (
    Credentials,
    Event,
    Found,
    Operation,
    Payment,
    Refusal,
    Settings,
    adds_up,
    movements,
)
from counterfoil.gateways.signatures import check_signature, read_secrets
from counterfoil.gateways.verdict import (
    REFUSALS,
    STATUSES,
    TURNED_AWAY,
    VOID_IS_SO,
    Verdict,
)
from counterfoil.kernel.http import Http, HttpFailure, NotSent, Reply, Request
from counterfoil.order.capability import capabilities
from counterfoil.order.gateway import (
    PENDING,
    Answer,
    Call,
    Capabilities,
    Kind,
    Notice,
    Outcome,
    Statement,
)

_PATHS = {
    Kind.CAPTURE: "captures",
    Kind.VOID: "voids",
    Kind.REFUND: "refunds",
    Kind.ACKNOWLEDGE: "acknowledge",
}
_ENCODE = msgspec.json.Encoder()


class SandboxGateway:
    """The sandbox's adapter.

    It sends `transaction_id` as the idempotency key and can be asked by `our_reference`. Every
    answer is sorted by one table, `verdict.py`: what the provider does not document as definitive
    is UNKNOWN, so that a new status costs a question and never money. [faults §1, P-1 to P-9]
    """

    SETTINGS, CREDENTIALS = Settings, Credentials

    def __init__(
        self, settings: dict[str, Any], credentials: dict[str, Any], http: Http | None = None
    ) -> None:
        self._settings = read_settings(settings, Settings)
        self._capabilities = capabilities("sandbox", settings)
        kept = read_settings(credentials, Credentials)
        self._key = kept.api_key
        self._secrets = read_secrets(kept.webhook_secret or "")
        self._hidden = (kept.api_key, *(kept.webhook_secret or "").split())
        self._http = http

    @property
    def capabilities(self) -> Capabilities:
        """Tell what the sandbox can do, narrowed by the settings."""
        return self._capabilities

    async def send(self, call: Call) -> Answer:
        """Move money, or verify what the checkout says it authorised."""
        if call.kind == Kind.AUTHORIZE and call.payment_reference is not None:
            return await self._verify(call)
        path, body = self._request(call)
        try:
            reply = await self._exchange("POST", path, body, call.transaction_id)
        except HttpFailure as failure:
            return self._failed(call, failure, path, body)
        verdict = self._judge(call, reply)
        return self._answer(verdict, self._raw("POST", path, body, reply))

    async def ask(self, call: Call) -> Answer:
        """Find the operation by our reference."""
        if call.kind == Kind.AUTHORIZE and call.payment_reference is not None:
            return await self._verify(call)
        path = f"/v1/operations?reference={quote(call.our_reference, safe='')}"
        try:
            reply = await self._exchange("GET", path)
        except HttpFailure as failure:
            verdict = Verdict(Outcome.UNKNOWN, failure.code, str(failure))
            return self._answer(verdict, self._raw("GET", path, None, failure))
        verdict = self._judge_found(call, reply)
        return self._answer(verdict, self._raw("GET", path, None, reply))

    async def statement(self, payment_reference: str) -> Statement | None:
        """Read the payment with everything that was asked for and not declined."""
        try:
            reply = await self._exchange("GET", self._payment_path(payment_reference))
        except HttpFailure:
            return None
        payment = decode(reply, Payment) if reply.status == 200 else None
        if payment is None:
            return None
        listed = movements(payment)
        return Statement(
            payment_reference=payment.id,
            currency=payment.currency,
            authorized=payment.authorized,
            captured=payment.captured,
            voided=payment.voided,
            expired=payment.expired,
            refunded=payment.refunded,
            expires_at=payment.expires_at,
            movements=listed,
            itemised=adds_up(payment, listed),
            status=payment.status,
        )

    def receive(
        self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, at: datetime
    ) -> Notice:
        """Check the signature, then whose event it is. [faults W-1, W-3, W-9]"""
        if not self._secrets:
            raise HookRefused("No webhook secret is set.")
        id_ = check_signature(headers, body, self._secrets, at)
        try:
            event = msgspec.json.decode(body, type=Event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise HookRefused("The content is no event.") from None
        ours = (id_, self._settings.account, self._settings.livemode)
        if (event.id, event.account, event.livemode) != ours:
            raise HookRefused("The event is of another account, another mode or another id.")
        return Notice(event.id, event.type, event.payment or None, event.reference or None)

    async def test(self) -> dict[str, Any]:
        """Ask whether the key is good."""
        try:
            reply = await self._exchange("GET", "/v1/ping")
        except HttpFailure as failure:
            return {"ok": False, "message": f"{failure.code}: {failure}", "elapsed_ms": 0}
        ok = reply.status == 200
        message = "The gateway answers." if ok else f"The gateway answers {reply.status}."
        return {"ok": ok, "message": message, "elapsed_ms": reply.elapsed_ms}

    # -------------------------------------------------------------------------------- requests

    def _request(self, call: Call) -> tuple[str, dict[str, Any]]:
        body: dict[str, Any] = {"reference": call.our_reference}
        if call.kind != Kind.ACKNOWLEDGE:
            body |= {"amount": call.amount, "currency": call.currency}
        if call.kind == Kind.AUTHORIZE:
            body |= {"capture": call.flow == "payment", "magic": self._settings.magic_amounts}
            if self._capabilities.hold_seconds is not None:
                body["hold_seconds"] = self._capabilities.hold_seconds
            if call.renews is not None:
                body["renews"] = call.renews
            elif self._capabilities.redirect:
                body |= {"redirect": True, "return_url": call.return_url}
            return "/v1/payments", body
        if call.kind == Kind.CAPTURE and not self._capabilities.multi_capture:
            body["final"] = True
        assert call.payment_reference is not None, "a movement on a payment names the payment"
        return f"{self._payment_path(call.payment_reference)}/{_PATHS[call.kind]}", body

    def _payment_path(self, payment_reference: str) -> str:
        return f"/v1/payments/{quote(payment_reference, safe='')}"

    async def _exchange(
        self, method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None
    ) -> Reply:
        headers = {
            "authorization": f"Bearer {self._key}",
            "sandbox-account": self._settings.account,
        }
        if body is not None:
            headers["content-type"] = "application/json"
        if key is not None:
            headers["idempotency-key"] = key
        request = Request(
            method=method,
            url=self._settings.base_url.rstrip("/") + path,
            headers=headers,
            body=b"" if body is None else _ENCODE.encode(body),
            deadline_s=self._settings.deadline_s,
        )
        async with nullcontext(self._http) if self._http else Http(trusted=True) as http:
            return await http.exchange(request)

    # ------------------------------------------------------------------------------- judgement

    def _judge(self, call: Call, reply: Reply) -> Verdict:
        """Sort the answer to a request that wanted an effect."""
        if reply.status in (200, 201):
            operation = decode(reply, Operation)
            if operation is None:
                return Verdict(Outcome.UNKNOWN, "invalid_answer", "The answer is not complete.")
            return self._judge_operation(call, operation)
        if reply.status == 429:
            wait_s = retry_after_s(reply)
            return Verdict(TURNED_AWAY, "rate_limited", "Too many requests.", retry_after_s=wait_s)
        refusal: Refusal | None = decode(reply, Refusal)
        if refusal is None:
            return Verdict(Outcome.UNKNOWN, f"http_{reply.status}", "The provider failed.")
        why = (reply.status, refusal.error.code)
        if call.kind == Kind.VOID and why in VOID_IS_SO:
            return Verdict(Outcome.SUCCEEDED, refusal.error.code, amount=call.amount)
        outcome = REFUSALS.get(why, Outcome.UNKNOWN)
        verdict = Verdict(outcome, refusal.error.code, refusal.error.message)
        if refusal.operation is not None:
            told = self._judge_operation(call, refusal.operation)
            if told.outcome is outcome or told.outcome is Outcome.UNKNOWN:
                return told
            return told.doubt("contradiction", "The answer says yes and no.")
        if outcome is Outcome.NOT_EXECUTED:
            return msgspec.structs.replace(verdict, retry_after_s=retry_after_s(reply))
        return verdict

    def _judge_operation(self, call: Call, found: Operation) -> Verdict:
        """Compare what the provider says it did with what was asked for. [faults P-8]"""
        wanted = (call.kind.lower(), call.amount, call.currency, call.our_reference)
        told = (found.kind, found.amount, found.currency, found.reference)
        names = ("kind", "amount", "currency", "reference")
        pairs = zip(names, wanted, told, strict=True)
        differs = [name for name, ours, theirs in pairs if ours != theirs]
        if call.payment_reference not in (None, found.payment):
            differs.append("payment")
        outcome = STATUSES.get(found.status, Outcome.UNKNOWN)
        code = found.code
        if outcome is Outcome.UNKNOWN:
            code = PENDING if found.status == "pending" else "unknown_status"
        elif outcome is Outcome.DECLINED:
            code = found.code or found.status
        done = outcome is Outcome.SUCCEEDED
        verdict = Verdict(
            outcome, code, found.message, found.id, found.payment, found.amount,
            redirect_url=None if done else found.redirect_url,
            expires_at=found.expires_at if done else None,
            fee=found.fee if done and "capture" in (found.kind, found.also and found.also.kind)
            else None,
        )  # fmt: skip
        if differs:
            message = f"Asked for {wanted}, the provider speaks of {told}."
            return verdict.doubt(f"{differs[0]}_mismatch", message)
        return verdict

    def _judge_found(self, call: Call, reply: Reply) -> Verdict:
        """Sort the answer to the status query."""
        if reply.status == 404 and decode(reply, Refusal) is not None:
            return Verdict(Outcome.NOT_EXECUTED, "not_found", "The provider knows nothing of it.")
        found = decode(reply, Found) if reply.status == 200 else None
        if found is None:
            return Verdict(Outcome.UNKNOWN, f"http_{reply.status}", "The provider could not tell.")
        if not found.operations:
            return Verdict(Outcome.NOT_EXECUTED, "not_found", "The provider knows nothing of it.")
        if len(found.operations) > 1:
            return Verdict(Outcome.UNKNOWN, "several_found", "The provider did it more than once.")
        return self._judge_operation(call, found.operations[0])

    async def _verify(self, call: Call) -> Answer:
        """Ask whether the payment that the checkout names is as it says. [rulings 22]"""
        path = self._payment_path(call.payment_reference or "")
        try:
            reply = await self._exchange("GET", path)
        except HttpFailure as failure:
            return self._failed(call, failure, path, None)
        raw = self._raw("GET", path, None, reply)
        payment = decode(reply, Payment) if reply.status == 200 else None
        if payment is None:
            return self._answer(self._judge(call, reply), raw)
        taken = payment.captured if call.flow == "payment" else payment.authorized
        operation = next((one for one in payment.operations if one.kind == "authorize"), None)
        verdict = Verdict(Outcome.SUCCEEDED, None, None, None, payment.id, taken)
        if operation is not None:
            verdict = msgspec.structs.replace(
                verdict,
                gateway_transaction_id=operation.id,
                expires_at=payment.expires_at,
                fee=operation.fee if operation.also else None,
            )
        if payment.currency != call.currency:
            verdict = verdict.doubt("currency_mismatch", f"It is in {payment.currency}.")
        elif payment.status == "pending":
            verdict = verdict.doubt(PENDING, "The shopper has not decided yet.")
        elif payment.status in ("declined", "abandoned", "expired", "voided"):
            verdict = Verdict(Outcome.DECLINED, payment.status, f"It is {payment.status}.")
        elif taken != call.amount:
            verdict = verdict.doubt("amount_mismatch", f"It is over {taken}.")
        elif call.flow == "auth" and payment.status != "authorized":
            verdict = verdict.doubt("state_mismatch", f"It is {payment.status}.")
        return self._answer(verdict, raw)

    # --------------------------------------------------------------------------------- answers

    def _failed(
        self, call: Call, failure: HttpFailure, path: str, body: dict[str, Any] | None
    ) -> Answer:
        safe = isinstance(failure, NotSent)
        outcome = Outcome.NOT_EXECUTED if safe else Outcome.UNKNOWN
        method = "GET" if body is None else "POST"
        raw = self._raw(method, path, body, failure)
        return self._answer(Verdict(outcome, failure.code, str(failure)), raw)

    def _answer(self, verdict: Verdict, raw: dict[str, Any]) -> Answer:
        message = verdict.message
        return Answer(
            outcome=verdict.outcome,
            gateway_transaction_id=verdict.gateway_transaction_id,
            payment_reference=verdict.payment_reference,
            error_code=None if verdict.code is None else presentable(verdict.code, self._hidden),
            error_message=None if message is None else presentable(message, self._hidden),
            amount=verdict.amount,
            retry_after_s=verdict.retry_after_s,
            redirect_url=verdict.redirect_url,
            expires_at=verdict.expires_at,
            fee=verdict.fee,
            raw=raw,
        )

    def _raw(
        self, method: str, path: str, body: dict[str, Any] | None, outcome: Reply | HttpFailure
    ) -> dict[str, Any]:
        """Keep the exchange for people: what was sent and heard, nothing secret. [rulings 45]"""
        told: dict[str, Any] = {"request": {"method": method, "path": path, "body": body}}
        if isinstance(outcome, HttpFailure):
            text = presentable(str(outcome), self._hidden)
            sent = not isinstance(outcome, NotSent)
            return {**told, "failure": {"code": outcome.code, "message": text, "sent": sent}}
        text = presentable(outcome.body.decode("utf-8", "replace"), self._hidden)
        answer = {"status": outcome.status, "body": text, "truncated": outcome.truncated}
        return {**told, "answer": answer, "elapsed_ms": outcome.elapsed_ms}
