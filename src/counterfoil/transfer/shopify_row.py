"""One row of Shopify's export: its cells by column and kind, or why a cell is not its kind."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

from counterfoil.kernel.money import MoneyError, exponent, parse_decimal

from .line import LineError

_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})\s?([+-]\d{2}:?\d{2}|Z|UTC)", re.ASCII
)
_NO_CENTS: Final = re.compile(r"[0-9]+\.00?")
_QUANTITY: Final = re.compile(r"[0-9]{1,6}")
_CODE_LENGTH_MAX: Final = 48
_YEARS: Final = range(1970, 2200)
_NEAREST: Final = str.maketrans({"ø": "o", "æ": "ae", "đ": "d", "ł": "l", "ı": "i", "œ": "oe"})


class CellError(Exception):
    """A cell that cannot be what its column says; the whole order is refused for it."""

    def __init__(self, column: str, words: str, code: str = "validation_failed") -> None:
        super().__init__(words)
        self.column, self.words, self.code = column, words, code


class Row:
    """A row's cells by the header's names; a column the file does not have reads as blank."""

    def __init__(
        self, number: int, cells: list[str], columns: dict[str, int], fault: LineError | None
    ) -> None:
        self.number, self.fault = number, fault
        self._cells, self._columns = cells, columns
        self.name = self.text("Name")
        self.begins = False

    def text(self, column: str) -> str:
        """Read a cell, blanks around it cut off and line ends made plain."""
        place = self._columns.get(column)
        if place is None or place >= len(self._cells):
            return ""
        cell = self._cells[place].strip()
        return cell.replace("\r\n", "\n").replace("\r", "\n") if "\r" in cell else cell

    def bare(self, column: str) -> str:
        """Read a cell that the export guards against spreadsheets with a leading apostrophe."""
        return self.text(column).removeprefix("'").strip()

    def identifier(self, column: str) -> str:
        """Read a cell that names something; a formula or a line end names nothing."""
        cell = self.bare(column)
        if cell.startswith(("=", "@", "\t")) or "\n" in cell:
            raise CellError(column, f"Row {self.number}: {cell[:40]!r} is not a name.")
        return cell

    def money(self, column: str, currency: str) -> int:
        """Read an amount in minor units; blank is 0, a minus is refused.

        Whole amounts of a currency without a minor unit may carry the two zeros that shops give
        every currency: 1200.00 JPY is 1200.
        """
        cell = self.text(column)
        if not cell:
            return 0
        try:
            if exponent(currency) == 0 and _NO_CENTS.fullmatch(cell):
                cell = cell.partition(".")[0]
            amount = parse_decimal(cell, currency)
        except MoneyError as error:
            raise CellError(column, f"Row {self.number}: {error}", "amount_invalid") from None
        if amount < 0:
            raise CellError(column, f"Row {self.number}: {cell} is negative.", "amount_invalid")
        return amount

    def quantity(self, column: str) -> int:
        """Read a whole number of units, up to six digits."""
        cell = self.text(column)
        if not _QUANTITY.fullmatch(cell):
            raise CellError(column, f"Row {self.number}: {cell[:40]!r} is not a quantity.")
        return int(cell)

    def time(self, column: str) -> datetime | None:
        """Read a time with its zone, as 2026-11-20 10:15:00 +0100; blank is none.

        Days and months in another order, and times without a zone, can mean two things and are
        refused.
        """
        cell = self.text(column)
        if not cell:
            return None
        found = _TIME.fullmatch(cell)
        if found is not None:
            zone = "+00:00" if found[3] in ("Z", "UTC") else found[3]
            try:
                at = datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}")
            except ValueError:
                at = None
            if at is not None and at.year in _YEARS:
                return at
        words = f"Row {self.number}: {cell[:40]!r} is not a time like 2026-11-20 10:15:00 +0100."
        raise CellError(column, words)


class Order:
    """The rows of one order: the first has the order's columns, every one has a line item."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.head = rows[0]


def moment(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def code_of(name: str, kind: str) -> str:
    """Make a short plain code of a name, the same each time: `Fjell & Fjord` gives fjell-fjord.

    A name that loses letters on the way gets a fingerprint, so that it shares its code with none.
    """
    small = name.casefold()
    plain = unicodedata.normalize("NFKD", small.translate(_NEAREST))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    code = re.sub("[^a-z0-9]+", "-", letters).strip("-")
    if code and small.isascii() and len(code) <= _CODE_LENGTH_MAX:
        return code
    mark = hashlib.sha256(unicodedata.normalize("NFC", name).encode()).hexdigest()[:8]
    return f"{code[: _CODE_LENGTH_MAX - 9].strip('-') or kind}-{mark}"
