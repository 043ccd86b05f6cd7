"""The one door to Jinja: `render(name, frame, **context)`.

Values are escaped, an undefined name is an error, and no template may call `safe`: what a shopper
wrote stays text. Every page and fragment gets the frame: who looks, in which zone, what they may.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from msgspec import Struct, field

from counterfoil.portal import figures, return_words, words

HERE = Path(__file__).parent
STATIC = HERE / "static"
#: What an action asks of who sees every bag of an order: nothing to offer to the limited.
OF_WHOLE_ORDERS = frozenset({
    "orders.edit", "orders.state", "orders.invoice", "orders.notes", "orders.holds",
    "reviews.decide", "payments.capture", "payments.void", "payments.sync", "payments.approve",
})


class Frame(Struct, frozen=True, kw_only=True):
    """What every page knows: the person, their rights, the menu's counts, and how they read.

    `limited`: they see the bags of some merchants alone; `some_stores`: those of some stores.
    """

    person: str = ""
    email: str = ""
    account: str = ""
    theme: str = "system"
    zone: str = "UTC"
    csrf: str = ""
    rights: frozenset[str] = frozenset()
    limited: bool = False
    some_stores: bool = False
    here: str = ""
    path: str = "/portal"
    partial: bool = False
    open_orders: tuple[int, bool] | None = None
    to_settle: int | None = None
    expiring: int = 0
    tasks: int = 0
    to_approve: int | None = None
    to_review: int | None = None
    returning: int | None = None
    now: datetime = field(default_factory=lambda: datetime.fromtimestamp(0, UTC))

    def can(self, right: str) -> bool:
        """Say whether the person holds a right; a control without its right is not rendered."""
        if self.limited and right in OF_WHOLE_ORDERS:
            return False
        return "*" in self.rights or right in self.rights

    @property
    def of_all(self) -> bool:
        """Say whether they see every bag of every store, as pages about the account want it."""
        return not (self.limited or self.some_stores)

    @property
    def initials(self) -> str:
        """Shorten the person's name to at most two letters."""
        parts = (self.person or self.email).split()
        return "".join(part[0] for part in (parts[0], *parts[1:][-1:])).upper() if parts else "?"


@cache
def manifest() -> Mapping[str, str]:
    """Read which hashed file stands for which name; `npm run build` writes it."""
    try:
        known: dict[str, str] = json.loads((STATIC / "manifest.json").read_text())
    except FileNotFoundError as missing:
        raise RuntimeError("Build the portal's assets first: npm ci && npm run build") from missing
    return known


def static(name: str) -> str:
    """Address of an asset, with the hash of its content in its name."""
    return f"/static/{manifest()[name]}"


def money(minor: int, currency: str) -> str:
    """Write money in a template: {{ order.total|money(order.currency) }}."""
    return figures.money(minor, currency)


def moment(at: datetime | str, frame: Frame, style: str = "full") -> figures.Moment:
    """Write a moment in the zone of who reads: {{ order.placed_at|moment(frame) }}."""
    return figures.moment(at, frame.now, frame.zone, style)


def allowed(thing: Any, action: str) -> Any:
    """Find an action among those the core allows now, with its amount; None where it is closed."""
    return next((one for one in thing.allowed_actions if one.action == action), None)


def field_order(values: Any) -> str:
    """Write a value as JSON for people: the raw request and answer of a gateway."""
    return json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True)


@cache
def environment() -> jinja2.Environment:
    """Set Jinja up once: escaping on, undefined is an error, no `safe`."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    del made.filters["safe"]
    made.filters |= {
        "money": money,
        "amount": figures.amount,
        "plain": figures.plain,
        "moment": moment,
        "count": figures.count,
        "ago": lambda at, frame: figures.ago(at, frame.now),
        "left": lambda at, frame: figures.left(at, frame.now),
        "json_text": field_order,
    }
    made.globals |= {
        "static": static,
        "allowed": allowed,
        "plural": figures.plural,
        "look": words.look,
        "nearness": lambda at, frame: words.nearness(figures.read_moment(at), frame.now),
        "account_word": lambda code: words.ACCOUNTS.get(code, code.capitalize()),
        "status_word": words.status_word,
        "payment_word": words.payment_word,
        "movements": words.MOVEMENTS,
        "reasons": words.REASONS,
        "exchanged_number": return_words.exchanged_number,
        "hold_reasons": words.HOLDS,
    }
    return made


def render(name: str, frame: Frame, **context: Any) -> str:
    """Render a page, or its fragment where `frame.partial` says that only that was asked for."""
    layout = "layout/fragment.html" if frame.partial else "layout/page.html"
    template = environment().get_template(name)
    return template.render(frame=frame, layout=layout, **context)
