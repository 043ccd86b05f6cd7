"""The menu's counts, only where action is due, kept for a quarter of a minute."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from counterfoil.access.remembered import Remembered
from counterfoil.book.returns import count_waiting_returns
from counterfoil.book.reviews import count_waiting
from counterfoil.book.views import view_counts
from counterfoil.book.worklists import work_counts
from counterfoil.kernel.db import Connection
from counterfoil.order.actor import Actor

KEEP_S = 15
T = TypeVar("T")
Counts = dict[str, tuple[int, bool]]


class Figure(Generic[T]):
    """A count as each person may see it, kept for KEEP_S."""

    def __init__(self, read: Callable[[Connection, Actor], Awaitable[T]]) -> None:
        self._read = read
        self._kept: Remembered[T] = Remembered(KEEP_S)

    async def known(self, connection: Connection, actor: Actor) -> T:
        """Tell it for the menu of any page, as it was a moment ago."""
        kept = self._kept.recall(actor.id.encode())
        return kept if kept is not None else await self.fresh(connection, actor)

    async def fresh(self, connection: Connection, actor: Actor) -> T:
        """Count anew, for a page that shows it as its own, or after something of it was done."""
        return self._kept.keep(actor.id.encode(), await self._read(connection, actor))


#: What is open and what is not settled, by view.
OPEN_ORDERS: Figure[Counts] = Figure(view_counts)
#: Tasks, and reservations that end within a day.
WORK = Figure(work_counts)
#: Orders that wait for a fraud review.
REVIEWS = Figure(count_waiting)
#: Returns that wait for goods or for a word.
RETURNS = Figure(count_waiting_returns)
