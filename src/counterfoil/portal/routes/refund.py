"""Refund: amount, reference and reason, confirmed by name. [Z-5, Z-7 to Z-12, V-12 to V-16]"""

from litestar import Response, get, post

from counterfoil.actions.refund import REASON_CODES, WantedRefund, refund
from counterfoil.portal.commands import Wanted, repeated, run_money
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.saying import (
    Typed,
    amount_form,
    ask_refund,
    next_reference,
    say_refund,
)
from counterfoil.portal.visit import Visit

RIGHT = "payments.refund"
NOTHING = (
    "Nothing has been captured, so there is nothing to give back."
    " You can release the reservation instead."
)


@get("/orders/{order_id:str}/refund")
async def refund_form(request: Asking, order_id: str) -> Response[bytes]:
    """Ask how much to refund; the most is proposed, and a reference nobody used."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    order, page = read.folder.order, f"/portal/orders/{read.order.id}"
    if not order.refundable:
        doors = (("Void…", f"{page}/void"),) if order.open else ()
        why = NOTHING if order.open else "There is nothing left to give back."
        return visit.page(
            "money/closed.html",
            why=why,
            doors=doors,
            back=page,
            heading=f"Refund order {order.number}",
        )
    form = amount_form(
        read.folder,
        order.refundable,
        reference=next_reference(read.folder),
        reason_code="CUSTOMER",
    )
    return _show(visit, read, form)


@get("/orders/{order_id:str}/refund/preview")
async def refund_preview(request: Asking, order_id: str) -> Response[bytes]:
    """Say what the amount in the field would do."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    say = say_refund(read.folder, _typed(read, request.query_params.get("amount", "")))
    return visit.region("money/consequence.html", say=say, preview=True)


@post("/orders/{order_id:str}/refund")
async def refund_now(request: Asking, order_id: str) -> Response[bytes]:
    """Refund what the button named, under the reference; the same again is the first refund."""
    visit = await Visit.begin(request, RIGHT)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    names = ("amount", "reference", "reason", "reason_code", "restock_items", "notify_customer")
    values = {name: visit.typed(name) for name in names}
    form = Form(version=read.order.version, values=values)
    if values["reason_code"] not in REASON_CODES:
        form.errors["reason_code"] = "Choose one of the reasons."
    typed = _typed(read, values["amount"])
    wanted = Wanted(
        action=refund,
        measure="refundable",
        typed=typed,
        form=form,
        reference=values["reference"] or None,
        arguments={
            "wanted": WantedRefund(
                reference=values["reference"] or None,
                amount=typed.minor,
                reason=values["reason"] or None,
                reason_code=values["reason_code"],
                restock_items=bool(values["restock_items"]),
                notify_customer=bool(values["notify_customer"]),
            )
        },
        show=lambda again: _show(visit, again, form),
    )
    return await run_money(visit, read, wanted)


def _typed(read: Read, text: str) -> Typed:
    return Typed(text, read.order.currency, read.folder.order.refundable)


def _show(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    email = str(read.order.customer.get("email") or "")
    return visit.page(
        "money/refund.html",
        status=form_status(form),
        order=read.order,
        form=form,
        say=say_refund(read.folder, _typed(read, form.values["amount"])),
        ask=ask_refund(read.folder, email),
        back=f"/portal/orders/{read.order.id}",
        preview=False,
    )


ROUTES = [refund_form, refund_preview, refund_now]
