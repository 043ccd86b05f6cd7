"""Cancel a bag or some units: they are cancelled at once, and their money goes back by a plan."""

from collections.abc import Sequence

import msgspec

from counterfoil.actions.complete import complete
from counterfoil.actions.decide_refund import withdraw_waiting
from counterfoil.actions.hold import release_if_paid
from counterfoil.actions.refund import CANCELLATION_FAILED, REFUND_FAILED, merchant_of
from counterfoil.actions.send_back import give_back, new_plan, promised_by, release
from counterfoil.actions.unowed import release_unowed
from counterfoil.kernel.money import split
from counterfoil.order.attention import call_person, finish_tasks
from counterfoil.order.bag import Bag
from counterfoil.order.canceling import Part, of_bag, releasable
from counterfoil.order.canceling_again import tried
from counterfoil.order.cancellation import Cancellation, WantedCancel
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import cancel_units
from counterfoil.order.intent import Asked
from counterfoil.order.letters import queue_letter
from counterfoil.order.problems import ApprovalRequired, AttentionRequired, InvalidState
from counterfoil.order.refund_plan import in_order, needs_approval, spread
from counterfoil.order.task import Task
from counterfoil.order.transaction import UNSETTLED, Allocation, Transaction

_LEFT_BY_OTHERS = ("VOID", "EXPIRE")


def check_part(folder: Folder, part: Part, asked: Asked) -> None:
    """Say why a part that was reckoned cannot be cancelled now, if it cannot.

    Raises, in this order: InvalidState (somebody asked to cancel the order), AttentionRequired,
    ApprovalRequired.
    """
    order = folder.order
    if order.system_state == "CANCEL_REQUESTED":
        raise InvalidState(
            "Somebody asked to cancel the whole order. Cancel it, or decline that first.",
            state=order.state,
        )
    for payment in folder.payments:
        if part.amount and payment.attention and (payment.open > 0 or payment.refundable > 0):
            raise AttentionRequired(attention=payment.attention)
    if needs_approval(asked.actor, part.refunded_amount, order.currency):
        limit = asked.actor.limit("refund", order.currency)
        raise ApprovalRequired(
            f"Cancelling gives back {part.refunded_amount}, and you may refund up to {limit} alone."
            " Ask for the refund, or let somebody with a higher limit cancel.",
            amount=part.refunded_amount,
            limit=limit,
        )


def begin_part(draft: Draft, part: Part, wanted: WantedCancel, asked: Asked) -> Cancellation:
    """Cancel the units, make the plan for their money and take its first steps.

    What is cancelled neither ships nor is captured from now on, whatever becomes of the money; the
    order's state is left alone, unless all that is live has left. Of a part that is tried again the
    money alone is left.
    """
    plan = new_plan(
        draft,
        wanted,
        asked,
        bag_id=part.bag_id,
        again_of=part.again_of,
        lines=part.lines,
        amount=part.amount,
        allocations=part.back,
    )
    draft.add(plan)
    draft.fact("order.cancel_requested", plan, merchant=_merchant(draft, plan))
    for bag_id in part.ending:
        withdraw_waiting(draft, bag_id)
    for bag in draft.section("bags"):
        if bag.id in part.units:
            cancel_units(draft, bag, part.units[bag.id])
    _keep_due(draft, part)
    release_if_paid(draft)
    complete(draft)
    advance_part(draft, plan, asked)
    return plan


def _keep_due(draft: Draft, part: Part) -> None:
    """Let be due what was, less what nobody had paid of these units.

    What goes back of one bag was authorised for it, and does not pay for what another one lacks;
    what stays authorised, since a gateway cannot release it, does.
    """
    order = draft.before.order
    if not order.due or part.again_of is not None:
        return
    bags: list[Bag] = draft.section("bags")
    lost = sum(bag.canceled_total for bag in bags) - order.canceled_total
    given = sum(bag.worth_refunded for bag in bags) - order.worth_refunded
    wanted = max(0, order.due - max(0, lost - given - part.amount))
    gone = part.amount - part.kept_amount
    gap = min(wanted - sum(bag.lacking for bag in bags), gone)
    if draft.due >= wanted or gap <= 0:
        return
    shares = split(gap, [share.amount for share in part.back])
    for share, more in zip(part.back, shares, strict=True):
        bag = draft.get("bags", share.bag_id)
        draft.put(msgspec.structs.replace(bag, reopened=bag.reopened + more))
    draft.set_order(reopened=sum(bag.reopened for bag in draft.section("bags")))


def advance_part(draft: Draft, plan: Cancellation, asked: Asked) -> None:
    """Take every step that can be taken now; finish when nothing is left or on its way.

    What is open is released first, where the gateway can; the rest is refunded. What somebody else
    has on its way is waited for where it is needed.
    """
    left = _left(draft, plan)
    bags = {bag.id: bag for bag in draft.section("bags")}
    held = {bag_id: min(amount, bags[bag_id].open) for bag_id, amount in left.items()}
    taken = [
        Allocation(bag_id, back)
        for bag_id, amount in left.items()
        if (back := min(amount - held[bag_id], bags[bag_id].refundable)) > 0
    ]
    under = msgspec.structs.replace(asked, key=None)
    for part in releasable(draft.before, draft.section("payments"), held):
        payment = draft.get("payments", part.payment_id)
        release(draft, payment, part.allocations, under, cancellation_id=plan.id)
    if taken:
        folder = draft.before
        able = [payment for payment in draft.section("payments") if payment.refundable > 0]
        parts = spread(in_order(folder, able, folder.store.refund_order), taken)
        give_back(draft, parts, under, **promised_by(draft, plan), bag_id=plan.bag_id)
    moving = {part.bag_id: part.amount for part in taken}
    short = {
        bag_id
        for bag_id, amount in left.items()
        if amount > held[bag_id] + moving.get(bag_id, 0)
    }
    if not _waits(draft, plan, short):
        finish_part(draft, plan)
        release_unowed(draft, under)


