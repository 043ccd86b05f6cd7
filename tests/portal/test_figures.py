"""How money and moments are written, and how typed money is read. [design guide 4]"""

from datetime import UTC, datetime

import pytest

from counterfoil.portal import figures

NB = "\u00a0"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (123450, "NOK", f"1,234.50{NB}NOK"),
        (-9900, "USD", f"\u221299.00{NB}USD"),
        (98000, "JPY", f"98,000{NB}JPY"),
        (12345, "KWD", f"12.345{NB}KWD"),
        (5, "EUR", f"0.05{NB}EUR"),
        (0, "NOK", f"0.00{NB}NOK"),
        (123456789012, "EUR", f"1,234,567,890.12{NB}EUR"),
    ],
)
def test_money_is_amount_space_code(minor: int, currency: str, written: str) -> None:
    assert figures.money(minor, currency) == written


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("1234.5", "NOK", 123450),
        ("1,234.50", "NOK", 123450),
        ("1234,5", "NOK", 123450),
        ("1 234,50", "NOK", 123450),
        (f"1{NB}234,50 NOK", "NOK", 123450),
        ("1.234,50", "NOK", 123450),
        ("1,234,567", "NOK", 123456700),
        ("501", "NOK", 50100),
        ("0.05", "EUR", 5),
        ("98,000", "JPY", 98000),
        ("98000", "JPY", 98000),
        ("12.345", "KWD", 12345),
        ("1,234.500", "KWD", 1234500),
    ],
)
def test_typed_money_is_read(typed: str, currency: str, minor: int) -> None:
    assert figures.read_money(typed, currency) == minor


@pytest.mark.parametrize(
    ("typed", "currency", "says"),
    [
        ("1.234", "NOK", "two ways. Write 1234.00"),
        ("1,234", "NOK", "two ways"),
        ("1,234", "KWD", "two ways"),
        ("98.000", "JPY", "two ways"),
        ("1234.567", "NOK", "2 decimals"),
        ("12.5", "JPY", "no decimals"),
        ("12,34,567", "NOK", "for example"),
        ("1.23.45", "NOK", "for example"),
        ("", "NOK", "for example"),
        ("-5", "NOK", "for example"),
        ("1e5", "NOK", "for example"),
        ("٥", "NOK", "for example"),
        ("5.", "NOK", "for example"),
    ],
)
def test_what_could_be_read_two_ways_is_refused(typed: str, currency: str, says: str) -> None:
    with pytest.raises(figures.Unreadable, match=says):
        figures.read_money(typed, currency)


def test_a_field_holds_what_is_read_back() -> None:
    for minor, currency in ((123450, "NOK"), (98000, "JPY"), (12345, "KWD"), (1, "EUR")):
        assert figures.read_money(figures.plain(minor, currency), currency) == minor


def test_moments_are_written_in_the_readers_zone() -> None:
    at = datetime(2026, 11, 21, 10, 42, 7, tzinfo=UTC)
    told = figures.moment(at, NOON, "Europe/Oslo")
    assert told.text == "21 Nov 2026, 11:42"
    assert told.iso == "2026-11-21T10:42:07Z"
    assert told.title == "21 Nov 2026, 11:42:07 Europe/Oslo"
    assert figures.moment(at, NOON, "Europe/Oslo", "short").text == "11:42"
    assert figures.moment(at.replace(day=20), NOON, "UTC", "short").text == "20 Nov"
    assert figures.moment(at.replace(year=2025), NOON, "UTC", "short").text == "21 Nov 2025"
    assert figures.moment("2026-11-21T10:42:07Z", NOON, "UTC", "exact").text.endswith("10:42:07")


def test_spans_are_rough_and_plain() -> None:
    assert figures.ago(NOON.replace(minute=0, hour=11), NOON) == "1 h ago"
    assert figures.ago(NOON.replace(day=20), NOON) == "1 day ago"
    assert figures.left(NOON.replace(minute=12), NOON) == "12 min left"
    assert figures.left(NOON.replace(hour=11), NOON) == "ended"
