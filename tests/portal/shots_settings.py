"""A store's settings to look at: as they are, and with what was typed wrong."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.order.config import Store
from counterfoil.order.letter import BY_THEMSELVES
from counterfoil.portal import story
from counterfoil.portal.forms import Form
from counterfoil.portal.letter_words import KINDS
from counterfoil.portal.settings_forms import (
    CARDS,
    EMAIL_CHOICES,
    LANGUAGE_CHOICES,
    REFUND_ORDERS,
    shown,
)
from counterfoil.portal.shelf import Shelf
from counterfoil.setup.store_changes import StoreEdit, newest
from tests.portal.samples import FRAME, NOW

STORE = Store(
    id="s", code="oslo", name="Nordic Wool Oslo", currency="NOK", number_prefix="OSL-",
    scopes=("partial_capture",), auth_hold_seconds=900, refund_window_days=30, return_fee=4900,
    letters=("shipped",), created_at=NOW,
)
OTHER = msgspec.structs.replace(STORE, code="fjell", name="Fjell & Fjord – everything for outside")
EDITS = [
    StoreEdit(id="2", fields=frozenset({"scopes"}), at=NOW - timedelta(hours=3),
              actor={"kind": "user", "name": "Kari Lie"}),
    StoreEdit(id="1", fields=frozenset(Store.__struct_fields__), at=NOW - timedelta(days=90),
              actor={"kind": "system", "name": "Counterfoil"}),
]
AT_SETTINGS = msgspec.structs.replace(FRAME, here="settings")
WRONG = Form(
    values=shown("money", STORE).values | {"return_fee": "1.234", "auth_hold_seconds": "5"},
    errors={
        "auth_hold_seconds": "Seconds that a reservation lasts: write a number from 60 to"
        " 31,622,400, or nothing.",
        "return_fee": "Usual fee for a return: “1.234” can be read two ways. Write 1234.00.",
    },
    notices=["Kari Lie changed this meanwhile. What you typed is kept here."],
)


def settings(**typed: Form) -> dict[str, Any]:
    """The page, with forms as they were typed."""
    return {
        "shelf": Shelf(STORE, (STORE, OTHER)),
        "cards": CARDS,
        "forms": {name: typed.get(name) or shown(name, STORE) for name in CARDS},
        "changed": {name: newest(EDITS, card.saves) for name, card in CARDS.items()},
        "who": story.who,
        "refund_orders": REFUND_ORDERS,
        "languages": LANGUAGE_CHOICES,
        "emails": EMAIL_CHOICES,
        "by_themselves": [(kind, *KINDS[kind]) for kind in BY_THEMSELVES],
        "saved": "" if typed else "letters",
    }


PAGES = (
    ("settings", "settings/store.html", settings),
    ("settings-wrong", "settings/store.html", lambda: settings(money=WRONG)),
)
