"""What a gateway can do, in words: one table with a sentence for yes and one for no."""

from typing import Any, NamedTuple

import msgspec

from counterfoil.order.gateway import Capabilities
from counterfoil.portal.figures import plural

YES, NO = "yes", "no"
DAY_S, HOUR_S, MINUTE_S = 86_400, 3_600, 60


class Can(NamedTuple):
    """One capability as shown: what it is called, yes or no or a span, and what that means."""

    label: str
    value: str
    sentence: str


class Said(NamedTuple):
    """How a capability is called, and its sentences; {} is its value where it has one."""

    label: str
    yes: str
    no: str


SAID = {
    "instant": Said(
        "Asks nobody",
        "What is booked here is done; no provider is asked.",
        "Every movement is asked of the provider.",
    ),
    "partial_capture": Said(
        "Captures in part",
        "Less than what is reserved can be captured.",
        "A capture takes all that is reserved.",
    ),
    "multi_capture": Said(
        "Several captures",
        "What a capture leaves stays reserved and can be captured later.",
        "The first capture releases the rest.",
    ),
    "partial_void": Said(
        "Releases in part",
        "Less than what is reserved can be released.",
        "A release gives up all that is reserved.",
    ),
    "hold_seconds": Said(
        "Keeps a reservation",
        "After {} an uncaptured reservation ends by itself.",
        "A reservation does not run out.",
    ),
    "acknowledge": Said(
        "Acknowledging",
        "Acknowledging an order stops the clock of its reservation.",
        "Nothing stops the clock of a reservation.",
    ),
    "query": Said(
        "Can be asked",
        "It can be asked by our reference what became of a movement.",
        "It cannot be asked; the same request under the same key is how to find out.",
    ),
    "asynchronous": Said(
        "Answers later",
        "The end of a movement may come later than the answer.",
        "An answer is the end of a movement.",
    ),
    "refund_window_days": Said(
        "Gives money back",
        "For {} after the capture.",
        "For as long as you like.",
    ),
    "redirect": Said(
        "Shopper confirms there",
        "The shopper confirms a payment on the provider’s own page.",
        "The shopper never leaves the checkout.",
    ),
    "reauthorize": Said(
        "Reserves again",
        "A reservation that ends can be had again from the earlier payment.",
        "A reservation that has ended cannot be had again.",
    ),
    "hooks": Said(
        "Calls us",
        "The provider calls us when something changes.",
        "The provider does not call; we ask.",
    ),
    "card": Said(
        "Paid by card",
        "The shopper pays by card.",
        "The shopper does not pay by card.",
    ),
    "exponents": Said(
        "Decimals of its own",
        "It counts {} with other decimals than ISO 4217.",
        "Currencies have the decimals of ISO 4217.",
    ),
    "multiples": Said(
        "Rounded amounts",
        "In {} not every amount can be paid; one that cannot is refused before it is sent.",
        "Every amount can be paid.",
    ),
}
#: What is worth telling of a gateway that asks nobody, and what only where it is so.
OF_INSTANT = ("instant", "partial_capture", "multi_capture", "partial_void", "hold_seconds")
PECULIAR = ("instant", "exponents", "multiples")


def abilities(able: Capabilities) -> list[Can]:
    """Put every capability that matters into words, in the order of the table."""
    values = msgspec.structs.asdict(able)
    asked = OF_INSTANT if able.instant else SAID
    shown = [name for name in asked if values[name] or name not in PECULIAR]
    return [_can(SAID[name], name, values[name]) for name in shown]


def in_short(able: Capabilities) -> str:
    """Tell in a line what people ask first."""
    if able.instant:
        return "Asks no provider: what is booked here is done"
    parts = [
        f"Captures in part: {_word(able.partial_capture)}",
        f"several captures: {_word(able.multi_capture)}",
        f"releases in part: {_word(able.partial_void)}",
    ]
    if able.hold_seconds:
        parts.append(f"keeps a reservation {span(able.hold_seconds)}")
    return " · ".join(parts)


def span(seconds: int) -> str:
    """Write a span in the largest unit that leaves no rest: 7 days, 36 hours, 15 minutes."""
    for size, one, other in (
        (DAY_S, "day", "days"),
        (HOUR_S, "hour", "hours"),
        (MINUTE_S, "minute", "minutes"),
    ):
        if seconds % size == 0:
            return plural(seconds // size, one, other)
    return plural(seconds, "second", "seconds")


def _can(said: Said, name: str, value: Any) -> Can:
    shown = _shown(name, value)
    if not value:
        return Can(said.label, shown or NO, said.no)
    return Can(said.label, shown or YES, said.yes.format(shown))


def _shown(name: str, value: Any) -> str:
    if name == "hold_seconds":
        return span(value) if value else "for ever"
    if name == "refund_window_days":
        return plural(value, "day", "days") if value else "always"
    if isinstance(value, dict):
        return ", ".join(sorted(value))
    return ""


def _word(able: object) -> str:
    return YES if able else NO
