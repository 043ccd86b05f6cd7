"""The delivery state of lines: a menu for one, a dialog for several. [U-15, U-16, U-17]"""

from typing import Any, NamedTuple

from litestar import Response, get, post

from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.kernel.problem import NotFound, Problem, ValidationFailed
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.item import BEFORE_SHIPPED, DELIVERY_STATES, Item
from counterfoil.order.opening import needs_of
from counterfoil.order.problems import InvalidState
from counterfoil.portal import words
from counterfoil.portal.commands import Action, How, run
from counterfoil.portal.forms import Form
from counterfoil.portal.goods_says import ASKED, say_state, state_options, why_not_state
from counterfoil.portal.goods_words import state_name
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.results import view_of
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.items import GOODS, RIGHT, show_items
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.timeline import facts_of
from counterfoil.portal.undoing import last_changes
from counterfoil.portal.visit import Visit

SEVERAL_MAX = 200


class Common(NamedTuple):
    """A delivery state for several lines: how many of them can have it, or why none can."""

    code: str
    word: words.Word
    able: int
    why: str


def _line(read: Read, item_id: str) -> Item:
    seen = {item.id for bag in read.order.bags for item in bag.items}
    found = next((i for i in read.folder.items if i.id == item_id and i.id in seen), None)
    if found is None:
        raise NotFound("The order has no such line.")
    return found


@get("/orders/{order_id:str}/items/{item_id:str}/delivery-state")
async def one_form(request: Asking, order_id: str, item_id: str) -> Response[bytes]:
    """Offer the delivery states of a line: in its menu, or as a page; or ask before it leaves."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    item = _line(read, item_id)
    wanted = request.query_params.get("to", "")
    if wanted in DELIVERY_STATES:
        return _ask(visit, read, item, wanted, Form(version=read.order.version))
    context: dict[str, Any] = {
        "order": read.order,
        "item": item,
        "form": Form(version=read.order.version),
        "choices": state_options(read.folder, visit.actor, item),
        "back": _back(read, item),
    }
    if visit.part and request.query_params.get("in") == "menu":
        return visit.region("goods/menu.html", **context)
    return visit.page("goods/state.html", **context)


@post("/orders/{order_id:str}/items/{item_id:str}/delivery-state", status_code=200)
async def one_now(request: Asking, order_id: str, item_id: str) -> Response[bytes]:
    """Put a line in a delivery state; what leaves or arrives is asked about first."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    item = _line(read, item_id)
    wanted = _wanted(visit)
    asked = visit.typed("sure", 1) == "1"
    if wanted in ASKED and not asked:
        return _ask(visit, read, item, wanted, Form(version=read.order.version))
    try:
        await run(visit, read.order.id, set_delivery_state, item_id=item.id, state=wanted)
    except Problem as problem:
        if not asked or problem.status not in (409, 422):
            raise
        form = Form(version=read.order.version, notices=[problem.detail])
        return _ask(visit, await read_order(visit, order_id), item, wanted, form)
    label = state_name(wanted, read.folder.store.delivery_labels)
    return await after_save(
        visit,
        read.order.id,
        "items",
        GOODS,
        closes=asked,
        said=f"{item.sku or item.name} is {label} now",
        land=f"state-{item.id}",
    )


@post("/orders/{order_id:str}/items/{item_id:str}/delivery-state/undo", status_code=200)
async def undo_now(request: Asking, order_id: str, item_id: str) -> Response[bytes]:
    """Put a line back in the state before, unless somebody chose another one since. [U-15]"""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    item, now, before = _line(read, item_id), visit.typed("now", 20), visit.typed("before", 20)
    if before not in BEFORE_SHIPPED:
        raise ValidationFailed("That cannot be undone.")
    try:
        await run(visit, read.order.id, _while_in(now), item_id=item.id, state=before)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await _not_undone(visit, order_id, item.id, now, problem)
    label = state_name(before, read.folder.store.delivery_labels)
    said = f"{item.sku or item.name} is {label} again"
    land = f"state-{item.id}"
    return await after_save(visit, read.order.id, "items", GOODS, said=said, land=land)


def _while_in(state_now: str) -> Action:
    """Let a line be put back only while it is in the state that is undone."""

    def guarded(folder: Folder, *, asked: Asked, item_id: str, state: str) -> Change:
        if next(one for one in folder.items if one.id == item_id).delivery_state != state_now:
            raise InvalidState("It was changed meanwhile.")
        return set_delivery_state(folder, asked=asked, item_id=item_id, state=state)

    guarded.needs = needs_of(set_delivery_state)  # type: ignore[attr-defined]
    return guarded


