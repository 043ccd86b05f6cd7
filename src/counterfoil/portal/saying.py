"""What a money form says before it is sent: one block of sentences, and the button's words.

Amount, currency, gateway, what is left, and whether it can be undone. What was typed is judged by
the core's own measure; the page only puts it into words. [design guide 3.3 to 3.6]
"""

from counterfoil.order.folder import Folder
from counterfoil.portal.figures import Unreadable, money, plain, read_money
from counterfoil.portal.forms import Ask, Form, Say
from counterfoil.portal.reading import gateway_of
from counterfoil.portal.words import REASONS

FINAL = "This cannot be undone."
REASON_CHOICES = tuple(REASONS.items())


class Typed:
    """An amount as typed: what it says in minor units, or why it cannot be taken."""

    def __init__(self, text: str, currency: str, most: int) -> None:
        self.text, self.minor, self.refused = text, 0, ""
        try:
            self.minor = read_money(text, currency)
        except Unreadable as wrong:
            self.refused = str(wrong)
            return
        if self.minor == 0:
            self.refused = "Write an amount above zero."
        elif self.minor > most:
            self.refused = (
                f"{money(self.minor, currency)} is more than the {money(most, currency)}"
                " that is left."
            )


def ask_capture(folder: Folder, full_only: str) -> Ask:
    """Collect what the capture form shows above its field."""
    order = folder.order
    hint = full_only or f"Up to {money(order.open, order.currency)}."
    if order.outstanding > order.open:
        rest = money(order.outstanding - order.open, order.currency)
        hint += f" {rest} is not known yet."
    return Ask(
        open_minor=order.open,
        sums=(
            ("Authorised", order.authorized),
            ("Captured", order.captured),
            ("Open", order.open),
        ),
        partial=not full_only,
        hint=hint,
    )


def say_capture(folder: Folder, typed: Typed) -> Say:
    """Say what a capture does."""
    order = folder.order
    if typed.refused:
        return Say(label="Capture", shown_minor=0, refused=typed.refused)
    amount, rest = money(typed.minor, order.currency), order.open - typed.minor
    stays = "Nothing stays reserved."
    if rest:
        multi = any(
            folder.gateway_of(p).capabilities.multi_capture for p in folder.payments if p.open
        )
        left = money(rest, order.currency)
        stays = f"{left} stays reserved." if multi else f"{left} is released for good."
    lines = [f"{amount} is taken from the shopper through {gateway_of(folder)}. {stays}"]
    if order.system_state == "NEW":
        lines.append("The order moves to Processing.")
    lines.append("It can be given back with a refund.")
    return Say(label=f"Capture {amount}", shown_minor=typed.minor, lines=tuple(lines))


def ask_void(folder: Folder, *, cancels: bool, email: str) -> Ask:
    """Collect what the void form shows; all of it may be a cancellation, which may write."""
    order = folder.order
    partial = any(folder.gateway_of(p).capabilities.partial_void for p in folder.payments if p.open)
    return Ask(
        open_minor=order.open,
        sums=(
            ("Authorised", order.authorized),
            ("Captured", order.captured),
            ("Open", order.open),
        ),
        partial=partial,
        why="" if partial else f"{gateway_of(folder)} releases all of it or nothing.",
        all_means="The order is cancelled." if cancels else "Nothing stays reserved.",
        email=email if cancels else "",
        email_question=f"If all of it: send an e-mail to {email}?" if partial else _question(email),
    )


def say_void(folder: Folder, minor: int, *, cancels: bool, refused: str = "") -> Say:
    """Say what a release does."""
    order = folder.order
    if refused:
        return Say(label="Void", shown_minor=0, refused=refused, grave=True)
    amount = money(minor, order.currency)
    through = gateway_of(folder)
    lines = [f"{amount} goes back to the shopper’s limit through {through}; it may take some days."]
    if minor < order.open:
        lines.append(f"{money(order.open - minor, order.currency)} stays reserved.")
    elif cancels:
        lines.append("The order is cancelled.")
    return Say(
        label=f"Void {amount}", shown_minor=minor, lines=tuple(lines), final=FINAL, grave=True
    )


def ask_cancel(folder: Folder, email: str) -> Ask:
    """Collect the steps of a cancellation, with their amounts."""
    order = folder.order
    steps = []
    if order.open:
        steps.append(f"Release {money(order.open, order.currency)} that is only authorised.")
    if order.refundable:
        steps.append(f"Refund {money(order.refundable, order.currency)} that was captured.")
    waiting = order.outstanding - order.open
    if waiting:
        steps.append(
            f"Wait for {money(waiting, order.currency)} that is not known yet, and return it."
        )
    lines = sum(1 for item in folder.items if item.type == "sku" and item.waiting > 0)
    steps.append(f"Cancel {lines} {'line' if lines == 1 else 'lines'} that have not left.")
    return Ask(
        open_minor=order.open + order.refundable,
        partial=False,
        steps=tuple(steps),
        email=email,
        email_question=_question(email),
        reasons=REASON_CHOICES,
    )


def say_cancel(folder: Folder) -> Say:
    """Say what cancelling does; the steps above it name the amounts."""
    order = folder.order
    minor = order.open + order.refundable
    label = f"Cancel and return {money(minor, order.currency)}" if minor else "Cancel order"
    return Say(label=label, shown_minor=minor, final=FINAL, grave=True)


def amount_form(folder: Folder, minor: int, **more: str) -> Form:
    """Begin a money form with an amount in its field."""
    values = {"amount": plain(minor, folder.order.currency), **more}
    return Form(version=folder.order.version, values=values)


def _question(email: str) -> str:
    return f"Send an e-mail to {email}?"
