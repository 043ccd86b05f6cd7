"""Fraud reviews in words: how long one waits, what passing and failing would do."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from counterfoil.actions.complete import all_left
from counterfoil.actions.decide_review import goes_back_to, is_held
from counterfoil.book.reviews import QueuedReview
from counterfoil.order.folder import Folder
from counterfoil.order.review import HANDLE
from counterfoil.order.shapes import FraudReviewShape, OrderShape
from counterfoil.portal import words
from counterfoil.portal.figures import ago, money
from counterfoil.portal.forms import Form
from counterfoil.portal.story import who

LATE = ((timedelta(days=3), "danger"), (timedelta(days=1), "warning"))


class ReviewRow(NamedTuple):
    """A review in the queue, with the words of its cells."""

    review: QueuedReview
    customer: str
    country: str
    tone: str
    waiting: str
    put_off: words.Word | None
    assignee: str
    mine: bool
    decided: words.Word | None
    decided_by: str
    form: Form


class ReviewView(NamedTuple):
    """An order's review on its page. `moot` says why nobody has to decide any more."""

    review: FraudReviewShape
    word: words.Word
    waits: bool
    moot: str
    put_off: bool
    assignee: str
    mine: bool
    decided_by: str


def review_row(review: QueuedReview, now: datetime, actor_id: str) -> ReviewRow:
    """Put a review into the words of its row."""
    known = review.customer
    name = " ".join(str(known[key]) for key in ("first_name", "last_name") if known.get(key))
    decided = None if review.resolved_at is None else words.look("review", review.status)
    tone = next((tone for age, tone in LATE if now - review.opened_at >= age), "")
    return ReviewRow(
        review=review,
        customer=name or str(known.get("email") or "No name"),
        country=str((review.shipping_address or {}).get("country") or ""),
        tone="" if decided else tone,
        put_off=words.look("review", review.status) if review.status == "ON_HOLD" else None,
        waiting=ago(review.opened_at, now),
        assignee=who(review.assignee) if review.assignee else "",
        mine=bool(review.assignee and review.assignee.get("id") == actor_id),
        decided=decided,
        decided_by=who(review.decided_by) if review.decided_by else "",
        form=Form(),
    )


def review_view(order: OrderShape, actor_id: str) -> ReviewView | None:
    """Put an order's review into words."""
    review = order.fraud_review
    if review is None:
        return None
    waits = "in_review" in order.attention
    moot = "" if waits or review.resolved_at else f"The order was {_ended(order)}"
    return ReviewView(
        review=review,
        word=words.MOOT if moot else words.look("review", review.status),
        waits=waits,
        moot=moot,
        put_off=review.status == "ON_HOLD",
        assignee=who(review.assignee) if review.assignee else "",
        mine=bool(review.assignee and review.assignee.get("id") == actor_id),
        decided_by=who(review.decided_by) if review.decided_by else "",
    )


def _ended(order: OrderShape) -> str:
    return "cancelled" if order.state.system_state == "CANCELED" else "completed"


def say_pass(folder: Folder) -> tuple[str, ...]:
    """Say what passing does: to the hold, to the state, and to the money."""
    review = folder.review
    assert review is not None
    lines = []
    others = [hold for hold in folder.open_holds if hold.handle != HANDLE]
    if is_held(folder, review) and all_left(folder.items) and not others:
        lines.append("The order is completed: all of its goods have left.")
    elif is_held(folder, review):
        target = goes_back_to(folder, review)
        name = next((s.name for s in folder.states if s.code == target.code), target.name)
        lines.append(f"The order goes back to {name}.")
    else:
        lines.append(f"The order stays {folder.state.name}.")
    lines.append("Its hold is released." if not others else _others(others))
    order = folder.order
    kept = f" {money(order.open, order.currency)} can be captured then." if order.open else ""
    lines.append("No money moves." + kept)
    return tuple(lines)


def _others(holds: Sequence[object]) -> str:
    one = len(holds) == 1
    return f"Its hold is released; {'another hold stays' if one else 'other holds stay'}."


def say_fail(folder: Folder) -> tuple[str, ...]:
    """Say what failing does beside the steps of the cancellation."""
    return (
        "The order is cancelled for fraud; no e-mail is sent.",
        *(
            ("What was refunded before stays refunded; nothing is given back twice.",)
            if folder.order.refunded
            else ()
        ),
    )
