"""What a form of goods will do, in sentences: the action is rehearsed, nothing is written."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.rearrange import WantedSplit, split_shipment
from counterfoil.actions.set_delivery_state import ELSEWHERE, set_delivery_state
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.kernel.problem import Problem
from counterfoil.order.actor import Actor
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.item import DELIVERY_STATES, Item
from counterfoil.order.life import ITEM
from counterfoil.order.shipment import Shipment, ShipmentItem
from counterfoil.portal import words
from counterfoil.portal.figures import money, plural
from counterfoil.portal.goods_words import counted, listed, state_name

#: Delivery states that are asked about first: none of them is undone by another choice.
ASKED = ("SHIPPED", "DELIVERED", "COULD_NOT_DELIVER")
FINAL = "This cannot be undone."
OPEN_ENDED = "It can be sent again or taken back; if it arrives after all, mark it as delivered."


class Says(NamedTuple):
    """What would happen, or why it cannot."""

    lines: tuple[str, ...] = ()
    refused: str = ""


class StateOption(NamedTuple):
    """A delivery state to choose: its word, and why it is closed.

    `href` is where it is asked about first, or where what it stands for is done.
    """

    code: str
    word: words.Word
    current: bool = False
    why: str = ""
    href: str = ""


def rehearse(action: Callable[..., Change], folder: Folder, actor: Actor, **wanted: Any) -> Change:
    """Run an action without writing what it decides. Raises what it raises."""
    return action(folder, asked=Asked(actor=actor, source="portal"), **wanted)


def state_options(folder: Folder, actor: Actor, item: Item) -> list[StateOption]:
    """List every delivery state, such as are closed now with the sentence why. [U-15, U-17]"""
    labels = folder.store.delivery_labels
    found = []
    for code in DELIVERY_STATES:
        word = words.look("item", code)._replace(label=state_name(code, labels))
        href = _door(folder, actor, item, code)
        why = "" if href and code in ELSEWHERE else why_not_state(folder, actor, item, code)
        found.append(StateOption(code, word, code == item.delivery_state, why, href))
    return found


def _door(folder: Folder, actor: Actor, item: Item, code: str) -> str:
    """Say where a state is asked about: what people are told of, a return, a cancellation."""
    page = f"/portal/orders/{folder.order.id}"
    away = item.quantity_shipped - item.quantity_returned
    if code in ASKED:
        return f"{page}/items/{item.id}/delivery-state?to={code}"
    if code == "RETURNED" and away > 0 and actor.can("returns.write"):
        return f"{page}/returns/new?item={item.id}"
    if code == "CANCELED" and item.waiting > 0 and actor.can("orders.cancel"):
        return f"{page}/cancel?scope=items&units-{item.id}={item.waiting}"
    return ""


def why_not_state(folder: Folder, actor: Actor, item: Item, code: str) -> str:
    """Say why a line cannot be put in a state now; empty where it can, or is in it."""
    if code == item.delivery_state:
        return ""
    if code not in ELSEWHERE and ITEM.edge(item.delivery_state, code) is None:
        return f"Not from {state_name(item.delivery_state, folder.store.delivery_labels)}."
    try:
        rehearse(set_delivery_state, folder, actor, item_id=item.id, state=code)
    except Problem as problem:
        return problem.detail
    return ""


def say_moved(folder: Folder, actor: Actor, action: Callable[..., Change], parcel_id: str) -> Says:
    """Say what follows when a shipment fares on."""
    try:
        change = rehearse(action, folder, actor, shipment_id=parcel_id)
    except Problem as problem:
        return Says(refused=problem.detail)
    return Says(_follows(folder, change))


def say_state(folder: Folder, actor: Actor, item: Item, code: str) -> Says:
    """Say what putting a line in a state does; what leaves or arrives is told in full. [U-15]"""
    try:
        change = rehearse(set_delivery_state, folder, actor, item_id=item.id, state=code)
    except Problem as problem:
        return Says(refused=problem.detail)
    return Says(_follows(folder, change))


def say_sent(
    folder: Folder, actor: Actor, shipment_id: str, packed: Sequence[ShipmentItem]
) -> Says:
    """Say what sending a shipment does, or that part of it that is packed."""
    own = next(one for one in folder.shipments if one.id == shipment_id)
    if not packed:
        return Says(refused="Choose at least one item.")
    try:
        if {part.item_id: part.quantity for part in packed} == own.units:
            return Says(
                _follows(folder, rehearse(send_shipment, folder, actor, shipment_id=own.id))
            )
        wanted = WantedSplit(items=packed)
        split = rehearse(split_shipment, folder, actor, shipment_id=own.id, wanted=wanted)
        sent = rehearse(send_shipment, split.after, actor, shipment_id=split.result.id)
    except Problem as problem:
        return Says(refused=problem.detail)
    rest = next(one for one in sent.after.shipments if one.id == own.id)
    verb = "stays" if len(rest.units) == 1 else "stay"
    stays = f"{_contents(folder, rest)} {verb} behind in a shipment of its own."
    *lines, final = _follows(folder, sent)
    return Says((*lines, stays, final))


def say_packed(
    folder: Folder, actor: Actor, bag_id: str, wanted: WantedShipment, *, leaves: bool
) -> Says:
    """Say what making up a shipment does, and that it leaves where it does."""
    if not wanted.items:
        return Says(refused="Choose at least one item.")
    try:
        made = rehearse(ship, folder, actor, bag_id=bag_id, wanted=wanted)
        if not leaves:
            units = {part.item_id: part.quantity for part in wanted.items}
            verb = "is packed and waits" if len(units) == 1 else "are packed and wait"
            return Says((f"{_names(folder, units)} {verb} to be sent.",))
        sent = rehearse(send_shipment, made.after, actor, shipment_id=made.result.id)
    except Problem as problem:
        return Says(refused=problem.detail)
    return Says(_follows(folder, sent))


def _follows(folder: Folder, change: Change) -> tuple[str, ...]:
    """Say what becomes of shipments that move, and what follows; whether it is final comes last."""
    before = {one.id: one.status for one in folder.shipments}
    moved = [one for one in change.after.shipments if before.get(one.id, "OPEN") != one.status]
    lines = [line for one in moved for line in _moved(folder, one, before.get(one.id, "OPEN"))]
    for movement in change.inserts.get("transactions", []):
        told = money(movement.amount, movement.currency)  # type: ignore[attr-defined]
        lines.append(f"{told} is captured for it.")
    email = folder.order.customer.get("email")
    if change.inserts.get("letters") and email:
        lines.append(f"{email} is told by e-mail.")
    was, now = folder.order.system_state, change.after.order.system_state
    if now == "COMPLETED" != was:
        lines.append("It is the last of the order, which is completed then.")
    ends = {one.status for one in moved}
    if "DELIVERED" in ends:
        days = folder.store.refund_window_days
        until = f", for {plural(days, 'day', 'days')} from now" if days else ""
        lines.append(f"After that it can only come back as a return{until}.")
    lines.append(OPEN_ENDED if ends == {"COULD_NOT_DELIVER"} else FINAL)
    return tuple(lines)


def _moved(folder: Folder, one: Shipment, was: str) -> list[str]:
    """Say what becomes of one shipment."""
    inside, alone = _contents(folder, one), len(one.units) == 1
    if one.status == "DELIVERED":
        return [f"{inside} {'is' if alone else 'are'} with the customer."]
    if one.status == "COULD_NOT_DELIVER":
        return [f"{inside} did not reach the customer."]
    if one.status != "SHIPPED":
        return []
    carried = f" with {one.carrier}" if one.carrier else ""
    number = f", number {one.tracking_number}" if one.tracking_number else ""
    again = " again" if was != "OPEN" else ""
    lines = [f"{inside} {'leaves' if alone else 'leave'}{again}{carried}{number}."]
    if not number and not again:
        lines.append("It has no tracking number yet; that can be added afterwards.")
    return lines


def say_method(folder: Folder, actor: Actor, items: Sequence[str] | None, method: str) -> Says:
    """Say which lines go into which shipment by a method. [U-19, U-22, U-25]"""
    if items is not None and not items:
        return Says(refused="Choose at least one item.")
    try:
        change = rehearse(choose_method, folder, actor, items=items, method=method)
    except Problem as problem:
        return Says(refused=problem.detail)
    if change.nothing:
        return Says(refused="They travel by that method already.")
    return Says(tuple(_moves(folder, change)))


def _moves(folder: Folder, change: Change) -> list[str]:
    old = {one.id: one for one in folder.shipments}
    lines = []
    for one in change.after.shipments:
        was = old.get(one.id)
        coming = {i: n - (was.units.get(i, 0) if was else 0) for i, n in one.units.items()}
        arrived = {i: n for i, n in coming.items() if n > 0}
        names, alone = _names(folder, arrived), len(arrived) == 1
        if was is None:
            lines.append(f"{names} {'goes' if alone else 'go'} into one new shipment.")
            lines.append("It will need its own tracking number.")
        elif one.status == "CANCELED" != was.status:
            lines.append("The shipment they were in is emptied, and cancelled.")
        elif arrived:
            lines.append(
                f"{names} {'joins' if alone else 'join'} the shipment that goes that way already."
            )
        elif was.method != one.method:
            lines.append(f"The shipment of {_contents(folder, one)} goes that way.")
            lines.append("It will need its own tracking number.")
        elif was.units != one.units and was.numbers:
            lines.append(f"What stays keeps number {was.numbers[0]}.")
    return list(dict.fromkeys(lines))


def moved_into(before: Folder, after: Folder, items: Sequence[str] | None) -> str:
    """Find the shipment that lines went to, so that the work goes on there; empty where none."""
    old = {one.id: (one.items, one.method) for one in before.shipments}
    for one in after.shipments:
        changed = old.get(one.id) != (one.items, one.method)
        inside = items is None or any(item_id in one.units for item_id in items)
        if one.status == "OPEN" and changed and inside and not one.numbers:
            return one.id
    return ""


def _contents(folder: Folder, one: Shipment) -> str:
    return _names(folder, one.units)


def _names(folder: Folder, units: dict[str, int]) -> str:
    lines = {item.id: item for item in folder.items}
    return listed(
        [
            counted(quantity, lines[item_id].quantity, lines[item_id].sku or lines[item_id].name)
            for item_id, quantity in units.items()
            if item_id in lines
        ]
    )
