"""What forms of goods have in common: lines with how many units of each are meant, and refusals.

Fields are text as typed: `quantity-<item>` are the units of a line.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from counterfoil.kernel.problem import Problem
from counterfoil.order.item import Item
from counterfoil.order.shapes import ItemShape
from counterfoil.order.shipment import ShipmentItem
from counterfoil.portal.forms import Form

UNITS = "quantity-"
NONE_CHOSEN = "Choose at least one item."
CHANGED = "Somebody packed or moved some of it meanwhile. Look again what is left, and press again."
_OF_THE_NUMBER = ("tracking_number_taken", "tracking_not_allowed")


class Part(NamedTuple):
    """A line, and how many units of it can be meant."""

    item: Item | ItemShape
    left: int


def typed_units(parts: Sequence[Part], typed: Callable[[str, int], str]) -> dict[str, str]:
    """Take the fields of the lines as they were typed."""
    names = [UNITS + part.item.id for part in parts]
    return {name: typed(name, 6) for name in names}


def changed_meanwhile(form: Form, parts: Sequence[Part], typed: Iterable[str]) -> bool:
    """Hold a form that asks about lines which somebody else packed or moved since."""
    now = {UNITS + part.item.id for part in parts}
    changed = any(name.startswith(UNITS) and name not in now for name in typed)
    if changed:
        form.notices.append(CHANGED)
    return changed


def packed_of(form: Form, parts: Sequence[Part]) -> list[ShipmentItem]:
    """Read how many units of each line are meant; what cannot be is said at its field."""
    packed = []
    for part in parts:
        name = UNITS + part.item.id
        text = form.values.get(name, "")
        if text and not (text.isascii() and text.isdecimal() and int(text) <= part.left):
            form.errors[name] = f"{part.item.name}: write a number from 0 to {part.left}."
        elif text and int(text):
            packed.append(ShipmentItem(part.item.id, int(text)))
    if not packed and not form.refused:
        form.notices.append(NONE_CHOSEN)
    return packed


def refuse(form: Form, problem: Problem) -> Form:
    """Put a refusal to its field, or above the form. Raises what is none of a form."""
    if problem.status not in (409, 422):
        raise problem
    if problem.code in _OF_THE_NUMBER:
        form.errors["tracking_number"] = problem.detail
    else:
        form.notices.append(problem.detail)
    return form
