"""Moving money within a draft: reserve, book, release; payment and bags always together.

Every function keeps the sums of the bags equal to the payment's. [rulings 21-23]
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from counterfoil.kernel.money import split
from counterfoil.order.amounts import Amounts
from counterfoil.order.bag import Bag
from counterfoil.order.draft import Draft
from counterfoil.order.payment import Payment
from counterfoil.order.problems import AmountInvalid
from counterfoil.order.refund import PlannedPart, Refund
from counterfoil.order.transaction import Allocation, Transaction

_RESERVED = {"CAPTURE": "capture_pending", "VOID": "void_pending", "REFUND": "refund_pending"}
_BOOKED = {
    "AUTHORIZE": "authorized",
    "CAPTURE": "captured",
    "VOID": "voided",
    "REFUND": "refunded",
    "EXPIRE": "expired",
}


def allocate(amount: int, bags: Sequence[Amounts], left: str) -> list[Allocation]:
    """Share an amount among bags by what each has left, by largest remainder.

    `left` names the measure: `open`, `outstanding`, `refundable` or `due`. The parts add up to
    the amount and none exceeds what its bag has left.
    """
    weights = [getattr(bag, left) for bag in bags]
    assert 0 < amount <= sum(weights), f"{amount} of {weights}"
    parts = split(amount, weights)
    return [
        Allocation(bag.id, part)  # type: ignore[attr-defined]
        for bag, part in zip(bags, parts, strict=True)
        if part
    ]


def checked_allocations(
    wanted: Sequence[Allocation], amount: int, bags: Sequence[Amounts], left: str
) -> list[Allocation]:
    """Accept allocations that a client sent. Raises AmountInvalid where they cannot be."""
    by_id = {bag.id: bag for bag in bags}  # type: ignore[attr-defined]
    if len({part.bag_id for part in wanted}) != len(wanted):
        raise AmountInvalid("A bag is named twice.")
    if sum(part.amount for part in wanted) != amount:
        raise AmountInvalid("The allocations do not add up to the amount.", amount=amount)
    for part in wanted:
        bag = by_id.get(part.bag_id)
        if bag is None or not 0 < part.amount <= getattr(bag, left):
            raise AmountInvalid(
                f"Bag {part.bag_id} cannot take {part.amount}.",
                bag_id=part.bag_id,
                left=getattr(bag, left) if bag is not None else 0,
            )
    return list(wanted)


def share_open(
    amount: int,
    bags: Sequence[Bag],
    wanted: Sequence[Allocation] | None,
    *,
    first: str = "capturable",
) -> list[Allocation]:
    """Share what is open among bags, as the client says or by largest remainder.

    By what each has of the measure that comes `first`, `capturable` or `spare`; what is more than
    that by what else it has open. Raises AmountInvalid where what the client says cannot be.
    """
    able = [bag for bag in bags if bag.open > 0]
    if wanted:
        return checked_allocations(wanted, amount, able, "open")
    weights = [getattr(bag, first) for bag in able]
    rest = [bag.open - weight for bag, weight in zip(able, weights, strict=True)]
    early = min(amount, sum(weights))
    assert amount - early <= sum(rest), f"{amount} of {weights} and {rest}"
    parts = zip(able, split(early, weights), split(amount - early, rest), strict=True)
    return [Allocation(bag.id, one + other) for bag, one, other in parts if one + other]


def _shift(
    draft: Draft, movement: Transaction | PlannedPart, fields: dict[str, int], *, less: int = 0
) -> None:
    """Add to the named amounts: +1 or -1 times the movement, on its payment and on its bags.

    `less`: the same for what goes back since the bags are worth less; never more than goes back.
    """
    payment: Payment = draft.get("payments", movement.payment_id)
    whole = {name: sign * movement.amount for name, sign in fields.items()}
    draft.put(payment.moved(**whole).restated())
    for part in movement.allocations:
        bag: Bag = draft.get("bags", part.bag_id)
        moved = bag.moved(**{name: sign * part.amount for name, sign in fields.items()})
        for_less = bag.worth_refunded + less * part.amount
        known = for_less or bag.worth_refunded
        draft.put(with_refunded(moved, for_less) if known else moved)


def with_refunded(bag: Bag, for_less: int) -> Bag:
    """The bag with so much given back since it is worth less, which is no more than all that is."""
    most = bag.refunded + bag.refund_pending
    return msgspec.structs.replace(bag, worth_refunded=max(0, min(for_less, most)))


def _for_less(draft: Draft, transaction: Transaction) -> int:
    """Tell 1 where a movement gives back what an order is not worth any more, else 0."""
    if transaction.refund_id is None or not draft.before.opened("refunds"):
        return 0
    promise = draft.get("refunds", transaction.refund_id)
    return int(promise is not None and promise.for_less)


def reserve(draft: Draft, transaction: Transaction) -> None:
    """Set the amount aside while the provider is asked."""
    if transaction.type in _RESERVED:
        less = _for_less(draft, transaction)
        _shift(draft, transaction, {_RESERVED[transaction.type]: 1}, less=less)
    draft.add(transaction)


def book(draft: Draft, transaction: Transaction) -> None:
    """Book a movement that is known to have happened, with nothing reserved before."""
    if transaction.type == "REFUND_REVERSAL":
        _shift(draft, transaction, {"refunded": -1}, less=-_for_less(draft, transaction))
    elif transaction.amount:
        less = _for_less(draft, transaction)
        _shift(draft, transaction, {_BOOKED[transaction.type]: 1}, less=less)
    draft.add(transaction)


def settle_reserved(draft: Draft, transaction: Transaction) -> None:
    """Turn a reservation into the movement."""
    if transaction.type in _RESERVED:
        _shift(draft, transaction, {_RESERVED[transaction.type]: -1, _BOOKED[transaction.type]: 1})
    elif transaction.amount:
        _shift(draft, transaction, {_BOOKED[transaction.type]: 1})


def release(draft: Draft, transaction: Transaction) -> None:
    """Give a reservation back: nothing moved."""
    if transaction.type in _RESERVED:
        less = -_for_less(draft, transaction)
        _shift(draft, transaction, {_RESERVED[transaction.type]: -1}, less=less)


def with_hold(payment: Payment, expires_at: datetime | None) -> Payment:
    """The payment with its clock set anew: first due when it is told that it will expire."""
    if expires_at is None:
        return without_hold(payment)
    held: Payment = msgspec.structs.replace(payment, expires_at=expires_at, warned_at=None)
    return msgspec.structs.replace(held, due_at=held.warn_at or expires_at)


def set_aside(draft: Draft, promise: Refund) -> None:
    """Reserve what a refund would give back, while somebody decides about it. [faults R-7]"""
    for part in promise.plan:
        _shift(draft, part, {"refund_pending": 1}, less=int(promise.for_less))


def let_go(draft: Draft, promise: Refund) -> None:
    """Give such a reservation back."""
    for part in promise.plan:
        _shift(draft, part, {"refund_pending": -1}, less=-int(promise.for_less))


def without_hold(payment: Payment) -> Payment:
    """The payment with its expiry clock stopped."""
    return msgspec.structs.replace(payment, expires_at=None, due_at=None)
