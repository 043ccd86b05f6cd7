"""The API: every operation and every shape of the OpenAPI document that the program serves."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from counterfoil.api.every import document
from docs.generator.lists import load_everything
from docs.generator.markdown import code, codes, fold, page, plain, table

Schema = dict[str, Any]
_REF = "#/components/schemas/"


def api_page() -> str:
    """Write the page of all operations and shapes."""
    load_everything()
    told = json.loads(document())
    operations = [
        (method.upper(), path, operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]
    everywhere = set.intersection(*(set(_codes(told)) for _, _, told in operations))
    writing = _usual([told for method, _, told in operations if method != "GET"]) - everywhere
    usual = everywhere | writing
    tags = dict.fromkeys(operation["tags"][0] for _, _, operation in operations)
    return page(
        "API",
        f"""
        This is the document that the program serves at `/openapi.json` (OpenAPI
        {told["openapi"]}), made readable. The program shows it at `/docs/api` too, where requests
        can be tried.

        {told["info"]["description"]}
        """,
        _conventions(everywhere, writing),
        "## Operations\n\n" + _contents(operations),
        *(
            f"## {tag}\n\n" + "\n\n".join(_operation(one, usual) for one in some)
            for tag in tags
            for some in [[one for one in operations if one[2]["tags"][0] == tag]]
        ),
        "## Shapes",
        *(_shape(name, schema) for name, schema in sorted(told["components"]["schemas"].items())),
    )


def _conventions(everywhere: set[str], writing: set[str]) -> str:
    return fold(f"""
        ## What holds everywhere

        Send `Authorization: Bearer` and a key. Lists at the top level are pages: `data`,
        `next_cursor` (`null` on the last page) and `count`; send `cursor` with the value of
        `next_cursor` for the next page, and `limit` for its length. Lists inside one order are
        plain arrays.

        Any operation may answer with {_linked(everywhere)}, a write with {_linked(writing)} as
        well. What else an operation may answer with stands beside it. Every status from 400 up
        carries a [ProblemShape](#problemshape).
    """)


def _usual(operations: list[Schema]) -> set[str]:
    """Find the codes that most of some operations have; telling them each time says nothing."""
    counted = Counter(name for told in operations for name in set(_codes(told)))
    return {name for name, count in counted.items() if count > len(operations) * 2 // 3}


def _linked(some: Sequence[str] | set[str]) -> str:
    return ", ".join(f"[`{name}`](problems.md#{name})" for name in sorted(some))


def _contents(operations: list[tuple[str, str, Schema]]) -> str:
    return table(
        ["", "operation", ""],
        (
            [method, f"[`{path}`](#{_anchor(method, path)})", _sentence(operation["summary"])]
            for method, path, operation in operations
        ),
    )


def _anchor(method: str, path: str) -> str:
    """Write the anchor that forges make of the heading `METHOD /path`."""
    return re.sub(r"[^a-z0-9_ -]", "", f"{method} {path}".lower()).replace(" ", "-")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."


def _operation(one: tuple[str, str, Schema], usual: set[str]) -> str:
    method, path, operation = one
    parts = [f"### {method} {path}", plain(operation["description"])]
    queries = [p for p in operation["parameters"] if p.get("in") == "query"]
    if queries:
        parts.append(table(
            ["in the query", "", ""],
            ([code(p["name"]), _kind(p["schema"]), _rules(p["schema"])] for p in queries),
        ))
    body = operation.get("requestBody")
    if body is not None:
        ((media, content),) = body["content"].items()
        may = "" if body["required"] else " The body may be left out."
        lines = ", one a line" if "ndjson" in media else ""
        parts.append(f"**Body:** {_kind(content['schema'])}{lines}.{may}")
    if {"$ref": "#/components/parameters/If-Match"} in operation["parameters"]:
        parts.append("**Takes** `If-Match`.")
    parts.append("**Answers:** " + "; ".join(_answers(operation)) + ".")
    special = [name for name in dict.fromkeys(_codes(operation)) if name not in usual]
    if special:
        parts.append(f"**Problems of its own:** {_linked(special)}.")
    return "\n\n".join(parts)


def _answers(operation: Schema) -> Iterator[str]:
    for status, response in operation["responses"].items():
        if int(status) < 400:
            schemas = [content.get("schema") for content in response.get("content", {}).values()]
            told = _kind(schemas[0]) if schemas and schemas[0] else "nothing"
            yield f"`{status}` {told}"


def _codes(operation: Schema) -> list[str]:
    return [
        name
        for status, response in operation["responses"].items()
        if int(status) >= 400
        for content in response["content"].values()
        for name in content["schema"]["properties"]["code"]["enum"]
    ]


def _shape(name: str, schema: Schema) -> str:
    parts = [f"### {_title(name)}"]
    if schema.get("description"):
        parts.append(plain(schema["description"]))
    if "properties" in schema:
        needed = schema.get("required", [])
        parts.append(table(
            ["field", "kind", "", ""],
            (
                [code(field), _kind(kind), "needed" if field in needed else _default(kind),
                 _rules(kind)]
                for field, kind in schema["properties"].items()
            ),
        ))
    elif "enum" in schema:
        parts.append(codes(schema["enum"]) + ".")
    return "\n\n".join(parts)


def _title(name: str) -> str:
    """Read the name of a page of something, Page_Store_, as Page of Store."""
    return " of ".join(part for part in name.split("_") if part)


def _link(reference: str) -> str:
    title = _title(reference.removeprefix(_REF))
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        return _link(schema["$ref"])
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        *some, last = schema["enum"]
        return f"{codes(some)} or {code(last)}" if some else code(last)
    declared = schema.get("type", "anything")
    if declared == "array":
        items = schema.get("items") or {}
        of = ": " if "enum" in items else " of "
        return f"list{of}{_kind(items)}" if items else "list"
    if declared == "object":
        more = schema.get("additionalProperties")
        return f"object of {_kind(more)}" if isinstance(more, dict) and more else "object"
    words = {"date-time": "time", "uuid": "id", "string": "text", "null": "`null`"}
    return words.get(schema.get("format", ""), words.get(declared, str(declared)))


def _default(schema: Schema) -> str:
    if "default" not in schema or schema["default"] is None:
        return ""
    return code(json.dumps(schema["default"]))


def _rules(schema: Schema) -> str:
    """Say what a value must be beyond its kind."""
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    if len(options) == 1:
        return _rules(options[0])
    told = []
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None or most is not None:
        told.append(f"{_number(least)} to {_number(most)}")
    for name, unit in (("Length", "characters"), ("Items", "of them")):
        least, most = schema.get(f"min{name}", 0), schema.get(f"max{name}")
        if least or most is not None:
            told.append(_span(least, most, unit))
    if "pattern" in schema:
        told.append(f"matches {code(schema['pattern'])}")
    if schema.get("description"):
        told.append(fold(schema["description"]))
    if "items" in schema and (inside := _rules(schema["items"])):
        told.append(f"each: {inside}")
    return "; ".join(told)


def _span(least: int, most: int | None, unit: str) -> str:
    if most is None:
        return f"at least {_number(least)} {unit}"
    return f"{_number(least)} to {_number(most)} {unit}" if least else (
        f"up to {_number(most)} {unit}")


def _number(value: int | None) -> str:
    return "…" if value is None else f"{value:,}"
