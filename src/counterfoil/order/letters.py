"""Asking for a letter: a row of the change, so it is written exactly when its reason is."""

from typing import Any

from counterfoil.kernel.ids import new_id
from counterfoil.order.draft import Draft
from counterfoil.order.intent import Asked
from counterfoil.order.letter import BY_THEMSELVES, KINDS, Letter, language_of


def queue_letter(draft: Draft, kind: str, **context: Any) -> bool:
    """Queue a letter to the customer; False where no address is known. [rulings 16, 38]"""
    assert kind in KINDS, kind
    customer = draft.order.customer
    recipient = customer.get("email")
    if not recipient:
        return False
    letter_id = new_id()
    draft.add(
        Letter(
            id=letter_id,
            order_id=draft.order.id,
            kind=kind,
            recipient=recipient,
            language=language_of(customer, draft.before.store.language),
            context=context,
            message_id=message_id(letter_id),
            sequence=draft.next_sequence,
            created_at=draft.at,
            due_at=draft.at,
        )
    )
    return True


def queue_if_wanted(draft: Draft, kind: str, asked: Asked, **context: Any) -> bool:
    """Queue a letter of a kind that goes by itself, where the store wants it.

    Nobody is written to about a test, or about what is only told of the past. [rulings 44]
    """
    assert kind in BY_THEMSELVES, kind
    wanted = kind in draft.before.store.letters
    if not wanted or asked.instant or draft.order.is_test:
        return False
    return queue_letter(draft, kind, **context)


def message_id(letter_id: str) -> str:
    """Write the Message-ID of a letter, the same at every try."""
    return f"<{letter_id}@counterfoil>"
