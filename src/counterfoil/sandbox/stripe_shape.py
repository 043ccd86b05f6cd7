"""The addresses of the Stripe shape: what Stripe's library calls for payments and refunds.

| request                                    | what it does                                   |
|--------------------------------------------|------------------------------------------------|
| POST, GET /stripe/v1/payment_intents       | make a payment, list the newest                |
| GET /stripe/v1/payment_intents/search      | find by `metadata["our_reference"]`            |
| GET /stripe/v1/payment_intents/{id}        | read one                                       |
| POST /stripe/v1/payment_intents/{id}/capture, cancel | take what is held, or give it up     |
| POST, GET /stripe/v1/refunds, GET …/{id}   | return money, list a payment's refunds         |
| POST, DELETE /stripe/v1/webhook_endpoints  | hear of changes                                |

The native levers work on it: `pi_1` is the payment `pay_1` there, `re_1` the operation `op_1`.
"""

import hmac
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import Parameter

from counterfoil.sandbox.control import Match, Script
from counterfoil.sandbox.desk import Desk
from counterfoil.sandbox.faults import Fault
from counterfoil.sandbox.stripe_courier import StripeCourier
from counterfoil.sandbox.stripe_form import (
    CancelIntent,
    CaptureIntent,
    CreateIntent,
    CreateRefund,
    Expanding,
    Listing,
    NewEndpoint,
    Search,
    Wrong,
    read_form,
    refusal,
)
from counterfoil.sandbox.stripe_till import StripeTill, Wanted, payment_id
from counterfoil.sandbox.till import DEFAULT_ACCOUNT, Stored

Asking = Request[Any, Any, State]
Said = Response[Any]
Key = Annotated[str | None, Parameter(header="Idempotency-Key", min_length=1, max_length=255)]
_NATIVE = {
    "in_use": {"type": "invalid_request_error", "code": "idempotency_key_in_use"},
    "rate_limited": {"type": "invalid_request_error", "code": "rate_limit"},
    "not_found": {"type": "invalid_request_error", "code": "resource_missing"},
}


class Counter:
    """Where requests in Stripe's shape meet the desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.till = StripeTill(desk)
        self.courier = StripeCourier(self.till)

    async def wanted(self, request: Asking, shape: type[Any], key: str | None) -> Wanted:
        """Read a request with an effect. Raises Wrong."""
        text = (await request.body()).decode("utf-8", "replace")
        account = request.headers.get("stripe-account", DEFAULT_ACCOUNT)
        origin = str(request.base_url).rstrip("/")
        form = read_form(text, shape)
        return Wanted(request.url.path, key or "", form, account, origin)

    async def play(
        self,
        request: Asking,
        wanted: Wanted,
        due: Callable[[], Script | None],
        effect: Callable[[Script | None], tuple[int, dict[str, Any]]],
    ) -> Said:
        """Play it, with the faults that are due, and say the answer as Stripe would."""
        played: list[Script | None] = []

        def watched() -> Script | None:
            played.append(due())
            return played[0]

        def once(script: Script | None) -> Stored:
            return self.till.once(wanted, lambda: effect(script))

        answer = await self.desk.play(request, wanted.key or request.url.path, watched, once)
        script = played[0] if played else None
        return _in_their_words(answer, script.fault if script else Fault.OK)

    async def read(self, request: Asking, match: Match, find: Callable[[], Any]) -> Said:
        """Serve a read, spoilt where a rule says so."""
        return _in_their_words(await self.desk.read(request, match, find), Fault.OK)


def _in_their_words(answer: Said, fault: Fault) -> Said:
    """Turn what the desk says by itself into Stripe's shape."""
    if not isinstance(answer.content, bytes):
        return answer
    if fault is Fault.AMOUNT and b"amount_received" in answer.content:
        told = msgspec.json.decode(answer.content)
        told["amount_received"] += 1
        answer.content = msgspec.json.encode(told)
    if (answer.status_code or 200) < 400:
        return answer
    error = msgspec.json.decode(answer.content)["error"]
    if "type" not in error:
        known = _NATIVE.get(error["code"], {"type": "api_error"})
        answer.content = msgspec.json.encode({"error": {"message": error["message"], **known}})
    return answer


@post("/payment_intents", status_code=200, summary="Make a payment")
async def create_intent(request: Asking, counter: Counter, key: Key = None) -> Said:
    """Make a payment, confirmed at once where a card is named."""
    wanted = await counter.wanted(request, CreateIntent, key)
    till = counter.till
    return await counter.play(
        request, wanted,
        lambda: till.due("authorize", "", wanted.reference(), wanted.form.amount),
        lambda script: till.create(wanted, script),
    )  # fmt: skip


