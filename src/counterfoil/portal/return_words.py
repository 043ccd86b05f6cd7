"""Returns in words: what the shopper gets, why goods come back, in what state they are.

[V-6…V-11; design guide 3.9, 3.13]
"""

from collections.abc import Mapping, Sequence
from typing import Any

from counterfoil.order.goods_return import Return, ReturnLine
from counterfoil.order.goods_shapes import ReturnShape
from counterfoil.portal.figures import plural
from counterfoil.portal.words import RETURN, Word

#: What the shopper gets: the word, and what that means for the money.
RESOLUTIONS = {
    "REFUND": ("Refund", "The money goes back, through where it came from."),
    "EXCHANGE": ("Replacement", "Other goods leave; only the difference is paid."),
    "STORE_CREDIT": ("Store credit", "You give it where you keep such credit."),
    "NONE": ("Nothing", "The goods are taken back, and that is all."),
}
#: How it is said in passing, after “No money moved”.
IN_PASSING = {"EXCHANGE": "replacement", "STORE_CREDIT": "store credit", "NONE": ""}
_FOR = {"REFUND": "a refund", "EXCHANGE": "a replacement", "NONE": "nothing in return"}
REASONS = {
    "UNWANTED": "Not wanted after all",
    "WRONG_SIZE": "Does not fit",
    "NOT_AS_DESCRIBED": "Not as described",
    "DEFECTIVE": "Does not work",
    "DAMAGED": "Arrived damaged",
    "WRONG_ITEM": "The wrong item was sent",
    "LATE": "Arrived too late",
    "COULD_NOT_DELIVER": "Could not be delivered",
    "OTHER": "Another reason",
}
CONDITIONS = {
    "AS_NEW": "As new",
    "OPENED": "Opened",
    "DAMAGED": "Damaged",
    "DEFECTIVE": "Does not work",
    "WRONG_ITEM": "Not what was sent",
}
REASON_CHOICES = tuple(REASONS.items())
CONDITION_CHOICES = tuple(CONDITIONS.items())
_PARTLY = Word("progress", "circle-half-2", "Partly received")


def resolution_word(code: str) -> str:
    """Name what the shopper gets."""
    return RESOLUTIONS.get(code, (code.capitalize(), ""))[0]


def reason_word(code: str | None) -> str:
    """Name why goods come back."""
    return REASONS.get(code or "", "")


def status_of(status: str, lines: Sequence[ReturnLine]) -> Word:
    """Name how a return stands; one of which goods are still on their way came in only in part."""
    known = RETURN.get(status) or Word("neutral", "help-circle", status.capitalize())
    if status == "RECEIVED" and any(line.missing for line in lines):
        return _PARTLY
    return known


def line_words(line: ReturnLine, names: Mapping[str, str], status: str) -> str:
    """Tell a line: how many units of what, what came in of them, and in what state."""
    told = f"{line.quantity} × {names.get(line.item_id, '?')}"
    if not line.received:
        rest = {"RECEIVED": ": still missing", "CLOSED": ": did not come in"}
        return told + rest.get(status, "")
    parts = []
    if line.missing:
        parts.append(f"{line.received} came in, {line.missing} missing")
    if line.condition:
        parts.append(CONDITIONS.get(line.condition, line.condition).lower())
    if line.written_off:
        stock = f"{line.restocked} back in stock, " if line.restocked else ""
        parts.append(f"{stock}{line.written_off} written off")
    elif line.restocked:
        parts.append("back in stock")
    return f"{told}: {', '.join(parts)}" if parts else told


def units_of(back: Return | ReturnShape) -> str:
    """Count the units of a return."""
    return plural(sum(line.quantity for line in back.lines), "unit", "units")


def exchange_number(number: str, position: int) -> str:
    """Name the order that replaces what came back in a return; the core numbers it so."""
    return f"{number}-X{position}"


def exchanged_number(number: str) -> str:
    """Name the order that an exchange is for."""
    return number.rpartition("-X")[0] or "another"


def fact_words(back: Mapping[str, Any]) -> dict[str, str]:
    """Collect what the timeline's sentences name of a return, from its shape in a fact."""
    if not back:
        return {}
    asked = sum(int(line["quantity"]) for line in back["lines"])
    came = sum(int(line.get("received", 0)) for line in back["lines"])
    gets = resolution_word(str(back["resolution"]))
    units = plural(asked, "unit", "units")
    rest = plural(asked - came, "unit", "units")
    return {
        "returned": f"{units}, for {_FOR.get(str(back['resolution']), gets.lower())}",
        "received": units if came == asked else f"{came} of {units}",
        "late": ", after the time for returns" if back.get("late") else "",
        "missing": f"; {rest} did not come in" if came < asked else "",
    }
