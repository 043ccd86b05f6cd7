"""Holds on the order's page: place one, release one. [N-25, U-16, U-17; design guide 3.10]"""

from litestar import Response, get, post

from counterfoil.actions.hold import hold, may_be_held, release, right_to_release
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.portal.commands import run
from counterfoil.portal.forms import Form
from counterfoil.portal.holding import (
    BLOCK_CHOICES,
    FIELDS,
    REASON_CHOICES,
    HeldView,
    held_view,
    wanted_hold,
)
from counterfoil.portal.reading import Read, read_order, why_not
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.visit import Visit

RIGHT = "orders.holds"
_LONGEST = {"note": 2000, "owner": 200}
REGIONS = ("head", "attention", "items", "payments", "state", "holds", "timeline", "live")


@get("/orders/{order_id:str}/holds/new")
async def hold_form(request: Asking, order_id: str) -> Response[bytes]:
    """Ask why the order is held, what that blocks, and until when."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    if why := why_not(may_be_held, read.folder):
        return closed(visit, read, f"Hold order {read.order.number}", why)
    values = dict.fromkeys(FIELDS, "") | {"reason_code": "OTHER", "blocks": "both"}
    return _show(visit, read, Form(version=read.order.version, values=values))


@post("/orders/{order_id:str}/holds/new", status_code=200)
async def hold_now(request: Asking, order_id: str) -> Response[bytes]:
    """Place the hold."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    values = {name: visit.typed(name, _LONGEST.get(name, 40)) for name in FIELDS}
    form = Form(version=read.order.version, values=values)
    wanted = wanted_hold(form, read.order.holds, visit.frame.zone, read.folder.at)
    if wanted is None:
        return _show(visit, read, form)
    try:
        await run(visit, read.order.id, hold, wanted=wanted)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        form.notices.append(problem.detail or problem.title)
        return _show(visit, await read_order(visit, order_id), form)
    return await after_save(
        visit, read.order.id, "holds", REGIONS, closes=True, said="The order is on hold"
    )


@get("/orders/{order_id:str}/holds/{handle:str}/release")
async def release_form(request: Asking, order_id: str, handle: str) -> Response[bytes]:
    """Say what releasing a hold lets happen, and ask."""
    visit = await Visit.begin(request, right_to_release(handle), whole=True)
    read = await read_order(visit, order_id)
    held = _find(visit, read, handle)
    if held is None:
        why = "It is not open any more: somebody has released it, or its time had come."
        return closed(visit, read, f"Release a hold of order {read.order.number}", why)
    return _ask_release(visit, read, held, Form(version=read.order.version))


@post("/orders/{order_id:str}/holds/{handle:str}/release", status_code=200)
async def release_now(request: Asking, order_id: str, handle: str) -> Response[bytes]:
    """Release the hold; one that is gone already is as good as released."""
    visit = await Visit.begin(request, right_to_release(handle), whole=True)
    read = await read_order(visit, order_id)
    said = "The hold is released"
    try:
        await run(visit, read.order.id, release, handle=handle)
    except NotFound:
        said = "It was released already"
    return await after_save(visit, read.order.id, "holds", REGIONS, closes=True, said=said)


def _find(visit: Visit, read: Read, handle: str) -> HeldView | None:
    found = next((one for one in read.order.holds if one.handle == handle), None)
    return None if found is None else held_view(found, visit.frame.now)


def _ask_release(visit: Visit, read: Read, held: HeldView, form: Form) -> Response[bytes]:
    others = [one for one in read.order.holds if one.handle != held.hold.handle]
    blocked = {what for one in others for what in one.blocks}
    free = [what for what in held.hold.blocks if what not in blocked]
    return visit.page(
        "holds/release.html",
        status=form_status(form),
        order=read.order,
        held=held,
        others=len(others),
        free=free,
        form=form,
        back=f"/portal/orders/{read.order.id}#order-holds",
    )


def _show(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    return visit.page(
        "holds/new.html",
        status=form_status(form),
        order=read.order,
        form=form,
        reason_choices=REASON_CHOICES,
        block_choices=BLOCK_CHOICES,
        back=f"/portal/orders/{read.order.id}#order-holds",
    )


def closed(visit: Visit, read: Read, heading: str, why: str) -> Response[bytes]:
    """Say why the door is closed."""
    return visit.page(
        "money/closed.html",
        heading=heading,
        why=why,
        doors=(),
        back=f"/portal/orders/{read.order.id}#order-holds",
    )


ROUTES = [hold_form, hold_now, release_form, release_now]
