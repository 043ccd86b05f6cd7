"""The change: what the book writes, in one statement, or nothing."""

from typing import Any

import msgspec

from counterfoil.order.fact import Fact
from counterfoil.order.folder import Folder


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a command as its client gets it, now and at every repeat, byte for byte."""

    status: int
    body: str
    etag: str | None = None
    location: str | None = None
    replayed: bool = False


class Lease(msgspec.Struct, frozen=True):
    """The right to settle one due row; a change that carries it fails when the lease is lost."""

    section: str
    id: str
    token: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an action decided: rows to add, fields to set by section, facts, and the result.

    `seen` is the version it was decided on; 0 for a new order. `updates` maps a section to
    (id, fields). `terms` are search terms to add and to remove. `result` is the noun the answer
    is about. [rulings 1, 2]
    """

    seen: int
    after: Folder
    order_fields: dict[str, Any]
    inserts: dict[str, list[msgspec.Struct]]
    updates: dict[str, list[tuple[str, dict[str, Any]]]]
    facts: list[Fact]
    terms: tuple[list[str], list[str]] = ([], [])
    result: Any = None
    lease: Lease | None = None
    calls: list[dict[str, Any]] = []
    configuration: dict[str, list[dict[str, str]]] = {}

    @classmethod
    def none(cls, folder: Folder, result: Any) -> "Change":
        """Nothing to write: the effect is there already, and this is what it was."""
        return cls(
            seen=folder.order.version,
            after=folder,
            order_fields={},
            inserts={},
            updates={},
            facts=[],
            result=result,
        )

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to write: a repeat that finds its effect already there."""
        return not self.facts
