"""The practice gateway over HTTP, and the model for adapters of real providers."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from counterfoil.gateways.port import (
    HookRefused,
    decode,
    presentable,
    read_settings,
    retry_after_s,
)
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
    Movement,
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


class _Settings(msgspec.Struct):
    """Where the sandbox is, how long one exchange may take, and what it shall be unable to do.

    With `magic_amounts` the payments we make let their amounts choose faults. [rulings 49]
    """

    base_url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^/\s]+(/\S*)?$")]
    deadline_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10
    magic_amounts: bool = False
    partial_capture: bool | None = None
    multi_capture: bool | None = None
    partial_void: bool | None = None
    hold_seconds: Annotated[int, msgspec.Meta(ge=1)] | None = None
    acknowledge: bool | None = None


class _Credentials(msgspec.Struct):
    api_key: Annotated[str, msgspec.Meta(min_length=1, pattern=r"^[\x21-\x7e]+$")]


class _Operation(msgspec.Struct):
    """What a complete answer must carry; anything less proves nothing."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    payment: Annotated[str, msgspec.Meta(min_length=1)]
    kind: str
    status: str
    amount: int
    currency: str
    reference: str
    created_at: datetime
    code: str | None = None
    message: str | None = None


class _Found(msgspec.Struct):
    operations: list[_Operation]


class _Reason(msgspec.Struct):
    code: str
    message: str


class _Refusal(msgspec.Struct):
    error: _Reason
    operation: _Operation | None = None


class _Payment(msgspec.Struct):
    id: str
    status: str
    currency: str
    authorized: int
    captured: int
    voided: int
    expired: int
    refunded: int
    operations: list[_Operation]
    expires_at: datetime | None = None


class SandboxGateway:
    """The sandbox's adapter.

    To write another one: take its class as the model and give it the same five methods. Say in
    `order.capability` what the provider can do. Send `transaction_id` as the idempotency key and
    `our_reference` where the provider can be asked by it. Convert amounts exactly or refuse.
    Sort every answer by one table, as `verdict.py` does: only what the provider documents as
    definitive may become SUCCEEDED, DECLINED or NOT_EXECUTED; the rest is UNKNOWN by default, so
    that a new status costs a question and never money. Put nothing secret into `raw`. Then add
    the adapter to `gateways.KINDS` and to `tests/gateways/contract.py`, and make that suite pass
    against the provider's own sandbox. [faults §1, P-1 to P-9]
    """

    def __init__(
        self, settings: dict[str, Any], credentials: dict[str, Any], http: Http | None = None
    ) -> None:
        self._settings = read_settings(settings, _Settings)
        self._capabilities = capabilities("sandbox", settings)
        self._key = read_settings(credentials, _Credentials).api_key
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
        """Read the payment with every operation that took effect."""
        try:
            reply = await self._exchange("GET", self._payment_path(payment_reference))
        except HttpFailure:
            return None
        payment = decode(reply, _Payment) if reply.status == 200 else None
        if payment is None:
            return None
        return Statement(
            payment_reference=payment.id,
            currency=payment.currency,
            authorized=payment.authorized,
            captured=payment.captured,
            voided=payment.voided,
            expired=payment.expired,
            refunded=payment.refunded,
            expires_at=payment.expires_at,
            movements=[
                Movement(
                    kind=one.kind.upper(),
                    amount=one.amount,
                    gateway_transaction_id=one.id,
                    our_reference=one.reference or None,
                    at=one.created_at,
                )
                for one in payment.operations
                if one.status == "succeeded"
            ],
        )

    def receive(
        self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, at: datetime
    ) -> Notice:
        """The sandbox does not call yet."""
        raise HookRefused("This gateway sends nothing.")

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
        headers = {"authorization": f"Bearer {self._key}"}
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
            operation = decode(reply, _Operation)
            if operation is None:
                return Verdict(Outcome.UNKNOWN, "invalid_answer", "The answer is not complete.")
            return self._judge_operation(call, operation)
        if reply.status == 429:
            wait_s = retry_after_s(reply)
            return Verdict(TURNED_AWAY, "rate_limited", "Too many requests.", retry_after_s=wait_s)
        refusal: _Refusal | None = decode(reply, _Refusal)
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

    def _judge_operation(self, call: Call, found: _Operation) -> Verdict:
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
        verdict = Verdict(outcome, code, found.message, found.id, found.payment, found.amount)
        if differs:
            message = f"Asked for {wanted}, the provider speaks of {told}."
            return verdict.doubt(f"{differs[0]}_mismatch", message)
        return verdict

    def _judge_found(self, call: Call, reply: Reply) -> Verdict:
        """Sort the answer to the status query."""
        if reply.status == 404 and decode(reply, _Refusal) is not None:
            return Verdict(Outcome.NOT_EXECUTED, "not_found", "The provider knows nothing of it.")
        found = decode(reply, _Found) if reply.status == 200 else None
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
        payment = decode(reply, _Payment) if reply.status == 200 else None
        if payment is None:
            return self._answer(self._judge(call, reply), raw)
        taken = payment.captured if call.flow == "payment" else payment.authorized
        operation = next((one for one in payment.operations if one.kind == "authorize"), None)
        verdict = Verdict(Outcome.SUCCEEDED, None, None, None, payment.id, taken)
        if operation is not None:
            verdict = msgspec.structs.replace(verdict, gateway_transaction_id=operation.id)
        if payment.currency != call.currency:
            verdict = verdict.doubt("currency_mismatch", f"It is in {payment.currency}.")
        elif payment.status in ("declined", "expired", "voided"):
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
            error_code=None if verdict.code is None else presentable(verdict.code, (self._key,)),
            error_message=None if message is None else presentable(message, (self._key,)),
            amount=verdict.amount,
            retry_after_s=verdict.retry_after_s,
            raw=raw,
        )

    def _raw(
        self, method: str, path: str, body: dict[str, Any] | None, outcome: Reply | HttpFailure
    ) -> dict[str, Any]:
        """Keep the exchange for people: what was sent and heard, nothing secret. [rulings 45]"""
        told: dict[str, Any] = {"request": {"method": method, "path": path, "body": body}}
        if isinstance(outcome, HttpFailure):
            text = presentable(str(outcome), (self._key,))
            sent = not isinstance(outcome, NotSent)
            return {**told, "failure": {"code": outcome.code, "message": text, "sent": sent}}
        text = presentable(outcome.body.decode("utf-8", "replace"), (self._key,))
        answer = {"status": outcome.status, "body": text, "truncated": outcome.truncated}
        return {**told, "answer": answer, "elapsed_ms": outcome.elapsed_ms}
