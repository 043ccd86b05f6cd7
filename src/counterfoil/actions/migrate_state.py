"""Move an order out of a state that its store wants to empty."""

from counterfoil.actions.change_state import SEEN, check_life, find_state, put_in
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens


@opens(*SEEN)
def migrate_state(folder: Folder, *, asked: Asked, source: str, target: str) -> Change:
    """Put the order in another state, if it is still in the one that is to be emptied.

    The life cycle, holds and a running cancellation are kept; `next` of the old state is not: it
    is set-up, and so is this, and a state that leads nowhere could never be emptied.
    Raises, in this order: PermissionDenied, UnknownReference, RequestInProgress,
    TransitionNotAllowed, OrderOnHold. [rulings 6, 41]
    """
    asked.actor.require("states.manage")
    asked.actor.require_whole_order()
    wanted = find_state(folder, target)
    if folder.order.state != source or target == source:
        return Change.none(folder, folder.order)
    check_life(folder, wanted)
    return put_in(folder, asked.actor, wanted)
