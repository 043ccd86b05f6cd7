"""Take another payment for what is due: at a provider, or one that was made elsewhere.

Where the shopper has to confirm it, the answer names the address to send them. [rulings 22]
"""

from litestar import Response, get, post

from counterfoil.actions.pay import due_now, gateway_for, pay
from counterfoil.kernel.problem import Problem
from counterfoil.order.folder import Folder
from counterfoil.order.intake import WantedPayment
from counterfoil.order.payment import GatewayOfPayment
from counterfoil.portal.commands import Wanted, repeated, run_money
from counterfoil.portal.figures import money, plain
from counterfoil.portal.forms import Form, Say
from counterfoil.portal.paying import FLOWS, hold_sentence
from counterfoil.portal.reading import Read, check_payable, gateway_name, read_order, why_not
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import closed, form_status
from counterfoil.portal.saying import Typed
from counterfoil.portal.visit import Visit

RIGHT = "orders.edit"
FIELDS = ("gateway", "amount", "flow", "reference", "return_url")
HEADING = "Add a payment to order {}"


@get("/orders/{order_id:str}/payments/new")
async def pay_form(request: Asking, order_id: str) -> Response[bytes]:
    """Propose what is due, at the store's own gateway."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    if why := why_not(check_payable, read.folder):
        return closed(visit, read, HEADING, why)
    form = Form(version=read.order.version, values=_proposed(read))
    return _show(visit, read, form)


def _proposed(read: Read) -> dict[str, str]:
    able = payable_at(read.folder)
    first = read.folder.store.default_gateway
    codes = [one.code for one in able]
    return {
        "gateway": first if first in codes else next(iter(codes), ""),
        "amount": plain(due_now(read.folder), read.order.currency),
        "flow": "auth",
        "reference": "",
        "return_url": "",
    }


@get("/orders/{order_id:str}/payments/new/preview")
async def pay_preview(request: Asking, order_id: str) -> Response[bytes]:
    """Say what the fields would do."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    read = await read_order(visit, order_id)
    values = {name: request.query_params.get(name, "")[:2000] for name in FIELDS}
    return visit.region("money/consequence.html", say=_say(read, values), preview=True)


@post("/orders/{order_id:str}/payments", status_code=200)
async def pay_now(request: Asking, order_id: str) -> Response[bytes]:
    """Ask for what the button named, or record it."""
    visit = await Visit.begin(request, RIGHT, whole=True)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    values = {name: visit.typed(name, 2000) for name in FIELDS}
    form = Form(version=read.order.version, values=values)
    typed = _typed(read, values["amount"])
    if values["flow"] not in FLOWS:
        form.errors["flow"] = "Choose whether it is captured at once."
    try:
        gateway_for(read.folder.store, read.folder.gateways, values["gateway"] or None)
    except Problem as problem:
        form.errors["gateway"] = problem.title
    wanted = Wanted(
        action=pay,
        arguments={
            "wanted": WantedPayment(
                gateway=values["gateway"] or None,
                flow="payment" if values["flow"] == "payment" else "auth",
                amount=typed.minor,
                reference=values["reference"] or None,
                return_url=values["return_url"] or None,
            )
        },
        measure=due_now,
        typed=typed,
        form=form,
        show=lambda again: _show(visit, again, form),
    )
    return await run_money(visit, read, wanted)


def payable_at(folder: Folder) -> list[GatewayOfPayment]:
    """List the gateways that the order's store may take money at."""
    own = (None, folder.order.store)
    return [one for one in folder.gateways if one.enabled and one.store in own]


def _typed(read: Read, text: str) -> Typed:
    return Typed(text, read.order.currency, due_now(read.folder))


def _say(read: Read, values: dict[str, str]) -> Say:
    typed = _typed(read, values["amount"])
    if typed.refused:
        return Say(label="Add payment", shown_minor=0, refused=typed.refused)
    amount = money(typed.minor, read.order.currency)
    gateway = next((g for g in payable_at(read.folder) if g.code == values["gateway"]), None)
    if gateway is None:
        return Say(label="Add payment", shown_minor=0, refused="Choose a gateway.")
    name, able = gateway_name(gateway.code), gateway.capabilities
    once = values["flow"] == "payment"
    if able.instant:
        done = "captured" if once else "authorised"
        lines = [f"{amount} is recorded as {done} through {name}. Nobody is asked."]
    elif values["reference"]:
        lines = [f"{name} is asked whether {amount} was authorised under this reference."]
    elif able.redirect:
        lines = [
            f"{name} opens a page where the shopper confirms {amount}.",
            "You get its address, to send to them. Nothing is held before they confirm.",
        ]
    else:
        lines = [f"{name} is asked to {'take' if once else 'hold'} {amount}."]
    if able.redirect and not once:
        lines.append(hold_sentence(able, name))
    rest = due_now(read.folder) - typed.minor
    if rest:
        lines.append(f"{money(rest, read.order.currency)} stays due.")
    told = tuple(line for line in lines if line)
    return Say(label=f"Add payment of {amount}", shown_minor=typed.minor, lines=told)


def _show(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    return visit.page(
        "money/pay.html",
        status=form_status(form),
        order=read.order,
        form=form,
        due=due_now(read.folder),
        gateways=[(one.code, gateway_name(one.code)) for one in payable_at(read.folder)],
        flows=[(code, label.capitalize()) for code, label in FLOWS.items()],
        say=_say(read, form.values),
        back=f"/portal/orders/{read.order.id}",
        preview=False,
    )


ROUTES = [pay_form, pay_preview, pay_now]
