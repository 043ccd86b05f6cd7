"""Cancel an order: release what is open, give back what was taken, keep what has not left."""

import msgspec

from counterfoil.actions.decide_refund import withdraw_waiting
from counterfoil.actions.refund import begin_refund
from counterfoil.kernel.ids import new_id
from counterfoil.order.allowed import may_cancel
from counterfoil.order.cancellation import Cancellation
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import cancel_goods
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.letters import queue_letter
from counterfoil.order.moves import allocate, book, reserve
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.problems import (
    ApprovalRequired,
    AttentionRequired,
    InvalidState,
    RequestInProgress,
)
from counterfoil.order.refund import PlannedPart, Refund
from counterfoil.order.refund_plan import needs_approval
from counterfoil.order.transaction import UNSETTLED


class WantedCancel(msgspec.Struct, frozen=True, kw_only=True):
    """A cancellation as it is asked for. [domain.md §7]"""

    reason: str | None = None
    reason_code: str = "OTHER"
    notify_customer: bool = False
    restock_items: bool = True


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
    """Cancel the whole order as one plan; each step at a provider is settled on its own.

    Until the last step is settled the order is CANCEL_REQUESTED. A refund that waits for approval
    is withdrawn first: what it would give back goes back with the rest. Raises, in this order:
    PermissionDenied, RequestInProgress, InvalidState (cancelled already, goods have left),
    AttentionRequired, ApprovalRequired (more goes back than the actor may give back alone).
    [U-31…U-33, faults R-7, rulings 26, 27, 42]
    """
    actor = asked.actor
    actor.require("orders.cancel")
    actor.require_whole_order()
    cancelable(folder, asked)
    draft = Draft(folder, actor)
    return draft.change(begin_cancellation(draft, wanted, asked))


def begin_cancellation(draft: Draft, wanted: WantedCancel, asked: Asked) -> Cancellation:
    """Make the plan and take its first steps; that it may begin was asked by the caller."""
    actor = asked.actor
    plan = Cancellation(
        id=new_id(),
        order_id=draft.order.id,
        reason=wanted.reason,
        reason_code=wanted.reason_code,
        notify_customer=wanted.notify_customer,
        restock_items=wanted.restock_items,
        requested_by=actor.told(),
        credential=actor.credential if asked.key else None,
        idempotency_key=asked.key,
        created_at=draft.at,
    )
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
    running = folder.running_cancellation
    if running is not None:
        raise RequestInProgress(
            "A cancellation is running.",
            cancellation_id=running.id,
            headers={"Retry-After": "5"},
        )
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


def advance_cancellation(draft: Draft, plan: Cancellation, asked: Asked) -> None:
    """Take every step that can be taken now; finish when nothing is left or on its way."""
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
    if payment.open <= 0:
        return
    bags = [bag for bag in draft.section("bags") if bag.open > 0]
    row = new_transaction(
        draft,
        payment,
        kind="VOID",
        amount=payment.open,
        allocations=allocate(payment.open, bags, "open"),
        asked=_under_the_plan(asked),
        cancellation_id=plan.id,
    )
    if row.status == "PENDING":
        reserve(draft, row)
        draft.fact("payment.void_requested", row)
    else:
        book(draft, row)
        draft.fact("payment.voided", row)


def _give_back(draft: Draft, payment: Payment, plan: Cancellation, asked: Asked) -> None:
    amount = payment.refundable
    if amount <= 0:
        return
    bags = [bag for bag in draft.section("bags") if bag.refundable > 0]
    shares = allocate(amount, bags, "refundable")
    used = sum(1 for refund in draft.section("refunds") if refund.cancellation_id == plan.id)
    part = PlannedPart(
        payment_id=payment.id, gateway=payment.gateway, amount=amount, allocations=shares
    )
    promise = Refund(
        id=new_id(),
        order_id=draft.order.id,
        bag_id=shares[0].bag_id if len(draft.section("bags")) == 1 else None,
        store=draft.order.store,
        reference=f"cancel-{plan.id}" + (f"-{used + 1}" if used else ""),
        amount=amount,
        currency=payment.currency,
        reason=plan.reason,
        reason_code=plan.reason_code,
        restock_items=plan.restock_items,
        status="PROCESSING",
        allocations=shares,
        cancellation_id=plan.id,
        plan=[part],
        actor=draft.actor.told(),
        created_at=draft.at,
        updated_at=draft.at,
    )
    draft.add(promise)
    draft.fact("refund.requested", promise)
    begin_refund(draft, promise, _under_the_plan(asked))


def _under_the_plan(asked: Asked) -> Asked:
    """The steps of a plan answer under the cancellation's key, not their own."""
    return msgspec.structs.replace(asked, key=None)


def finish_cancellation(draft: Draft, plan: Cancellation) -> None:
    """Everything is settled: keep the goods, state both amounts, write where it was asked for."""
    rows = [
        t
        for t in draft.section("transactions")
        if t.cancellation_id == plan.id and t.status == "SUCCEEDED"
    ]
    cancel_goods(draft, draft.section("bags"))
    done = msgspec.structs.replace(
        plan,
        status="CANCELED",
        refunded_amount=sum(t.amount for t in rows if t.type == "REFUND"),
        reversed_amount=sum(t.amount for t in rows if t.type == "VOID"),
        finished_at=draft.at,
    )
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
    rows = [
        t
        for t in draft.section("transactions")
        if t.cancellation_id == plan.id and t.status == "SUCCEEDED"
    ]
    failed = msgspec.structs.replace(
        plan,
        status="PARTIALLY_CANCELED" if rows else "FAILED",
        refunded_amount=sum(t.amount for t in rows if t.type == "REFUND"),
        reversed_amount=sum(t.amount for t in rows if t.type == "VOID"),
        finished_at=draft.at,
    )
    draft.put(failed)
    draft.fact("order.cancel_failed", failed)
