"""The pages of gateways that are looked at: healthy, in trouble, refused, empty."""

from typing import Any

import msgspec

from counterfoil.book.answered import Held, Lately
from counterfoil.gateways.asked import kinds
from counterfoil.order.config import Gateway, Store
from counterfoil.portal.forms import Form
from counterfoil.portal.gateway_forms import (
    secret_fields,
    setting_fields,
    show_settings,
    tell_refusal,
)
from counterfoil.portal.gateway_view import Card, View, kind_cards, kind_name, store_choices
from counterfoil.setup.gateways import Replaced
from tests.portal.samples import FRAME, NOW

AT_GATEWAYS = msgspec.structs.replace(FRAME, here="gateways")
BUSY = Lately(
    gateway="card-eu", answers=212, declined=7, unknown=1, p95_ms=1180, unknown_now=1,
    pending_now=2,
)
HOOK = "https://oms.nordlys-handel.example.com/v1/hooks/0199c000000070008000000000000001-card-eu"


def _store(code: str, name: str, **more: Any) -> Store:
    return Store(id=code, code=code, name=name, currency="NOK", created_at=NOW, **more)


STORES = [
    _store("oslo", "Nordlys Oslo", default_gateway="card-eu"),
    _store("tromso", "Nordlys Tromsø, with a name that goes on", default_gateway="till"),
]


def _gateway(**given: Any) -> Gateway:
    usual = {
        "id": "g", "code": "card-eu", "kind": "sandbox", "has_credentials": True,
        "settings": {"base_url": "http://127.0.0.1:8790", "partial_capture": False},
        "default_for": ("oslo",), "created_at": NOW,
    }
    return Gateway(**{**usual, **given})


def cards() -> dict[str, Any]:
    till = _gateway(
        code="till", kind="manual", settings={}, has_credentials=False, default_for=("tromso",),
    )
    closed = _gateway(code="a-gateway-with-a-long-name-indeed", enabled=False, store="oslo",
                      default_for=())
    return {
        "cards": [
            Card(gateway=_gateway(), lately=BUSY, form=Form()),
            Card(gateway=till, lately=Lately(gateway="till"), form=Form()),
            Card(gateway=closed, lately=Lately(gateway="x", answers=1, declined=1), form=Form()),
        ]
    }


def page(**given: Any) -> dict[str, Any]:
    gateway = given.pop("gateway", _gateway())
    values = show_settings(gateway.kind, gateway.settings) | {"store": gateway.store or ""}
    usual = {
        "gateway": gateway, "lately": BUSY, "form": Form(), "stores": STORES,
        "all_stores": STORES, "replaced": Replaced(at=NOW, by="Anna Berg"), "hook": HOOK,
        "hook_is_whole": True, "settings_form": Form(values=values), "secrets_form": Form(),
    }
    said, refused = given.pop("said", ""), given.pop("refused", Form())
    return {"view": View(**{**usual, **given}), "said": said, "refused": refused}


def refused_page() -> dict[str, Any]:
    form = Form(values={"set_base_url": "nowhere", "advanced": '{"x": 1'})
    tell_refusal("sandbox", "Expected `str` matching regex '^x' - at `$.base_url`", form)
    form.errors["advanced"] = 'Further settings: write one JSON object, such as {"name": 1}.'
    return page(settings_form=form, hook=HOOK.partition("com")[2], hook_is_whole=False)


def new(kind: str) -> dict[str, Any]:
    return {
        "kind": kind, "called": kind_name(kind), "fields": setting_fields(kind),
        "secrets": secret_fields(kind), "store_choices": store_choices(STORES), "form": Form(),
    }


def disable(held: list[Held], **given: Any) -> dict[str, Any]:
    return {
        "gateway": _gateway(**given), "called": "Card eu", "held": held, "form": Form(),
        "back": "/portal/gateways/card-eu",
    }


#: Name, template and context; `shots` makes shots of them.
PAGES = (
    ("gateways", "gateways/list.html", cards),
    ("gateways-empty", "gateways/list.html", lambda: {"cards": []}),
    ("gateway", "gateways/page.html", lambda: page(said="Settings saved.")),
    ("gateway-refused", "gateways/page.html", refused_page),
    (
        "gateway-disabled",
        "gateways/page.html",
        lambda: page(
            gateway=_gateway(code="till", kind="manual", settings={"odd": [1]}, enabled=False,
                             has_credentials=False, default_for=()),
            lately=Lately(gateway="till"), replaced=None,
            refused=Form(notices=["The credentials cannot be opened."]),
        ),
    ),
    ("gateway-kinds", "gateways/kinds.html", lambda: {"kinds": kind_cards(kinds())}),
    *(
        (f"gateway-new-{kind}", "gateways/new.html", lambda kind=kind: new(kind))
        for kind in kinds()
    ),
    (
        "gateway-disable",
        "gateways/disable.html",
        lambda: disable([Held("EUR", 12, 340000), Held("NOK", 1, 9900)]),
    ),
    (
        "gateway-disable-empty", "gateways/disable.html", lambda: disable([], default_for=()),
    ),
)
