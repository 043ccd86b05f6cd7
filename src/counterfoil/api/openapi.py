"""The description of the API, OpenAPI 3.1: the declarations of `door`, told completely.

Schemas come from the very structs that bodies are decoded into and answers are made of, so what is
promised is what is checked.
"""

import inspect
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec

from counterfoil.api.door import ANY_KEY, OPEN, Endpoint
from counterfoil.api.examples import EXAMPLES
from counterfoil.kernel import body, problem
from counterfoil.kernel.problem import Problem, every_problem
from counterfoil.order.problems import IdempotencyKeyReused, RequestInProgress, VersionConflict
from counterfoil.order.rights import SCOPES

VERSION = "1.0"
NDJSON = "application/x-ndjson"
_PROBLEM = "application/problem+json"
_REF = "#/components/schemas/{name}"
_DESCRIPTION = """Amounts are integers in the minor unit of the `currency` beside them; times are
RFC 3339 in UTC; ids are strings. Unknown fields are refused and named. Every write takes an
`Idempotency-Key`: the same request again gets the first answer, byte for byte. Orders answer with
an `ETag`, their version, and accept `If-Match`. Errors are problem details (RFC 9457) with a
`code`; `errors` points at the fields."""
_STATUSES = {
    200: "Done.", 201: "Made.", 204: "Done; there is nothing to tell.",
    202: "Not known yet: the payment provider has not answered. The amount stays reserved.",
}
_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"description": "The order's version.", "schema": {"type": "string"}},
    "Location": {"description": "Where to read it.", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "The answer was given before, under the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "X-Request-Id": {"description": "The request's id in the log.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}},
    "Allow": {"description": "The methods there are.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "Bearer.", "schema": {"type": "string"}},
}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key", "in": "header", "required": False,
        "description": "One's own name for this request, 1 to 255 visible characters.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "If-Match": {
        "name": "If-Match", "in": "header", "required": False,
        "description": "The version that the order must still have, as its ETag, or *.",
        "schema": {"type": "string", "pattern": r'^(\*|"[1-9][0-9]{0,8}")$'},
    },
    "X-Request-Id": {
        "name": "X-Request-Id", "in": "header", "required": False,
        "description": "An id of one's own for the log; it comes back.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"},
    },
}


