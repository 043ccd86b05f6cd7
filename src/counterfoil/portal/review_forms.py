"""The form of a store's review rules: what was typed, as rules, and what is wrong with it."""

from collections.abc import Callable

import msgspec

from counterfoil.kernel.currencies import EXPONENTS
from counterfoil.order.screening import Blocked, Judged, ReviewRules, Velocity
from counterfoil.portal.figures import Unreadable, plain, read_money
from counterfoil.portal.forms import Form
from counterfoil.portal.visit import Visit

FIELDS = {
    "amount_over": "Total above",
    "countries_differ": "Countries differ",
    "first_order": "First order",
    "orders": "Orders",
    "hours": "Hours",
    "emails": "E-mail addresses",
    "domains": "Domains",
    "countries": "Countries",
    "number": "Order number",
}
LABELS = {
    "blocked": "Block list",
    "amount_over": "Total",
    "countries_differ": "Countries",
    "velocity": "Many orders",
    "first_order": "First order",
}
LISTS_MAX = 60_000


class Verdict(msgspec.Struct, frozen=True):
    """What the rules made of an order that they were tried on."""

    number: str
    order_id: str
    judged: list[Judged]

    @property
    def matches(self) -> bool:
        """Whether the order would have been reviewed."""
        return any(one.matched for one in self.judged)


def shown(rules: ReviewRules) -> Form:
    """Put rules into their form."""
    amounts = [f"{plain(minor, code)} {code}" for code, minor in rules.amount_over.items()]
    return Form(
        values={
            "amount_over": "\n".join(amounts),
            "countries_differ": "1" if rules.countries_differ else "",
            "first_order": "1" if rules.first_order else "",
            "orders": str(rules.velocity.orders) if rules.velocity else "",
            "hours": str(rules.velocity.hours) if rules.velocity else "",
            "emails": "\n".join(rules.blocked.emails),
            "domains": "\n".join(rules.blocked.domains),
            "countries": " ".join(rules.blocked.countries),
            "number": "",
        }
    )


def typed_rules(visit: Visit) -> tuple[Form, ReviewRules | None]:
    """Read what was typed; no rules where something of it is wrong, which the form then says."""
    long = ("emails", "domains")
    form = Form(
        values={name: visit.typed(name, LISTS_MAX if name in long else 2000) for name in FIELDS}
    )
    amounts = _amounts(form)
    velocity = _velocity(form)
    blocked = Blocked(
        emails=_listed(form, "emails", lambda one: one),
        domains=_listed(form, "domains", lambda one: one.removeprefix("@")),
        countries=_listed(form, "countries", str.upper),
    )
    rules = ReviewRules(
        amount_over=amounts,
        countries_differ=bool(form.values["countries_differ"]),
        first_order=bool(form.values["first_order"]),
        velocity=velocity,
        blocked=blocked,
    )
    if form.refused:
        return form, None
    return form, rules.checked()


def _amounts(form: Form) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in form.values["amount_over"].splitlines():
        typed, _, code = line.strip().rpartition(" ")
        code = code.upper()
        if not line.strip():
            continue
        if code not in EXPONENTS or not typed:
            form.errors["amount_over"] = f"“{line.strip()[:40]}”: write an amount and a currency."
            continue
        try:
            found[code] = read_money(typed, code)
        except Unreadable as wrong:
            form.errors["amount_over"] = f"“{line.strip()[:40]}”: {wrong}"
    return found


def _velocity(form: Form) -> Velocity | None:
    texts = {name: form.values[name] for name in ("orders", "hours")}
    if not any(texts.values()):
        return None
    most = {"orders": 100, "hours": 24 * 31}
    numbers = {}
    for name, text in texts.items():
        whole = text.isascii() and text.isdecimal() and len(text) < 6
        if not whole or not 1 <= int(text) <= most[name]:
            form.errors[name] = f"{FIELDS[name]}: write a number from 1 to {most[name]}."
        else:
            numbers[name] = int(text)
    return None if form.errors.keys() & texts.keys() else Velocity(**numbers)


def _listed(form: Form, name: str, tidy: Callable[[str], str]) -> list[str]:
    """Read words, one a line or with spaces or commas between, each as the rules take it."""
    words = [tidy(one) for one in form.values[name].replace(",", " ").split()]
    try:
        msgspec.convert({name: words}, Blocked)
    except msgspec.ValidationError:
        wrong = next((one for one in words if not _fits(name, one)), "")
        form.errors[name] = (
            f"{FIELDS[name]}: “{wrong[:60]}” is none."
            if wrong
            else f"{FIELDS[name]}: there are too many."
        )
        return []
    return words


def _fits(name: str, word: str) -> bool:
    try:
        msgspec.convert({name: [word]}, Blocked)
    except msgspec.ValidationError:
        return False
    return True
