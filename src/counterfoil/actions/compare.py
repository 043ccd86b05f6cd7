"""Lay a provider's statement beside our movements of a payment, and tell what differs.

A movement of ours is found by our reference (its id), then by the provider's id, then, among what
is left over and never had a provider's id, by kind and amount. A statement of totals alone is
compared by difference. Nothing is decided here. [U-27, rulings 26, faults P-2, R-4]
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from counterfoil.order.gateway import Movement, Statement
from counterfoil.order.payment import Payment
from counterfoil.order.transaction import UNSETTLED, Transaction

#: So long after it was booked a movement may still be missing from the provider's statement.
LAG = timedelta(minutes=10)
#: The order in which movements of one moment are booked; others are no movements of money.
KINDS = ("AUTHORIZE", "CAPTURE", "VOID", "EXPIRE", "REFUND")
_RELEASES = ("VOID", "EXPIRE")


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A movement that the provider has and we do not; without an id it is a difference."""

    kind: str
    amount: int
    gateway_transaction_id: str | None = None
    at: datetime
    fee: int | None = None


class Pair(msgspec.Struct, frozen=True):
    """A movement of ours and the same one as the provider tells it."""

    row: Transaction
    movement: Movement


class Compared(msgspec.Struct, kw_only=True):
    """What a statement says beyond, or against, what we hold.

    `proven`: unsettled here, decided there. `bounced`: booked here, failed there. `differing`:
    over another amount there. `waiting`: something is on its way on either side, so that totals
    and what is missing prove nothing yet.
    """

    proven: list[Pair] = []
    bounced: list[Pair] = []
    differing: list[Pair] = []
    missing_here: list[Missing] = []
    missing_there: list[Transaction] = []
    less_there: dict[str, tuple[int, int]] = {}
    waiting: bool = False


def compare(
    payment: Payment, rows: Sequence[Transaction], statement: Statement, at: datetime
) -> Compared:
    """Compare the movements of a payment, `rows`, with the provider's account of it."""
    if statement.itemised:
        return _by_movement(payment, rows, statement, at)
    return _by_total(payment, rows, statement, at)


def is_about(payment: Payment, rows: Sequence[Transaction], statement: Statement) -> bool:
    """Tell whether a statement is about this payment.

    It is where we know the payment by its name; otherwise only our own reference on its
    authorisation shows it.
    """
    if payment.provider_reference is not None:
        return payment.provider_reference == statement.payment_reference
    first = {row.id for row in rows if row.type == "AUTHORIZE"}
    return any(
        one.kind == "AUTHORIZE" and one.our_reference in first for one in statement.movements
    )


def _by_movement(
    payment: Payment, rows: Sequence[Transaction], statement: Statement, at: datetime
) -> Compared:
    found = Compared()
    pairs, left = _paired(rows, statement.movements)
    for pair in pairs:
        _judge(found, pair)
    taken = {pair.row.id for pair in pairs}
    free = [row for row in rows if row.id not in taken]
    for movement in left:
        if movement.status == "pending":
            found.waiting = True
        elif movement.status == "succeeded" and movement.kind in KINDS:
            _not_here(found, movement, free)
    for row in free:
        if row.status in UNSETTLED:
            found.waiting = True
        elif _should_be_there(row):
            if row.settled_at is not None and at - row.settled_at < LAG:
                found.waiting = True
            else:
                found.missing_there.append(row)
    found.missing_here.sort(key=lambda one: (one.at, KINDS.index(one.kind)))
    return found


def _paired(
    rows: Sequence[Transaction], movements: Sequence[Movement]
) -> tuple[list[Pair], list[Movement]]:
    """Pair by reference, then by the provider's id; list what is left over of theirs."""
    pairs: list[Pair] = []
    taken: set[str] = set()
    left: list[Movement] = []
    for movement in sorted(movements, key=lambda one: one.at):
        ours = [
            row
            for row in rows
            if row.type == movement.kind
            and row.id not in taken
            and _names(row, movement)
        ]
        ours.sort(key=lambda row: (row.status == "FAILED", row.id != movement.our_reference))
        if not ours and movement.kind == "AUTHORIZE":
            ours = [row for row in rows if row.type == "AUTHORIZE" and row.id not in taken]
        if not ours or (ours[0].status == "FAILED" and movement.status == "succeeded"):
            left.append(movement)
            continue
        taken.add(ours[0].id)
        pairs.append(Pair(ours[0], movement))
    return pairs, left


