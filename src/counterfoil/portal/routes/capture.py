"""Capture: the form, its preview, and the command. [Z-13, Z-17 to Z-21, U-28 to U-30]

A capture is one payment's. Where several have money open the form says which one it is about, and
the others are a link away. [rulings 22]
"""

from litestar import Response, get, post

from counterfoil.actions.capture import capture
from counterfoil.order.folder import Folder
from counterfoil.order.payment import Payment
from counterfoil.portal.commands import Measure, Wanted, repeated, run_money
from counterfoil.portal.figures import plain
from counterfoil.portal.forms import Form
from counterfoil.portal.paying import judge
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.saying import Typed, ask_capture, most_of, payment_form, say_capture
from counterfoil.portal.visit import Visit

RIGHT = "payments.capture"
HEADING = "Capture payment of order {}"


@get("/orders/{order_id:str}/capture")
async def capture_form(request: Asking, order_id: str) -> Response[bytes]:
    """Ask how much to capture; a closed door says why and offers what is open."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    payment = chosen(read.folder, request.query_params.get("payment", ""))
    if payment is None:
        ended = next((one for one in read.folder.payments if one.expired), None)
        return closed(visit, read, HEADING, _over(read), ended)
    if why := judge(read.folder, payment, visit.actor).capture_why:
        return closed(visit, read, HEADING, why, payment)
    form = payment_form(read.folder, payment, most=most_of(read.folder, payment))
    asked_for = request.query_params.get("amount")
    if asked_for:
        form.values["amount"] = asked_for[:40]
    return _show(visit, read, form, payment)


@get("/orders/{order_id:str}/capture/preview")
async def capture_preview(request: Asking, order_id: str) -> Response[bytes]:
    """Say what the amount in the field would do."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    payment = chosen(read.folder, request.query_params.get("payment", ""))
    if payment is None:
        return closed(visit, read, HEADING, _over(read))
    text = request.query_params.get("amount", "")
    typed = typed_of(payment, text, most_of(read.folder, payment))
    say = say_capture(read.folder, payment, typed)
    return visit.region("money/consequence.html", say=say, preview=True)


@post("/orders/{order_id:str}/capture")
async def capture_now(request: Asking, order_id: str) -> Response[bytes]:
    """Capture what the button named, where the balance is still the one that was shown."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    payment = chosen(read.folder, visit.typed("payment", 40))
    if payment is None:
        return closed(visit, read, HEADING, _over(read))
    text = visit.typed("amount", 40)
    form = Form(version=read.order.version, values={"amount": text})
    typed = typed_of(payment, text, most_of(read.folder, payment))
    wanted = Wanted(
        action=capture,
        arguments={"amount": typed.minor, "payment_id": payment.id},
        measure=_most_of(payment),
        typed=typed,
        show=lambda again: _show(visit, again, form, chosen(again.folder, payment.id) or payment),
        form=form,
    )
    return await run_money(visit, read, wanted)


def chosen(folder: Folder, payment_id: str) -> Payment | None:
    """Find the payment that a form is about: the one that is named, else the first with money."""
    if payment_id:
        return next((one for one in folder.payments if one.id == payment_id), None)
    return next((one for one in folder.payments if one.open > 0), None)


def open_of(payment: Payment) -> Measure:
    """Measure what is open of one payment."""
    return lambda folder: sum(one.open for one in folder.payments if one.id == payment.id)


def _most_of(payment: Payment) -> Measure:
    """Measure what may be captured of one payment."""
    return lambda folder: sum(
        most_of(folder, one) for one in folder.payments if one.id == payment.id
    )


def closed(
    visit: Visit, read: Read, heading: str, why: str, payment: Payment | None = None
) -> Response[bytes]:
    """Say why nothing can be captured or released, and offer what may help."""
    page = f"/portal/orders/{read.order.id}"
    doors = []
    if payment and judge(read.folder, payment, visit.actor).renewable:
        doors.append(("Re-authorise…", f"{page}/payments/{payment.id}/reauthorize"))
    return visit.page(
        "money/closed.html",
        heading=heading.format(read.order.number),
        why=why,
        doors=doors,
        back=page,
        sync=f"{page}/sync" if payment and visit.actor.can("payments.sync") else "",
        form=Form(),
    )


def _over(read: Read) -> str:
    """Say why nothing is open, as far as it is known."""
    if any(one.expired for one in read.folder.payments):
        return "The reservation has ended. Nothing can be captured."
    return "Nothing is open to capture."


def typed_of(payment: Payment, text: str, most: int | None = None) -> Typed:
    """Judge an amount by what is open of a payment, or the most that may be moved of it."""
    return Typed(text, payment.currency, payment.open if most is None else most)


def _show(visit: Visit, read: Read, form: Form, payment: Payment) -> Response[bytes]:
    full_only = judge(read.folder, payment, visit.actor).full_only
    most = most_of(read.folder, payment)
    if full_only:
        form.values["amount"] = plain(most, payment.currency)
    typed = typed_of(payment, form.values["amount"], most)
    return visit.page(
        "money/capture.html",
        status=form_status(form),
        order=read.order,
        form=form,
        payment=payment,
        say=say_capture(read.folder, payment, typed),
        ask=ask_capture(read.folder, payment, full_only),
        back=f"/portal/orders/{read.order.id}",
        preview=False,
    )


def form_status(form: Form) -> int:
    """Tell the status of a form that is shown again: 422 where a field is wrong, 409 else."""
    if form.errors:
        return 422
    return 409 if form.notices else 200


ROUTES = [capture_form, capture_preview, capture_now]
