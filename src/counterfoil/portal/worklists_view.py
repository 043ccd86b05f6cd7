"""Work lists in words: how soon a reservation ends, as bars, and what a task is about."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from counterfoil.book.waiting import ExpiringPayment
from counterfoil.book.worklists import EndingSum
from counterfoil.order.shapes import TaskShape
from counterfoil.portal import words
from counterfoil.portal.figures import money, plural
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import gateway_name
from counterfoil.portal.words import Word

#: How near the end is, as the core counts it: the word, and what stands in the plot.
NEAR = (
    (words.NEARNESS["OVER"], "Over, about to be booked"),
    (words.NEARNESS["MINUTES"], "Less than 15 min"),
    (words.NEARNESS["HOUR"], "Less than 1 h"),
    (words.NEARNESS["DAY"], "Less than 1 day"),
    (words.NEARNESS["LATER"], "Later"),
)
#: Where the bar of a row ends, in thousandths: a week is all of it, and each step is as wide.
_STEPS = ((0, 0), (900, 250), (3600, 500), (86_400, 750), (7 * 86_400, 1000))
#: A task's kind, what its button says, and where that leads; `{order}` and `{payment}` are ids.
_DOORS = {
    "payment_attention": ("Decide…", "/portal/orders/{order}/payments/{payment}/decide"),
    "refund_approval": ("Look at it", "/portal/orders/{order}#order-refunds"),
    "refund_waiting": ("Look at it", "/portal/orders/{order}#order-refunds"),
    "refund_failed": ("Refund…", "/portal/orders/{order}/refund"),
    "cancellation_failed": ("Try again…", "/portal/orders/{order}/cancel?scope=again"),
    "reauthorise": ("Re-authorise…", "/portal/orders/{order}/payments/{payment}/reauthorize"),
}
#: Tasks that end themselves when the thing itself is decided.
SELF_ENDING = ("payment_attention", "refund_approval", "refund_waiting")
TASK_WORDS = {
    "refund_failed": Word("danger", "receipt-refund", "Refund failed"),
    "refund_approval": Word("warning", "receipt-refund", "Refund to approve"),
    "refund_waiting": Word("warning", "receipt-refund", "Refund waits for its payment"),
    "payment_attention": Word("danger", "alert-triangle", "Payment to decide about"),
    "reauthorise": Word("warning", "clock-x", "Reservation expired"),
    "cancellation_failed": Word("danger", "coins", "Cancelled, money not back"),
    "compensation": Word("warning", "coins", "Money came too late"),
}


class Bar(NamedTuple):
    """One bar of the plot: its length in thousandths of the longest of its currency."""

    label: str
    word: Word
    width: int
    amount: str
    payments: str


class Plot(NamedTuple):
    """The bars of one currency."""

    currency: str
    bars: tuple[Bar, ...]


class ExpiringRow(NamedTuple):
    """A reservation in its list."""

    payment: ExpiringPayment
    gateway: str
    width: int
    form: Form


class TaskRow(NamedTuple):
    """A task in its list: what to do, and where."""

    task: TaskShape
    word: Word
    about: str
    door: str
    href: str
    done_href: str

    @property
    def opens(self) -> bool:
        """Whether the door is a dialog; else it is a page, or a place on one."""
        return self.door.endswith("…")


def plots(sums: Sequence[EndingSum]) -> list[Plot]:
    """Draw a plot for each currency; amounts of two currencies are never on one scale."""
    drawn = []
    for currency in dict.fromkeys(one.currency for one in sums):
        own = [one for one in sums if one.currency == currency]
        most = max((one.open for one in own), default=0) or 1
        bars = tuple(
            Bar(
                NEAR[one.nearness][1],
                NEAR[one.nearness][0],
                max(one.open * 1000 // most, 4),
                money(one.open, currency),
                plural(one.payments, "reservation", "reservations"),
            )
            for one in own
        )
        drawn.append(Plot(currency, bars))
    return drawn


def expiring_row(one: ExpiringPayment) -> ExpiringRow:
    """Show a reservation, with a bar that is as long as its time is."""
    return ExpiringRow(one, gateway_name(one.gateway), width_of(one.seconds_left), Form())


def width_of(seconds: int) -> int:
    """Tell how long a bar is: a quarter for each step of a quarter hour, hour, day and week."""
    for (low, start), (high, end) in pairwise(_STEPS):
        if seconds <= high:
            return start + (seconds - low) * (end - start) // (high - low)
    return 1000


def task_row(task: TaskShape) -> TaskRow:
    """Say what a task is about, and where it is done."""
    label, href = _DOORS.get(task.kind, ("Open the order", "/portal/orders/{order}"))
    if task.kind == "cancellation_failed" and "cancellation_id" not in task.context:
        label, href = _DOORS["refund_failed"]
    if "{payment}" in href and not task.payment_id:
        label, href = "Open the order", "/portal/orders/{order}"
    return TaskRow(
        task,
        TASK_WORDS.get(task.kind) or Word("neutral", "note", task.kind.replace("_", " ").title()),
        _about(task.context),
        label,
        href.format(order=task.order_id, payment=task.payment_id or ""),
        "" if task.kind in SELF_ENDING else f"/portal/tasks/{task.id}/done",
    )


def _about(context: dict[str, Any]) -> str:
    """Name the amount and the reference that a task carries, where it carries them."""
    amount, currency = context.get("amount"), context.get("currency")
    named = [money(amount, currency)] if isinstance(amount, int) and currency else []
    if isinstance(context.get("reference"), str):
        named.append(str(context["reference"]))
    return " · ".join(named)
