"""The addresses of the sandbox, and how an answer goes wrong.

| request                                  | what it does                                    |
|------------------------------------------|-------------------------------------------------|
| POST /v1/payments                        | authorise, or take at once with `capture: true` |
| GET /v1/payments/{id}                    | the payment with its operations                 |
| POST /v1/payments/{id}/captures          | take a part                                     |
| POST /v1/payments/{id}/voids             | give up a part                                  |
| POST /v1/payments/{id}/refunds           | return a part                                   |
| POST /v1/payments/{id}/acknowledge       | the authorisation no longer expires             |
| GET /v1/operations?reference=            | what was done under the caller's reference      |
| GET /v1/ledger?reference=&payment=&after=| every effect on money, in order                 |
| GET /v1/settlements?date=                | what was captured and refunded that day, as CSV |
| GET /v1/ping                             | is the key good?                                |
| GET, POST /pay/{id}                      | the page where the shopper decides              |
| /control/…                               | what tests pull: see `levers`                   |

Everything but the shopper's page wants `Authorization: Bearer <key>`; what has an effect wants
`Idempotency-Key`. `Sandbox-Account` says whose payment it will be; hooks may listen to one account.
Answers: 201 operation, 402 declined, 400 malformed, 401, 404 payment_not_found, 409 in_use,
idempotency_key_reused, already_captured, already_voided, authorization_expired, nothing_captured,
payment_declined, payment_pending, 422 amount_too_large, currency_mismatch, 429, and 5xx when told.
"""

import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from litestar import Litestar, Request, Response, Router, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import Parameter

from counterfoil.sandbox.console import Console
from counterfoil.sandbox.control import Match
from counterfoil.sandbox.desk import Desk, problem
from counterfoil.sandbox.levers import LEVERS
from counterfoil.sandbox.pages import PAGES
from counterfoil.sandbox.stripe_shape import stripe_shape
from counterfoil.sandbox.till import DEFAULT_ACCOUNT, Asked, Refused
from counterfoil.sandbox.wire import (
    Acknowledge,
    Authorize,
    Error,
    Ledger,
    Move,
    Operation,
    Operations,
    Payment,
)
from counterfoil.sandbox.zip import zip_routes

