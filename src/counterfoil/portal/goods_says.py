"""What a form of goods will do, in sentences: the action is rehearsed, nothing is written."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.rearrange import WantedSplit, split_shipment
from counterfoil.actions.set_delivery_state import ELSEWHERE, set_delivery_state
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.kernel.problem import Problem
from counterfoil.order.actor import Actor
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.item import DELIVERY_STATES, Item
from counterfoil.order.life import ITEM
from counterfoil.order.shipment import Shipment, ShipmentItem
from counterfoil.portal import words
from counterfoil.portal.figures import money
from counterfoil.portal.goods_words import counted, listed, state_name


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
    """Say where a state is asked about: before goods leave, a return, a cancellation."""
    page = f"/portal/orders/{folder.order.id}"
    away = item.quantity_shipped - item.quantity_returned
    if code == "SHIPPED":
        return f"{page}/items/{item.id}/delivery-state?to=SHIPPED"
    if code == "RETURNED" and away > 0 and actor.can("returns.write"):
        return f"{page}/returns/new?bag={item.bag_id}"
    if code == "CANCELED" and item.waiting > 0 and actor.can("orders.cancel"):
        return f"{page}/cancel?scope=items&units-{item.id}={item.waiting}"
    return ""


def why_not_state(folder: Folder, actor: Actor, item: Item, code: str) -> str:
    """Say why a line cannot be put in a state now; empty where it can, or is in it."""
    if code == item.delivery_state:
        return ""
    now = state_name(item.delivery_state, folder.store.delivery_labels)
    try:
        rehearse(set_delivery_state, folder, actor, item_id=item.id, state=code)
    except TransitionNotAllowed as closed:
        if code in ELSEWHERE or ITEM.edge(item.delivery_state, code):
            return closed.detail
        return f"Not from {now}."
    except Problem as problem:
        return problem.detail
    return ""


def say_state(folder: Folder, actor: Actor, item: Item, code: str) -> Says:
    """Say what putting a line in a state does; leaving is told in full. [U-15]"""
    try:
        change = rehearse(set_delivery_state, folder, actor, item_id=item.id, state=code)
    except Problem as problem:
        return Says(refused=problem.detail)
    return Says(_leaving(folder, change))


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
                _leaving(folder, rehearse(send_shipment, folder, actor, shipment_id=own.id))
            )
        wanted = WantedSplit(items=packed)
        split = rehearse(split_shipment, folder, actor, shipment_id=own.id, wanted=wanted)
        sent = rehearse(send_shipment, split.after, actor, shipment_id=split.result.id)
    except Problem as problem:
        return Says(refused=problem.detail)
    rest = next(one for one in sent.after.shipments if one.id == own.id)
    verb = "stays" if len(rest.units) == 1 else "stay"
    stays = f"{_contents(folder, rest)} {verb} behind in a shipment of its own."
    *lines, final = _leaving(folder, sent)
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
    return Says(_leaving(folder, sent))


def _leaving(folder: Folder, change: Change) -> tuple[str, ...]:
    before = {one.id: one.status for one in folder.shipments}
    lines = []
    for one in change.after.shipments:
        if one.status == "SHIPPED" and before.get(one.id) != "SHIPPED":
            carried = f" with {one.carrier}" if one.carrier else ""
            number = f", number {one.tracking_number}" if one.tracking_number else ""
            verb = "leaves" if len(one.units) == 1 else "leave"
            lines.append(f"{_contents(folder, one)} {verb}{carried}{number}.")
            if not number:
                lines.append("It has no tracking number yet; that can be added afterwards.")
    for movement in change.inserts.get("transactions", []):
        told = money(movement.amount, movement.currency)  # type: ignore[attr-defined]
        lines.append(f"{told} is captured for it.")
    email = folder.order.customer.get("email")
    if change.inserts.get("letters") and email:
        lines.append(f"{email} is told by e-mail.")
    was, now = folder.order.system_state, change.after.order.system_state
    if now == "COMPLETED" != was:
        lines.append("It is the last of the order, which is completed then.")
    lines.append("This cannot be undone.")
    return tuple(lines)


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
