"""The sandbox in the shape of Zip's NZ Online API, on the same payments.

| request                               | what it does                                         |
|---------------------------------------|------------------------------------------------------|
| POST /zip/oauth/token                 | a token for `zip` or `zip-partial`                   |
| POST /zip/order                       | an order that waits for its shopper                  |
| GET /zip/order/{id}                   | status and totals                                    |
| POST /zip/order/{id}/capture          | take a part, or all that is left                     |
| POST /zip/order/{id}/void             | give up a part                                       |
| POST /zip/order/{id}/refund           | return a part                                        |
| POST /zip/order/{id}/acknowledge      | the authorisation no longer expires; no body, 200    |
| PUT /zip/order/{id}/merchantReference | another reference                                    |
| GET, POST /zip/checkout/{id}          | the page where the shopper decides                   |
| GET, POST /zip/control                | for tests: count and forget tokens (key of the sandbox) |

Faults are scripted as everywhere; the kind of an error chooses which of Zip's four shapes it has.
An authorisation lasts 15 minutes unless it is acknowledged. How to acknowledge is not public: a
POST without a body is our choice.
"""

import hmac
import secrets
from collections.abc import Callable
from html import escape
from importlib.resources import files
from string import Template
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, get, post, put
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.handlers.base import BaseRouteHandler
from litestar.response import Redirect

from counterfoil.sandbox.console import Console
from counterfoil.sandbox.control import Match, Script
from counterfoil.sandbox.desk import Desk, problem
from counterfoil.sandbox.till import Asked, Refused, Stored
from counterfoil.sandbox.wire import Move
from counterfoil.sandbox.zip_calls import StatusCalls
from counterfoil.sandbox.zip_clients import Given, Tokens
from counterfoil.sandbox.zip_till import CURRENCY, ZipAsked, ZipTill
from counterfoil.sandbox.zip_wire import error, read_body

Asking = Request[Any, Any, State]
Said = Response[Any]
Effect = Callable[[Script | None], Stored]
_PAGE = Template(files("counterfoil.sandbox").joinpath("zip.html").read_text("utf-8"))


class Terms(msgspec.Struct, forbid_unknown_fields=True):
    """What a test sets: how long tokens live, and that those which are out are good no more."""

    token_s: Annotated[int, msgspec.Meta(ge=1, le=10**6)] | None = None
    forget_tokens: bool = False


class Zip:
    """The Zip side of a sandbox: its clients, its orders, its call-backs."""

    def __init__(self, desk: Desk, secret: str) -> None:
        self.desk = desk
        self.tokens = Tokens(secret)
        self.till = ZipTill(desk)
        self.calls = StatusCalls(self.till)

    def client(self, request: Asking) -> str:
        """Tell who asks. Raises Refused."""
        sent = request.headers.get("authorization", "")
        client = self.tokens.client(sent, self.desk.till.ledger.now())
        if client is None:
            raise Refused(401, "unauthorized", "The token is missing, wrong or too old.")
        return client

    async def move(self, request: Asking, kind: str, order: str = "") -> Said:
        """Serve a write."""
        key = request.headers.get("idempotency-key") or secrets.token_hex(16)
        asked = ZipAsked(self.client(request), key, order, read_body(await request.body()))
        effects: dict[str, Effect] = {
            "authorize": lambda script: self.till.create(asked, _origin(request), script),
            "capture": lambda script: self.till.capture(asked, script),
            "void": lambda script: self.till.void(asked, script),
            "refund": lambda script: self.till.refund(asked, script),
            "acknowledge": lambda script: self.till.acknowledge(asked, script),
        }
        if asked.body.get("merchant", {}).get("statusCallbackUrl"):
            self.calls.start()
        return await self.desk.play(
            request, asked.key_at_the_till, lambda: self._due(kind, asked), effects[kind]
        )

    async def read(self, request: Asking, order: str) -> Said:
        """Serve a read, spoilt where a rule says so."""
        client, origin = self.client(request), _origin(request)
        match = Match(kind="payment", payment=order)
        return await self.desk.play(
            request, f"zip-read:{secrets.token_hex(8)}",
            lambda: self.desk.rules.take(match),
            lambda script: self.till.read(client, order, origin, script),
        )  # fmt: skip

    def _due(self, kind: Any, asked: ZipAsked) -> Script | None:
        match = self.till.match(kind, asked)
        script = self.desk.rules.take(match)
        if script is not None or kind == "authorize" or not match.amount:
            return script
        want = Move(match.amount, CURRENCY, asked.reference)
        fault = self.desk.till.magic(Asked(kind, asked.order, asked.key_at_the_till, want))
        return None if fault is None else Script(fault)


