"""The steps of a return that was announced: approve, reject, take in, close. [V-6…V-11]"""

from collections.abc import Callable
from typing import Any, NamedTuple

from litestar import Response, get, post

from counterfoil.actions.decide_return import approve_return, close_return, reject_return
from counterfoil.actions.receive_return import receive_return
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.change import Change
from counterfoil.order.goods_return import Return
from counterfoil.portal.commands import Wanted, repeated, run, run_money
from counterfoil.portal.counts import RETURNS
from counterfoil.portal.figures import plural
from counterfoil.portal.forms import Form
from counterfoil.portal.forms import typed as cleaned
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.return_form import (
    OFF,
    STATE,
    UNITS,
    received,
    rehearse_receipt,
)
from counterfoil.portal.return_panel import find_return
from counterfoil.portal.return_says import expected_lines, say_return
from counterfoil.portal.return_view import ReturnView, return_view
from counterfoil.portal.return_words import CONDITION_CHOICES
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.routes.returns import RIGHT, approvers_of, closed, judge, left_of
from counterfoil.portal.visit import Visit

REGIONS = ("head", "attention", "items", "payments", "refunds", "timeline", "live")
WHY_NOT = "Say why it is not taken back; the shopper will ask."
_FIELDS = (UNITS, STATE, OFF)


class Step(NamedTuple):
    """A step without money: what it is called, its note, and what is announced after it."""

    action: Callable[..., Change]
    verb: str
    label: str
    note: str
    needed: bool
    said: str


STEPS = {
    "approve": Step(
        approve_return, "Approve", "Approve return", "Note (optional)", False,
        "The return is approved",
    ),
    "reject": Step(
        reject_return, "Reject", "Reject return", "Why it is not taken back", True,
        "The return is rejected",
    ),
    "close": Step(close_return, "Close", "Close return", "", False, "The return is closed"),
}  # fmt: skip


@get("/orders/{order_id:str}/returns/{return_id:str}/receive")
async def receive_form(request: Asking, order_id: str, return_id: str) -> Response[bytes]:
    """Ask what came in; all that is missing is proposed."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    back = find_return(read, return_id)
    values = {UNITS + line.item_id: str(line.missing) for line in back.lines if line.missing}
    form = Form(version=read.order.version, values=values)
    told = rehearse_receipt(read.folder, visit.actor, back, values)
    return _show_receipt(visit, read, form, back.id, await approvers_of(visit, read, told))


@get("/orders/{order_id:str}/returns/{return_id:str}/receive/preview")
async def receive_preview(request: Asking, order_id: str, return_id: str) -> Response[bytes]:
    """Say what taking it in would do."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    back = find_return(read, return_id)
    values = {name: cleaned(request.query_params, name) for name in request.query_params}
    told = rehearse_receipt(read.folder, visit.actor, back, values)
    named = await approvers_of(visit, read, told)
    say = say_return(read.folder, read.order, told, visit.actor, named)
    return visit.region("returns/says.html", order=read.order, say=say, preview=True)


@post("/orders/{order_id:str}/returns/{return_id:str}/receive")
async def receive_now(request: Asking, order_id: str, return_id: str) -> Response[bytes]:
    """Take in what came, and let its worth go its way, as the button said."""
    visit = await Visit.begin(request, RIGHT)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    back = find_return(read, return_id)
    values = {name: visit.typed(name) for name in visit.form if name.startswith(_FIELDS)}
    form = Form(version=read.order.version, values=values)
    told = rehearse_receipt(read.folder, visit.actor, back, values)
    judge(visit, read, form, told, back.bag_id)
    named = await approvers_of(visit, read, told)
    wanted = Wanted(
        action=receive_return,
        arguments={"return_id": back.id, "lines": received(read.folder, back, values, {})},
        measure=lambda folder: left_of(folder, back.bag_id),
        shown=told.minor,
        typed_as="It comes to",
        form=form,
        return_id=back.id,
        show=lambda again: _show_receipt(visit, again, form, back.id, named),
    )
    return await run_money(visit, read, wanted)


@get("/orders/{order_id:str}/returns/{return_id:str}/{step:str}")
async def step_form(
    request: Asking, order_id: str, return_id: str, step: str
) -> Response[bytes]:
    """Say what approving, rejecting or closing does, and ask."""
    visit, read, known = await _begin(request, order_id, step)
    back = find_return(read, return_id)
    return _show_step(visit, read, back.id, known, Form(version=read.order.version))


