"""Ask for a cancellation, and decline one, on the order's page. [domain §2; design guide 3.6]"""

from litestar import Response, get, post

from counterfoil.actions.change_state import goes_back_to
from counterfoil.actions.refund import REASON_CODES
from counterfoil.actions.request_cancel import decline_cancel, request_cancel
from counterfoil.kernel.problem import PermissionDenied, Problem
from counterfoil.order.allowed import may_decide_cancel
from counterfoil.order.shapes import OrderShape
from counterfoil.portal.cancel_request import asked_to_cancel
from counterfoil.portal.commands import run
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.holds import closed
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.saying import REASON_CHOICES
from counterfoil.portal.visit import Visit

REGIONS = ("head", "attention", "items", "payments", "notes", "timeline", "live")


async def begin(request: Asking) -> Visit:
    """Begin a visit of somebody who may ask or decide. Raises PermissionDenied."""
    visit = await Visit.begin(request, whole=True)
    if not may_decide_cancel(visit.actor):
        raise PermissionDenied(
            "You lack the right orders.state or orders.cancel.", permission="orders.state"
        )
    return visit


@get("/orders/{order_id:str}/cancel-request")
async def ask_form(request: Asking, order_id: str) -> Response[bytes]:
    """Ask why somebody wants it cancelled."""
    visit = await begin(request)
    read = await read_order(visit, order_id)
    values = {"reason_code": "CUSTOMER"}
    return _show_ask(visit, read, Form(version=read.order.version, values=values))


@post("/orders/{order_id:str}/cancel-request", status_code=200)
async def ask_now(request: Asking, order_id: str) -> Response[bytes]:
    """Put the order in Cancel requested, where nothing ships and no money moves."""
    visit = await begin(request)
    read = await read_order(visit, order_id)
    values = {"reason_code": visit.typed("reason_code", 20), "reason": visit.typed("reason")}
    form = Form(version=read.order.version, values=values)
    if values["reason_code"] not in REASON_CODES:
        form.errors["reason_code"] = "Choose one of the reasons."
        return _show_ask(visit, read, form)
    try:
        await run(
            visit,
            read.order.id,
            request_cancel,
            reason=values["reason"] or None,
            reason_code=values["reason_code"],
        )
    except Problem as problem:
        _refused(form, problem)
        return _show_ask(visit, await read_order(visit, order_id), form)
    return await after_save(
        visit, read.order.id, "state", REGIONS, closes=True, said="The cancellation is asked for"
    )


@get("/orders/{order_id:str}/cancel-request/decline")
async def decline_form(request: Asking, order_id: str) -> Response[bytes]:
    """Say where the order goes back to, and ask what to note."""
    visit = await begin(request)
    read = await read_order(visit, order_id)
    return _show_decline(visit, read, Form(version=read.order.version))


@post("/orders/{order_id:str}/cancel-request/decline", status_code=200)
async def decline_now(request: Asking, order_id: str) -> Response[bytes]:
    """Put the order back where it was."""
    visit = await begin(request)
    read = await read_order(visit, order_id)
    form = Form(version=read.order.version, values={"note": visit.typed("note", 2000)})
    try:
        await run(visit, read.order.id, decline_cancel, note=form.values["note"] or None)
    except Problem as problem:
        _refused(form, problem)
        return _show_decline(visit, await read_order(visit, order_id), form)
    return await after_save(
        visit, read.order.id, "state", REGIONS, closes=True, said="The cancellation is declined"
    )


def _refused(form: Form, problem: Problem) -> None:
    if problem.status not in (409, 422):
        raise problem
    form.notices.append(problem.detail or problem.title)


def _allows(order: OrderShape, action: str) -> bool:
    """Whether it is possible now, also for those who could cancel at once."""
    open_ = order.state.system_state in ("NEW", "PROCESSING", "FRAUD", "SUSPENDED")
    return open_ if action == "request_cancel" else order.state.system_state == "CANCEL_REQUESTED"


def _show_ask(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    heading = f"Ask to cancel order {read.order.number}"
    if not _allows(read.order, "request_cancel"):
        return closed(visit, read, heading, f"The order is {read.order.state.name}.")
    return visit.page(
        "money/cancel_ask.html",
        status=form_status(form),
        order=read.order,
        form=form,
        reasons=REASON_CHOICES,
        back=f"/portal/orders/{read.order.id}",
    )


def _show_decline(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    heading = f"Decline to cancel order {read.order.number}"
    if not _allows(read.order, "decline_cancel"):
        return closed(visit, read, heading, "Nobody asks to cancel this order any more.")
    if read.folder.running_cancellation is not None:
        return closed(visit, read, heading, "The cancellation is running already.")
    return visit.page(
        "money/cancel_decline.html",
        status=form_status(form),
        order=read.order,
        form=form,
        asked=asked_to_cancel(read),
        goes_to=goes_back_to(read.folder).name,
        back=f"/portal/orders/{read.order.id}",
    )


ROUTES = [ask_form, ask_now, decline_form, decline_now]
