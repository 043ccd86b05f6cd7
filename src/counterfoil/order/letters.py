"""Asking for a letter: a row of the change, so it is written exactly when its reason is."""

from typing import Any

from counterfoil.kernel.ids import new_id
from counterfoil.order.draft import Draft
from counterfoil.order.letter import Letter

KINDS = ("canceled", "refunded")


def queue_letter(draft: Draft, kind: str, **context: Any) -> bool:
    """Queue a letter to the customer; False where no address is known. [rulings 16, 38]"""
    assert kind in KINDS, kind
    recipient = draft.order.customer.get("email")
    if not recipient:
        return False
    letter_id = new_id()
    draft.add(
        Letter(
            id=letter_id,
            order_id=draft.order.id,
            kind=kind,
            recipient=recipient,
            context=context,
            message_id=f"<{letter_id}@counterfoil>",
            sequence=draft.next_sequence,
            created_at=draft.at,
            due_at=draft.at,
        )
    )
    return True
