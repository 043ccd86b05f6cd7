"""Goods coming back: the dialog, what it would do, and recording it. [V-6…V-11]"""

from collections.abc import Mapping
from urllib.parse import urlencode

from litestar import Response, get, post

from counterfoil.access.approvers import approvers
from counterfoil.actions.return_goods import return_goods, returnable
from counterfoil.kernel.problem import NotFound
from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.telling import visible_bags
from counterfoil.order.window import window_end
from counterfoil.portal.commands import Wanted, repeated, run_money
from counterfoil.portal.figures import moment, money, plain, plural
from counterfoil.portal.forms import Form
from counterfoil.portal.forms import typed as cleaned
from counterfoil.portal.goods_words import listed
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.return_form import (
    SWAPS,
    TEXTS,
    UNITS,
    Rehearsed,
    chosen,
    proposed_swaps,
    rehearse_return,
    wanted_return,
)
from counterfoil.portal.return_says import ask_return, say_return, swaps_of
from counterfoil.portal.return_words import CONDITION_CHOICES, REASON_CHOICES
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.visit import Visit

RIGHT = "returns.write"
_LONGEST = {"note": 2000}
_FIELDS = ("units-", "why-", "state-", *(f"swap-{what}-" for what in SWAPS))


@get("/orders/{order_id:str}/returns/new")
async def return_form(request: Asking, order_id: str) -> Response[bytes]:
    """Ask what comes back and what the shopper gets; a parcel that came back fills it in."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    asked = {name: cleaned(request.query_params, name) for name in request.query_params}
    seen = visible_bags(read.folder, visit.actor)
    able = [bag for bag in seen if returnable(read.folder, bag.id)]
    ticked = request.query_params.getall("item", [])
    units, left_out = _ticked(read, able, ticked)
    if ticked:
        able = [bag for bag in able if units.get(bag.id)]
    bag = next((one for one in able if one.id == asked.get("bag")), None)
    if bag is None and len(able) > 1:
        return _which(visit, read, able, units, left_out)
    bag = bag or (able[0] if able else None)
    if bag is None:
        what = listed(left_out) or "it"
        return closed(visit, read, f"Nothing of {what} has left that could come back.")
    ask = ask_return(read.folder, visit.actor, bag)
    if ask.until is not None and not ask.may_override:
        return closed(visit, read, _too_late(visit, read, bag))
    form = _proposed(read, bag, asked | units.get(bag.id, {}))
    if left_out:
        form.values["left_out"] = f"Nothing of {listed(left_out)} has left that could come back."
    told = rehearse_return(read.folder, visit.actor, bag.id, form.values)
    return _show(visit, read, bag, form, await approvers_of(visit, read, told))


@get("/orders/{order_id:str}/returns/new/preview")
async def return_preview(request: Asking, order_id: str) -> Response[bytes]:
    """Say what the form would do, and fill in what would be sent instead."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    values = {name: cleaned(request.query_params, name) for name in request.query_params}
    bag = _bag(visit, read, values.get("bag", ""))
    form, swapped = _filled(read, bag, values), values.get("swapped", "")
    told = rehearse_return(read.folder, visit.actor, bag.id, form.values)
    fills = form.values["swapped"] != swapped and values.get("resolution") == "EXCHANGE"
    return visit.region(
        "returns/says.html",
        order=read.order,
        say=say_return(
            read.folder, read.order, told, visit.actor, await approvers_of(visit, read, told)
        ),
        preview=True,
        form=form,
        fills=fills,
        swaps=swaps_of(read.folder, chosen(read.folder, bag.id, form.values)),
        swapped=form.values["swapped"],
    )


