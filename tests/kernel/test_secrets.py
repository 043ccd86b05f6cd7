"""Secrets at rest open with their key, at their place, unaltered; never otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kernel.secrets import CannotOpen, KeyRing

OLD, NEW = bytes(32), bytes([1]) * 32


@given(st.binary(max_size=500), st.text(max_size=50))
def test_what_is_sealed_opens_at_its_place(plain, context):
    sealed = KeyRing([OLD]).seal(plain, context)
    assert KeyRing([OLD]).open(sealed, context) == plain
    with pytest.raises(CannotOpen):
        KeyRing([OLD]).open(sealed, context + "x")


def test_the_same_secret_never_looks_the_same():
    ring = KeyRing([OLD])
    assert len({ring.seal(b"secret", "x") for _ in range(100)}) == 100
    assert b"secret" not in ring.seal(b"secret", "x")


def test_keys_are_exchanged_without_losing_what_was_sealed():
    before = KeyRing([OLD]).seal(b"secret", "x")
    both = KeyRing([NEW, OLD])
    assert both.open(before, "x") == b"secret"
    assert not both.is_newest(before)
    again = both.seal(both.open(before, "x"), "x")
    assert both.is_newest(again)
    assert KeyRing([NEW]).open(again, "x") == b"secret"
    with pytest.raises(CannotOpen, match="does not have"):
        KeyRing([NEW]).open(before, "x")


@given(st.integers(0, 200), st.integers(1, 255))
def test_an_altered_secret_does_not_open(place, change):
    sealed = bytearray(KeyRing([OLD]).seal(b"a secret of some length", "x"))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(CannotOpen):
        KeyRing([OLD]).open(bytes(sealed), "x")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01abcd", b"x" * 100])
def test_what_was_never_sealed_does_not_open(sealed):
    with pytest.raises(CannotOpen):
        KeyRing([OLD]).open(sealed, "x")
