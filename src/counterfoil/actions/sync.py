"""Bring a payment to what the provider says of it: settle, append what is missing, or ask a person.

Amounts come from the provider's statement alone. What the provider did beyond our limits is not
booked: a person decides. [U-27, rulings 26, domain.md §6]
"""

import msgspec

from counterfoil.actions.capture import captured
from counterfoil.actions.compare import (
    Compared,
    Missing,
    Pair,
    compare,
    is_about,
    totals,
    totals_there,
)
from counterfoil.actions.differing import Difference, agree, differ
from counterfoil.actions.refund import refund_reversed
from counterfoil.actions.settle import decide
from counterfoil.actions.void import voided
from counterfoil.kernel.ids import new_id
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Answer, Outcome, Statement
from counterfoil.order.intent import Asked
from counterfoil.order.moves import allocate, book
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.refund import Refund
from counterfoil.order.transaction import Allocation, Transaction

SYNC = "sync"
#: What bounds each kind of movement, on the payment and on the bags.
_BOUND = {"CAPTURE": "open", "VOID": "open", "EXPIRE": "open", "REFUND": "refundable"}


class Synced(msgspec.Struct, frozen=True, kw_only=True):
    """What one comparison did: how many movements were added, and which one was settled.

    `differs`: the two sides do not agree, and a person was or is called. `waiting`: something is
    on its way on either side.
    """

    found: int = 0
    settled: str | None = None
    differs: bool = False
    waiting: bool = False


@opens(
    "bags", "items", "payments", "gateways", "refunds", "transactions", "cancellations",
    "shipments", "holds", "notes", "returns", "merchants", "tasks", "drift_lines", "fraud_reviews",
)  # fmt: skip
def sync(
    folder: Folder, *, asked: Asked, payment_id: str, statement: Statement,
    reconciliation_id: str | None = None,
) -> Change:
    """Bring a payment to what its provider's statement says. The result is a `Synced`.

    One movement is settled at a time, because each may carry a request's answer; the caller
    repeats until none is. Nothing to write where both sides agree, and where what differs was
    told before. Never raises: what cannot be booked is told. [P-2, P-8]
    """
    payment = next(one for one in folder.payments if one.id == payment_id)
    rows = [row for row in folder.transactions if row.payment_id == payment_id]
    if not is_about(payment, rows, statement):
        return Change.none(folder, Synced(waiting=True))
    draft = Draft(folder, asked.actor)
    if statement.currency != payment.currency:
        detail = f"It is in {statement.currency} there, in {payment.currency} here."
        wrong = [Difference(kind="currency_differs", detail=detail)]
        return _told(draft, payment, statement, wrong, reconciliation_id)
    compared = compare(payment, rows, statement, folder.at)
    if compared.proven:
        return _settled(draft, asked, payment, statement, compared.proven[0])
    found, wrong = _bring(draft, asked, payment, compared)
    wrong += _still_differing(draft.get("payments", payment.id), statement, compared, wrong)
    if found:
        _stamp(draft, payment)
        draft.fact("payment.synced", draft.get("payments", payment.id), found=found, settled=0)
    waiting = compared.waiting
    return _told(draft, payment, statement, wrong, reconciliation_id,
                 Synced(found=found, waiting=waiting))


def _bring(
    draft: Draft, asked: Asked, payment: Payment, compared: Compared
) -> tuple[int, list[Difference]]:
    """Append what is missing here, in the order in which it happened; tell what cannot be."""
    found, wrong = 0, list[Difference]()
    for pair in compared.bounced:
        if pair.row.type != "REFUND":
            wrong.append(_difference("missing_there", pair.row, theirs=0))
        elif refund_reversed(draft, pair.row, draft.at) is not None:
            found += 1
    for missing in compared.missing_here:
        if _fits(draft.get("payments", payment.id), missing):
            _append(draft, asked, payment, missing)
            found += 1
        elif compared.waiting:
            break  # what is on its way may have taken the place; the next run knows more
        else:
            left = getattr(draft.get("payments", payment.id), _BOUND.get(missing.kind, "open"))
            wrong.append(Difference(
                kind="beyond_our_limits", ours=left, theirs=missing.amount, movement=missing.kind,
                gateway_transaction_id=missing.gateway_transaction_id,
            ))
    wrong += [_difference("amount_differs", pair.row, pair.movement.amount)
              for pair in compared.differing]
    wrong += [_difference("missing_there", row, theirs=0) for row in compared.missing_there]
    wrong += [
        Difference(kind="amount_differs", movement=name, ours=ours, theirs=theirs)
        for name, (ours, theirs) in compared.less_there.items()
    ]
    return found, wrong


def _difference(kind: str, row: Transaction, theirs: int) -> Difference:
    return Difference(
        kind=kind, movement=row.type, ours=row.amount, theirs=theirs, transaction_id=row.id,
        gateway_transaction_id=row.gateway_transaction_id,
    )


