"""Money goes back: what is held is released, what was taken is refunded under a plan of parts."""

from collections.abc import Sequence
from typing import Any

from counterfoil.actions.refund import begin_refund, merchant_of
from counterfoil.kernel.ids import new_id
from counterfoil.order.cancellation import Cancellation, WantedCancel
from counterfoil.order.draft import Draft
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.moves import allocate, book, reserve
from counterfoil.order.payment import Payment
from counterfoil.order.refund import PlannedPart, Refund
from counterfoil.order.transaction import Allocation, Transaction


def release(
    draft: Draft,
    payment: Payment,
    shares: list[Allocation],
    asked: Asked,
    *,
    cancellation_id: str | None = None,
) -> Transaction:
    """Release what these bags have open of a payment: at once, or as an intent."""
    row = new_transaction(
        draft,
        payment,
        kind="VOID",
        amount=sum(part.amount for part in shares),
        allocations=shares,
        asked=asked,
        cancellation_id=cancellation_id,
    )
    if row.status == "PENDING":
        reserve(draft, row)
        draft.fact("payment.void_requested", row)
    else:
        book(draft, row)
        draft.fact("payment.voided", row)
    return row


def give_back(
    draft: Draft, parts: Sequence[PlannedPart], asked: Asked, *, reference: str, **more: Any
) -> Refund:
    """Promise what was taken back through these payments, and begin to.

    No approval is waited for: whoever asks was judged. `more` are fields of the refund.
    """
    found: dict[str, int] = {}
    for part in parts:
        for share in part.allocations:
            found[share.bag_id] = found.get(share.bag_id, 0) + share.amount
    shares = [Allocation(bag_id, amount) for bag_id, amount in found.items()]
    only = shares[0].bag_id if len(draft.section("bags")) == 1 else None
    promise = Refund(
        id=new_id(),
        order_id=draft.order.id,
        store=draft.order.store,
        reference=reference,
        amount=sum(part.amount for part in parts),
        currency=draft.order.currency,
        status="PROCESSING",
        allocations=shares,
        plan=list(parts),
        actor=draft.actor.told(),
        created_at=draft.at,
        updated_at=draft.at,
        **{"bag_id": only, **more},
    )
    draft.add(promise)
    draft.fact("refund.requested", promise, merchant=merchant_of(draft.before, promise.bag_id))
    begin_refund(draft, promise, asked)
    return promise


def part_of(draft: Draft, payment: Payment, amount: int) -> PlannedPart:
    """Plan to give so much of a payment back, shared among bags by what each can give."""
    bags = [bag for bag in draft.section("bags") if bag.refundable > 0]
    return PlannedPart(
        payment_id=payment.id,
        gateway=payment.gateway,
        amount=amount,
        allocations=allocate(amount, bags, "refundable"),
    )


def promised_by(draft: Draft, plan: Cancellation) -> dict[str, Any]:
    """Name what a cancellation's refund has of it; its reference is its own. [domain.md §7]"""
    used = sum(1 for refund in draft.section("refunds") if refund.cancellation_id == plan.id)
    return {
        "reference": f"cancel-{plan.id}" + (f"-{used + 1}" if used else ""),
        "reason": plan.reason,
        "reason_code": plan.reason_code,
        "restock_items": plan.restock_items,
        "cancellation_id": plan.id,
    }


def new_plan(draft: Draft, wanted: WantedCancel, asked: Asked, **scope: Any) -> Cancellation:
    """Make the plan of a cancellation; `scope` are the fields of one that is of a part."""
    return Cancellation(
        id=new_id(),
        order_id=draft.order.id,
        reason=wanted.reason,
        reason_code=wanted.reason_code,
        notify_customer=wanted.notify_customer,
        restock_items=wanted.restock_items,
        requested_by=asked.actor.told(),
        credential=asked.actor.credential if asked.key else None,
        idempotency_key=asked.key,
        created_at=draft.at,
        **scope,
    )
