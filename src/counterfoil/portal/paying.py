"""The payments panel: each payment's numbers that add up, its end, and its own doors.

Made from the API's shape of a payment and from what the actions' own checks say of it.
[U-26 to U-30; design guide 3.2]
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from counterfoil.actions.capture import capturable
from counterfoil.actions.renew import renew
from counterfoil.kernel.problem import Problem
from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Capabilities
from counterfoil.order.intent import Asked
from counterfoil.order.payment import Payment
from counterfoil.order.shapes import OrderShape, PaymentShape
from counterfoil.portal.attending import Attention, in_words
from counterfoil.portal.words import REFUSED

FLOWS = {"auth": "held first, captured later", "payment": "captured at once"}
#: A wait this short is worth a warning of its own: some providers keep money for minutes.
SHORT_HOLD_S = 3600


class Part(NamedTuple):
    """One part of what was authorised."""

    label: str
    minor: int
    tone: str


class Door(NamedTuple):
    """Something that may be done with this payment; `posts`: at once, without a form."""

    label: str
    href: str
    right: str
    posts: bool = False


class Judged(NamedTuple):
    """What the actions' own checks say of a payment, before anybody presses anything."""

    renewable: bool = False
    capture_why: str = ""
    instant: bool = False
    full_only: str = ""


class PaymentView(NamedTuple):
    """A payment as its panel shows it."""

    payment: PaymentShape
    gateway: str
    flow: str
    parts: tuple[Part, ...]
    doors: tuple[Door, ...]
    confirm: str = ""
    attention: Attention | None = None
    renews: str = ""

    @property
    def kept_since(self) -> datetime | None:
        """When the provider was told to keep it; None while its clock runs, or nothing is held."""
        held = self.payment.amounts.open or self.payment.amounts.pending
        return self.payment.acknowledged_at if held and not self.payment.expires_at else None


def judge(folder: Folder, payment: Payment, actor: Actor) -> Judged:
    """Ask the actions' own checks about a payment."""
    asked = Asked(actor=actor, source="portal")
    why = _refusal(lambda: capturable(folder, asked, None, payment.id)) if payment.open else None
    able = folder.gateway_of(payment).capabilities
    return Judged(
        renewable=_refusal(lambda: renew(folder, asked=asked, payment_id=payment.id)) is None,
        capture_why=REFUSED.get(why.code, why.detail) if why else "",
        instant=able.instant,
        full_only=_full_only(folder, payment, asked) if not why else "",
    )


def _refusal(check: Callable[[], object]) -> Problem | None:
    try:
        check()
    except Problem as problem:
        return problem
    return None


def _full_only(folder: Folder, payment: Payment, asked: Asked) -> str:
    """Say why a part cannot be captured; empty where it can."""
    less = min(payment.open, folder.order.owed) - 1
    problem = _refusal(lambda: capturable(folder, asked, less, payment.id)) if less > 0 else None
    if problem is None:
        return ""
    if problem.code == "permission_denied":
        return "You may capture in full only."
    if not folder.gateway_of(payment).capabilities.partial_capture:
        return "This gateway captures in full only."
    return "This store captures in full only."


def payment_views(
    order: OrderShape, judged: dict[str, Judged], name: Callable[[str], str]
) -> list[PaymentView]:
    """Show every payment of an order, the first one first. `name`: a gateway's for people."""
    several = sum(1 for one in order.payments if one.amounts.open) > 1
    return [
        PaymentView(
            payment=one,
            gateway=name(one.gateway),
            flow=FLOWS.get(one.flow, one.flow),
            parts=parts_of(one),
            doors=_doors(order, one, judged.get(one.id, Judged()), several=several),
            confirm=_confirm(one),
            attention=in_words(one, name(one.gateway)) if one.attention else None,
            renews=_place(order.payments, one.renews),
        )
        for one in order.payments
    ]


def parts_of(payment: PaymentShape) -> tuple[Part, ...]:
    """Split what was authorised; the parts that are something add up to it."""
    sums = payment.amounts
    if not sums.authorized:
        return ()
    parts = (
        Part("captured", sums.captured, "success"),
        Part("released", sums.voided, "neutral"),
        Part("expired", sums.expired, "neutral"),
        Part("not known yet", sums.pending, "warning"),
        Part("open", sums.open, "info"),
    )
    assert sum(part.minor for part in parts) == sums.authorized, "a payment's parts do not add up"
    return tuple(part for part in parts if part.minor)


def _doors(
    order: OrderShape, one: PaymentShape, judged: Judged, *, several: bool
) -> tuple[Door, ...]:
    """List what may be done with one payment. Where it is the only one, the panel's own form does.

    Doors of the panel are not repeated: Capture and Void stand here where there are several.
    """
    page, this = f"/portal/orders/{order.id}", f"/portal/orders/{order.id}/payments/{one.id}"
    allowed = {action.action for action in one.allowed_actions}
    doors = []
    if "decide" in allowed:
        doors.append(Door("Decide…", f"{this}/decide", "payments.capture"))
    if several and "capture" in allowed and not judged.capture_why:
        doors.append(Door("Capture…", f"{page}/capture?payment={one.id}", "payments.capture"))
    if several and "void" in allowed:
        doors.append(Door("Void…", f"{page}/void?payment={one.id}", "payments.void"))
    if "acknowledge" in allowed:
        keep = Door("Keep the reservation", f"{page}/acknowledge", "payments.capture", posts=True)
        doors.append(keep)
    if judged.renewable and (one.expires_at or one.amounts.expired):
        doors.append(Door("Re-authorise…", f"{this}/reauthorize", "payments.capture"))
    return tuple(doors)


def _confirm(one: PaymentShape) -> str:
    """Tell where the shopper confirms; only an address of the web is a link."""
    address = one.redirect_url or ""
    return address if address.startswith(("https://", "http://")) else ""


def _place(payments: Sequence[PaymentShape], payment_id: str | None) -> str:
    """Name a payment by its place among those of its order."""
    return next((str(n) for n, one in enumerate(payments, 1) if one.id == payment_id), "")


def hold_sentence(able: Capabilities, gateway: str) -> str:
    """Say how long a provider keeps money that nobody acknowledges, where that is short."""
    if not able.hold_seconds or able.hold_seconds > SHORT_HOLD_S:
        return ""
    unless = ", unless it is told to keep it" if able.acknowledge else ""
    return f"{gateway} keeps a reservation for {able.hold_seconds // 60} minutes{unless}."
