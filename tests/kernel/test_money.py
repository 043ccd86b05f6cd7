"""Laws of money: parts add up, text and minor units say the same, nonsense is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kernel.currencies import EXPONENTS
from counterfoil.kernel.money import (
    MINOR_MAX,
    MoneyError,
    NotAnAmount,
    UnknownCurrency,
    exponent,
    parse_decimal,
    split,
    to_decimal,
)

amounts = st.integers(0, MINOR_MAX)
weights = st.lists(st.integers(0, MINOR_MAX), min_size=1, max_size=12)
currencies = st.sampled_from(sorted(EXPONENTS))


@given(amounts, weights)
def test_parts_add_up_and_none_is_negative(amount: int, shares: list[int]) -> None:
    parts = split(amount, shares)
    assert sum(parts) == amount
    assert len(parts) == len(shares)
    assert min(parts) >= 0


@given(amounts, weights)
def test_each_part_is_its_exact_share_rounded_down_or_up(amount: int, shares: list[int]) -> None:
    whole = sum(shares) or len(shares)
    fair = shares if sum(shares) else [1] * len(shares)
    for part, share in zip(split(amount, shares), fair, strict=True):
        assert amount * share // whole <= part <= -(-amount * share // whole)


@given(weights, st.data())
def test_no_part_exceeds_its_weight_while_the_whole_does_not(
    shares: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(shares)))
    if sum(shares):
        pairs = zip(split(amount, shares), shares, strict=True)
        assert all(part <= share for part, share in pairs)


@given(amounts, weights)
def test_the_units_left_over_go_to_the_largest_remainders(amount: int, shares: list[int]) -> None:
    whole = sum(shares) or len(shares)
    fair = shares if sum(shares) else [1] * len(shares)
    parts = split(amount, shares)
    got = [amount * s % whole for p, s in zip(parts, fair, strict=True) if p > amount * s // whole]
    not_got = [
        amount * s % whole for p, s in zip(parts, fair, strict=True) if p == amount * s // whole
    ]
    assert not got or not not_got or min(got) >= max(not_got)


@pytest.mark.parametrize(
    ("amount", "shares", "parts"),
    [
        (0, [], []),
        (100, [1, 1, 1], [34, 33, 33]),
        (2, [1, 1, 1], [1, 1, 0]),
        (100, [0, 0, 0], [34, 33, 33]),
        (5, [0, 3, 0], [0, 5, 0]),
        (10, [1, 2, 3], [2, 3, 5]),
        (7, [2500, 2000], [4, 3]),
    ],
)
def test_splits_known_by_heart(amount: int, shares: list[int], parts: list[int]) -> None:
    assert split(amount, shares) == parts


@pytest.mark.parametrize(("amount", "shares"), [(-1, [1]), (1, [-1, 3]), (1, [])])
def test_what_cannot_be_shared_is_refused(amount: int, shares: list[int]) -> None:
    with pytest.raises(MoneyError):
        split(amount, shares)


@given(st.integers(-MINOR_MAX, MINOR_MAX), currencies)
def test_text_and_minor_units_say_the_same(amount: int, currency: str) -> None:
    text = to_decimal(amount, currency)
    assert parse_decimal(text, currency) == amount
    assert Decimal(text).scaleb(exponent(currency)) == amount
    assert len(text.partition(".")[2]) == exponent(currency)


@given(st.text(max_size=20), currencies)
def test_any_text_is_read_exactly_or_refused(text: str, currency: str) -> None:
    try:
        minor = parse_decimal(text, currency)
    except NotAnAmount:
        return
    assert Decimal(text).scaleb(exponent(currency)) == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.345", "KWD", 12345),
        ("12.3", "KWD", 12300),
        ("1200", "JPY", 1200),
        ("0.0001", "CLF", 1),
        ("-5.00", "EUR", -500),
        ("-0.00", "EUR", 0),
        ("007", "EUR", 700),
        ("9999999999.99", "EUR", MINOR_MAX),
    ],
)
def test_amounts_known_by_heart(text: str, currency: str, minor: int) -> None:
    assert parse_decimal(text, currency) == minor


NOT_EUROS = {
    "blank": ["", " 1", "1 ", "1\n", "1\x00"],
    "signs": ["+1", "--1", "£1", "1_000", "0x10"],
    "points": ["1.", ".5", "1,00", "1.000,00", "1.2.3", "1.234"],
    "words": ["1e3", "NaN", "Infinity", "١٢", "１２"],
    "large": ["10000000000.00", "9" * 5000],
}


@pytest.mark.parametrize("text", [text for kind in NOT_EUROS.values() for text in kind])
def test_what_is_not_an_amount_of_euros_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmount):
        parse_decimal(text, "EUR")


def test_yen_have_no_decimals_not_even_zeros() -> None:
    with pytest.raises(NotAnAmount):
        parse_decimal("1200.00", "JPY")


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XXX", "XAU", "€", "JP\x00"])
def test_codes_that_iso_does_not_have_are_refused(code: str) -> None:
    for use in (exponent, lambda c: to_decimal(1, c), lambda c: parse_decimal("1", c)):
        with pytest.raises(UnknownCurrency):
            use(code)


def test_the_table_holds_the_whole_standard() -> None:
    by_digits = dict.fromkeys((0, 2, 3, 4), 0)
    for code, digits in EXPONENTS.items():
        assert len(code) == 3
        assert code.isascii()
        assert code.isupper()
        by_digits[digits] += 1
    assert by_digits == {0: 18, 2: 152, 3: 7, 4: 2}
    known = {"JPY": 0, "CLP": 0, "ISK": 0, "EUR": 2, "HUF": 2, "MRU": 2, "TND": 3, "UYW": 4}
    assert {code: exponent(code) for code in known} == known
