"""Slips as a PDF: told to the press, and how its file is named."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from counterfoil.paper.slip import Slip

MEDIA = "application/pdf"
#: Sheets, by the names that addresses use.
SHEETS = {"a4": "a4", "letter": "us-letter"}
#: How many slips are printed at once.
SLIPS_MAX = 100
PRESSES_MAX, PRESS_S_MAX = 2, 60
_presses = ThreadPoolExecutor(PRESSES_MAX, "press")


class PressFailed(Exception):
    """The press ended without a PDF; its own words."""


async def set_slips(slips: Sequence[Slip], sheet: str = "a4") -> bytes:
    """Set slips as one PDF, each on a page of its own or more; `sheet` is one of SHEETS.

    Takes some tenths of a second, two jobs at a time. Raises PressFailed.
    """
    told = told_of(slips, sheet)
    return await asyncio.get_running_loop().run_in_executor(_presses, _pressed, told)


def told_of(slips: Sequence[Slip], sheet: str = "a4") -> bytes:
    """Write what the press is told."""
    assert slips, "there is nothing to print"
    return msgspec.json.encode({"slips": slips, "sheet": SHEETS[sheet]})


def file_name(slips: Sequence[Slip]) -> str:
    """Name the file after its order, if it is one; what is no letter or digit becomes a hyphen."""
    number = slips[0].number
    if any(slip.number != number for slip in slips):
        return "packing-slips"
    return "packing-slip-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in number)


def _pressed(told: bytes) -> bytes:
    command = [sys.executable, "-P", "-m", "counterfoil.paper.press"]
    ran = subprocess.run(command, input=told, capture_output=True, timeout=PRESS_S_MAX, check=False)
    if ran.returncode:
        raise PressFailed(ran.stderr.decode(errors="replace")[-2000:])
    return ran.stdout