@post("/payment_intents/{intent:str}/capture", status_code=200, summary="Capture")
async def capture_intent(request: Asking, counter: Counter, intent: str, key: Key = None) -> Said:
    """Take what is held."""
    wanted = await counter.wanted(request, CaptureIntent, key)
    till, payment = counter.till, payment_id(intent)
    reference, amount = wanted.reference("capture_reference"), wanted.form.amount_to_capture or 0
    return await counter.play(
        request, wanted,
        lambda: till.due("capture", payment, reference, amount),
        lambda script: till.capture(wanted, payment, script),
    )  # fmt: skip


@post("/payment_intents/{intent:str}/cancel", status_code=200, summary="Cancel")
async def cancel_intent(request: Asking, counter: Counter, intent: str, key: Key = None) -> Said:
    """Give up what is held."""
    wanted = await counter.wanted(request, CancelIntent, key)
    till, payment = counter.till, payment_id(intent)
    return await counter.play(
        request, wanted,
        lambda: till.due("void", payment, wanted.reference(), 0),
        lambda script: till.cancel(wanted, payment, script),
    )  # fmt: skip


@post("/refunds", status_code=200, summary="Refund")
async def create_refund(request: Asking, counter: Counter, key: Key = None) -> Said:
    """Return money."""
    wanted = await counter.wanted(request, CreateRefund, key)
    till, payment = counter.till, payment_id(wanted.form.payment_intent)
    return await counter.play(
        request, wanted,
        lambda: till.due("refund", payment, wanted.reference(), wanted.form.amount or 0),
        lambda script: till.refund(wanted, script),
    )  # fmt: skip


@get("/payment_intents", summary="List payments")
async def list_intents(request: Asking, counter: Counter) -> Said:
    """List the newest payments."""
    form = read_form(_query(request), Listing)
    return await counter.read(request, Match("query"), lambda: counter.till.intents(form))


@get("/payment_intents/search", summary="Search payments")
async def search_intents(request: Asking, counter: Counter) -> Said:
    """Find payments by our reference."""
    form = read_form(_query(request), Search)
    reference = form.query.rsplit(":", 1)[-1].strip("\"'")
    match = Match("query", reference)
    return await counter.read(request, match, lambda: counter.till.search(form))


@get("/payment_intents/{intent:str}", summary="Read a payment")
async def read_intent(request: Asking, counter: Counter, intent: str) -> Said:
    """Read one payment."""
    form = read_form(_query(request), Expanding)
    payment = payment_id(intent)
    match = counter.till.due_read(payment)
    return await counter.read(request, match, lambda: counter.till.intent(payment, form.expand))


@get("/refunds", summary="List refunds")
async def list_refunds(request: Asking, counter: Counter) -> Said:
    """List a payment's refunds."""
    form = read_form(_query(request), Listing)
    match = counter.till.due_read(payment_id(form.payment_intent or ""))
    return await counter.read(request, match, lambda: counter.till.refunds(form))


@get("/refunds/{refund:str}", summary="Read a refund")
async def read_refund(request: Asking, counter: Counter, refund: str) -> Said:
    """Read one refund."""
    return await counter.read(request, Match("query"), lambda: counter.till.one_refund(refund))


@post("/webhook_endpoints", status_code=200, summary="Hear of changes")
async def add_endpoint(request: Asking, counter: Counter) -> dict[str, Any]:
    """Call an address of this machine after each change from now on; the secret is told once."""
    text = (await request.body()).decode("utf-8", "replace")
    return counter.courier.add(read_form(text, NewEndpoint))


@delete("/webhook_endpoints/{endpoint:str}", status_code=200, summary="Hear no more")
async def forget_endpoint(counter: Counter, endpoint: str) -> dict[str, Any]:
    """Call an address no more."""
    counter.courier.forget(endpoint)
    return {"id": endpoint, "object": "webhook_endpoint", "deleted": True}


def _query(request: Asking) -> str:
    return request.scope["query_string"].decode("utf-8", "replace")


def _wrong(_: Asking, wrong: Wrong) -> Said:
    return refusal(wrong)


def _not_understood(_: Asking, raised: HTTPException) -> Said:
    return refusal(Wrong(raised.status_code, raised.detail))


def stripe_shape(api_key: str) -> Router:
    """Put the addresses together; one key opens them."""
    wanted = f"Bearer {api_key}".encode()
    made: list[Counter] = []

    def bearer(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        sent = connection.headers.get("authorization", "").encode()
        if not hmac.compare_digest(sent, wanted):
            raise NotAuthorizedException("Invalid API Key provided.")

    async def the_counter(desk: Desk) -> Counter:
        if not made:
            made.append(Counter(desk))
        return made[0]

    return Router(
        "/stripe/v1",
        route_handlers=[
            create_intent, list_intents, search_intents, read_intent, capture_intent,
            cancel_intent, create_refund, list_refunds, read_refund, add_endpoint,
            forget_endpoint,
        ],
        guards=[bearer],
        dependencies={"counter": Provide(the_counter)},
        exception_handlers={Wrong: _wrong, HTTPException: _not_understood},
    )  # fmt: skip
