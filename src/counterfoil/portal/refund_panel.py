"""What became of a refund, on a panel: all of it, part of it, or waiting for a second person.

A refund that is one movement is told by the movement's own panel. [design guide 3.7; faults R-7]
"""

from typing import Any

from litestar import Response

from counterfoil.kernel.problem import NotFound
from counterfoil.order.refund import Refund, given_back
from counterfoil.order.transaction import Transaction
from counterfoil.portal import figures, words
from counterfoil.portal.figures import money
from counterfoil.portal.forms import Step
from counterfoil.portal.reading import Read, gateway_name
from counterfoil.portal.results import beside, panel, pulse_for
from counterfoil.portal.story import who
from counterfoil.portal.timeline import Facts
from counterfoil.portal.visit import Visit

_STEPS = {
    "SUCCEEDED": ("success", "check", "went back through"),
    "FAILED": ("danger", "x", "was refused by"),
    "UNKNOWN": ("unknown", "help-circle", "is not known yet at"),
    "PENDING": ("progress", "hourglass", "is on its way through"),
}
#: Tone, seal and the words of the heading, which name the amount.
_LOOKS = {
    "AWAITING_APPROVAL": ("warning", "hourglass", "{amount} waits for approval"),
    "PROCESSING": ("unknown", "help-circle", "Not known yet"),
    "COMPLETED": ("success", "check", "Refunded {amount}"),
    "EXTERNAL": ("success", "check", "Refunded {amount}"),
    "PARTIALLY_COMPLETED": ("warning", "alert-triangle", "Refunded {given} of {amount}"),
    "FAILED": ("danger", "x", "Nothing of {amount} went back"),
    "CANCELED": ("neutral", "x", "Refund of {amount} rejected"),
}


def became(
    visit: Visit, read: Read, transaction_id: str, facts: Facts, *, status: int = 200
) -> Response[bytes]:
    """Show what became of a movement, or of the refund that it is a part of. Raises NotFound."""
    one = next((t for t in read.folder.transactions if t.id == transaction_id), None)
    promise = next((r for r in read.folder.refunds if one and r.id == one.refund_id), None)
    if promise is None or one is None or one.cancellation_id is not None:
        return panel(visit, read, transaction_id, facts, status=status)
    return refund_panel(visit, read, promise, facts, status=status)


def refund_panel(
    visit: Visit, read: Read, promise: Refund, facts: Facts, *, status: int = 200
) -> Response[bytes]:
    """Show what became of a refund."""
    rows = rows_of(read, promise)
    if len(rows) == 1:
        return panel(visit, read, rows[0].id, facts, status=status)
    tone, seal, heading = _LOOKS[promise.status]
    given = money(given_back(rows), promise.currency)
    return visit.page(
        "money/refunded.html",
        status=status,
        order=read.order,
        refund=promise,
        back=f"/portal/orders/{read.order.id}",
        tone=tone,
        seal=seal,
        heading=heading.format(amount=money(promise.amount, promise.currency), given=given),
        lines=_lines(read, promise),
        steps=_steps(read, rows),
        pairs=_pairs(visit, promise),
        under_way=promise.status == "PROCESSING",
        again=promise.status in ("FAILED", "PARTIALLY_COMPLETED"),
        pulse=pulse_for(visit.frame.now - promise.updated_at),
        tag=tag_of(visit, read, promise),
        result_href=f"/portal/orders/{read.order.id}/refunds/{promise.id}/result",
        **beside(visit, read, facts),
    )


def tag_of(visit: Visit, read: Read, promise: Refund) -> str:
    """Mark a panel, so that a poll answers 304 until it would look different."""
    pulse = pulse_for(visit.frame.now - promise.updated_at)
    states = [f"{row.status}{row.attempts}" for row in rows_of(read, promise)]
    return "-".join([promise.status, *states, pulse])


def find_refund(read: Read, refund_id: str) -> Refund:
    """Find a refund of the order. Raises NotFound."""
    found = next((one for one in read.folder.refunds if one.id == refund_id), None)
    if found is None:
        raise NotFound("There is no such refund.")
    return found


def rows_of(read: Read, promise: Refund) -> list[Transaction]:
    """The movements that gave a refund back, or are to."""
    return [
        row
        for row in read.folder.transactions
        if row.refund_id == promise.id and row.type == "REFUND"
    ]


def _lines(read: Read, promise: Refund) -> list[str]:
    amount = money(promise.amount, promise.currency)
    order = read.order
    closed = {payment.id for payment in read.folder.payments if payment.attention}
    if promise.waits_for_approval and any(part.payment_id in closed for part in promise.plan):
        return [
            f"{amount} is set aside, and nothing has left yet.",
            "Its payment waits for a decision first: see to the task.",
        ]
    if promise.waits_for_approval:
        return [
            f"{amount} is set aside, and nothing has left yet.",
            "It waits on the page Approvals for somebody else who may approve it.",
        ]
    if promise.status == "CANCELED":
        return [f"No money moved. The {amount} can be refunded again."]
    if promise.status == "PROCESSING":
        return ["What is not known yet is set aside so it cannot be sent twice. We keep asking."]
    if promise.status == "PARTIALLY_COMPLETED":
        return ["What was refused stays with you and can be refunded another way."]
    state = words.status_word(order.state).label
    payment = words.payment_word(order.financial_status, order.amounts).label
    return [f"Order {order.number} is {state} and {payment} now."]


def _steps(read: Read, rows: list[Transaction]) -> list[Step]:
    through = {one.id: gateway_name(one.gateway) for one in read.folder.payments}
    steps = []
    for row in rows:
        tone, icon, text = _STEPS[row.status]
        told = f"{money(row.amount, row.currency)} {text} {through[row.payment_id]}"
        if row.error_message:
            told += f": {row.error_message}"
        steps.append(Step(tone=tone, icon=icon, text=told))
    return steps


def _pairs(visit: Visit, promise: Refund) -> list[tuple[str, str, bool]]:
    told: list[tuple[str, Any, bool]] = [
        ("Reference", promise.reference, True),
        ("Asked by", who(promise.actor), False),
    ]
    if promise.approved_by:
        told.append(("Approved by", who(promise.approved_by), False))
    if promise.decision_note:
        told.append(("Note", promise.decision_note, False))
    at = figures.moment(
        promise.decided_at or promise.created_at, visit.frame.now, visit.frame.zone, "exact"
    )
    return [*told, ("Time", at.text, False)]
