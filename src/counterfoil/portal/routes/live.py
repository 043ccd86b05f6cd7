"""Open pages that follow what happens: an order's, and the lists'. [U-23; design guide 3.1, 5.5]"""

from litestar import Response, get

from counterfoil.book.following import count_newer, version_of
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.portal import listing, respond
from counterfoil.portal.listing import ALL, OPEN, Page
from counterfoil.portal.live import news_since
from counterfoil.portal.offered import offered_of
from counterfoil.portal.reading import own_id, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.results import view_of
from counterfoil.portal.routes.lists import filters_of
from counterfoil.portal.timeline import changed_since, facts_of
from counterfoil.portal.visit import Visit


@get("/orders/{order_id:str}/live")
async def live(request: Asking, order_id: str) -> Response[bytes]:
    """Answer 304 while nothing happened, else with the regions that changed and who did it."""
    visit = await Visit.begin(request, "orders.read")
    tag = request.headers.get("hx-ptag", "")
    seen = int(tag) if tag.isascii() and tag.isdecimal() else 0
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        version = await version_of(connection, visit.actor, own_id(order_id))
    if seen >= version:
        return respond.unchanged()
    read = await read_order(visit, order_id)
    facts = facts_of(read)
    names = {state.code: state.name for state in read.folder.states}
    return visit.region(
        "order/regions.html",
        order=read.order,
        view=view_of(visit, read, facts),
        changed=changed_since(facts, seen),
        news=news_since(facts, seen, visit.actor.id, names),
        headers={"HX-PTag": str(read.order.version)},
    )


@get("/orders/open/newer")
async def newer_open(request: Asking) -> Response[bytes]:
    """Tell how many open orders came in since a list was loaded."""
    return await _newer(request, OPEN)


@get("/orders/all/newer")
async def newer(request: Asking) -> Response[bytes]:
    """Tell how many orders came in since a list was loaded."""
    return await _newer(request, ALL)


async def _newer(request: Asking, page: Page) -> Response[bytes]:
    """Count what would stand above the list's first row now; 304 while that is as before.

    `?since=` is the place of that row.
    """
    visit = await Visit.begin(request, "orders.read")
    given = [pair for pair in request.query_params.multi_items() if pair[0] != "since"]
    since = request.query_params.get("since", "")
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        query = listing.read_query(page.path, given, await offered_of(connection, visit.actor))
        filters = filters_of(query, only_open=page is OPEN)
        try:
            count = await count_newer(connection, visit.actor, filters, since)
        except ValidationFailed:
            return respond.unchanged()
    tag = f"n{count.value}"
    if request.headers.get("hx-ptag") == tag:
        return respond.unchanged()
    return visit.region(
        "orders/newer.html", newer=count, href=query.href(), headers={"HX-PTag": tag}
    )


ROUTES = [live, newer_open, newer]
