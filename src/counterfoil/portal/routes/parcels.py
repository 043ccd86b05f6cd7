"""The parcels of a shipment: their tracking numbers, and that the carrier has them. [U-18, U-25]"""

from litestar import Response, get, post

from counterfoil.actions.move_shipment import NewShipping, carry_shipment, update_shipment
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.goods_shapes import ShipmentShape
from counterfoil.order.problems import InvalidState
from counterfoil.order.shapes import BagShape
from counterfoil.order.shipment import Parcel
from counterfoil.portal import story, words
from counterfoil.portal.commands import run
from counterfoil.portal.forms import Form
from counterfoil.portal.goods_view import contents, tracks_of
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.items import GOODS, RIGHT
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.visit import Visit

PARCELS_MAX = 20
GRAMS_MAX = 10_000_000


def find_shipment(read: Read, shipment_id: str) -> tuple[BagShape, ShipmentShape]:
    """Find a shipment that the reader may see, and its bag. Raises NotFound."""
    for bag in read.order.bags:
        for one in bag.shipments:
            if one.id == shipment_id:
                return bag, one
    raise NotFound("The order has no such shipment.")


@post("/orders/{order_id:str}/shipments/{shipment_id:str}/in-transit", status_code=200)
async def carry_now(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Say that the carrier has it. Raises InvalidState where somebody was faster."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    _, one = find_shipment(read, shipment_id)
    if not any(action.action == "in_transit" for action in one.allowed_actions):
        word = words.look("shipment", one.status).label
        raise InvalidState(f"This shipment is {word} by now. Nothing was changed.")
    await run(visit, read.order.id, carry_shipment, shipment_id=one.id)
    return await after_save(
        visit, read.order.id, "items", GOODS, said="In transit", land=f"shipment-{one.id}"
    )


@get("/orders/{order_id:str}/shipments/{shipment_id:str}/tracking")
async def tracking_form(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Ask for the tracking numbers, one for each parcel of the shipment."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    return ask_tracking(visit, read, find_shipment(read, shipment_id))


def ask_tracking(
    visit: Visit, read: Read, found: tuple[BagShape, ShipmentShape]
) -> Response[bytes]:
    """Show the form of a shipment's tracking numbers as they are."""
    one = found[1]
    values = {"tracking_number": one.tracking_number or "", "carrier": one.carrier or ""}
    for index, parcel in enumerate(one.parcels, 2):
        values[f"number-{index}"] = parcel.tracking_number
        values[f"weight-{index}"] = str(parcel.weight_g or "")
    values |= {"rows": str(len(one.parcels) + 1), "was": _numbers(one)}
    return _tracking(visit, read, found, Form(version=read.order.version, values=values))


@post("/orders/{order_id:str}/shipments/{shipment_id:str}/tracking", status_code=200)
async def tracking_now(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Set tracking numbers and carrier; every number is an order's own once. [U-25]"""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    found = find_shipment(read, shipment_id)
    form, parcels = _typed(visit, read)
    if visit.typed("more", 1):
        form.values["rows"] = str(min(PARCELS_MAX, int(form.values["rows"]) + 1))
        return _tracking(visit, read, found, form)
    if not form.refused and form.values["was"] != _numbers(found[1]):
        form.notices.append(_meanwhile(read, found[1]))
        form.values["was"] = _numbers(found[1])
    if form.refused:
        return _tracking(visit, read, found, form)
    wanted = NewShipping(
        tracking_number=form.values["tracking_number"] or None,
        carrier=form.values["carrier"] or None,
        parcels=parcels,
    )
    try:
        await run(visit, read.order.id, update_shipment, shipment_id=found[1].id, wanted=wanted)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        form.errors["tracking_number"] = problem.detail
        return _tracking(visit, read, found, form)
    return await after_save(
        visit,
        read.order.id,
        "items",
        GOODS,
        closes=True,
        said="Tracking saved",
        land=f"shipment-{found[1].id}",
    )


def _numbers(one: ShipmentShape) -> str:
    """Put all numbers of a shipment into one line, to tell whether somebody changed them."""
    return " ".join(track.number for track in tracks_of(one))


def _meanwhile(read: Read, one: ShipmentShape) -> str:
    """Say who changed the numbers while the form was open. [design guide 5.4]"""
    last = next(
        (
            fact
            for fact in read.facts
            if fact.type.startswith("shipment.")
            and ((fact.data or {}).get("shipment") or {}).get("id") == one.id
        ),
        None,
    )
    who = story.who(last.actor) if last else "Somebody"
    numbers = _numbers(one) or "nothing"
    return f"{who} changed it to {numbers} meanwhile. Press again to save what you typed."


def _typed(visit: Visit, read: Read) -> tuple[Form, list[Parcel]]:
    """Read the numbers; a further parcel without one is none."""
    rows = visit.typed("rows", 2)
    count = min(PARCELS_MAX, max(1, int(rows))) if rows.isascii() and rows.isdecimal() else 1
    names = ["tracking_number", "carrier"]
    names += [f"{name}-{index}" for index in range(2, count + 1) for name in ("number", "weight")]
    values = {name: visit.typed(name, 100) for name in names}
    values |= {"rows": str(count), "was": visit.typed("was", 3000)}
    form = Form(version=read.order.version, values=values)
    parcels = []
    for index in range(2, count + 1):
        number, weight = values[f"number-{index}"], values[f"weight-{index}"]
        if weight and not (weight.isascii() and weight.isdecimal() and int(weight) <= GRAMS_MAX):
            form.errors[f"weight-{index}"] = f"Parcel {index}: write its weight in whole grams."
        elif number:
            grams = int(weight) if weight else None
            parcels.append(Parcel(tracking_number=number, weight_g=grams))
        elif weight:
            form.errors[f"number-{index}"] = f"Parcel {index}: write its tracking number."
    if parcels and not values["tracking_number"]:
        form.errors["tracking_number"] = "Give the first parcel its number first."
    return form, parcels


def _tracking(
    visit: Visit, read: Read, found: tuple[BagShape, ShipmentShape], form: Form
) -> Response[bytes]:
    bag, one = found
    return visit.page(
        "goods/tracking.html",
        status=form_status(form),
        order=read.order,
        shipment=one,
        contents=contents(bag, one),
        rows=range(2, int(form.values.get("rows", "1")) + 1),
        form=form,
        back=f"/portal/orders/{read.order.id}#shipment-{one.id}",
    )


ROUTES = [carry_now, tracking_form, tracking_now]
