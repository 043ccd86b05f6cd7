"""What is done with a payment beside taking its money: sync, keep, hold again, decide.

[U-27, Z-15; rulings 22, 24, 26]
"""

import msgspec
from litestar import Response, get, post

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.decide_payment import decide_payment
from counterfoil.actions.renew import renew
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.payment import Payment
from counterfoil.order.shapes import PaymentShape
from counterfoil.order.transaction import UNSETTLED, Transaction
from counterfoil.portal.attending import choices, in_words
from counterfoil.portal.commands import How, repeated, run, shown
from counterfoil.portal.figures import money, plural
from counterfoil.portal.forms import Form, Say
from counterfoil.portal.reading import Read, gateway_name, own_id, read_order, why_not
from counterfoil.portal.refund_panel import became
from counterfoil.portal.respond import Asking
from counterfoil.portal.results import beside
from counterfoil.portal.routes.capture import closed, form_status
from counterfoil.portal.timeline import facts_of
from counterfoil.portal.visit import Visit
from counterfoil.portal.words import MOVEMENTS
from counterfoil.work.sync import SyncedShape, sync_now

#: What deciding may touch beside what the page of an order needs.
DECIDED = frozenset({"tasks", "drift_lines"})
SHAPE = msgspec.json.Decoder(SyncedShape).decode


@post("/orders/{order_id:str}/sync", status_code=200)
async def sync_payments(request: Asking, order_id: str) -> Response[bytes]:
    """Ask the providers how things stand, and tell what that brought. [U-27]"""
    visit = await Visit.begin(request, "payments.sync", whole=True)
    before = await read_order(visit, order_id)
    answered = await sync_now(visit.works, visit.actor, before.order.id, visit.key)
    told = SHAPE(answered.body)
    after = await read_order(visit, order_id)
    names = dict.fromkeys(
        gateway_name(one.gateway)
        for one in after.folder.payments
        if not after.folder.gateway_of(one).capabilities.instant
    )
    heading, tone, seal = _synced(told, " and ".join(names) or "The gateway")
    return visit.page(
        "money/synced.html",
        heading=heading,
        tone=tone,
        seal=seal,
        found=_found(before, after),
        decide=next((one.id for one in after.order.payments if one.attention), ""),
        unreachable=told.unreachable,
        order=after.order,
        back=f"/portal/orders/{after.order.id}",
        **beside(visit, after, facts_of(after)),
    )


def _synced(told: SyncedShape, gateway: str) -> tuple[str, str, str]:
    """Head the result: what is missing or differs counts for more than what was found."""
    if told.differing:
        return f"{gateway} says something else. Somebody has to decide.", "danger", "alert-triangle"
    if told.found:
        movements = plural(told.found, "movement that was", "movements that were")
        return f"Found {movements} not here.", "success", "check"
    if told.settled:
        settled = plural(told.settled, "movement is", "movements are")
        return f"{settled} known now.", "success", "check"
    if told.unreachable:
        return f"{gateway} could not be asked. Nothing changed.", "unknown", "help-circle"
    return f"{gateway} agrees. Nothing changed.", "success", "check"


def _found(before: Read, after: Read) -> list[tuple[Transaction, str]]:
    """List the movements that were added or whose end became known, with what became of them."""
    stood = {one.id: one.status for one in before.folder.transactions}
    return [
        (one, "found by sync" if one.id not in stood else "known now")
        for one in sorted(after.folder.transactions, key=lambda one: (one.created_at, one.id))
        if one.id not in stood or (stood[one.id] in UNSETTLED and one.status not in UNSETTLED)
    ]


@post("/orders/{order_id:str}/acknowledge", status_code=200)
async def keep(request: Asking, order_id: str) -> Response[bytes]:
    """Tell the providers to keep what they hold, which stops their clocks. [Z-15; rulings 24]"""
    visit = await Visit.begin(request, "payments.capture", whole=True)
    read = await read_order(visit, order_id)
    if why := why_not(lambda: acknowledge(read.folder, asked=visit.works.asked(visit.actor))):
        return closed(visit, read, "Keep the reservation of order {}", why)
    await run(visit, read.order.id, acknowledge)
    after = await read_order(visit, order_id)
    told = [one for one in after.folder.transactions if one.type == "ACKNOWLEDGE"]
    if told:
        last = max(told, key=lambda one: (one.created_at, one.id))
        return became(visit, after, last.id, facts_of(after))
    return closed(visit, after, "Order {}", "The provider keeps the reservation already.")


@get("/orders/{order_id:str}/payments/{payment_id:str}/reauthorize")
async def renew_form(request: Asking, order_id: str, payment_id: str) -> Response[bytes]:
    """Say what holding the money again means."""
    visit = await Visit.begin(request, "payments.capture", whole=True)
    read = await read_order(visit, order_id)
    return _show_renew(visit, read, find(read, payment_id), Form(version=read.order.version))


