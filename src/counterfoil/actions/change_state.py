"""Move an order to another of its store's states."""

from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.order.change import Change
from counterfoil.order.config import OrderState
from counterfoil.order.draft import Draft, built_in
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.life import ORDER
from counterfoil.order.opening import opens
from counterfoil.order.problems import OrderOnHold, RequestInProgress, UnknownReference
from counterfoil.order.status import Units

_CLEARED = ("NOT_REQUIRED", "PASSED")


SEEN = (
    "bags",
    "items",
    "payments",
    "refunds",
    "shipments",
    "holds",
    "notes",
    "returns",
    "fraud_reviews",
    "states",
    "cancellations",
    "merchants",
)


@opens(*SEEN)
def change_state(folder: Folder, *, asked: Asked, state: str) -> Change:
    """Put the order in a state of its store. `canceled` is not put, it is done: see `cancel`.

    Raises, in this order: PermissionDenied, UnknownReference, RequestInProgress,
    TransitionNotAllowed, OrderOnHold. [U-3…U-11, domain.md §2, rulings 37]
    """
    asked.actor.require("orders.state")
    asked.actor.require_whole_order()
    target = find_state(folder, state)
    if target.code == folder.order.state:
        return Change.none(folder, folder.order)
    check_state(folder, target)
    return put_in(Draft(folder, asked.actor), target)


def find_state(folder: Folder, code: str) -> OrderState:
    """Find a state of the order's store. Raises UnknownReference, which names those there are."""
    target = next((s for s in folder.states if s.code == code), None)
    if target is None:
        codes = [s.code for s in folder.states]
        raise UnknownReference(f"The store has no state {code}.", states=codes)
    return target


def put_in(draft: Draft, target: OrderState) -> Change:
    """Write down that the order is in a state now; the caller has checked that it may be."""
    folder = draft.before
    stopped = ("CANCEL_REQUESTED", "SUSPENDED")
    before = folder.order.system_state
    declined = before == "CANCEL_REQUESTED" != target.system_state
    if target.system_state in stopped and target.system_state != before and not declined:
        draft.set_order(previous_state=folder.order.state)
    draft.go_to(target)
    if declined:
        draft.fact("order.cancel_declined")
    elif target.system_state == "COMPLETED":
        draft.fact("order.completed")
    elif target.system_state == "CANCEL_REQUESTED" != before:
        draft.fact("order.cancel_requested")
    return draft.change(folder.order)


def check_state(folder: Folder, target: OrderState) -> None:
    """Say why the order may not go to a state; the portal shows the sentence beside it.

    First what the store wants to come next, then the life cycle: the one never widens the other.
    """
    if folder.running_cancellation is not None:
        raise RequestInProgress("A cancellation is running.")
    wanted = folder.state.next
    if wanted is not None and target.code not in wanted:
        names = [state.name for state in folder.states if state.code in wanted]
        raise TransitionNotAllowed(
            f"From {folder.state.name} it may go to {', '.join(names) or 'no other state'}.",
            allowed=list(wanted),
        )
    check_life(folder, target)


def check_life(folder: Folder, target: OrderState) -> None:
    """Say why the life of the order does not allow a state now, whatever the set-up wants."""
    order = folder.order
    if folder.running_cancellation is not None:
        raise RequestInProgress("A cancellation is running.")
    same = target.system_state == order.system_state
    if same and order.system_state not in ("COMPLETED", "CANCELED"):
        return
    if target.system_state == "CANCELED":
        raise TransitionNotAllowed("Cancelling moves money: use cancel.", allowed=[])
    if order.system_state == "CANCEL_REQUESTED":
        _check_decline(folder, target)
        return
    if order.system_state == "COMPLETED":
        raise TransitionNotAllowed("A completed order can only be cancelled.", allowed=[])
    _check_edge(folder, target)
    if order.system_state == "NEW" and target.system_state == "SUSPENDED":
        raise TransitionNotAllowed("Only an order in work or in doubt can be suspended.")
    if order.system_state in ("FRAUD", "SUSPENDED") and target.system_state in (
        "NEW",
        "PROCESSING",
    ):
        _check_release(folder, target)
    if target.system_state in ("COMPLETED", "PROCESSING"):
        _check_holds(folder)
    if target.system_state == "COMPLETED" and not Units.of(list(folder.items)).all_shipped:
        raise TransitionNotAllowed("Not every item has been shipped.")


def _check_edge(folder: Folder, target: OrderState) -> None:
    """Ask the life cycle; those who are refused read the names of states, not the life cycle's."""
    try:
        ORDER.check(folder.order.system_state, target.system_state)
    except TransitionNotAllowed as why:
        allowed = why.facts["allowed"]
        names = [state.name for state in folder.states if state.system_state in allowed]
        raise TransitionNotAllowed(
            f"From {folder.state.name} it may go to {', '.join(names) or 'no other state'}.",
            allowed=allowed,
        ) from why


def goes_back_to(folder: Folder) -> OrderState:
    """Tell where an order goes whose cancellation is declined: where it was.

    Where that state is no more, to work: anew, where neither money nor goods have moved.
    """
    order = folder.order
    before = next((one for one in folder.states if one.code == order.previous_state), None)
    if before is not None:
        return before
    begun = order.captured > 0 or order.shipped_count > 0
    return built_in("processing" if begun else "new", folder.store.code)


def _check_decline(folder: Folder, target: OrderState) -> None:
    """Let it go back to where it was, whatever that was; the machine has it as a jump or an edge.

    Where that state is no more, to work. [domain.md §2, rulings 37]
    """
    back = folder.order.previous_state
    known = any(state.code == back for state in folder.states)
    allowed = [back] if known else ["new", "processing"]
    if target.code not in allowed:
        raise TransitionNotAllowed(
            "Declining the cancellation puts the order back where it was.", allowed=allowed
        )


def _check_release(folder: Folder, target: OrderState) -> None:
    if folder.order.fraud_status not in _CLEARED:
        raise TransitionNotAllowed("The fraud review has not passed.")
    begun = folder.order.captured > 0 or folder.order.shipped_count > 0
    if begun and target.system_state == "NEW":
        raise TransitionNotAllowed("Money or goods have moved: it goes on as Processing.")


def _check_holds(folder: Folder) -> None:
    handles = [hold.handle for hold in folder.open_holds]
    if handles:
        raise OrderOnHold(f"Held by: {', '.join(handles)}.", holds=handles)
