"""Promise the shopper money back."""

from collections.abc import Sequence

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.kernel.money import split
from counterfoil.order.actor import Actor
from counterfoil.order.allowed import require_bag
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.item import Item
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
_NOT_GIVEN = ("FAILED", "CANCELED")


class WantedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line to refund: how many units, and how much where it is not what was paid for them.

    That is their price less their share of what the bag's discount took off.
    """

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

    The same again is the first refund, whatever became of it. Raises, in this order:
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
        return _first_again(folder, first, wanted, asked.actor)
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
    draft.fact("refund.requested", promise, merchant=merchant_of(folder, wanted.bag_id))
    if row.status == "PENDING":
        reserve(draft, row)
    else:
        book(draft, row)
        refunded(draft, row)
    return draft.change(promise)


def refundable(folder: Folder, wanted: WantedRefund) -> tuple[Payment, int, list[RefundLine]]:
    """Find payment, amount and lines, or say why not; the portal previews with it."""
    bag = next((b for b in folder.bags if b.id == wanted.bag_id), None)
    if bag is not None and bag.status in ("IN_PROGRESS", "CANCELED"):
        raise InvalidState(f"The bag is {bag.status}.", status=bag.status)
    measure = bag if bag is not None else folder.order
    if measure.refundable <= 0:
        raise InvalidState("Nothing has been captured that could be given back.", refundable=0)
    if len({line.item_id for line in wanted.lines}) != len(wanted.lines):
        raise AmountInvalid("An item is named twice.")
    lines = [_line(folder, line, wanted.bag_id) for line in wanted.lines]
    shipping = wanted.shipping_amount or 0
    if shipping < 0 or any(line.amount < 0 for line in lines):
        raise AmountInvalid("Amounts are not negative.")
    if shipping > (left := _shipping_left(folder, wanted.bag_id)):
        raise AmountInvalid(
            f"{shipping} is more than the {left} of shipping that is left to refund.",
            asked=shipping,
            left=left,
        )
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
    if item.type in ("discount", "store_credit"):
        raise AmountInvalid(f"{item.name} took money off; it cannot be refunded.", item_id=item.id)
    left = max(0, item.live - item.quantity_refunded)
    if not 0 < wanted.quantity <= left:
        raise AmountInvalid(
            f"{wanted.quantity} is not between 1 and the {left} units left to refund.",
            item_id=item.id,
            left=left,
        )
    return RefundLine(
        item_id=item.id,
        quantity=wanted.quantity,
        amount=_paid(folder, item, wanted.quantity) if wanted.amount is None else wanted.amount,
    )


def _paid(folder: Folder, item: Item, units: int) -> int:
    """What was paid for the next so many units: the parts of a line add up to it."""
    (bag,) = (bag for bag in folder.bags if bag.id == item.bag_id)
    goods = [one for one in folder.items if one.bag_id == bag.id and one.deliverable]
    prices = [one.line_total for one in goods]
    off = split(min(bag.discount_total, sum(prices)), prices)
    took_off = next((part for one, part in zip(goods, off, strict=True) if one is item), 0)
    paid, before = item.line_total - took_off, item.quantity_refunded
    return paid * (before + units) // item.quantity - paid * before // item.quantity


def _shipping_left(folder: Folder, bag_id: str | None) -> int:
    """What was charged for shipping and has not been given back as such, of a bag or of all."""
    given = [refund for refund in folder.refunds if refund.status not in _NOT_GIVEN]
    left = sum(bag.shipping_total for bag in folder.bags)
    left -= sum(refund.shipping_amount or 0 for refund in given)
    if bag_id is not None:
        of_bag = sum(bag.shipping_total for bag in folder.bags if bag.id == bag_id)
        of_bag -= sum(refund.shipping_amount or 0 for refund in given if refund.bag_id == bag_id)
        left = min(left, of_bag)
    return max(0, left)


def _shares(
    folder: Folder, wanted: WantedRefund, amount: int, lines: list[RefundLine]
) -> list[Allocation]:
    """Share the amount among bags: lines to their own, shipping to those that charged it."""
    bags = [bag for bag in folder.bags if bag.refundable > 0 and wanted.bag_id in (None, bag.id)]
    if wanted.allocations:
        return checked_allocations(wanted.allocations, amount, bags, "refundable")
    if not lines and wanted.shipping_amount is None:
        return allocate(amount, bags, "refundable")
    bag_of = {item.id: item.bag_id for item in folder.items}
    parts = {bag.id: 0 for bag in bags}
    for line in lines:
        parts[bag_of[line.item_id]] = parts.get(bag_of[line.item_id], 0) + line.amount
    rest = amount - sum(parts.values())
    free = [max(0, bag.refundable - parts[bag.id]) for bag in bags]
    charged = [min(bag.shipping_total, left) for bag, left in zip(bags, free, strict=True)]
    shares = split(rest, charged if rest <= sum(charged) else free)
    for bag, share in zip(bags, shares, strict=True):
        parts[bag.id] += share
    wanted_parts = [Allocation(bag_id, part) for bag_id, part in parts.items() if part]
    return checked_allocations(wanted_parts, amount, bags, "refundable")


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
    if wanted.allocations and list(wanted.allocations) != first.allocations:
        return False
    named = bool(wanted.lines) or wanted.shipping_amount is not None
    if wanted.amount is not None and not named:
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
        merchant=merchant_of(draft.before, row.bag_id),
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
        merchant=merchant_of(draft.before, row.bag_id),
        error_code=row.error_code,
        error_message=row.error_message,
        transaction_id=row.id,
    )