def _names(row: Transaction, movement: Movement) -> bool:
    if row.id == movement.our_reference:
        return True
    return row.gateway_transaction_id == movement.gateway_transaction_id


def _judge(found: Compared, pair: Pair) -> None:
    row, movement = pair.row, pair.movement
    if movement.status == "pending":
        found.waiting = True
    elif row.status in UNSETTLED:
        same = row.amount in (movement.amount, 0)
        (found.proven if same else found.differing).append(pair)
    elif row.status == "SUCCEEDED" and movement.status == "failed":
        found.bounced.append(pair)
    elif row.status == "SUCCEEDED" and row.amount != movement.amount:
        found.differing.append(pair)


def _not_here(found: Compared, movement: Movement, free: list[Transaction]) -> None:
    """Add what is missing, unless it is, or may be, one of ours that has no name there yet."""
    kinds = _RELEASES if movement.kind in _RELEASES else (movement.kind,)
    alike = [row for row in free if row.type in kinds and row.amount == movement.amount]
    same = next(
        (r for r in alike if r.status == "SUCCEEDED" and r.gateway_transaction_id is None), None
    )
    unnamed = [
        r for r in free
        if r.type in kinds and r.status == "SUCCEEDED" and r.gateway_transaction_id is None
    ]
    if same is not None:
        free.remove(same)
    elif kinds == _RELEASES and sum(row.amount for row in unnamed) == movement.amount:
        # What expired there at once may have been given up here in parts, without a name there.
        for row in unnamed:
            free.remove(row)
    elif movement.our_reference is None and any(row.status in UNSETTLED for row in alike):
        found.waiting = True
    else:
        found.missing_here.append(
            Missing(
                kind=movement.kind,
                amount=movement.amount,
                gateway_transaction_id=movement.gateway_transaction_id,
                at=movement.at,
                fee=movement.fee,
            )
        )


def _should_be_there(row: Transaction) -> bool:
    """Whether the provider has to know it: it was sent there, and took effect."""
    sent = row.type in ("AUTHORIZE", "CAPTURE", "VOID", "REFUND") and row.source != "import"
    return row.status == "SUCCEEDED" and sent


def _by_total(
    payment: Payment, rows: Sequence[Transaction], statement: Statement, at: datetime
) -> Compared:
    found = Compared()
    unsettled = [row for row in rows if row.status in UNSETTLED]
    if unsettled:
        found.waiting = True
        row = next((row for row in unsettled if row.type == "AUTHORIZE"), None)
        if row is not None and statement.authorized == row.amount:
            found.proven.append(Pair(row, _authorised(row, statement)))
        return found
    fresh = any(row.settled_at is not None and at - row.settled_at < LAG for row in rows)
    ours, theirs = totals(payment), totals_there(statement)
    kinds = {
        "authorized": "AUTHORIZE",
        "captured": "CAPTURE",
        "released": "VOID" if statement.voided > payment.voided else "EXPIRE",
        "refunded": "REFUND",
    }
    for name, kind in kinds.items():
        more = theirs[name] - ours[name]
        if more > 0:
            found.missing_here.append(Missing(kind=kind, amount=more, at=at))
        elif more < 0 and fresh:
            found.waiting = True
        elif more < 0 and not (name == "released" and -more <= payment.expired):
            found.less_there[name] = (ours[name], theirs[name])
    return found


def _authorised(row: Transaction, statement: Statement) -> Movement:
    """What a statement of totals proves: there is one authorisation, and this is it."""
    return Movement(
        kind="AUTHORIZE",
        amount=statement.authorized,
        gateway_transaction_id=row.gateway_transaction_id or statement.payment_reference,
        our_reference=row.id,
        at=row.created_at,
    )


def totals(payment: Payment) -> dict[str, int]:
    """Tell what we hold as authorised, taken, released and given back."""
    return {
        "authorized": payment.authorized,
        "captured": payment.captured,
        "released": payment.voided + payment.expired,
        "refunded": payment.refunded,
    }


def totals_there(statement: Statement) -> dict[str, int]:
    """Tell what the provider holds as authorised, taken, released and given back."""
    return {
        "authorized": statement.authorized,
        "captured": statement.captured,
        "released": statement.voided + statement.expired,
        "refunded": statement.refunded,
    }
