"""Open orders and All orders: the address read, a page of rows, the tabs above. [U-1, U-2, Z-4]"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from litestar import Response, get

from counterfoil.book.following import newest_place
from counterfoil.book.lists import Filters, list_orders, view_counts
from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.portal import listing, respond
from counterfoil.portal.counts import OPEN_ORDERS, Counts
from counterfoil.portal.listing import ALL, OPEN, Page, Query
from counterfoil.portal.offered import offered_of
from counterfoil.portal.respond import Asking
from counterfoil.portal.rows import row_of
from counterfoil.portal.visit import Visit

VIEWS = (
    ("", ""),
    ("attention", "Needs attention"),
    ("capture", "To capture"),
    ("ship", "To ship"),
    ("hold", "On hold"),
    ("unknown", "Money unknown"),
)
#: What a view filters by, beside what the reader chose. [design guide 3.1]
VIEW_FILTERS: dict[str, dict[str, Any]] = {
    "attention": {"attention": True},
    "capture": {"to_capture": True},
    "ship": {"to_ship": True},
    "hold": {"hold": True},
    "unknown": {"money_unknown": True},
}


@get("/orders/open")
async def open_orders(request: Asking) -> Response[bytes]:
    """List what is open, newest first."""
    return await _list(request, OPEN, "open")


@get("/orders/all")
async def all_orders(request: Asking) -> Response[bytes]:
    """List every order there is."""
    return await _list(request, ALL, "all")


async def _list(request: Asking, page: Page, here: str) -> Response[bytes]:
    visit = await Visit.begin(request, "orders.read", here=here)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        offered = await offered_of(connection, visit.actor)
        query = listing.read_query(page.path, list(request.query_params.multi_items()), offered)
        try:
            found = await list_orders(
                connection,
                visit.actor,
                filters_of(query, only_open=page is OPEN),
                limit=query.size,
                after=query.after or None,
                sort=query.sort,
            )
        except ValidationFailed:
            if not query.after:
                raise
            return respond.go(query.href())
        counts = {} if visit.part else await _counts(connection, visit, page)
    tabs = [(key, label or ("All open" if page is OPEN else "All")) for key, label in VIEWS]
    origin = f"?from={quote(query.here, safe='')}"
    context: dict[str, Any] = {
        "page": page,
        "query": query,
        "rows": [row_of(one, origin=origin) for one in found.data],
        "found": listing.Found(found.count.value, found.count.at_least),
        "paging": listing.paging(
            query, newer=found.previous_cursor or "", older=found.next_cursor or ""
        ),
        "views": listing.views(page, tabs, query.view, counts),
        "follows": query.follows(newest_place(found.data[0] if found.data else None)),
    }
    return visit.page(
        "orders/list.html", headers={"HX-Push-Url": query.here} if visit.part else None, **context
    )


async def _counts(connection: Connection, visit: Visit, page: Page) -> Counts:
    """Count what stands on the tabs."""
    if page is OPEN:
        return await OPEN_ORDERS.fresh(connection, visit.actor)
    return await view_counts(connection, visit.actor, only_open=False)


def filters_of(query: Query, *, only_open: bool) -> Filters:
    """Put a list's address into the core's filters; what was chosen narrows its view."""
    more = query.more_values
    given: dict[str, Any] = dict(VIEW_FILTERS.get(query.view, {}))
    wanted: dict[str, Any] = {
        "status": query.chosen.get("status", ()),
        "financial_status": _known(query, "payment"),
        "fulfillment_status": _known(query, "ship"),
        "fraud_status": _known(query, "review"),
        "hold": _yes_no(more.get("hold", "")),
        "is_test": _yes_no(more.get("test", "")),
        "store": _one(more, "store"),
        "channel": _one(more, "channel"),
        "merchant": _one(more, "merchant"),
        "tag": _one(more, "tag"),
        "placed_from": listing.day_start(query.placed_from),
        "placed_to": _day_end(query.placed_to),
        "q": query.q or None,
        "open": True if only_open else None,
    }
    given |= {name: value for name, value in wanted.items() if value not in ((), None)}
    return Filters(**given)


def _known(query: Query, axis: str) -> tuple[str, ...]:
    """Leave out what is no status: its chip says so, and filters nothing."""
    table = next(table for name, _, table in listing.AXES if name == axis)
    return tuple(value for value in query.chosen.get(axis, ()) if value in table)


def _one(more: dict[str, str], name: str) -> tuple[str, ...]:
    return (more[name],) if more.get(name) else ()


def _yes_no(text: str) -> bool | None:
    return {"1": True, "0": False}.get(text)


def _day_end(day: str) -> datetime | None:
    start = listing.day_start(day)
    return start + timedelta(days=1) if start else None


ROUTES = [open_orders, all_orders]
