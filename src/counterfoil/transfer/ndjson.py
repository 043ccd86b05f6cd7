"""NDJSON: one order a line, in the shape of POST /v1/orders, with an optional `history`.

A line is judged by itself: whatever is wrong with it, the next one is read. [I-2, H-3, H-4]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from .line import Line, LineError, Source, refused

DEPTH_MAX: Final = 32

_STRINGS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_ODD_ESCAPE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class _OddError(ValueError):
    """Something that JSON allows and an order does not have; `_examine` says where."""


class _Twice(dict[str, Any]):
    """An object that said a key twice."""

    key = ""


class _NotWhole(str):
    """A number with a fraction or an exponent, or a word like NaN, as it was written."""

    __slots__ = ()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _OddError
    return found


def _odd(_text: str) -> NoReturn:
    raise _OddError


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = _Twice(found)
    keys = [key for key, _ in pairs]
    twice.key = next(key for place, key in enumerate(keys) if key in keys[:place])
    return twice


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_once, parse_float=_odd, parse_constant=_odd)
_MARKING: Final = json.JSONDecoder(
    object_pairs_hook=_marked, parse_float=_NotWhole, parse_constant=_NotWhole
)


def read_ndjson(source: Source, *, first: int = 1) -> Iterator[Line]:
    """Read a stream line by line; blank lines are passed over but counted.

    `first` is the number of the line that the stream stands at.
    """
    number = first - 1
    while raw := source.readline():
        number += 1
        rest = b"" if raw.endswith(b"\n") else source.readline()
        if rest.strip(b"\r\n"):
            while rest and not rest.endswith(b"\n"):
                rest = source.readline()
            yield refused(number, "too_large", "The line is longer than 1 MiB.")
            continue
        raw = raw.strip(b" \t\r\n")
        if raw:
            found = parse_object(raw)
            if isinstance(found, LineError):
                yield Line(number=number, error=found)
            else:
                yield Line(number=number, order=found, raw=raw)


def parse_object(raw: bytes) -> dict[str, Any] | LineError:
    """Parse one JSON object, or say what keeps it from being read safely.

    Refused are: bytes that are no UTF-8, nesting deeper than 32, a key said twice, numbers that
    are not whole (NaN, 1e400, 1.5), integers of thousands of digits, NUL and lone surrogates in
    strings and keys, and anything that is no object.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return _malformed(f"Byte {error.start + 1} of the line is not UTF-8.")
    if raw.count(b"{") + raw.count(b"[") > DEPTH_MAX and _depth(raw) > DEPTH_MAX:
        return _malformed(f"Objects and lists are nested deeper than {DEPTH_MAX}.")
    try:
        value = _STRICT.decode(text)
    except _OddError:
        return _examine(text) or _malformed("The line could not be read.")
    except json.JSONDecodeError as error:
        return _malformed(f"Not JSON: {error.msg} at character {error.pos + 1}.")
    except ValueError:
        return _malformed("An integer has thousands of digits.")
    if not isinstance(value, dict):
        return _malformed("A line is one JSON object, an order.")
    if _ODD_ESCAPE.search(text):
        return _examine(text) or value
    return value


def _malformed(detail: str, pointer: str = "") -> LineError:
    return LineError(code="malformed", pointer=pointer, detail=detail)


def _depth(raw: bytes) -> int:
    """Count how deep brackets are nested.

    What is left of the text without its strings is emptied from the inside, a level at a time, and
    no further than is needed to know that it is too deep (a level may be the whole line again);
    brackets that do not pair are counted as they stand.
    """
    left = _STRINGS.sub(b"", raw).translate(_SQUARE, _NOT_BRACKETS)
    levels = 0
    while levels <= DEPTH_MAX and (shorter := left.replace(b"[]", b"")) != left:
        levels, left = levels + 1, shorter
    depth = deepest = 0
    for mark in left:
        depth += 1 if mark == ord("[") else -1
        deepest = max(deepest, depth)
    return levels + deepest


def _examine(text: str) -> LineError | None:
    """Find the first thing, in the order written, that an order cannot contain, and where."""
    try:
        todo: list[tuple[str, Any]] = [("", _MARKING.decode(text))]
    except ValueError:
        return _malformed("The line could not be read.")
    while todo:
        pointer, value = todo.pop()
        if isinstance(value, _Twice):
            return _malformed(f"The key {_shown(value.key)} is there twice.", pointer)
        if isinstance(value, _NotWhole):
            words = f"{value[:40]} is not a whole number; amounts are whole minor units."
            return _malformed(words, pointer)
        if isinstance(value, dict):
            bad = next((key for key in value if _unfit(key)), None)
            if bad is not None:
                return _malformed(f"A key holds {_unfit(bad)}.", pointer)
            steps = [(f"{pointer}/{_step(key)}", under) for key, under in value.items()]
            todo.extend(reversed(steps))
        elif isinstance(value, list):
            steps = [(f"{pointer}/{place}", under) for place, under in enumerate(value)]
            todo.extend(reversed(steps))
        elif isinstance(value, str) and _unfit(value):
            return _malformed(f"The text holds {_unfit(value)}.", pointer)
    return None


def _unfit(text: str) -> str:
    if "\x00" in text:
        return "a NUL"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "half a surrogate pair"
    return ""


def _shown(key: str) -> str:
    return json.dumps(key[:60])


def _step(key: str) -> str:
    return key[:60].replace("~", "~0").replace("/", "~1")
