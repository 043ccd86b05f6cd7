"""Promise the shopper money back, and record what became of the promise."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.order.actor import Actor
from counterfoil.order.allowed import require_bag
from counterfoil.order.attention import call_person
from counterfoil.order.bag import Bag
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.item import Item
from counterfoil.order.letters import queue_letter
from counterfoil.order.losing import given_for_canceled
from counterfoil.order.moves import book, reserve, set_aside, settle_reserved, with_refunded
from counterfoil.order.opening import opens
from counterfoil.order.problems import RefundReferenceConflict, RefundReferenceRequired
from counterfoil.order.refund import REASON_CODES as REASON_CODES
from counterfoil.order.refund import PlannedPart, Refund, came_back, given_back, status_by
from counterfoil.order.refund import WantedLine as WantedLine
from counterfoil.order.refund import WantedRefund as WantedRefund
from counterfoil.order.refund_plan import needs_approval, payment_order, plan_refund
from counterfoil.order.refunding import Reckoning, prices_of, reckon
from counterfoil.order.transaction import Transaction
from counterfoil.order.window import bags_of_refund, check_window

REFUND_APPROVAL = "refund_approval"
REFUND_WAITING = "refund_waiting"
REFUND_FAILED = "refund_failed"
CANCELLATION_FAILED = "cancellation_failed"


@opens("bags", "items", "payments", "gateways", "refunds", "shipments")
def refund(folder: Folder, *, asked: Asked, wanted: WantedRefund) -> Change:
    """Promise money back under a reference; `settle` sends it where a provider is asked.

    It goes through as many payments as it needs, with a transaction for each. Above what the actor
    may give back alone it is set aside and waits for approval. The same again is the first refund,
    whatever became of it. Raises, in this order: PermissionDenied, RefundReferenceRequired,
    RefundReferenceConflict, InvalidState, UnknownReference, AmountInvalid, AttentionRequired,
    RefundWindowClosed. [Z-7…Z-12, V-12…V-16, faults R-7, rulings 25, 26, 42, 43]
    """
    asked.actor.require("payments.refund")
    if wanted.bag_id is None:
        asked.actor.require_whole_order()
    else:
        require_bag(folder, wanted.bag_id, asked.actor)
    if not wanted.reference:
        raise RefundReferenceRequired("Send a reference of your own; repeating it is safe.")
    first = folder.same_reference
    if first is not None:
        return _first_again(folder, first, wanted, asked.actor)
    if folder.reserved_by is not None:
        raise RefundReferenceConflict(
            f"Reference {wanted.reference} is kept for a return. Choose another one.",
            return_id=None if asked.actor.merchants is not None else folder.reserved_by,
        )
    reckoned = reckon(folder, wanted)
    plan = plan_refund(folder, wanted, reckoned.allocations)
    late = not asked.instant and check_window(
        folder, bags_of_refund(folder, wanted), asked.actor, override=wanted.override_window
    )
    draft = Draft(folder, asked.actor)
    promise = promised(draft, wanted, reckoned, plan)
    waits = not asked.instant and needs_approval(asked.actor, promise.amount, promise.currency)
    return draft.change(promise_refund(draft, asked, promise, waits=waits, late=late))


def promise_refund(
    draft: Draft,
    asked: Asked,
    promise: Refund,
    *,
    waits: bool = False,
    late: bool = False,
    closed: bool = False,
) -> Refund:
    """Add a refund that was reckoned and planned, and send it off, or let it wait for approval.

    `late`: after the store's time for it. `closed`: it waits for nobody's approval, but until a
    person has seen to a payment that it goes through. Needs bags, items, payments, gateways and
    refunds opened.
    """
    if waits or closed:
        promise = msgspec.structs.replace(promise, status="AWAITING_APPROVAL")
    draft.add(promise)
    move_units(draft, promise, 1)
    more = {"late": True} if late else {}
    merchant = merchant_of(draft.before, promise.bag_id)
    draft.fact("refund.requested", promise, merchant=merchant, **more)
    if promise.waits_for_approval:
        _wait(draft, promise, REFUND_APPROVAL if waits else REFUND_WAITING)
    else:
        begin_refund(draft, promise, asked)
    return promise


def promised(
    draft: Draft, wanted: WantedRefund, reckoned: Reckoning, plan: list[PlannedPart]
) -> Refund:
    """Make a refund of what was wanted, reckoned and planned; it is not in the draft yet."""
    bags = draft.section("bags")
    return Refund(
        id=new_id(),
        order_id=draft.order.id,
        bag_id=wanted.bag_id or (bags[0].id if len(bags) == 1 else None),
        store=draft.order.store,
        reference=wanted.reference or "",
        amount=reckoned.amount,
        currency=draft.order.currency,
        reason=wanted.reason,
        reason_code=wanted.reason_code,
        restock_items=wanted.restock_items,
        notify_customer=wanted.notify_customer,
        status="PROCESSING",
        allocations=reckoned.allocations,
        lines=reckoned.lines,
        shipping_amount=reckoned.shipping_amount,
        tax_amount=reckoned.tax_amount,
        plan=plan,
        payment_order=payment_order(draft.before, wanted),
        return_id=wanted.return_id,
        fee_amount=wanted.fee_amount,
        actor=draft.actor.told(),
        created_at=draft.at,
        updated_at=draft.at,
    )


def _wait(draft: Draft, promise: Refund, why: str) -> None:
    """Set the money aside by the plan, and call a second person."""
    set_aside(draft, promise)
    call_person(
        draft,
        why,
        refund_id=promise.id,
        amount=promise.amount,
        currency=promise.currency,
        asked_by=promise.actor,
    )


def begin_refund(
    draft: Draft, promise: Refund, asked: Asked, *, was_set_aside: bool = False
) -> None:
    """Make the movements of a plan: reserved until a provider answers, or booked at once."""
    rows = [
        new_transaction(
            draft,
            draft.get("payments", part.payment_id),
            kind="REFUND",
            amount=part.amount,
            allocations=part.allocations,
            asked=asked,
            refund_id=promise.id,
            cancellation_id=promise.cancellation_id,
            bag_id=promise.bag_id if promise.cancellation_id is None else None,
            reference=promise.reference,
        )
        for part in promise.plan
    ]
    for row in rows:
        if was_set_aside:
            if row.status == "SUCCEEDED":
                settle_reserved(draft, row)
            draft.add(row)
        elif row.status == "SUCCEEDED":
            book(draft, row)
        else:
            reserve(draft, row)
    for row in rows:
        if row.status == "SUCCEEDED":
            refunded(draft, row, rows)


def move_units(draft: Draft, promise: Refund, sign: int) -> int:
    """Count the units of a refund's lines as refunded, or, with -1, no longer.

    Returns what of it had been counted as given back for units that were cancelled meanwhile, and
    now did not go back for them.
    """
    missing = 0
    for line in promise.lines:
        item: Item = draft.get("items", line.item_id)
        count = item.quantity_refunded + sign * line.quantity
        canceled = min(item.canceled_refunded, count)
        new = msgspec.structs.replace(
            item, quantity_refunded=count, canceled_refunded=canceled
        )
        if canceled < item.canceled_refunded:
            missing += _not_given(draft, promise, item, new)
        draft.put(new)
    return missing


def _not_given(draft: Draft, promise: Refund, item: Item, new: Item) -> int:
    """Take back that something went back for cancelled units: the order keeps too much now."""
    bag: Bag = draft.get("bags", item.bag_id)
    prices = prices_of(bag, draft.section("items"))
    others = [one for one in draft.section("refunds") if one.id != promise.id]
    with_it = [*others, msgspec.structs.replace(promise, status="PROCESSING")]
    missing = given_for_canceled(item, prices, with_it) - given_for_canceled(new, prices, others)
    draft.put(with_refunded(bag, bag.worth_refunded - missing))
    return missing


def call_to_missing(draft: Draft, promise: Refund, missing: int) -> None:
    """Call a person to what did not go back for units that were cancelled meanwhile. [R-3]"""
    if missing > 0:
        call_person(
            draft,
            CANCELLATION_FAILED,
            refund_id=promise.id,
            bag_id=promise.bag_id,
            reference=promise.reference,
            items={line.item_id: line.quantity for line in promise.lines},
            amount=missing,
            currency=promise.currency,
        )


def _first_again(folder: Folder, first: Refund, wanted: WantedRefund, actor: Actor) -> Change:
    if _is_same(folder, first, wanted):
        return Change.none(folder, first)
    if actor.merchants is not None:
        raise RefundReferenceConflict
    raise RefundReferenceConflict(
        f"Reference {first.reference} was used for {first.amount} {first.currency}. "
        "Choose another one.",
        refund_id=first.id,
    )


def _is_same(folder: Folder, first: Refund, wanted: WantedRefund) -> bool:
    """Tell whether a repeat asks for just what was asked for first. [domain.md §10]"""
    only = folder.bags[0].id if len(folder.bags) == 1 else None
    if first.order_id != folder.order.id or first.bag_id != (wanted.bag_id or only):
        return False
    if wanted.amount not in (None, first.amount):
        return False
    if wanted.tax_amount not in (None, first.tax_amount):
        return False
    if wanted.fee_amount != first.fee_amount:
        return False
    if wanted.allocations and list(wanted.allocations) != first.allocations:
        return False
    if wanted.payment_id is not None and {p.payment_id for p in first.plan} - {wanted.payment_id}:
        return False
    if wanted.amount is not None and not wanted.itemised:
        return True
    known = {line.item_id: line for line in first.lines}
    return (
        wanted.shipping_amount == first.shipping_amount
        and {(line.item_id, line.quantity) for line in wanted.lines}
        == {(line.item_id, line.quantity) for line in first.lines}
        and all(line.amount in (None, known[line.item_id].amount) for line in wanted.lines)
    )


def merchant_of(folder: Folder, bag_id: str | None) -> str | None:
    """Name whose bag it is; what is about the whole order is nobody's in particular."""
    return next((bag.merchant for bag in folder.bags if bag.id == bag_id), None)


