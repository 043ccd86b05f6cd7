"""Emptying a state: numbers first, then batch by batch, with a bar. [rulings 6, 41]

With script the next batch begins by itself; without, a button goes on. It may be stopped at any
time: what has moved has moved, the rest stays where it is.
"""

from typing import Any

from litestar import Response, get, post

from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import Problem
from counterfoil.portal.doing import do_once, tell_refused
from counterfoil.portal.forms import Form
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.states import back_to, begin
from counterfoil.portal.state_forms import StateShelf
from counterfoil.portal.state_words import orders_href, orders_of
from counterfoil.portal.visit import Visit
from counterfoil.setup.states import note_migration
from counterfoil.work.migrating import BATCH_MAX, Migrated, Migration, migrate

AT_ONCE = 50


@get("/config/states/{code:str}/migrate")
async def ask_migrate(request: Asking, code: str) -> Response[bytes]:
    """Ask where the orders go, and tell what would become of them there."""
    visit, shelf = await begin(request)
    return await _show(visit, shelf, code, request.query_params.get("to", ""))


@post("/config/states/{code:str}/migrate", status_code=200)
async def migrate_now(request: Asking, code: str) -> Response[bytes]:
    """Move a batch, and tell how far it is."""
    visit, shelf = await begin(request)
    state, to = shelf.state(code), visit.typed("to", 64)
    before = _carried(visit, "moved"), _carried(visit, "stayed")
    wanted = Migration(
        store=shelf.store.code,
        source=code,
        target=to,
        limit=AT_ONCE,
        cursor=visit.typed("cursor", 500) or None,
    )
    try:
        told = await migrate(visit.works, visit.works.asked(visit.actor, source="portal"), wanted)
    except Problem as problem:
        form = Form(values={"to": to})
        tell_refused(problem, form, {"to": "Move to"})
        return await _show(visit, shelf, code, "", form)
    if told.moved:

        async def note(connection: Connection) -> None:
            await note_migration(
                connection, visit.actor, code, store=shelf.store.code, to=to, moved=told.moved
            )

        await do_once(visit, note)
    context: dict[str, Any] = {
        "shelf": shelf,
        "state": state,
        "target": shelf.state(to),
        "told": told,
        "moved": before[0] + told.moved,
        "stayed": before[1] + sum(one.count for one in told.kept),
        "left": orders_of(told.left),
        "left_href": orders_href(state, named_store=shelf.several),
        "goes_on": True,
        "form": Form(),
        "back": back_to(shelf),
    }
    if visit.part:
        return visit.region("configurations/moving.html", **context)
    return visit.page("configurations/moved.html", **context)


async def _show(
    visit: Visit, shelf: StateShelf, code: str, to: str, form: Form | None = None
) -> Response[bytes]:
    state = shelf.state(code)
    told: Migrated | None = None
    form = form or Form(values={"to": to})
    if to:
        wanted = Migration(
            store=shelf.store.code, source=code, target=to, limit=BATCH_MAX, dry_run=True
        )
        try:
            told = await migrate(visit.works, visit.works.asked(visit.actor), wanted)
        except Problem as problem:
            tell_refused(problem, form, {"to": "Move to"})
    return visit.page(
        "configurations/migrate.html",
        status=422 if form.refused else 200,
        shelf=shelf,
        state=state,
        choices=[
            (one.code, one.name)
            for one in shelf.states
            if one.code != code and one.system_state not in ("CANCELED", "CANCEL_REQUESTED")
        ],
        target=shelf.state(to) if told else None,
        told=told,
        orders=orders_of(state.orders),
        orders_href=orders_href(state, named_store=shelf.several),
        form=form,
        back=back_to(shelf),
    )


def _carried(visit: Visit, name: str) -> int:
    """Take a sum that the form carries from batch to batch."""
    return max(0, min(visit.minor(name), 10**9))


ROUTES = [ask_migrate, migrate_now]
