"""Cancel an order: release what is open, give back what was taken, keep what has not left."""

import msgspec

from counterfoil.actions.cancel_part import (
    advance_part,
    begin_part,
    check_part,
    fail_part,
    settled,
)
from counterfoil.actions.decide_refund import withdraw_waiting
from counterfoil.actions.refund import CANCELLATION_FAILED
from counterfoil.actions.send_back import (
    give_back,
    new_plan,
    part_of,
    promised_by,
    release,
)
from counterfoil.order.allowed import CANCELABLE, may_cancel
from counterfoil.order.attention import finish_tasks
from counterfoil.order.canceling import Part, reckon_part
from counterfoil.order.canceling_again import reckon_again, with_again
from counterfoil.order.cancellation import Cancellation
from counterfoil.order.cancellation import WantedCancel as WantedCancel
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import cancel_goods
from counterfoil.order.intent import Asked
from counterfoil.order.letters import queue_letter
from counterfoil.order.moves import allocate
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.problems import (
    ApprovalRequired,
    AttentionRequired,
    InvalidState,
    RequestInProgress,
)
from counterfoil.order.refund_plan import needs_approval
from counterfoil.order.transaction import UNSETTLED


@opens(
    "bags",
    "items",
    "payments",
    "gateways",
    "refunds",
    "transactions",
    "cancellations",
    "shipments",
    "holds",
    "notes",
    "returns",
    "fraud_reviews",
    "merchants",
    "tasks",
)
def cancel(folder: Folder, *, asked: Asked, wanted: WantedCancel) -> Change:
    """Cancel an order, a bag or some units, as one plan; each step at a provider settles alone.

    Until the last step of the whole is settled the order is CANCEL_REQUESTED. A refund that waits
    for approval is withdrawn first: what it would give back goes back with the rest. A part's units
    are cancelled at once and the order's state stays; a part with the last live units is the whole.
    A part whose money did not all go back is tried again by its name, a whole bag by its own.
    Raises, in this order: PermissionDenied, MerchantLimited (the whole), RequestInProgress,
    InvalidState (cancelled already, goods have left, nothing is left to give back), NotFound (the
    bag, the cancellation to try again), UnknownReference,
    AmountInvalid, AttentionRequired, ApprovalRequired (more goes back than the actor may give back
    alone). [U-31…U-33, faults R-7, X-1, rulings 26, 27, 42]
    """
    actor = asked.actor
    actor.require("orders.cancel")
    part = None
    if wanted.whole:
        actor.require_whole_order()
    else:
        part = partly_cancelable(folder, asked, wanted)
    if part is None or part.ends_order:
        cancelable(folder, asked)
    draft = Draft(folder, actor)
    if part is None or part.ends_order:
        return draft.change(begin_cancellation(draft, wanted, asked))
    return draft.change(begin_part(draft, part, wanted, asked))


def partly_cancelable(folder: Folder, asked: Asked, wanted: WantedCancel) -> Part:
    """Reckon the cancellation of a bag or lines, or say why it cannot be.

    Or what trying one again gives back. What ends the order is judged as the whole is. Raises as
    `cancel` does.
    """
    _refuse_beside(folder)
    order, wanted = folder.order, with_again(wanted, folder)
    if wanted.again is not None:
        part = reckon_again(folder, wanted, asked.actor)
        check_part(folder, part, asked)
        return part
    if order.system_state not in CANCELABLE:
        raise InvalidState(f"The order is {folder.state.name}.", state=order.state)
    part = reckon_part(folder, wanted, asked.actor)
    if not part.ends_order:
        check_part(folder, part, asked)
    return part


def begin_cancellation(draft: Draft, wanted: WantedCancel, asked: Asked) -> Cancellation:
    """Make the plan and take its first steps; that it may begin was asked by the caller."""
    plan = new_plan(draft, wanted, asked)
    draft.add(plan)
    if draft.order.system_state != "CANCEL_REQUESTED":
        draft.set_order(previous_state=draft.order.state)
    draft.fact("order.cancel_requested", plan)
    withdraw_waiting(draft)
    advance_cancellation(draft, plan, asked)
    return plan


