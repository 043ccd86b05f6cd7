"""Forms: what was typed, what is wrong with it, and what a second sending is known by."""

from typing import Any

import msgspec

from counterfoil.kernel.ids import new_id


class Form(msgspec.Struct, kw_only=True):
    """A form as rendered: values as typed, errors by field, and a fresh key for one effect.

    `version` is the order's when the form was rendered; `conflict` names who changed the same
    field since; `saved` is the clock of the last save, shown beside the button.
    """

    key: str = msgspec.field(default_factory=new_id)
    version: int = 0
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    notices: list[str] = []
    conflict: str = ""
    saved: str = ""

    @property
    def refused(self) -> bool:
        """Whether something has to be changed before it can be sent."""
        return bool(self.errors or self.notices or self.conflict)


class Say(msgspec.Struct, frozen=True, kw_only=True):
    """What a money form will do, in sentences, and the amount they were said about."""

    label: str
    shown_minor: int
    lines: tuple[str, ...] = ()
    final: str = ""
    refused: str = ""
    grave: bool = False


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a money form asks: the sums above it, what is open, hints, choices.

    `others`: the payments it may be about, `payment` the one that it is.
    """

    open_minor: int
    sums: tuple[tuple[str, int], ...] = ()
    partial: bool = True
    hint: str = ""
    why: str = ""
    all_means: str = ""
    email: str = ""
    email_question: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    steps: tuple[str, ...] = ()
    payment: str = ""
    others: tuple[tuple[str, str], ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a cancellation as it went: done, refused, or not known."""

    tone: str
    icon: str
    text: str


def typed(form: Any, name: str, limit: int = 255) -> str:
    """Take a field as text, without what nobody can see; longer than its limit is cut there."""
    return str(form.get(name) or "").replace("\x00", "").strip()[:limit]
