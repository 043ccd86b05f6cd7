"""The list of returns: what waits, what came in, what is over. [V-6…V-11, design guide 3.13]"""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get

from counterfoil.book.returns import count_returns, list_returns
from counterfoil.order.goods_return import RESOLUTIONS
from counterfoil.portal.respond import Asking
from counterfoil.portal.return_view import listed_row
from counterfoil.portal.return_words import resolution_word
from counterfoil.portal.visit import Visit

LIST = "/portal/returns"
SHOWN = 50
TABS = (
    ("waiting", "Waiting"),
    ("received", "Received"),
    ("closed", "Closed"),
    ("rejected", "Rejected"),
)
CHOICES = tuple((code, resolution_word(code)) for code in RESOLUTIONS)


@get("/returns")
async def returns_page(request: Asking) -> Response[bytes]:
    """List returns; those that wait oldest first, others newest first."""
    visit = await Visit.begin(request, "orders.read", here="returns")
    asked = request.query_params.get("status", "")
    which: Any = asked if asked in dict(TABS) else "waiting"
    wanted = request.query_params.get("resolution", "")
    resolution = wanted if wanted in RESOLUTIONS else ""
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        page = await list_returns(
            connection,
            visit.actor,
            which=which,
            resolution=resolution or None,
            limit=SHOWN,
            cursor=request.query_params.get("after"),
        )
        counts = await count_returns(connection, visit.actor)
    return visit.page(
        "operations/returns.html",
        rows=[listed_row(one, visit.frame.now) for one in page.data],
        which=which,
        resolution=resolution,
        tabs=[(key, label, address(key, resolution)) for key, label in TABS],
        choices=[(key, label, address(which, key)) for key, label in (("", "All"), *CHOICES)],
        counts=counts,
        found=page.count,
        more=address(which, resolution, after=page.next_cursor) if page.next_cursor else "",
    )


def address(which: str, resolution: str, **more: str) -> str:
    """Write the list's address; what is usual is left out."""
    said = {"status": "" if which == "waiting" else which, "resolution": resolution, **more}
    query = urlencode({name: text for name, text in said.items() if text})
    return LIST + (f"?{query}" if query else "")


ROUTES = [returns_page]