def _left(draft: Draft, plan: Cancellation) -> dict[str, int]:
    """Tell what of each bag is still to go back: less what did, by whose hand ever, or may yet."""
    rows = [
        row
        for row in draft.section("transactions")
        if (row.cancellation_id == plan.id and row.status != "FAILED")
        or (
            row.type in _LEFT_BY_OTHERS
            and row.status == "SUCCEEDED"
            and row.created_at >= plan.created_at
        )
    ]
    left = {
        part.bag_id: part.amount - sum(of_bag(row, part.bag_id) for row in rows)
        for part in plan.allocations
    }
    return {bag_id: amount for bag_id, amount in left.items() if amount > 0}


def _waits(draft: Draft, plan: Cancellation, short: set[str]) -> bool:
    """Whether a step of ours is on its way, or one of others that a bag needs which is short."""
    going: list[Transaction] = [
        row for row in draft.section("transactions") if row.status in UNSETTLED
    ]
    return any(
        row.cancellation_id == plan.id or any(of_bag(row, bag_id) for bag_id in short)
        for row in going
    )


def finish_part(draft: Draft, plan: Cancellation) -> None:
    """State both amounts, and write where it was asked for; of all that was tried, together."""
    done = settled(draft, plan, "CANCELED")
    draft.put(done)
    _nobody_needed(draft, done)
    if done.notify_customer:
        queue_letter(
            draft,
            "part_canceled",
            items=canceled_units(draft, done),
            refunded=_in_all(draft, done, REFUND=1, REFUND_REVERSAL=-1),
            reversed=_in_all(draft, done, VOID=1),
            reason=done.reason,
        )
    draft.fact(
        "order.part_canceled",
        done,
        merchant=_merchant(draft, done),
        amount=done.amount,
        allocations=done.allocations,
    )


def fail_part(draft: Draft, plan: Cancellation) -> None:
    """A step was refused: the units stay cancelled, and a person sees to the money."""
    rows = [row for row in _rows(draft, plan) if row.status == "SUCCEEDED"]
    failed = settled(draft, plan, "PARTIALLY_CANCELED" if rows else "FAILED")
    draft.put(failed)
    missing = (failed.amount or 0) - failed.refunded_amount - failed.reversed_amount
    called = next((task for task in _tasks(draft, plan) if task.kind == CANCELLATION_FAILED), None)
    if called is None:
        call_person(
            draft,
            CANCELLATION_FAILED,
            cancellation_id=plan.again_of or plan.id,
            bag_id=plan.bag_id,
            amount=missing,
            currency=draft.order.currency,
        )
    else:
        left = {**called.context, "amount": missing}
        draft.put(msgspec.structs.replace(called, context=left))
    draft.fact("order.cancel_failed", failed, merchant=_merchant(draft, failed))


def _tasks(draft: Draft, plan: Cancellation) -> list[Task]:
    """List the open tasks about the money of a part, and about refunds of it that failed."""
    plans, refunds = _tried(draft, plan)
    return [
        task
        for task in draft.section("tasks")
        if task.status == "OPEN"
        and (
            (task.kind == CANCELLATION_FAILED and task.context.get("cancellation_id") in plans)
            or (task.kind == REFUND_FAILED and task.refund_id in refunds)
        )
    ]


def _tried(draft: Draft, plan: Cancellation) -> tuple[set[str], set[str]]:
    """Name a part with all that tried it again, and their refunds."""
    plans = {one.id for one in tried(draft.section("cancellations"), plan)}
    return plans, {one.id for one in draft.section("refunds") if one.cancellation_id in plans}


def _nobody_needed(draft: Draft, plan: Cancellation) -> None:
    """What a person was called for has gone back by now."""
    seen_to = {task.id for task in _tasks(draft, plan)}
    for kind in (CANCELLATION_FAILED, REFUND_FAILED):
        finish_tasks(draft, kind, lambda task: task.id in seen_to)


def _in_all(draft: Draft, plan: Cancellation, **signs: int) -> int:
    """Add up movements of a part and of all that tried it again."""
    plans, refunds = _tried(draft, plan)
    return sum(
        signs[row.type] * row.amount
        for row in draft.section("transactions")
        if row.status == "SUCCEEDED"
        and row.type in signs
        and (row.cancellation_id in plans or row.refund_id in refunds)
    )


def settled(draft: Draft, plan: Cancellation, status: str) -> Cancellation:
    """Return the plan as ended now, with what its steps gave back and released."""
    rows = [row for row in _rows(draft, plan) if row.status == "SUCCEEDED"]
    return msgspec.structs.replace(
        plan,
        status=status,
        refunded_amount=sum(row.amount for row in rows if row.type == "REFUND"),
        reversed_amount=sum(row.amount for row in rows if row.type == "VOID"),
        finished_at=draft.at,
    )


def canceled_units(draft: Draft, plan: Cancellation) -> dict[str, int]:
    """Count the units that a part cancels, by line."""
    if plan.lines:
        return {line.item_id: line.quantity for line in plan.lines}
    return {
        item.id: item.quantity_canceled
        for item in draft.section("items")
        if item.bag_id == plan.bag_id and item.deliverable and item.quantity_canceled
    }


def _rows(draft: Draft, plan: Cancellation) -> Sequence[Transaction]:
    return [row for row in draft.section("transactions") if row.cancellation_id == plan.id]


def _merchant(draft: Draft, plan: Cancellation) -> str | None:
    return merchant_of(draft.before, plan.bag_id)
