"""Screening: which new orders somebody has to look at, as rules that a store writes down.

The rules are data and the judgement is a pure function of an order and of when earlier orders of
the same e-mail address came. [domain.md §8, N-24]
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from counterfoil.kernel.currencies import EXPONENTS
from counterfoil.kernel.money import to_decimal
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.order import Order

LISTED_MAX = 1000
EARLIER_MAX = 101
_Minor = Annotated[int, msgspec.Meta(ge=0, le=10**12 - 1)]
_Address = Annotated[str, msgspec.Meta(pattern=r"^[^\s@]+@[^\s@]+$", max_length=320)]
_Domain = Annotated[str, msgspec.Meta(pattern=r"^[^\s@/]+\.[^\s@/.]+$", max_length=253)]
_Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$(?!\n)")]


class Velocity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """More than so many orders of one e-mail address within so many hours, this one counted."""

    orders: Annotated[int, msgspec.Meta(ge=1, le=EARLIER_MAX - 1)]
    hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 31)]


class Blocked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The store's own list. A domain stands for those below it too, a country for either address.

    E-mail addresses and domains are compared without regard to case.
    """

    emails: Annotated[list[_Address], msgspec.Meta(max_length=LISTED_MAX)] = []
    domains: Annotated[list[_Domain], msgspec.Meta(max_length=LISTED_MAX)] = []
    countries: Annotated[list[_Country], msgspec.Meta(max_length=300)] = []


class ReviewRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a store screens new orders by; what is absent is not looked at.

    `amount_over` maps currencies to minor units: a larger total is reviewed.
    """

    blocked: Blocked = Blocked()
    amount_over: dict[str, _Minor] = {}
    countries_differ: bool = False
    velocity: Velocity | None = None
    first_order: bool = False

    @property
    def any(self) -> bool:
        """Whether anything is screened at all."""
        return self != ReviewRules()

    def checked(self) -> "ReviewRules":
        """Return them as they are kept. Raises ValidationFailed for what is no currency."""
        wrong = sorted(set(self.amount_over) - set(EXPONENTS))
        if wrong:
            raise ValidationFailed(
                f"{wrong[0][:20]} is not a currency.",
                errors=[
                    {"pointer": f"/amount_over/{code}", "detail": "It is not a currency."}
                    for code in wrong[:20]
                ],
            )
        return msgspec.structs.replace(
            self,
            blocked=Blocked(
                emails=_once(text.casefold() for text in self.blocked.emails),
                domains=_once(text.casefold() for text in self.blocked.domains),
                countries=_once(self.blocked.countries),
            ),
        )


class Screening(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk has for screening: the store's rules, and when earlier orders came.

    `earlier` are the newest orders that name the same e-mail address, at most EARLIER_MAX.
    """

    rules: ReviewRules
    earlier: tuple[datetime, ...] = ()


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule makes of an order: the sentence where it calls for a review."""

    rule: str
    matched: bool
    explanation: str


def judge(screening: Screening, order: Order) -> list[Judged]:
    """Judge an order by every rule that is set, the gravest first."""
    found = []
    for rule, says in _JUDGES:
        sentence = says(screening, order)
        if sentence is not None:
            found.append(Judged(rule=rule, matched=bool(sentence), explanation=sentence))
    return found


def first_match(screening: Screening, order: Order) -> Judged | None:
    """Find the first rule that calls for a review."""
    return next((one for one in judge(screening, order) if one.matched), None)


def _once(texts: Any) -> list[str]:
    return list(dict.fromkeys(texts))


def _email(order: Order) -> str:
    return str(order.customer.get("email") or "").strip().casefold()


def _countries(order: Order) -> tuple[str, str]:
    billing, shipping = order.billing_address or {}, order.shipping_address or {}
    return str(billing.get("country") or ""), str(shipping.get("country") or "")


# Each answers None where its rule is not set, and an empty sentence where it lets the order pass.
def _blocked(screening: Screening, order: Order) -> str | None:
    listed = screening.rules.blocked
    if listed == Blocked():
        return None
    email = _email(order)
    if email in listed.emails:
        return "The e-mail address is on the store's block list."
    domain = email.rpartition("@")[2]
    for one in listed.domains:
        if domain == one or domain.endswith("." + one):
            return f"The e-mail domain {one} is on the store's block list."
    for country, what in zip(_countries(order), ("billing", "shipping"), strict=True):
        if country in listed.countries:
            return f"The {what} country {country} is on the store's block list."
    return ""


def _amount_over(screening: Screening, order: Order) -> str | None:
    most = screening.rules.amount_over.get(order.currency)
    if most is None:
        return "" if screening.rules.amount_over else None
    if order.total <= most:
        return ""
    total, limit = (to_decimal(minor, order.currency) for minor in (order.total, most))
    return f"The total of {total} {order.currency} is more than {limit} {order.currency}."


def _countries_differ(screening: Screening, order: Order) -> str | None:
    if not screening.rules.countries_differ:
        return None
    billing, shipping = _countries(order)
    if not billing or not shipping or billing == shipping:
        return ""
    return f"It is billed in {billing} and shipped to {shipping}."


def _velocity(screening: Screening, order: Order) -> str | None:
    most = screening.rules.velocity
    if most is None:
        return None
    since = order.placed_at - timedelta(hours=most.hours)
    count = 1 + sum(1 for at in screening.earlier if since < at <= order.placed_at)
    if not _email(order) or count <= most.orders:
        return ""
    hours = "hour" if most.hours == 1 else f"{most.hours} hours"
    return (
        f"It is order number {count} of this e-mail address within {hours}; more than"
        f" {most.orders} are reviewed."
    )


def _first_order(screening: Screening, order: Order) -> str | None:
    if not screening.rules.first_order:
        return None
    known = any(at <= order.placed_at for at in screening.earlier)
    if not _email(order) or known:
        return ""
    return "It is the first order of this e-mail address."


_JUDGES = (
    ("blocked", _blocked),
    ("amount_over", _amount_over),
    ("countries_differ", _countries_differ),
    ("velocity", _velocity),
    ("first_order", _first_order),
)
