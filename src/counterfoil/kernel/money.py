"""Money is a whole number of minor units beside an ISO 4217 code.

Nothing here divides into fractions: sharing out is `split`, whose parts add up to the whole, and
decimals exist only as text at the edges, read and written exactly or refused. [H-5, H-6, H-7]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from .currencies import EXPONENTS

MINOR_MAX: Final = 10**12 - 1
"""The largest amount, in minor units, that any field holds."""

_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,8}))?")


class MoneyError(ValueError):
    """An amount or a currency that cannot be what it says."""


class UnknownCurrency(MoneyError):
    """A code that ISO 4217 does not have, or that has no minor unit."""


class NotAnAmount(MoneyError):
    """Text that is not a plain decimal number, or not one this currency can hold exactly."""


def exponent(currency: str) -> int:
    """How many digits the minor unit of a currency has: JPY 0, EUR 2, KWD 3.

    Raises UnknownCurrency; codes are upper case.
    """
    digits = EXPONENTS.get(currency)
    if digits is None:
        raise UnknownCurrency(f"{currency[:12]!r} is not a currency of ISO 4217.")
    return digits


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Share an amount out in proportion to whole weights, so that the parts add up to it.

    Each part is rounded down and the units left over go to the largest remainders, earlier parts
    first among equals. Where every weight is zero the parts are equal, the earlier ones larger.
    No part exceeds its weight while the amount does not exceed their sum. Raises MoneyError for a
    negative amount or weight, and for an amount with nobody to share it.
    """
    if amount < 0 or any(weight < 0 for weight in weights):
        raise MoneyError("Only amounts and weights of zero or more can be shared out.")
    if not weights:
        if amount:
            raise MoneyError(f"{amount} cannot be shared out among nobody.")
        return []
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    parts, remainders = [], []
    for place, weight in enumerate(weights):
        part, remainder = divmod(amount * weight, whole)
        parts.append(part)
        remainders.append((-remainder, place))
    left_over = amount - sum(parts)
    for _, place in sorted(remainders)[:left_over]:
        parts[place] += 1
    return parts


def to_decimal(amount: int, currency: str) -> str:
    """Write minor units as decimal text with exactly the currency's digits: 12345 KWD, 12.345.

    A point, no grouping, no sign but a leading minus. Raises UnknownCurrency.
    """
    digits = exponent(currency)
    if digits == 0:
        return str(amount)
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), 10**digits)
    return f"{sign}{whole}.{fraction:0{digits}d}"


def parse_decimal(text: str, currency: str) -> int:
    """Read decimal text as minor units, exactly or not at all: 12.345 KWD, 12345.

    Digits of ASCII, a point and a leading minus are all that counts as a number: exponents,
    grouping, blanks, plus signs, NaN and commas are refused, and so are more digits after the
    point than the currency has and amounts beyond MINOR_MAX. Raises UnknownCurrency, NotAnAmount.
    """
    digits = exponent(currency)
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise NotAnAmount(f"{text[:40]!r} is not an amount: digits and one decimal point only.")
    sign, whole, fraction = found[1], found[2], found[3] or ""
    if len(fraction) > digits:
        raise NotAnAmount(f"{text!r} has more decimals than the {digits} of {currency}.")
    minor = int(whole + fraction.ljust(digits, "0"))
    if minor > MINOR_MAX:
        raise NotAnAmount(f"{text!r} {currency} is more than can be kept.")
    return -minor if sign else minor
