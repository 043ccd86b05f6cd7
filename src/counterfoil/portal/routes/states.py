"""Order configurations: a store's states, each a form of its own. [U-4, U-11; design guide 3.11]

Every form is sent to an address of its own and comes back as a page, with what was typed, where it
is refused; nothing here needs script.
"""

from litestar import Response, get, post

from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import Problem
from counterfoil.portal import respond
from counterfoil.portal.doing import do_once, tell_refused
from counterfoil.portal.forms import Form
from counterfoil.portal.offered import forget_offered
from counterfoil.portal.respond import Asking
from counterfoil.portal.shelf import begin_at_store
from counterfoil.portal.state_forms import (
    FIELDS,
    StateShelf,
    blank,
    read_states,
    shown,
    typed_form,
    wanted_change,
    wanted_many,
    wanted_new,
)
from counterfoil.portal.state_words import COUNTS_AS, HUES, orders_href, orders_of, rows_of
from counterfoil.portal.visit import Visit
from counterfoil.setup.states import (
    DOWN,
    UP,
    NewState,
    StateChange,
    add_state,
    change_state,
    delete_state,
    move_state,
)

RIGHT, HERE = "states.manage", "states"
SAVED = {
    "new": "Added. Orders can be moved there now.",
    "many": "Added. Orders can be moved there now.",
    "changed": "Saved.",
    "deleted": "Deleted.",
    "moved": "Moved.",
}


async def begin(request: Asking) -> tuple[Visit, StateShelf]:
    """Begin a visit at the states of the store that the address or the form names."""
    visit, shelf = await begin_at_store(request, RIGHT, here=HERE)
    return visit, await read_states(visit, shelf)


def back_to(shelf: StateShelf, said: str = "") -> str:
    """Write the address of a store's states."""
    return f"/portal/config/states?store={shelf.store.code}" + (f"&saved={said}" if said else "")


@get("/config/states")
async def states_page(request: Asking) -> Response[bytes]:
    """List a store's states, how many orders are in each, and what may be done with them."""
    visit, shelf = await begin(request)
    return visit.page(
        "configurations/states.html",
        shelf=shelf,
        rows=rows_of(shelf.states, named_store=shelf.several),
        said=SAVED.get(request.query_params.get("saved", ""), ""),
        form=Form(),
    )


@get("/config/states/new")
async def new_page(request: Asking) -> Response[bytes]:
    """Ask what it takes to make a state."""
    visit, shelf = await begin(request)
    return _show(visit, shelf, blank())


@post("/config/states/new", status_code=200)
async def make(request: Asking) -> Response[bytes]:
    """Make a state."""
    visit, shelf = await begin(request)
    form = typed_form(visit, shelf.states)
    new = wanted_new(form, shelf.store.code)
    if new is not None and await _added(visit, [new], form):
        return respond.go(back_to(shelf, "new"))
    return _show(visit, shelf, form)


@get("/config/states/new-many")
async def many_page(request: Asking) -> Response[bytes]:
    """Ask for several states, one a line."""
    visit, shelf = await begin(request)
    return _show_many(visit, shelf, Form(values={"system_state": "PROCESSING"}))


@post("/config/states/new-many", status_code=200)
async def make_many(request: Asking) -> Response[bytes]:
    """Make several states: all of them, or none where one is refused."""
    visit, shelf = await begin(request)
    values = {"lines": visit.typed("lines", 8000), "system_state": visit.typed("system_state", 20)}
    form = Form(values=values)
    new = wanted_many(form, shelf.store.code)
    if not form.refused and await _added(visit, new, form, many=True):
        return respond.go(back_to(shelf, "many"))
    return _show_many(visit, shelf, form)


@get("/config/states/{code:str}/edit")
async def edit_page(request: Asking, code: str) -> Response[bytes]:
    """Show a state with what may be changed of it."""
    visit, shelf = await begin(request)
    return _show(visit, shelf, shown(shelf.state(code)), code)