def cancelable(folder: Folder, asked: Asked) -> None:
    """Say why an order cannot be cancelled, if it cannot."""
    order = folder.order
    _refuse_beside(folder)
    if not may_cancel(order, asked.actor):
        if order.system_state != "CANCELED" and order.shipped_count:
            raise InvalidState("Goods have left. Record a return or refund them instead.")
        raise InvalidState(f"The order is {folder.state.name}.", state=order.state)
    for payment in folder.payments:
        if payment.attention and (payment.open > 0 or payment.refundable > 0):
            raise AttentionRequired(attention=payment.attention)
    waiting = sum(refund.amount for refund in folder.refunds if refund.waits_for_approval)
    back = sum(payment.refundable for payment in folder.payments) + waiting
    if needs_approval(asked.actor, back, order.currency):
        limit = asked.actor.limit("refund", order.currency)
        raise ApprovalRequired(
            f"Cancelling gives back {back}, and you may refund up to {limit} alone. Ask for the"
            " refund, or let somebody with a higher limit cancel.",
            amount=back,
            limit=limit,
        )


def _refuse_beside(folder: Folder) -> None:
    running = folder.running_cancellation
    if running is not None:
        raise RequestInProgress(
            "A cancellation is running.",
            cancellation_id=running.id,
            headers={"Retry-After": "5"},
        )


def advance_cancellation(draft: Draft, plan: Cancellation, asked: Asked) -> None:
    """Take every step that can be taken now; finish when nothing is left or on its way."""
    if not plan.whole:
        advance_part(draft, plan, asked)
        return
    for payment in draft.section("payments"):
        _release_open(draft, payment, plan, asked)
        _give_back(draft, draft.get("payments", payment.id), plan, asked)
    waiting = any(t.status in UNSETTLED for t in draft.section("transactions"))
    if waiting:
        if draft.order.system_state != "CANCEL_REQUESTED":
            draft.go_to_built_in("cancel_requested")
    else:
        finish_cancellation(draft, plan)


def _release_open(draft: Draft, payment: Payment, plan: Cancellation, asked: Asked) -> None:
    if payment.open > 0:
        bags = [bag for bag in draft.section("bags") if bag.open > 0]
        shares = allocate(payment.open, bags, "open")
        release(draft, payment, shares, _under_the_plan(asked), cancellation_id=plan.id)


def _give_back(draft: Draft, payment: Payment, plan: Cancellation, asked: Asked) -> None:
    if payment.refundable > 0:
        parts = [part_of(draft, payment, payment.refundable)]
        give_back(draft, parts, _under_the_plan(asked), **promised_by(draft, plan))


def _under_the_plan(asked: Asked) -> Asked:
    """The steps of a plan answer under the cancellation's key, not their own."""
    return msgspec.structs.replace(asked, key=None)


def finish_cancellation(draft: Draft, plan: Cancellation) -> None:
    """Everything is settled: keep the goods, state both amounts, write where it was asked for."""
    cancel_goods(draft, draft.section("bags"))
    finish_tasks(draft, CANCELLATION_FAILED, lambda _: True)
    done = settled(draft, plan, "CANCELED")
    draft.put(done)
    draft.go_to_built_in("canceled")
    if done.notify_customer:
        queue_letter(
            draft,
            "canceled",
            refunded=done.refunded_amount,
            reversed=done.reversed_amount,
            reason=done.reason,
        )
    draft.fact("order.canceled", done, reason_code=done.reason_code)


def fail_cancellation(draft: Draft, plan: Cancellation) -> None:
    """A step was refused: the order stays CANCEL_REQUESTED and the plan can be run again."""
    if not plan.whole:
        fail_part(draft, plan)
        return
    steps = [one for one in draft.section("transactions") if one.cancellation_id == plan.id]
    moved = any(step.status == "SUCCEEDED" for step in steps)
    failed = settled(draft, plan, "PARTIALLY_CANCELED" if moved else "FAILED")
    draft.put(failed)
    draft.fact("order.cancel_failed", failed)
