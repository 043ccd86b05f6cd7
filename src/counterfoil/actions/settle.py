"""Turn a provider's answer into what it means for the order."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.actions.authorized import acknowledged, authorized, compensate, sent_back
from counterfoil.actions.cancel import advance_cancellation, fail_cancellation
from counterfoil.actions.capture import captured
from counterfoil.actions.decide_refund import send_waiting
from counterfoil.actions.refund import merchant_of, refund_failed, refunded
from counterfoil.actions.void import voided
from counterfoil.kernel.ids import new_id
from counterfoil.order.attention import ATTENTION, call_person, clear_attention
from counterfoil.order.change import Change, Lease
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import PENDING, Answer, Outcome
from counterfoil.order.intent import Asked
from counterfoil.order.moves import release, settle_reserved
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.transaction import UNSETTLED, Transaction

#: Seconds until an unclear outcome is asked about again, by the number of tries. [faults §1]
ASK_AGAIN_S = (5, 30, 120, 600, 3600)
#: While the shopper decides: up to which age in seconds, how many seconds apart.
ASK_SHOPPER_S = ((300, 30), (3600, 60), (24 * 3600, 300), (None, 3600))
#: What a provider calls a payment that the shopper did not finish.
LEFT_BY_SHOPPER = ("abandoned", "expired")
ALREADY_CAPTURED = "already_captured"
_WITH_FEE = ("CAPTURE", "REFUND")


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
    "returns",
    "fraud_reviews",
    "merchants",
    "tasks",
    "drift_lines",
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
    payment = next(p for p in folder.payments if p.id == row.payment_id)
    shopper = waits_for_shopper(payment, row, answer)
    if shopper and answer.redirect_url in (None, payment.redirect_url):
        return Change.none(folder, row)
    if not shopper and unclear and (row.status == "UNKNOWN" or turned_away):
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
    if shopper:
        row = _send_shopper(draft, payment, row, answer)
    elif unclear:
        row = _lose_sight(draft, row, answer)
    else:
        decide(draft, row, answer, asked)
    return draft.change(row)


def waits_for_shopper(payment: Payment, row: Transaction, answer: Answer) -> bool:
    """Tell whether the provider waits for the shopper, who has a page to confirm at.

    That is no lost answer: everybody knows how things stand. [rulings 22]
    """
    if row.type != "AUTHORIZE" or answer.outcome != Outcome.UNKNOWN:
        return False
    page = answer.redirect_url or payment.redirect_url
    return answer.error_code == PENDING and page is not None


def _send_shopper(draft: Draft, payment: Payment, row: Transaction, answer: Answer) -> Transaction:
    """Keep what the provider calls it and where the shopper confirms; the row stays as it is."""
    waiting: Payment = msgspec.structs.replace(
        payment,
        provider_reference=answer.payment_reference or payment.provider_reference,
        redirect_url=answer.redirect_url,
    )
    draft.put(waiting)
    due = draft.at + timedelta(seconds=ASK_SHOPPER_S[0][1])
    row = _put(draft, row, due_at=due)
    draft.fact("payment.action_required", waiting, transaction_id=row.id)
    return row


def _lose_sight(draft: Draft, row: Transaction, answer: Answer) -> Transaction:
    """Nobody knows for the moment: the amount stays reserved, and the provider is asked."""
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
        merchant=merchant_of(draft.before, row.bag_id),
    )
    return row


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
        fee=answer.fee if done and row.type in _WITH_FEE else row.fee,
    )
    if done:
        settle_reserved(draft, new)
        _succeeded(draft, new, answer, asked)
        sent_back(draft, new)
    else:
        release(draft, new)
        _failed(draft, new)
    _nobody_needed(draft, new)
    _go_on_cancelling(draft, asked)
    if done and row.type in ("AUTHORIZE", "CAPTURE"):
        compensate(draft, new, asked)


def _succeeded(draft: Draft, row: Transaction, answer: Answer, asked: Asked) -> None:
    match row.type:
        case "AUTHORIZE":
            authorized(draft, row, answer, asked)
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


def _failed(draft: Draft, row: Transaction) -> None:
    if row.type == "REFUND":
        refund_failed(draft, row)
        return
    payment: Payment = draft.get("payments", row.payment_id)
    if row.type == "AUTHORIZE":
        left = row.error_code in LEFT_BY_SHOPPER and payment.reference is None
        status = "ABANDONED" if left else "DECLINED"
        draft.put(msgspec.structs.replace(payment, status=status, redirect_url=None))
    if row.type != "VOID" or not _release_failed(draft, row):
        draft.fact("payment.failed", row)


def _release_failed(draft: Draft, row: Transaction) -> bool:
    """Call a person where a refused release leaves the shopper charged or held twice.

    Whether money goes back that was taken meanwhile is theirs to decide: a refund is proposed and
    not sent. [faults V-1]
    """
    proposed: dict[str, Any] | None = None
    if row.error_code == ALREADY_CAPTURED:
        proposed = {"action": "refund", "amount": row.amount}
    elif any(p.renews == row.payment_id and p.authorized for p in draft.section("payments")):
        proposed = {"action": "void", "amount": row.amount}
    if proposed is None:
        return False
    draft.fact("payment.failed", row, proposed=proposed["action"])
    call_person(
        draft,
        ATTENTION,
        payment_id=row.payment_id,
        reason="release_failed",
        error_code=row.error_code,
        transaction_id=row.id,
        proposed=proposed,
    )
    return True


def _nobody_needed(draft: Draft, row: Transaction) -> None:
    """What a person was called for has settled by itself. [rulings 26]"""
    payment: Payment = draft.get("payments", row.payment_id)
    if payment.attention and payment.attention.get("transaction_id") == row.id:
        clear_attention(draft, payment.id)
        send_waiting(draft)


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
