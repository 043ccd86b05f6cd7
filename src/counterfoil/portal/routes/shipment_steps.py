"""What may be done with a shipment, each step asked about before it is taken.

Before it has left: send it, all or a part, split, merge or cancel it. After that: say that it
arrived, that it could not be delivered, or that it was sent again. [U-19…U-25]
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
from litestar import Response, get, post

from counterfoil.actions.move_shipment import (
    NewShipping,
    deliver_shipment,
    fail_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.rearrange import (
    WantedSplit,
    cancel_shipment,
    merge_shipments,
    split_shipment,
)
from counterfoil.actions.ship import check_gate
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.goods_shapes import ShipmentShape
from counterfoil.order.item import CONFIRMED
from counterfoil.order.shapes import BagShape
from counterfoil.portal import words
from counterfoil.portal.commands import Action, How, run
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
from counterfoil.portal.goods_says import Says, say_moved, say_sent
from counterfoil.portal.goods_view import contents, mergeable
from counterfoil.portal.goods_words import SEND_AGAIN, STEPS
from counterfoil.portal.reading import Read, read_order, why_not
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.items import GOODS, RIGHT
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.routes.parcels import find_shipment
from counterfoil.portal.visit import Visit


class Found(NamedTuple):
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

    async def run(self, visit: Visit, action: Action, step: str = "", **wanted: Any) -> Any:
        """Run an action on the shipment, and return what it made."""
        how, order_id = How(step=step), self.read.order.id
        answered = await run(visit, order_id, action, how, shipment_id=self.one.id, **wanted)
        return msgspec.json.decode(answered.body)


class Step(NamedTuple):
    """A step: its name in `allowed_actions`, its words, its form, and what it does.

    `asks` gives the form what it shows beside the shipment. `does` returns the shipment that the
    work goes on with, or puts to the form what is wrong.
    """

    action: str
    heading: str
    closed: str
    said: str
    template: str
    asks: Callable[[Visit, Found, Form], dict[str, Any]]
    does: Callable[[Visit, Found, Form], Awaitable[str]]


@get("/orders/{order_id:str}/shipments/{shipment_id:str}/{step:str}")
async def step_form(request: Asking, order_id: str, shipment_id: str, step: str) -> Response[bytes]:
    """Say what a step does, and ask."""
    visit = await Visit.begin(request, RIGHT)
    found = await _find(visit)
    return _show(visit, found, _step(step), Form(version=found.read.order.version))


@post("/orders/{order_id:str}/shipments/{shipment_id:str}/{step:str}", status_code=200)
async def step_now(request: Asking, order_id: str, shipment_id: str, step: str) -> Response[bytes]:
    """Take the step, and go on at the shipment."""
    visit = await Visit.begin(request, RIGHT)
    found, known = await _find(visit), _step(step)
    form = Form(version=found.read.order.version, values=typed_units(found.parts, visit.typed))
    form.values |= {name: visit.typed(name, 100) for name in ("tracking_number", "method")}
    form.values["shipment"] = " ".join(str(one) for one in visit.form.getall("shipment", []))
    if changed_meanwhile(form, found.parts, visit.form):
        return _show(visit, found, known, form)
    try:
        land = await known.does(visit, found, form)
    except Problem as problem:
        return _show(visit, await _find(visit), known, refuse(form, problem))
    if form.refused:
        return _show(visit, found, known, form)
    return await after_save(
        visit,
        found.read.order.id,
        "items",
        GOODS,
        closes=True,
        said=known.said,
        land=f"shipment-{land}",
    )


@get("/orders/{order_id:str}/shipments/{shipment_id:str}/{step:str}/says")
async def leave_says(
    request: Asking, order_id: str, shipment_id: str, step: str
) -> Response[bytes]:
    """Say what leaves while it is being typed."""
    visit = await Visit.begin(request, RIGHT)
    if step != "ship":
        raise NotFound("There is nothing under this address.")
    found, query = await _find(visit), request.query_params
    units = typed_units(found.parts, lambda name, most: cleaned(query, name, most))
    return visit.region("goods/says.html", says=_sent(visit, found, Form(values=units)))


async def _find(visit: Visit) -> Found:
    given = visit.request.path_params
    read = await read_order(visit, given["order_id"])
    return Found(read, *find_shipment(read, given["shipment_id"]))


def _step(name: str) -> Step:
    if name not in FORMS:
        raise NotFound("There is nothing under this address.")
    return FORMS[name]


def _show(visit: Visit, found: Found, step: Step, form: Form) -> Response[bytes]:
    """Show the form of a step, or why it cannot be taken: another tab may have been faster."""
    back = f"{found.page}#shipment-{found.one.id}"
    heading = f"{step.heading}, order {found.read.order.number}"
    if why := _why_not(found, step):
        return visit.page("money/closed.html", heading=heading, why=why, doors=(), back=back)
    return visit.page(
        step.template,
        status=form_status(form),
        order=found.read.order,
        shipment=found.one,
        contents=contents(found.bag, found.one),
        heading=heading,
        form=form,
        back=back,
        **step.asks(visit, found, form),
    )


def _why_not(found: Found, step: Step) -> str:
    """Say why a step cannot be taken now; empty where it can."""
    can = any(one.action == step.action for one in found.one.allowed_actions)
    if can and (step.action != "merge" or mergeable(found.bag, found.one)):
        return ""
    if found.one.status != "OPEN":
        return f"This shipment is {words.look('shipment', found.one.status).label} by now."
    return why_not(check_gate, found.read.folder) or step.closed


def _ask_leave(visit: Visit, found: Found, form: Form) -> dict[str, Any]:
    form.values.setdefault("tracking_number", found.one.tracking_number or "")
    return {
        "here": f"{found.page}/shipments/{found.one.id}/ship",
        "fields": {},
        "says": _sent(visit, found, form),
        "verb": STEPS["ship"],
        "lines": found.parts,
        "number": all(part.item.delivery_state in CONFIRMED for part in found.parts),
    }


def _sent(visit: Visit, found: Found, form: Form) -> Says:
    """Say what leaves; a line that nothing was written for leaves whole."""
    whole = {UNITS + part.item.id: str(part.left) for part in found.parts}
    trial = Form(values=whole | form.values)
    packed = packed_of(trial, found.parts)
    if trial.refused:
        return Says(refused=next(iter([*trial.errors.values(), *trial.notices])))
    return say_sent(found.read.folder, visit.actor, found.one.id, packed)


async def _leave(visit: Visit, found: Found, form: Form) -> str:
    """Send the shipment; where only a part of it leaves, that is split off first."""
    packed, number = packed_of(form, found.parts), form.values["tracking_number"]
    if form.refused:
        return ""
    sent = found
    if {part.item_id: part.quantity for part in packed} != _units(found):
        wanted = WantedSplit(items=packed, tracking_number=number or None)
        made = await found.run(visit, split_shipment, "split", wanted=wanted)
        one = msgspec.structs.replace(found.one, id=made["id"])
        sent = found._replace(one=one)
    elif number and number != found.one.tracking_number:
        new = NewShipping(tracking_number=number)
        await found.run(visit, update_shipment, "number", wanted=new)
    await sent.run(visit, send_shipment)
    return sent.one.id


def _units(found: Found) -> dict[str, int]:
    return {part.item.id: part.left for part in found.parts}


def _ask_split(visit: Visit, found: Found, form: Form) -> dict[str, Any]:
    methods = [(m.code, m.name) for m in found.read.folder.methods if m.enabled]
    own = found.one.method or ""
    if own not in dict(methods):
        methods = [(own, own or "None"), *methods]
    form.values.setdefault("method", own)
    return {"lines": found.parts, "methods": methods}


async def _split(visit: Visit, found: Found, form: Form) -> str:
    """Move what was chosen into a shipment of its own."""
    packed, own = packed_of(form, found.parts), form.values["method"]
    if not form.refused and {p.item_id: p.quantity for p in packed} == _units(found):
        form.notices.append("That is all of it: leave something behind, or keep it as it is.")
    if form.refused:
        return ""
    wanted = WantedSplit(
        items=packed,
        method=own if own != (found.one.method or "") else None,
        tracking_number=form.values["tracking_number"] or None,
    )
    return str((await found.run(visit, split_shipment, wanted=wanted))["id"])


def _ask_merge(visit: Visit, found: Found, form: Form) -> dict[str, Any]:
    others = mergeable(found.bag, found.one)
    if len(others) == 1:
        form.values.setdefault("shipment", others[0].id)
    return {"others": [(one, contents(found.bag, one)) for one in others]}


async def _merge(visit: Visit, found: Found, form: Form) -> str:
    """Put the ticked shipments into this one."""
    others = form.values["shipment"].split()
    if not others:
        form.notices.append("Choose at least one shipment.")
        return ""
    await found.run(visit, merge_shipments, shipment_ids=others)
    return found.one.id


def _nothing_more(visit: Visit, found: Found, form: Form) -> dict[str, Any]:
    return {}


async def _call_off(visit: Visit, found: Found, form: Form) -> str:
    """Cancel the shipment; its items can be packed again."""
    await found.run(visit, cancel_shipment)
    return found.one.id


def _fares(name: str, label: str, action: Action, said: str) -> Step:
    """Make the step that says how a shipment fares, told with what follows of it."""

    def asks(visit: Visit, found: Found, form: Form) -> dict[str, Any]:
        return {
            "here": f"{found.page}/shipments/{found.one.id}/{name}",
            "fields": {},
            "says": say_moved(found.read.folder, visit.actor, action, found.one.id),
            "verb": label,
            "lines": (),
            "number": False,
        }

    async def does(visit: Visit, found: Found, form: Form) -> str:
        await found.run(visit, action)
        return found.one.id

    allowed = "ship" if name == "again" else name
    return Step(allowed, label, "It has not left yet.", said, "goods/leaves.html", asks, does)


FORMS = {
    "ship": Step(
        "ship", "Send shipment", "It cannot leave now.", "Sent", "goods/leaves.html",
        _ask_leave, _leave,
    ),
    "split": Step(
        "split", "Split shipment", "It cannot be split now.", "Split", "goods/split.html",
        _ask_split, _split,
    ),
    "merge": Step(
        "merge", "Merge shipments", "There is no other that has not left.", "Merged",
        "goods/merge.html", _ask_merge, _merge,
    ),
    "cancel": Step(
        "cancel", "Cancel shipment", "It cannot be cancelled now.", "Shipment cancelled",
        "goods/call_off.html", _nothing_more, _call_off,
    ),
    "again": _fares("again", SEND_AGAIN, send_shipment, "Sent again"),
    "deliver": _fares("deliver", STEPS["deliver"], deliver_shipment, "Delivered"),
    "fail": _fares("fail", STEPS["fail"], fail_shipment, "Could not be delivered"),
}  # fmt: skip

ROUTES = [step_form, step_now, leave_says]
