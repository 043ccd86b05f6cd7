"""Have somebody look at an order before it goes on: open a fraud review, take it, put it off."""

import msgspec

from counterfoil.actions.hold import BLOCKS, flag_holds
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import PermissionDenied
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.hold import Hold
from counterfoil.order.intent import Asked
from counterfoil.order.life import FRAUD_REVIEW
from counterfoil.order.opening import opens
from counterfoil.order.problems import InvalidState
from counterfoil.order.review import HANDLE, OPENERS, FraudReview
from counterfoil.order.telling import TOLD

#: Any one of these is enough to send an order to review.
SENDERS = ("reviews.decide", "orders.holds")
REVIEWED = ("NEW", "PROCESSING", "FRAUD", "SUSPENDED")
_STOPPED = ("NEW", "PROCESSING")


@opens(*TOLD)
def send_to_review(folder: Folder, *, asked: Asked, note: str | None = None) -> Change:
    """Send an order that is here already to review; it is held until somebody has decided.

    Raises, in this order: PermissionDenied, InvalidState (it waits for one already, or is
    finished, cancelled or about to be).
    """
    actor = asked.actor
    if not any(actor.can(right) for right in SENDERS):
        raise PermissionDenied(
            f"You lack the right {' or '.join(SENDERS)}.", permission=SENDERS[0]
        )
    actor.require_whole_order()
    reviewable(folder)
    draft = Draft(folder, actor)
    open_review(draft, "by_hand", OPENERS["by_hand"], note=note)
    return draft.change(folder.order)


def reviewable(folder: Folder) -> None:
    """Say why an order cannot be sent to review, if it cannot."""
    order = folder.order
    if folder.review is not None and folder.review.waits:
        raise InvalidState("The order waits for a review already.", status=order.fraud_status)
    if order.system_state not in REVIEWED:
        raise InvalidState(f"The order is {folder.state.name}.", state=order.state)


def open_review(draft: Draft, rule: str, explanation: str, *, note: str | None = None) -> None:
    """Put the order under review: blocked, and suspended where work was going on. [N-24, N-25]"""
    assert rule in OPENERS, rule
    back_to = draft.order.state if draft.order.system_state in _STOPPED else None
    review = FraudReview(
        id=new_id(),
        order_id=draft.order.id,
        rule=rule,
        explanation=explanation,
        back_to=back_to,
        opened_by=draft.actor.told(),
        opened_at=draft.at,
        note=note,
    )
    draft.add(review)
    draft.set_order(fraud_status=review.status)
    draft.fact("fraud.review_opened", review)
    if all(held.handle != HANDLE or held.released_at for held in draft.section("holds")):
        draft.add(
            Hold(
                id=new_id(),
                order_id=draft.order.id,
                handle=HANDLE,
                reason_code="HIGH_RISK_OF_FRAUD",
                blocks=list(BLOCKS),
                placed_by=draft.actor.told(),
                placed_at=draft.at,
                note=note,
            )
        )
    flag_holds(draft)
    if back_to is not None:
        draft.set_order(previous_state=back_to)
        draft.go_to_built_in("suspended")


@opens(*TOLD)
def take_review(folder: Folder, *, asked: Asked) -> Change:
    """Say that one looks at a review; whoever had it has it no more.

    Raises, in this order: PermissionDenied, InvalidState (no review waits).
    """
    return _assign(folder, asked, back=False)


@opens(*TOLD)
def give_review_back(folder: Folder, *, asked: Asked) -> Change:
    """Let others look at a review. Raises as `take_review` does."""
    return _assign(folder, asked, back=True)


def _assign(folder: Folder, asked: Asked, *, back: bool) -> Change:
    asked.actor.require("reviews.decide")
    asked.actor.require_whole_order()
    review = waiting_review(folder)
    now = None if back else asked.actor.told()
    if review.assignee == now:
        return Change.none(folder, folder.order)
    draft = Draft(folder, asked.actor)
    taken: FraudReview = msgspec.structs.replace(review, assignee=now)
    draft.put(taken)
    draft.fact("fraud.review_assigned", taken)
    return draft.change(folder.order)


@opens(*TOLD)
def put_review_off(folder: Folder, *, asked: Asked, note: str | None = None) -> Change:
    """Let a review wait: whoever screens the order needs more time, or an answer from somebody.

    The order stays held. Raises, in this order: PermissionDenied, InvalidState (no review waits).
    [domain.md §8]
    """
    return _stand(folder, asked, "ON_HOLD", note)


@opens(*TOLD)
def take_review_up(folder: Folder, *, asked: Asked, note: str | None = None) -> Change:
    """Look at a review again that was put off. Raises as `put_review_off` does."""
    return _stand(folder, asked, "PENDING", note)


def _stand(folder: Folder, asked: Asked, status: str, note: str | None) -> Change:
    asked.actor.require("reviews.decide")
    asked.actor.require_whole_order()
    review = waiting_review(folder)
    if review.status == status:
        return Change.none(folder, folder.order)
    draft = Draft(folder, asked.actor)
    now: FraudReview = msgspec.structs.replace(
        review, status=FRAUD_REVIEW.check(review.status, status), note=note or review.note
    )
    draft.put(now)
    draft.set_order(fraud_status=status)
    draft.fact("fraud.review_put_off" if status == "ON_HOLD" else "fraud.review_taken_up", now)
    return draft.change(folder.order)


def waiting_review(folder: Folder) -> FraudReview:
    """Find the review that waits. Raises InvalidState, which tells what became of the last one."""
    review = folder.review
    if review is None:
        raise InvalidState("The order is not under review.", status=folder.order.fraud_status)
    if not review.waits:
        decided = "passed" if review.status == "PASSED" else "failed"
        by = (review.decided_by or {}).get("name") or "Somebody"
        raise InvalidState(f"{by} {decided} the review already.", status=review.status)
    return review
