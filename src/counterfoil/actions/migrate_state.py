"""Move an order out of a state that its store wants to empty."""

import msgspec

from counterfoil.actions.change_state import SEEN, check_life, find_state, put_in
from counterfoil.actions.decide_review import is_held
from counterfoil.order.change import Change
from counterfoil.order.config import OrderState
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens


@opens(*SEEN)
def migrate_state(folder: Folder, *, asked: Asked, source: str, target: str) -> Change:
    """Put the order in another state, if it is still in the one that is to be emptied.

    The life cycle, holds and a running cancellation are kept; `next` of the old state is not: it
    is set-up, and so is this, and a state that leads nowhere could never be emptied. A review that
    suspended the order finds it in the other state too.
    Raises, in this order: PermissionDenied, UnknownReference, RequestInProgress,
    TransitionNotAllowed, OrderOnHold. [rulings 6, 41]
    """
    asked.actor.require("states.manage")
    asked.actor.require_whole_order()
    wanted = find_state(folder, target)
    if folder.order.state != source or target == source:
        return Change.none(folder, folder.order)
    check_life(folder, wanted)
    draft = Draft(folder, asked.actor)
    if wanted.system_state == folder.order.system_state:
        _follow(draft, wanted)
    return put_in(draft, wanted)


def _follow(draft: Draft, target: OrderState) -> None:
    """Let what goes by the old state go by the new one, which nobody chose for this order."""
    order, review = draft.order, draft.before.review
    if review is not None and review.waits and is_held(draft.before, review):
        draft.put(msgspec.structs.replace(review, held_in=target.code))
    if order.previous_state == order.state:
        draft.set_order(previous_state=target.code)
