"""Shipments that have not left: send them, all or a part, split, merge or cancel them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec
from litestar import Response, get, post

from counterfoil.actions.move_shipment import NewShipping, send_shipment, update_shipment
from counterfoil.actions.rearrange import (
    WantedSplit,
    cancel_shipment,
    merge_shipments,
    split_shipment,
)
from counterfoil.kernel.problem import Problem
from counterfoil.order.goods_shapes import ShipmentShape
from counterfoil.order.item import CONFIRMED, Item
from counterfoil.order.shapes import BagShape, ItemShape
from counterfoil.order.shipment import ShipmentItem
from counterfoil.portal.commands import How, run
from counterfoil.portal.forms import Form
from counterfoil.portal.goods_says import say_sent
from counterfoil.portal.goods_view import contents, mergeable
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.items import GOODS, RIGHT
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.routes.parcels import find_shipment
from counterfoil.portal.visit import Visit


class Part(NamedTuple):
    """A line of a shipment, and how many units of it are inside."""

    item: ItemShape
    left: int


class Open(NamedTuple):
    """A shipment as a form is about it, with the order and bag it belongs to."""

    read: Read
    bag: BagShape
    one: ShipmentShape

    @property
    def parts(self) -> list[Part]:
        """What is inside."""
        items = {item.id: item for item in self.bag.items}
        return [Part(items[p.item_id], p.quantity) for p in self.one.items if p.item_id in items]

    @property
    def page(self) -> str:
        """The order's page."""
        return f"/portal/orders/{self.read.order.id}"

    def may(self, action: str) -> bool:
        """Tell whether an action is open now."""
        return any(one.action == action for one in self.one.allowed_actions)


async def _open(visit: Visit) -> Open:
    given = visit.request.path_params
    read = await read_order(visit, given["order_id"])
    return Open(read, *find_shipment(read, given["shipment_id"]))


