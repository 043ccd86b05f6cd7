"""How an address is declared, and how it is served.

    @door.post("/v1/orders/{order_id}/capture", right="payments.capture",
               answers={201: TransactionShape, 202: TransactionShape}, raises=(AmountInvalid,))
    async def capture(ask: Ask, body: CaptureBody) -> Answered: ...

The declaration is the whole truth about an address: who may come in, what it reads, what it
answers. OpenAPI is told from it. The second parameter is `body` or `query`, a struct; one whose
fields all have defaults may be left out by the client. An address without a right does not
start. [rulings 40; faults H-17]
"""

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from counterfoil.api.ask import Ask
from counterfoil.api.office import Office
from counterfoil.api.reply import Reply, Stream, tell, tell_answered, tell_problem
from counterfoil.kernel.body import decode_json
from counterfoil.kernel.problem import Malformed, PermissionDenied, Problem
from counterfoil.order.actor import Actor
from counterfoil.order.change import Answered
from counterfoil.order.rights import ALL_RIGHTS

#: For whoever has a key, whatever it may do; and for whoever comes.
ANY_KEY = "any key"
OPEN = "open"
#: Any media type at all, and any query.
ANYTHING = "*/*"
Handler = Callable[..., Awaitable[Any]]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An address as declared. `rights`: one of them is enough. `raises` beside the usual ones."""

    method: str
    path: str
    rights: tuple[str, ...]
    answers: Mapping[int, Any]
    raises: Sequence[type[Problem]]
    handler: Handler
    body: type[msgspec.Struct] | None
    query: type[msgspec.Struct] | None
    versioned: bool
    media: str
    line: Any
    takes: str
    subject: str

    @property
    def writes(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return self.method in ("POST", "PUT", "PATCH", "DELETE")

    @property
    def streams(self) -> bool:
        """Whether its handler reads the body as it arrives."""
        return self.line is not None or bool(self.takes)

    @property
    def any_body(self) -> bool:
        """Whether whatever is sent is the handler's to judge, query and body: a provider's call."""
        return self.takes == ANYTHING

    @property
    def body_is_optional(self) -> bool:
        """Whether nothing may be sent in the place of the body."""
        return self.body is not None and not any(
            field.required for field in msgspec.structs.fields(self.body)
        )


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No fields: the body stays empty."""


