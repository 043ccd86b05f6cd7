"""What the form that edits an order says: what it comes to before and after, and what follows."""

from typing import Any

import msgspec

from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.portal.edit_form import SHIPPING, UNITS, Rehearsed, bags_of, goods_of
from counterfoil.portal.figures import money, plural
from counterfoil.portal.forms import Say
from counterfoil.portal.reading import gateway_name


class SayEdit(Say, frozen=True, kw_only=True):
    """What an edit will do: sums before and after, and sentences. `empty`: nothing is changed."""

    sums: tuple[tuple[str, int], ...] = ()
    shown: str = ""
    empty: bool = False


class AskedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of goods in the form: how many there are, and how few there may be."""

    id: str
    field: str
    name: str
    sku: str
    price: int
    live: int
    left: int


class AskedBag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag in the form: its name where there are several, its lines, its shipping."""

    id: str
    name: str
    merchant: str
    shipping_field: str
    lines: tuple[AskedLine, ...]


def ask_edit(folder: Folder) -> tuple[AskedBag, ...]:
    """Collect the bags and lines that the form shows."""
    bags, goods = bags_of(folder), goods_of(folder)
    return tuple(
        AskedBag(
            id=bag.id,
            name=folder.merchants.get(bag.merchant, bag.merchant) if len(bags) > 1 else "",
            merchant=folder.merchants.get(bag.merchant, bag.merchant),
            shipping_field=SHIPPING + bag.id,
            lines=tuple(_line(item) for item in goods if item.bag_id == bag.id),
        )
        for bag in bags
    )


def _line(item: Item) -> AskedLine:
    return AskedLine(
        id=item.id,
        field=UNITS + item.id,
        name=item.name,
        sku=item.sku or "",
        price=item.unit_price,
        live=item.live,
        left=item.quantity_shipped,
    )


def say_edit(told: Rehearsed) -> SayEdit:
    """Say what an edit does."""
    if told.change is None:
        return SayEdit(
            label="Save changes", shown_minor=0, refused=told.refused, empty=told.empty
        )
    back = sum(refund.amount for refund in _refunds(told.change))
    currency = told.change.after.order.currency
    label = f"Save and give back {money(back, currency)}" if back else "Save changes"
    return SayEdit(
        label=label,
        shown_minor=back,
        shown=told.shown,
        sums=sums_of(told.change),
        lines=tuple(follows(told.change)),
        grave=bool(back),
        final="What is taken away or given back cannot be brought back by an edit." if back else "",
    )


def sums_of(change: Change) -> tuple[tuple[str, int], ...]:
    """Put the worth before, the difference and the worth after beside each other."""
    made = change.result
    return (
        ("Before", made.before.total),
        ("Difference", made.after.total - made.before.total),
        ("After", made.after.total),
    )


def follows(change: Change) -> list[str]:
    """Say what follows from an edit, for the money first, then for the goods."""
    return [*_of_money(change), *_of_goods(change)]


def _of_money(change: Change) -> list[str]:
    order = change.after.order
    said = []

    def told(minor: int) -> str:
        return money(minor, order.currency)

    if spare := order.open - order.capturable:
        said.append(
            f"Of {told(order.open)} that is reserved, {told(order.capturable)} can be captured."
            f" {told(spare)} less is taken, and released then."
        )
    rows: list[Any] = change.inserts.get("transactions", [])
    if released := sum(row.amount for row in rows if row.type == "VOID"):
        said.append(f"{told(released)} that is reserved is released now: nothing is owed any more.")
    for refund in _refunds(change):
        names = " and ".join(dict.fromkeys(gateway_name(part.gateway) for part in refund.plan))
        said.append(
            f"{told(refund.amount)} that was taken goes back to the shopper through {names}."
        )
        if refund.waits_for_approval:
            said.append("It is more than you may give back alone: a second person approves it.")
    if order.due:
        said.append(f"{told(order.due)} is due. You can ask for it with a payment afterwards.")
    if order.hold_shipment and not change.before.order.hold_shipment:
        said.append("The goods stay here until it is paid.")
    if change.before.order.hold_shipment and not order.hold_shipment:
        said.append("Nothing is due any more: the goods may leave.")
    return said


def _of_goods(change: Change) -> list[str]:
    kinds = [fact.type for fact in change.facts]
    said = []
    if count := kinds.count("shipment.updated"):
        said.append(f"Units are taken out of {plural(count, 'shipment', 'shipments')}.")
    if count := kinds.count("shipment.canceled"):
        said.append(f"{plural(count, 'empty shipment', 'empty shipments')} cancelled.")
    dead = {bag.id for bag in change.before.bags if bag.live} - {
        bag.id for bag in change.after.bags if bag.live
    }
    for bag in change.after.bags:
        if bag.id in dead:
            name = change.after.merchants.get(bag.merchant, bag.merchant)
            said.append(f"Nothing is left of the bag of {name}: it is cancelled with its shipping.")
    if "order.completed" in kinds:
        said.append("Everything that is left has been shipped: the order is completed.")
    return said


def _refunds(change: Change) -> list[Any]:
    return list(change.inserts.get("refunds", []))
