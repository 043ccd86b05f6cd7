"""Editing: what is wanted of an edit, what an order is like before and after, what goes back.

Pure. Units go away as cancelled ones do, by running shares of what was paid for them with tax;
added lines cost what they say. Amounts are minor units. [domain.md §5, rulings 21, 41]
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from counterfoil.kernel.money import split
from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.order import Order
from counterfoil.order.order_edit import EditedLine, EditedOrder
from counterfoil.order.refund import NOT_GIVEN


class WantedUnits(msgspec.Struct, frozen=True, kw_only=True):
    """A line, and how many live units it is to have: fewer than now, 0 for none."""

    item_id: str
    quantity: int


class WantedAddition(msgspec.Struct, frozen=True, kw_only=True):
    """A line to add; `bag_id` may be left out where only one bag is live."""

    bag_id: str | None = None
    sku: str | None = None
    name: str
    quantity: int
    unit_price: int
    digital: bool = False


class WantedEdit(msgspec.Struct, frozen=True, kw_only=True):
    """An edit as it is asked for; what is absent stays as it is.

    `shipping` is by bag, `shipping_total` for the order. `refund_difference` lets what was taken
    too much go back; `hold_until_paid` keeps the goods here while something is due.
    """

    lines: Sequence[WantedUnits] = ()
    add: Sequence[WantedAddition] = ()
    shipping_total: int | None = None
    shipping: Mapping[str, int] = {}
    shipping_address: dict[str, Any] | UnsetType | None = UNSET
    billing_address: dict[str, Any] | UnsetType | None = UNSET
    note: str | None = None
    refund_difference: bool = True
    hold_until_paid: bool = True

    @property
    def addresses(self) -> dict[str, Any]:
        """The addresses that are named, by field of the order."""
        both = {
            "shipping_address": self.shipping_address, "billing_address": self.billing_address,
        }
        return {name: value for name, value in both.items() if value is not UNSET}

    @property
    def of_goods(self) -> bool:
        """Whether it asks for more than other addresses."""
        return bool(self.lines or self.add or self.shipping) or self.shipping_total is not None


def pictured(order: Order, bags: Iterable[Bag], items: Iterable[Item]) -> EditedOrder:
    """Keep what an order is like now: live lines of goods, shipping by live bag, its worth."""
    live = [bag for bag in bags if bag.live]
    seen = {bag.id for bag in live}
    return EditedOrder(
        lines=[
            EditedLine(
                item_id=item.id,
                bag_id=item.bag_id,
                sku=item.sku,
                name=item.name,
                quantity=item.live,
                unit_price=item.unit_price,
            )
            for item in items
            if item.deliverable and item.live and item.bag_id in seen
        ],
        shipping={bag.id: bag.shipping_total for bag in live},
        shipping_address=order.shipping_address,
        billing_address=order.billing_address,
        total=order.worth,
    )


class BackPart(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back after an edit, and which bags got cheaper by how much."""

    amount: int
    cheaper: dict[str, int]


def taken_too_much(folder: Folder, bags: Sequence[Bag]) -> BackPart:
    """Reckon what goes back when the order is as these bags say.

    That is what the edit makes it worth less, as far as it was taken: the same that a cancellation
    of these units gives back. A favour of before stays one; units and shipping that went back in
    refunds are not paid for again. Never more of a bag than can be refunded of it, now or when what
    is being taken has come.
    """
    before = {bag.id: bag for bag in folder.bags}
    cheaper, over, most, less = {}, 0, 0, 0
    for bag in bags:
        over += bag.kept - bag.worth
        most += min(max(0, bag.kept - bag.worth), bag.refundable + bag.capture_pending)
        given = bag.worth_refunded - before[bag.id].worth_refunded
        down = before[bag.id].worth - bag.worth - given
        less += down
        cheaper[bag.id] = max(0, down)
    return BackPart(amount=max(0, min(over, most, less)), cheaper=cheaper)


def shipping_given_before(folder: Folder, bag: Bag, amount: int) -> int:
    """Tell what of a bag's shipping that goes away was given back as such by refunds before.

    The part that went back goes away first; where shipping comes back, it is a favour again and
    the answer is below zero.
    """
    charged = _shipping_charged(folder, bag)
    given = _shipping_given(folder, bag)
    down = [max(0, charged - shipping) for shipping in (bag.shipping_total, amount)]
    before, after = (min(given, less) for less in down)
    return after - before


def _shipping_charged(folder: Folder, bag: Bag) -> int:
    """Tell what a bag's shipping cost when it was placed."""
    first = folder.edits[0].before.shipping.get(bag.id) if folder.edits else None
    return bag.shipping_total if first is None else first


def _shipping_given(folder: Folder, bag: Bag) -> int:
    """Add up what refunds gave back of a bag's shipping; of the order's, by what bags charged."""
    weights = [_shipping_charged(folder, one) for one in folder.bags]
    place = folder.bags.index(bag)
    lines = {
        item.id for item in folder.items if item.bag_id == bag.id and item.type == "shipping"
    }
    given = 0
    for refund in folder.refunds:
        if refund.status in NOT_GIVEN:
            continue
        given += sum(line.amount for line in refund.lines if line.item_id in lines)
        whole = refund.shipping_amount or 0
        if refund.bag_id == bag.id:
            given += whole
        elif refund.bag_id is None and whole and any(weights):
            given += split(whole, weights)[place]
    return given
