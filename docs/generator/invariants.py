"""Invariants: what must be true of every account, in sentences."""

from collections.abc import Iterable

from counterfoil.book.invariants import every_invariant
from counterfoil.book.promises_of_edits import EDITS
from counterfoil.book.promises_of_ledger import LEDGER
from counterfoil.book.promises_of_money import MONEY
from counterfoil.book.promises_of_record import FACTS, GOODS
from docs.generator.markdown import code, page, plain, table


def invariants_page() -> str:
    """Write the page of all invariants."""
    every = every_invariant()
    groups = {
        "Money": [promise.name for promise in MONEY],
        "Ledger": [promise.name for promise in LEDGER],
        "Goods": [promise.name for promise in GOODS],
        "Edits": [promise.name for promise in EDITS],
        "History": [promise.name for promise in FACTS],
    }
    told = {name for names in groups.values() for name in names}
    groups["Everything else"] = [name for name in every if name not in told]
    return page(
        "Invariants",
        """
        These sentences are true of every account at every moment, whatever crashes and whoever
        else is writing. Each of them is a query that must find nothing, or a comparison of what is
        stored with the function that it was computed by. `counterfoil doctor` runs all of them and
        says where one is broken; the tests run them after races and crashes. Many are held by
        constraints of the database as well, so that they cannot be broken in the first place.
        """,
        *(f"## {title}\n\n{_rows(names, every)}" for title, names in groups.items()),
    )


def _rows(names: Iterable[str], every: dict[str, str]) -> str:
    told = ([code(name), plain(every[name])] for name in names)
    return table(["name", "what must be true"], told)
