"""Void: release authorised money, all of it or a part. [Z-6, Z-16, Z-22 to Z-26]

All of it, where nothing was captured, is the cancel operation and asks about the e-mail.
[rulings 38]
"""

from litestar import Response, get, post

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.void import void, voidable
from counterfoil.order.folder import Folder
from counterfoil.order.payment import Payment
from counterfoil.portal.commands import Wanted, repeated, run_money
from counterfoil.portal.forms import Form, Say
from counterfoil.portal.reading import Read, read_order, why_not
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import chosen, closed, form_status, open_of, typed_of
from counterfoil.portal.saying import ask_void, payment_form, say_void
from counterfoil.portal.visit import Visit

RIGHT = "payments.void"
HEADING = "Release authorised money of order {}"
NOTHING = "Nothing is open to release."


@get("/orders/{order_id:str}/void")
async def void_form(request: Asking, order_id: str) -> Response[bytes]:
    """Ask how much to release."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    payment = chosen(read.folder, request.query_params.get("payment", ""))
    if payment is None:
        return closed(visit, read, HEADING, NOTHING)
    if why := why_not(voidable, read.folder, None, payment.id):
        return closed(visit, read, HEADING, why, payment)
    return _show(visit, read, payment_form(read.folder, payment, scope="all"), payment)


@get("/orders/{order_id:str}/void/preview")
async def void_preview(request: Asking, order_id: str) -> Response[bytes]:
    """Say what the choice would do."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    asked = request.query_params
    payment = chosen(read.folder, asked.get("payment", ""))
    if payment is None:
        return closed(visit, read, HEADING, NOTHING)
    say = _say(visit, read, payment, asked.get("scope", "all"), asked.get("amount", ""))
    return visit.region("money/consequence.html", say=say, preview=True)


@post("/orders/{order_id:str}/void")
async def void_now(request: Asking, order_id: str) -> Response[bytes]:
    """Release what the button named."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    payment = chosen(read.folder, visit.typed("payment", 40))
    if payment is None:
        return closed(visit, read, HEADING, NOTHING)
    form = Form(
        version=read.order.version,
        values={name: visit.typed(name, 40) for name in ("scope", "amount", "notify")},
    )
    whole = form.values["scope"] != "part"
    typed = typed_of(payment, form.values["amount"])
    wanted = Wanted(
        action=void,
        arguments={
            "amount": payment.open if whole else typed.minor,
            "payment_id": payment.id,
        },
        measure=open_of(payment),
        typed=None if whole else typed,
        form=form,
        shown=payment.open if whole else None,
        show=lambda again: _show(visit, again, form, chosen(again.folder, payment.id) or payment),
    )
    if whole and _cancels(visit, read.folder, payment):
        _as_cancel(read, wanted)
    return await run_money(visit, read, wanted)


def _as_cancel(read: Read, wanted: Wanted) -> None:
    """Make a void of everything the cancel operation, which may write to the customer."""
    email = read.order.customer.get("email")
    notify = wanted.form.values["notify"]
    if email and notify not in ("yes", "no"):
        wanted.form.errors["notify"] = f"Choose whether {email} gets an e-mail."
    wanted.action = cancel
    wanted.arguments = {
        "wanted": WantedCancel(reason_code="CUSTOMER", notify_customer=notify == "yes")
    }


def _cancels(visit: Visit, folder: Folder, payment: Payment) -> bool:
    """Whether releasing all of it ends the order, and the person may end it."""
    order = folder.order
    alone = order.captured == 0 and order.open == payment.open
    return alone and visit.actor.can("orders.cancel")


def _say(visit: Visit, read: Read, payment: Payment, scope: str, text: str) -> Say:
    cancels = _cancels(visit, read.folder, payment)
    if scope != "part":
        return say_void(payment, payment.open, cancels=cancels)
    typed = typed_of(payment, text)
    return say_void(payment, typed.minor, cancels=cancels, refused=typed.refused)


def _show(visit: Visit, read: Read, form: Form, payment: Payment) -> Response[bytes]:
    cancels = _cancels(visit, read.folder, payment)
    email = str(read.order.customer.get("email") or "")
    return visit.page(
        "money/void.html",
        status=form_status(form),
        order=read.order,
        form=form,
        payment=payment,
        ask=ask_void(read.folder, payment, cancels=cancels, email=email),
        cancels=cancels,
        say=_say(visit, read, payment, form.values["scope"], form.values["amount"]),
        back=f"/portal/orders/{read.order.id}",
        preview=False,
    )


ROUTES = [void_form, void_preview, void_now]
