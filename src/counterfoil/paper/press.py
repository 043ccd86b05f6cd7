"""The press: slips set by Typst, in a process of its own.

A compiler keeps what it has read and made for the next time; a server that prints now and then
would carry that for ever. So a press starts for a job and ends with it: it takes slips as JSON, and
gives a PDF. What is printed is only ever text there, so nobody's name can be a command.
"""

import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from unicodedata import category, name

import typst

FONTS = (
    "fontpkg_noto_sans",
    "fontpkg_noto_sans_arabic",
    "fontpkg_noto_sans_thai",
    "fontpkg_heebo",
    "noto_cjk_sans_otc",
)
#: The scripts that these have letters for, as Unicode begins the names of theirs.
SCRIPTS = frozenset({
    "ARABIC", "BOPOMOFO", "CJK", "COMBINING", "CYRILLIC", "DEVANAGARI", "FULLWIDTH", "GREEK",
    "HALFWIDTH", "HANGUL", "HEBREW", "HIRAGANA", "IDEOGRAPHIC", "KATAKANA", "LATIN", "MODIFIER",
    "THAI",
})  # fmt: skip
_TEMPLATE = Path(__file__).with_name("slip.typ")


@cache
def fonts(*, system: bool) -> typst.Fonts:
    """Find the letters of our packages; for the rarest scripts also those that the system has."""
    found = {
        path.parent for package in FONTS for path in Path(str(files(package))).rglob("*.tt[fc]")
    }
    assert len(found) == len(FONTS), found
    return typst.Fonts(
        include_system_fonts=system,
        include_embedded_fonts=False,
        font_paths=[str(path) for path in sorted(found)],
    )


def is_rare(text: str) -> bool:
    """Tell whether something in a text is of a script that our packages have no letters for."""
    return any(
        category(one)[0] in "LM" or category(one) == "So"
        for one in set(text)
        if one > "\u058f"
        and not "\u2000" <= one <= "\u33ff"  # punctuation, signs, kana
        and name(one, "").partition(" ")[0] not in SCRIPTS
    )


def press(told: bytes) -> bytes:
    """Set slips as one PDF, each on a page of its own or more; `told` is JSON for slip.typ.

    Every script is shaped and bidirectional, and the PDF is tagged for screen readers.
    """
    text = told.decode()
    made = typst.Compiler(
        _TEMPLATE.read_bytes(), font_paths=fonts(system=is_rare(text))
    ).compile(format="pdf", sys_inputs={"told": text})
    assert isinstance(made, bytes)
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(press(sys.stdin.buffer.read()))
