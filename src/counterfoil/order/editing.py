"""Editing: what is wanted of an edit, what an order is like before and after, what goes back.

Pure. Units go away as cancelled ones do, by running shares of what was paid for them with tax;
added lines cost what they say. Amounts are minor units. [domain.md §5, rulings 21, 41]
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.order import Order
from counterfoil.order.order_edit import EditedLine, EditedOrder
from counterfoil.order.refund import NOT_GIVEN, Refund
from counterfoil.order.refunding import prices_of, worth_of


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
        total=order.total - order.canceled_total,
    )


class BackPart(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back after an edit, and which bags got cheaper by how much."""

    amount: int
    cheaper: dict[str, int]


def taken_too_much(folder: Folder, bags: Sequence[Bag], items: Sequence[Item]) -> BackPart:
    """Reckon what goes back when the order is as these bags and items say.

    That is what was taken and kept beyond its new worth. Of units that went back as lines of a
    refund and are still in the order the shopper keeps what they got: then it is up to what the
    units cost that go away now. Never more than can be refunded.
    """
    now = {bag.id: bag.total - bag.canceled_total for bag in bags}
    before = {bag.id: bag.total - bag.canceled_total for bag in folder.bags}
    units = _RefundedUnits(folder, items)
    cheaper = {
        bag_id: max(0, before[bag_id] - now[bag_id] - units.gone.get(bag_id, 0)) for bag_id in now
    }
    kept = folder.order.refundable
    over = kept - sum(now.values())
    less = sum(before.values()) - sum(now.values()) - sum(units.gone.values())
    amount = max(0, over, min(over + units.still_given, less))
    return BackPart(amount=min(amount, kept), cheaper=cheaper)


class _RefundedUnits:
    """Units that went back as lines of refunds: what those that go away cost, what others got.

    Of a line's units the refunded ones go away first.
    """

    def __init__(self, folder: Folder, items: Sequence[Item]) -> None:
        refunds = [one for one in folder.refunds if one.status not in NOT_GIVEN]
        after = {item.id: item for item in items}
        bags = {bag.id: bag for bag in folder.bags}
        self.gone: dict[str, int] = {}
        self.still_given = 0
        for item in folder.items:
            refunded = min(item.quantity_refunded, item.live)
            if not refunded:
                continue
            removed = item.live - after[item.id].live
            first = min(removed, refunded)
            prices = prices_of(bags[item.bag_id], folder.items)
            value = worth_of(prices, item, item.quantity_canceled, first)
            self.gone[item.bag_id] = self.gone.get(item.bag_id, 0) + value
            given = _given_for(item, refunds)
            self.still_given += given * (refunded - first) // item.quantity_refunded
        self.still_given += sum((one.shipping_amount or 0) - one.fee_amount for one in refunds)
        self.still_given = max(0, self.still_given)


def _given_for(item: Item, refunds: Sequence[Refund]) -> int:
    return sum(
        line.amount + line.tax_amount
        for refund in refunds
        for line in refund.lines
        if line.item_id == item.id
    )
