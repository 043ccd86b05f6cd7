"""The body parser against what no decoder may ever see. [faults H-2 to H-5]"""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kernel.body import check_json, check_media_type, check_text, decode_json
from counterfoil.kernel.problem import Malformed, UnsupportedMediaType, ValidationFailed
from tests.api.hostile import MALFORMED, WRONG


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    amount: int


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    amount: int | None = None
    text: str | None = None
    free: dict[str, Any] = {}
    rows: list[Inner] = []


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_json_for_everybody_is_refused(name):
    with pytest.raises(Malformed):
        check_json(MALFORMED[name])


@pytest.mark.parametrize("name", WRONG)
def test_what_has_the_wrong_shape_is_refused_by_its_field(name):
    with pytest.raises(ValidationFailed) as refused:
        decode_json(WRONG[name], Shape)
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"amount": "10"}', "/amount"),
        (b'{"amount": 10.0}', "/amount"),
        (b'{"amount": true}', "/amount"),
        (b'{"amount": 1e2}', "/amount"),
        (b'{"rows": [{"amount": 1}, {"amount": null}]}', "/rows/1/amount"),
        (b'{"rows": [{}]}', "/rows/0/amount"),
        (b'{"rows": [{"amount": 1, "more": 2}]}', "/rows/0/more"),
        (b'{"a/b~c": 1}', "/a~1b~0c"),
        (b"[]", ""),
        (b"null", ""),
    ],
)
def test_the_field_is_named_by_its_pointer(body, pointer):
    with pytest.raises(ValidationFailed) as refused:
        decode_json(body, Shape)
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'{"text": "\ud83d\ude00"}', "😀"),
        (rb'{"text": "\\u0000"}', r"\u0000"),
        (rb'{"text": "\\\\ud800"}', r"\\ud800"),
        (rb'{"text": "[[[[{{{{\""}', '[[[[{{{{"'),
        ('{"text": "Ørsted 漢字 عربى"}'.encode(), "Ørsted 漢字 عربى"),
    ],
)
def test_what_only_looks_hostile_is_read(body, text):
    assert decode_json(body, Shape).text == text


def test_depth_is_counted_outside_of_strings():
    deep = b'{"free": {"a": ' + b"[" * 30 + b"]" * 30 + b"}}"
    assert decode_json(deep, Shape).free
    with pytest.raises(Malformed, match="deeper"):
        check_json(b"[" * 33 + b"]" * 33)


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False,
        allow_infinity=False) | st.text(st.characters(exclude_categories=["Cs"],
        exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner,
        max_size=4),
    max_leaves=20,
))
def test_every_honest_json_passes(value):
    check_json(msgspec.json.encode(value))


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(raw):
    with suppress(Malformed, ValidationFailed):
        decode_json(raw, Shape)


@pytest.mark.parametrize(
    "headers",
    [
        {b"content-type": b"text/plain"},
        {b"content-type": b"application/x-www-form-urlencoded"},
        {b"content-type": b"application/json; charset=utf-16"},
        {b"content-type": b"application/json", b"content-encoding": b"gzip"},
        {b"content-type": b"\xff\xfe"},
        {},
    ],
)
def test_another_kind_of_body_is_refused(headers):
    with pytest.raises(UnsupportedMediaType):
        check_media_type(headers)


@pytest.mark.parametrize(
    "kind", [b"application/json", b"Application/JSON; charset=UTF-8", b"application/vnd.x+json"]
)
def test_json_by_any_name_is_read(kind):
    check_media_type({b"content-type": kind})


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "\x7f", "\ud800"])
def test_addresses_hold_no_control_characters(text):
    with pytest.raises(Malformed):
        check_text(text, "address")
