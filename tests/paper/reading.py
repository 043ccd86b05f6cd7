"""PDFs read back: the text of each page, and what a scanner would see."""

import re
from collections.abc import Sequence

import pypdfium2
import zxingcpp

from counterfoil.paper.pdf import told_of
from counterfoil.paper.press import press
from counterfoil.paper.slip import Slip


def pressed(slips: Sequence[Slip], sheet: str = "a4") -> bytes:
    """A PDF as the press makes it, made here: a press of its own takes longer to start."""
    return press(told_of(slips, sheet))


def text_of(made: bytes) -> list[str]:
    """The text of each page, with every kind of space as one."""
    told = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(made)]
    return [re.sub(r"\s+", " ", text.replace("\u200b", "")) for text in told]


def scanned(made: bytes) -> list[str]:
    """What a scanner reads on the first page."""
    drawn = pypdfium2.PdfDocument(made)[0].render(scale=3, grayscale=True)
    grid = memoryview(drawn.buffer).cast("B").cast("B", shape=[drawn.height, drawn.stride])
    return [code.text for code in zxingcpp.read_barcodes(grid)]
