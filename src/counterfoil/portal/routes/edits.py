"""Edits on the order's page: the form with its live sums, what became of it, and all versions."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response, get, post

from counterfoil.actions.edit_lines import edit_lines
from counterfoil.book.opening import open_folder
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.opening import needs_of
from counterfoil.order.order_edit import OrderEdit
from counterfoil.order.problems import BalanceChanged, VersionConflict
from counterfoil.order.refund import Refund
from counterfoil.portal.commands import How, run
from counterfoil.portal.edit_form import (
    ADDRESS,
    BILL,
    SHIP,
    came_to,
    in_words,
    names_of,
    proposed,
    rehearse,
    rows_of,
)
from counterfoil.portal.edit_view import chosen, compare, versions_of
from counterfoil.portal.figures import money
from counterfoil.portal.forms import Form
from counterfoil.portal.forms import typed as cleaned
from counterfoil.portal.reading import Read, gateway_name, own_id, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.results import beside
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.saying_edit import ask_edit, say_edit
from counterfoil.portal.timeline import facts_of
from counterfoil.portal.visit import Visit

RIGHT = "orders.edit"
EDITS = frozenset({"edits"})
_WAS_MAX = 200_000
#: What spoils an edit that somebody is writing: all that changes lines, parcels or addresses.
WATCH = (
    "order.edited", "order.updated", "order.canceled", "order.cancel_requested",
    "shipment.created", "shipment.updated", "shipment.shipped", "shipment.canceled",
    "item.state_changed",
)  # fmt: skip


class EditForm(Form, kw_only=True):
    """The form of an edit; an address that is written in is shown open.

    `was` is what its fields held when it was first shown, as JSON: so that what nobody touched can
    follow the order when somebody else was faster.
    """

    ship_open: bool = False
    bill_open: bool = False
    was: str = ""


@get("/orders/{order_id:str}/edits/new")
async def edit_form(request: Asking, order_id: str) -> Response[bytes]:
    """Show the order as it is, to be changed."""
    visit, read = await _begin(request, order_id)
    return _show(visit, read, _form(read, proposed(read.folder)))


@get("/orders/{order_id:str}/edits/preview")
async def edit_preview(request: Asking, order_id: str) -> Response[bytes]:
    """Say what the fields would come to."""
    visit, read = await _begin(request, order_id)
    asked = request.query_params
    names = names_of(read.folder, rows_of(asked.get("rows", "")))
    values = {name: cleaned(asked, name, most) for name, most in names.items()}
    say = say_edit(rehearse(read.folder, visit.actor, values))
    return visit.region("edits/says.html", say=say, order=read.order, preview=True)


@post("/orders/{order_id:str}/edits/new", status_code=200)
async def edit_now(request: Asking, order_id: str) -> Response[bytes]:
    """Save what was read back, where it still comes to that; `more` asks for another row."""
    visit, read = await _begin(request, order_id)
    if again := await _repeated(visit, read):
        return again
    names = names_of(read.folder, rows_of(visit.typed("rows", 3)))
    form = _form(read, {name: visit.typed(name, most) for name, most in names.items()})
    form.was = visit.typed("was", _WAS_MAX) or form.was
    if visit.typed("more", 1):
        form.version = visit.version or form.version
        form.values["rows"] = str(rows_of(str(rows_of(form.values["rows"]) + 1)))
        return _show(visit, read, form)
    told = rehearse(read.folder, visit.actor, form.values)
    if told.errors:
        _refuse(form, told.errors)
        return _show(visit, read, form)
    shown = visit.typed("shown_edit", 200)
    if visit.version == read.order.version and told.shown != shown:
        form.notices.append("Read below what it comes to, and press again.")
        return _show(visit, read, form)
    try:
        how = How(seen=visit.version, watch=WATCH)
        await run(visit, read.order.id, _as_shown(shown), how, wanted=told.wanted)
    except VersionConflict as conflict:
        return await _conflict(visit, order_id, form, conflict)
    except Problem as problem:
        return await _refused(visit, order_id, form, problem)
    after = await read_order(visit, order_id, also=EDITS)
    return _done(visit, after, after.folder.edits[-1])


@get("/orders/{order_id:str}/edits")
async def versions_page(request: Asking, order_id: str) -> Response[bytes]:
    """List an order's versions, and put two of them side by side: the newest two, or as asked."""
    visit = await Visit.begin(request, "orders.read", here="open")
    visit.actor.require_whole_order()
    read = await read_order(visit, order_id, also=EDITS)
    versions = versions_of(read.folder)
    context: dict[str, Any] = {"older": None, "newer": None, "told": None}
    if versions:
        newer = chosen(versions, request.query_params.get("to", ""), versions[-1])
        previous = versions[max(0, versions.index(newer) - 1)]
        older = chosen(versions, request.query_params.get("from", ""), previous)
        told = compare(older.picture, newer.picture, read.order.currency)
        context = {"older": older, "newer": newer, "told": told}
    return visit.page(
        "edits/versions.html",
        order=read.order,
        versions=versions[::-1],
        may_edit=visit.actor.can(RIGHT),
        **context,
    )


async def _begin(request: Asking, order_id: str) -> tuple[Visit, Read]:
    visit = await Visit.begin(request, RIGHT)
    visit.actor.require_whole_order()
    return visit, await read_order(visit, order_id, also=EDITS)


