"""What people call the letters, how each fares, and the names that a text may use."""

from typing import Any

import msgspec

from counterfoil.book.looking import WrittenLetter
from counterfoil.mail.language import Words
from counterfoil.order.letter import Try
from counterfoil.order.mail_server import SECURITY
from counterfoil.portal.words import Word

KINDS = {
    "order_received": ("Order received", "when an order comes in"),
    "shipped": ("Shipped", "when a parcel leaves"),
    "canceled": ("Cancelled", "chosen with each cancellation"),
    "part_canceled": ("Partly cancelled", "chosen when a bag or items are cancelled"),
    "refunded": ("Refunded", "chosen with each refund"),
    "return_received": ("Return received", "when a return comes back"),
}
STATES = {
    "QUEUED": Word("progress", "hourglass", "Waiting to leave"),
    "SENT": Word("success", "circle-check", "Sent"),
    "FAILED": Word("danger", "circle-x", "Not sent"),
    "bounced": Word("danger", "ban", "Bounced"),
}
TRIES = {
    "sent": Word("success", "circle-check", "Taken"),
    "later": Word("warning", "hourglass", "Not now"),
    "failed": Word("danger", "circle-x", "Refused"),
    "bounced": Word("danger", "ban", "Bounced"),
}
SECURITIES = tuple(SECURITY.items())
MAIL_FIELDS = {
    "host": "Host",
    "port": "Port",
    "security": "Security",
    "username": "User name",
    "password": "Password",
    "sender_name": "Sender’s name",
    "sender_address": "Sender’s address",
    "reply_to": "Answers go to",
}


class ShownTry(msgspec.Struct, frozen=True):
    """A try as the log shows it."""

    word: Word
    told: Try


def kind_name(kind: str) -> str:
    """Say what people call a kind of letter."""
    return KINDS[kind][0] if kind in KINDS else kind


def state_of(letter: WrittenLetter) -> Word:
    """Say how a letter fares; a mailbox that is not there has a word of its own."""
    if letter.status == "FAILED" and letter.tries and letter.tries[-1].outcome == "bounced":
        return STATES["bounced"]
    return STATES[letter.status]


def tries_of(letter: WrittenLetter) -> list[ShownTry]:
    """List the tries, newest first."""
    return [ShownTry(TRIES[one.outcome], one) for one in reversed(letter.tries)]


def names_of(words: Words) -> list[tuple[str, str]]:
    """List what a text may use, as it is written, with a sentence for each."""
    found: list[tuple[str, str]] = []
    for name, said in words.items():
        if isinstance(said, str):
            found.append((f"{{{{ {name} }}}}", said))
            continue
        each = "item" if said else "line"
        found.append((
            f"{{% for {each} in {name} %}} … {{% endfor %}}",
            "Once for each article." if said else "Once for each line of the address.",
        ))
        found += [(f"{{{{ {each}.{field} }}}}", why) for field, why in said.items()]
        if not said:
            found.append((f"{{{{ {each} }}}}", "The line."))
    found.append(("{% if reason %} … {% endif %}".replace("reason", _first(words)),
                  "Only where the value is not empty."))
    return found


def _first(words: Words) -> str:
    optional = [name for name, said in words.items() if isinstance(said, str) and "empty" in said]
    return optional[0] if optional else "name"


def shown_letter(letter: WrittenLetter) -> dict[str, Any]:
    """Tell a letter for a row of the log."""
    return {
        **{name: getattr(letter, name) for name in letter.__struct_fields__},
        "kind_name": kind_name(letter.kind),
        "word": state_of(letter),
        "shown_tries": tries_of(letter),
    }
