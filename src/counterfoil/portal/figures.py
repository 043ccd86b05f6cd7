"""How money, counts and moments are written for people, and how typed money is read.

Money: amount, no-break space, ISO code; minus U+2212; grouping of CLDR; as many decimals as the
currency has (JPY 0, KWD 3). Moments: the reader's zone, named in the title; UTC underneath.
[design guide 4]
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol

from counterfoil.kernel.money import exponent

NBSP, MINUS = "\u00a0", "\u2212"
LANGUAGE = "en"
MONTHS = Locale.parse("en_GB").months["format"]["abbreviated"]
SPACES = re.compile(r"[\s\u00a0\u202f\u2009']")
NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
GROUPED = re.compile(r"[0-9]+|[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*")


class Unreadable(ValueError):
    """What was typed is no amount, or could be two; the message says what to write instead."""


class Moment(NamedTuple):
    """A moment as shown: words, the exact value for machines, and the zone for who asks."""

    text: str
    iso: str
    title: str


@lru_cache(maxsize=4)
def signs(language: str) -> tuple[str, str, int, int]:
    """Look up decimal sign, group sign and the sizes of groups in CLDR."""
    pattern = Locale.parse(language).decimal_formats[None]
    first, rest = pattern.grouping
    return get_decimal_symbol(language), get_group_symbol(language), first, rest


def grouped(digits: str, language: str = LANGUAGE) -> str:
    """Set the group signs: 1234567 → 1,234,567."""
    _, sign, first, rest = signs(language)
    parts, digits = [digits[-first:]], digits[:-first]
    while digits:
        parts.append(digits[-rest:])
        digits = digits[:-rest]
    return sign.join(reversed(parts))


def amount(minor: int, currency: str) -> str:
    """Write minor units as an amount without its code: 123450, NOK → 1,234.50."""
    places = exponent(currency)
    digits = str(abs(minor)).rjust(places + 1, "0")
    whole = grouped(digits[:-places] if places else digits)
    text = whole + signs(LANGUAGE)[0] + digits[-places:] if places else whole
    return MINUS + text if minor < 0 else text


def money(minor: int, currency: str) -> str:
    """Write an amount with its currency, always: 1,234.50 NOK, never kr or $."""
    return amount(minor, currency) + NBSP + currency


def plain(minor: int, currency: str) -> str:
    """Write an amount as a field holds it: no group signs, a point for decimals."""
    places = exponent(currency)
    digits = str(minor).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def read_money(typed: str, currency: str) -> int:
    """Read typed money into minor units.

    Spaces are ignored; a point or a comma is the decimal sign, and signs that can only group are
    taken as that. What could be read two ways (1.234 in NOK) is refused, as is a decimal too many.
    Raises Unreadable. [design guide 4]
    """
    text = SPACES.sub("", typed).removesuffix(currency)
    places = exponent(currency)
    if not NUMBER.fullmatch(text):
        raise Unreadable(f"Write an amount, for example {plain(12345, currency)}.")
    used = [sign for sign in text if sign in ".,"]
    if len(used) > 1 and len(set(used)) == 1:
        whole, tail = text, ""
    else:
        whole, _, tail = text.rpartition(used[-1]) if used else (text, "", "")
    if len(used) == 1 and len(tail) == 3 and len(whole) < 4 and whole != "0":
        if places == 0 and used[0] == ",":
            whole, tail = text, ""
        elif places != 3 or used[0] == ",":
            clear = plain(int(whole + tail) * 10**places, currency)
            raise Unreadable(f"“{typed.strip()}” can be read two ways. Write {clear}.")
    if len(tail) > places:
        raise Unreadable(f"{currency} has {decimals(places)}.")
    if not GROUPED.fullmatch(whole):
        raise Unreadable(f"Write an amount, for example {plain(12345, currency)}.")
    return int(re.sub(r"[.,]", "", whole) + tail.ljust(places, "0"))


def decimals(places: int) -> str:
    """Say how many decimals a currency has."""
    return {0: "no decimals", 1: "one decimal"}.get(places, f"{places} decimals")


def count(value: int, at_least: object = None) -> str:
    """Write a count; one that was not counted to its end gets a plus."""
    return grouped(str(value)) + ("+" if at_least else "")


def plural(number: int, one: str, other: str) -> str:
    """Choose the noun for a number and write both: 1 order, 38 orders."""
    return f"{count(number)} {one if number == 1 else other}"


def read_moment(at: datetime | str) -> datetime:
    """Take a moment as the wire or the core has it."""
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


def moment(at: datetime | str, now: datetime, zone: str, style: str = "full") -> Moment:
    """Write a moment in the reader's zone: full, short (the clock alone today), exact (seconds)."""
    at = read_moment(at)
    here = at.astimezone(ZoneInfo(zone))
    today = here.date() == now.astimezone(ZoneInfo(zone)).date()
    day = f"{here.day} {MONTHS[here.month]} {here.year}"
    clock = here.strftime("%H:%M:%S" if style == "exact" else "%H:%M")
    if style == "short":
        text = clock if today else f"{here.day} {MONTHS[here.month]}"
        if not today and here.year != now.astimezone(ZoneInfo(zone)).year:
            text = day
    elif style == "day":
        text = day
    else:
        text = f"{day}, {clock}"
    title = f"{day}, {here:%H:%M:%S} {zone}"
    return Moment(text, at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), title)


def ago(at: datetime | str, now: datetime) -> str:
    """Say how long ago, roughly; only ever beside an exact moment."""
    passed = now - read_moment(at)
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return f"{passed // timedelta(minutes=1)} min ago"
    if passed < timedelta(days=1):
        return f"{passed // timedelta(hours=1)} h ago"
    return plural(passed.days, "day", "days") + " ago"


def left(until: datetime | str, now: datetime) -> str:
    """Say how much time is left of a reservation."""
    rest = read_moment(until) - now
    if rest <= timedelta(0):
        return "ended"
    if rest < timedelta(hours=1):
        return f"{max(rest // timedelta(minutes=1), 1)} min left"
    if rest < timedelta(days=2):
        return f"{rest // timedelta(hours=1)} h left"
    return plural(rest.days, "day", "days") + " left"