@post("/oauth/token", status_code=200, summary="Zip: a token")
async def token(request: Asking, zip_side: Zip) -> Said:
    """Give a token for client credentials."""
    if not zip_side.desk.bucket.take():
        return problem(429, "rate_limited", "Too many requests.", Retry_After="1")
    try:
        given = msgspec.json.decode(await request.body(), type=Given)
    except (msgspec.DecodeError, msgspec.ValidationError) as wrong:
        raise Refused(400, "malformed", str(wrong)) from wrong
    granted = zip_side.tokens.grant(given, zip_side.desk.till.ledger.now())
    if granted is None:
        raise Refused(401, "unauthorized", "Nobody has these credentials.")
    return Response(msgspec.json.encode(granted), media_type="application/json")


@post("/order", status_code=200, summary="Zip: create an order")
async def create(request: Asking, zip_side: Zip) -> Said:
    """Make an order that waits for its shopper."""
    return await zip_side.move(request, "authorize")


@get("/order/{order:str}", summary="Zip: read an order")
async def read(request: Asking, zip_side: Zip, order: str) -> Said:
    """Read status and totals."""
    return await zip_side.read(request, order)


@post("/order/{order:str}/{kind:str}", status_code=200, summary="Zip: move money")
async def move(
    request: Asking,
    zip_side: Zip,
    order: str,
    kind: Literal["capture", "void", "refund", "acknowledge"],
) -> Said:
    """Capture, void, refund or acknowledge."""
    return await zip_side.move(request, kind, order)


@put("/order/{order:str}/merchantReference", summary="Zip: another reference")
async def rename(request: Asking, zip_side: Zip, order: str) -> Said:
    """Give the order another merchant reference."""
    body = read_body(await request.body())
    stored = zip_side.till.rename(ZipAsked(zip_side.client(request), "", order, body))
    return Response(stored.body, status_code=stored.status)


@get("/checkout/{order:str}", include_in_schema=False)
async def show_page(zip_side: Zip, order: str) -> Response[str]:
    """Show what is to be paid."""
    row = zip_side.till.row(order)
    if row is None:
        raise Refused(404, "payment_not_found", "No order has this id.")
    waits = row["status"] == "Created"
    said = f"Pay for {row['merchant_reference']}?" if waits else f"It is {row['status']}."
    body = _PAGE.substitute(
        sentence=escape(said), order=escape(order), hidden="" if waits else "hidden"
    )
    return Response(body, media_type="text/html", headers={"cache-control": "no-store"})


@post("/checkout/{order:str}/{does:str}", include_in_schema=False)
async def press(
    zip_side: Zip, order: str, does: Literal["approve", "decline", "leave"]
) -> Redirect:
    """Do what the shopper wants, and send them back to the shop. Pressed twice it is done once."""
    row = zip_side.till.row(order)
    if row is None:
        raise Refused(404, "payment_not_found", "No order has this id.")
    if row["status"] == "Created":
        Console(zip_side.desk.till).decide(order, does)
        await zip_side.desk.courier.look()
        row = zip_side.till.row(order)
    well = row["status"] in ("Approved", "Authorised")
    address = row["confirm_url"] if well else row["cancel_url"]
    return Redirect(f"{address}{'&' if '?' in address else '?'}orderId={order}", status_code=303)


@get("/control", summary="Zip: for tests")
async def count(zip_side: Zip) -> dict[str, int]:
    """Count the token requests."""
    return {"token_requests": zip_side.tokens.requests, "token_s": zip_side.tokens.life_s}


@post("/control", status_code=200, summary="Zip: for tests")
async def set_terms(zip_side: Zip, data: Terms) -> None:
    """Change how long tokens live; forget those that are out."""
    if data.token_s is not None:
        zip_side.tokens.life_s = data.token_s
    if data.forget_tokens:
        zip_side.tokens.forget()


def _refused(_: Asking, refusal: Refused) -> Said:
    status, body = error(refusal)
    return Response(body, status_code=status, media_type="application/json")


def _not_understood(request: Asking, raised: HTTPException) -> Said:
    code = {401: "unauthorized", 404: "payment_not_found"}.get(raised.status_code, "malformed")
    return _refused(request, Refused(raised.status_code, code, raised.detail))


def _origin(request: Asking) -> str:
    return str(request.base_url).rstrip("/")


def zip_routes(api_key: str) -> Router:
    """Put the addresses together; the key of the sandbox is the secret of Zip's clients."""
    sides: dict[int, Zip] = {}
    wanted = f"Bearer {api_key}".encode()

    async def the_side(desk: Desk) -> Zip:
        if id(desk) not in sides:
            sides[id(desk)] = Zip(desk, api_key)
        return sides[id(desk)]

    def bearer(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        sent = connection.headers.get("authorization", "").encode()
        if not hmac.compare_digest(sent, wanted):
            raise NotAuthorizedException("Send Authorization: Bearer <key of the sandbox>.")

    control = Router("/", route_handlers=[count, set_terms], guards=[bearer])
    orders = [token, create, read, move, rename, show_page, press]
    return Router(
        "/zip",
        route_handlers=[*orders, control],
        dependencies={"zip_side": Provide(the_side)},
        exception_handlers={Refused: _refused, HTTPException: _not_understood},
    )
