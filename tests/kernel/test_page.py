"""Cursors come back as what they were, and nothing else is taken for one."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kernel.page import read_cursor, to_cursor
from counterfoil.kernel.problem import ValidationFailed


@given(st.text(max_size=80), st.integers(-(2**53), 2**53))
def test_a_cursor_is_read_back(text, number):
    assert read_cursor(to_cursor(text, number), str, int) == (text, number)


def test_ids_are_read_back_as_ids():
    place = uuid4()
    assert read_cursor(to_cursor(place), UUID) == (place,)
    assert read_cursor(None, UUID) is None


@given(st.text(max_size=60))
def test_what_we_did_not_give_out_is_refused(text):
    with pytest.raises(ValidationFailed) as refused:
        read_cursor(text, UUID, int)
    assert refused.value.errors[0]["pointer"] == "/cursor"


def test_a_cursor_of_another_list_is_refused():
    with pytest.raises(ValidationFailed):
        read_cursor(to_cursor("a", "b"), str)
    with pytest.raises(ValidationFailed):
        read_cursor(to_cursor(1), str)
