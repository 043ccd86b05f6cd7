"""The menu's counts, only where action is due, kept for a quarter of a minute."""

from counterfoil.access.remembered import Remembered
from counterfoil.book.returns import count_waiting_returns
from counterfoil.book.reviews import count_waiting
from counterfoil.book.views import view_counts
from counterfoil.book.worklists import WorkCounts, work_counts
from counterfoil.kernel.db import Connection
from counterfoil.order.actor import Actor

KEEP_S = 15
Counts = dict[str, tuple[int, bool]]
_kept: Remembered[Counts] = Remembered(KEEP_S)
_kept_work: Remembered[WorkCounts] = Remembered(KEEP_S)
_kept_reviews: Remembered[int] = Remembered(KEEP_S)
_kept_returns: Remembered[int] = Remembered(KEEP_S)


async def menu_counts(connection: Connection, actor: Actor) -> Counts:
    """Count what is open and what is not settled, as far as the actor may see it."""
    known = _kept.recall(actor.id.encode())
    return known if known is not None else await fresh_counts(connection, actor)


async def fresh_counts(connection: Connection, actor: Actor) -> Counts:
    """Count anew, for a page that shows the counts as its own."""
    return _kept.keep(actor.id.encode(), await view_counts(connection, actor))


async def menu_work(connection: Connection, actor: Actor) -> WorkCounts:
    """Count what waits for a person: tasks, and reservations that end within a day."""
    known = _kept_work.recall(actor.id.encode())
    return known if known is not None else await fresh_work(connection, actor)


async def fresh_work(connection: Connection, actor: Actor) -> WorkCounts:
    """Count it anew, for a page that shows it, or after something of it was done."""
    return _kept_work.keep(actor.id.encode(), await work_counts(connection, actor))


async def menu_reviews(connection: Connection, actor: Actor) -> int:
    """Count the orders that wait for a fraud review."""
    known = _kept_reviews.recall(actor.id.encode())
    return known if known is not None else await fresh_reviews(connection, actor)


async def fresh_reviews(connection: Connection, actor: Actor) -> int:
    """Count them anew, after one was opened or decided."""
    return _kept_reviews.keep(actor.id.encode(), await count_waiting(connection, actor))


async def menu_returns(connection: Connection, actor: Actor) -> int:
    """Count the returns that wait for goods or for a word."""
    known = _kept_returns.recall(actor.id.encode())
    return known if known is not None else await fresh_returns(connection, actor)


async def fresh_returns(connection: Connection, actor: Actor) -> int:
    """Count them anew, after something was done about one."""
    return _kept_returns.keep(actor.id.encode(), await count_waiting_returns(connection, actor))
