"""What a money form says before it is sent: one block of sentences, and the button's words.

Amount, currency, gateway, what is left, and whether it can be undone. What was typed is judged by
the core's own measure; the page only puts it into words. [design guide 3.3 to 3.6]
"""

from counterfoil.order.folder import Folder
from counterfoil.order.payment import Payment
from counterfoil.portal.figures import Unreadable, money, plain, read_money
from counterfoil.portal.forms import Ask, Form, Say
from counterfoil.portal.paying import hold_sentence
from counterfoil.portal.reading import gateway_name
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


def most_of(folder: Folder, payment: Payment) -> int:
    """Tell how much may be captured of a payment: what is open of it, and owed."""
    return max(0, min(payment.open, folder.order.owed))


def ask_capture(folder: Folder, payment: Payment, full_only: str) -> Ask:
    """Collect what the capture form shows above its field, of the one payment it is about."""
    name, currency = gateway_name(payment.gateway), payment.currency
    most = most_of(folder, payment)
    hint = full_only or f"Up to {money(most, currency)}."
    if most < payment.open:
        hint += f" The order is worth no more by now; {money(payment.open, currency)} is open."
    if payment.outstanding > payment.open:
        hint += f" {money(payment.outstanding - payment.open, currency)} is not known yet."
    able = folder.gateway_of(payment).capabilities
    short = hold_sentence(able, name) if payment.expires_at else ""
    return Ask(
        open_minor=most,
        sums=_sums(payment),
        partial=not full_only,
        hint=hint,
        why=short,
        payment=payment.id,
        others=_others(folder, payment),
    )


def say_capture(folder: Folder, payment: Payment, typed: Typed) -> Say:
    """Say what a capture does."""
    if typed.refused:
        return Say(label="Capture", shown_minor=0, refused=typed.refused)
    amount, rest = money(typed.minor, payment.currency), payment.open - typed.minor
    stays = "Nothing stays reserved."
    if rest:
        left = money(rest, payment.currency)
        multi = folder.gateway_of(payment).capabilities.multi_capture
        stays = f"{left} stays reserved."
        if typed.minor == folder.order.owed and not folder.order.capture_pending:
            stays = f"The remaining {left} is released: nothing is owed any more."
        elif not multi:
            stays = f"The remaining {left} is released for good: this gateway captures once."
    name = gateway_name(payment.gateway)
    lines = [f"{amount} is taken from the shopper through {name}. {stays}"]
    if folder.order.system_state == "NEW":
        lines.append("The order moves to Processing.")
    lines.append("It can be given back with a refund.")
    return Say(label=f"Capture {amount}", shown_minor=typed.minor, lines=tuple(lines))


def ask_void(folder: Folder, payment: Payment, *, cancels: bool, email: str) -> Ask:
    """Collect what the void form shows; all of it may be a cancellation, which may write."""
    partial = folder.gateway_of(payment).capabilities.partial_void
    name = gateway_name(payment.gateway)
    return Ask(
        open_minor=payment.open,
        sums=_sums(payment),
        partial=partial,
        why="" if partial else f"{name} releases all of it or nothing.",
        all_means="The order is cancelled." if cancels else "Nothing of it stays reserved.",
        email=email if cancels else "",
        email_question=f"If all of it: send an e-mail to {email}?" if partial else question(email),
        payment=payment.id,
        others=_others(folder, payment),
    )


def say_void(payment: Payment, minor: int, *, cancels: bool, refused: str = "") -> Say:
    """Say what a release does."""
    if refused:
        return Say(label="Void", shown_minor=0, refused=refused, grave=True)
    amount = money(minor, payment.currency)
    name = gateway_name(payment.gateway)
    lines = [f"{amount} goes back to the shopper’s limit through {name}; it may take some days."]
    if minor < payment.open:
        lines.append(f"{money(payment.open - minor, payment.currency)} stays reserved.")
    elif cancels:
        lines.append("The order is cancelled.")
    return Say(
        label=f"Void {amount}", shown_minor=minor, lines=tuple(lines), final=FINAL, grave=True
    )


def _sums(payment: Payment) -> tuple[tuple[str, int], ...]:
    return (
        ("Authorised", payment.authorized),
        ("Captured", payment.captured),
        ("Open", payment.open),
    )


def _others(folder: Folder, chosen: Payment) -> tuple[tuple[str, str], ...]:
    """Name the payments to choose from, where more than one has money open; the chosen one too."""
    able = [one for one in folder.payments if one.open > 0]
    if len(able) < 2 and chosen in able:
        return ()
    return tuple(
        (one.id, f"{gateway_name(one.gateway)}, {money(one.open, one.currency)} open")
        for one in able
    )


def payment_form(
    folder: Folder, payment: Payment, *, most: int | None = None, **more: str
) -> Form:
    """Begin a money form with an amount in its field: what is open of the payment.

    `most` is in its place where less may be moved.
    """
    amount = payment.open if most is None else most
    values = {"amount": plain(amount, payment.currency), **more}
    return Form(version=folder.order.version, values=values)


def question(email: str) -> str:
    return f"Send an e-mail to {email}?"
