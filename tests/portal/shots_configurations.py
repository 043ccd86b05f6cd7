"""The pages of order configurations that are looked at: usual, refused, moving, long."""

from typing import Any

import msgspec

from counterfoil.kernel.page import Count
from counterfoil.order.config import BUILT_IN_STATES, ShipmentMethod, Store
from counterfoil.order.item import DELIVERY_STATES
from counterfoil.portal.forms import Form
from counterfoil.portal.routes import deliveries, methods
from counterfoil.portal.shelf import Shelf
from counterfoil.portal.state_forms import StateShelf, blank, shown
from counterfoil.portal.state_words import COUNTS_AS, HUES, orders_href, orders_of, rows_of
from counterfoil.setup.states import ShownState
from counterfoil.work.migrating import Kept, Migrated
from tests.portal.samples import FRAME, NOW

AT_STATES = msgspec.structs.replace(FRAME, here="states", path="/portal/config/states")
AT_DELIVERIES = msgspec.structs.replace(
    FRAME, here="deliveries", path="/portal/config/deliveries"
)
AT_METHODS = msgspec.structs.replace(FRAME, here="methods", path="/portal/config/methods")
STORES = [
    Store(id=code, code=code, name=name, currency="NOK", created_at=NOW)
    for code, name in (("oslo", "Nordlys Oslo"), ("tromso", "Nordlys Tromsø, by the harbour"))
]
BACK = "/portal/config/states?store=oslo"


def state(code: str, name: str, system_state: str, count: int = 0, **more: Any) -> ShownState:
    return ShownState(
        id=code, store="oslo", code=code, name=name, system_state=system_state, in_use=count > 0,
        orders=Count(min(count, 1000), count > 1000), **more,
    )


def _states() -> list[ShownState]:
    built_in = [
        state(
            one.code, one.name, one.system_state, [5000, 212, 1, 38, 0, 3, 0][place],
            colour=one.colour, description=one.description, built_in=True, position=place,
        )
        for place, one in enumerate(BUILT_IN_STATES)
    ]
    own = [
        state("picking", "Picking", "PROCESSING", 38, colour="teal",
              description="In the warehouse, on the first floor", next=("packed", "suspended")),
        state("packed", "Ready to go", "PROCESSING", colour="green"),
        state("po", "Awaiting a purchase order from a customer who takes their time", "NEW",
              colour="amber", description="B2B " * 40),
        state("held-at-customs", "مراجعة الجمارك", "SUSPENDED", 1, colour="purple", next=()),
    ]
    return [*built_in, *own]


def shelf(stores: list[Store] | None = None) -> StateShelf:
    return StateShelf(STORES[0], STORES if stores is None else stores, _states())


def listed(**given: Any) -> dict[str, Any]:
    here = given.pop("shelf", shelf())
    return {
        "shelf": here, "rows": rows_of(here.states, named_store=True), "said": "", "form": Form(),
        **given,
    }


def one(code: str = "", form: Form | None = None) -> dict[str, Any]:
    here = shelf()
    found = here.state(code) if code else None
    return {
        "shelf": here, "state": found, "counts_as": COUNTS_AS, "hues": HUES, "back": BACK,
        "others": [other for other in here.states if other.code != code],
        "orders": orders_of(found.orders) if found else "",
        "orders_href": orders_href(found, named_store=True) if found else "",
        "form": form or (shown(found) if found else blank()),
    }


def _refused() -> Form:
    values = blank().values | {"name": "Picking", "narrow": "1", "next_new": "1"}
    return Form(values=values, errors={"code": "Code: The store has a state 'picking' already."})


def many(**more: Any) -> dict[str, Any]:
    values = {"system_state": "PROCESSING", "lines": "Picking\nPacked, Nowhere"}
    return {"shelf": shelf(), "counts_as": COUNTS_AS, "form": Form(values=values, **more),
            "back": BACK}


def told(moved: int, *kept: Kept, cursor: str | None = None, left: int = 0) -> Migrated:
    return Migrated(
        dry_run=True, looked=moved + sum(one.count for one in kept), moved=moved, kept=list(kept),
        left=Count(left), next_cursor=cursor,
    )


KEPT = (
    Kept(code="order_on_hold", why="A hold blocks this.", count=23,
         numbers=[str(10400 + n) for n in range(20)]),
    Kept(code="transition_not_allowed", why="Not every item has been shipped.", count=1,
         numbers=["10399"]),
)