def _form(read: Read, values: dict[str, str]) -> EditForm:
    before = proposed(read.folder)

    def written(prefix: str) -> bool:
        names = (prefix + name for name, *_ in ADDRESS)
        return any(values.get(name, "") != before[name] for name in names)

    return EditForm(
        version=read.order.version,
        values=values,
        ship_open=written(SHIP),
        bill_open=written(BILL),
        was=msgspec.json.encode(before).decode(),
    )


def _merged(form: EditForm, now: dict[str, str]) -> dict[str, str]:
    """Keep what was typed; what was left as it stood follows the order as it is now."""
    try:
        was = msgspec.json.decode(form.was, type=dict[str, str])
    except msgspec.DecodeError:
        was = {}
    kept = {
        name: text for name, text in form.values.items() if name not in was or text != was[name]
    }
    return now | kept


def _refuse(form: Form, errors: dict[str, str]) -> None:
    for field, sentence in errors.items():
        if field:
            form.errors[field] = sentence
        else:
            form.notices.append(sentence)


def _as_shown(shown: str) -> Callable[..., Change]:
    """Let the edit run only where it comes to what was read back. Raises BalanceChanged."""

    def guarded(folder: Folder, **arguments: Any) -> Change:
        change = edit_lines(folder, **arguments)
        if came_to(change) != shown:
            raise BalanceChanged(now=came_to(change), before=shown)
        return change

    guarded.needs = needs_of(edit_lines)  # type: ignore[attr-defined]
    return guarded


async def _repeated(visit: Visit, read: Read) -> Response[bytes] | None:
    """Show what became of this very form where it was sent before."""
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        opened = await open_folder(connection, own_id(read.order.id), frozenset(), key=visit.key)
    if opened.answered is None:
        return None
    made = msgspec.json.decode(opened.answered.body)["id"]
    found = next((one for one in read.folder.edits if one.id == made), None)
    if found is None:
        raise NotFound("There is no such edit.")
    return _done(visit, read, found)


async def _conflict(
    visit: Visit, order_id: str, form: EditForm, conflict: VersionConflict
) -> Response[bytes]:
    """Show the order as they made it, with what was typed here in its place. [design guide 5.4]"""
    names = [str(one.get("name")) for one in conflict.facts.get("changed_by", [])]
    form.conflict = (
        f"{names[-1] if names else 'Somebody'} changed the order while you were writing. What you"
        " typed is below, against the order as it is now."
    )
    again = await read_order(visit, order_id, also=EDITS)
    merged = _form(again, _merged(form, proposed(again.folder)))
    merged.conflict = form.conflict
    return _show(visit, again, merged)


async def _refused(
    visit: Visit, order_id: str, form: EditForm, problem: Problem
) -> Response[bytes]:
    again = await read_order(visit, order_id, also=EDITS)
    form.version = again.order.version
    if isinstance(problem, BalanceChanged):
        form.notices.append("It comes to something else by now. Read it below and press again.")
    else:
        field, sentence = in_words(problem, again.order.currency)
        _refuse(form, {field: sentence})
    return _show(visit, again, form)


def _show(visit: Visit, read: Read, form: EditForm) -> Response[bytes]:
    told = rehearse(read.folder, visit.actor, form.values)
    return visit.page(
        "edits/edit.html",
        status=412 if form.conflict else form_status(form),
        order=read.order,
        form=form,
        bags=ask_edit(read.folder),
        rows=rows_of(form.values.get("rows", "")),
        address=ADDRESS,
        say=say_edit(told),
        here=f"/portal/orders/{read.order.id}/edits",
        back=f"/portal/orders/{read.order.id}",
        preview=False,
    )


def _done(visit: Visit, read: Read, made: OrderEdit) -> Response[bytes]:
    due = read.folder.order.due if visit.actor.can(RIGHT) else 0
    return visit.page(
        "edits/done.html",
        order=read.order,
        edit=made,
        sums=(
            ("Before", made.before.total),
            ("Difference", made.after.total - made.before.total),
            ("After", made.after.total),
        ),
        lines=_lines(read, made),
        due=due,
        back=f"/portal/orders/{read.order.id}",
        **beside(visit, read, facts_of(read))
        | {"changed": ("head", "attention", "items", "payments", "refunds", "holds", "customer",
                       "timeline", "live")},
    )


def _lines(read: Read, made: OrderEdit) -> list[str]:
    """Say how the money stands after an edit."""
    order = read.folder.order
    promise = next((r for r in read.folder.refunds if r.reference == f"edit-{made.id}"), None)
    said = [] if promise is None else [_given(promise)]
    if order.open > order.capturable:
        said.append(f"{money(order.capturable, order.currency)} can be captured now.")
    if order.due:
        said.append(f"{money(order.due, order.currency)} is due.")
    if any(hold.reason_code == "AWAITING_PAYMENT" for hold in read.folder.open_holds):
        said.append("The goods stay here until it is paid.")
    return said


def _given(promise: Refund) -> str:
    names = " and ".join(dict.fromkeys(gateway_name(part.gateway) for part in promise.plan))
    told = money(promise.amount, promise.currency)
    if promise.waits_for_approval:
        return f"{told} is set aside to go back through {names}; a second person approves it."
    if promise.status == "COMPLETED":
        return f"{told} went back through {names}."
    return f"{told} is on its way back through {names}."


ROUTES = [edit_form, edit_preview, edit_now, versions_page]
