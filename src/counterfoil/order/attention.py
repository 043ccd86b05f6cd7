"""Calling a person, and noting that what they were called for is seen to.

A task says what to do, a drift line what differs, a payment's `attention` closes it until somebody
has decided. All three end together, by a person or by the thing itself. [rulings 26, 45]
"""

from collections.abc import Callable
from typing import Any

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.order.draft import Draft
from counterfoil.order.payment import Payment
from counterfoil.order.task import TASKS, Task

ATTENTION = "payment_attention"
REAUTHORISE = "reauthorise"
COMPENSATION = "compensation"


def call_person(
    draft: Draft, kind: str, *, payment_id: str | None = None, refund_id: str | None = None,
    **context: Any,
) -> Task:
    """Add a task; `context` is what a person needs to know, in API words."""
    assert kind in TASKS, kind
    task = Task(
        id=new_id(),
        order_id=draft.order.id,
        kind=kind,
        payment_id=payment_id,
        refund_id=refund_id,
        context=context,
        created_at=draft.at,
    )
    draft.add(task)
    return task


def finish_tasks(
    draft: Draft, kind: str, which: Callable[[Task], bool], *, note: str | None = None
) -> None:
    """End the open tasks of a kind that are about this. The tasks must be opened."""
    for task in draft.section("tasks"):
        if task.kind == kind and task.status == "OPEN" and which(task):
            draft.put(finished(draft, task, note))


def finished(draft: Draft, task: Task, note: str | None) -> Task:
    """Return the task as done now, by whoever acts."""
    return msgspec.structs.replace(
        task, status="DONE", note=note, done_at=draft.at, done_by=draft.actor.told()
    )


def clear_attention(draft: Draft, payment_id: str, *, note: str | None = None) -> None:
    """Open a payment again: nobody is called any more. Tasks and drift lines must be opened.

    Drift lines that name another movement than the one in question stay open.
    """
    payment: Payment = draft.get("payments", payment_id)
    about = (payment.attention or {}).get("transaction_id")
    draft.put(msgspec.structs.replace(payment, attention=None))
    finish_tasks(draft, ATTENTION, lambda task: task.payment_id == payment_id, note=note)
    for line in draft.section("drift_lines"):
        same = about is None or line.transaction_id in (None, about)
        if line.payment_id == payment_id and line.status == "OPEN" and same:
            draft.put(
                msgspec.structs.replace(
                    line,
                    status="RESOLVED",
                    note=note,
                    resolved_by=draft.actor.told(),
                    resolved_at=draft.at,
                )
            )
