"""Decide about a refund that waits: for a second person, or for its payment. [faults R-7]"""

import msgspec

from counterfoil.actions.refund import (
    REFUND_APPROVAL,
    REFUND_WAITING,
    begin_refund,
    call_to_missing,
    merchant_of,
    move_units,
)
from counterfoil.kernel.problem import NotFound, PermissionDenied
from counterfoil.order.actor import Actor
from counterfoil.order.allowed import require_bag
from counterfoil.order.attention import finish_tasks
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.moves import let_go
from counterfoil.order.opening import opens
from counterfoil.order.problems import AttentionRequired, InvalidState
from counterfoil.order.refund import Refund
from counterfoil.order.refund_plan import needs_approval

_NEEDS = ("bags", "items", "payments", "gateways", "refunds", "transactions", "tasks")


@opens(*_NEEDS)
def approve_refund(
    folder: Folder, *, asked: Asked, refund_id: str, note: str | None = None
) -> Change:
    """Agree to a refund: its movements are made, and settled like those of any refund.

    It is judged again as if it were asked for now. Raises, in this order: PermissionDenied,
    MerchantLimited, NotFound, InvalidState (not waiting, the bag is cancelled), PermissionDenied
    (one's own refund, above one's own limit), AttentionRequired. [rulings 21, 33, 41]
    """
    promise = _waiting(folder, asked.actor, refund_id)
    bag = next((b for b in folder.bags if b.id == promise.bag_id), None)
    if bag is not None and len(folder.bags) > 1 and bag.status in ("IN_PROGRESS", "CANCELED"):
        raise InvalidState(f"The bag is {bag.status}.", status=bag.status)
    if promise.asked_by(asked.actor):
        raise PermissionDenied(
            "You asked for this refund yourself: somebody else has to approve it.",
            permission="payments.approve",
        )
    if needs_approval(asked.actor, promise.amount, promise.currency):
        limit = asked.actor.limit("refund", promise.currency)
        raise PermissionDenied(
            f"You may refund up to {limit} alone, and this is {promise.amount}: somebody with a"
            " higher limit has to approve it.",
            permission="payments.approve",
            limit=limit,
            amount=promise.amount,
        )
    planned = {part.payment_id for part in promise.plan}
    for payment in folder.payments:
        if payment.id in planned and payment.attention:
            raise AttentionRequired(attention=payment.attention)
    draft = Draft(folder, asked.actor)
    approved = msgspec.structs.replace(
        promise,
        status="PROCESSING",
        approved_by=asked.actor.told(),
        decided_at=draft.at,
        decision_note=note,
        updated_at=draft.at,
    )
    draft.put(approved)
    draft.fact("refund.approved", approved, merchant=merchant_of(folder, promise.bag_id))
    _nobody_needed(draft, approved)
    begin_refund(draft, approved, asked, was_set_aside=True)
    return draft.change(approved)


@opens(*_NEEDS)
def reject_refund(folder: Folder, *, asked: Asked, refund_id: str, note: str) -> Change:
    """Refuse a refund: what was set aside for it is free again.

    Whoever asked for it may withdraw it so, too. Raises, in this order: PermissionDenied,
    MerchantLimited, NotFound, InvalidState. [rulings 33, 41]
    """
    promise = _waiting(folder, asked.actor, refund_id)
    draft = Draft(folder, asked.actor)
    rejected, missing = _free(draft, msgspec.structs.replace(promise, decision_note=note))
    call_to_missing(draft, rejected, missing)
    draft.fact("refund.rejected", rejected, merchant=merchant_of(folder, promise.bag_id))
    return draft.change(rejected)


def withdraw_waiting(draft: Draft, bag_id: str | None = None) -> None:
    """Withdraw refunds that wait for approval, of a bag or all: a cancellation gives it back."""
    what = "order" if bag_id is None else "bag"
    for promise in draft.section("refunds"):
        if promise.waits_for_approval and bag_id in (None, promise.bag_id):
            withdrawn, _ = _free(draft, promise)
            draft.fact(
                "refund.failed",
                withdrawn,
                merchant=merchant_of(draft.before, promise.bag_id),
                error_code="withdrawn",
                error_message=f"The {what} was cancelled before anybody had approved it.",
                amount=promise.amount,
            )


def send_waiting(draft: Draft) -> None:
    """Send what waited for nothing but a payment that a person has seen to by now.

    The worker sends it. Needs bags, items, payments, gateways, refunds and tasks opened.
    [rulings 26, 34]
    """
    for task in draft.section("tasks"):
        if task.kind != REFUND_WAITING or task.status != "OPEN":
            continue
        promise = draft.get("refunds", task.refund_id)
        planned = [draft.get("payments", part.payment_id) for part in promise.plan]
        if not promise.waits_for_approval or any(payment.attention for payment in planned):
            continue
        sent = msgspec.structs.replace(promise, status="PROCESSING", updated_at=draft.at)
        draft.put(sent)
        draft.fact("refund.resumed", sent, merchant=merchant_of(draft.before, sent.bag_id))
        _nobody_needed(draft, sent)
        asked = Asked(actor=draft.actor, source="system")
        begin_refund(draft, sent, asked, was_set_aside=True)


def _waiting(folder: Folder, actor: Actor, refund_id: str) -> Refund:
    """Find a refund that waits and that the actor may decide about."""
    actor.require("payments.approve")
    promise = next((refund for refund in folder.refunds if refund.id == refund_id), None)
    if actor.merchants is not None:
        if promise is None or promise.bag_id is None:
            actor.require_whole_order()
        else:
            require_bag(folder, promise.bag_id, actor)
    if promise is None:
        raise NotFound("The order has no such refund.")
    if not promise.waits_for_approval:
        raise InvalidState(
            f"The refund is {promise.status}: there is nothing to decide.", status=promise.status
        )
    return promise


def _free(draft: Draft, promise: Refund) -> tuple[Refund, int]:
    """Cancel a refund that waits, and give back what was set aside.

    With it comes what is missing now for units that were cancelled meanwhile.
    """
    let_go(draft, promise)
    missing = move_units(draft, promise, -1)
    new = msgspec.structs.replace(
        promise, status="CANCELED", decided_at=draft.at, updated_at=draft.at
    )
    draft.put(new)
    _nobody_needed(draft, new)
    return new, missing


def _nobody_needed(draft: Draft, promise: Refund) -> None:
    for kind in (REFUND_APPROVAL, REFUND_WAITING):
        finish_tasks(draft, kind, lambda task: task.refund_id == promise.id)
