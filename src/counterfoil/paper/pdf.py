"""Slips as a PDF, set by Typst: every script shaped, bidirectional, tagged for screen readers.

What is printed goes in as JSON and is only ever text there, so nobody's name can be a command.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec
import typst

from counterfoil.paper.slip import Slip

MEDIA = "application/pdf"
#: Sheets, by the names that addresses use.
SHEETS = {"a4": "a4", "letter": "us-letter"}
_FONTS = (
    "fontpkg_noto_sans",
    "fontpkg_noto_sans_arabic",
    "fontpkg_noto_sans_thai",
    "fontpkg_heebo",
    "noto_cjk_sans_otc",
)
_TEMPLATE = Path(__file__).with_name("slip.typ")


@cache
def _fonts() -> typst.Fonts:
    """Find the letters: those of our packages, and for the rarest scripts what the system has."""
    found = {
        path.parent for name in _FONTS for path in Path(str(files(name))).rglob("*.tt[fc]")
    }
    assert len(found) == len(_FONTS), found
    return typst.Fonts(
        include_system_fonts=True,
        include_embedded_fonts=False,
        font_paths=[str(path) for path in sorted(found)],
    )


def set_slips(slips: Sequence[Slip], sheet: str = "a4") -> bytes:
    """Set slips as one PDF, each on a page of its own or more; `sheet` is one of SHEETS.

    Takes some milliseconds and holds no lock; doors call it in a thread.
    """
    told = msgspec.json.encode({"slips": slips, "sheet": SHEETS[sheet]}).decode()
    made = typst.Compiler(_TEMPLATE.read_bytes(), font_paths=_fonts()).compile(
        format="pdf", sys_inputs={"told": told}
    )
    assert isinstance(made, bytes)
    return made


def file_name(slips: Sequence[Slip]) -> str:
    """Name the file after the order; what is no letter or digit becomes a hyphen."""
    number = slips[0].number
    return "packing-slip-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in number)
