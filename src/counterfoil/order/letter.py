"""The letter: an e-mail to the customer that a fact asked for."""

from datetime import datetime
from typing import Any

import msgspec

#: Kinds of letters, with what each is about.
KINDS = {
    "order_received": "The order came in.",
    "shipped": "A parcel left.",
    "canceled": "The order was cancelled.",
    "part_canceled": "A bag or some lines were cancelled; the rest comes.",
    "refunded": "Money was given back.",
    "return_received": "A returned parcel came back.",
}
#: Those that a store may let go by themselves; the others are chosen with each command. [U-32]
BY_THEMSELVES = ("order_received", "shipped", "return_received")
#: Languages that letters are written in, each by its own name.
LANGUAGES = {"en": "English", "nb": "Norsk bokmål"}
_SAME = {"no": "nb", "nn": "nb"}
TRIES_KEPT = 50


class Try(msgspec.Struct, frozen=True):
    """One time that a letter was handed to the mail server, and what that said."""

    at: datetime
    outcome: str
    said: str = ""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as stored. Its Message-ID is stable, so a repeat is recognisable. [rulings 38]

    `text` is what was sent, once it was; `repeats_id` the letter that this one says again.
    """

    id: str
    order_id: str
    kind: str
    recipient: str
    language: str = "en"
    context: dict[str, Any] = {}
    status: str = "QUEUED"
    message_id: str
    subject: str | None = None
    text: str | None = None
    error: str | None = None
    tries: list[Try] = []
    repeats_id: str | None = None
    sequence: int
    created_at: datetime
    sent_at: datetime | None = None
    due_at: datetime | None = None

    def tried(self, at: datetime, outcome: str, said: str = "") -> list[Try]:
        """List the tries with one more."""
        return [*self.tries, Try(at, outcome, said)][-TRIES_KEPT:]


class LetterShape(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as it is told: whom it went to, what became of it, and every try."""

    id: str
    order_id: str
    kind: str
    recipient: str
    language: str
    status: str
    message_id: str
    subject: str | None
    text: str | None
    error: str | None
    tries: list[Try]
    repeats_id: str | None
    created_at: datetime
    sent_at: datetime | None


def tell_letter(letter: Letter) -> LetterShape:
    """Tell a letter."""
    return LetterShape(**{
        name: getattr(letter, name) for name in LetterShape.__struct_fields__
    })


def language_of(customer: dict[str, Any], store_language: str) -> str:
    """Choose the language of a letter: the customer's if we write it, else the store's."""
    for wanted in (customer.get("language"), store_language):
        base = str(wanted or "").lower().replace("_", "-").partition("-")[0]
        found = _SAME.get(base, base)
        if found in LANGUAGES:
            return found
    return "en"
