"""What Shopify's columns of money mean, and how an order's sums become its bags'.

The export does not say whether prices include taxes, whether a discount was on goods or on
shipping, or whether a tip is in the subtotal; but Total is what the shopper owed, and only one
reading of the others comes to it. Where none does, the order is refused, not bent. [H-6, H-7]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from msgspec import Struct

from counterfoil.kernel.money import split, to_decimal

from .shopify_row import CellError, Row


class Item(Struct, frozen=True, kw_only=True):
    """A line item; money in minor units.

    `shipped` is its fulfillment status as written; `travels` is false for a download or a tip.
    """

    name: str
    sku: str
    vendor: str
    quantity: int
    unit_price: int
    discount: int
    shipped: str
    travels: bool = True

    @property
    def total(self) -> int:
        """The line before discounts."""
        return self.quantity * self.unit_price


class Sums(Struct, frozen=True, kw_only=True):
    """An order's money in minor units: goods + shipping + tax + duty − discount = total."""

    discount: int
    shipping: int
    tax: int
    tax_inside: int
    duty: int
    total: int


class Bag(Struct, kw_only=True):
    """What one vendor sends, with its share of the order's sums."""

    vendor: str
    items: list[Item]
    discount: int = 0
    shipping: int = 0
    tax: int = 0
    duty: int = 0

    @property
    def total(self) -> int:
        """What the shopper owes for this bag."""
        goods = sum(item.total for item in self.items)
        return goods - self.discount + self.shipping + self.tax + self.duty


def reconcile(items: Sequence[Item], head: Row, currency: str) -> Sums:
    """Find the reading of the columns that comes to Total.

    Subtotal is the goods after their discounts; taxes come on top or are inside the prices; what
    of Discount Amount the goods do not explain was taken off shipping, before or after Shipping
    was written; a line named Tip may stand outside Subtotal. Raises CellError totals_mismatch.
    """
    goods = sum(item.total for item in items)
    written = {
        column: head.money(column, currency)
        for column in ("Shipping", "Taxes", "Duties", "Total", "Discount Amount")
    }
    asked, total = written["Discount Amount"], written["Total"]
    subtotal = head.money("Subtotal", currency) if head.text("Subtotal") else goods - asked
    tips = sum(item.total for item in items if item.name.casefold() == "tip")
    for tip, tax in product({0: None, tips: None}, {written["Taxes"]: None, 0: None}):
        discount = goods - tip - subtotal
        for off in _shipping_discounts(asked - discount, written["Shipping"]):
            shipping = written["Shipping"] - off
            come_to = subtotal + tip + shipping + tax + written["Duties"]
            if discount >= 0 and come_to == total:
                return Sums(
                    discount=discount,
                    shipping=shipping,
                    tax=tax,
                    tax_inside=written["Taxes"] - tax,
                    duty=written["Duties"],
                    total=total,
                )
    raise CellError("Total", _mismatch(goods, subtotal, written, currency), "totals_mismatch")


def _shipping_discounts(unexplained: int, shipping: int) -> Iterator[int]:
    """What may still be taken off Shipping; free shipping is written either way."""
    if unexplained <= 0 or shipping == 0:
        yield 0
    elif unexplained <= shipping:
        yield unexplained


def _mismatch(goods: int, subtotal: int, written: dict[str, int], currency: str) -> str:
    told = {"lines": goods, "Subtotal": subtotal, **written}
    parts = ", ".join(f"{name} {to_decimal(amount, currency)}" for name, amount in told.items())
    return f"The amounts do not add up, with taxes on top or inside: {parts} {currency}."


def bags_of(items: Sequence[Item], sums: Sums) -> list[Bag]:
    """Part an order by vendor, its sums shared out by largest remainder so that they add up.

    Lines without a vendor go into the bag of the first that has one. A discount that a line names
    stays in its bag; the rest is shared by what is left to pay for the goods, and so are tax, duty
    and shipping.
    """
    known = next((item.vendor for item in items if item.vendor), "")
    bags: dict[str, Bag] = {}
    for item in items:
        vendor = item.vendor or known
        bags.setdefault(vendor, Bag(vendor=vendor, items=[])).items.append(item)
    found = list(bags.values())
    goods = [sum(item.total for item in bag.items) for bag in found]
    own = [sum(item.discount for item in bag.items) for bag in found]
    if sum(own) > sums.discount or any(o > g for o, g in zip(own, goods, strict=True)):
        own = [0] * len(found)
    left = [g - o for g, o in zip(goods, own, strict=True)]
    shared = split(sums.discount - sum(own), left)
    net = [amount - part for amount, part in zip(left, shared, strict=True)]
    parts = [split(amount, net) for amount in (sums.shipping, sums.tax, sums.duty)]
    for bag, *shares in zip(found, own, shared, *parts, strict=True):
        bag.discount = shares[0] + shares[1]
        bag.shipping, bag.tax, bag.duty = shares[2:]
    return found
