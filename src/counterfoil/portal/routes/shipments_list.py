"""The list of shipments: what has to go, what is on its way; its slips are printed together."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get

from counterfoil.book.shipments import list_shipments
from counterfoil.portal.respond import Asking
from counterfoil.portal.shipment_rows import shipment_row
from counterfoil.portal.visit import Visit

LIST, PRINT = "/portal/shipments", "/portal/shipments/print/packing-slips"
SHOWN = 50
TABS = (("open", "To send"), ("sent", "On their way"), ("failed", "Not delivered"))


@get("/shipments")
async def shipments_page(request: Asking) -> Response[bytes]:
    """List shipments; those that have to go oldest first, others newest first."""
    visit = await Visit.begin(request, "orders.read", here="shipments")
    asked = request.query_params.get("status", "")
    which: Any = asked if asked in dict(TABS) else "open"
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        page = await list_shipments(
            connection,
            visit.actor,
            which=which,
            limit=SHOWN,
            cursor=request.query_params.get("after"),
        )
    return visit.page(
        "operations/shipments.html",
        rows=[shipment_row(one, visit.frame.now) for one in page.data],
        which=which,
        tabs=[(key, label, address(key)) for key, label in TABS],
        found=page.count,
        more=address(which, after=page.next_cursor) if page.next_cursor else "",
        all_here=PRINT + "?" + urlencode({"id": [one.id for one in page.data]}, doseq=True),
        print=PRINT,
        unticked=request.query_params.get("said") == "none",
    )


def address(which: str, **more: str) -> str:
    """Write the list's address; what is usual is left out."""
    said = {"status": "" if which == "open" else which, **more}
    query = urlencode({name: text for name, text in said.items() if text})
    return LIST + (f"?{query}" if query else "")


ROUTES = [shipments_page]
