"""Shipment methods of a store: list, add, change. [U-19; design guide 3.11]"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from litestar import Response, get, post

from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.config import ShipmentMethod
from counterfoil.portal import respond
from counterfoil.portal.doing import do_once, tell_refused
from counterfoil.portal.forms import Form
from counterfoil.portal.respond import Asking
from counterfoil.portal.shelf import Shelf, begin_at_store
from counterfoil.portal.state_forms import code_of
from counterfoil.portal.visit import Visit
from counterfoil.setup.methods import (
    MethodChange,
    NewMethod,
    change_method,
    create_method,
    list_methods,
)

RIGHT, HERE = "states.manage", "methods"
FIELDS = {
    "name": "Name",
    "code": "Code",
    "carrier": "Carrier",
    "tracking_url": "Tracking link",
}
SAVED = {"new": "Added. Parcels can leave by it now.", "changed": "Saved."}
SAMPLE = "70712345678901234"


class Row(NamedTuple):
    """A method as its page lists it, with the link that a sample number would have."""

    method: ShipmentMethod
    sample: str


class MethodShelf(Shelf, frozen=True):
    """A store with its shipment methods."""

    methods: list[ShipmentMethod]

    def method(self, code: str) -> ShipmentMethod:
        """Find a method. Raises NotFound."""
        found = next((one for one in self.methods if one.code == code), None)
        if found is None:
            raise NotFound(f"The store {self.store.name} has no shipment method {code!r}.")
        return found


async def _begin(request: Asking) -> tuple[Visit, MethodShelf]:
    visit, shelf = await begin_at_store(request, RIGHT, here=HERE)
    methods: list[ShipmentMethod] = []
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        cursor: str | None = None
        while True:
            page = await list_methods(connection, store=shelf.store.code, limit=100, cursor=cursor)
            methods += page.data
            cursor = page.next_cursor
            if cursor is None or len(methods) >= 1000:
                return visit, MethodShelf(shelf.store, shelf.stores, methods)


def _back(shelf: MethodShelf, said: str = "") -> str:
    return f"/portal/config/methods?store={shelf.store.code}" + (f"&saved={said}" if said else "")


@get("/config/methods")
async def methods_page(request: Asking) -> Response[bytes]:
    """List a store's shipment methods."""
    visit, shelf = await _begin(request)
    return visit.page(
        "configurations/methods.html",
        shelf=shelf,
        rows=[Row(one, sample_link(one.tracking_url)) for one in shelf.methods],
        said=SAVED.get(request.query_params.get("saved", ""), ""),
    )


def sample_link(pattern: str | None) -> str:
    """Write the link that a parcel with a sample number would have."""
    return (pattern or "").replace("{tracking_number}", SAMPLE)


@get("/config/methods/new")
async def new_page(request: Asking) -> Response[bytes]:
    """Ask what it takes to make a shipment method."""
    visit, shelf = await _begin(request)
    return _show(visit, shelf, Form(values={"enabled": "1"}))


@post("/config/methods/new", status_code=200)
async def make(request: Asking) -> Response[bytes]:
    """Make a shipment method."""
    visit, shelf = await _begin(request)
    form = _typed(visit)
    values = form.values
    code = values["code"] or code_of(values["name"])
    if not form.refused and not code:
        form.errors["code"] = "Code: write one of letters a-z and digits."
    if form.refused:
        return _show(visit, shelf, form)
    new = NewMethod(
        code=code,
        name=values["name"],
        store=shelf.store.code,
        carrier=values["carrier"] or None,
        tracking_url=values["tracking_url"] or None,
        enabled=bool(values["enabled"]),
    )

    async def effect(connection: Connection) -> None:
        await create_method(connection, visit.actor, new)

    return await _done(visit, shelf, form, effect, "new")


@get("/config/methods/{code:str}/edit")
async def edit_page(request: Asking, code: str) -> Response[bytes]:
    """Show a shipment method with what may be changed of it."""
    visit, shelf = await _begin(request)
    method = shelf.method(code)
    values = {
        "name": method.name,
        "carrier": method.carrier or "",
        "tracking_url": method.tracking_url or "",
        "enabled": "1" if method.enabled else "",
    }
    return _show(visit, shelf, Form(values=values), method)


@post("/config/methods/{code:str}/edit", status_code=200)
async def save(request: Asking, code: str) -> Response[bytes]:
    """Save a shipment method; parcels that have it keep it."""
    visit, shelf = await _begin(request)
    method = shelf.method(code)
    form = _typed(visit)
    if form.refused:
        return _show(visit, shelf, form, method)
    change = MethodChange(
        name=form.values["name"],
        carrier=form.values["carrier"] or None,
        tracking_url=form.values["tracking_url"] or None,
        enabled=bool(form.values["enabled"]),
    )

    async def effect(connection: Connection) -> None:
        await change_method(connection, visit.actor, code, change, store=shelf.store.code)

    return await _done(visit, shelf, form, effect, "changed", method)


async def _done(
    visit: Visit,
    shelf: MethodShelf,
    form: Form,
    effect: Callable[[Connection], Awaitable[None]],
    said: str,
    method: ShipmentMethod | None = None,
) -> Response[bytes]:
    try:
        await do_once(visit, effect)
    except Problem as problem:
        tell_refused(problem, form, FIELDS)
        return _show(visit, shelf, form, method)
    return respond.go(_back(shelf, said))


def _typed(visit: Visit) -> Form:
    limits = {"name": 200, "code": 64, "carrier": 200, "tracking_url": 1000, "enabled": 1}
    form = Form(values={name: visit.typed(name, limit) for name, limit in limits.items()})
    if not form.values["name"]:
        form.errors["name"] = "Name: fill this in."
    link = form.values["tracking_url"]
    if link and not (link.startswith(("http://", "https://")) and "{tracking_number}" in link):
        form.errors["tracking_url"] = (
            "Tracking link: write a web address with {tracking_number} in it."
        )
    return form


def _show(
    visit: Visit, shelf: MethodShelf, form: Form, method: ShipmentMethod | None = None
) -> Response[bytes]:
    return visit.page(
        "configurations/method.html",
        status=422 if form.refused else 200,
        shelf=shelf,
        method=method,
        sample=sample_link(form.values.get("tracking_url")) if not form.refused else "",
        form=form,
        back=_back(shelf),
    )


ROUTES = [methods_page, new_page, make, edit_page, save]
