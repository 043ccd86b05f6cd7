"""Who put a state last, and the way back from a slip of the hand. [U-3, U-15; design guide 3.2]"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from counterfoil.order.shapes import FactShape
from counterfoil.portal import story

#: Later it is no slip any more: the way back is a choice in the menu like any other.
FRESH = timedelta(hours=24)
ORDER = ""


class Changed(NamedTuple):
    """A state that was put: by whom, when, from which to which."""

    who: str
    at: datetime
    before: str
    now: str


def last_changes(facts: Iterable[FactShape], at: datetime) -> dict[str, Changed]:
    """Tell the last change of each line by its id, and that of the order under ORDER.

    `facts` are newest first. What nobody put, but followed from something else, is left out, and
    so is what was put long ago.
    """
    found: dict[str, Changed | None] = {}
    for fact in facts:
        data = fact.data or {}
        if fact.type == "item.state_changed":
            of = str(data.get("item_id"))
        elif fact.type == "order.state_changed":
            of = ORDER
        else:
            continue
        fresh = at - fact.at <= FRESH and fact.actor.get("kind") != "system"
        last = Changed(story.who(fact.actor), fact.at, str(data.get("from")), str(data.get("to")))
        found.setdefault(of, last if fresh else None)
    return {of: last for of, last in found.items() if last is not None}
