"""Approvals: refunds that wait for a second person, and the decision about one. [faults R-7]"""

from litestar import Response, get, post

from counterfoil.actions.decide_refund import approve_refund, reject_refund
from counterfoil.book.approvals import AwaitingRefund, awaiting_refunds
from counterfoil.kernel.problem import Problem
from counterfoil.order.refund import Refund
from counterfoil.portal.approving import Waiting, reason_of, why_not_approve
from counterfoil.portal.commands import repeated, run, shown
from counterfoil.portal.figures import money
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import SENTENCES, Read, gateway_name, read_order
from counterfoil.portal.refund_panel import find_refund
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.story import who
from counterfoil.portal.visit import Visit

RIGHT = "payments.approve"
SHOWN = 100
DECIDED = "It does not wait any more: somebody decided about it, or the order is cancelled."
NOTE_NEEDED = "Say why it is rejected."


@get("/approvals")
async def approvals_page(request: Asking) -> Response[bytes]:
    """List the refunds that wait, the oldest first."""
    visit = await Visit.begin(request, RIGHT, here="approvals")
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        found = await awaiting_refunds(connection, visit.actor, limit=SHOWN + 1)
    return visit.page(
        "operations/approvals.html",
        waiting=[_row(visit, one) for one in found[:SHOWN]],
        more=len(found) > SHOWN,
    )


@get("/orders/{order_id:str}/refunds/{refund_id:str}/approve")
async def approve_form(request: Asking, order_id: str, refund_id: str) -> Response[bytes]:
    """Ask whether a refund is to be made."""
    return await _ask(request, order_id, refund_id, approves=True)


@get("/orders/{order_id:str}/refunds/{refund_id:str}/reject")
async def reject_form(request: Asking, order_id: str, refund_id: str) -> Response[bytes]:
    """Ask why a refund is not to be made."""
    return await _ask(request, order_id, refund_id, approves=False)


@post("/orders/{order_id:str}/refunds/{refund_id:str}/approve")
async def approve_now(request: Asking, order_id: str, refund_id: str) -> Response[bytes]:
    """Approve a refund; it is sent at once."""
    return await _decide(request, order_id, refund_id, approves=True)


@post("/orders/{order_id:str}/refunds/{refund_id:str}/reject")
async def reject_now(request: Asking, order_id: str, refund_id: str) -> Response[bytes]:
    """Reject a refund; what was set aside for it is free again."""
    return await _decide(request, order_id, refund_id, approves=False)


async def _ask(
    request: Asking, order_id: str, refund_id: str, *, approves: bool
) -> Response[bytes]:
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    promise = find_refund(read, refund_id)
    if why := _why_not(visit, promise, approves=approves):
        return _closed(visit, read, promise, why)
    return _show(visit, read, promise, Form(version=read.order.version), approves=approves)


async def _decide(
    request: Asking, order_id: str, refund_id: str, *, approves: bool
) -> Response[bytes]:
    visit = await Visit.begin(request, RIGHT, whole=True)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    promise = find_refund(read, refund_id)
    if why := _why_not(visit, promise, approves=approves):
        return _closed(visit, read, promise, why, status=409)
    note = visit.typed("note")
    form = Form(version=read.order.version, values={"note": note})
    if not approves and not note:
        form.errors["note"] = NOTE_NEEDED
        return _show(visit, read, promise, form, approves=approves)
    try:
        if approves:
            answered = await run(
                visit, read.order.id, approve_refund, refund_id=promise.id, note=note or None
            )
        else:
            answered = await run(
                visit, read.order.id, reject_refund, refund_id=promise.id, note=note
            )
    except Problem as problem:
        if problem.status != 409:
            raise
        why = SENTENCES.get(problem.code, problem.detail)
        return _closed(visit, read, promise, why, status=409)
    return await shown(visit, read.order.id, answered)


def _why_not(visit: Visit, promise: Refund, *, approves: bool) -> str:
    if not promise.waits_for_approval:
        return DECIDED
    return why_not_approve(promise, visit.actor) if approves else ""


def _row(visit: Visit, one: AwaitingRefund) -> Waiting:
    return Waiting(
        id=one.id,
        order_id=one.order_id,
        order_number=one.order_number,
        reference=one.reference,
        amount=one.amount,
        currency=one.currency,
        asker=who(one.actor),
        why_asked=reason_of(one),
        created_at=one.created_at,
        why=why_not_approve(one, visit.actor),
    )


def _show(
    visit: Visit, read: Read, promise: Refund, form: Form, *, approves: bool
) -> Response[bytes]:
    gateways = dict.fromkeys(gateway_name(part.gateway) for part in promise.plan)
    return visit.page(
        "money/refund_decide.html",
        status=form_status(form),
        order=read.order,
        refund=promise,
        asker=who(promise.actor),
        why_asked=reason_of(promise),
        approves=approves,
        form=form,
        through=" and ".join(gateways),
        back=_back(read),
    )


def _closed(
    visit: Visit, read: Read, promise: Refund, why: str, *, status: int = 200
) -> Response[bytes]:
    amount = money(promise.amount, promise.currency)
    return visit.page(
        "money/closed.html",
        status=status,
        heading=f"Refund of {amount}, order {read.order.number}",
        why=why,
        doors=(),
        back=_back(read),
    )


def _back(read: Read) -> str:
    return f"/portal/orders/{read.order.id}#order-refunds"


ROUTES = [approvals_page, approve_form, reject_form, approve_now, reject_now]
