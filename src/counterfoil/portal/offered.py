"""What the filters offer of an account's own: stores and custom states, kept for a moment."""

from counterfoil.access.remembered import Remembered
from counterfoil.kernel.db import Connection
from counterfoil.order.actor import Actor
from counterfoil.setup.states import own_states
from counterfoil.setup.stores import list_stores

KEEP_S = 30
Offered = dict[str, list[tuple[str, str]]]
_kept: Remembered[Offered] = Remembered(KEEP_S)


async def offered_of(connection: Connection, actor: Actor) -> Offered:
    """List the stores an actor may see, and the states that those stores have made."""
    known = _kept.recall(actor.id.encode())
    if known is not None:
        return known
    stores = await list_stores(connection, limit=100)
    states = await own_states(connection)
    seen = [store for store in stores.data if actor.stores is None or store.code in actor.stores]
    codes = {store.code for store in seen}
    own = {one.code: one.name for one in states if one.store in codes}
    offered: Offered = {
        "status": list(own.items()),
        "store": [(store.code, store.name) for store in seen] if len(seen) > 1 else [],
    }
    return _kept.keep(actor.id.encode(), offered)


def forget_offered() -> None:
    """Read it anew: the set-up has just changed in this process. Others do so within seconds."""
    _kept.forget(lambda _: True)
