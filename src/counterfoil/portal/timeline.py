"""What happened to an order, for its page: facts in words, raw exchanges, and what they changed."""

from typing import Any

import msgspec

from counterfoil.order.shapes import FactShape
from counterfoil.portal import story
from counterfoil.portal.reading import ALL, FIRST, Read
from counterfoil.portal.undoing import last_changes

ALWAYS = ("timeline", "live")
#: Which regions of the page a kind of fact changes. [design guide 5.5]
CHANGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("order.state_changed", ("head", "attention", "state", "items", "payments")),
    ("order.noted", ("notes",)),
    ("order.held", ("head", "attention", "items", "holds", "payments")),
    ("order.released", ("head", "attention", "items", "holds", "payments")),
    (
        "order.",
        ("head", "attention", "items", "payments", "refunds", "state", "customer", "details"),
    ),
    ("invoice.", ("invoice",)),
    ("payment.", ("head", "attention", "payments", "refunds")),
    ("refund.", ("head", "attention", "payments", "refunds")),
    ("return.", ("head", "attention", "items", "payments", "refunds")),
    ("task.", ("attention",)),
    ("shipment.", ("head", "attention", "items")),
    ("item.", ("head", "items")),
    ("bag.", ("head", "items")),
    ("fraud.", ("head", "attention", "items", "holds", "state")),
)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """An order's facts, newest first, and the exchanges with its providers."""

    facts: tuple[FactShape, ...]
    shown: dict[str, Any]


def facts_of(read: Read, *, whole: bool = False) -> Facts:
    """Tell what happened: the newest 50, or all that was read."""
    limit = ALL if whole else FIRST
    found = read.facts
    names = {state.code: state.name for state in read.folder.states}
    exchanges: dict[str, list[Any]] = {}
    for call in read.calls:
        exchanges.setdefault(call.transaction_id, []).append(
            {"asked for": call.purpose, "outcome": call.outcome, **call.raw}
        )
    more = len(found) > limit
    return Facts(
        facts=tuple(found[:limit]),
        shown={
            "timeline": [story.tell(fact, names) for fact in found[:limit]],
            "changes": last_changes(found[:limit], read.folder.at),
            "older_facts": f"/portal/orders/{read.order.id}/timeline" if more else "",
            "calls": exchanges,
        },
    )


def changed_since(facts: Facts, version: int) -> list[str]:
    """List the regions that changed after a version, each once, the timeline always.

    More facts than were read since then: every region.
    """
    oldest = min((fact.sequence for fact in facts.facts), default=0)
    changed: dict[str, None] = {}
    if oldest > version + 1:
        changed |= dict.fromkeys(name for _, names in CHANGES for name in names)
    for fact in facts.facts:
        if fact.sequence > version:
            regions = next((names for kind, names in CHANGES if fact.type.startswith(kind)), ())
            changed |= dict.fromkeys(regions)
    return [*changed, *ALWAYS]
