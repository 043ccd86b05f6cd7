"""Update shipment: by which method goods travel, all that have not left or some. [U-19 to U-25]"""

from typing import NamedTuple

from litestar import Response, get, post

from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.note import note
from counterfoil.actions.ship import check_gate
from counterfoil.kernel.problem import Problem
from counterfoil.portal.commands import How, run
from counterfoil.portal.forms import Form
from counterfoil.portal.goods_says import Says, moved_into, say_method
from counterfoil.portal.goods_view import LineView
from counterfoil.portal.goods_words import REASONS, listed
from counterfoil.portal.reading import Read, read_order, why_not
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.items import GOODS, RIGHT, lines_of
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.visit import Visit

FIELDS = ("which", "method", "reason", "words")


class Choice(NamedTuple):
    """A line that could go: its name, what stands beside it, and why it cannot."""

    line: LineView
    beside: str
    why: str


class Contents(NamedTuple):
    """A bag with its lines, named where there are several."""

    name: str
    choices: list[Choice]


@get("/orders/{order_id:str}/shipments/update")
async def method_form(request: Asking, order_id: str) -> Response[bytes]:
    """Ask for which items, and by which method they travel from now on. [U-21, U-22]"""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    ticked = set(request.query_params.getall("item", []))
    methods = [method.code for method in read.folder.methods if method.enabled]
    usual = read.order.shipping_method
    other = next((code for code in methods if code != usual), usual or "")
    form = Form(
        version=read.order.version,
        values={"which": "some" if ticked else "all", "method": other},
    )
    return _show(visit, read, form, ticked)


@get("/orders/{order_id:str}/shipments/update/says")
async def method_says(request: Asking, order_id: str) -> Response[bytes]:
    """Say which items go into which shipment, while they are being chosen."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    query = request.query_params
    ticked = query.getall("item", []) if query.get("which") == "some" else None
    says = say_method(read.folder, visit.actor, ticked, query.get("method", ""))
    return visit.region("goods/says.html", says=says)


@post("/orders/{order_id:str}/shipments/update", status_code=200)
async def method_now(request: Asking, order_id: str) -> Response[bytes]:
    """Change the method, keep the reason as a note, and go on at the new tracking field."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    form = Form(
        version=read.order.version,
        values={name: visit.typed(name, 500 if name == "words" else 100) for name in FIELDS},
    )
    ticked = [str(one) for one in visit.form.getall("item", [])]
    items = ticked if form.values["which"] == "some" else None
    if items is not None and not items:
        form.notices.append("Choose at least one item.")
        return _show(visit, read, form, set(ticked))
    method = form.values["method"]
    try:
        await run(visit, read.order.id, choose_method, items=items, method=method)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        form.notices.append(problem.detail)
        return _show(visit, await read_order(visit, order_id), form, set(ticked))
    if said := _reason(visit, read, form, items):
        await run(visit, read.order.id, note, How(step="note"), body=said)
    return await _done(visit, read, items)


async def _done(visit: Visit, before: Read, items: list[str] | None) -> Response[bytes]:
    after = await read_order(visit, before.order.id)
    into = moved_into(before.folder, after.folder, items)
    scan = next(
        (
            one.line.item.id
            for one in lines_of(after)
            if into and one.line.into == into and one.line.missing == "add"
        ),
        "",
    )
    return await after_save(
        visit,
        before.order.id,
        "items",
        (*GOODS, "details", "notes"),
        closes=True,
        said="Shipment updated",
        land="" if scan else f"shipment-{into}",
        tracking_form=Form(values={"item": scan}),
    )


def _reason(visit: Visit, read: Read, form: Form, items: list[str] | None) -> str:
    """Write the reason down as a note would have it; empty where none was given. [U-20]"""
    reason, more = REASONS.get(form.values["reason"], ""), form.values["words"]
    if not (reason or more) or not _keeps_reason(visit):
        return ""
    names = {m.code: m.name for m in read.folder.methods}
    lines = {item.id: item.sku or item.name for item in read.folder.items}
    what = "all items" if items is None else listed([lines[one] for one in items if one in lines])
    method = names.get(form.values["method"], form.values["method"])
    told = " – ".join(part for part in (reason, more) if part)
    return f"Shipment method of {what} changed to {method}: {told}"


def _keeps_reason(visit: Visit) -> bool:
    return visit.actor.can("orders.notes") and visit.actor.merchants is None


def _show(visit: Visit, read: Read, form: Form, ticked: set[str]) -> Response[bytes]:
    shelves = _shelves(read)
    can = [c for shelf in shelves for c in shelf.choices if not c.why]
    why = why_not(check_gate, read.folder)
    if not why and not can:
        why = "Everything has left or is cancelled: no method can change any more."
    if why:
        return visit.page(
            "money/closed.html",
            heading=f"Update shipment, order {read.order.number}",
            why=why,
            doors=(),
            back=f"/portal/orders/{read.order.id}#order-items",
        )
    chosen = [c.line.item.id for c in can if c.line.item.id in ticked]
    some = form.values["which"] == "some"
    says = say_method(read.folder, visit.actor, chosen if some else None, form.values["method"])
    return visit.page(
        "goods/method.html",
        status=form_status(form),
        order=read.order,
        form=form,
        shelves=shelves,
        left=len(can),
        ticked=set(chosen),
        methods=[(m.code, m.name) for m in read.folder.methods if m.enabled],
        reasons=[("", "No reason given"), *REASONS.items()] if _keeps_reason(visit) else [],
        says=Says() if some and not chosen else says,
        back=f"/portal/orders/{read.order.id}#order-items",
    )


def _shelves(read: Read) -> list[Contents]:
    shelves: dict[str, Contents] = {}
    several = len(read.order.bags) > 1
    for place in lines_of(read):
        if not place.line.goods:
            continue
        name = place.bag.merchant.name if several else ""
        shelf = shelves.setdefault(place.bag.id, Contents(name, []))
        shelf.choices.append(_choice(read, place.line))
    return list(shelves.values())


def _choice(read: Read, line: LineView) -> Choice:
    item = line.item
    live = item.quantity - item.quantity_canceled
    if line.gone:
        return Choice(line, "", "cancelled")
    if not line.waiting:
        carried = next(
            (
                one.carrier
                for one in reversed(read.folder.shipments)
                if item.id in one.units and one.status != "CANCELED" and one.carrier
            ),
            "",
        )
        return Choice(line, "", f"already with {carried}" if carried else "has left already")
    part = f"{line.waiting} of {live} has not left" if line.waiting < live else ""
    return Choice(line, ", ".join(one for one in (part, line.method) if one), "")


ROUTES = [method_form, method_says, method_now]