def _show_renew(visit: Visit, read: Read, payment: Payment, form: Form) -> Response[bytes]:
    asked = visit.works.asked(visit.actor, source="portal")
    heading = "Hold the money of order {} again"
    try:
        change = renew(read.folder, asked=asked, payment_id=payment.id)
    except Problem as problem:
        return closed(visit, read, heading, problem.detail)
    new = change.result
    amount, name = money(new.amount, new.currency), gateway_name(payment.gateway)
    lines = [f"{name} is asked to hold {amount} again, on the same card. The shopper does nothing."]
    if payment.open:
        old = money(payment.open, payment.currency)
        lines.append(f"When it holds, {old} of the earlier reservation is released.")
    lines.append("No money is taken by this. The card may say no.")
    say = Say(label=f"Hold {amount} again", shown_minor=new.amount, lines=tuple(lines))
    return visit.page(
        "money/renew.html",
        status=form_status(form),
        heading=heading.format(read.order.number),
        action=f"/portal/orders/{read.order.id}/payments/{payment.id}/reauthorize",
        order=read.order,
        form=form,
        say=say,
        back=f"/portal/orders/{read.order.id}",
        preview=False,
    )


@post("/orders/{order_id:str}/payments/{payment_id:str}/reauthorize", status_code=200)
async def renew_now(request: Asking, order_id: str, payment_id: str) -> Response[bytes]:
    """Have the provider hold it again, where it still is the amount that was shown."""
    visit = await Visit.begin(request, "payments.capture", whole=True)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    payment = find(read, payment_id)
    form = Form(version=read.order.version)
    change = None
    try:
        asked = visit.works.asked(visit.actor, source="portal")
        change = renew(read.folder, asked=asked, payment_id=payment.id)
    except Problem as problem:
        return closed(visit, read, "Hold the money of order {} again", problem.detail)
    if change.result.amount != visit.minor("shown_minor"):
        form.notices.append("The amount changed while this was open. Nothing was sent.")
        return _show_renew(visit, read, payment, form)
    answered = await run(visit, read.order.id, renew, payment_id=payment.id)
    return await shown(visit, read.order.id, answered)


@get("/orders/{order_id:str}/payments/{payment_id:str}/decide")
async def decide_form(request: Asking, order_id: str, payment_id: str) -> Response[bytes]:
    """Ask what became of a payment that waits for a person, with what follows from each answer."""
    visit = await Visit.begin(request, "payments.sync", whole=True)
    visit.actor.require("payments.capture")
    read = await read_order(visit, order_id, also=DECIDED)
    return _show_decide(visit, read, payment_id, Form(version=read.order.version))


def _show_decide(visit: Visit, read: Read, payment_id: str, form: Form) -> Response[bytes]:
    payment = _shape(read, payment_id)
    if payment.attention is None:
        why = "Nobody has to decide about this payment any more."
        return closed(visit, read, "Decide about a payment of order {}", why)
    name = gateway_name(payment.gateway)
    return visit.page(
        "money/decide.html",
        status=form_status(form),
        order=read.order,
        payment=payment,
        gateway=name,
        known=in_words(payment, name),
        choices=choices(read.folder, visit.actor, payment, name),
        form=form,
        back=f"/portal/orders/{read.order.id}",
    )


@post("/orders/{order_id:str}/payments/{payment_id:str}/decide", status_code=200)
async def decide_now(request: Asking, order_id: str, payment_id: str) -> Response[bytes]:
    """Book what somebody found out, with a note that says how; tasks about it end. [rulings 26]"""
    visit = await Visit.begin(request, "payments.sync", whole=True)
    visit.actor.require("payments.capture")
    read = await read_order(visit, order_id, also=DECIDED)
    payment = _shape(read, payment_id)
    names = ("decision", "note")
    form = Form(version=read.order.version, values={one: visit.typed(one, 2000) for one in names})
    label = {one.code: one.label for one in choices(read.folder, visit.actor, payment, "")}
    decision = next((code for code in label if code == form.values["decision"]), None)
    if decision is None:
        form.errors["decision"] = "Choose what is right."
    if not form.values["note"]:
        form.errors["note"] = "Write down how you found out; others will ask."
    if form.errors and payment.attention:
        return _show_decide(visit, read, payment_id, form)
    try:
        await run(
            visit,
            read.order.id,
            decide_payment,
            How(step=""),
            payment_id=payment.id,
            decision=decision,
            note=form.values["note"],
        )
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        form.notices.append(problem.detail)
        again = await read_order(visit, order_id, also=DECIDED)
        return _show_decide(visit, again, payment_id, form)
    after = await read_order(visit, order_id, also=DECIDED)
    open_before = sum(1 for one in read.folder.tasks if one.status == "OPEN")
    ended = open_before - sum(1 for one in after.folder.tasks if one.status == "OPEN")
    return visit.page(
        "money/decided.html",
        heading=f"Decided: {label.get(decision, '')}" if decision else "Decided",
        note=form.values["note"],
        ended=max(ended, 0),
        order=after.order,
        back=f"/portal/orders/{after.order.id}",
        **beside(visit, after, facts_of(after)),
    )


def find(read: Read, payment_id: str) -> Payment:
    """Find a payment of the order. Raises NotFound."""
    wanted = own_id(payment_id)
    found = next((one for one in read.folder.payments if one.id == wanted), None)
    if found is None:
        raise NotFound("The order has no such payment.")
    return found


def _shape(read: Read, payment_id: str) -> PaymentShape:
    wanted = find(read, payment_id).id
    found = next((one for one in read.order.payments if one.id == wanted), None)
    if found is None:
        raise NotFound("The order has no such payment that you may see.")
    return found


def movement(one: Transaction) -> str:
    """Name a movement with its amount."""
    return f"{MOVEMENTS.get(one.type, one.type)} of {money(one.amount, one.currency)}"


ROUTES = [sync_payments, keep, renew_form, renew_now, decide_form, decide_now]
