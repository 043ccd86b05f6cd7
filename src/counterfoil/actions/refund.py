"""Promise the shopper money back."""

from collections.abc import Sequence

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.order.allowed import require_bag
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.letters import queue_letter
from counterfoil.order.moves import allocate, book, checked_allocations, reserve
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.problems import (
    AmountInvalid,
    AttentionRequired,
    InvalidState,
    RefundReferenceConflict,
    RefundReferenceRequired,
    UnknownReference,
)
from counterfoil.order.refund import Refund, RefundLine
from counterfoil.order.transaction import Allocation, Transaction

REASON_CODES = ("OTHER", "CUSTOMER", "INVENTORY", "FRAUD", "DECLINED")


class WantedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line to refund: how many units, and how much where it is not their price."""

    item_id: str
    quantity: int
    amount: int | None = None


class WantedRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as it is asked for. An absent amount is the sum of lines and shipping, else all."""

    reference: str | None
    amount: int | None = None
    reason: str | None = None
    reason_code: str = "OTHER"
    lines: Sequence[WantedLine] = ()
    shipping_amount: int | None = None
    restock_items: bool = False
    notify_customer: bool = False
    bag_id: str | None = None
    payment_id: str | None = None
    allocations: Sequence[Allocation] = ()


@opens("bags", "items", "payments", "gateways", "refunds")
def refund(folder: Folder, *, asked: Asked, wanted: WantedRefund) -> Change:
    """Promise money back under a reference; `settle` sends it where a provider is asked.

    The same reference, amount and bag again is the first refund, unchanged. Raises, in this order:
    PermissionDenied, RefundReferenceRequired, RefundReferenceConflict, InvalidState,
    UnknownReference, AmountInvalid, AttentionRequired. [Z-7…Z-12, V-12…V-16, rulings 25, 26, 43]
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
        return _first_again(folder, first, wanted)
    payment, amount, lines = refundable(folder, wanted)
    draft = Draft(folder, asked.actor)
    shares = _shares(folder, wanted, amount, lines)
    promise = _promise(draft, wanted, amount, lines, shares)
    row = new_transaction(
        draft,
        payment,
        kind="REFUND",
        amount=amount,
        allocations=shares,
        asked=asked,
        refund_id=promise.id,
        bag_id=wanted.bag_id,
        reference=wanted.reference,
    )
    draft.add(promise)
    for line in lines:
        item = draft.get("items", line.item_id)
        draft.put(
            msgspec.structs.replace(item, quantity_refunded=item.quantity_refunded + line.quantity)
        )
    draft.fact("refund.requested", promise, merchant=_merchant(folder, wanted.bag_id))
    if row.status == "PENDING":
        reserve(draft, row)
    else:
        book(draft, row)
        refunded(draft, row)
    return draft.change(promise)


def refundable(folder: Folder, wanted: WantedRefund) -> tuple[Payment, int, list[RefundLine]]:
    """Find payment, amount and lines, or say why not; the portal previews with it."""
    bag = next((b for b in folder.bags if b.id == wanted.bag_id), None)
    if bag is not None and bag.status in ("IN_PROGRESS", "CANCELED") and bag.refundable == 0:
        raise InvalidState(f"The bag is {bag.status}.", status=bag.status)
    measure = bag if bag is not None else folder.order
    if measure.refundable <= 0:
        raise InvalidState("Nothing has been captured that could be given back.", refundable=0)
    lines = [_line(folder, line, wanted.bag_id) for line in wanted.lines]
    shipping = wanted.shipping_amount or 0
    if shipping < 0 or any(line.amount < 0 for line in lines):
        raise AmountInvalid("Amounts are not negative.")
    stated = wanted.amount
    if lines or wanted.shipping_amount is not None:
        summed = sum(line.amount for line in lines) + shipping
        if stated is not None and stated != summed:
            raise AmountInvalid(
                f"{stated} is not the {summed} that lines and shipping add up to.",
                asked=stated,
                summed=summed,
            )
        stated = summed
    amount = measure.refundable if stated is None else stated
    if not 0 < amount <= measure.refundable:
        raise AmountInvalid(
            f"{amount} is not between 1 and the {measure.refundable} that can be refunded.",
            asked=amount,
            refundable=measure.refundable,
        )
    payments = [p for p in folder.payments if wanted.payment_id in (None, p.id)]
    payment = next((p for p in payments if p.refundable >= amount), None)
    if payment is None:
        left = max((p.refundable for p in payments), default=0)
        raise AmountInvalid(
            f"No single payment has {amount} to give back; the most is {left}.", refundable=left
        )
    if payment.attention:
        raise AttentionRequired(attention=payment.attention)
    return payment, amount, lines


def _line(folder: Folder, wanted: WantedLine, bag_id: str | None) -> RefundLine:
    item = next((i for i in folder.items if i.id == wanted.item_id), None)
    if item is None or bag_id not in (None, item.bag_id):
        raise UnknownReference("There is no such item here.", item_id=wanted.item_id)
    left = item.quantity - item.quantity_refunded
    if not 0 < wanted.quantity <= left:
        raise AmountInvalid(
            f"{wanted.quantity} is not between 1 and the {left} units left to refund.",
            item_id=item.id,
            left=left,
        )
    price = item.line_total * wanted.quantity // item.quantity
    if wanted.quantity == left and item.quantity_refunded == 0:
        price = item.line_total
    return RefundLine(
        item_id=item.id,
        quantity=wanted.quantity,
        amount=price if wanted.amount is None else wanted.amount,
    )


def _shares(
    folder: Folder, wanted: WantedRefund, amount: int, lines: list[RefundLine]
) -> list[Allocation]:
    bags = [bag for bag in folder.bags if bag.refundable > 0 and wanted.bag_id in (None, bag.id)]
    if wanted.allocations:
        return checked_allocations(wanted.allocations, amount, bags, "refundable")
    by_bag: dict[str, int] = {}
    for line in lines:
        item = next(i for i in folder.items if i.id == line.item_id)
        by_bag[item.bag_id] = by_bag.get(item.bag_id, 0) + line.amount
    if by_bag and sum(by_bag.values()) == amount:
        parts = [Allocation(bag, part) for bag, part in by_bag.items() if part]
        return checked_allocations(parts, amount, bags, "refundable")
    return allocate(amount, bags, "refundable")


def _promise(
    draft: Draft,
    wanted: WantedRefund,
    amount: int,
    lines: list[RefundLine],
    shares: list[Allocation],
) -> Refund:
    return Refund(
        id=new_id(),
        order_id=draft.order.id,
        bag_id=wanted.bag_id or (shares[0].bag_id if len(draft.section("bags")) == 1 else None),
        store=draft.order.store,
        reference=wanted.reference or "",
        amount=amount,
        currency=draft.order.currency,
        reason=wanted.reason,
        reason_code=wanted.reason_code,
        restock_items=wanted.restock_items,
        notify_customer=wanted.notify_customer,
        status="PROCESSING",
        allocations=shares,
        lines=lines,
        shipping_amount=wanted.shipping_amount,
        actor=draft.actor.told(),
        created_at=draft.at,
        updated_at=draft.at,
    )


def _first_again(folder: Folder, first: Refund, wanted: WantedRefund) -> Change:
    same_amount = wanted.amount in (None, first.amount)
    same_bag = wanted.bag_id is None or wanted.bag_id == first.bag_id
    if first.order_id != folder.order.id or not same_amount or not same_bag:
        raise RefundReferenceConflict(
            f"Reference {first.reference} was used for {first.amount} {first.currency}. "
            "Choose another one.",
            refund_id=first.id,
        )
    return Change.none(folder, first)


def _merchant(folder: Folder, bag_id: str | None) -> str | None:
    return next((bag.merchant for bag in folder.bags if bag.id == bag_id), None)


def refunded(draft: Draft, row: Transaction) -> None:
    """Record a refund that happened: the promise is kept, the customer told where asked for."""
    promise = next(r for r in draft.section("refunds") if r.id == row.refund_id)
    done = msgspec.structs.replace(promise, status="COMPLETED", updated_at=draft.at)
    draft.put(done)
    if done.notify_customer:
        queue_letter(draft, "refunded", amount=done.amount, reference=done.reference)
    draft.fact(
        "refund.succeeded",
        done,
        merchant=_merchant(draft.before, row.bag_id),
        transaction_id=row.id,
    )


def refund_failed(draft: Draft, row: Transaction) -> None:
    """Record a refund that did not happen: its units may be refunded again."""
    promise = next(r for r in draft.section("refunds") if r.id == row.refund_id)
    draft.put(msgspec.structs.replace(promise, status="FAILED", updated_at=draft.at))
    for line in promise.lines:
        item = draft.get("items", line.item_id)
        draft.put(
            msgspec.structs.replace(item, quantity_refunded=item.quantity_refunded - line.quantity)
        )
    draft.fact(
        "refund.failed",
        promise,
        error_code=row.error_code,
        error_message=row.error_message,
        transaction_id=row.id,
    )
