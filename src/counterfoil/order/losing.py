"""Losing units: what a line is worth less when some of its units are not sent after all.

Pure: a cancellation and an edit lose units by the same function, so the same units give back the
same. Minor units. [domain.md §5, rulings 21, 27]
"""

from collections.abc import Iterable

import msgspec

from counterfoil.order.goods_return import Return
from counterfoil.order.item import Item
from counterfoil.order.refund import NOT_GIVEN, Refund
from counterfoil.order.refunding import BagPrices, worth_of

#: Resolutions of a return that give no money back: its units were not refunded for it.
_NO_MONEY = ("EXCHANGE", "STORE_CREDIT")


class Lost(msgspec.Struct, frozen=True):
    """What units cost with their tax, and what of that was given back as lines of refunds before.

    `refunded` of them were: those go first.
    """

    value: int
    given: int
    refunded: int

    @property
    def left(self) -> int:
        """What of it the shopper has not got back."""
        return self.value - self.given


def lose(
    item: Item,
    count: int,
    prices: BagPrices,
    refunds: Iterable[Refund],
    returns: Iterable[Return],
) -> Lost:
    """Reckon what so many units of a line were worth, the next ones that are not sent."""
    value = worth_of(prices, item, item.quantity_canceled, count)
    units = min(count, _refunded_here(item, returns)) if item.quantity_refunded else 0
    if not units:
        return Lost(value, 0, 0)
    whole = given_for(item, refunds)
    before = whole * item.canceled_refunded // item.quantity_refunded
    after = whole * (item.canceled_refunded + units) // item.quantity_refunded
    return Lost(value, min(after - before, value), units)


def given_for_canceled(item: Item, prices: BagPrices, refunds: Iterable[Refund]) -> int:
    """Tell what was given back for the units of a line that were refunded and then cancelled."""
    if not item.canceled_refunded:
        return 0
    share = given_for(item, refunds) * item.canceled_refunded // item.quantity_refunded
    return min(share, worth_of(prices, item, 0, item.canceled_refunded))


def given_for(item: Item, refunds: Iterable[Refund]) -> int:
    """Add up what refunds gave back for a line, with its tax."""
    return sum(
        line.amount + line.tax_amount
        for refund in refunds
        if refund.status not in NOT_GIVEN
        for line in refund.lines
        if line.item_id == item.id
    )


def _refunded_here(item: Item, returns: Iterable[Return]) -> int:
    """Count the refunded units of a line that neither came back nor were cancelled.

    What came back for other goods or for credit was not refunded for that.
    """
    swapped = sum(
        line.received
        for back in returns
        if back.resolution in _NO_MONEY
        for line in back.lines
        if line.item_id == item.id
    )
    came_back = max(0, item.quantity_returned - swapped)
    return max(0, item.quantity_refunded - came_back - item.canceled_refunded)
