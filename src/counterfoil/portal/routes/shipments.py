"""Goods: make up a shipment of what is in none yet. [U-14 to U-25]"""

import msgspec
from litestar import Response, get, post

from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, check_gate, ship
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.folder import Folder
from counterfoil.order.goods import unpacked
from counterfoil.order.item import Item
from counterfoil.order.shapes import BagShape
from counterfoil.order.shipment import ShipmentItem
from counterfoil.portal.commands import How, run
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import Read, read_order, why_not
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.items import GOODS, RIGHT
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.visit import Visit


class Line(msgspec.Struct, frozen=True):
    """A line that can go into a shipment, and how many units are left for it."""

    item: Item
    left: int


@get("/orders/{order_id:str}/bags/{bag_id:str}/ship")
async def ship_form(request: Asking, order_id: str, bag_id: str) -> Response[bytes]:
    """Ask what goes into the shipment; everything that is left is proposed."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    bag = _bag(read, bag_id)
    if why := why_not(check_gate, read.folder) or _nothing(read, bag):
        return visit.page(
            "money/closed.html",
            heading=f"Ship items of order {read.order.number}",
            why=why,
            doors=(),
            back=f"/portal/orders/{read.order.id}",
        )
    methods = [m.code for m in read.folder.methods if m.enabled]
    usual = read.order.shipping_method
    chosen = usual if usual in methods else (methods[0] if methods else "")
    return _show(visit, read, bag, Form(version=read.order.version, values={"method": chosen}))


@post("/orders/{order_id:str}/bags/{bag_id:str}/ship", status_code=200)
async def ship_now(request: Asking, order_id: str, bag_id: str) -> Response[bytes]:
    """Make up the shipment and, where the goods have left, send it."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    bag = _bag(read, bag_id)
    form = Form(
        version=read.order.version,
        values={
            name: visit.typed(name, 100)
            for name in ("method", "carrier", "tracking_number", "sent")
        },
    )
    packed = _packed(visit, read, bag, form)
    if form.refused:
        return _show(visit, read, bag, form)
    wanted = WantedShipment(
        items=packed,
        method=form.values["method"] or None,
        carrier=form.values["carrier"] or None,
        tracking_number=form.values["tracking_number"] or None,
    )
    try:
        answered = await run(visit, read.order.id, ship, bag_id=bag.id, wanted=wanted)
        made = msgspec.json.decode(answered.body)["id"]
        if form.values["sent"] != "no":
            await run(visit, read.order.id, send_shipment, How(step="send"), shipment_id=made)
    except Problem as problem:
        return _refused(visit, await read_order(visit, order_id), bag, form, problem)
    said = "Shipment made up" if form.values["sent"] == "no" else "Shipment sent"
    return await after_save(
        visit, read.order.id, "items", GOODS, closes=True, said=said, land=f"shipment-{made}"
    )


def _refused(
    visit: Visit, read: Read, bag: BagShape, form: Form, problem: Problem
) -> Response[bytes]:
    if problem.code == "tracking_number_taken":
        form.errors["tracking_number"] = problem.detail
    elif problem.status in (409, 422):
        form.notices.append(problem.detail)
    else:
        raise problem
    return _show(visit, read, bag, form)


def _packed(visit: Visit, read: Read, bag: BagShape, form: Form) -> list[ShipmentItem]:
    """Read how many units of each line go in; what cannot be is said at its field."""
    packed = []
    for line in _lines(read.folder, bag):
        name = f"quantity-{line.item.id}"
        text = visit.typed(name, 6)
        form.values[name] = text
        if text and not (text.isascii() and text.isdecimal() and int(text) <= line.left):
            form.errors[name] = f"{line.item.name}: write a number from 0 to {line.left}."
        elif text and int(text):
            packed.append(ShipmentItem(line.item.id, int(text)))
    if not packed and not form.errors:
        form.notices.append("Choose at least one item.")
    return packed


def _lines(folder: Folder, bag: BagShape) -> list[Line]:
    shipments = list(folder.shipments)
    lines = [
        Line(item, unpacked(item, shipments))
        for item in folder.items
        if item.bag_id == bag.id and item.deliverable and not item.digital
    ]
    return [line for line in lines if line.left]


def _nothing(read: Read, bag: BagShape) -> str:
    return "" if _lines(read.folder, bag) else "Everything of this bag is in a shipment already."


def _bag(read: Read, bag_id: str) -> BagShape:
    found = next((bag for bag in read.order.bags if bag.id == bag_id), None)
    if found is None:
        raise NotFound("The order has no such bag.")
    return found


def _show(visit: Visit, read: Read, bag: BagShape, form: Form) -> Response[bytes]:
    return visit.page(
        "goods/ship.html",
        status=form_status(form),
        order=read.order,
        bag=bag,
        form=form,
        lines=_lines(read.folder, bag),
        back=f"/portal/orders/{read.order.id}",
        methods=[(m.code, m.name) for m in read.folder.methods if m.enabled] or [("", "None")],
    )


ROUTES = [ship_form, ship_now]
