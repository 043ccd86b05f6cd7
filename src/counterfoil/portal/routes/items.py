"""Lines of an order in place: the tracking number of each, scanned one after the other. [U-18]"""

from typing import NamedTuple

from litestar import Response, get, post

from counterfoil.actions.move_shipment import NewShipping, update_shipment
from counterfoil.actions.ship import WantedShipment, check_gate, ship
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.allowed import may_ship
from counterfoil.order.shapes import BagShape
from counterfoil.order.shipment import ShipmentItem
from counterfoil.portal.commands import run
from counterfoil.portal.forms import Form
from counterfoil.portal.goods_view import NEW, Beside, LineView, line_views, next_empty
from counterfoil.portal.goods_words import NOT_YET, listed
from counterfoil.portal.order_view import OrderView
from counterfoil.portal.reading import Read, read_order, why_not
from counterfoil.portal.respond import Asking
from counterfoil.portal.results import view_of
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.timeline import facts_of
from counterfoil.portal.visit import Visit

RIGHT = "shipments.write"
GOODS = ("head", "attention", "items", "timeline", "state", "live")


class Place(NamedTuple):
    """A line as its page shows it, and the bag it lies in."""

    bag: BagShape
    line: LineView


def lines_of(read: Read) -> list[Place]:
    """List the lines that the reader may see, in the order of the page."""
    beside = Beside({method.code: method.name for method in read.folder.methods})
    locked = not may_ship(read.folder.order)
    return [
        Place(bag, line)
        for bag in read.order.bags
        for line in line_views(bag, beside, locked=locked)
    ]


def find_line(read: Read, item_id: str) -> Place:
    """Find a line that the reader may see. Raises NotFound."""
    found = next((one for one in lines_of(read) if one.line.item.id == item_id), None)
    if found is None:
        raise NotFound("The order has no such line.")
    return found


@get("/orders/{order_id:str}/items/{item_id:str}/tracking")
async def tracking_field(request: Asking, order_id: str, item_id: str) -> Response[bytes]:
    """Ask for a line's tracking number: in its cell, or on a page of its own without script."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    place = find_line(read, item_id)
    opened = request.query_params.get("as") != "text"
    form = Form(version=read.order.version, values={"item": item_id} if opened else {})
    if visit.part and request.query_params.get("in") == "cell":
        view = view_of(visit, read, facts_of(read), tracking_form=form, land=f"add-{item_id}")
        return visit.region(
            "goods/cell_alone.html", order=read.order, line=place.line, acts=True, view=view
        )
    return _page(visit, read, place, form)


@post("/orders/{order_id:str}/items/{item_id:str}/tracking", status_code=200)
async def save_tracking(request: Asking, order_id: str, item_id: str) -> Response[bytes]:
    """Save a line's tracking number, and open the field of the next line that has none yet."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    place = find_line(read, item_id)
    number = visit.typed("tracking_number", 100)
    form = Form(version=read.order.version, values={"item": item_id, "tracking_number": number})
    try:
        if not number:
            form.errors["tracking_number"] = "Write or scan a tracking number."
        elif place.line.missing != "add":
            form.errors["tracking_number"] = why_no_number(read, place.line)
        else:
            await _save(visit, read, place, number)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        form.errors["tracking_number"] = problem.detail
    if form.refused:
        if not visit.part or visit.typed("in", 4) != "cell":
            return _page(visit, read, place, form)
        view = view_of(visit, read, facts_of(read), tracking_form=form)
        return show_items(visit, read, view, form_status(form))
    lines = [one.line for one in lines_of(await read_order(visit, order_id))]
    following = next_empty(lines, item_id)
    return await after_save(
        visit,
        read.order.id,
        "items",
        GOODS,
        said=f"Tracking number {number} saved",
        land="" if following else f"item-{item_id}",
        tracking_form=Form(values={"item": following}),
    )


async def _save(visit: Visit, read: Read, place: Place, number: str) -> None:
    """Put the number to the line's shipment; what is in none yet goes into one of its own."""
    line, bag = place.line, place.bag
    if line.into != NEW:
        wanted = NewShipping(tracking_number=number)
        await run(visit, read.order.id, update_shipment, shipment_id=line.into, wanted=wanted)
        return
    packed = sum(
        part.quantity
        for one in bag.shipments
        if one.status != "CANCELED"
        for part in one.items
        if part.item_id == line.item.id
    )
    free = line.item.quantity - line.item.quantity_canceled - packed
    methods = [method.code for method in read.folder.methods if method.enabled]
    own = line.item.shipping_method
    made = WantedShipment(
        items=[ShipmentItem(line.item.id, free)],
        method=own if own in methods else None,
        tracking_number=number,
    )
    await run(visit, read.order.id, ship, bag_id=bag.id, wanted=made)


def why_no_number(read: Read, line: LineView) -> str:
    """Say why a line takes no number; somebody may have given it one meanwhile. [U-16, U-18]"""
    if line.missing == "later":
        return NOT_YET
    numbers = listed([track.number for track in line.tracks])
    if numbers:
        return f"It has {numbers} by now."
    locked = why_not(check_gate, read.folder) if line.waiting else ""
    return locked or "This line takes no tracking number now."


def _page(visit: Visit, read: Read, place: Place, form: Form) -> Response[bytes]:
    closed = "" if place.line.missing == "add" else why_no_number(read, place.line)
    return visit.page(
        "goods/number.html",
        status=form_status(form),
        order=read.order,
        line=place.line,
        form=form,
        closed=closed,
        back=f"/portal/orders/{read.order.id}#item-{place.line.item.id}",
    )


def show_items(visit: Visit, read: Read, view: OrderView, status: int) -> Response[bytes]:
    """Show the lines and shipments again, with what was refused in them; else the whole page."""
    if not visit.part:
        return visit.page("order/page.html", order=read.order, view=view, status=status)
    return visit.region(
        "order/saved.html",
        order=read.order,
        view=view,
        region="items",
        changed=(),
        closes=False,
        said="",
        status=status,
    )


ROUTES = [tracking_field, save_tracking]
