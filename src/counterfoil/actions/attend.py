"""Call a person to a payment that the program cannot settle by itself."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.order.attention import ATTENTION, call_person
from counterfoil.order.change import Change, Lease
from counterfoil.order.draft import Draft
from counterfoil.order.drift import DriftLine
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.transaction import Transaction

#: Why a person is called, and seconds until the row is due again: to ask, never to send.
AGAIN_S = {
    "outcome_unknown": 3600,
    "provider_differs": 3600,
    "cannot_be_settled": 24 * 3600,
    "cannot_expire": 24 * 3600,
}


@opens("bags", "payments", "transactions")
def attend(
    folder: Folder, *, asked: Asked, payment_id: str, reason: str, lease: Lease,
    theirs: int | None = None,
) -> Change:
    """Mark the payment: money actions on it are refused until somebody has decided.

    The leased row is a transaction or the payment itself; `theirs` is the provider's amount where
    it differs; that is a line of the drift report, too. A task says that somebody has to decide.
    Nothing to write where it is marked already. [faults P-7, P-8, V4; rulings 26]
    """
    payment = next(p for p in folder.payments if p.id == payment_id)
    if payment.attention is not None:
        return Change.none(folder, payment)
    draft = Draft(folder, asked.actor)
    draft.lease = lease
    again = draft.at + timedelta(seconds=AGAIN_S[reason])
    row = next((t for t in folder.transactions if t.id == lease.id), None)
    attention: dict[str, Any] = {
        "reason": reason,
        "transaction_id": None if row is None else row.id,
        "ours": None if row is None else {"type": row.type, "amount": row.amount},
        "theirs": theirs,
        "since": draft.at.isoformat(),
    }
    if row is not None:
        draft.put(msgspec.structs.replace(row, due_at=again))
    draft.put(msgspec.structs.replace(
        payment, attention=attention, due_at=again if row is None else payment.due_at))
    call_person(draft, ATTENTION, payment_id=payment.id, **attention)
    if row is not None and theirs is not None and theirs != row.amount:
        draft.add(_drift(draft, payment, row, theirs))
    draft.fact("payment.attention", payment, attention=attention)
    return draft.change(payment)


def _drift(draft: Draft, payment: Payment, row: Transaction, theirs: int) -> DriftLine:
    return DriftLine(
        id=new_id(),
        gateway=payment.gateway,
        kind="amount_differs",
        order_id=payment.order_id,
        payment_id=payment.id,
        transaction_id=row.id,
        reference=row.id,
        gateway_transaction_id=row.gateway_transaction_id,
        currency=row.currency,
        ours=row.amount,
        theirs=theirs,
        detail=row.type,
        created_at=draft.at,
    )