@post("/orders/{order_id:str}/returns/{return_id:str}/{step:str}", status_code=200)
async def step_now(
    request: Asking, order_id: str, return_id: str, step: str
) -> Response[bytes]:
    """Approve, reject or close the return."""
    visit, read, known = await _begin(request, order_id, step)
    back = find_return(read, return_id)
    form = Form(version=read.order.version, values={"note": visit.typed("note", 2000)})
    if known.needed and not form.values["note"]:
        form.errors["note"] = WHY_NOT
        return _show_step(visit, read, back.id, known, form)
    more: dict[str, Any] = {"note": form.values["note"] or None} if known.note else {}
    try:
        await run(visit, read.order.id, known.action, return_id=back.id, **more)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        read = await read_order(visit, order_id)
        form.notices.append(problem.detail)
        return _show_step(visit, read, back.id, known, form)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        await RETURNS.fresh(connection, visit.actor)
    return await after_save(
        visit, read.order.id, "refunds", REGIONS, closes=True, said=known.said
    )


async def _begin(request: Asking, order_id: str, step: str) -> tuple[Visit, Read, Step]:
    visit = await Visit.begin(request, RIGHT)
    if step not in STEPS:
        raise NotFound("There is nothing under this address.")
    return visit, await read_order(visit, order_id), STEPS[step]


def _why_not(read: Read, back: Return, step: str) -> str:
    """Say why a step cannot be taken now."""
    shape = next(one for one in read.order.returns if one.id == back.id)
    if any(one.action == step for one in shape.allowed_actions):
        return ""
    word = _told(read, back.id).word.label.lower()
    if step == "receive" and back.status == "RECEIVED":
        return "Everything of this return has come in."
    return f"Return {back.position} is {word} by now."


def _told(read: Read, return_id: str) -> ReturnView:
    shape = next(one for one in read.order.returns if one.id == return_id)
    return return_view(read.order, shape)


def _show_receipt(
    visit: Visit, read: Read, form: Form, return_id: str, named: list[str]
) -> Response[bytes]:
    back, page = find_return(read, return_id), f"/portal/orders/{read.order.id}"
    if why := _why_not(read, back, "receive"):
        return closed(visit, read, why)
    told = rehearse_receipt(read.folder, visit.actor, back, form.values)
    return visit.page(
        "returns/receive.html",
        status=form_status(form),
        order=read.order,
        told=_told(read, back.id),
        form=form,
        lines=expected_lines(read.folder, back),
        conditions=CONDITION_CHOICES,
        say=say_return(read.folder, read.order, told, visit.actor, named),
        open_minor=left_of(read.folder, back.bag_id),
        here=f"{page}/returns/{back.id}/receive",
        back=f"{page}#return-{back.id}",
        preview=False,
    )


def _show_step(
    visit: Visit, read: Read, return_id: str, step: Step, form: Form
) -> Response[bytes]:
    back, name = find_return(read, return_id), step.verb.lower()
    if why := _why_not(read, back, name):
        return closed(visit, read, why)
    return visit.page(
        "returns/decide.html",
        status=form_status(form),
        order=read.order,
        told=_told(read, back.id),
        step=name,
        title_=step.verb,
        label=step.label,
        lines=_lines(back, step),
        note=step.note,
        needed=step.needed,
        form=form,
        back=f"/portal/orders/{read.order.id}#return-{back.id}",
    )


def _lines(back: Return, step: Step) -> list[str]:
    """Say what a step does."""
    if step.action is approve_return:
        then = "the money goes back" if back.resolution == "REFUND" else "it goes on from there"
        return ["The shopper may send it. No money moves.", f"When it has come in, {then}."]
    if step.action is reject_return:
        return ["It is not taken back, and no money moves. Its units may be announced again."]
    missing = sum(line.missing for line in back.lines)
    lines = ["Nothing more is waited for. No money moves."]
    if missing:
        lines.append(f"{plural(missing, 'unit', 'units')} did not come in, and may be announced"
                     " again.")  # fmt: skip
    if back.replacement and back.exchange_order_id is None:
        made = back.begun
        lines.append(
            "The order of the replacement is made for what came in."
            if made
            else "No order of the replacement is made."
        )
    return lines


ROUTES = [receive_form, receive_preview, receive_now, step_form, step_now]
