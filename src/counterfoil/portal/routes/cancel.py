"""Cancel: release, give back, keep what has not left; the e-mail must be chosen. [U-31 to U-33]"""

from litestar import Response, get, post

from counterfoil.actions.cancel import WantedCancel, cancel, cancelable
from counterfoil.actions.refund import REASON_CODES
from counterfoil.order.intent import Asked
from counterfoil.portal.commands import Wanted, repeated, run_money
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import Read, read_order, why_not
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.saying import ask_cancel, say_cancel
from counterfoil.portal.visit import Visit

RIGHT = "orders.cancel"


@get("/orders/{order_id:str}/cancel")
async def cancel_form(request: Asking, order_id: str) -> Response[bytes]:
    """Show the steps with their amounts and ask about the e-mail; no answer is set beforehand."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    page = f"/portal/orders/{read.order.id}"
    if why := why_not(cancelable, read.folder, Asked(actor=visit.actor)):
        doors = (("Refund…", f"{page}/refund"),) if read.folder.order.refundable else ()
        return visit.page(
            "money/closed.html",
            why=why,
            doors=doors,
            back=page,
            heading=f"Cancel order {read.order.number}",
        )
    values = {"reason_code": "CUSTOMER", "restock_items": "1"}
    return _show(visit, read, Form(version=read.order.version, values=values))


@post("/orders/{order_id:str}/cancel")
async def cancel_now(request: Asking, order_id: str) -> Response[bytes]:
    """Run the cancellation, on the balance that was shown."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    names = ("reason", "reason_code", "restock_items", "notify")
    values = {name: visit.typed(name) for name in names}
    form = Form(version=read.order.version, values=values)
    email = read.order.customer.get("email")
    if email and values["notify"] not in ("yes", "no"):
        form.errors["notify"] = f"Choose whether {email} gets an e-mail."
    if values["reason_code"] not in REASON_CODES:
        form.errors["reason_code"] = "Choose one of the reasons."
    wanted = Wanted(
        action=cancel,
        measure="all",
        form=form,
        arguments={
            "wanted": WantedCancel(
                reason=values["reason"] or None,
                reason_code=values["reason_code"],
                notify_customer=values["notify"] == "yes",
                restock_items=bool(values["restock_items"]),
            )
        },
        show=lambda again: _show(visit, again, form),
    )
    return await run_money(visit, read, wanted)


def _show(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    email = str(read.order.customer.get("email") or "")
    return visit.page(
        "money/cancel.html",
        status=form_status(form),
        order=read.order,
        form=form,
        say=say_cancel(read.folder),
        ask=ask_cancel(read.folder, email),
        back=f"/portal/orders/{read.order.id}",
        preview=False,
    )


ROUTES = [cancel_form, cancel_now]