class ErrorShape(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request: where, as a JSON pointer, and what."""

    pointer: str
    detail: str


class ProblemShape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused, as RFC 9457 says it; some problems add members of their own."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str | None = None
    trace_id: str | None = None
    errors: list[ErrorShape] = []


def describe(endpoints: Sequence[Endpoint]) -> bytes:
    """Tell the document as JSON."""
    shown = [endpoint for endpoint in endpoints if endpoint.rights != (OPEN,)]
    schemas, references = _schemas(shown)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in shown:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(
            endpoint, references
        )
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Counterfoil", "version": VERSION, "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": _HEADERS,
            "parameters": _PARAMETERS,
            "securitySchemes": {"key": {
                "type": "http", "scheme": "bearer", "bearerFormat": "cf_…",
                "description": f"An API key. Scopes: {', '.join(SCOPES)}.",
            }},
        },
        "x-problems": [
            {"code": kind.code, "status": kind.status, "title": kind.title,
             "why": inspect.getdoc(kind)}
            for kind in every_problem()
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def problems_of(endpoint: Endpoint) -> list[type[Problem]]:
    """List what an address may answer instead of what was asked for."""
    found: list[type[Problem]] = [
        problem.Malformed, problem.NotAcceptable, problem.RateLimited, problem.Internal,
        problem.Unavailable,
    ]
    if endpoint.rights != (OPEN,):
        found.append(problem.Unauthenticated)
        if endpoint.rights != (ANY_KEY,):
            found += [problem.PermissionDenied, problem.MerchantLimited]
    if "{" in endpoint.path or endpoint.body:
        found.append(problem.NotFound)
    if endpoint.body is not None or endpoint.streams:
        found += [body.BodyTimeout, problem.TooLarge, problem.UnsupportedMediaType]
    if endpoint.writes:
        found += [IdempotencyKeyReused, RequestInProgress]
    if endpoint.writes and endpoint.versioned:
        found.append(VersionConflict)
    found.append(problem.ValidationFailed)
    return [*dict.fromkeys((*found, *endpoint.raises))]


def _schemas(
    endpoints: Iterable[Endpoint],
) -> tuple[dict[str, Any], dict[Any, dict[str, Any]]]:
    types: dict[Any, None] = {ProblemShape: None}
    for endpoint in endpoints:
        for kind in (endpoint.body, endpoint.line, *endpoint.answers.values()):
            if kind is not None:
                types[kind] = None
    told, schemas = msgspec.json.schema_components(list(types), ref_template=_REF)
    return schemas, dict(zip(types, told, strict=True))


def _operation(endpoint: Endpoint, references: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    said = inspect.getdoc(endpoint.handler) or ""
    summary, _, more = said.partition("\n")
    scopes = [right.replace(".", ":") for right in endpoint.rights if right != ANY_KEY]
    wants = f"Needs the scope {' or '.join(f'`{s}`' for s in scopes)}." if scopes else ""
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "tags": [endpoint.subject],
        "summary": summary.rstrip("."),
        "description": " ".join(f"{summary} {more} {wants}".split()),
        "security": [{"key": scopes}],
        "x-rights": list(endpoint.rights),
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, references),
    }
    if endpoint.takes:
        plain = {"schema": {"type": "string"}, "example": EXAMPLES[operation["operationId"]]}
        operation["requestBody"] = {"required": True, "content": {endpoint.takes: plain}}
    taken = endpoint.line if endpoint.line is not None else endpoint.body
    if taken is not None and taken.__struct_fields__:
        content: dict[str, Any] = {"schema": references[taken]}
        if operation["operationId"] in EXAMPLES:
            content["example"] = EXAMPLES[operation["operationId"]]
        operation["requestBody"] = {
            "required": not endpoint.body_is_optional,
            "content": {NDJSON if endpoint.streams else "application/json": content},
        }
        if endpoint.streams:
            operation["requestBody"]["description"] = "One a line."
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in re.findall(r"{(\w+)}", endpoint.path):
        schema = {"type": "string", "format": "uuid"} if name.endswith("_id") else {
            "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    if endpoint.query is not None:
        found += _query_parameters(endpoint.query)
    if endpoint.writes:
        found.append({"$ref": "#/components/parameters/Idempotency-Key"})
        if endpoint.versioned:
            found.append({"$ref": "#/components/parameters/If-Match"})
    found.append({"$ref": "#/components/parameters/X-Request-Id"})
    return found


def _query_parameters(kind: type[msgspec.Struct]) -> list[dict[str, Any]]:
    _, schemas = msgspec.json.schema_components([kind], ref_template=_REF)
    own = schemas[kind.__name__]
    return [
        {"name": name, "in": "query", "required": name in own["required"],
         "schema": _plain(schema)}
        for name, schema in own["properties"].items()
    ]


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave null out of a query parameter's schema: in a query there is only absence."""
    kept = {name: value for name, value in schema.items() if name != "default" or value}
    options = [one for one in kept.pop("anyOf", []) if one != {"type": "null"}]
    return {**kept, **options[0]} if len(options) == 1 else {**kept, **(
        {"anyOf": options} if options else {})}


def _responses(endpoint: Endpoint, references: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for status, kind in endpoint.answers.items():
        names = ["X-Request-Id"]
        if endpoint.versioned:
            names.append("ETag")
        if status in (201, 202) and endpoint.writes:
            names.append("Location")
        if endpoint.writes:
            names.append("Idempotent-Replayed")
        told[str(status)] = {"description": _STATUSES[status], "headers": _refer(names)}
        if kind is not None:
            told[str(status)]["content"] = {endpoint.media: {"schema": references[kind]}}
        elif status == 200 and endpoint.media != "application/json":
            told[str(status)]["content"] = {endpoint.media: {}}
    by_status: dict[int, list[type[Problem]]] = {}
    for one in problems_of(endpoint):
        by_status.setdefault(one.status, []).append(one)
    for status in sorted(by_status):
        told[str(status)] = _refusal(tuple(by_status[status]))
    return told


@cache
def _refusal(kinds: tuple[type[Problem], ...]) -> dict[str, Any]:
    codes = list(dict.fromkeys(kind.code for kind in kinds))
    names = ["X-Request-Id"]
    if kinds[0].status in (409, 429, 503):
        names.append("Retry-After")
    if kinds[0].status == 401:
        names.append("WWW-Authenticate")
    schema = {
        "allOf": [{"$ref": _REF.format(name="ProblemShape")}],
        "properties": {"code": {"enum": codes}},
    }
    return {
        "description": " ".join(f"`{kind.code}`: {kind.title}" for kind in kinds),
        "headers": _refer(names),
        "content": {_PROBLEM: {"schema": schema}},
    }


def _refer(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
