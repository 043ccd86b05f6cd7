"""A payment that waits for a person, in words: what is known on both sides, and what to decide.

Each decision is tried on the order as it was read, by the action itself: one that is closed says
why, before anybody chooses it. [rulings 26; design guide 1.1, 1.7]
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from counterfoil.actions.decide_payment import Decision, decide_payment
from counterfoil.kernel.problem import Problem
from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.shapes import PaymentShape
from counterfoil.portal import words
from counterfoil.portal.figures import money

TOTALS = {
    "authorized": "Authorised",
    "captured": "Captured",
    "released": "Released",
    "refunded": "Refunded",
}
DONE = {"CAPTURE": "captured", "VOID": "released", "REFUND": "refunded", "AUTHORIZE": "authorised"}


class Side(NamedTuple):
    """One number as both sides have it; None where a side does not say."""

    label: str
    ours: str
    theirs: str


class Attention(NamedTuple):
    """Why nothing moves on this payment until somebody has decided."""

    sentence: str
    sides: tuple[Side, ...]
    since: datetime | None


class Choice(NamedTuple):
    """A decision: what it is called, what follows from it, and why it is closed now."""

    code: Decision
    label: str
    means: str
    why: str = ""


def in_words(payment: PaymentShape, gateway: str) -> Attention:
    """Say what is known, ours and theirs."""
    known: Mapping[str, Any] = payment.attention or {}
    ours, theirs = known.get("ours") or {}, known.get("theirs")
    since = known.get("since")
    return Attention(
        _sentence(known, payment.currency, gateway),
        _sides(ours, theirs, payment.currency),
        datetime.fromisoformat(since) if since else None,
    )


def _sentence(known: Mapping[str, Any], currency: str, gateway: str) -> str:
    ours, theirs = known.get("ours") or {}, known.get("theirs")
    if "type" not in ours:
        if known.get("reason") == "cannot_expire":
            return "The reservation has ended, but something of it is still under way."
        return f"{gateway} has other amounts than are booked here."
    movement = words.MOVEMENTS.get(ours["type"], "movement").lower()
    amount = money(ours["amount"], currency)
    if isinstance(theirs, int):
        an = "an" if movement.startswith(("a", "e")) else "a"
        return f"We asked {gateway} for {an} {movement} of {amount}; it moved another amount."
    if known.get("reason") == "cannot_be_settled":
        return f"{gateway} answered the {movement} of {amount} with something that cannot be right."
    return f"{gateway} cannot say whether the {movement} of {amount} happened."


def _sides(ours: Mapping[str, Any], theirs: object, currency: str) -> tuple[Side, ...]:
    """Set both sides beside each other; totals that agree are left out."""
    if "type" in ours:
        label = words.MOVEMENTS.get(ours["type"], "Movement")
        there = money(theirs, currency) if isinstance(theirs, int) else "does not say"
        return (Side(label, money(ours["amount"], currency), there),)
    if not isinstance(theirs, Mapping):
        return ()
    abroad = str(theirs.get("currency") or currency)
    return tuple(
        Side(label, money(ours[name], currency), money(theirs[name], abroad))
        for name, label in TOTALS.items()
        if name in ours and name in theirs and (ours[name], currency) != (theirs[name], abroad)
    )


def choices(folder: Folder, actor: Actor, payment: PaymentShape, gateway: str) -> list[Choice]:
    """List the decisions with their consequences. The folder holds all that deciding needs."""
    asked = Asked(actor=actor, source="portal")
    found = []
    for code, label, means in _means(payment, gateway):
        why = ""
        try:
            decide_payment(folder, asked=asked, payment_id=payment.id, decision=code)
        except Problem as problem:
            why = _WHY.get(problem.code, problem.detail)
        found.append(Choice(code, label, means, why))
    return found


_WHY = {"amount_invalid": "It is more than there is for it here. Correct it at the provider first."}


def _means(payment: PaymentShape, gateway: str) -> list[tuple[Decision, str, str]]:
    """Say what each decision does; without a movement in question there is one alone."""
    known: Mapping[str, Any] = payment.attention or {}
    ours, theirs = known.get("ours") or {}, known.get("theirs")
    if "type" not in ours:
        keeps = "Nothing is booked. The payment opens again with the numbers that stand here."
        return [("keep_ours", "Keep ours", keeps)]
    movement = words.MOVEMENTS.get(ours["type"], "movement").lower()
    done = DONE.get(ours["type"], "done")
    amount = money(ours["amount"], payment.currency)
    found: list[tuple[Decision, str, str]] = [
        ("happened", "It happened", f"{amount} is booked as {done}, as if {gateway} had said so."),
        (
            "did_not_happen",
            "It did not happen",
            f"The {movement} is booked as refused. What was set aside for it is free again.",
        ),
    ]
    if isinstance(theirs, int) and theirs > 0:
        told = money(theirs, payment.currency)
        means = f"Our {movement} is booked as refused, and {told} as {done} in its place."
        found.append(("take_theirs", "Book what the provider says", means))
    keeps = f"Nothing is booked. The payment opens again, and {gateway} is asked once more."
    found.append(("keep_ours", "Keep ours", keeps))
    return found
