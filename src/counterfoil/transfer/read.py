"""Reading a file of orders, whatever of the two kinds it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

from .line import BOM, Line, Source, refused
from .ndjson import read_ndjson
from .shopify import looks_like_shopify, read_shopify

Format = Literal["ndjson", "shopify"]
_BUFFER = 1024 * 1024


class Reading(Iterator[Line]):
    """The lines of a file, one at a time, and how far the reading is.

    `bytes_total` is None where a stream does not know its length; `format` is None until the
    first line has been looked at. A file opened here is closed at its end, or by `close`.
    """

    def __init__(self, stream: BinaryIO, *, format: Format | None, own: bool) -> None:
        self.bytes_total = _length(stream)
        self.format = format
        self._stream, self._own = stream, own
        self._source = Source(stream)
        self._lines = self._read()

    @property
    def bytes_read(self) -> int:
        """How many bytes have been looked at."""
        return self._source.bytes_read

    def __next__(self) -> Line:
        """Read the next order or error."""
        return next(self._lines)

    def close(self) -> None:
        """Let go of the file, if it was opened here."""
        if self._own:
            self._stream.close()

    def __enter__(self) -> Self:
        """Close at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the file."""
        self.close()

    def _read(self) -> Iterator[Line]:
        number = 1
        first = self._source.readline()
        plain = first.removeprefix(BOM)
        while first and not plain.strip():
            number += 1
            first = plain = self._source.readline()
        if first.startswith((b"\xff\xfe", b"\xfe\xff")):
            yield refused(number, "malformed", "The file is UTF-16; write it as UTF-8.")
        elif self.format == "ndjson" or (self.format is None and plain.lstrip()[:1] == b"{"):
            self._source.put_back(plain)
            self.format = "ndjson"
            yield from read_ndjson(self._source, first=number)
        elif self.format == "shopify" or looks_like_shopify(first):
            self._source.put_back(first)
            self.format = "shopify"
            yield from read_shopify(self._source, first=number)
        elif plain.lstrip()[:1] == b"[":
            yield refused(number, "malformed", "The file is one JSON list; write one order a line.")
        elif first:
            words = "The file is neither NDJSON, an order a line, nor Shopify's order export."
            yield refused(number, "malformed", words)
        self.close()


def read_orders(file: str | Path | BinaryIO, format: Format | None = None) -> Reading:
    """Read orders from a path or a binary stream; the kind of file is seen in its first line.

    Never raises for what a file holds: every problem is a Line with an error. Memory stays at one
    order, whatever the size of the file.
    """
    if isinstance(file, str | Path):
        stream = Path(file).open("rb", buffering=_BUFFER)  # noqa: SIM115 - closed by Reading
        return Reading(stream, format=format, own=True)
    return Reading(file, format=format, own=False)


def _length(stream: BinaryIO) -> int | None:
    try:
        return os.fstat(stream.fileno()).st_size or None
    except (OSError, AttributeError, ValueError):
        return None