@post("/orders/{order_id:str}/returns/new")
async def return_now(request: Asking, order_id: str) -> Response[bytes]:
    """Record the return that the button named; what is here is taken in, and paid for."""
    visit = await Visit.begin(request, RIGHT)
    if again := await repeated(visit, order_id):
        return again
    read = await read_order(visit, order_id)
    names = [*TEXTS, "swapped", *(name for name in visit.form if name.startswith(_FIELDS))]
    values = {name: visit.typed(name, _LONGEST.get(name, 255)) for name in names}
    bag = _bag(visit, read, values["bag"])
    form = _filled(read, bag, values)
    told = rehearse_return(read.folder, visit.actor, bag.id, form.values)
    judge(visit, read, form, told, bag.id)
    named = await approvers_of(visit, read, told)
    wanted = Wanted(
        action=return_goods,
        arguments={"bag_id": bag.id, "wanted": wanted_return(read.folder, bag.id, form.values, {})},
        measure=lambda folder: left_of(folder, bag.id),
        shown=told.minor,
        typed_as="It comes to",
        form=form,
        reference=form.values["reference"] or None,
        show=lambda again: _show(visit, again, bag, form, named),
    )
    return await run_money(visit, read, wanted)


def left_of(folder: Folder, bag_id: str) -> int:
    """Count what can be given back of a bag: what a form about it is based on. Minor units."""
    return next(bag.refundable for bag in folder.bags if bag.id == bag_id)


def judge(visit: Visit, read: Read, form: Form, told: Rehearsed, bag_id: str) -> None:
    """Put to its field what cannot be, and hold what is not what was shown."""
    if visit.minor("open_minor") != left_of(read.folder, bag_id):
        return
    for field, sentence in told.errors.items():
        if field:
            form.errors[field] = sentence
        else:
            form.notices.append(sentence)
    same = told.minor == visit.minor("shown_minor")
    if not form.refused and same and told.how != visit.typed("shown_how", 4000):
        amount = money(told.minor, read.order.currency)
        what = f"{amount} goes back" if told.minor else "No money moves"
        form.notices.append(f"{what}. Read below what it leads to, and press again.")


async def approvers_of(visit: Visit, read: Read, told: Rehearsed) -> list[str]:
    """Name who may approve the refund, where somebody has to."""
    if not told.waits or told.promise is None:
        return []
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        return await approvers(
            connection,
            visit.actor,
            store=read.folder.order.store,
            amount=told.promise.amount,
            currency=read.order.currency,
        )


def closed(visit: Visit, read: Read, why: str) -> Response[bytes]:
    """Say why nothing can come back, or come in."""
    return visit.page(
        "money/closed.html",
        why=why,
        doors=(),
        back=f"/portal/orders/{read.order.id}#order-refunds",
        heading=f"Goods coming back · order {read.order.number}",
    )


def _proposed(read: Read, bag: Bag, asked: Mapping[str, str]) -> Form:
    """Fill the form: what was asked for, a whole parcel, or the only unit that there is."""
    folder = read.folder
    free = returnable(folder, bag.id)
    fee = folder.store.return_fee
    values = {
        "bag": bag.id,
        "arrived": "yes",
        "reason_code": "UNWANTED",
        "restock_items": "1",
        "fee": plain(fee, read.order.currency) if fee else "",
    }
    parcel = next((p for p in folder.shipments if p.id == asked.get("shipment")), None)
    if parcel is not None and parcel.bag_id == bag.id:
        values |= {"shipment": parcel.id, "reason_code": "COULD_NOT_DELIVER", "fee": ""}
        for part in parcel.items:
            units = min(part.quantity, free.get(part.item_id, 0))
            values[UNITS + part.item_id] = str(units) if units else ""
    elif sum(free.values()) == 1:
        values[UNITS + next(iter(free))] = "1"
    known = ("resolution", "arrived", "reason_code", *(UNITS + item_id for item_id in free))
    values |= {name: asked[name] for name in known if name in asked}
    return _filled(read, bag, values)


def _filled(read: Read, bag: Bag, values: Mapping[str, str]) -> Form:
    """Make the form as it was filled in, with what is sent instead of the lines that come back."""
    before = _units_of(values.get("swapped", ""))
    swaps = proposed_swaps(read.folder, bag.id, values, before)
    units = chosen(read.folder, bag.id, values)
    swapped = {"swapped": ",".join(f"{key}={count}" for key, count in units.items())}
    return Form(version=read.order.version, values={**values, **swaps, **swapped})