class Door:
    """Collects the addresses of one file."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.endpoints: list[Endpoint] = []

    def declare(
        self,
        method: str,
        path: str,
        *,
        right: str | tuple[str, ...] = (),
        answers: Mapping[int, Any],
        raises: Sequence[type[Problem]] = (),
        **more: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare an address.

        `more`: `versioned` (If-Match, ETag), `media`; `line` of a stream of lines, or `takes`, the
        media type of a body that the handler reads itself.
        """
        rights = (right,) if isinstance(right, str) else right

        def keep(handler: Handler) -> Handler:
            hints = typing.get_type_hints(handler)
            body = hints.get("body")
            if body is None and method in ("POST", "PATCH") and not {"line", "takes"} & set(more):
                body = Nothing
            self.endpoints.append(Endpoint(
                method=method, path=path, rights=rights, answers=answers, raises=raises,
                handler=handler, body=body, query=hints.get("query"),
                versioned=more.get("versioned", False), line=more.get("line"),
                takes=more.get("takes", ""),
                media=more.get("media", "application/json"), subject=self.subject,
            ))
            return handler

        return keep

    def get(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Declare a GET."""
        return self.declare("GET", path, **declared)

    def post(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Declare a POST."""
        return self.declare("POST", path, **declared)

    def patch(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Declare a PATCH."""
        return self.declare("PATCH", path, **declared)

    def delete(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Declare a DELETE."""
        return self.declare("DELETE", path, **declared)


class NoRight(Exception):
    """An address was declared without a right; the program does not start."""


def check_rights(endpoints: Sequence[Endpoint]) -> None:
    """Refuse to start with an address that names no right of rulings 40. Raises NoRight."""
    for endpoint in endpoints:
        known = {*ALL_RIGHTS, ANY_KEY, OPEN}
        if not endpoint.rights or not set(endpoint.rights) <= known:
            raise NoRight(
                f"{endpoint.method} {endpoint.path} has the rights {endpoint.rights!r};"
                " name one of order.rights, ANY_KEY or OPEN."
            )


def serve(endpoint: Endpoint, office: Office) -> HTTPRouteHandler:
    """Make the Litestar handler of an address.

    It reads its own body: Litestar's would be decoded leniently and after a copy.
    """
    wants = "body" in inspect.signature(endpoint.handler).parameters

    async def respond(request: Request[Any, Any, Any]) -> ASGIApp:
        ask = Ask(office, request.scope, request.receive)
        try:
            return await _respond(endpoint, ask, wants_body=wants)
        except Problem as problem:
            return tell_problem(problem, request.scope["path"])

    return HTTPRouteHandler(
        endpoint.path.replace("}", ":str}"),
        http_method=endpoint.method,  # type: ignore[arg-type]
        name=f"{endpoint.method} {endpoint.path}",
        status_code=200,  # a reply has its own
        include_in_schema=False,
        opt={"rights": endpoint.rights},
    )(respond)


def options(endpoints: Sequence[Endpoint]) -> list[HTTPRouteHandler]:
    """Make the handlers that tell which methods each address takes."""
    methods: dict[str, set[str]] = {}
    for endpoint in endpoints:
        own = methods.setdefault(endpoint.path, {"OPTIONS"})
        own |= {endpoint.method, *(("HEAD",) if endpoint.method == "GET" else ())}
    return [_options(path, sorted(names)) for path, names in methods.items()]


def _options(path: str, names: list[str]) -> HTTPRouteHandler:
    told = Reply(204, headers=((b"allow", ", ".join(names).encode()),))

    async def respond() -> ASGIApp:
        return told

    return HTTPRouteHandler(
        path.replace("}", ":str}"), http_method="OPTIONS", name=f"OPTIONS {path}",
        status_code=200, include_in_schema=False,
    )(respond)


async def _respond(endpoint: Endpoint, ask: Ask, *, wants_body: bool) -> ASGIApp:
    if not endpoint.any_body:
        ask.check_accept(endpoint.media)
    if endpoint.rights != (OPEN,):
        actor = await ask.authenticate()
        ask.scope["counterfoil"].actor = actor
        require_one(actor, endpoint.rights)
    ask.check_ids()
    arguments: dict[str, Any] = {}
    if endpoint.body is not None:
        raw = await ask.read_body()
        if raw:
            body = decode_json(raw, endpoint.body)
        elif endpoint.body_is_optional:
            body = endpoint.body()
        else:
            raise Malformed("Send a JSON object; the body is empty.")
        if wants_body:
            arguments["body"] = body
    if endpoint.query is not None:
        arguments["query"] = ask.query(endpoint.query)
    elif ask.scope["query_string"] and not endpoint.any_body:
        ask.query(Nothing)
    return _told(await endpoint.handler(ask, **arguments))


def require_one(actor: Actor, rights: Sequence[str]) -> None:
    """Go on with one of the rights. Raises PermissionDenied, which names the first."""
    if ANY_KEY in rights or any(actor.can(right) for right in rights):
        return
    if len(rights) == 1:
        actor.require(rights[0])
    scopes = [right.replace(".", ":") for right in rights]
    raise PermissionDenied(
        f"You lack the right {' or '.join(rights)}. A key needs the scope {' or '.join(scopes)}.",
        permission=rights[0], scope=scopes[0],
    )


def _told(found: Any) -> ASGIApp:
    if isinstance(found, Answered):
        return tell_answered(found)
    if isinstance(found, Reply | Stream):
        return found
    return tell(found)
