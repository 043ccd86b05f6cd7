"""What a file is read into: a line that holds an order, or an error that says why not."""

from __future__ import annotations

from typing import Any, BinaryIO, Final

from msgspec import Struct

LINE_BYTES_MAX: Final = 1024 * 1024
"""The longest line of NDJSON, or record of CSV, that is looked at."""

BOM: Final = b"\xef\xbb\xbf"


class LineError(Struct, frozen=True):
    """Why a line is no order: `code` is a problem's, `pointer` a JSON pointer or `/Column`."""

    code: str
    pointer: str
    detail: str


class Line(Struct, frozen=True):
    """One order of a file, or the reason why there is none; never both, never neither.

    `number` is the line where it begins, counted from 1; `raw` is the order as JSON, for a typed
    decoder, and empty beside an error; `order` is the same as plain JSON values. What the fields
    mean is checked later, by who books it.
    """

    number: int
    order: dict[str, Any] | None = None
    error: LineError | None = None
    raw: bytes = b""


def refused(number: int, code: str, detail: str, *, pointer: str = "") -> Line:
    """Make the line that says why there is no order."""
    return Line(number=number, error=LineError(code=code, pointer=pointer, detail=detail))


class Source:
    """A binary stream read line by line, which counts the bytes it gave out.

    A line put back is given out again, so that a reader can look at the first one and decide.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._kept = b""
        self.bytes_read = 0

    def readline(self) -> bytes:
        """Give the next line with its newline, cut after LINE_BYTES_MAX; nothing at the end."""
        if self._kept:
            line, self._kept = self._kept, b""
        else:
            line = self._stream.readline(LINE_BYTES_MAX)
        self.bytes_read += len(line)
        return line

    def put_back(self, line: bytes) -> None:
        """Take a line back; only the last one, and only once."""
        assert not self._kept
        self._kept = line
        self.bytes_read -= len(line)