def migrate(result: Migrated | None = None) -> dict[str, Any]:
    here = shelf()
    return {
        **one("picking", Form(values={"to": "packed"})), "told": result,
        "target": here.state("packed"),
        "choices": [(other.code, other.name) for other in here.states],
    }


def moving(result: Migrated) -> dict[str, Any]:
    return {
        **one("picking"), "target": shelf().state("packed"), "told": result, "moved": 150,
        "stayed": 24, "left": orders_of(result.left), "left_href": "/portal/orders/all",
        "goes_on": False, "form": Form(),
    }


METHODS = [
    ShipmentMethod(id="b", store="oslo", code="bike", name="By bicycle", enabled=False),
    ShipmentMethod(
        id="e", store="oslo", code="express", name="Express, before nine in the morning",
        carrier="Bring",
        tracking_url="https://tracking.bring.com/tracking/{tracking_number}?lang=en",
    ),
]


def delivery_names(**more: Any) -> dict[str, Any]:
    """What the page of delivery states is shown from."""
    values = {"PROCESSING": "On the picking list", "READY": "Packed"}
    rows = [(code, name, deliveries.MEANS[code]) for code, name in DELIVERY_STATES.items()]
    return {"shelf": Shelf(STORES[0], STORES), "rows": rows, "said": "",
            "label_max": deliveries.LABEL_MAX, "form": Form(values=values), **more}


def listed_methods(some: list[ShipmentMethod], said: str = "") -> dict[str, Any]:
    rows = [methods.Row(one, methods.sample_link(one.tracking_url)) for one in some]
    return {"shelf": methods.MethodShelf(STORES[0], STORES, some), "rows": rows, "said": said}


def method(found: ShipmentMethod | None, **more: Any) -> dict[str, Any]:
    link = (found.tracking_url or "") if found else ""
    values = {"enabled": "1", "tracking_url": link, "name": found.name if found else ""}
    return {
        "shelf": methods.MethodShelf(STORES[0], STORES, METHODS), "method": found,
        "sample": methods.sample_link(link), "form": Form(values=values, **more), "back": BACK,
    }


#: Name, template, context and frame; `shots` makes shots of them.
PAGES = (
    ("states", "configurations/states.html", lambda: listed(said="Saved."), AT_STATES),
    ("states-one-store", "configurations/states.html",
     lambda: listed(shelf=shelf([STORES[0]])), AT_STATES),
    ("state-new", "configurations/state.html", one, AT_STATES),
    ("state-refused", "configurations/state.html", lambda: one("", _refused()), AT_STATES),
    ("state-free", "configurations/state.html", lambda: one("packed"), AT_STATES),
    ("state-in-use", "configurations/state.html", lambda: one("picking"), AT_STATES),
    ("state-built-in", "configurations/state.html", lambda: one("new"), AT_STATES),
    ("states-many", "configurations/many.html",
     lambda: many(errors={"lines": "Line 2: Nowhere is none of New, Processing."}), AT_STATES),
    ("state-delete", "configurations/delete.html", lambda: one("po"), AT_STATES),
    ("state-delete-used", "configurations/delete.html", lambda: one("picking"), AT_STATES),
    ("migrate", "configurations/migrate.html", migrate, AT_STATES),
    ("migrate-checked", "configurations/migrate.html", lambda: migrate(told(14, *KEPT)), AT_STATES),
    ("migrate-empty", "configurations/migrate.html", lambda: migrate(told(0)), AT_STATES),
    ("migrate-moving", "configurations/moved.html",
     lambda: moving(told(50, cursor="x", left=412)), AT_STATES),
    ("migrate-moved", "configurations/moved.html",
     lambda: moving(told(50, *KEPT, left=24)), AT_STATES),
    ("methods", "configurations/methods.html", lambda: listed_methods(METHODS, "Saved."),
     AT_METHODS),
    ("methods-empty", "configurations/methods.html", lambda: listed_methods([]), AT_METHODS),
    ("deliveries", "configurations/deliveries.html", delivery_names, AT_DELIVERIES),
    ("deliveries-wrong", "configurations/deliveries.html",
     lambda: delivery_names(form=Form(values={"READY": "x" * 61},
                                      errors={"READY": "Ready: write at most 60 characters."})),
     AT_DELIVERIES),
    ("method-new", "configurations/method.html", lambda: method(None), AT_METHODS),
    ("method", "configurations/method.html",
     lambda: method(METHODS[1], errors={"name": "Name: fill this in."}), AT_METHODS),
)
