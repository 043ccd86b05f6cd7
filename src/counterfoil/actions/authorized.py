"""What follows when a gateway holds money, or has taken it, and when that comes too late."""

import msgspec

from counterfoil.actions.hold import release_if_paid
from counterfoil.actions.send_back import give_back, part_of, release
from counterfoil.kernel.ids import new_id
from counterfoil.order.attention import COMPENSATION, REAUTHORISE, call_person, finish_tasks
from counterfoil.order.draft import Draft
from counterfoil.order.gateway import Answer
from counterfoil.order.intent import Asked, hold_until
from counterfoil.order.moves import allocate, with_hold
from counterfoil.order.payment import Payment
from counterfoil.order.transaction import Transaction


def authorized(draft: Draft, row: Transaction, answer: Answer, asked: Asked) -> None:
    """The provider holds the money; a `payment` flow has taken it in the same breath.

    The provider's own word on how long it holds comes before ours. [rulings 24]
    """
    payment: Payment = draft.get("payments", row.payment_id)
    expires = None
    if not asked.instant:
        expires = answer.expires_at or hold_until(draft, payment, draft.at)
    held = msgspec.structs.replace(
        payment,
        provider_reference=answer.payment_reference or payment.provider_reference,
        authorized_at=draft.at,
        redirect_url=None,
    )
    draft.put(with_hold(held, expires))
    draft.fact("payment.authorized", row)
    if payment.flow == "payment":
        capture_at_once(draft, row, fee=answer.fee)
    if payment.renews is not None:
        _release_renewed(draft, payment.renews, asked)
    release_if_paid(draft)


def capture_at_once(draft: Draft, row: Transaction, *, fee: int | None = None) -> None:
    """Book the capture of a `payment` flow beside its authorisation. [domain.md §5]"""
    taken = msgspec.structs.replace(
        row,
        id=new_id(),
        type="CAPTURE",
        status="SUCCEEDED",
        fee=fee,
        settled_at=draft.at,
        due_at=None,
        lease_token=None,
        lease_until=None,
        credential=None,
        idempotency_key=None,
    )
    settled = draft.get("payments", row.payment_id).moved(captured=row.amount).restated()
    draft.put(settled)
    for part in row.allocations:
        draft.put(draft.get("bags", part.bag_id).moved(captured=part.amount))
    draft.add(taken)
    draft.fact("payment.captured", taken)


def acknowledged(draft: Draft, row: Transaction) -> None:
    """The hold is kept: the expiry clock stops. [Z-15, rulings 24]"""
    payment: Payment = draft.get("payments", row.payment_id)
    draft.put(
        msgspec.structs.replace(payment, acknowledged_at=draft.at, expires_at=None, due_at=None)
    )
    draft.fact("payment.acknowledged", row)


def compensate(draft: Draft, row: Transaction, asked: Asked) -> None:
    """Send back at once what succeeded on an order that was cancelled meanwhile. [A-3, rulings 27]

    What is held is released, what was taken is refunded under `late-<transaction id>`; the worker
    sends it, and a task stays open until it has gone back.
    """
    if draft.order.system_state != "CANCELED":
        return
    payment: Payment = draft.get("payments", row.payment_id)
    sent = []
    if payment.open > 0:
        sent.append(_release_all(draft, payment, asked))
    payment = draft.get("payments", row.payment_id)
    back = min(row.amount, payment.refundable)
    if back > 0:
        sent.append(_give_back(draft, payment, row, back, asked))
    waiting = [one.id for one in sent if one.status == "PENDING"]
    if waiting:
        call_person(
            draft,
            COMPENSATION,
            payment_id=payment.id,
            transaction_id=row.id,
            amount=sum(one.amount for one in sent),
            currency=row.currency,
            sent=waiting,
        )


def sent_back(draft: Draft, row: Transaction) -> None:
    """End the task of a compensation when the last of it has gone back."""
    unsettled = {one.id for one in draft.section("transactions") if one.settled_at is None}

    def is_over(context: dict[str, list[str]]) -> bool:
        sent = context.get("sent", [])
        return row.id in sent and unsettled.isdisjoint(sent)

    finish_tasks(draft, COMPENSATION, lambda task: is_over(task.context))


def _release_renewed(draft: Draft, renewed_id: str, asked: Asked) -> None:
    """A newer hold took the place of this payment's: release what is open of it."""
    renewed: Payment = draft.get("payments", renewed_id)
    finish_tasks(draft, REAUTHORISE, lambda task: task.payment_id == renewed_id)
    if renewed.open > 0 and draft.order.system_state != "CANCELED":
        _release_all(draft, renewed, asked)


def _release_all(draft: Draft, payment: Payment, asked: Asked) -> Transaction:
    bags = [bag for bag in draft.section("bags") if bag.open > 0]
    shares = allocate(payment.open, bags, "open")
    return release(draft, payment, shares, _for_the_worker(asked))


def _give_back(
    draft: Draft, payment: Payment, late: Transaction, amount: int, asked: Asked
) -> Transaction:
    promise = give_back(
        draft,
        [part_of(draft, payment, amount)],
        _for_the_worker(asked),
        reference=f"late-{late.id}",
        reason="It succeeded after the order had been cancelled.",
    )
    row: Transaction = next(
        one for one in draft.section("transactions") if one.refund_id == promise.id
    )
    return row


def _for_the_worker(asked: Asked) -> Asked:
    """Due at once and leased to nobody: what follows of itself answers no request."""
    return msgspec.structs.replace(asked, key=None, lease=None, instant=False)
