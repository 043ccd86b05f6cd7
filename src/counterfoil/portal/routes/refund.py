"""Refund: an amount, or lines and shipping; confirmed by name. [Z-5, Z-7 to Z-12, V-12 to V-16]"""

from litestar import Response, get, post

from counterfoil.access.approvers import approvers
from counterfoil.actions.refund import refund
from counterfoil.order.refund_plan import proposed_reference
from counterfoil.portal import respond
from counterfoil.portal.commands import Wanted, repeated, run_money
from counterfoil.portal.figures import money, plain
from counterfoil.portal.forms import Form
from counterfoil.portal.forms import typed as cleaned
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.refund_form import AMOUNT, LINES, TEXTS, UNITS, Rehearsal, rehearse
from counterfoil.portal.refund_panel import find_refund, refund_panel, tag_of
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.saying_refund import (
    also_asked,
    ask_refund,
    say_refund,
    units_left,
)
from counterfoil.portal.timeline import facts_of
from counterfoil.portal.visit import Visit

RIGHT = "payments.refund"
NOTHING = (
    "Nothing has been captured, so there is nothing to give back."
    " You can release the reservation instead."
)
FIELDS = (*TEXTS, "way", "amount", "shipping", "also")


@get("/orders/{order_id:str}/refund")
async def refund_form(request: Asking, order_id: str) -> Response[bytes]:
    """Ask what to refund, one way or the other; a reference that nobody used is proposed."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    if not read.folder.order.refundable:
        return _closed(visit, read)
    asked = request.query_params
    values = _proposed(read, everything="all" in asked)
    values |= {name: cleaned(asked, name) for name in (*TEXTS, "way") if name in asked}
    named = await _approvers(visit, read, rehearse(read.folder, visit.actor, values))
    return _show(visit, read, Form(version=read.order.version, values=values), named)


@get("/orders/{order_id:str}/refund/preview")
async def refund_preview(request: Asking, order_id: str) -> Response[bytes]:
    """Say what the fields would do, figure by figure."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    values = {name: cleaned(request.query_params, name) for name in request.query_params}
    told = rehearse(read.folder, visit.actor, values)
    named = await _approvers(visit, read, told)
    say = say_refund(read.folder, told, actor=visit.actor, approvers=named)
    return visit.region(
        "money/refund_says.html",
        say=say,
        order=read.order,
        ask=ask_refund(read.folder, ""),
        lines=told.way == LINES,
        preview=True,
    )


@post("/orders/{order_id:str}/refund")
async def refund_now(request: Asking, order_id: str) -> Response[bytes]:
    """Refund what the button named, under the reference; the same again is the first refund."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    names = [*FIELDS, *(name for name in visit.form if name.startswith(UNITS))]
    form = Form(version=read.order.version, values={name: visit.typed(name) for name in names})
    told = rehearse(read.folder, visit.actor, form.values)
    _judge(visit, read, form, told)
    named = await _approvers(visit, read, told)
    wanted = Wanted(
        action=refund,
        arguments={"wanted": told.wanted},
        measure="refundable",
        shown=told.minor,
        typed_as="It comes to" if told.way == LINES else "You typed",
        form=form,
        reference=told.wanted.reference,
        show=lambda again: _show(visit, again, form, named),
    )
    return await run_money(visit, read, wanted)


@get("/orders/{order_id:str}/refunds/{refund_id:str}/result")
async def refund_result(request: Asking, order_id: str, refund_id: str) -> Response[bytes]:
    """Show what became of a refund, as often as a panel asks."""
    visit = await Visit.begin(request, "orders.read", whole=True)
    read = await read_order(visit, order_id)
    promise = find_refund(read, refund_id)
    tag = tag_of(visit, read, promise)
    if request.headers.get("hx-ptag") == tag:
        return respond.unchanged()
    answer = refund_panel(visit, read, promise, facts_of(read))
    answer.headers["HX-PTag"] = tag
    return answer


def _proposed(read: Read, *, everything: bool) -> dict[str, str]:
    """Fill the form: all that can be refunded, or none or all of what is left of each line."""
    folder, currency = read.folder, read.order.currency
    ask = ask_refund(folder, "")
    values = {
        "way": AMOUNT,
        "amount": plain(folder.order.refundable, currency),
        "reference": proposed_reference(folder),
        "reason_code": "CUSTOMER",
    }
    if everything:
        values |= {
            UNITS + item.id: str(units_left(item)) for item in folder.items if units_left(item)
        }
        values["shipping"] = plain(ask.shipping_left, currency) if ask.shipping_left else ""
    return values


def _judge(visit: Visit, read: Read, form: Form, told: Rehearsal) -> None:
    """Put to its field what cannot be, and hold what is not what was shown."""
    if visit.minor("open_minor") != read.folder.order.refundable:
        return
    for field, sentence in told.errors.items():
        if field:
            form.errors[field] = sentence
        else:
            form.notices.append(sentence)
    if told.first or form.refused:
        return
    if also := also_asked(read.folder, form):
        form.errors["also"] = also
    elif told.minor == visit.minor("shown_minor") and told.how != visit.typed("shown_how", 4000):
        amount = money(told.minor, read.order.currency)
        form.notices.append(
            f"{amount} would not go the way that was shown. Read it below and press again."
        )


async def _approvers(visit: Visit, read: Read, told: Rehearsal) -> list[str]:
    """Name who may approve it, where somebody has to."""
    if not told.waits:
        return []
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        return await approvers(
            connection,
            visit.actor,
            store=read.folder.order.store,
            amount=told.minor,
            currency=read.order.currency,
        )


def _show(visit: Visit, read: Read, form: Form, named: list[str]) -> Response[bytes]:
    told = rehearse(read.folder, visit.actor, form.values)
    return visit.page(
        "money/refund.html",
        status=form_status(form),
        order=read.order,
        form=form,
        say=say_refund(read.folder, told, actor=visit.actor, approvers=named),
        ask=ask_refund(read.folder, str(read.order.customer.get("email") or "")),
        lines=told.way == LINES,
        here=f"/portal/orders/{read.order.id}/refund",
        back=f"/portal/orders/{read.order.id}",
        preview=False,
    )


def _closed(visit: Visit, read: Read) -> Response[bytes]:
    """Say why nothing can be given back, and offer what can be done instead."""
    order, page = read.folder.order, f"/portal/orders/{read.order.id}"
    why = "There is nothing left to give back."
    if order.refund_pending:
        why = f"{money(order.refund_pending, order.currency)} is being refunded already. {why}"
    return visit.page(
        "money/closed.html",
        why=NOTHING if order.open and not order.captured else why,
        doors=(("Void…", f"{page}/void"),) if order.open else (),
        back=page,
        heading=f"Refund order {order.number}",
    )


ROUTES = [refund_form, refund_preview, refund_now, refund_result]
