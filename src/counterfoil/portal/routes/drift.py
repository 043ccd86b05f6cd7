"""The drift report: what providers say and our book does not, what to do, and closing a line."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post

from counterfoil.book.drift import find_drift, list_drift, open_drift, resolve_drift
from counterfoil.book.numbers_told import numbers_of
from counterfoil.kernel.db import Connection
from counterfoil.order.problems import InvalidState
from counterfoil.portal import respond
from counterfoil.portal.books_runs import Line, lines_of
from counterfoil.portal.doing import do_once
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import own_id
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.reconciliation import AT, WRITE, begin
from counterfoil.portal.visit import Visit

DRIFT = f"{AT}/drift"
SHOWN, NOTE_MAX = 50, 2000
VIEWS = {"": "OPEN", "resolved": "RESOLVED"}


@get("/reconciliation/drift")
async def drift_page(request: Asking) -> Response[bytes]:
    """List the lines that are open, or those that were closed, newest first."""
    visit = await begin(request)
    asked = request.query_params
    view = asked.get("view", "") if asked.get("view", "") in VIEWS else ""
    gateway, after = asked.get("gateway") or None, asked.get("after")
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        page = await list_drift(
            connection, status=VIEWS[view], gateway=gateway, limit=SHOWN, cursor=after
        )
        waiting = await open_drift(connection)
        numbers = await numbers_of(connection, [one.order_id for one in page.data])
    return visit.page(
        "books/drift.html",
        lines=lines_of(list(page.data), numbers),
        view=view,
        gateway=gateway or "",
        open_drift=sum(waiting.values()),
        said="The line is closed." if asked.get("said") else "",
        newest=_href(view=view, gateway=gateway) if after else "",
        older=_href(view=view, gateway=gateway, after=page.next_cursor)
        if page.next_cursor
        else "",
    )


def _href(**values: str | None) -> str:
    said = urlencode({name: value for name, value in values.items() if value})
    return f"{DRIFT}?{said}" if said else DRIFT


@get("/reconciliation/drift/{line_id:str}/resolve")
async def ask_resolve(request: Asking, line_id: str) -> Response[bytes]:
    """Ask what was found out about a line."""
    visit = await begin(request, WRITE)
    return await _show(visit, own_id(line_id), Form())


@post("/reconciliation/drift/{line_id:str}/resolve", status_code=200)
async def resolve(request: Asking, line_id: str) -> Response[bytes]:
    """Close a line with a note, once however often the form is sent."""
    visit = await begin(request, WRITE)
    wanted, form = own_id(line_id), Form(values={"note": visit.typed("note", NOTE_MAX)})
    if not form.values["note"]:
        form.errors["note"] = "Note: write what you found out."
        return await _show(visit, wanted, form)

    async def close(connection: Connection) -> None:
        await resolve_drift(connection, visit.actor, wanted, form.values["note"])

    try:
        await do_once(visit, close)
    except InvalidState:
        form.notices.append("Somebody has closed this line meanwhile. Nothing was changed.")
        return await _show(visit, wanted, form)
    return respond.go(f"{DRIFT}?said=closed")


async def _show(visit: Visit, line_id: str, form: Form) -> Response[bytes]:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        found = await find_drift(connection, line_id)
        numbers = await numbers_of(connection, [found.order_id])
    context: dict[str, Any] = {
        "line": Line(told=found, number=numbers.get(found.order_id or "", "")),
        "form": form,
        "back": DRIFT,
    }
    return visit.page("books/resolve.html", status=422 if form.refused else 200, **context)


ROUTES = [drift_page, ask_resolve, resolve]
