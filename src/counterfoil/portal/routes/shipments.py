"""Goods: make up a shipment of what is in none yet. [U-14 to U-25]"""

import msgspec
from litestar import Response, get, post

from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, check_gate, ship
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.folder import Folder
from counterfoil.order.goods import unpacked
from counterfoil.order.shapes import BagShape
from counterfoil.order.shipment import ShipmentItem
from counterfoil.portal.commands import How, run
from counterfoil.portal.forms import Form
from counterfoil.portal.forms import typed as cleaned
from counterfoil.portal.goods_form import (
    UNITS,
    Part,
    changed_meanwhile,
    packed_of,
    refuse,
    typed_units,
)
from counterfoil.portal.goods_says import Says, say_packed
from counterfoil.portal.reading import Read, read_order, why_not
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.items import GOODS, RIGHT
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.visit import Visit

FIELDS = ("method", "carrier", "tracking_number", "sent")


@get("/orders/{order_id:str}/bags/{bag_id:str}/ship")
async def ship_form(request: Asking, order_id: str, bag_id: str) -> Response[bytes]:
    """Ask what goes into the shipment: everything that is left, or the lines that are named."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    return ask_shipment(visit, read, bag_id, request.query_params.getall("item", []))


def ask_shipment(visit: Visit, read: Read, bag_id: str, items: list[str]) -> Response[bytes]:
    """Show the form of a new shipment. Named lines are packed first: they leave when it is said."""
    bag = _bag(read, bag_id)
    methods = [m.code for m in read.folder.methods if m.enabled]
    usual = read.order.shipping_method
    chosen = usual if usual in methods else (methods[0] if methods else "")
    values = {"method": chosen}
    if items:
        values["sent"] = "no"
        values |= {
            UNITS + part.item.id: str(part.left if part.item.id in items else 0)
            for part in _lines(read.folder, bag)
        }
    return _show(visit, read, bag, Form(version=read.order.version, values=values))


@post("/orders/{order_id:str}/bags/{bag_id:str}/ship", status_code=200)
async def ship_now(request: Asking, order_id: str, bag_id: str) -> Response[bytes]:
    """Make up the shipment and, where the goods have left, send it."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    bag = _bag(read, bag_id)
    form = Form(
        version=read.order.version,
        values={name: visit.typed(name, 100) for name in FIELDS},
    )
    form.values |= typed_units(_lines(read.folder, bag), visit.typed)
    lines = _lines(read.folder, bag)
    if changed_meanwhile(form, lines, visit.form):
        return _show(visit, read, bag, form)
    packed = packed_of(form, lines)
    if form.refused:
        return _show(visit, read, bag, form)
    wanted, leaves = _wanted(form, packed), form.values["sent"] != "no"
    says = say_packed(read.folder, visit.actor, bag.id, wanted, leaves=leaves)
    if says.refused and not wanted.tracking_number:
        form.notices.append(says.refused)
        return _show(visit, read, bag, form)
    try:
        answered = await run(visit, read.order.id, ship, bag_id=bag.id, wanted=wanted)
        made = msgspec.json.decode(answered.body)["id"]
        if leaves:
            await run(visit, read.order.id, send_shipment, How(step="send"), shipment_id=made)
    except Problem as problem:
        return _show(visit, await read_order(visit, order_id), bag, refuse(form, problem))
    said = "Shipment sent" if leaves else "Shipment made up"
    return await after_save(
        visit, read.order.id, "items", GOODS, closes=True, said=said, land=f"shipment-{made}"
    )


@get("/orders/{order_id:str}/bags/{bag_id:str}/ship/says")
async def ship_says(request: Asking, order_id: str, bag_id: str) -> Response[bytes]:
    """Say what making up the shipment does, while it is being filled in."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    bag, query = _bag(read, bag_id), request.query_params
    values = {name: cleaned(query, name) for name in FIELDS}
    typed = typed_units(_lines(read.folder, bag), lambda name, most: cleaned(query, name, most))
    form = Form(values=values | typed)
    return visit.region("goods/says.html", says=_says(visit, read, bag, form))


def _says(visit: Visit, read: Read, bag: BagShape, form: Form) -> Says:
    """Rehearse the form as it is; a line that nothing was written for goes in whole."""
    lines = _lines(read.folder, bag)
    proposed = {UNITS + line.item.id: str(line.left) for line in lines}
    trial = Form(values=proposed | form.values)
    packed = packed_of(trial, lines)
    if trial.refused:
        return Says(refused=next(iter([*trial.errors.values(), *trial.notices])))
    wanted, leaves = _wanted(trial, packed), trial.values.get("sent") != "no"
    return say_packed(read.folder, visit.actor, bag.id, wanted, leaves=leaves)


def _wanted(form: Form, packed: list[ShipmentItem]) -> WantedShipment:
    return WantedShipment(
        items=packed,
        method=form.values.get("method") or None,
        carrier=form.values.get("carrier") or None,
        tracking_number=form.values.get("tracking_number") or None,
    )


def _lines(folder: Folder, bag: BagShape) -> list[Part]:
    shipments = list(folder.shipments)
    lines = [
        Part(item, unpacked(item, shipments))
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
    """Show the form, or why nothing can be packed: another tab may have been faster."""
    if why := _nothing(read, bag) or why_not(check_gate, read.folder):
        return visit.page(
            "money/closed.html",
            heading=f"Ship items of order {read.order.number}",
            why=why,
            doors=(),
            back=f"/portal/orders/{read.order.id}",
        )
    return visit.page(
        "goods/ship.html",
        status=form_status(form),
        order=read.order,
        bag=bag,
        form=form,
        lines=_lines(read.folder, bag),
        says=_says(visit, read, bag, form),
        back=f"/portal/orders/{read.order.id}",
        methods=[(m.code, m.name) for m in read.folder.methods if m.enabled] or [("", "None")],
    )


ROUTES = [ship_form, ship_now, ship_says]
