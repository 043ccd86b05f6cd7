"""Telling a cancellation: what it is of, what it gave back, and in a sentence how it stands."""

import msgspec

from counterfoil.kernel.money import to_decimal
from counterfoil.order.actor import Actor
from counterfoil.order.canceling import of_bag
from counterfoil.order.cancellation import CanceledLine, Cancellation
from counterfoil.order.folder import Folder
from counterfoil.order.shapes import CancellationShape, OrderShape
from counterfoil.order.telling import visible_bags
from counterfoil.order.tells import tell_transaction
from counterfoil.order.transaction import Transaction

#: The sections that a cancellation is told from.
TOLD_OF_CANCELLATION = ("bags", "items", "cancellations", "transactions")


def tell_cancellation(
    plan: Cancellation, folder: Folder, actor: Actor, *, order: OrderShape | None = None
) -> CancellationShape:
    """Tell a cancellation; to a merchant-limited actor what of it is of its own bags."""
    limited = actor.merchants is not None
    if limited:
        plan = _own(plan, folder, actor)
    email = "not_asked"
    if plan.notify_customer:
        email = "queued" if folder.order.customer.get("email") else "no_address"
    return CancellationShape(
        id=plan.id,
        order_id=plan.order_id,
        bag_id=plan.bag_id,
        again_of=plan.again_of,
        lines=plan.lines,
        status=plan.status,
        amount=plan.amount,
        allocations=plan.allocations,
        refunded_amount=plan.refunded_amount,
        reversed_amount=plan.reversed_amount,
        currency=folder.order.currency,
        email=email,
        message=cancellation_sentence(plan, folder.order.currency),
        reason=plan.reason,
        reason_code=plan.reason_code,
        restock_items=plan.restock_items,
        requested_by=plan.requested_by,
        created_at=plan.created_at,
        finished_at=plan.finished_at,
        transactions=[] if limited else [tell_transaction(row) for row in _steps(plan, folder)],
        order=order,
    )


def cancellations_seen(folder: Folder, actor: Actor) -> list[Cancellation]:
    """List the cancellations that are about bags the actor may see, the oldest first."""
    seen = {bag.id for bag in visible_bags(folder, actor)}
    found = [plan for plan in folder.cancellations if plan.whole or bags_of(plan, folder) & seen]
    return sorted(found, key=lambda plan: (plan.created_at, plan.id))


def bags_of(plan: Cancellation, folder: Folder) -> set[str]:
    """Tell which bags a cancellation is about."""
    if plan.whole:
        return {bag.id for bag in folder.bags}
    named = {line.item_id for line in plan.lines}
    bags = {item.bag_id for item in folder.items if item.id in named}
    return bags | ({plan.bag_id} if plan.bag_id else set())


def cancellation_sentence(plan: Cancellation, currency: str) -> str:
    """Say how a cancellation stands, with both amounts. [U-33]"""
    back = f"{to_decimal(plan.refunded_amount, currency)} {currency}"
    free = f"{to_decimal(plan.reversed_amount, currency)} {currency}"
    if plan.status == "PROCESSING":
        return "The cancellation is running; the payment provider has not answered yet."
    done = f"Captured amount {back} has been refunded; authorized amount {free} has been reversed."
    left = (plan.amount or 0) - plan.refunded_amount - plan.reversed_amount
    rest = f"{to_decimal(max(0, left), currency)} {currency}"
    if plan.status == "CANCELED":
        if left <= 0:
            return done
        return f"{done} {rest} stays authorized, which cannot be released in part; it is not taken."
    if plan.whole:
        return f"The cancellation is not finished. {done} It can be run again."
    return (
        f"The items are cancelled, but {rest} did not go back. {done} It can be tried again; a"
        " person was called."
    )


def _steps(plan: Cancellation, folder: Folder) -> list[Transaction]:
    if not folder.opened("transactions"):
        return []
    return [row for row in folder.transactions if row.cancellation_id == plan.id]


def _own(plan: Cancellation, folder: Folder, actor: Actor) -> Cancellation:
    """The plan as far as it is of bags that the actor may see."""
    seen = {bag.id for bag in visible_bags(folder, actor)}
    own = {item.id for item in folder.items if item.bag_id in seen}
    shares = [part for part in plan.allocations if part.bag_id in seen]
    lines: list[CanceledLine] = [line for line in plan.lines if line.item_id in own]

    def moved(kind: str) -> int:
        return sum(
            of_bag(row, bag_id)
            for row in _steps(plan, folder)
            for bag_id in seen
            if row.type == kind and row.status == "SUCCEEDED"
        )

    return msgspec.structs.replace(
        plan,
        lines=lines,
        allocations=shares,
        amount=None if plan.amount is None else sum(part.amount for part in shares),
        refunded_amount=moved("REFUND"),
        reversed_amount=moved("VOID"),
    )
