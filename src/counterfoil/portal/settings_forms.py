"""The cards of a store's settings: shown, read back as typed, each saved by itself. [3.23]"""

from typing import Any, NamedTuple

from counterfoil.kernel.money import MINOR_MAX
from counterfoil.order.config import PARTIAL_CAPTURE, Store
from counterfoil.order.letter import BY_THEMSELVES, LANGUAGES
from counterfoil.portal.figures import Unreadable, money, plain, read_money
from counterfoil.portal.forms import Form
from counterfoil.portal.visit import Visit
from counterfoil.setup.stores import StoreChange

HOLD_MAX, WINDOW_MAX = 366 * 86_400, 3660


class Card(NamedTuple):
    """A card: its title, and the fields of the store that it saves, with what people call them."""

    title: str
    fields: dict[str, str]

    @property
    def saves(self) -> frozenset[str]:
        """The fields of the store that it saves."""
        return frozenset(self.fields)


CARDS = {
    "general": Card(
        "Name and language",
        {"name": "Name", "number_prefix": "Prefix of order numbers", "language": "Language"},
    ),
    "money": Card(
        "Money",
        {
            "scopes": "Capture in part",
            "capture_on_ship": "Capture when a shipment leaves",
            "auth_hold_seconds": "Seconds that a reservation lasts",
            "refund_order": "Which payment a refund takes first",
            "refund_window_days": "Days for returns and refunds",
            "return_fee": "Usual fee for a return",
        },
    ),
    "letters": Card(
        "Letters to customers",
        {"letters": "Letters", "cancel_email_default": "E-mail about a cancellation"},
    ),
    "orders": Card(
        "Orders that come in",
        {"test_orders": "Test orders", "create_merchants": "New merchants"},
    ),
}
REFUND_ORDERS = (
    ("last_in_first", "The last one first"),
    ("first_in_first", "The first one first"),
    ("card_first", "Cards before others"),
)
LANGUAGE_CHOICES = tuple(LANGUAGES.items())
EMAIL_CHOICES = (("no", "Do not send"), ("yes", "Send it"))


def shown(card: str, store: Store) -> Form:
    """Put the store's settings of a card into its form."""
    return Form(values=_values(card, store))


def _values(card: str, store: Store) -> dict[str, str]:
    match card:
        case "general":
            return {
                "name": store.name,
                "number_prefix": store.number_prefix,
                "language": store.language,
            }
        case "money":
            return {
                "partial": "1" if store.captures_in_part else "",
                "capture_on_ship": "1" if store.capture_on_ship else "",
                "auth_hold_seconds": _number(store.auth_hold_seconds),
                "refund_order": store.refund_order,
                "refund_window_days": _number(store.refund_window_days),
                "return_fee": plain(store.return_fee, store.currency),
            }
        case "letters":
            wanted = {"cancel_email": "yes" if store.cancel_email_default else "no"}
            return wanted | {kind: "1" if kind in store.letters else "" for kind in BY_THEMSELVES}
    return {
        "test_orders": "1" if store.test_orders else "",
        "create_merchants": "1" if store.create_merchants else "",
    }


def typed_card(visit: Visit, card: str, store: Store) -> tuple[Form, StoreChange | None]:
    """Read what was typed; no change where something of it is wrong, which the form then says."""
    form = Form(values={name: visit.typed(name, 200) for name in _values(card, store)})
    wanted = _READERS[card](form, store)
    return form, None if form.refused else StoreChange(**wanted)


def _read_general(form: Form, store: Store) -> dict[str, Any]:
    values = form.values
    if not values["name"]:
        form.errors["name"] = "Name: write what people call the store."
    if values["language"] not in LANGUAGES:
        form.errors["language"] = "Language: choose one of the list."
    return {name: values[name] for name in ("name", "number_prefix", "language")}


def _read_money(form: Form, store: Store) -> dict[str, Any]:
    values = form.values
    if values["refund_order"] not in dict(REFUND_ORDERS):
        form.errors["refund_order"] = "Which payment first: choose one of the list."
    others = [scope for scope in store.scopes if scope != PARTIAL_CAPTURE]
    return {
        "scopes": [*others, *([PARTIAL_CAPTURE] if values["partial"] else [])],
        "capture_on_ship": bool(values["capture_on_ship"]),
        "auth_hold_seconds": _read_number(form, "auth_hold_seconds", 60, HOLD_MAX),
        "refund_order": values["refund_order"],
        "refund_window_days": _read_number(form, "refund_window_days", 1, WINDOW_MAX),
        "return_fee": _read_fee(form, store.currency),
    }


def _read_letters(form: Form, store: Store) -> dict[str, Any]:
    return {
        "letters": [kind for kind in BY_THEMSELVES if form.values[kind]],
        "cancel_email_default": form.values["cancel_email"] == "yes",
    }


def _read_orders(form: Form, store: Store) -> dict[str, Any]:
    return {name: bool(form.values[name]) for name in ("test_orders", "create_merchants")}


_READERS = {
    "general": _read_general,
    "money": _read_money,
    "letters": _read_letters,
    "orders": _read_orders,
}


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _read_number(form: Form, name: str, least: int, most: int) -> int | None:
    """Read a whole number; empty is none. Spaces between digits are left out."""
    text = form.values[name].replace(" ", "").replace("\u00a0", "")
    if not text:
        return None
    whole = text.isascii() and text.isdecimal() and len(text) < 10
    if not whole or not least <= int(text) <= most:
        label = CARDS["money"].fields[name]
        form.errors[name] = f"{label}: write a number from {least} to {most:,}, or nothing."
        return None
    return int(text)


def _read_fee(form: Form, currency: str) -> int:
    label = CARDS["money"].fields["return_fee"]
    try:
        fee = read_money(form.values["return_fee"] or "0", currency)
    except Unreadable as wrong:
        form.errors["return_fee"] = f"{label}: {wrong}"
        return 0
    if fee > MINOR_MAX:
        form.errors["return_fee"] = f"{label}: at most {money(MINOR_MAX, currency)}."
    return fee
