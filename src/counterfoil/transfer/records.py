"""CSV by records: cells of a row, with the line where it begins; a broken row breaks no other.

Records are told apart by their quotes before anything is parsed, so that a cell may hold newlines,
and so that a row too long, not UTF-8 or not CSV is one row lost and no more. [I-2]
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from .line import LINE_BYTES_MAX, LineError, Source

_KEPT_BYTES: Final = 4096
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Record(Struct, frozen=True):
    """One row: its cells, and what is wrong with it. A broken one has the cells it began with."""

    number: int
    cells: list[str]
    fault: LineError | None = None


class _Raw(Struct, frozen=True):
    number: int
    raw: bytes
    fault: LineError | None = None


def read_records(source: Source, *, delimiter: str = ",", first: int = 1) -> Iterator[Record]:
    """Read the rows of a stream; `first` is the number of the line it stands at.

    Rows of nothing are passed over. A cell may hold up to 131,072 characters, a row 1 MiB.
    """
    for found in _split(source, first, delimiter.encode() + b'"'):
        if found.fault is not None:
            cells = _cells(found.raw.decode(errors="replace"), delimiter)
            yield Record(found.number, (cells or [""])[:1], found.fault)
            continue
        try:
            text = found.raw.decode()
        except UnicodeDecodeError as error:
            words = f"The row is not UTF-8: byte 0x{found.raw[error.start]:02x}."
            cells = _cells(found.raw.decode(errors="replace"), delimiter)
            yield Record(found.number, (cells or [""])[:1], _malformed(words))
            continue
        record = _parsed(found.number, text, delimiter)
        if record is not None:
            yield record


def _parsed(number: int, text: str, delimiter: str) -> Record | None:
    if not text.strip("\r\n"):
        return None
    try:
        cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        words = f"The row is not CSV: {error}."
        return Record(
            number, (_cells(text[:_KEPT_BYTES], delimiter) or [""])[:1], _malformed(words)
        )
    if _UNFIT.search(text):
        place = next((p for p, cell in enumerate(cells) if _UNFIT.search(cell)), 0)
        words = f"Cell {place + 1} holds a control character."
        return Record(number, cells, _malformed(words))
    return Record(number, cells)


def _cells(text: str, delimiter: str) -> list[str]:
    """Read as many cells as a broken row still gives, for the name it begins with."""
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return text[:_KEPT_BYTES].split(delimiter)[:1]


def _malformed(detail: str) -> LineError:
    return LineError(code="malformed", pointer="", detail=detail)


class _Lines:
    """The lines of a source, which can be read again from some line on."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._again: list[bytes] = []

    def next(self) -> bytes:
        return self._again.pop() if self._again else self._source.readline()

    def again(self, lines: list[bytes]) -> None:
        self._again.extend(reversed(lines))


def _split(source: Source, first: int, mark: bytes) -> Iterator[_Raw]:
    """Cut the stream into records: a newline ends one unless it stands inside quotes.

    Where quotes go wrong or never close, the line that opened them is lost and reading starts
    again at the next one. Beyond 1 MiB nothing is kept to start again from: the rest of the record
    is passed over.
    """
    lines = _Lines(source)
    number = first
    while line := lines.next():
        begun = number
        kept, size = [line], len(line)
        inside = _scan(line, mark, inside=False)
        while inside or (inside is False and not line.endswith(b"\n")):
            number += line.endswith(b"\n")
            line = lines.next()
            if not line:
                break
            size += len(line)
            if size <= LINE_BYTES_MAX:
                kept.append(line)
            else:
                kept = [kept[0][:_KEPT_BYTES]]
            inside = _scan(line, mark, inside=inside)
        number += 1
        if size > LINE_BYTES_MAX:
            words = "The row is longer than 1 MiB."
            yield _Raw(begun, kept[0], LineError(code="too_large", pointer="", detail=words))
        elif inside is False:
            yield _Raw(begun, b"".join(kept))
        else:
            lines.again(kept[1:])
            number = begun + 1
            words = "A quote is opened in this line and not closed as CSV closes it."
            yield _Raw(begun, kept[0][:_KEPT_BYTES], _malformed(words))


def _scan(line: bytes, mark: bytes, *, inside: bool) -> bool | None:
    """Tell whether the end of a line is inside quotes; None where a quote cannot stand.

    A quote opens a cell at its start; inside, two are one, and one ends the cell.
    """
    place = 0
    if not inside and line.startswith(b'"'):
        inside, place = True, 1
    while True:
        if not inside:
            place = line.find(mark, place)
            if place < 0:
                return False
            inside, place = True, place + 2
        place = line.find(b'"', place)
        if place < 0:
            return True
        after = line[place + 1 : place + 2]
        if after == b'"':
            place += 2
        elif after in (mark[:1], b"\n", b"\r", b""):
            inside, place = False, place + 1
        else:
            return None
