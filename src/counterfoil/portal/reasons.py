"""Why a person should look at an order: words, tone and the one door for each reason.

The core says which reasons there are (`order.allowed.attention_reasons`); here they get words. One
list feeds the strip on the order, the mark in the list and the view *Needs attention*.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from counterfoil.actions.hold import right_to_release
from counterfoil.order.shapes import OrderShape, TransactionShape
from counterfoil.portal import attending, words
from counterfoil.portal.figures import money


class Reason(NamedTuple):
    """A reason: how it looks, what it says, since when, and where it is dealt with."""

    tone: str
    icon: str
    text: str
    since: datetime | None = None
    door: str = ""
    href: str = ""
    right: str = "orders.read"
    posts: bool = False
    until: datetime | None = None
    also: tuple[tuple[str, str], ...] = ()


WORDS = {
    "payment_attention": Reason(
        "danger", "alert-triangle", "A payment waits for somebody to decide"
    ),
    "money_unknown": Reason("unknown", "help-circle", "A provider has not answered yet"),
    "cancellation_unfinished": Reason(
        "warning", "message-cancel", "The cancellation is not finished"
    ),
    "in_review": Reason("warning", "shield-question", "Waits for the fraud review"),
    "on_hold": Reason("warning", "hand-stop", "On hold"),
    "could_not_deliver": Reason("danger", "truck-off", "A shipment could not be delivered"),
    "shipped_unpaid": Reason("danger", "coins", "Everything was shipped, but money is still open"),
}


def in_words(codes: Sequence[str]) -> list[Reason]:
    """Put reasons into words, as the list's mark shows them."""
    return [
        WORDS.get(code) or Reason("warning", "alert-triangle", code.replace("_", " ").capitalize())
        for code in codes
    ]


def of_order(
    order: OrderShape,
    transactions: Sequence[TransactionShape],
    name: Callable[[str], str],
    asked: str = "",
) -> list[Reason]:
    """Put an order's reasons into words that name amounts, holds and doors. `name`: a gateway's.

    `asked` says who asked to cancel it, where nobody has decided about that.
    """
    told = _expiring(order, name)
    page = f"/portal/orders/{order.id}"
    through = {payment.id: name(payment.gateway) for payment in order.payments}
    for code, reason in zip(order.attention, in_words(order.attention), strict=True):
        if code == "money_unknown":
            told += [
                reason._replace(
                    text=f"Not known yet if the {words.MOVEMENTS[one.type].lower()} of "
                    f"{money(one.amount, one.currency)} went through · "
                    f"{through.get(one.payment_id, 'the gateway')}",
                    since=one.created_at,
                    door="Ask now",
                    href=f"{page}/ask",
                    right="payments.sync",
                    posts=True,
                )
                for one in transactions
                if one.status == "UNKNOWN"
            ] or [reason]
        elif code == "payment_attention":
            told += _decisions(order, reason, through) or [reason]
        elif code == "on_hold":
            told += [
                reason._replace(
                    text=f"{words.HOLDS.get(hold.reason_code, hold.reason_code)} – blocks "
                    + " and ".join(hold.blocks),
                    since=hold.placed_at,
                    door="Release…",
                    href=f"{page}/holds/{hold.handle}/release",
                    right=right_to_release(hold.handle),
                )
                for hold in order.holds
            ] or [reason]
        elif code == "in_review" and (review := order.fraud_review):
            told.append(
                reason._replace(
                    text=f"Waits for the fraud review: {review.explanation}",
                    since=review.opened_at,
                    door="Pass…" if review.resolved_at is None else "",
                    href=f"{page}/review/pass" if review.resolved_at is None else "",
                    right="reviews.decide",
                )
            )
        elif code == "cancellation_unfinished":
            told.append(_cancelling(order, reason, asked))
        elif code == "shipped_unpaid":
            told.append(
                reason._replace(
                    text=f"Everything was shipped, but {money(order.amounts.open, order.currency)} "
                    "is still open",
                    door="Capture",
                    href=f"{page}/capture",
                    right="payments.capture",
                )
            )
        else:
            told.append(reason)
    return told


def unreturned(order: OrderShape, minor: int) -> list[Reason]:
    """Say that money of a cancelled part did not go back, with the way to try that again."""
    if minor <= 0:
        return []
    return [
        Reason(
            "danger",
            "coins",
            f"{money(minor, order.currency)} of what was cancelled did not go back",
            door="Try again…",
            href=f"/portal/orders/{order.id}/cancel?scope=again",
            right="orders.cancel",
        )
    ]


def _cancelling(order: OrderShape, reason: Reason, asked: str) -> Reason:
    """Say how a cancellation stands: asked for, with both doors, or begun and not finished."""
    page, able = f"/portal/orders/{order.id}", {one.action for one in order.allowed_actions}
    decline = ("Decline…", f"{page}/cancel-request/decline")
    may = "decline_cancel" in able
    if not asked:
        again = "cancel" in able
        return reason._replace(
            door="Run again" if again else "",
            href=f"{page}/cancel" if again else "",
            right="orders.cancel",
            also=(decline,) if may else (),
        )
    told = reason._replace(text=asked, also=(decline,) if may else ())
    if "cancel" not in able:
        return told
    return told._replace(door="Cancel order…", href=f"{page}/cancel", right="orders.cancel")


def _decisions(order: OrderShape, reason: Reason, through: dict[str, str]) -> list[Reason]:
    """Say what differs on each payment that a person has to decide about. [rulings 26]"""
    found = []
    for one in order.payments:
        if one.attention:
            known = attending.in_words(one, through[one.id])
            found.append(
                reason._replace(
                    text=known.sentence,
                    since=known.since,
                    door="Decide…",
                    href=f"/portal/orders/{order.id}/payments/{one.id}/decide",
                    right="payments.capture",
                )
            )
    return found


def _expiring(order: OrderShape, name: Callable[[str], str]) -> list[Reason]:
    """Tell of reservations that were said to end soon, and are still there to take. [faults A-4]"""
    return [
        Reason(
            "warning",
            "clock-exclamation",
            f"The reservation of {money(one.amounts.open, one.currency)} at {name(one.gateway)}"
            " ends soon:",
            door="Capture",
            href=f"/portal/orders/{order.id}/capture?payment={one.id}",
            right="payments.capture",
            until=one.expires_at,
        )
        for one in order.payments
        if one.warned_at and one.expires_at and one.amounts.open
    ]
