"""A refund that waits for a second person: its doors, and why one of them is closed. [R-7]"""

from datetime import datetime

import msgspec

from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.refund import Refund
from counterfoil.order.refund_plan import needs_approval
from counterfoil.portal.figures import money
from counterfoil.portal.words import REASONS

OWN = "You asked for this refund yourself: somebody else has to approve it."

CLOSED = "Its payment waits for a decision first."


def why_not_approve(promise: Refund, actor: Actor) -> str:
    """Say why this person cannot approve it; empty where they can."""
    if promise.asked_by(actor):
        return OWN
    if needs_approval(actor, promise.amount, promise.currency):
        limit = money(actor.limit("refund", promise.currency) or 0, promise.currency)
        return (
            f"It is more than the {limit} that you may give back alone: somebody with a higher"
            " limit has to approve it."
        )
    return ""


def why_waits(folder: Folder, promise: Refund, actor: Actor) -> str:
    """Say why it is not approved here and now: its payment is closed, or this person cannot."""
    closed = {payment.id for payment in folder.payments if payment.attention}
    if any(part.payment_id in closed for part in promise.plan):
        return CLOSED
    return why_not_approve(promise, actor)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A refund on the page of those that wait; `why` closes its approval."""

    id: str
    order_id: str
    order_number: str
    reference: str
    amount: int
    currency: str
    asker: str
    why_asked: str
    created_at: datetime
    why: str = ""
    status: str = "AWAITING_APPROVAL"


def reason_of(promise: Refund) -> str:
    """Why the money goes back, as a person put it."""
    known = REASONS.get(promise.reason_code, promise.reason_code)
    return f"{known}: {promise.reason}" if promise.reason else known
