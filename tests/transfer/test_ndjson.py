"""NDJSON: what is fit comes through as it was, what is not is one line's error."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.transfer.line import LINE_BYTES_MAX, Line
from counterfoil.transfer.ndjson import DEPTH_MAX
from counterfoil.transfer.read import read_orders

GOOD = b'{"currency": "EUR", "items": [{"sku": "MUG-1", "quantity": 2, "unit_price": 1250}]}'


def read(content: bytes) -> list[Line]:
    return list(read_orders(io.BytesIO(content), "ndjson"))


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


HOSTILE = {
    "key twice": (b'{"total": 1, "total": 2}', "", '"total"'),
    "key twice, deep": (b'{"bags": [{}, {"a": 1, "a": 1}]}', "/bags/1", '"a"'),
    "NaN": (b'{"total": NaN}', "/total", "NaN"),
    "Infinity": (b'{"bags": [{"tax_total": -Infinity}]}', "/bags/0/tax_total", "Infinity"),
    "1e400": (b'{"total": 1e400}', "/total", "1e400"),
    "a fraction": (b'{"total": 12.50}', "/total", "12.50"),
    "an exponent": (b'{"total": 1e2}', "/total", "1e2"),
    "NUL": (b'{"customer": {"first_name": "a\\u0000b"}}', "/customer/first_name", "NUL"),
    "NUL in a key": (b'{"customer": {"a\\u0000": 1}}', "/customer", "NUL"),
    "half a pair": (b'{"tags": ["ok", "\\ud83d"]}', "/tags/1", "surrogate"),
    "the other half": (b'{"tags": ["\\uDE00"]}', "/tags/0", "surrogate"),
    "raw NUL": (b'{"a": "\x00"}', "", "JSON"),
    "raw newline's tab": (b'{"a": "\t"}', "", "JSON"),
    "5,000 digits": (b'{"total": ' + b"9" * 5000 + b"}", "", "digits"),
    "too deep": (nested(DEPTH_MAX + 1), "", "deeper"),
    "far too deep": (nested(100_000), "", "deeper"),
    "lists too deep": (b'{"a": ' + b"[" * 200_000 + b"}", "", "deeper"),
    "Latin-1": ('{"a": "Bjørn"}'.encode("latin-1"), "", "UTF-8"),
    "surrogates in UTF-8": (b'{"a": "\xed\xa0\x80"}', "", "UTF-8"),
    "overlong": (b'{"a": "\xc0\x80"}', "", "UTF-8"),
    "a list": (b"[]", "", "object"),
    "a word": (b'"order"', "", "object"),
    "cut short": (b'{"total": 1', "", "JSON"),
    "more after": (b"{} {}", "", "JSON"),
    "a comment": (b'{"a": 1} // no', "", "JSON"),
    "single quotes": (b"{'a': 1}", "", "JSON"),
    "odd step": (b'{"a/b~c": {"d": 1.5}}', "/a~1b~0c/d", "1.5"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_line_is_an_error_and_its_neighbours_are_read(name: str) -> None:
    raw, pointer, words = HOSTILE[name]
    before, bad, after = read(GOOD + b"\n" + raw + b"\n" + GOOD)
    assert (before.number, bad.number, after.number) == (1, 2, 3)
    assert before.order == after.order == json.loads(GOOD)
    assert bad.order is None
    assert bad.error is not None
    assert bad.error.code == "malformed"
    assert bad.error.pointer == pointer
    assert words in bad.error.detail


def test_a_line_longer_than_a_mebibyte_is_passed_over() -> None:
    long = b'{"a": "' + b"x" * (3 * LINE_BYTES_MAX) + b'"}'
    first, second = read(long + b"\n" + GOOD + b"\n")
    assert first.error is not None
    assert first.error.code == "too_large"
    assert second.number == 2
    assert second.order is not None
    (last,) = read(b"\xef\xbb\xbf" + long)
    assert last.error is not None
    assert last.error.code == "too_large"


def test_a_line_of_exactly_a_mebibyte_is_read() -> None:
    content = b'{"a": "' + b"x" * (LINE_BYTES_MAX - 9) + b'"}'
    assert len(content) == LINE_BYTES_MAX
    first, second = read(content + b"\n" + GOOD)
    assert first.order is not None
    assert second.order is not None


def test_blank_lines_windows_ends_and_a_byte_order_mark_are_no_matter() -> None:
    lines = read(b"\xef\xbb\xbf\r\n" + GOOD + b"\r\n\n   \n" + GOOD)
    assert [line.number for line in lines] == [2, 5]
    assert all(line.raw == GOOD for line in lines)


def test_the_deepest_allowed_line_is_read() -> None:
    (line,) = read(nested(DEPTH_MAX))
    assert line.error is None


def test_brackets_inside_texts_are_not_nesting() -> None:
    (line,) = read(json.dumps({"a": '[{"' * 500 + "\\"}).encode())
    assert line.error is None


def test_whole_pairs_and_letters_that_look_odd_come_through() -> None:
    content = r'{"a": "\ud83d\ude00", "b": "\\ud83d", "c": "\u200f", "\ud83d\ude00": 1}'
    (line,) = read(content.encode())
    assert line.order == {"a": "😀", "b": "\\ud83d", "c": "\u200f", "😀": 1}


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | texts
values = st.recursive(
    scalars, lambda under: st.lists(under) | st.dictionaries(texts, under), max_leaves=8
)


@given(st.dictionaries(texts, values, max_size=4), st.booleans())
def test_what_is_fit_comes_through_as_it_was(order: dict[str, Any], escaped: bool) -> None:
    raw = json.dumps(order, ensure_ascii=escaped).encode()
    (line,) = read(raw)
    assert line.order == order
    assert line.raw == raw


@given(texts, texts, st.sampled_from(["\x00", "\ud800", "\udfff"]))
def test_no_text_carries_a_nul_or_half_a_pair(before: str, after: str, odd: str) -> None:
    for order in ({"a": [before + odd + after]}, {before + odd + after: 1}):
        (line,) = read(json.dumps(order).encode())
        assert line.error is not None


@given(st.binary(max_size=200))
def test_any_bytes_are_lines_or_errors(content: bytes) -> None:
    for line in read(content):
        assert (line.order is None) != (line.error is None)
    list(read_orders(io.BytesIO(content)))
    list(read_orders(io.BytesIO(content), "shopify"))