def refunded(draft: Draft, row: Transaction, rows: Sequence[Transaction] | None = None) -> None:
    """Record that money was given back; with the last movement the promise is kept.

    `rows` are all movements of the refund, where the section of transactions is not opened.
    """
    done = _restate(draft, row, rows)
    draft.fact(
        "refund.succeeded",
        done,
        merchant=merchant_of(draft.before, row.bag_id),
        transaction_id=row.id,
        amount=row.amount,
    )


def refund_failed(draft: Draft, row: Transaction) -> None:
    """Record a movement that did not happen; its reservation is gone.

    Where nothing was given back the refund's units may be refunded again. A person is called where
    nobody waits for the answer: that of a return or an edit, and one whose asker was told that it
    is not known yet, when the provider took its time. [faults R-3]
    """
    promise = _restate(draft, row)
    draft.fact(
        "refund.failed",
        promise,
        merchant=merchant_of(draft.before, row.bag_id),
        error_code=row.error_code,
        error_message=row.error_message,
        transaction_id=row.id,
        amount=row.amount,
    )
    before = next((t for t in draft.before.transactions if t.id == row.id), row)
    alone = promise.return_id is not None or promise.reference.startswith("edit-")
    if before.status == "UNKNOWN" or before.attempts > 1 or alone:
        _call_person(draft, row)