Asking = Request[Any, Any, State]
#: Makes the router of another provider's shape, given the key of this process. It brings its own
#: guard, its own errors and its own prefix; `desk` is injected into its handlers as everywhere.
Shape = Callable[[str], Router]
Key = Annotated[str, Parameter(header="Idempotency-Key", min_length=1, max_length=255)]
Day = Annotated[str, Parameter(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Said = Response[Any]
_EFFECT = {
    status: ResponseSpec(Error, description=why)
    for status, why in {
        402: "Declined; nothing moved.",
        404: "No such payment.",
        409: "The key is in use or was used, or the state of the payment forbids it.",
        422: "The amount or the currency does not fit.",
        429: "Too many requests; see Retry-After.",
    }.items()
} | {201: ResponseSpec(Operation, description="Done, or pending.")}


@post("/v1/payments", responses=_EFFECT, summary="Authorise")
async def authorize(request: Asking, desk: Desk, data: Authorize, key: Key) -> Said:
    """Reserve money, or take it at once."""
    account = request.headers.get("sandbox-account", "")[:64] or DEFAULT_ACCOUNT
    origin = str(request.base_url).rstrip("/")
    return await desk.serve(request, Asked("authorize", "", key, data, account, origin))


@post("/v1/payments/{payment_id:str}/captures", responses=_EFFECT, summary="Capture")
async def capture(request: Asking, desk: Desk, payment_id: str, data: Move, key: Key) -> Said:
    """Take authorised money; `final` releases the rest."""
    return await desk.serve(request, Asked("capture", payment_id, key, data))


@post("/v1/payments/{payment_id:str}/voids", responses=_EFFECT, summary="Void")
async def void(request: Asking, desk: Desk, payment_id: str, data: Move, key: Key) -> Said:
    """Give up authorised money."""
    return await desk.serve(request, Asked("void", payment_id, key, data))


@post("/v1/payments/{payment_id:str}/refunds", responses=_EFFECT, summary="Refund")
async def refund(request: Asking, desk: Desk, payment_id: str, data: Move, key: Key) -> Said:
    """Return captured money."""
    return await desk.serve(request, Asked("refund", payment_id, key, data))


@post("/v1/payments/{payment_id:str}/acknowledge", responses=_EFFECT, summary="Acknowledge")
async def acknowledge(
    request: Asking, desk: Desk, payment_id: str, data: Acknowledge, key: Key
) -> Said:
    """Stop the clock of the authorisation."""
    return await desk.serve(request, Asked("acknowledge", payment_id, key, data))


@get(
    "/v1/payments/{payment_id:str}",
    responses={200: ResponseSpec(Payment), 404: ResponseSpec(Error)},
    summary="Read a payment",
)
async def read_payment(request: Asking, desk: Desk, payment_id: str) -> Said:
    """Read a payment with its operations."""
    return await desk.read(
        request,
        Match(kind="payment", payment=payment_id),
        lambda: desk.till.payment(payment_id),
    )


@get("/v1/operations", responses={200: ResponseSpec(Operations)}, summary="Status query")
async def find_operations(request: Asking, desk: Desk, reference: str) -> Said:
    """Find what was done under the caller's own reference; empty where nothing is known yet."""
    return await desk.read(
        request,
        Match(kind="query", reference=reference),
        lambda: Operations(desk.till.by_reference(reference)),
    )


@get("/v1/ledger", summary="Every effect")
async def read_ledger(
    desk: Desk, reference: str | None = None, payment: str | None = None, after: int = 0
) -> Ledger:
    """Read every effect on money in the order it happened, also those not yet visible to others."""
    return Ledger(desk.till.entries(reference, payment, after))


@get("/v1/settlements", media_type="text/csv", summary="Settlement report")
async def read_settlements(desk: Desk, date: Day) -> str:
    """Read what was captured and refunded on a day in UTC; amounts are decimals."""
    return Console(desk.till).settlement(date)


@get("/v1/ping", summary="Is the key good?")
async def ping() -> dict[str, str]:
    """Answer whoever has the key."""
    return {"status": "ok"}


#: The same money in the shapes of real providers: one line each.
SHAPES: tuple[Shape, ...] = (zip_routes, stripe_shape)


def _refused(_: Asking, refusal: Refused) -> Said:
    return problem(refusal.status, refusal.code, refusal.message)


def _not_understood(_: Asking, raised: HTTPException) -> Said:
    status = raised.status_code
    code = {400: "malformed", 401: "unauthorized", 404: "not_found", 405: "method_not_allowed"}
    extra = raised.extra if isinstance(raised.extra, list) else []
    told = "; ".join(f"{one.get('key')}: {one.get('message')}" for one in extra)
    return problem(status, code.get(status, "malformed"), told or raised.detail)


def make_app(desk: Desk, api_key: str) -> Litestar:
    """Put the addresses together; one key opens the native ones, all but the reference."""
    wanted = f"Bearer {api_key}".encode()

    def bearer(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        sent = connection.headers.get("authorization", "").encode()
        if not hmac.compare_digest(sent, wanted):
            raise NotAuthorizedException("Send Authorization: Bearer <key>.")

    async def the_desk() -> Desk:
        return desk

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with desk.open():
            yield

    payments = [authorize, capture, void, refund, acknowledge, read_payment, find_operations]
    reports = [read_ledger, read_settlements, ping]
    native = Router("/", route_handlers=[*payments, *reports, *LEVERS], guards=[bearer])
    return Litestar(
        route_handlers=[native, *PAGES, *(shape(api_key) for shape in SHAPES)],
        lifespan=[lifespan],
        dependencies={"desk": Provide(the_desk)},
        exception_handlers={Refused: _refused, HTTPException: _not_understood},
        openapi_config=OpenAPIConfig(
            title="Counterfoil sandbox gateway",
            version="1",
            description=__doc__,
            path="/",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        request_max_body_size=65_536,
        logging_config=None,
    )  # fmt: skip
