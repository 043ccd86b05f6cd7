"""Keep an order from being captured, shipped or both."""

from datetime import datetime

import msgspec

from counterfoil.actions.complete import complete
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound, ValidationFailed
from counterfoil.kernel.shape import check_name
from counterfoil.order.change import Change, Lease
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.hold import AWAITING_PAYMENT, REASON_CODES, Hold
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens
from counterfoil.order.problems import HoldHandleTaken, InvalidState
from counterfoil.order.review import HANDLE
from counterfoil.order.telling import TOLD

BLOCKS = ("capture", "shipment")
OPEN_MAX = 50
#: Handles of holds that are placed and released by what they wait for.
_KEPT = {
    HANDLE: "is the handle of reviews: send the order to review.",
    AWAITING_PAYMENT: "is the handle of the hold that ends with the payment: choose another one.",
}


class WantedHold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold as it is asked for."""

    handle: str
    reason_code: str = "OTHER"
    note: str | None = None
    owner: str | None = None
    blocks: tuple[str, ...] = BLOCKS
    due_at: datetime | None = None
    auto_release_at: datetime | None = None


@opens(*TOLD)
def hold(folder: Folder, *, asked: Asked, wanted: WantedHold) -> Change:
    """Place a hold. It never changes the state.

    Raises, in this order: PermissionDenied, InvalidState (the order is cancelled),
    ValidationFailed (it blocks nothing, or what is not known; a reason that is none; a handle that
    we keep for ourselves; an owner that is no name; it would end before it began),
    HoldHandleTaken. [rulings 37, 45]
    """
    asked.actor.require("orders.holds")
    asked.actor.require_whole_order()
    may_be_held(folder)
    _check(folder, wanted)
    if any(held.handle == wanted.handle for held in folder.open_holds):
        raise HoldHandleTaken(handle=wanted.handle)
    draft = Draft(folder, asked.actor)
    placed = Hold(
        id=new_id(),
        order_id=folder.order.id,
        handle=wanted.handle,
        reason_code=wanted.reason_code,
        note=wanted.note,
        owner=wanted.owner,
        blocks=[what for what in BLOCKS if what in wanted.blocks],
        placed_by=asked.actor.told(),
        placed_at=draft.at,
        answer_by=wanted.due_at,
        auto_release_at=wanted.auto_release_at,
        due_at=wanted.auto_release_at,
    )
    draft.add(placed)
    flag_holds(draft)
    draft.fact("order.held", placed)
    return draft.change(placed)


def may_be_held(folder: Folder) -> None:
    """Say why an order cannot be held, if it cannot."""
    if folder.order.system_state == "CANCELED":
        raise InvalidState(f"The order is {folder.state.name}.", state=folder.order.state)
    if len(folder.open_holds) >= OPEN_MAX:
        raise InvalidState(f"The order has {OPEN_MAX} open holds; release one first.")


def _check(folder: Folder, wanted: WantedHold) -> None:
    if not wanted.blocks or not set(wanted.blocks) <= set(BLOCKS):
        raise _wrong("/blocks", "A hold blocks capture, shipment or both.")
    if wanted.reason_code not in REASON_CODES:
        raise _wrong("/reason_code", f"A reason is one of {', '.join(REASON_CODES)}.")
    if wanted.handle in _KEPT:
        raise _wrong("/handle", f"{wanted.handle} {_KEPT[wanted.handle]}")
    if wanted.owner is not None:
        check_name(wanted.owner, "/owner")
    if wanted.auto_release_at is not None and wanted.auto_release_at <= folder.at:
        raise _wrong("/auto_release_at", "A hold is released by itself after it was placed.")


def _wrong(pointer: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, errors=[{"pointer": pointer, "detail": detail}])


@opens(*TOLD)
def release(folder: Folder, *, asked: Asked, handle: str) -> Change:
    """Release one hold; work resumes when none is left, and ends where everything has left.

    That of a review takes the right to decide reviews, and leaves the review itself undecided.
    Raises, in this order: PermissionDenied, NotFound.
    """
    asked.actor.require(right_to_release(handle))
    asked.actor.require_whole_order()
    found = next((held for held in folder.open_holds if held.handle == handle), None)
    if found is None:
        raise NotFound("The order has no open hold with that handle.")
    draft = Draft(folder, asked.actor)
    let_go(draft, found)
    complete(draft)
    return draft.change(found)


def right_to_release(handle: str) -> str:
    """Tell which right it takes to release a hold."""
    return "reviews.decide" if handle == HANDLE else "orders.holds"


@opens("bags", "holds", "items")
def release_by_itself(folder: Folder, *, asked: Asked, hold_id: str, lease: str) -> Change:
    """Release a hold whose time has come. Nothing to write where somebody was first."""
    found = next((held for held in folder.open_holds if held.id == hold_id), None)
    if found is None or found.auto_release_at is None or found.auto_release_at > folder.at:
        return Change.none(folder, found)
    draft = Draft(folder, asked.actor)
    draft.lease = Lease("holds", found.id, lease)
    let_go(draft, found, by_itself=True)
    complete(draft)
    return draft.change(found)


def let_go(draft: Draft, held: Hold, *, by_itself: bool = False) -> None:
    """Release a hold, with its fact."""
    now = msgspec.structs.replace(
        held, released_by=draft.actor.told(), released_at=draft.at, due_at=None
    )
    draft.put(now)
    flag_holds(draft)
    draft.fact("order.released", now, by_itself=by_itself)


def flag_holds(draft: Draft) -> None:
    """Write on the order what its open holds block together."""
    blocks = {
        what for held in draft.section("holds") if held.released_at is None for what in held.blocks
    }
    draft.set_order(hold_capture="capture" in blocks, hold_shipment="shipment" in blocks)


def hold_until_paid(draft: Draft) -> None:
    """Keep the goods here while something is due; nothing to do where they are kept for it already.

    [rulings 34]
    """
    held = next((one for one in draft.section("holds")
                 if one.handle == AWAITING_PAYMENT and one.released_at is None), None)
    if draft.due <= 0 or (held is not None and "shipment" in held.blocks):
        return
    if held is not None:
        # Somebody placed it by hand, when that could be done, and let the goods leave.
        draft.put(msgspec.structs.replace(held, blocks=list(BLOCKS)))
        flag_holds(draft)
        return
    placed = Hold(
        id=new_id(),
        order_id=draft.order.id,
        handle=AWAITING_PAYMENT,
        reason_code="AWAITING_PAYMENT",
        blocks=["shipment"],
        placed_by=draft.actor.told(),
        placed_at=draft.at,
    )
    draft.add(placed)
    flag_holds(draft)
    draft.fact("order.held", placed)


def release_if_paid(draft: Draft) -> None:
    """Let the goods go when nothing is due any more, where that alone kept them.

    Needs bags and holds opened. [rulings 34]
    """
    if not draft.order.hold_shipment:
        return
    waiting = next((one for one in draft.section("holds")
                    if one.handle == AWAITING_PAYMENT and one.released_at is None), None)
    if waiting is not None and draft.due == 0:
        let_go(draft, waiting, by_itself=True)