def refund_reversed(
    draft: Draft, row: Transaction, at: datetime, *, gateway_transaction_id: str | None = None
) -> Transaction | None:
    """Record that a movement which had given money back did not reach the shopper after all.

    `row` is that movement, `at` when the provider says so. A REFUND_REVERSAL takes it back, the
    refund is FAILED or PARTIALLY_COMPLETED, and a person is called. Does nothing, and returns
    None, where it was reversed before. Needs bags, items, payments, refunds and transactions
    opened. [faults R-3]
    """
    assert (row.type, row.status) == ("REFUND", "SUCCEEDED"), "only what was given back comes back"
    if came_back(draft.section("transactions"), row):
        return None
    back = Transaction(
        id=new_id(),
        order_id=row.order_id,
        payment_id=row.payment_id,
        bag_id=row.bag_id,
        refund_id=row.refund_id,
        type="REFUND_REVERSAL",
        status="SUCCEEDED",
        amount=row.amount,
        currency=row.currency,
        allocations=row.allocations,
        reference=row.reference,
        gateway_transaction_id=gateway_transaction_id,
        source="sync",
        actor=draft.actor.told(),
        created_at=draft.at,
        settled_at=at,
    )
    book(draft, back)
    promise = _restate(draft, back)
    draft.fact(
        "refund.failed",
        promise,
        merchant=merchant_of(draft.before, row.bag_id),
        error_code="reversed",
        error_message="The provider accepted it and could not deliver it.",
        transaction_id=back.id,
        amount=back.amount,
    )
    _call_person(draft, back)
    return back


def _restate(
    draft: Draft, row: Transaction, rows: Sequence[Transaction] | None = None
) -> Refund:
    """Give a refund the status that its movements call for, and do what ends with it."""
    promise: Refund = draft.get("refunds", row.refund_id or "")
    if rows is None:
        rows = [t for t in draft.section("transactions") if t.refund_id == promise.id]
    new = msgspec.structs.replace(promise, status=status_by(promise, rows), updated_at=draft.at)
    draft.put(new)
    if new.status == promise.status:
        return new
    begun = promise.status in ("PROCESSING", "AWAITING_APPROVAL")
    if begun and new.notify_customer and (given := given_back(rows)):
        queue_letter(draft, "refunded", amount=given, reference=new.reference)
    if new.status == "FAILED":
        call_to_missing(draft, new, move_units(draft, new, -1))
    return new


def _call_person(draft: Draft, row: Transaction) -> None:
    call_person(
        draft,
        REFUND_FAILED,
        payment_id=row.payment_id,
        refund_id=row.refund_id,
        transaction_id=row.id,
        amount=row.amount,
        currency=row.currency,
        error_code=row.error_code,
        error_message=row.error_message,
    )
