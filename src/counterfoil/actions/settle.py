"""Turn a provider's answer into what it means for the order."""

from datetime import timedelta

import msgspec

from counterfoil.actions.cancel import advance_cancellation, fail_cancellation
from counterfoil.actions.capture import captured
from counterfoil.actions.refund import merchant_of, refund_failed, refunded
from counterfoil.actions.void import voided
from counterfoil.kernel.ids import new_id
from counterfoil.order.change import Change, Lease
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Answer, Outcome
from counterfoil.order.intent import Asked, hold_until
from counterfoil.order.moves import release, settle_reserved
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.transaction import UNSETTLED, Transaction

#: Seconds until an unclear outcome is asked about again, by the number of tries. [faults §1]
ASK_AGAIN_S = (5, 30, 120, 600, 3600)


@opens(
    "bags",
    "items",
    "payments",
    "gateways",
    "refunds",
    "transactions",
    "cancellations",
    "shipments",
    "holds",
    "notes",
    "merchants",
)
def settle(
    folder: Folder,
    *,
    asked: Asked,
    transaction_id: str,
    answer: Answer,
    lease: str,
    asking: bool = False,
) -> Change:
    """Book or release what was reserved, or keep it reserved where the answer is not clear.

    `asking`: the provider was asked what became of it; that it knows nothing (yet) is not clear.
    Writes only for the holder of the lease. Nothing to write where the row is settled already or
    the answer adds nothing to what is known. [faults §1, P-2, rulings 3, 11, 27]
    """
    row = next(t for t in folder.transactions if t.id == transaction_id)
    if row.status not in UNSETTLED:
        return Change.none(folder, row)
    unclear = answer.outcome in (Outcome.UNKNOWN, Outcome.NOT_EXECUTED)
    turned_away = answer.outcome == Outcome.NOT_EXECUTED and not asking
    if unclear and (row.status == "UNKNOWN" or turned_away):
        return Change.none(folder, row)
    draft = Draft(folder, asked.actor)
    draft.lease = Lease("transactions", row.id, lease)
    draft.calls.append(
        {
            "id": new_id(),
            "order_id": row.order_id,
            "transaction_id": row.id,
            "purpose": "ASK" if asking else row.type,
            "outcome": answer.outcome,
            "raw": answer.raw,
            "at": draft.at,
        }
    )
    if unclear:
        row = _put(
            draft,
            row,
            status="UNKNOWN",
            error_code=answer.error_code,
            error_message=answer.error_message,
            due_at=draft.at + timedelta(seconds=ASK_AGAIN_S[0]),
        )
        draft.set_order(unknown_pending=draft.order.unknown_pending + row.amount)
        draft.fact(
            "refund.unknown" if row.type == "REFUND" else "payment.unknown",
            row,
            merchant=merchant_of(folder, row.bag_id),
        )
    else:
        decide(draft, row, answer, asked)
    return draft.change(row)


def _put(draft: Draft, row: Transaction, **fields: object) -> Transaction:
    new = msgspec.structs.replace(row, **fields)
    draft.put(new)
    return new


def decide(draft: Draft, row: Transaction, answer: Answer, asked: Asked) -> None:
    """Book what a definitive answer says of an unsettled movement, and what follows from it."""
    if row.status == "UNKNOWN":
        draft.set_order(unknown_pending=draft.order.unknown_pending - row.amount)
    done = answer.outcome == Outcome.SUCCEEDED
    new = _put(
        draft,
        row,
        status="SUCCEEDED" if done else "FAILED",
        settled_at=draft.at,
        due_at=None,
        gateway_transaction_id=answer.gateway_transaction_id or row.gateway_transaction_id,
        error_code=None if done else answer.error_code or "declined",
        error_message=None if done else answer.error_message,
    )
    if done:
        settle_reserved(draft, new)
        _succeeded(draft, new, answer, asked)
    else:
        release(draft, new)
        _failed(draft, new)
    _nobody_needed(draft, new)
    _go_on_cancelling(draft, asked)


def _succeeded(draft: Draft, row: Transaction, answer: Answer, asked: Asked) -> None:
    match row.type:
        case "AUTHORIZE":
            authorized(draft, row, answer)
        case "ACKNOWLEDGE":
            acknowledged(draft, row)
        case "CAPTURE":
            captured(draft, row, asked)
        case "VOID" if row.cancellation_id is None:
            voided(draft, row)
        case "VOID":
            draft.fact("payment.voided", row)
        case "REFUND":
            refunded(draft, row)


def authorized(draft: Draft, row: Transaction, answer: Answer) -> None:
    """The provider holds the money; a `payment` flow has taken it in the same breath."""
    payment: Payment = draft.get("payments", row.payment_id)
    draft.put(
        msgspec.structs.replace(
            payment.restated()
            if payment.status != "CREATED"
            else msgspec.structs.replace(payment, status="AUTHORIZED"),
            provider_reference=answer.payment_reference or payment.provider_reference,
            authorized_at=draft.at,
            expires_at=(expires := hold_until(draft, payment, draft.at)),
            due_at=expires,
        )
    )
    draft.fact("payment.authorized", row)
    if payment.flow == "payment":
        capture_at_once(draft, row)


def capture_at_once(draft: Draft, row: Transaction) -> None:
    """Book the capture of a `payment` flow beside its authorisation. [domain.md §5]"""
    taken = msgspec.structs.replace(
        row,
        id=new_id(),
        type="CAPTURE",
        status="SUCCEEDED",
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


def _failed(draft: Draft, row: Transaction) -> None:
    if row.type == "REFUND":
        refund_failed(draft, row)
        return
    if row.type == "AUTHORIZE":
        payment: Payment = draft.get("payments", row.payment_id)
        draft.put(msgspec.structs.replace(payment, status="DECLINED"))
    draft.fact("payment.failed", row)


def _nobody_needed(draft: Draft, row: Transaction) -> None:
    """What a person was called for has settled by itself. [rulings 26]"""
    payment: Payment = draft.get("payments", row.payment_id)
    if payment.attention and payment.attention.get("transaction_id") == row.id:
        draft.put(msgspec.structs.replace(payment, attention=None))


def _go_on_cancelling(draft: Draft, asked: Asked) -> None:
    """Take the plan's next steps, or end it when one was refused. [rulings 27]

    After a refusal no step is begun and the plan ends with the last one that is on its way, so
    that what it says of both amounts is all there was.
    """
    plan = next((c for c in draft.section("cancellations") if c.status == "PROCESSING"), None)
    if plan is None:
        return
    steps = [t for t in draft.section("transactions") if t.cancellation_id == plan.id]
    if not any(step.status == "FAILED" for step in steps):
        advance_cancellation(draft, plan, asked)
    elif not any(step.status in UNSETTLED for step in steps):
        fail_cancellation(draft, plan)
