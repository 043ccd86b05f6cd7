"""What is printed: packing slips of an order or of parcels, on a page and as a PDF.

[design guide 5.10]
"""

from typing import NamedTuple
from uuid import UUID

from litestar import Response, get

from counterfoil.book.opening import open_folder
from counterfoil.book.shipments import open_shipments
from counterfoil.kernel.problem import NotFound, ValidationFailed
from counterfoil.order.problems import InvalidState
from counterfoil.paper.pdf import MEDIA, SHEETS, SLIPS_MAX, file_name, set_slips
from counterfoil.paper.slip import SLIP, Slip, slip_of_shipment, slips_of_order
from counterfoil.portal import respond
from counterfoil.portal.figures import plural
from counterfoil.portal.reading import own_id
from counterfoil.portal.respond import SAFETY, Asking
from counterfoil.portal.routes.shipments_list import LIST, PRINT, address
from counterfoil.portal.visit import Visit

_NOT_HERE = "There is no such order that you may see. It may be in another store."
_NONE_HERE = "None of these parcels is here for you to print, or they were cancelled."


class Chosen(NamedTuple):
    """Slips of the parcels that were ticked, and how many of those have none."""

    slips: list[Slip]
    missing: int


@get("/orders/{order_id:str}/print/packing-slip")
async def packing_slip(request: Asking, order_id: str) -> Response[bytes]:
    """Show the slips of an order, or of one shipment, on a page that is made for paper."""
    visit = await Visit.begin(request, "orders.read")
    slips = await _slips(visit, order_id)
    query = f"?{request.url.query}" if request.url.query else ""
    return visit.page(
        "paper/slip.html",
        slips=slips,
        note="",
        back=("Back to the order", f"/portal/orders/{own_id(order_id)}"),
        pdf=f"/portal/orders/{own_id(order_id)}/print/packing-slip.pdf{query}",
    )


@get("/orders/{order_id:str}/print/packing-slip.pdf")
async def packing_slip_pdf(request: Asking, order_id: str) -> Response[bytes]:
    """Give the same slips as a PDF; `?paper=letter` for the other sheet."""
    visit = await Visit.begin(request, "orders.read")
    return await _pdf(visit, await _slips(visit, order_id))


@get("/shipments/print/packing-slips")
async def packing_slips(request: Asking) -> Response[bytes]:
    """Show the slips of the parcels that were ticked, one after the other."""
    visit = await Visit.begin(request, "orders.read")
    which = request.query_params.get("status", "")
    ids = request.query_params.getall("id", [])
    if not ids:
        return respond.go(address(which, said="none"))
    chosen = await _chosen(visit, ids)
    note = ""
    if chosen.missing:
        parcels = plural(chosen.missing, "parcel is not here", "parcels are not here")
        note = f"{parcels}: cancelled meanwhile, or not yours to see."
    return visit.page(
        "paper/slip.html",
        slips=chosen.slips,
        note=note,
        back=("Back to the shipments", address(which) if which else LIST),
        pdf=f"{PRINT}.pdf?{request.url.query}",
    )


@get("/shipments/print/packing-slips.pdf")
async def packing_slips_pdf(request: Asking) -> Response[bytes]:
    """Give the same slips as one PDF, each on a page of its own."""
    visit = await Visit.begin(request, "orders.read")
    ids = request.query_params.getall("id", [])
    if not ids:
        return respond.go(address(request.query_params.get("status", ""), said="none"))
    return await _pdf(visit, (await _chosen(visit, ids)).slips)


async def _pdf(visit: Visit, slips: list[Slip]) -> Response[bytes]:
    sheet = visit.request.query_params.get("paper", "a4")
    made = await set_slips(slips, sheet if sheet in SHEETS else "a4")
    headers = {name: said for name, said in SAFETY.items() if name != "Content-Security-Policy"}
    headers |= {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'inline; filename="{file_name(slips)}.pdf"',
    }
    return Response(made, media_type=MEDIA, headers=headers)


async def _slips(visit: Visit, order_id: str) -> list[Slip]:
    """Make what was asked for: `?shipment=`, `?prices=yes`. Raises NotFound, InvalidState."""
    actor, asked = visit.actor, visit.request.query_params
    async with visit.works.pool.connection(actor.account_id) as connection:
        folder = (await open_folder(connection, own_id(order_id), frozenset(SLIP))).folder
    if folder is None or (actor.stores is not None and folder.order.store not in actor.stores):
        raise NotFound(_NOT_HERE)
    priced = asked.get("prices") == "yes"
    if "shipment" in asked:
        one = slip_of_shipment(folder, actor, asked["shipment"], priced=priced)
        if one is None:
            raise NotFound("The order has no such shipment, or it was cancelled.")
        return [one]
    if actor.merchants is not None and not {b.merchant for b in folder.bags} & set(actor.merchants):
        raise NotFound(_NOT_HERE)
    slips = slips_of_order(folder, actor, priced=priced)
    if not slips:
        raise InvalidState("Everything was cancelled; there is nothing to pack.")
    return slips


async def _chosen(visit: Visit, ids: list[str]) -> Chosen:
    """Make the slips of parcels in the order in which they were named, each once.

    Raises, in this order: ValidationFailed (more than 100), NotFound (none of them is here).
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > SLIPS_MAX:
        raise ValidationFailed(
            f"At most {SLIPS_MAX} slips are printed at once, and {len(wanted)} parcels are ticked."
            " Print them page by page."
        )
    known = [id_ for id_ in wanted if _is_id(id_)]
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        folders = await open_shipments(connection, visit.actor, known, frozenset(SLIP))
    made = [slip_of_shipment(folder, visit.actor, id_) for id_, folder in folders.items()]
    slips = [slip for slip in made if slip is not None]
    if not slips:
        raise NotFound(_NONE_HERE)
    return Chosen(slips, len(wanted) - len(slips))


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


ROUTES = [packing_slip, packing_slip_pdf, packing_slips, packing_slips_pdf]
