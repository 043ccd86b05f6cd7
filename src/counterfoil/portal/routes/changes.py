"""Small changes of an order, each a form of its own: state, invoice number, note. [U-3 to U-13]"""

from litestar import Response, post

from counterfoil.actions.change_state import change_state
from counterfoil.actions.edit import edit
from counterfoil.actions.note import note
from counterfoil.kernel.problem import Problem
from counterfoil.order.problems import VersionConflict
from counterfoil.portal import figures, respond
from counterfoil.portal.commands import How, run
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import own_id, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.order import after_save, refused_region
from counterfoil.portal.timeline import facts_of
from counterfoil.portal.visit import Visit

VISIBILITIES = ("internal", "customer")


def _clock(visit: Visit) -> str:
    return figures.moment(visit.frame.now, visit.frame.now, visit.frame.zone, "short").text


@post("/orders/{order_id:str}/state", status_code=200)
async def set_state(request: Asking, order_id: str) -> Response[bytes]:
    """Move the order to the chosen state; `canceled` is done, not put: it opens the dialog."""
    visit = await Visit.begin(request, "orders.state")
    order_id, wanted = own_id(order_id), visit.typed("state", 64)
    if wanted == "canceled":
        return respond.go(f"/portal/orders/{order_id}/cancel")
    form = Form(version=visit.version or 0)
    try:
        await run(
            visit,
            order_id,
            change_state,
            How(seen=visit.version, watch=("order.state_changed",)),
            state=wanted,
        )
    except VersionConflict as conflict:
        form.notices.append(f"{_names(conflict)} changed the state meanwhile. Nothing was changed.")
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        form.notices.append(problem.detail)
    if form.refused:
        read = await read_order(visit, order_id)
        form.version = read.order.version
        return refused_region(visit, read, "state", form, facts_of(read))
    saved = Form(saved=_clock(visit))
    regions = ("head", "attention", "items", "payments", "timeline", "live")
    return await after_save(visit, order_id, "state", regions, state_form=saved)


@post("/orders/{order_id:str}/invoice", status_code=200)
async def set_invoice(request: Asking, order_id: str) -> Response[bytes]:
    """Save the invoice number and nothing else. [U-12]"""
    visit = await Visit.begin(request, "orders.invoice")
    order_id, number = own_id(order_id), visit.typed("invoice_number", 100)
    form = Form(version=visit.version or 0, values={"invoice_number": number})
    try:
        await run(
            visit,
            order_id,
            edit,
            How(seen=visit.version, watch=("invoice.set",)),
            fields={"invoice_number": number or None},
        )
    except VersionConflict as conflict:
        read = await read_order(visit, order_id)
        theirs = read.order.invoice_number or "nothing"
        form.version = read.order.version
        form.conflict = f"{_names(conflict)} changed it to {theirs}. You typed {number}."
        return refused_region(visit, read, "invoice", form, facts_of(read))
    saved = Form(values={"invoice_number": number}, saved=_clock(visit))
    return await after_save(
        visit, order_id, "invoice", ("timeline", "details", "live"), invoice_form=saved
    )


@post("/orders/{order_id:str}/notes", status_code=200)
async def add_note(request: Asking, order_id: str) -> Response[bytes]:
    """Add a note; never guarded by the version, for notes are only added. [U-13]"""
    visit = await Visit.begin(request, "orders.notes")
    order_id = own_id(order_id)
    body, visibility = visit.typed("body", 5000), visit.typed("visibility", 20)
    if not body:
        read = await read_order(visit, order_id)
        form = Form(version=read.order.version, values={"visibility": visibility})
        form.errors["note-body"] = "Write something first."
        return refused_region(visit, read, "note", form, facts_of(read))
    chosen = visibility if visibility in VISIBILITIES else "internal"
    await run(visit, order_id, note, body=body, visibility=chosen)
    return await after_save(
        visit, order_id, "notes", ("timeline", "live"), note_form=Form(saved=_clock(visit))
    )


def _names(conflict: VersionConflict) -> str:
    who = [str(one.get("name")) for one in conflict.facts.get("changed_by", [])]
    return who[-1] if who else "Somebody"


ROUTES = [set_state, set_invoice, add_note]
