"""Decide a fraud review: the order goes on, or it is cancelled and its money goes back."""

import msgspec

from counterfoil.actions.cancel import WantedCancel, begin_cancellation, cancel, cancelable
from counterfoil.actions.complete import complete
from counterfoil.actions.hold import let_go
from counterfoil.actions.review import waiting_review
from counterfoil.order.change import Change
from counterfoil.order.config import OrderState
from counterfoil.order.draft import Draft, built_in
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.life import FRAUD_REVIEW
from counterfoil.order.opening import needs_of, opens
from counterfoil.order.review import HANDLE, FraudReview
from counterfoil.order.telling import TOLD

_GOES_ON = ("NEW", "PROCESSING")


@opens(*TOLD, "states")
def pass_review(folder: Folder, *, asked: Asked, note: str | None = None) -> Change:
    """Let the order go on: its hold is released, and it goes back to where it was taken from.

    It is left where it is where somebody has put it elsewhere meanwhile, and completed where all
    of its goods have left. Raises, in this order: PermissionDenied, InvalidState (no review
    waits). [N-27, U-6, domain.md §8]
    """
    draft, review = _decided(folder, asked, "PASSED", note)
    draft.fact("fraud.passed", review)
    _release_hold(draft)
    if is_held(folder, review):
        draft.go_to(goes_back_to(folder, review))
        complete(draft)
    return draft.change(folder.order)


@opens(*(needs_of(cancel) | set(TOLD)))
def fail_review(folder: Folder, *, asked: Asked, note: str | None = None) -> Change:
    """Cancel the order for fraud, without writing to the customer; what was given back stays so.

    The hold ends with the order's life. One that is cancelled already is only marked. Raises, in
    this order: PermissionDenied, InvalidState (no review waits), and what `cancel` raises.
    [N-28, domain.md §8]
    """
    draft, review = _decided(folder, asked, "FAILED", note)
    draft.fact("fraud.failed", review)
    _release_hold(draft)
    if folder.order.system_state == "CANCELED":
        return draft.change(folder.order)
    cancelable(folder, asked)
    return draft.change(begin_cancellation(draft, cancellation_for(note), asked))


def cancellation_for(note: str | None) -> WantedCancel:
    """Say how an order is cancelled whose review failed."""
    return WantedCancel(reason=note, reason_code="FRAUD", notify_customer=False)


def _decided(
    folder: Folder, asked: Asked, status: str, note: str | None
) -> tuple[Draft, FraudReview]:
    actor = asked.actor
    actor.require("reviews.decide")
    actor.require_whole_order()
    review = waiting_review(folder)
    draft = Draft(folder, actor)
    decided: FraudReview = msgspec.structs.replace(
        review,
        status=FRAUD_REVIEW.check(review.status, status),
        resolved_at=draft.at,
        decided_by=actor.told(),
        note=note or review.note,
    )
    draft.put(decided)
    draft.set_order(fraud_status=status)
    return draft, decided


def _release_hold(draft: Draft) -> None:
    for held in draft.section("holds"):
        if held.handle == HANDLE and held.released_at is None:
            let_go(draft, held)


def is_held(folder: Folder, review: FraudReview) -> bool:
    """Tell whether the order is still where the review has put it.

    Or where all orders of that state were moved to. A cancellation that was asked for and declined
    has brought it back there.
    """
    order = folder.order
    return (
        review.back_to is not None
        and order.state == review.held_in
        and order.previous_state in (review.back_to, review.held_in)
    )


def goes_back_to(folder: Folder, review: FraudReview) -> OrderState:
    """Tell where a held order goes when its review passes.

    To where it was; to Processing where money or goods have moved since, and where that state is
    no more. [domain.md §2]
    """
    begun = folder.order.captured > 0 or folder.order.shipped_count > 0
    before = next((state for state in folder.states if state.code == review.back_to), None)
    open_again = ("PROCESSING",) if begun else _GOES_ON
    if before is not None and before.system_state in open_again:
        return before
    code = "processing" if begun or before is None else "new"
    return built_in(code, folder.store.code)