@post("/config/states/{code:str}/edit", status_code=200)
async def save(request: Asking, code: str) -> Response[bytes]:
    """Save a state; of one that is in use or built in its description alone."""
    visit, shelf = await begin(request)
    state, whole = shelf.state(code), "name" in visit.form
    form = typed_form(visit, shelf.states) if whole else shown(state)
    form.values["description"] = visit.typed("description", 200)
    if not form.refused:
        await _change(visit, shelf, code, wanted_change(form, whole=whole), form)
    if form.refused:
        return _show(visit, await read_states(visit, shelf), form, code)
    return respond.go(back_to(shelf, "changed"))


@post("/config/states/{code:str}/move", status_code=200)
async def move(request: Asking, code: str) -> Response[bytes]:
    """Let a state change places with the one above or below."""
    visit, shelf = await begin(request)
    way = UP if visit.typed("way", 8) == UP else DOWN

    async def effect(connection: Connection) -> None:
        await move_state(connection, visit.actor, code, way, store=shelf.store.code)

    await do_once(visit, effect)
    forget_offered()
    return respond.go(back_to(shelf, "moved") + f"#state-{code}")


@get("/config/states/{code:str}/delete")
async def ask_delete(request: Asking, code: str) -> Response[bytes]:
    """Ask whether a state is to be deleted, or say why it cannot be."""
    visit, shelf = await begin(request)
    return _show_delete(visit, shelf, code, Form())


@post("/config/states/{code:str}/delete", status_code=200)
async def delete(request: Asking, code: str) -> Response[bytes]:
    """Delete a state that no order is in."""
    visit, shelf = await begin(request)
    shelf.state(code)
    form = Form()

    async def effect(connection: Connection) -> None:
        await delete_state(connection, visit.actor, code, store=shelf.store.code)

    try:
        await do_once(visit, effect)
    except Problem as problem:
        tell_refused(problem, form, {})
        return _show_delete(visit, await read_states(visit, shelf), code, form)
    forget_offered()
    return respond.go(back_to(shelf, "deleted"))


async def _added(visit: Visit, new: list[NewState], form: Form, *, many: bool = False) -> bool:
    """Make states, all or none; what is refused is told in the form."""

    async def effect(connection: Connection) -> None:
        for one in new:
            await add_state(connection, visit.actor, one)

    try:
        await do_once(visit, effect)
    except Problem as problem:
        tell_refused(problem, form, {} if many else FIELDS)
        return False
    forget_offered()
    return True


async def _change(
    visit: Visit, shelf: StateShelf, code: str, change: StateChange, form: Form
) -> None:
    async def effect(connection: Connection) -> None:
        await change_state(connection, visit.actor, code, change, store=shelf.store.code)

    try:
        await do_once(visit, effect)
    except Problem as problem:
        tell_refused(problem, form, FIELDS)
    forget_offered()


def _show(visit: Visit, shelf: StateShelf, form: Form, code: str = "") -> Response[bytes]:
    state = shelf.state(code) if code else None
    return visit.page(
        "configurations/state.html",
        status=422 if form.refused else 200,
        shelf=shelf,
        state=state,
        others=[one for one in shelf.states if one.code != code],
        orders=orders_of(state.orders) if state else "",
        orders_href=orders_href(state, named_store=shelf.several) if state else "",
        counts_as=COUNTS_AS,
        hues=HUES,
        form=form,
        back=back_to(shelf),
    )


def _show_many(visit: Visit, shelf: StateShelf, form: Form) -> Response[bytes]:
    return visit.page(
        "configurations/many.html",
        status=422 if form.refused else 200,
        shelf=shelf,
        counts_as=COUNTS_AS,
        form=form,
        back=back_to(shelf),
    )


def _show_delete(visit: Visit, shelf: StateShelf, code: str, form: Form) -> Response[bytes]:
    state = shelf.state(code)
    return visit.page(
        "configurations/delete.html",
        status=422 if form.refused else 200,
        shelf=shelf,
        state=state,
        orders=orders_of(state.orders),
        orders_href=orders_href(state, named_store=shelf.several),
        form=form,
        back=back_to(shelf),
    )


ROUTES = [
    states_page,
    new_page,
    make,
    many_page,
    make_many,
    edit_page,
    save,
    move,
    ask_delete,
    delete,
]
