"""Capture: the form, its preview, and the command. [Z-13, Z-17 to Z-21, U-28 to U-30]"""

from litestar import Response, get, post

from counterfoil.actions.capture import capture
from counterfoil.portal.commands import Wanted, repeated, run_money
from counterfoil.portal.figures import plain
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import Read, known, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.saying import Typed, amount_form, ask_capture, say_capture
from counterfoil.portal.visit import Visit

RIGHT = "payments.capture"


@get("/orders/{order_id:str}/capture")
async def capture_form(request: Asking, order_id: str) -> Response[bytes]:
    """Ask how much to capture; a closed door says why and offers what is open."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    if why := known(read.folder, visit.actor).money_why or _nothing(read):
        return closed(visit, read, why)
    form = amount_form(read.folder, read.folder.order.open)
    asked_for = request.query_params.get("amount")
    if asked_for:
        form.values["amount"] = asked_for[:40]
    return _show(visit, read, form)


@get("/orders/{order_id:str}/capture/preview")
async def capture_preview(request: Asking, order_id: str) -> Response[bytes]:
    """Say what the amount in the field would do."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    typed = _typed(read, request.query_params.get("amount", ""))
    say = say_capture(read.folder, typed)
    return visit.region("money/consequence.html", say=say, preview=True)


@post("/orders/{order_id:str}/capture")
async def capture_now(request: Asking, order_id: str) -> Response[bytes]:
    """Capture what the button named, where the balance is still the one that was shown."""
    visit = await Visit.begin(request, RIGHT)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    text = visit.typed("amount", 40)
    form = Form(version=read.order.version, values={"amount": text})
    wanted = Wanted(
        action=capture,
        arguments={"amount": _typed(read, text).minor},
        measure="open",
        typed=_typed(read, text),
        show=lambda again: _show(visit, again, form),
        form=form,
    )
    return await run_money(visit, read, wanted)


def closed(visit: Visit, read: Read, why: str) -> Response[bytes]:
    """Say why nothing can be captured."""
    return visit.page(
        "money/closed.html",
        heading=f"Capture payment of order {read.order.number}",
        why=why,
        doors=(),
        back=f"/portal/orders/{read.order.id}",
    )


def _nothing(read: Read) -> str:
    return "" if read.folder.order.open else "Nothing is open to capture."


def _typed(read: Read, text: str) -> Typed:
    return Typed(text, read.order.currency, read.folder.order.open)


def _show(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    full_only = known(read.folder, visit.actor).full_only
    if full_only:
        form.values["amount"] = plain(read.folder.order.open, read.order.currency)
    typed = _typed(read, form.values["amount"])
    return visit.page(
        "money/capture.html",
        status=form_status(form),
        order=read.order,
        form=form,
        say=say_capture(read.folder, typed),
        ask=ask_capture(read.folder, full_only),
        back=f"/portal/orders/{read.order.id}",
        preview=False,
    )


def form_status(form: Form) -> int:
    """Tell the status of a form that is shown again: 422 where a field is wrong, 409 else."""
    if form.errors:
        return 422
    return 409 if form.notices else 200


ROUTES = [capture_form, capture_preview, capture_now]
