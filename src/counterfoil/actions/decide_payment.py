"""Decide what to make of a payment that a person was called to."""

from typing import Literal

import msgspec

from counterfoil.actions.authorized import authorized, compensate
from counterfoil.actions.capture import captured
from counterfoil.actions.decide_refund import send_waiting
from counterfoil.actions.settle import decide
from counterfoil.actions.void import voided
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound
from counterfoil.order.attention import clear_attention
from counterfoil.order.bag import Bag
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Answer, Outcome
from counterfoil.order.intent import Asked
from counterfoil.order.moves import allocate, book
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.problems import AmountInvalid, InvalidState
from counterfoil.order.refund import Refund
from counterfoil.order.transaction import UNSETTLED, Allocation, Transaction

Decision = Literal["happened", "did_not_happen", "take_theirs", "keep_ours"]
#: What bounds each kind of movement, on the payment and on the bags.
_BOUND = {"AUTHORIZE": "due", "CAPTURE": "open", "VOID": "open", "REFUND": "refundable"}


@opens(
    "bags", "items", "payments", "gateways", "refunds", "transactions", "cancellations",
    "shipments", "holds", "notes", "returns", "merchants", "tasks", "drift_lines", "fraud_reviews",
)  # fmt: skip
def decide_payment(
    folder: Folder, *, asked: Asked, payment_id: str, decision: Decision, note: str | None = None
) -> Change:
    """Say what became of the movement in question, and open the payment again.

    `happened` and `did_not_happen` settle it as if the provider had said so. `take_theirs`: ours
    failed, the provider's amount moved instead. `keep_ours` opens the payment and changes nothing;
    a movement that is still unsettled is asked about again. The note goes to the tasks and drift
    lines that end with it, never into the fact. It wants the right to sync and the right to
    capture: whoever may do both could have had either outcome. Raises, in this order:
    PermissionDenied, NotFound, InvalidState (nobody is called; no movement to decide about; the
    provider named no amount), AmountInvalid (theirs is beyond our limits). [rulings 26]
    """
    asked.actor.require("payments.sync")
    asked.actor.require("payments.capture")
    asked.actor.require_whole_order()
    payment = next((p for p in folder.payments if p.id == payment_id), None)
    if payment is None:
        raise NotFound("The order has no such payment.")
    if payment.attention is None:
        raise InvalidState("Nobody has to decide about this payment.")
    attention = payment.attention
    row = next((t for t in folder.transactions if t.id == attention.get("transaction_id")), None)
    draft = Draft(folder, asked.actor)
    under = msgspec.structs.replace(asked, key=None, lease=None)
    clear_attention(draft, payment_id, note=note)
    if decision != "keep_ours":
        if row is None or row.status not in UNSETTLED:
            raise InvalidState(
                "No movement is unsettled here. Compare with the provider's console, then choose"
                " keep_ours."
            )
        if decision == "take_theirs":
            _take_theirs(draft, row, attention.get("theirs"), under)
        else:
            decide(draft, row, _answer(happened=decision == "happened"), under)
            _let_go(draft, row)
    elif row is not None and row.status in UNSETTLED:
        draft.put(msgspec.structs.replace(row, due_at=draft.at))
    send_waiting(draft)
    draft.fact("payment.attended", draft.get("payments", payment_id), decision=decision,
               transaction_id=None if row is None else row.id)
    return draft.change(draft.order)


def _answer(*, happened: bool) -> Answer:
    if happened:
        return Answer(outcome=Outcome.SUCCEEDED)
    return Answer(
        outcome=Outcome.DECLINED,
        error_code="did_not_happen",
        error_message="A person found out that it did not happen.",
    )


def _let_go(draft: Draft, row: Transaction) -> None:
    """Whoever was asking the provider about it finds that the row is theirs no more."""
    now = draft.get("transactions", row.id)
    draft.put(msgspec.structs.replace(now, lease_token=None, lease_until=None))


def _take_theirs(draft: Draft, row: Transaction, theirs: object, asked: Asked) -> None:
    if not isinstance(theirs, int) or theirs <= 0:
        raise InvalidState("The provider named no amount for this movement.")
    declined = Answer(
        outcome=Outcome.DECLINED,
        error_code="amount_differs",
        error_message=f"The provider moved {theirs} instead.",
    )
    plan = next((c for c in draft.section("cancellations") if c.status == "PROCESSING"), None)
    if plan is not None:
        raise InvalidState("A cancellation is running; say whether the movement happened.")
    decide(draft, row, declined, asked)
    _let_go(draft, row)
    moved = msgspec.structs.replace(
        draft.get("transactions", row.id),
        id=new_id(),
        status="SUCCEEDED",
        amount=theirs,
        allocations=_shares(draft, row, theirs),
        refund_id=None,
        error_code=None,
        error_message=None,
        source="sync",
        actor=asked.actor.told(),
        credential=None,
        idempotency_key=None,
        created_at=draft.at,
    )
    _book(draft, moved, asked)


def _shares(draft: Draft, row: Transaction, theirs: int) -> list[Allocation]:
    """Share the provider's amount among bags. Raises AmountInvalid beyond our limits."""
    bound = _BOUND.get(row.type, "open")
    bags: list[Bag] = [bag for bag in draft.section("bags") if getattr(bag, bound) > 0]
    most = sum(getattr(bag, bound) for bag in bags)
    if row.type != "AUTHORIZE":
        most = min(most, getattr(draft.get("payments", row.payment_id), bound))
    if theirs > most:
        raise AmountInvalid(
            f"The provider's {theirs} is more than the {most} there is for it here. Correct it at"
            " the provider, then decide.",
            asked=theirs,
            most=most,
        )
    return allocate(theirs, bags, bound)


def _book(draft: Draft, row: Transaction, asked: Asked) -> None:
    """Book what the provider says it did, and what follows from it."""
    if row.type == "REFUND":
        _refund_of_theirs(draft, row)
        return
    book(draft, row)
    match row.type:
        case "AUTHORIZE":
            payment: Payment = draft.get("payments", row.payment_id)
            draft.put(msgspec.structs.replace(payment, amount=row.amount))
            authorized(draft, row, Answer(outcome=Outcome.SUCCEEDED), asked)
            compensate(draft, row, asked)
        case "CAPTURE":
            captured(draft, row, asked)
            compensate(draft, row, asked)
        case "VOID":
            voided(draft, row)


def _refund_of_theirs(draft: Draft, row: Transaction) -> None:
    refund = Refund(
        id=new_id(),
        order_id=row.order_id,
        bag_id=row.bag_id,
        store=draft.order.store,
        reference=f"theirs-{row.id}",
        amount=row.amount,
        currency=row.currency,
        reason="The provider gave back another amount than was asked for.",
        status="EXTERNAL",
        allocations=row.allocations,
        actor=row.actor,
        created_at=draft.at,
        updated_at=draft.at,
    )
    draft.add(refund)
    book(draft, msgspec.structs.replace(row, refund_id=refund.id, reference=refund.reference))
    draft.fact("refund.succeeded", refund, transaction_id=row.id)
