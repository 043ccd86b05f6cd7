"""Cards through Stripe: PaymentIntents and refunds, by the official library on our transport.

One payment is one PaymentIntent, captured at once (`payment`) or later and once (`auth`): what a
capture leaves is released, and a void gives up everything. Our references travel as metadata, the
transaction's id is the idempotency key. [rulings 19, 22, 25]
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
import stripe
from msgspec.structs import replace

from counterfoil.gateways import amounts
from counterfoil.gateways import stripe_verdict as verdict
from counterfoil.gateways.amounts import NotRepresentable, to_units
from counterfoil.gateways.port import presentable, read_settings
from counterfoil.gateways.stripe_currencies import PRESENTMENT
from counterfoil.gateways.stripe_hooks import Endpoint
from counterfoil.gateways.stripe_shapes import (
    Intent,
    is_intent_id,
    keep,
)
from counterfoil.gateways.stripe_statement import fee_of, hold_ends, state
from counterfoil.gateways.stripe_transport import Journal, Transport, journal
from counterfoil.gateways.stripe_verdict import CAPTURED_BY, REFERENCE
from counterfoil.gateways.stripe_wire import Wire, unsent
from counterfoil.kernel.http import Http, Reply
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

#: The version whose objects `stripe_shapes` reads; a newer library changes nothing by itself.
API_VERSION = "2026-10-28.endive"
_CHARGE = ["latest_charge"]
_CHARGE_AND_FEE = ["latest_charge.balance_transaction"]


class Settings(msgspec.Struct):
    """Where Stripe is, which of its versions we speak, and how payments are made.

    `payment_method` confirms every new payment at once with this card: for test accounts.
    `account` is the connected account that payments are for. With `search` off (not every country
    has it) a payment whose answer was lost is found by repeating the request under its key.
    """

    base_url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^/\s]+(/\S*)?$")] = (
        "https://api.stripe.com"
    )
    deadline_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10
    api_version: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d(\.\w+)?$")] = API_VERSION
    account: Annotated[str, msgspec.Meta(pattern=r"^acct_\w+$")] | None = None
    payment_method: Annotated[str, msgspec.Meta(pattern=r"^\w{1,255}$")] | None = None
    payment_method_types: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("card",)
    search: bool = True
    partial_capture: bool | None = None
    hold_seconds: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Credentials(msgspec.Struct):
    """A secret or restricted key, and the secret of our webhook endpoint at Stripe."""

    api_key: Annotated[str, msgspec.Meta(min_length=1, pattern=r"^[\x21-\x7e]+$")]
    webhook_secret: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]+$")] | None = None


class StripeGateway:
    """Stripe's adapter. Settings and credentials: above; what it can do: `order.capability`."""

    SETTINGS, CREDENTIALS = Settings, Credentials

    def __init__(
        self, settings: dict[str, Any], credentials: dict[str, Any], http: Http | None = None
    ) -> None:
        self._settings = read_settings(settings, Settings)
        self._capabilities = capabilities("stripe", settings)
        given = read_settings(credentials, Credentials)
        self._secrets = (given.api_key, given.webhook_secret or "")
        live = given.api_key.startswith(("sk_live_", "rk_live_"))
        self._endpoint = Endpoint(given.webhook_secret, live, self._settings.account)
        client = stripe.StripeClient(
            given.api_key,
            stripe_account=self._settings.account,
            stripe_version=self._settings.api_version,
            base_addresses={"api": self._settings.base_url.rstrip("/")},
            max_network_retries=0,
            http_client=Transport(http),
        )
        self._wire = Wire(client)

    @property
    def capabilities(self) -> Capabilities:
        """Tell what Stripe can do, narrowed by the settings."""
        return self._capabilities

    async def send(self, call: Call) -> Answer:
        """Move money, or verify what the checkout says it authorised."""
        try:
            units = to_units(call.amount, call.currency, self._capabilities, PRESENTMENT)
        except NotRepresentable as why:
            return amounts.refused(call, why)
        with journal(self._settings.deadline_s) as heard:
            return self._told(await self._send(call, units), heard)

    async def ask(self, call: Call) -> Answer:
        """Find out by the payment itself, or by our reference where it has no name yet."""
        with journal(self._settings.deadline_s) as heard:
            answer = await self._ask(call)
            if answer.outcome is Outcome.NOT_EXECUTED and answer.error_code != verdict.NOT_FOUND:
                answer = replace(answer, outcome=Outcome.UNKNOWN)
            return self._told(answer, heard)

    async def statement(self, payment_reference: str) -> Statement | None:
        """Read the payment, its charge and every refund; None where any of it cannot be had."""
        if not is_intent_id(payment_reference):
            return None
        with journal(self._settings.deadline_s):
            intent = await self._wire.intent(payment_reference, _CHARGE_AND_FEE)
            if isinstance(intent, Answer):
                return None
            refunds = await self._wire.refunds(payment_reference)
        if isinstance(refunds, Answer):
            return None
        try:
            return state(intent, refunds, self._capabilities)
        except (NotRepresentable, OverflowError, OSError, ValueError):
            return None

    def receive(
        self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, at: datetime
    ) -> Notice:
        """Check Stripe's signature, the mode and the account. Raises HookRefused."""
        return self._endpoint.receive(headers, body, at)

    async def test(self) -> dict[str, Any]:
        """Ask for the newest payment: it takes a good key, and the right to read payments."""
        with journal(self._settings.deadline_s) as heard:
            found = await self._wire.newest()
            elapsed_ms = sum(
                one.outcome.elapsed_ms for one in heard.heard if isinstance(one.outcome, Reply)
            )
        if isinstance(found, Answer):
            return {"ok": False, "message": self._shown(found), "elapsed_ms": elapsed_ms}
        return {"ok": True, "message": "Stripe answers.", "elapsed_ms": elapsed_ms}

    # -------------------------------------------------------------------------------- requests

    async def _send(self, call: Call, units: int) -> Answer:
        match call.kind:
            case Kind.AUTHORIZE if call.payment_reference is not None:
                return await self._verify(call)
            case Kind.AUTHORIZE:
                return await self._authorize(call, units)
            case Kind.ACKNOWLEDGE:
                return verdict.declined("not_supported", "Stripe's holds cannot be kept longer.")
        assert call.payment_reference is not None, "a movement on a payment names the payment"
        if not is_intent_id(call.payment_reference):
            return verdict.declined("resource_missing", "That is no name of a PaymentIntent.")
        match call.kind:
            case Kind.CAPTURE:
                return await self._capture(call, units)
            case Kind.VOID:
                return await self._void(call, units)
            case _:
                return await self._refund(call, units)

    async def _authorize(self, call: Call, units: int) -> Answer:
        wanted: dict[str, Any] = {
            "amount": units,
            "currency": call.currency.lower(),
            "capture_method": "automatic" if call.flow == "payment" else "manual",
            "payment_method_types": list(self._settings.payment_method_types),
            "metadata": {REFERENCE: call.our_reference, "order_number": call.order_number},
            "expand": _spelt(call),
        }
        if call.renews is not None:
            card = await self._card(call.renews)
            if isinstance(card, Answer):
                return card
            wanted |= {**card, "off_session": True, "confirm": True}
            wanted["metadata"] |= {"renews": call.renews}
        elif self._settings.payment_method is not None:
            wanted |= {"payment_method": self._settings.payment_method, "confirm": True}
            if call.return_url is not None:
                wanted["return_url"] = call.return_url
        found = await self._wire.create(call, wanted)
        return found if isinstance(found, Answer) else self._authorization(call, found)

    async def _card(self, payment: str) -> dict[str, Any] | Answer:
        """Find whom to charge again, without the shopper being there. Nothing is moved by it."""
        if not is_intent_id(payment):
            return verdict.declined("cannot_reauthorize", "That is no name of a PaymentIntent.")
        found = await self._wire.intent(payment, [])
        if isinstance(found, Answer):
            return found if found.outcome is Outcome.DECLINED else unsent(found)
        if not (found.customer and found.payment_method):
            why = "The earlier payment kept no card that could be charged again."
            return verdict.declined("cannot_reauthorize", why)
        return {"customer": found.customer, "payment_method": found.payment_method}

    async def _capture(self, call: Call, units: int) -> Answer:
        assert call.payment_reference is not None
        wanted: dict[str, Any] = {
            "amount_to_capture": units,
            "metadata": {CAPTURED_BY: call.our_reference},
            "expand": _CHARGE_AND_FEE,
        }
        found = await self._wire.capture(call, call.payment_reference, wanted)
        if isinstance(found, Answer):
            return found
        return self._captured(call, found, asked=False)

    async def _void(self, call: Call, units: int) -> Answer:
        """Look what is held, then give it up: all of it, or nothing is asked for."""
        assert call.payment_reference is not None
        payment = call.payment_reference
        found = await self._wire.intent(payment, [])
        if isinstance(found, Answer):
            return found if found.outcome is Outcome.DECLINED else unsent(found)
        if units < found.amount:
            why = "Stripe gives up everything that is held or nothing."
            return verdict.declined("partial_void_not_supported", why, payment)
        if units > found.amount:
            return verdict.declined("amount_too_large", "Less is held than that.", payment)
        done = await self._wire.cancel(call, payment)
        if isinstance(done, Answer):
            return done
        return verdict.judge_void(call, done, self._capabilities, asked=False)

    async def _refund(self, call: Call, units: int) -> Answer:
        wanted: dict[str, Any] = {
            "payment_intent": call.payment_reference,
            "amount": units,
            "metadata": {REFERENCE: call.our_reference},
        }
        found = await self._wire.refund(call, wanted)
        if isinstance(found, Answer):
            return found
        return verdict.judge_refund(call, found, self._capabilities)

    async def _verify(self, call: Call) -> Answer:
        """Ask whether the payment that the checkout names is as it says. [rulings 22]"""
        assert call.payment_reference is not None
        if not is_intent_id(call.payment_reference):
            return verdict.declined("resource_missing", "That is no name of a PaymentIntent.")
        found = await self._wire.intent(call.payment_reference, _spelt(call))
        return found if isinstance(found, Answer) else self._authorization(call, found)

    # ------------------------------------------------------------------------------- questions

    async def _ask(self, call: Call) -> Answer:
        if call.kind == Kind.ACKNOWLEDGE:
            return verdict.missing("Stripe is never asked to keep a hold longer.")
        if call.kind == Kind.AUTHORIZE and call.payment_reference is None:
            return await self._search(call)
        if call.kind == Kind.AUTHORIZE:
            return await self._verify(call)
        payment = call.payment_reference or ""
        if not is_intent_id(payment):
            return verdict.missing("No PaymentIntent has such a name.")
        if call.kind == Kind.REFUND:
            return await self._find_refund(call, payment)
        expand = _CHARGE_AND_FEE if call.kind == Kind.CAPTURE else []
        found = await self._wire.intent(payment, expand)
        if isinstance(found, Answer):
            # That the payment itself is not there is no word on what we did to it.
            return replace(found, outcome=Outcome.UNKNOWN)
        if call.kind == Kind.VOID:
            return verdict.judge_void(call, found, self._capabilities, asked=True)
        return self._captured(call, found, asked=True)

    async def _search(self, call: Call) -> Answer:
        if not self._settings.search:
            return verdict.unclear(CANNOT_TELL, "Stripe is not searched; repeating tells.")
        found = await self._wire.search(call)
        if isinstance(found, Answer):
            if found.outcome is Outcome.DECLINED:
                return verdict.unclear(CANNOT_TELL, f"The search was refused: {self._shown(found)}")
            return replace(found, outcome=Outcome.UNKNOWN)
        if not found.data:
            return verdict.missing()
        if len(found.data) > 1:
            return verdict.unclear("several_found", "Stripe did it more than once.")
        return self._authorization(call, found.data[0])

    async def _find_refund(self, call: Call, payment: str) -> Answer:
        """Look through the payment's refunds for ours. [faults R-4]"""
        listed = await self._wire.refunds(payment)
        if isinstance(listed, Answer):
            return replace(listed, outcome=Outcome.UNKNOWN)
        ours = [one for one in listed if one.marked(REFERENCE) == call.our_reference]
        if not ours:
            return verdict.missing()
        if len(ours) > 1:
            return verdict.unclear("several_found", "Stripe did it more than once.")
        return verdict.judge_refund(call, ours[0], self._capabilities)

    # --------------------------------------------------------------------------------- answers

    def _authorization(self, call: Call, found: Intent) -> Answer:
        confirmed = call.renews is not None or self._settings.payment_method is not None
        answer = verdict.judge_authorization(call, found, self._capabilities, confirmed=confirmed)
        if answer.outcome is not Outcome.SUCCEEDED:
            return answer
        if call.flow == "auth":
            return replace(answer, expires_at=hold_ends(found.charge))
        return replace(answer, fee=fee_of(found.charge, call.currency, self._capabilities))

    def _captured(self, call: Call, found: Intent, *, asked: bool) -> Answer:
        answer = verdict.judge_capture(call, found, self._capabilities, asked=asked)
        if answer.outcome is Outcome.SUCCEEDED:
            return replace(answer, fee=fee_of(found.charge, call.currency, self._capabilities))
        return answer

    def _told(self, answer: Answer, heard: Journal) -> Answer:
        code, message = answer.error_code, answer.error_message
        return replace(
            answer,
            error_code=None if code is None else presentable(code, self._secrets),
            error_message=None if message is None else presentable(message, self._secrets),
            raw=keep(heard.heard, self._secrets),
        )

    def _shown(self, answer: Answer) -> str:
        return presentable(f"{answer.error_code}: {answer.error_message}", self._secrets)


def _spelt(call: Call) -> list[str]:
    """Say what an authorisation needs to hear: until when it holds, or what it costs."""
    return _CHARGE if call.flow == "auth" else _CHARGE_AND_FEE