async def _not_undone(
    visit: Visit, order_id: str, item_id: str, undone: str, problem: Problem
) -> Response[bytes]:
    """Show the lines as they are, and beside the one why it was left alone."""
    read = await read_order(visit, order_id)
    item, facts = _line(read, item_id), facts_of(read)
    why, last = problem.detail, last_changes(facts.facts, read.folder.at).get(item_id)
    if item.delivery_state != undone:
        label = state_name(item.delivery_state, read.folder.store.delivery_labels)
        why = f"{last.who} changed it to {label}" if last else f"It is {label} by now"
        why += ". Nothing was undone."
    form = Form(values={"item": item_id}, errors={"undo": why})
    view = view_of(visit, read, facts, undo_form=form, land=f"state-{item_id}")
    return show_items(visit, read, view, 409)


def _ask(visit: Visit, read: Read, item: Item, wanted: str, form: Form) -> Response[bytes]:
    label = state_name(wanted, read.folder.store.delivery_labels)
    return visit.page(
        "goods/leaves.html",
        status=form_status(form),
        order=read.order,
        heading=f"{item.sku or item.name}: {label}",
        here=f"/portal/orders/{read.order.id}/items/{item.id}/delivery-state",
        fields={"state": wanted, "sure": "1"},
        says=say_state(read.folder, visit.actor, item, wanted),
        verb=f"Set {label}",
        lines=(),
        number=False,
        form=form,
        back=_back(read, item),
    )


@get("/orders/{order_id:str}/items/delivery-state")
async def several_form(request: Asking, order_id: str) -> Response[bytes]:
    """Ask which delivery state the ticked lines go to."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    chosen = request.query_params.getall("item", [])[:SEVERAL_MAX]
    items = [_line(read, one) for one in dict.fromkeys(chosen)]
    return _several(visit, read, items, Form(version=read.order.version))


@post("/orders/{order_id:str}/items/delivery-state", status_code=200)
async def several_now(request: Asking, order_id: str) -> Response[bytes]:
    """Put each of the ticked lines in a delivery state; what cannot be is told line by line."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    chosen = [str(one) for one in visit.form.getall("item", [])][:SEVERAL_MAX]
    items = [_line(read, one) for one in dict.fromkeys(chosen)]
    form = Form(version=read.order.version, values={"state": visit.typed("state", 20)})
    if not items or form.values["state"] not in DELIVERY_STATES:
        form.notices.append("Choose a delivery state." if items else "Tick at least one item.")
        return _several(visit, read, items, form)
    wanted = form.values["state"]
    label = state_name(wanted, read.folder.store.delivery_labels)
    done, refused = list[str](), list[tuple[str, str]]()
    for item in items:
        try:
            how = How(step=item.id)
            await run(visit, read.order.id, set_delivery_state, how, item_id=item.id, state=wanted)
            done.append(item.sku or item.name)
        except Problem as problem:
            if problem.status not in (409, 422):
                raise
            refused.append((item.sku or item.name, problem.detail))
    if not refused:
        return await after_save(
            visit,
            read.order.id,
            "items",
            GOODS,
            closes=True,
            said=f"{len(done)} set to {label}",
            land=f"state-{items[0].id}",
        )
    return await _told(visit, order_id, label, done, refused)


async def _told(
    visit: Visit, order_id: str, label: str, done: list[str], refused: list[tuple[str, str]]
) -> Response[bytes]:
    """Tell what was done and what was not, with the regions that changed beside it."""
    read = await read_order(visit, order_id)
    return visit.page(
        "goods/outcome.html",
        order=read.order,
        view=view_of(visit, read, facts_of(read)) if visit.part else None,
        changed=GOODS,
        label=label,
        done=done,
        refused=refused,
        back=f"/portal/orders/{read.order.id}#order-items",
    )


def _several(visit: Visit, read: Read, items: list[Item], form: Form) -> Response[bytes]:
    return visit.page(
        "goods/states.html",
        status=form_status(form),
        order=read.order,
        items=items,
        options=_common(visit, read, items),
        form=form,
        back=f"/portal/orders/{read.order.id}#order-items",
    )


def _common(visit: Visit, read: Read, items: list[Item]) -> list[Common]:
    """Tell of each state how many of the lines can have it; of those that none can, one reason."""
    labels = read.folder.store.delivery_labels
    found = []
    for code in DELIVERY_STATES:
        whys = [why_not_state(read.folder, visit.actor, item, code) for item in items]
        moving = [item for item in items if item.delivery_state != code]
        able = sum(1 for item, why in zip(items, whys, strict=True) if not why and item in moving)
        word = words.look("item", code)._replace(label=state_name(code, labels))
        why = next((one for one in whys if one), "They have it already.")
        found.append(Common(code, word, able, "" if able else why))
    return found


def _wanted(visit: Visit) -> str:
    wanted = visit.typed("state", 20)
    if wanted not in DELIVERY_STATES:
        raise ValidationFailed("There is no such delivery state.")
    return wanted


def _back(read: Read, item: Item) -> str:
    return f"/portal/orders/{read.order.id}#item-{item.id}"


ROUTES = [one_form, one_now, undo_now, several_form, several_now]
