"""What to do where a provider's view differs from ours: a drift line, a task, a closed payment.

Each difference is told once: while its line is open, and after somebody has resolved it, the same
figures call nobody again. [rulings 26]
"""

import msgspec

from counterfoil.actions.compare import totals, totals_there
from counterfoil.actions.decide_refund import send_waiting
from counterfoil.kernel.ids import new_id
from counterfoil.order.attention import ATTENTION, call_person, clear_attention
from counterfoil.order.draft import Draft
from counterfoil.order.drift import DRIFTS, DriftLine
from counterfoil.order.gateway import Statement
from counterfoil.order.payment import Payment

REASON = "provider_differs"
AGREES = "Both sides agree again."


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs; amounts in minor units. `movement` is a type or a total's name."""

    kind: str
    movement: str | None = None
    ours: int | None = None
    theirs: int | None = None
    transaction_id: str | None = None
    gateway_transaction_id: str | None = None
    detail: str | None = None

    def __post_init__(self) -> None:
        """Hold the kind against the list of those that people get a sentence for."""
        assert self.kind in DRIFTS, self.kind


def differ(
    draft: Draft,
    payment: Payment,
    statement: Statement,
    wrong: list[Difference],
    reconciliation_id: str | None,
) -> bool:
    """Write down what was not told before and close the payment; False: all of it was."""
    known = [line for line in draft.section("drift_lines") if line.payment_id == payment.id]
    new = [one for one in wrong if not any(_same(one, line) for line in known)]
    for one in new:
        draft.add(DriftLine(
            id=new_id(),
            gateway=payment.gateway,
            kind=one.kind,
            reconciliation_id=reconciliation_id,
            order_id=payment.order_id,
            payment_id=payment.id,
            transaction_id=one.transaction_id,
            reference=one.transaction_id,
            gateway_transaction_id=one.gateway_transaction_id,
            currency=payment.currency,
            ours=one.ours,
            theirs=one.theirs,
            detail=one.detail or one.movement,
            created_at=draft.at,
        ))
    if not new:
        return False
    _close(draft, payment, statement)
    return True


def _same(one: Difference, line: DriftLine) -> bool:
    return (one.kind, one.ours, one.theirs, one.transaction_id, one.gateway_transaction_id) == (
        line.kind, line.ours, line.theirs, line.transaction_id, line.gateway_transaction_id
    )  # fmt: skip


def _close(draft: Draft, payment: Payment, statement: Statement) -> None:
    now: Payment = draft.get("payments", payment.id)
    attention = now.attention
    if attention is None:
        attention = {
            "reason": REASON,
            "transaction_id": None,
            "ours": {**totals(now), "currency": now.currency},
            "theirs": {**totals_there(statement), "currency": statement.currency},
            "since": draft.at.isoformat(),
        }
        now = msgspec.structs.replace(now, attention=attention, synced_at=draft.at)
        draft.put(now)
    waits = any(
        task.status == "OPEN" and task.kind == ATTENTION and task.payment_id == payment.id
        for task in draft.section("tasks")
    )
    if not waits:
        call_person(draft, ATTENTION, payment_id=payment.id, **attention)
    draft.fact("payment.attention", now, attention=attention)


def agree(draft: Draft, payment: Payment) -> bool:
    """Open the payment again and close lines and tasks: both sides agree by now.

    False: there was nothing of the kind. What a person was called to for another reason stays.
    """
    attention = payment.attention or {}
    if attention.get("reason") != REASON or attention.get("transaction_id") is not None:
        return False
    clear_attention(draft, payment.id, note=AGREES)
    now = draft.get("payments", payment.id)
    draft.put(msgspec.structs.replace(now, synced_at=draft.at))
    draft.fact("payment.synced", now, found=0, settled=0, agrees=True)
    send_waiting(draft)
    return True
