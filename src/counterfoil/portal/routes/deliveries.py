"""Delivery states: what a store calls each of them. [U-15; design guide 3.11]"""

from litestar import Response, get, post

from counterfoil.kernel.db import Connection
from counterfoil.order.item import DELIVERY_STATES
from counterfoil.portal import respond
from counterfoil.portal.doing import do_once
from counterfoil.portal.forms import Form
from counterfoil.portal.respond import Asking
from counterfoil.portal.shelf import Shelf, begin_at_store
from counterfoil.portal.visit import Visit
from counterfoil.setup.delivery_labels import label_delivery_states, read_alike

RIGHT, HERE = "states.manage", "deliveries"
LABEL_MAX = 60
#: What each means, whatever it is called.
MEANS = {
    "PENDING": "Nobody has begun.",
    "PROCESSING": "Somebody works on it.",
    "BACKORDERED": "Not in stock; it waits.",
    "READY": "Confirmed for delivery: it may have a tracking number.",
    "SHIPPED": "It has left the house.",
    "IN_TRANSIT": "The carrier has it.",
    "DELIVERED": "The customer has it.",
    "COULD_NOT_DELIVER": "The carrier gave up.",
    "RETURNED": "It came back.",
    "CANCELED": "It will not be sent.",
}


@get("/config/deliveries")
async def deliveries_page(request: Asking) -> Response[bytes]:
    """List the delivery states, each with a field for the store's own name."""
    visit, shelf = await begin_at_store(request, RIGHT, here=HERE)
    said = "Saved." if request.query_params.get("saved") else ""
    return _show(visit, shelf, Form(values=dict(shelf.store.delivery_labels)), said)


@post("/config/deliveries", status_code=200)
async def save(request: Asking) -> Response[bytes]:
    """Save all names at once; an empty field is our own name again."""
    visit, shelf = await begin_at_store(request, RIGHT, here=HERE)
    form = Form(values={code: visit.typed(code, 200).strip() for code in DELIVERY_STATES})
    for code, label in form.values.items():
        if len(label) > LABEL_MAX:
            form.errors[code] = f"{DELIVERY_STATES[code]}: write at most {LABEL_MAX} characters."
    for code, why in read_alike(form.values).items():
        form.errors.setdefault(code, f"{DELIVERY_STATES[code]}: {why}")
    if form.refused:
        return _show(visit, shelf, form)
    known = shelf.store.delivery_labels
    changed = {
        code: label or None
        for code, label in form.values.items()
        if (label or None) != known.get(code)
    }

    async def effect(connection: Connection) -> None:
        await label_delivery_states(connection, visit.actor, shelf.store.code, changed)

    await do_once(visit, effect)
    return respond.go(f"/portal/config/deliveries?store={shelf.store.code}&saved=1")


def _show(visit: Visit, shelf: Shelf, form: Form, said: str = "") -> Response[bytes]:
    return visit.page(
        "configurations/deliveries.html",
        status=422 if form.refused else 200,
        shelf=shelf,
        rows=[(code, name, MEANS[code]) for code, name in DELIVERY_STATES.items()],
        label_max=LABEL_MAX,
        form=form,
        said=said,
    )


ROUTES = [deliveries_page, save]
