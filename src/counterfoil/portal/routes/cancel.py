"""Cancel an order, a bag or some items; the e-mail must be chosen. [U-31 to U-33]"""

from collections.abc import Callable

from litestar import Response, get, post

from counterfoil.actions.cancel import cancel
from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.portal.cancel_form import UNITS, Rehearsal, rehearse, scopes_of
from counterfoil.portal.commands import Wanted, repeated, run_money
from counterfoil.portal.figures import money
from counterfoil.portal.forms import Form
from counterfoil.portal.forms import typed as cleaned
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.saying_cancel import ask_cancel, balance_of, say_cancel
from counterfoil.portal.visit import Visit

RIGHT = "orders.cancel"
TEXTS = ("scope", "bag", "again", "reason", "reason_code", "restock_items", "notify")


@get("/orders/{order_id:str}/cancel")
async def cancel_form(request: Asking, order_id: str) -> Response[bytes]:
    """Show the steps with their amounts and ask about the e-mail; no answer is set beforehand."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    if closed := _closed(visit, read):
        return closed
    asked = request.query_params
    values = {"reason_code": "CUSTOMER", "restock_items": "1"}
    if "scope" in asked:
        names = [*TEXTS, *(name for name in asked if name.startswith(UNITS))]
        values |= {name: cleaned(asked, name) for name in names}
        values["reason_code"] = values["reason_code"] or "CUSTOMER"
        if "reason_code" not in asked:
            values["restock_items"] = "1"
    return _show(visit, read, Form(version=read.order.version, values=values))


@get("/orders/{order_id:str}/cancel/preview")
async def cancel_preview(request: Asking, order_id: str) -> Response[bytes]:
    """Say what the fields would do, step by step."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    values = {name: cleaned(request.query_params, name) for name in request.query_params}
    told = rehearse(read.folder, visit.actor, values)
    return visit.region(
        "money/cancel_says.html", say=say_cancel(read.folder, told), preview=True
    )


@post("/orders/{order_id:str}/cancel")
async def cancel_now(request: Asking, order_id: str) -> Response[bytes]:
    """Run the cancellation, on the balance that was shown."""
    visit = await Visit.begin(request, RIGHT)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    names = [*TEXTS, *(name for name in visit.form if name.startswith(UNITS))]
    form = Form(version=read.order.version, values={name: visit.typed(name) for name in names})
    told = rehearse(read.folder, visit.actor, form.values)
    _judge(visit, read, form, told)
    wanted = Wanted(
        action=cancel,
        measure=_measure(visit.actor),
        shown=told.minor,
        typed_as="It comes to",
        form=form,
        arguments={"wanted": told.wanted},
        show=lambda again: _show(visit, again, form),
    )
    return await run_money(visit, read, wanted)


def _measure(actor: Actor) -> Callable[[Folder], int]:
    def counted(folder: Folder) -> int:
        return balance_of(folder, actor)

    return counted


def _judge(visit: Visit, read: Read, form: Form, told: Rehearsal) -> None:
    """Put to its field what cannot be, and hold what is not what was shown. [U-32]"""
    email = read.order.customer.get("email")
    if email and form.values["notify"] not in ("yes", "no"):
        form.errors["notify"] = f"Choose whether {email} gets an e-mail."
    for field, sentence in told.errors.items():
        if field:
            form.errors[field] = sentence
        else:
            form.notices.append(sentence)
    same = told.minor == visit.minor("shown_minor")
    if not form.refused and same and told.how != visit.typed("shown_how", 200):
        amount = money(told.minor, read.order.currency)
        form.notices.append(
            f"{amount} would not go the way that was shown. Read it below and press again."
        )


def _closed(visit: Visit, read: Read) -> Response[bytes] | None:
    """Say why nothing can be cancelled, and offer what can be done instead."""
    scopes = scopes_of(read.folder, visit.actor)
    if scopes.first:
        return None
    page = f"/portal/orders/{read.order.id}"
    able = read.folder.order.refundable and visit.actor.can("payments.refund")
    return visit.page(
        "money/closed.html",
        why=scopes.whole_why,
        doors=(("Refund…", f"{page}/refund"),) if able else (),
        back=page,
        heading=f"Cancel order {read.order.number}",
    )


def _show(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    if closed := _closed(visit, read):
        return closed
    told = rehearse(read.folder, visit.actor, form.values)
    page = f"/portal/orders/{read.order.id}"
    return visit.page(
        "money/cancel.html",
        status=form_status(form),
        order=read.order,
        form=form,
        scope=told.scope,
        say=say_cancel(read.folder, told),
        ask=ask_cancel(read.folder, visit.actor, str(read.order.customer.get("email") or "")),
        here=f"{page}/cancel",
        back=page,
        preview=False,
    )


ROUTES = [cancel_form, cancel_preview, cancel_now]
