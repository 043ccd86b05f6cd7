"""The plan of a refund: how much of it goes back through which payment, and whose bags bear it.

Pure. A payment gives back no more than it took; one that waits for a person is left out where the
others are enough. [rulings 23, 26]
"""

from collections.abc import Iterable, Sequence

from counterfoil.kernel.money import split, to_decimal
from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.payment import Payment
from counterfoil.order.problems import AmountInvalid, AttentionRequired
from counterfoil.order.refund import PAYMENT_ORDERS, PlannedPart, Refund, WantedRefund
from counterfoil.order.transaction import Allocation


def plan_refund(
    folder: Folder,
    wanted: WantedRefund,
    allocations: Sequence[Allocation],
    *,
    closed_too: bool = False,
) -> list[PlannedPart]:
    """Spread what bags give back over the order's payments.

    `closed_too`: also over those that wait for a person, for a refund that waits as well. Raises
    AmountInvalid where a payment is named that has less, and AttentionRequired where it cannot be
    done without a payment that waits for a person.
    """
    amount = sum(part.amount for part in allocations)
    able = [
        payment
        for payment in folder.payments
        if payment.refundable > 0 and wanted.payment_id in (None, payment.id)
    ]
    left = sum(payment.refundable for payment in able)
    if amount > left:
        raise AmountInvalid(
            f"{amount} is more than the {left} that can be given back through this payment.",
            asked=amount,
            refundable=left,
        )
    clean = [payment for payment in able if closed_too or not payment.attention]
    if amount > sum(payment.refundable for payment in clean):
        waiting = next(payment for payment in able if payment.attention)
        raise AttentionRequired(attention=waiting.attention)
    return spread(in_order(folder, clean, payment_order(folder, wanted)), allocations)


def payment_order(folder: Folder, wanted: WantedRefund) -> str | None:
    """Tell in which order payments are gone through: as asked, or as the store does."""
    if wanted.payment_id is not None:
        return None
    return wanted.payment_order or folder.store.refund_order


def in_order(folder: Folder, payments: Iterable[Payment], how: str | None) -> list[Payment]:
    """Put payments in one of the orders of PAYMENT_ORDERS; None is the one they came in."""
    assert how in (None, *PAYMENT_ORDERS), how
    found = sorted(payments, key=lambda payment: payment.position)
    if how in ("last_in_first", "card_first"):
        found.reverse()
    if how == "card_first":
        found.sort(key=lambda payment: not folder.gateway_of(payment).capabilities.card)
    return found


def spread(payments: Sequence[Payment], allocations: Sequence[Allocation]) -> list[PlannedPart]:
    """Take from each payment what it has, until all is found; bags bear it by what is left.

    The parts add up to the allocations, by payment and by bag, exactly.
    """
    rest = {part.bag_id: part.amount for part in allocations}
    plan = []
    for payment in payments:
        amount = min(payment.refundable, sum(rest.values()))
        if amount <= 0:
            continue
        shares = split(amount, list(rest.values()))
        own = [Allocation(bag, part) for bag, part in zip(rest, shares, strict=True) if part]
        plan.append(
            PlannedPart(
                payment_id=payment.id, gateway=payment.gateway, amount=amount, allocations=own
            )
        )
        for part in own:
            rest[part.bag_id] -= part.amount
    assert not any(rest.values()), f"payments do not suffice: {rest}"
    return plan


def needs_approval(actor: Actor, amount: int, currency: str) -> bool:
    """Tell whether an amount is more than the actor may give back alone. [faults R-7]"""
    limit = actor.limit("refund", currency)
    return limit is not None and amount > limit


def explain(refund: Refund) -> list[str]:
    """Say through which payments a refund goes and why in this order, a sentence each."""
    told = []
    for part in refund.plan:
        money = f"{to_decimal(part.amount, refund.currency)} {refund.currency}"
        told.append(f"{money} goes back through {part.gateway}.")
    if len(refund.plan) > 1 and refund.payment_order is not None:
        told.append(PAYMENT_ORDERS[refund.payment_order])
    if refund.waits_for_approval:
        told.append("It is more than you may give back alone: a second person has to approve it.")
    return told


def proposed_reference(folder: Folder) -> str:
    """Propose a refund reference that the order has not used: R-<order number>-<count>. [Z-9]"""
    used = {refund.reference for refund in folder.refunds}
    count = 1 + sum(1 for refund in folder.refunds if refund.cancellation_id is None)
    while f"R-{folder.order.number}-{count}" in used:
        count += 1
    return f"R-{folder.order.number}-{count}"
