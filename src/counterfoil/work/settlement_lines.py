"""Reading a settlement file: CSV, line by line, so that a bad line costs itself alone. [I-2]

Header and columns as in `COLUMNS`, in any order; amounts are decimals of their currency and never
negative, the type says which way; a time has its zone. A byte order mark is passed over. A field
holds no line break, so a line can be read, skipped and named by its number.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

import msgspec

from counterfoil.kernel.money import MoneyError, parse_decimal
from counterfoil.kernel.problem import ValidationFailed

COLUMNS = (
    "reference", "gateway_transaction_id", "type", "amount", "fee", "currency", "settled_at",
)  # fmt: skip
TYPES = {"capture": "CAPTURE", "refund": "REFUND", "refund_reversal": "REFUND_REVERSAL"}
LINE_BYTES_MAX = 8_192
_BOM = b"\xef\xbb\xbf"


class BadLine(Exception):
    """A line that says nothing that could be booked; the message says why."""


class FileLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as read. `type` is a transaction's; amounts in minor units."""

    line: int
    reference: str
    gateway_transaction_id: str
    type: str
    amount: int
    fee: int
    currency: str
    settled_at: datetime


def read_lines(file: BinaryIO) -> Iterator[tuple[int, FileLine | BadLine]]:
    """Yield each line below the header with its number from 1. Raises ValidationFailed.

    Empty lines are passed over.
    """
    first = file.readline(LINE_BYTES_MAX).removeprefix(_BOM)
    try:
        names = _cells(first)
    except BadLine as bad:
        raise _no_header(str(bad)) from bad
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise _no_header(f"{', '.join(missing)} missing")
    number = 1
    while raw := file.readline(LINE_BYTES_MAX):
        number += 1
        try:
            if len(raw) == LINE_BYTES_MAX and not raw.endswith(b"\n"):
                while (rest := file.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
                    continue
                raise BadLine(f"A line has {LINE_BYTES_MAX} bytes at most.")
            if raw.strip():
                yield number, _read(number, names, raw)
        except BadLine as bad:
            yield number, bad


def _no_header(detail: str) -> ValidationFailed:
    return ValidationFailed(
        f"The first line must name the columns {', '.join(COLUMNS)}: {detail}.",
        errors=[{"pointer": "/line/1", "detail": detail}],
    )


def _cells(raw: bytes) -> list[str]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadLine("It is not UTF-8.") from None
    if "\x00" in text:
        raise BadLine("It holds a NUL.")
    try:
        (cells,) = csv.reader([text.rstrip("\r\n")], strict=True)
    except (csv.Error, ValueError):
        raise BadLine("It is not a line of CSV.") from None
    return [cell.strip() for cell in cells]


def _read(number: int, names: list[str], raw: bytes) -> FileLine:
    cells = _cells(raw)
    if len(cells) != len(names):
        raise BadLine(f"It has {len(cells)} fields, the header {len(names)}.")
    told = dict(zip(names, cells, strict=True))
    kind = TYPES.get(told["type"].lower())
    if kind is None:
        raise BadLine(f"{told['type'][:40]!r} is none of {', '.join(TYPES)}.")
    if not told["reference"] and not told["gateway_transaction_id"]:
        raise BadLine("It names no movement.")
    return FileLine(
        line=number,
        reference=told["reference"][:200],
        gateway_transaction_id=told["gateway_transaction_id"][:200],
        type=kind,
        amount=_amount(told["amount"], told["currency"], least=1),
        fee=_amount(told["fee"] or "0", told["currency"], least=0),
        currency=told["currency"],
        settled_at=_instant(told["settled_at"]),
    )


def _amount(text: str, currency: str, *, least: int) -> int:
    try:
        amount = parse_decimal(text, currency)
    except MoneyError as wrong:
        raise BadLine(str(wrong)) from None
    if amount < least:
        raise BadLine(f"{text[:40]!r} is too little.")
    return amount


def _instant(text: str) -> datetime:
    try:
        found = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise BadLine(f"{text[:40]!r} is no time as in 2026-11-20T10:15:00Z.") from None
    if found.tzinfo is None:
        raise BadLine(f"{text[:40]!r} has no time zone.")
    return found
