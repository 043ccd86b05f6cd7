"""The menu's counts, only where action is due, kept for a quarter of a minute."""

from counterfoil.access.remembered import Remembered
from counterfoil.book.views import view_counts
from counterfoil.kernel.db import Connection
from counterfoil.order.actor import Actor

KEEP_S = 15
Counts = dict[str, tuple[int, bool]]
_kept: Remembered[Counts] = Remembered(KEEP_S)


async def menu_counts(connection: Connection, actor: Actor) -> Counts:
    """Count what is open and what is not settled, as far as the actor may see it."""
    known = _kept.recall(actor.id.encode())
    return known if known is not None else await fresh_counts(connection, actor)


async def fresh_counts(connection: Connection, actor: Actor) -> Counts:
    """Count anew, for a page that shows the counts as its own."""
    return _kept.keep(actor.id.encode(), await view_counts(connection, actor))