def _fits(payment: Payment, missing: Missing) -> bool:
    bound = _BOUND.get(missing.kind)
    return bound is not None and missing.amount <= getattr(payment, bound)


def _append(draft: Draft, asked: Asked, payment: Payment, missing: Missing) -> None:
    """Book a movement that happened at the provider without us. [U-27]"""
    row = Transaction(
        id=new_id(),
        order_id=draft.order.id,
        payment_id=payment.id,
        type=missing.kind,
        status="SUCCEEDED",
        amount=missing.amount,
        currency=payment.currency,
        allocations=_shares(draft, missing),
        gateway_transaction_id=missing.gateway_transaction_id,
        fee=missing.fee,
        source=SYNC,
        actor=asked.actor.told(),
        created_at=min(missing.at, draft.at),
        settled_at=draft.at,
    )
    match missing.kind:
        case "CAPTURE":
            book(draft, row)
            captured(draft, row, msgspec.structs.replace(asked, instant=True, source=SYNC))
        case "VOID":
            book(draft, row)
            voided(draft, row)
        case "EXPIRE":
            book(draft, row)
            draft.fact("payment.expired", row)
        case "REFUND":
            _refund_outside(draft, row)


def _shares(draft: Draft, missing: Missing) -> list[Allocation]:
    left = _BOUND[missing.kind]
    bags = [bag for bag in draft.section("bags") if getattr(bag, left) > 0]
    return allocate(missing.amount, bags, left)


def _refund_outside(draft: Draft, row: Transaction) -> None:
    """Record a refund that was made at the provider, under a reference of its own."""
    parts = row.allocations
    refund = Refund(
        id=new_id(),
        order_id=row.order_id,
        bag_id=parts[0].bag_id if len(draft.section("bags")) == 1 else None,
        store=draft.order.store,
        reference=f"external-{row.id}",
        amount=row.amount,
        currency=row.currency,
        reason="Made at the provider.",
        status="EXTERNAL",
        allocations=parts,
        external_id=row.gateway_transaction_id,
        actor=row.actor,
        created_at=row.created_at,
        updated_at=draft.at,
    )
    draft.add(refund)
    book(draft, msgspec.structs.replace(row, refund_id=refund.id, reference=refund.reference))
    draft.fact("refund.succeeded", refund, transaction_id=row.id)


def _settled(
    draft: Draft, asked: Asked, payment: Payment, statement: Statement, pair: Pair
) -> Change:
    """Settle one movement as the statement proves it, and let go of whoever was asking."""
    done = pair.movement.status == "succeeded"
    told = pair.movement
    answer = Answer(
        outcome=Outcome.SUCCEEDED if done else Outcome.DECLINED,
        gateway_transaction_id=told.gateway_transaction_id if statement.itemised else None,
        payment_reference=statement.payment_reference,
        error_code=None if done else told.status,
        error_message=None if done else "The provider's statement says so.",
        amount=told.amount,
        expires_at=statement.expires_at,
        fee=told.fee,
    )
    row = pair.row
    draft.calls.append({
        "id": new_id(), "order_id": row.order_id, "transaction_id": row.id, "purpose": "SYNC",
        "outcome": answer.outcome, "raw": {"statement": msgspec.to_builtins(told)},
        "at": draft.at,
    })
    decide(draft, row, answer, msgspec.structs.replace(asked, source=SYNC, key=None, lease=None))
    now = draft.get("transactions", row.id)
    draft.put(msgspec.structs.replace(now, lease_token=None, lease_until=None))
    _stamp(draft, payment)
    draft.fact("payment.synced", draft.get("payments", payment.id), found=0, settled=1)
    return draft.change(Synced(settled=row.id))


def _stamp(draft: Draft, payment: Payment) -> None:
    now = draft.get("payments", payment.id)
    draft.put(msgspec.structs.replace(now, synced_at=draft.at))


def _still_differing(
    payment: Payment, statement: Statement, compared: Compared, wrong: list[Difference]
) -> list[Difference]:
    """Compare the totals once everything is booked that could be."""
    if compared.waiting or wrong or not statement.itemised:
        return []
    ours, theirs = totals(payment), totals_there(statement)
    return [
        Difference(kind="amount_differs", movement=name, ours=ours[name], theirs=theirs[name])
        for name in ours
        if ours[name] != theirs[name]
        and not (name == "released" and 0 < ours[name] - theirs[name] <= payment.expired)
    ]


def _told(
    draft: Draft, payment: Payment, statement: Statement, wrong: list[Difference],
    reconciliation_id: str | None, synced: Synced | None = None,
) -> Change:
    """Finish: call a person where the sides differ, send them home where they agree again."""
    synced = msgspec.structs.replace(synced or Synced(), differs=bool(wrong))
    if wrong:
        changed = differ(draft, payment, statement, wrong, reconciliation_id)
    else:
        changed = not synced.waiting and agree(draft, draft.get("payments", payment.id))
    if not (changed or synced.found):
        return Change.none(draft.before, synced)
    return draft.change(synced)