@get("/orders/{order_id:str}/shipments/{shipment_id:str}/ship")
async def leave_form(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Say what leaves, how much of it, and ask for the number."""
    visit = await Visit.begin(request, RIGHT)
    found = await _open(visit)
    return _leaves(visit, found, Form(version=found.read.order.version))


@get("/orders/{order_id:str}/shipments/{shipment_id:str}/ship/says")
async def leave_says(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Say what leaves while it is being typed."""
    visit = await Visit.begin(request, RIGHT)
    found = await _open(visit)
    typed = {p.item.id: request.query_params.get(f"quantity-{p.item.id}", "") for p in found.parts}
    packed = [
        ShipmentItem(item_id, int(text))
        for item_id, text in typed.items()
        if text.isascii() and text.isdecimal() and int(text)
    ]
    says = say_sent(found.read.folder, visit.actor, found.one.id, packed)
    return visit.region("goods/says.html", says=says)


@post("/orders/{order_id:str}/shipments/{shipment_id:str}/ship", status_code=200)
async def leave_now(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Send the shipment; where only a part of it leaves, that is split off first."""
    visit = await Visit.begin(request, RIGHT)
    found = await _open(visit)
    form = _form(visit, found)
    packed = packed_of(form, found.parts)
    if form.refused:
        return _leaves(visit, found, form)
    order_id, number, sent = found.read.order.id, form.values["tracking_number"], found.one.id
    try:
        if len(packed) < len(found.parts) or any(
            part.quantity < inside.left for part, inside in zip(packed, found.parts, strict=False)
        ):
            wanted = WantedSplit(items=packed, tracking_number=number or None)
            how = How(step="split")
            split = await run(visit, order_id, split_shipment, how, shipment_id=sent, wanted=wanted)
            sent = msgspec.json.decode(split.body)["id"]
        elif number and number != found.one.tracking_number:
            new = NewShipping(tracking_number=number)
            how = How(step="number")
            await run(visit, order_id, update_shipment, how, shipment_id=sent, wanted=new)
        await run(visit, order_id, send_shipment, shipment_id=sent)
    except Problem as problem:
        return _leaves(visit, await _open(visit), _refuse(form, problem))
    return await _done(visit, found, "Sent", sent)


def _leaves(visit: Visit, found: Open, form: Form) -> Response[bytes]:
    if not found.may("ship"):
        return _closed(visit, found, "Send shipment", "It cannot leave now.")
    ready = all(part.item.delivery_state in CONFIRMED for part in found.parts)
    whole = [ShipmentItem(part.item.id, part.left) for part in found.parts]
    form.values.setdefault("tracking_number", found.one.tracking_number or "")
    return visit.page(
        "goods/leaves.html",
        status=form_status(form),
        order=found.read.order,
        heading=f"Send shipment, order {found.read.order.number}",
        here=f"{found.page}/shipments/{found.one.id}/ship",
        fields={},
        says=say_sent(
            found.read.folder, visit.actor, found.one.id, _again(form, found.parts) or whole
        ),
        verb="Mark as sent",
        lines=found.parts,
        number=ready,
        form=form,
        back=f"{found.page}#shipment-{found.one.id}",
    )


def _again(form: Form, parts: list[Part]) -> list[ShipmentItem]:
    typed = [(p, form.values.get(f"quantity-{p.item.id}", "")) for p in parts]
    return [ShipmentItem(p.item.id, int(t)) for p, t in typed if t.isdecimal() and int(t)]


@get("/orders/{order_id:str}/shipments/{shipment_id:str}/split")
async def split_form(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Ask what moves into a shipment of its own."""
    visit = await Visit.begin(request, RIGHT)
    found = await _open(visit)
    values = {f"quantity-{part.item.id}": "0" for part in found.parts}
    values["method"] = found.one.method or ""
    return _split(visit, found, Form(version=found.read.order.version, values=values))


@post("/orders/{order_id:str}/shipments/{shipment_id:str}/split", status_code=200)
async def split_now(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Split a shipment."""
    visit = await Visit.begin(request, RIGHT)
    found = await _open(visit)
    form = _form(visit, found)
    packed = packed_of(form, found.parts)
    if form.refused:
        return _split(visit, found, form)
    own = form.values["method"]
    wanted = WantedSplit(
        items=packed,
        method=own if own != (found.one.method or "") else None,
        tracking_number=form.values["tracking_number"] or None,
    )
    try:
        split = await run(
            visit, found.read.order.id, split_shipment, shipment_id=found.one.id, wanted=wanted
        )
    except Problem as problem:
        return _split(visit, await _open(visit), _refuse(form, problem))
    return await _done(visit, found, "Split", msgspec.json.decode(split.body)["id"])


def _split(visit: Visit, found: Open, form: Form) -> Response[bytes]:
    if not found.may("split"):
        return _closed(visit, found, "Split shipment", "It cannot be split now.")
    methods = [(m.code, m.name) for m in found.read.folder.methods if m.enabled]
    own = found.one.method or ""
    if own not in dict(methods):
        methods = [(own, own or "None"), *methods]
    return visit.page(
        "goods/split.html",
        status=form_status(form),
        order=found.read.order,
        shipment=found.one,
        lines=found.parts,
        methods=methods,
        form=form,
        back=f"{found.page}#shipment-{found.one.id}",
    )


@get("/orders/{order_id:str}/shipments/{shipment_id:str}/merge")
async def merge_form(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Ask which shipments go into this one."""
    visit = await Visit.begin(request, RIGHT)
    found = await _open(visit)
    return _merge(visit, found, Form(version=found.read.order.version))


@post("/orders/{order_id:str}/shipments/{shipment_id:str}/merge", status_code=200)
async def merge_now(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Put the ticked shipments into this one."""
    visit = await Visit.begin(request, RIGHT)
    found = await _open(visit)
    form = Form(version=found.read.order.version)
    others = [str(one) for one in visit.form.getall("shipment", [])]
    if not others:
        form.notices.append("Choose at least one shipment.")
        return _merge(visit, found, form)
    try:
        await run(
            visit,
            found.read.order.id,
            merge_shipments,
            shipment_id=found.one.id,
            shipment_ids=others,
        )
    except Problem as problem:
        return _merge(visit, await _open(visit), _refuse(form, problem))
    return await _done(visit, found, "Merged", found.one.id)


def _merge(visit: Visit, found: Open, form: Form) -> Response[bytes]:
    others = [(one, contents(found.bag, one)) for one in mergeable(found.bag, found.one)]
    if not found.may("merge") or not others:
        return _closed(visit, found, "Merge shipments", "There is no other that has not left.")
    return visit.page(
        "goods/merge.html",
        status=form_status(form),
        order=found.read.order,
        shipment=found.one,
        contents=contents(found.bag, found.one),
        others=others,
        form=form,
        back=f"{found.page}#shipment-{found.one.id}",
    )


@get("/orders/{order_id:str}/shipments/{shipment_id:str}/cancel")
async def call_off_form(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Say what cancelling a shipment does, and ask."""
    visit = await Visit.begin(request, RIGHT)
    found = await _open(visit)
    return _call_off(visit, found, Form(version=found.read.order.version))


@post("/orders/{order_id:str}/shipments/{shipment_id:str}/cancel", status_code=200)
async def call_off_now(request: Asking, order_id: str, shipment_id: str) -> Response[bytes]:
    """Cancel the shipment; its items can be packed again."""
    visit = await Visit.begin(request, RIGHT)
    found = await _open(visit)
    try:
        await run(visit, found.read.order.id, cancel_shipment, shipment_id=found.one.id)
    except Problem as problem:
        form = Form(version=found.read.order.version)
        return _call_off(visit, await _open(visit), _refuse(form, problem))
    return await _done(visit, found, "Shipment cancelled", found.one.id)


def _call_off(visit: Visit, found: Open, form: Form) -> Response[bytes]:
    if not found.may("cancel"):
        return _closed(visit, found, "Cancel shipment", "It cannot be cancelled now.")
    return visit.page(
        "goods/call_off.html",
        status=form_status(form),
        order=found.read.order,
        shipment=found.one,
        contents=contents(found.bag, found.one),
        form=form,
        back=f"{found.page}#shipment-{found.one.id}",
    )


def _form(visit: Visit, found: Open) -> Form:
    names = [f"quantity-{part.item.id}" for part in found.parts]
    values = {name: visit.typed(name, 6) for name in names}
    values |= {name: visit.typed(name, 100) for name in ("tracking_number", "method")}
    return Form(version=found.read.order.version, values=values)


class Inside(Protocol):
    """A line, and how many units of it can be meant."""

    @property
    def item(self) -> Item | ItemShape:
        """The line."""

    @property
    def left(self) -> int:
        """Its units."""


def packed_of(form: Form, parts: Sequence[Inside]) -> list[ShipmentItem]:
    """Read how many units of each line are meant; what cannot be is said at its field."""
    packed = []
    for part in parts:
        name = f"quantity-{part.item.id}"
        text = form.values.get(name, "")
        if text and not (text.isascii() and text.isdecimal() and int(text) <= part.left):
            form.errors[name] = f"{part.item.name}: write a number from 0 to {part.left}."
        elif text and int(text):
            packed.append(ShipmentItem(part.item.id, int(text)))
    if not packed and not form.errors:
        form.notices.append("Choose at least one item.")
    return packed


def _refuse(form: Form, problem: Problem) -> Form:
    if problem.status not in (409, 422):
        raise problem
    if problem.code in ("tracking_number_taken", "tracking_not_allowed"):
        form.errors["tracking_number"] = problem.detail
    else:
        form.notices.append(problem.detail)
    return form


async def _done(visit: Visit, found: Open, said: str, land: str) -> Response[bytes]:
    order_id = found.read.order.id
    where = f"shipment-{land}"
    return await after_save(visit, order_id, "items", GOODS, closes=True, said=said, land=where)


def _closed(visit: Visit, found: Open, heading: str, why: str) -> Response[bytes]:
    return visit.page(
        "money/closed.html",
        heading=f"{heading}, order {found.read.order.number}",
        why=why,
        doors=(),
        back=f"{found.page}#order-items",
    )


ROUTES = [
    leave_form,
    leave_says,
    leave_now,
    split_form,
    split_now,
    merge_form,
    merge_now,
    call_off_form,
    call_off_now,
]
