"""Ask for the cancellation of an order, and say no to it; cancelling is another's decision."""

from counterfoil.actions.change_state import goes_back_to
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import PermissionDenied
from counterfoil.order.actor import Actor
from counterfoil.order.allowed import STOPPABLE, may_decide_cancel
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.note import Note
from counterfoil.order.opening import opens
from counterfoil.order.problems import InvalidState, RequestInProgress
from counterfoil.order.telling import TOLD


@opens(*TOLD, "cancellations")
def request_cancel(
    folder: Folder, *, asked: Asked, reason: str | None = None, reason_code: str = "OTHER"
) -> Change:
    """Put the order in Cancel Requested, where nothing ships and no money moves; no plan is made.

    The reason is kept as an internal note. Nothing to write where it was asked for already. Raises,
    in this order: PermissionDenied, MerchantLimited, RequestInProgress (a cancellation runs),
    InvalidState. [domain.md §2, rulings 41]
    """
    _may(folder, asked.actor)
    order = folder.order
    if order.system_state == "CANCEL_REQUESTED":
        return Change.none(folder, order)
    if order.system_state not in STOPPABLE:
        raise InvalidState(f"The order is {folder.state.name}.", state=order.state)
    draft = Draft(folder, asked.actor)
    draft.set_order(previous_state=order.state)
    draft.go_to_built_in("cancel_requested")
    draft.fact("order.cancel_requested", _kept(draft, reason), reason_code=reason_code)
    return draft.change(order)


@opens(*TOLD, "cancellations", "states")
def decline_cancel(folder: Folder, *, asked: Asked, note: str | None = None) -> Change:
    """Say no: the order goes back where it was, or to work where that state is no more.

    Raises, in this order: PermissionDenied, MerchantLimited, RequestInProgress (a cancellation
    runs), InvalidState (nobody asked). [domain.md §2, rulings 27, 37, 41]
    """
    _may(folder, asked.actor)
    if folder.order.system_state != "CANCEL_REQUESTED":
        raise InvalidState("Nobody asked to cancel this order.", state=folder.order.state)
    draft = Draft(folder, asked.actor)
    draft.go_to(goes_back_to(folder))
    draft.fact("order.cancel_declined", _kept(draft, note))
    return draft.change(folder.order)


def _may(folder: Folder, actor: Actor) -> None:
    if not may_decide_cancel(actor):
        raise PermissionDenied(
            "You lack the right orders.state or orders.cancel.", permission="orders.state"
        )
    actor.require_whole_order()
    running = folder.running_cancellation
    if running is not None:
        raise RequestInProgress(
            "A cancellation is running.",
            cancellation_id=running.id,
            headers={"Retry-After": "5"},
        )


def _kept(draft: Draft, text: str | None) -> Note | None:
    """Keep somebody's own words as an internal note, which can be erased. [rulings 10]"""
    if not text:
        return None
    note = Note(
        id=new_id(),
        order_id=draft.order.id,
        body=text,
        visibility="internal",
        author=draft.actor.told(),
        created_at=draft.at,
    )
    draft.add(note)
    return note