def _units_of(text: str) -> dict[str, int]:
    """Read for which lines and units the rows of what is sent instead were filled in."""
    pairs = [part.partition("=") for part in text.split(",") if "=" in part]
    return {key: int(count) for key, _, count in pairs if count.isascii() and count.isdecimal()}


def _bag(visit: Visit, read: Read, bag_id: str) -> Bag:
    found = next((bag for bag in visible_bags(read.folder, visit.actor) if bag.id == bag_id), None)
    if found is None:
        raise NotFound("The order has no such bag.")
    return found


def _ticked(
    read: Read, able: list[Bag], ticked: list[str]
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Fill in what is ticked, by bag, with all units that may come back; and name what may not."""
    free = {bag.id: returnable(read.folder, bag.id) for bag in able}
    units: dict[str, dict[str, str]] = {}
    left_out = []
    for item in read.folder.items:
        if item.id in ticked and (count := free.get(item.bag_id, {}).get(item.id)):
            units.setdefault(item.bag_id, {})[UNITS + item.id] = str(count)
        elif item.id in ticked:
            left_out.append(item.sku or item.name)
    return units, left_out


def _which(
    visit: Visit,
    read: Read,
    bags: list[Bag],
    units: dict[str, dict[str, str]],
    left_out: list[str],
) -> Response[bytes]:
    """Ask of which bag goods come back: each bag has returns of its own."""
    page = f"/portal/orders/{read.order.id}"
    question = "Which merchant’s goods come back?"
    if units:
        question = "What is ticked belongs to several merchants: each takes back its own."
    choices = []
    for bag in bags:
        chosen_ = units.get(bag.id, {})
        count = sum(map(int, chosen_.values())) or sum(returnable(read.folder, bag.id).values())
        told = plural(count, "unit", "units")
        query = urlencode({"bag": bag.id, **chosen_})
        hint = f"{told} of it ticked" if chosen_ else f"{told} may come back"
        name = read.folder.merchants.get(bag.merchant, bag.merchant)
        choices.append((name, hint, f"{page}/returns/new?{query}"))
    return visit.page(
        "goods/which.html",
        heading=f"Goods coming back · order {read.order.number}",
        question=question,
        choices=choices,
        left_out=[f"Nothing of {listed(left_out)} has left that could come back."]
        if left_out
        else [],
        back=f"{page}#order-refunds",
    )


def _show(visit: Visit, read: Read, bag: Bag, form: Form, named: list[str]) -> Response[bytes]:
    """Show the form; what was chosen and came back meanwhile is told, not dropped silently."""
    free = returnable(read.folder, bag.id)
    if not free:
        return closed(visit, read, "Everything that has left is back, or announced.")
    units = chosen(read.folder, bag.id, form.values)
    gone = [i.sku or i.name for i in read.folder.items if i.id in units and i.id not in free]
    if gone:
        form.values["left_out"] = f"{listed(gone)} came back meanwhile, or is announced."
        for item_id in units.keys() - free.keys():
            del form.values[UNITS + item_id]
    told = rehearse_return(read.folder, visit.actor, bag.id, form.values)
    return visit.page(
        "returns/new.html",
        status=form_status(form),
        order=read.order,
        form=form,
        ask=ask_return(read.folder, visit.actor, bag),
        say=say_return(read.folder, read.order, told, visit.actor, named),
        swaps=swaps_of(read.folder, chosen(read.folder, bag.id, form.values)),
        swapped=form.values["swapped"],
        reasons_=REASON_CHOICES,
        conditions=CONDITION_CHOICES,
        here=f"/portal/orders/{read.order.id}/returns/new",
        back=f"/portal/orders/{read.order.id}#order-refunds",
        preview=False,
    )


def _too_late(visit: Visit, read: Read, bag: Bag) -> str:
    """Say until when goods were taken back, and who may do it later."""
    until = window_end(read.folder, [bag.id])
    assert until is not None
    told = moment(until, visit.frame.now, visit.frame.zone)
    return (
        f"Goods of this order were taken back until {told.text}. Somebody who may approve refunds"
        " can take them back all the same."
    )


ROUTES = [return_form, return_preview, return_now]
