"""Say that a task is seen to."""

from counterfoil.kernel.problem import NotFound, PermissionDenied
from counterfoil.order.attention import ATTENTION, finished
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens
from counterfoil.order.problems import InvalidState

#: Any one of these is enough: whoever may move money one way or another sees to its tasks.
RIGHTS = ("payments.sync", "payments.capture", "payments.refund", "payments.approve")


@opens("payments", "refunds", "tasks")
def finish_task(folder: Folder, *, asked: Asked, task_id: str, note: str | None = None) -> Change:
    """End a task; done already is done. The note stays in the task.

    Raises, in this order: PermissionDenied, NotFound, InvalidState (the payment still waits for a
    decision, the refund for an approval: those end their tasks themselves).
    """
    actor = asked.actor
    if not any(actor.can(right) for right in RIGHTS):
        raise PermissionDenied(
            f"You lack the right {' or '.join(RIGHTS)}.", permission=RIGHTS[0]
        )
    actor.require_whole_order()
    task = next((one for one in folder.tasks if one.id == task_id), None)
    if task is None:
        raise NotFound("There is no such task.")
    if task.status == "DONE":
        return Change.none(folder, task)
    payment = next((p for p in folder.payments if p.id == task.payment_id), None)
    if task.kind == ATTENTION and payment is not None and payment.attention is not None:
        raise InvalidState(
            f"Payment {payment.id} waits for a decision: POST"
            f" /v1/orders/{folder.order.id}/payments/{payment.id}/decide ends the task.",
            payment_id=payment.id,
        )
    refund = next((r for r in folder.refunds if r.id == task.refund_id), None)
    waits = ("refund_approval", "refund_waiting")
    if task.kind in waits and refund and refund.status == "AWAITING_APPROVAL":
        raise InvalidState(
            f"Refund {refund.reference} waits to be approved or rejected.", refund_id=refund.id
        )
    draft = Draft(folder, actor)
    done = finished(draft, task, note)
    draft.put(done)
    draft.fact("task.done", done)
    return draft.change(done)
