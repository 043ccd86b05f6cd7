"""Bodies from outside: what no decoder may ever see is refused here, before anything is parsed.

Frameworks answer 500 to a NUL, a lone surrogate or 1e400, take the last of two equal keys and go
as deep as the text does. Every JSON body of the API, and every line of NDJSON, passes through
`decode_json`. [faults H-2…H-5]
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, NoReturn, TypeVar, cast

import msgspec

from counterfoil.kernel.problem import Malformed, Problem, UnsupportedMediaType, ValidationFailed
from counterfoil.kernel.shape import name_refused

T = TypeVar("T")
BODY_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 32
KEYS_MAX = 1_000
ROWS_MAX = 10_000
EXPONENT_MAX = 308

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LONG_NUMBER = re.compile(r"[0-9]{19}")
_BRACKET = re.compile(r"[\[\]{}]")
_JSON_TYPE = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json\Z")
_MESSAGE = re.compile(r"(?P<said>.*?)(?: - at `\$(?P<path>.*)`)?\Z", re.DOTALL)
_NAMED = re.compile(r"(?:unknown|required) field `([^`]*)`")


class BodyTimeout(Problem):
    """The body did not arrive in time. [faults H-1]"""

    code, status = "request_timeout", 408
    title = "The request body did not arrive in time."


def check_media_type(headers: Mapping[bytes, bytes], *, kind: str = "application/json") -> None:
    """Refuse a body that is compressed or of another kind. Raises UnsupportedMediaType."""
    encoding = headers.get(b"content-encoding", b"identity").lower().strip()
    if encoding not in (b"identity", b""):
        raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")
    sent = headers.get(b"content-type", b"")
    if sent == b"application/json" and kind == "application/json":
        return
    media, _, parameters = sent.decode("latin-1").lower().partition(";")
    media = media.strip()
    fits = _JSON_TYPE.match(media) if kind == "application/json" else media == kind
    if not fits:
        told = f"not {media[:80]!r}" if media else "the Content-Type is missing"
        raise UnsupportedMediaType(f"Send {kind}; {told}.", accepted=[kind])
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]*)", parameters)
    if charset and charset[1] not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("Send UTF-8.", accepted=[kind])


def decode_json(body: bytes, kind: type[T]) -> T:
    """Decode a body into a struct, strictly. Raises Malformed and ValidationFailed.

    ValidationFailed names the field by its JSON pointer.
    """
    check_json(body)
    try:
        found: T = _decoder(cast("Any", kind)).decode(body)
        return found
    except msgspec.ValidationError as wrong:
        raise validation_failed(str(wrong)) from wrong
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Malformed(f"The body is not JSON: {wrong}.") from wrong


def check_json(body: bytes) -> None:
    """Refuse what is no JSON that everybody reads alike.

    Raises Malformed; ValidationFailed for an integer that no column holds.
    """
    if b"\x00" in body:
        raise Malformed("The body holds a NUL; send JSON in UTF-8.")
    if body.startswith(b"\xef\xbb\xbf"):
        raise Malformed("The body begins with a byte order mark; leave it out.")
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        raise Malformed(f"The body is not UTF-8: {wrong.reason} at byte {wrong.start}.") from wrong
    if "\\u" in text:
        _check_escapes(text)
    if text.count("{") + text.count("[") > DEPTH_MAX:
        _check_depth(text)
    try:
        found = json.loads(
            text, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_number
        )
    except (ValueError, RecursionError) as wrong:
        raise Malformed(f"The body is not JSON: {wrong}.") from wrong
    if text.count(",") >= ROWS_MAX:
        _check_rows(found)
    if _LONG_NUMBER.search(text) and _LONG_NUMBER.search(_STRING.sub("", text)):
        raise ValidationFailed("A number is longer than any amount may be.")


def check_text(text: str, where: str) -> str:
    """Refuse a NUL, a control character or a lone surrogate in a path, a query or a header."""
    if text.isascii() and text.isprintable():
        return text
    if any(sign < " " or sign == "\x7f" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise Malformed(f"The {where} holds a character that cannot be there.")
    return text


def validation_failed(message: str, *, detail: str | None = None) -> ValidationFailed:
    """Turn what msgspec says into the refusal that names the field."""
    match = _MESSAGE.match(message)
    said, path = (match["said"], match["path"] or "") if match else (message, "")
    pointer = path.replace("[...]", "/*").replace("[", "/").replace("]", "").replace(".", "/")
    named = _NAMED.search(said)
    if named:
        pointer += "/" + named[1].replace("~", "~0").replace("/", "~1")
    said = name_refused(said).replace("`", "")
    return ValidationFailed(
        detail or f"{said}{f' at {pointer}' if pointer else ''}.",
        errors=[{"pointer": pointer, "detail": said}],
    )


@cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(kind)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise Malformed(f"The key {twice[:80]!r} is there twice.")
    if len(found) > KEYS_MAX:
        raise Malformed(f"An object has more than {KEYS_MAX} keys.")
    return found


def _constant(text: str) -> NoReturn:
    raise Malformed(f"{text} is no number in JSON.")


def _number(text: str) -> int:
    if Decimal(text).adjusted() > EXPONENT_MAX:
        raise Malformed(f"The number {text[:40]} is too large.")
    return 0


def _check_escapes(text: str) -> None:
    r"""Refuse `\u0000` and halves of surrogate pairs; a whole pair is a character."""
    high_ends_at = -1
    for match in _ESCAPE.finditer(text):
        if match[1] is None:
            continue
        value = int(match[1], 16)
        if value == 0:
            raise Malformed("A string holds a NUL.")
        low = 0xDC00 <= value <= 0xDFFF
        if low != (high_ends_at == match.start()) and (low or high_ends_at >= 0):
            raise Malformed("A string holds half a surrogate pair.")
        high_ends_at = match.end() if 0xD800 <= value <= 0xDBFF else -1
    if high_ends_at >= 0:
        raise Malformed("A string holds half a surrogate pair.")


def _check_depth(text: str) -> None:
    depth = 0
    for match in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if match[0] in "[{" else -1
        if depth > DEPTH_MAX:
            raise Malformed(f"The body is nested deeper than {DEPTH_MAX} levels.")


def _check_rows(found: Any) -> None:
    todo = [found]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            todo.extend(one.values())
        elif isinstance(one, list):
            if len(one) > ROWS_MAX:
                raise Malformed(f"An array has more than {ROWS_MAX} entries.")
            todo.extend(one)
