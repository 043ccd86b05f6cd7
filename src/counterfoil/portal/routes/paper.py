"""What is printed of an order: packing slips, as a page and as a PDF. [design guide 5.10]"""

from litestar import Response, get

from counterfoil.book.opening import open_folder
from counterfoil.kernel.problem import NotFound
from counterfoil.order.problems import InvalidState
from counterfoil.paper.pdf import MEDIA, SHEETS, file_name, set_slips
from counterfoil.paper.slip import SLIP, Slip, slip_of_shipment, slips_of_order
from counterfoil.portal.reading import own_id
from counterfoil.portal.respond import SAFETY, Asking
from counterfoil.portal.visit import Visit

_NOT_HERE = "There is no such order that you may see. It may be in another store."


@get("/orders/{order_id:str}/print/packing-slip")
async def packing_slip(request: Asking, order_id: str) -> Response[bytes]:
    """Show the slips of an order, or of one shipment, on a page that is made for paper."""
    visit = await Visit.begin(request, "orders.read")
    slips = await _slips(visit, order_id)
    query = f"?{request.url.query}" if request.url.query else ""
    return visit.page(
        "paper/slip.html",
        slips=slips,
        back=f"/portal/orders/{own_id(order_id)}",
        pdf=f"/portal/orders/{own_id(order_id)}/print/packing-slip.pdf{query}",
    )


@get("/orders/{order_id:str}/print/packing-slip.pdf")
async def packing_slip_pdf(request: Asking, order_id: str) -> Response[bytes]:
    """Give the same slips as a PDF; `?paper=letter` for the other sheet."""
    visit = await Visit.begin(request, "orders.read")
    slips = await _slips(visit, order_id)
    sheet = request.query_params.get("paper", "a4")
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


ROUTES = [packing_slip, packing_slip_pdf]
