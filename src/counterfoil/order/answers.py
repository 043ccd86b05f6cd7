"""Answers: what a command tells its client, now and at every repeat of its key.

They are made from the change alone, so they are written in the statement that has the effect.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from counterfoil.order.actor import Actor
from counterfoil.order.allowed import (
    payment_actions,
    refund_actions,
    return_actions,
    shipment_actions,
)
from counterfoil.order.cancellation import Cancellation
from counterfoil.order.change import Answered, Change
from counterfoil.order.edit_told import tell_done_edit
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import Return
from counterfoil.order.hold import Hold
from counterfoil.order.letter import Letter, tell_letter
from counterfoil.order.note import Note
from counterfoil.order.order import Order
from counterfoil.order.order_edit import OrderEdit
from counterfoil.order.payment import Payment
from counterfoil.order.problems import GatewayDeclined
from counterfoil.order.refund import Refund
from counterfoil.order.shipment import Shipment
from counterfoil.order.task import Task
from counterfoil.order.telling import tell_brief_to, tell_order
from counterfoil.order.telling_cancellation import tell_cancellation
from counterfoil.order.tells import (
    tell_note,
    tell_payment,
    tell_refund,
    tell_return,
    tell_shipment,
    tell_task,
    tell_transaction,
)
from counterfoil.order.transaction import UNSETTLED, Transaction

_encode = msgspec.json.Encoder().encode


def answer(change: Change, actor: Actor, *, created: bool = True) -> Answered:
    """Tell the result of a change: 201 where something was made, 200 where it was there already.

    Money that a provider refused is 402, money nobody knows about 202. [domain.md §10]
    """
    folder, result = change.after, change.result
    status = 201 if created and not change.nothing else 200
    match result:
        case Transaction(type="ACKNOWLEDGE" | "AUTHORIZE", status="SUCCEEDED"):
            return tell_whole(folder, actor, 200)
        case Transaction():
            return _money(
                result.status,
                result,
                folder,
                tell_transaction(result, tell_brief_to(folder, actor)),
                status,
            )
        case Refund():
            return _refund(result, folder, actor, status, change.inserts.get("transactions", []))
        case Cancellation():
            return _cancellation(result, folder, actor)
        case Shipment():
            shape = tell_shipment(result, shipment_actions(folder.order, result, actor))
            return _told(folder, shape, status)
        case Return():
            return _return(result, folder, actor, status, change.inserts.get("refunds", []))
        case OrderEdit():
            told_edit = tell_done_edit(change, tell_brief_to(folder, actor))
            where = f"/v1/orders/{folder.order.id}/edits/{result.position}"
            return _told(folder, told_edit, status, location=where if status == 201 else None)
        case Note():
            return _told(folder, tell_note(result), status)
        case Payment():
            return tell_payment_to(folder, result, _authorisation(change, result), actor)
        case Letter():
            return _told(folder, tell_letter(result), status)
        case Task():
            done = msgspec.structs.replace(tell_task(result), order_number=folder.order.number)
            return _told(folder, done, 200)
        case Order() | Hold():
            return tell_whole(folder, actor, status if change.seen == 0 else 200)
    raise AssertionError(f"nothing tells a {type(result).__name__}")


def rehearsed_refund(change: Change, actor: Actor, explanation: Sequence[str]) -> Answered:
    """Tell a refund as it would be, with a sentence for each figure; nothing was written."""
    promise: Refund = change.result
    rows: list[Any] = change.inserts.get("transactions", [])
    shape = tell_refund(
        promise,
        tell_brief_to(change.after, actor),
        [tell_transaction(row) for row in rows],
        refund_actions(promise, actor),
    )
    needed: Literal["needed", "not_needed"] = (
        "needed" if promise.waits_for_approval else "not_needed"
    )
    shape = msgspec.structs.replace(shape, approval=needed, explanation=list(explanation))
    return Answered(status=200, body=_encode(shape).decode())


def answer_to_settled(
    folder: Folder, row: Transaction, actor: Actor
) -> tuple[Answered, tuple[str, str]] | None:
    """Tell the request that a settled intent came from, if it waits for an answer.

    A cancellation is told when none of its steps is still to be answered: finished, or, while one
    is unknown or another request's movement is waited for, as running. So is a refund that goes
    through several payments. [rulings 11]
    """
    plan = next((c for c in folder.cancellations if c.id == row.cancellation_id), None)
    if plan is not None:
        steps = [t for t in folder.transactions if t.cancellation_id == plan.id]
        if plan.idempotency_key is None or any(step.status == "PENDING" for step in steps):
            return None
        return _cancellation(plan, folder, actor), (plan.credential or "", plan.idempotency_key)
    if row.idempotency_key is None:
        return None
    asked_by = (row.credential or "", row.idempotency_key)
    if row.type == "AUTHORIZE":
        payment = next(p for p in folder.payments if p.id == row.payment_id)
        if payment.created_at == folder.order.created_at:  # it came with the order
            return tell_whole(folder, actor, 201), asked_by
        return tell_payment_to(folder, payment, row, actor), asked_by
    if row.type == "ACKNOWLEDGE" and row.status == "SUCCEEDED":
        return tell_whole(folder, actor, 200), asked_by
    if row.type == "REFUND":
        promise = next(r for r in folder.refunds if r.id == row.refund_id)
        rows = [t for t in folder.transactions if t.refund_id == promise.id]
        if any(one.status == "PENDING" for one in rows):
            return None
        return _refund(promise, folder, actor, 201, rows), asked_by
    shape = tell_transaction(row, tell_brief_to(folder, actor))
    return _money(row.status, row, folder, shape, 201), asked_by


def answer_meanwhile(intent: Change, latest: Folder, actor: Actor) -> Answered:
    """Tell a request that can wait no longer what has become of its intent so far.

    `latest` is the order after what was heard until now.
    """
    match intent.result:
        case Refund(id=refund_id):
            promise = next(r for r in latest.refunds if r.id == refund_id)
            known: Sequence[Any] = intent.inserts.get("transactions", [])
            if latest.opened("transactions"):
                known = latest.transactions
            rows = [row for row in known if row.refund_id == refund_id]
            return _refund(promise, latest, actor, 201, rows)
        case Cancellation(id=plan_id):
            plan = next(c for c in latest.cancellations if c.id == plan_id)
            return _cancellation(plan, latest, actor)
        case Payment(id=payment_id):
            now = next(p for p in latest.payments if p.id == payment_id)
            return tell_payment_to(latest, now, _authorisation(intent, now), actor)
    return answer(intent, actor)


def tell_payment_to(
    folder: Folder, payment: Payment, row: Transaction, actor: Actor
) -> Answered:
    """Tell a new payment: 201 when it is held or waits for the shopper, 402 when it was refused.

    Until somebody knows it is 202. [rulings 22, faults A-1]
    """
    if payment.status in ("DECLINED", "ABANDONED"):
        return _money("FAILED", row, folder, None, 402)
    actions = payment_actions(folder.order, payment, actor)
    shape = tell_payment(payment, actions, tell_brief_to(folder, actor))
    status = 201 if payment.authorized or payment.redirect_url else 202
    where = f"/v1/orders/{folder.order.id}/payments/{payment.id}"
    return _told(folder, shape, status, location=where)


def _authorisation(change: Change, payment: Payment) -> Transaction:
    rows: list[Any] = change.inserts.get("transactions", [])
    found: Transaction = next(row for row in rows if row.payment_id == payment.id)
    return found


def tell_whole(folder: Folder, actor: Actor, status: int) -> Answered:
    """Tell the order with everything that hangs on it."""
    return _told(
        folder,
        tell_order(folder, actor),
        status,
        location=f"/v1/orders/{folder.order.id}" if status == 201 else None,
    )


def _told(folder: Folder, shape: Any, status: int, *, location: str | None = None) -> Answered:
    return Answered(
        status=status,
        body=_encode(shape).decode(),
        etag=f'"{folder.order.version}"',
        location=location,
    )


def _money(state: str, row: Transaction, folder: Folder, shape: Any, status: int) -> Answered:
    if state == "FAILED":
        declined = GatewayDeclined(
            row.error_message or "", transaction_id=row.id, error_code=row.error_code
        )
        return Answered(
            status=402, body=_encode(declined.body()).decode(), etag=f'"{folder.order.version}"'
        )
    unknown = state in UNSETTLED
    where = f"/v1/orders/{row.order_id}/transactions/{row.id}" if unknown else None
    return _told(folder, shape, 202 if unknown else status, location=where)


def _refund(
    promise: Refund, folder: Folder, actor: Actor, status: int, rows: Sequence[Any]
) -> Answered:
    """Tell a refund: 202 while it is not settled or waits for approval, 402 where all was refused.

    What an approval set going is not made by it: 200.
    """
    brief = tell_brief_to(folder, actor)
    told = [tell_transaction(row) for row in rows]
    shape = tell_refund(promise, brief, told, refund_actions(promise, actor))
    if promise.approved_by is not None and status == 201:
        status = 200
    if len(rows) == 1:
        return _money(rows[0].status, rows[0], folder, shape, status)
    if rows and promise.status == "FAILED":
        return _money("FAILED", rows[-1], folder, shape, status)
    if promise.status in ("PROCESSING", "AWAITING_APPROVAL"):
        where = f"/v1/orders/{promise.order_id}/refunds/{promise.id}"
        return _told(folder, shape, 202, location=where)
    return _told(folder, shape, status)


def _return(
    back: Return, folder: Folder, actor: Actor, status: int, made: Sequence[Any]
) -> Answered:
    """Tell a return: 202 while a refund that it led to is not settled or waits for approval.

    That has a life of its own; the return is not asked about again. [rulings 34]
    """
    actions = return_actions(back, actor)
    told = tell_return(back, actions, tell_brief_to(folder, actor))
    if any(one.status in ("PROCESSING", "AWAITING_APPROVAL") for one in made):
        return _told(folder, told, 202, location=f"/v1/returns/{back.id}")
    where = f"/v1/returns/{back.id}" if status == 201 else None
    return _told(folder, told, status, location=where)


def _cancellation(plan: Cancellation, folder: Folder, actor: Actor) -> Answered:
    shape = tell_cancellation(plan, folder, actor, order=tell_order(folder, actor))
    return _told(folder, shape, 202 if plan.status == "PROCESSING" else 200)
