"""The change: what the book writes, in one statement, or nothing."""

from typing import Any

import msgspec

from counterfoil.order.fact import Fact
from counterfoil.order.folder import SECTIONS, Folder
from counterfoil.order.ledger import LedgerEntry, entries_between
from counterfoil.order.terms import terms_of_order


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
    """What an action decided: the folder before and after, rows to add, facts, and the result.

    `seen` is the version it was decided on; 0 for a new order. `retell` says that the order is
    found by other words now. `new_orders` are written with it: the linked one of an exchange. What
    differs is worked out when it is written: an action that is only rehearsed, or told as history,
    need not know. [rulings 1, 2, 7]
    """

    seen: int
    before: Folder
    after: Folder
    inserts: dict[str, list[msgspec.Struct]]
    facts: list[Fact]
    retell: bool = False
    result: Any = None
    lease: Lease | None = None
    calls: list[dict[str, Any]] = []
    configuration: dict[str, list[dict[str, str]]] = {}
    new_orders: list["Change"] = []

    @classmethod
    def none(cls, folder: Folder, result: Any) -> "Change":
        """Nothing to write: the effect is there already, and this is what it was."""
        return cls(
            seen=folder.order.version,
            before=folder,
            after=folder,
            inserts={},
            facts=[],
            result=result,
        )

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to write: a repeat that finds its effect already there."""
        return not self.facts

    def order_fields(self) -> dict[str, Any]:
        """List the fields of the order that changed, with their new values."""
        return differing(self.before.order, self.after.order)

    def updates(self) -> dict[str, list[tuple[str, dict[str, Any]]]]:
        """List by section the nouns that changed, each with its id and its changed fields."""
        found = {}
        for section in SECTIONS:
            old = getattr(self.before, section)
            if getattr(self.after, section) is old:
                continue
            known = {noun.id: noun for noun in old}
            changed = [
                (noun.id, fields)
                for noun in getattr(self.after, section)
                if noun.id in known and (fields := differing(known[noun.id], noun))
            ]
            if changed:
                found[section] = changed
        return found

    def ledger(self) -> list[LedgerEntry]:
        """List the ledger entries of every movement that took effect in this change."""
        added: list[Any] = self.inserts.get("transactions", [])
        payouts: list[Any] = self.inserts.get("payouts", [])
        return entries_between(self.before, self.after, added, payouts)

    def terms(self) -> tuple[list[str], list[str]]:
        """List the search terms to add, and those to remove."""
        if self.seen == 0:
            return terms_of_order(self.after), []
        if not self.retell:
            return [], []
        old, new = terms_of_order(self.before), terms_of_order(self.after)
        return [term for term in new if term not in old], [t for t in old if t not in new]


def differing(old: Any, new: Any) -> dict[str, Any]:
    """List the fields whose values differ, as they are in the new one."""
    if old is new:
        return {}
    return {
        name: value
        for name in type(new).__struct_fields__
        if (value := getattr(new, name)) != getattr(old, name)
    }
