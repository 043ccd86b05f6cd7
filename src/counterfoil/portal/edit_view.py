"""Versions of an order: who changed it when, and any two of them side by side.

Edit n makes version n + 1. What was cancelled between two edits shows as the difference between
what one edit left and what the next one found.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from counterfoil.order.folder import Folder
from counterfoil.order.order_edit import EditedLine, EditedOrder, OrderEdit
from counterfoil.portal.edit_form import ADDRESS
from counterfoil.portal.figures import amount, money, plural
from counterfoil.portal.story import who
from counterfoil.portal.words import Word

ADDED = Word("success", "plus", "Added")
REMOVED = Word("danger", "x", "Removed")
CHANGED = Word("warning", "progress", "Changed")
SAME = Word("neutral", "check", "Same")


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the order: its number, who made it when and why, and what it is worth."""

    number: int
    picture: EditedOrder
    at: datetime
    by: str
    note: str = ""
    what: str = ""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as two versions have it, and what became of it in a word."""

    name: str
    sku: str = ""
    before: str
    after: str
    word: Word

    @property
    def differs(self) -> bool:
        """Whether it is not the same in both."""
        return self.word is not SAME


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions side by side: lines, then what else an edit may change."""

    lines: list[Side]
    rest: list[Side]
    same: int


def versions_of(folder: Folder) -> list[Version]:
    """List the versions of an order, the first one first. There is one more than edits."""
    order, edits = folder.order, folder.edits
    if not edits:
        return []
    first = Version(
        number=1, picture=edits[0].before, at=order.created_at, by="", what="As it was placed"
    )
    return [
        first,
        *(
            Version(
                number=edit.position + 1,
                picture=edit.after,
                at=edit.created_at,
                by=who(edit.actor),
                note=edit.note or "",
                what=_what(edit, order.currency),
            )
            for edit in edits
        ),
    ]


def _what(edit: OrderEdit, currency: str) -> str:
    """Say in a few words what an edit changed."""
    told = compare(edit.before, edit.after, currency)
    said = [
        f"{plural(count, 'line', 'lines')} {word.label.lower()}"
        for word in (REMOVED, CHANGED, ADDED)
        if (count := sum(1 for side in told.lines if side.word is word))
    ]
    said += [side.name.lower() for side in told.rest if side.differs and side.name != "Total"]
    return ", ".join(said).capitalize() if said else "Nothing"


def chosen(versions: list[Version], text: str, otherwise: Version) -> Version:
    """Find the version that is asked for by its number, else another one."""
    return next((one for one in versions if str(one.number) == text), otherwise)


def compare(before: EditedOrder, after: EditedOrder, currency: str) -> Compared:
    """Put two versions side by side; lines that are in both come where the older one has them."""
    old = {line.item_id: line for line in before.lines}
    new = {line.item_id: line for line in after.lines}
    both = [*old, *(key for key in new if key not in old)]
    lines = [_line(old.get(key), new.get(key), currency) for key in both]
    return Compared(
        lines=lines,
        rest=list(_rest(before, after, currency)),
        same=sum(1 for side in lines if not side.differs),
    )


def _line(old: EditedLine | None, new: EditedLine | None, currency: str) -> Side:
    line = old or new
    assert line is not None
    word = ADDED if old is None else REMOVED if new is None else SAME
    if old and new and old.quantity != new.quantity:
        word = CHANGED
    return Side(
        name=line.name,
        sku=line.sku or "",
        before=_units(old, currency),
        after=_units(new, currency),
        word=word,
    )


def _units(line: EditedLine | None, currency: str) -> str:
    if line is None:
        return "–"
    return f"{line.quantity} × {amount(line.unit_price, currency)}"


def _rest(before: EditedOrder, after: EditedOrder, currency: str) -> Iterable[Side]:
    yield _side(
        "Shipping",
        money(sum(before.shipping.values()), currency),
        money(sum(after.shipping.values()), currency),
    )
    yield _side("Ship to", _address(before.shipping_address), _address(after.shipping_address))
    yield _side("Bill to", _address(before.billing_address), _address(after.billing_address))
    yield _side("Total", money(before.total, currency), money(after.total, currency))


def _side(name: str, before: str, after: str) -> Side:
    return Side(
        name=name, before=before, after=after, word=SAME if before == after else CHANGED
    )


def _address(place: dict[str, Any] | None) -> str:
    told = [str(place.get(name)) for name, *_ in ADDRESS if place.get(name)] if place else []
    return ", ".join(told) or "–"
