"""The order's number as Code 128 (ISO/IEC 15417), for hand scanners in a warehouse."""

import re
from itertools import groupby

import msgspec
from barcode.codex import Code128

#: A longer one would not fit beside the address, or be too fine for a scanner.
_FITS = re.compile(r"[ -~]{1,40}")
#: What the standard wants left blank on either side, in modules.
QUIET = 10


class Bars(msgspec.Struct, frozen=True):
    """Black bars: where each begins and how wide it is, in modules. Empty: it cannot be drawn."""

    text: str
    width: int = 0
    bars: tuple[tuple[int, int], ...] = ()


def draw(text: str) -> Bars:
    """Draw printable ASCII of at most 40 characters; of anything else only the text is kept."""
    if not _FITS.fullmatch(text):
        return Bars(text)
    modules = str(Code128(text).build()[0])
    bars, at = [], QUIET
    for module, run in groupby(modules):
        wide = len(list(run))
        if module == "1":
            bars.append((at, wide))
        at += wide
    return Bars(text, at + QUIET, tuple(bars))
