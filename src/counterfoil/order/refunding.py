"""Reckoning a refund: how much, for what, from whose bag; each figure with one sentence why.

Pure: the action and its preview reckon by the same functions. Sharing out is by largest remainder
and whatever goes back in parts is the difference of two running shares, so that parts add up to
the whole and never to more than was paid. Amounts are minor units. [domain.md §5, V-13…V-16]
"""

from collections.abc import Sequence

import msgspec

from counterfoil.kernel.money import split, to_decimal
from counterfoil.order.amounts import Amounts
from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.moves import allocate, checked_allocations
from counterfoil.order.problems import AmountInvalid, InvalidState, UnknownReference
from counterfoil.order.refund import NOT_GIVEN, RefundLine, WantedLine, WantedRefund
from counterfoil.order.transaction import Allocation

#: Types of lines that are what the totals of the same name are made of, and no goods.
_NO_GOODS = ("shipping", "tax")


class Reckoned(msgspec.Struct, frozen=True):
    """A figure, and one sentence that says where it comes from."""

    amount: int
    sentence: str


class Reckoning(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as it comes out: the amounts of `parts` add up to `amount`.

    `worth` is what it is for, before anything is kept of it.
    """

    amount: int
    worth: int
    lines: list[RefundLine]
    shipping_amount: int | None
    tax_amount: int
    allocations: list[Allocation]
    parts: list[Reckoned]


class BagPrices(msgspec.Struct, frozen=True):
    """What was paid for each line of goods of a bag, and the bag's tax shared among them.

    The discount is taken off by what the lines cost; the tax is shared among the lines by what is
    left of them then, and shipping.
    """

    paid: dict[str, int]
    tax: dict[str, int]
    shipping_tax: int


def prices_of(bag: Bag, items: Sequence[Item]) -> BagPrices:
    """Share a bag's discount and tax among its lines of goods, and the tax with shipping.

    A line that an edit added costs what it says: it has no part in either.
    """
    lines = [item for item in items if item.bag_id == bag.id and item.deliverable]
    goods = [item for item in lines if item.added_in is None]
    added = {item.id: item.line_total for item in lines if item.added_in is not None}
    prices = [item.line_total for item in goods]
    off = split(min(bag.discount_total, sum(prices)), prices) if goods else []
    paid = [price - part for price, part in zip(prices, off, strict=True)]
    shares = [*paid, bag.shipping_total]
    if goods and not any(shares):  # given away and sent for nothing: the tax is that of the goods
        shares = [*(item.quantity for item in goods), 0]
    *taxes, shipping = split(bag.tax_total, shares)
    ids = [item.id for item in goods]
    return BagPrices(
        dict(zip(ids, paid, strict=True)) | added, dict(zip(ids, taxes, strict=True)), shipping
    )


def worth_of(prices: BagPrices, item: Item, before: int, units: int) -> int:
    """Tell what the next so many units of a line cost with their tax, `before` units gone by.

    By running shares: what all units are worth, asked in any parts, adds up to the line. Minor
    units; lines that are no goods are worth nothing here.
    """
    return sum(
        _next_share(whole, before, units, item.quantity)
        for whole in (prices.paid.get(item.id, 0), prices.tax.get(item.id, 0))
    )


def reckon(folder: Folder, wanted: WantedRefund) -> Reckoning:
    """Find out what a refund comes to, or say why it cannot be.

    Raises, in this order: InvalidState, UnknownReference, AmountInvalid.
    """
    bag = next((b for b in folder.bags if b.id == wanted.bag_id), None)
    if bag is not None and bag.status in ("IN_PROGRESS", "CANCELED"):
        raise InvalidState(f"The bag is {bag.status}.", status=bag.status)
    measure: Amounts = bag if bag is not None else folder.order
    if measure.refundable <= 0:
        raise InvalidState("Nothing has been captured that could be given back.", refundable=0)
    if wanted.payment_id not in (None, *(payment.id for payment in folder.payments)):
        raise UnknownReference("The order has no such payment.", payment_id=wanted.payment_id)
    if len({line.item_id for line in wanted.lines}) != len(wanted.lines):
        raise AmountInvalid("An item is named twice.")
    found = _Parts(folder, wanted)
    found.take_lines()
    found.take_shipping()
    found.take_tax()
    amount = found.agreed(measure.refundable)
    if not 0 < amount <= measure.refundable:
        raise AmountInvalid(
            f"{amount} is not between 1 and the {measure.refundable} that can be refunded.",
            asked=amount,
            refundable=measure.refundable,
        )
    return Reckoning(
        amount=amount,
        worth=sum(part.amount for part in found.parts if part.amount > 0),
        lines=found.lines,
        shipping_amount=wanted.shipping_amount,
        tax_amount=found.tax,
        allocations=found.shares(amount),
        parts=found.parts,
    )


def shipping_left(folder: Folder) -> int:
    """Tell how much of the shipping that was charged has not been given back as such."""
    return _Parts(folder, WantedRefund(reference=None)).left("shipping")


class _Parts:
    """A refund while its parts are put together."""

    def __init__(self, folder: Folder, wanted: WantedRefund) -> None:
        self.folder = folder
        self.wanted = wanted
        self.bags = [bag for bag in folder.bags if wanted.bag_id in (None, bag.id)]
        self.items = {item.id: item for item in folder.items}
        self.live = [refund for refund in folder.refunds if refund.status not in NOT_GIVEN]
        self.lines: list[RefundLine] = []
        self.parts: list[Reckoned] = []
        self.tax = 0
        self._prices: dict[str, BagPrices] = {}

    def prices(self, bag: Bag) -> BagPrices:
        """Return what was paid for the lines of a bag; worked out once."""
        if bag.id not in self._prices:
            self._prices[bag.id] = prices_of(bag, self.folder.items)
        return self._prices[bag.id]

    def say(self, amount: int, sentence: str) -> None:
        """Keep a figure with its sentence, the amount in decimals before it."""
        told = f"{to_decimal(amount, self.folder.order.currency)} {self.folder.order.currency}"
        self.parts.append(Reckoned(amount, f"{told} {sentence}"))

    def keep(self, amount: int, sentence: str) -> None:
        """Take something off, with its sentence."""
        told = f"{to_decimal(amount, self.folder.order.currency)} {self.folder.order.currency}"
        self.parts.append(Reckoned(-amount, f"{told} {sentence}"))

    def take_lines(self) -> None:
        """Reckon every line that is named."""
        for line in self.wanted.lines:
            self.lines.append(self._line(line))
        if any(line.amount < 0 for line in self.lines):
            raise AmountInvalid("Amounts are not negative.")
        taxed = sum(line.tax_amount for line in self.lines)
        if taxed:
            self.tax += taxed
            self.say(taxed, "is the tax that was paid on these lines.")

    def _line(self, wanted: WantedLine) -> RefundLine:
        item = self.items.get(wanted.item_id)
        if item is None or self.wanted.bag_id not in (None, item.bag_id):
            raise UnknownReference("There is no such item here.", item_id=wanted.item_id)
        if item.type in ("discount", "store_credit"):
            raise AmountInvalid(
                f"{item.name} took money off; it cannot be refunded.", item_id=item.id
            )
        left = item.unrefunded
        if not 0 < wanted.quantity <= left:
            raise AmountInvalid(
                f"{wanted.quantity} is not between 1 and the {left} units left to refund.",
                item_id=item.id,
                left=left,
            )
        units = f"{wanted.quantity} × {item.name}"
        if wanted.amount is not None:
            self.say(wanted.amount, f"is stated for {units}.")
            return RefundLine(item_id=item.id, quantity=wanted.quantity, amount=wanted.amount)
        amount, tax = self._paid(item, wanted.quantity)
        self.say(amount, f"was paid for {units}, net of discounts, and has not gone back.")
        return RefundLine(item_id=item.id, quantity=wanted.quantity, amount=amount, tax_amount=tax)

    def _paid(self, item: Item, units: int) -> tuple[int, int]:
        """What was paid for the next so many units, and the tax on them, less what went back."""
        bag = next(bag for bag in self.bags if bag.id == item.bag_id)
        prices = self.prices(bag)
        whole = (prices.paid.get(item.id, item.line_total), prices.tax.get(item.id, 0))
        back = [line for r in self.live for line in r.lines if line.item_id == item.id]
        free = [whole[0] - sum(line.amount for line in back)]
        free += [whole[1] - sum(line.tax_amount for line in back)]
        before = item.quantity_refunded
        amount, tax = (
            max(0, min(_next_share(part, before, units, item.quantity), left))
            for part, left in zip(whole, free, strict=True)
        )
        if item.type in _NO_GOODS:
            return min(amount, self.left(item.type, bag.id)), 0
        if self.wanted.tax_amount is not None:
            return amount, 0
        left = min(
            self._left_of("tax", scope)
            - sum(line.tax_amount for line in self.lines if self._is_of(line, scope))
            for scope in (None, bag.id)
        )
        return amount, max(0, min(tax, left))

    def take_shipping(self) -> None:
        """Check the shipping that is named, and reckon the tax on it."""
        shipping = self.wanted.shipping_amount
        if shipping is None:
            return
        if shipping < 0:
            raise AmountInvalid("Amounts are not negative.")
        left = self.left("shipping")
        if shipping > left:
            raise AmountInvalid(
                f"{shipping} is more than the {left} of shipping that is left to refund.",
                asked=shipping,
                left=left,
            )
        self.say(shipping, "is of the shipping that was charged.")
        charged = sum(bag.shipping_total for bag in self.bags)
        if self.wanted.tax_amount is not None or not charged:
            return
        whole = sum(self.prices(bag).shipping_tax for bag in self.bags)
        tax = _next_share(whole, charged - left, shipping, charged)
        tax = min(tax, self.left("tax") - self.tax)
        if tax:
            self.tax += tax
            self.say(tax, "is the tax that was paid on that shipping.")

    def take_tax(self) -> None:
        """Check the tax that is named; it takes the place of what would be reckoned."""
        tax = self.wanted.tax_amount
        if tax is None:
            return
        if tax < 0:
            raise AmountInvalid("Amounts are not negative.")
        left = self.left("tax")
        if tax > left:
            raise AmountInvalid(
                f"{tax} is more than the {left} of tax that is left to refund.",
                asked=tax,
                left=left,
            )
        self.tax = tax
        self.say(tax, "is of the tax that was charged.")

    def agreed(self, refundable: int) -> int:
        """Tell the amount: what is stated, the sum of the parts, or all; both must agree.

        A fee is taken off the parts; what is stated is what goes back.
        """
        stated, fee = self.wanted.amount, self.wanted.fee_amount
        if fee < 0:
            raise AmountInvalid("A fee is not negative.")
        if not self.wanted.itemised:
            if stated is None:
                self.say(refundable, "is all that was taken and has not gone back.")
            elif fee:
                self.say(stated + fee, "is the amount asked for with the fee.")
            else:
                self.say(stated, "is the amount asked for, whatever it is for.")
        if fee:
            self.keep(fee, "is kept as a fee.")
        summed = sum(part.amount for part in self.parts)
        if self.wanted.itemised and stated not in (None, summed):
            raise AmountInvalid(
                f"{stated} is not the {summed} that lines, shipping and tax add up to.",
                asked=stated,
                summed=summed,
            )
        if self.wanted.capped and summed > refundable:
            self.keep(summed - refundable, "of it went back before.")
            return refundable
        return summed

    def left(self, kind: str, bag_id: str | None = None) -> int:
        """What was charged for shipping or tax and has not been given back as such.

        Of a bag, or the one that is asked for, no more than of the whole order; what a refund of
        the order gave back beside its lines is no bag's in particular.
        """
        found = self._left_of(kind, None)
        bag_id = bag_id or self.wanted.bag_id
        return max(0, found if bag_id is None else min(found, self._left_of(kind, bag_id)))

    def _left_of(self, kind: str, bag_id: str | None) -> int:
        charged: int = sum(
            getattr(bag, f"{kind}_total") for bag in self.folder.bags if bag_id in (None, bag.id)
        )
        given = 0
        for refund in self.live:
            own = [line for line in refund.lines if self._is_of(line, bag_id)]
            given += self._named(own, kind)
            if bag_id in (None, refund.bag_id):
                given += getattr(refund, f"{kind}_amount") or 0
            elif refund.bag_id is None and kind == "tax":
                given += sum(line.tax_amount for line in own)
        return charged - given - self._named(
            [line for line in self.lines if self._is_of(line, bag_id)], kind
        )

    def _is_of(self, line: RefundLine, bag_id: str | None) -> bool:
        return bag_id in (None, self.items[line.item_id].bag_id)

    def _named(self, lines: Sequence[RefundLine], kind: str) -> int:
        """Add up the lines that are themselves shipping or tax."""
        return sum(line.amount for line in lines if self.items[line.item_id].type == kind)

    def shares(self, amount: int) -> list[Allocation]:
        """Share the amount among bags: lines to their own, the rest to those that charged it."""
        bags = [bag for bag in self.bags if bag.refundable > 0]
        if self.wanted.allocations:
            return checked_allocations(self.wanted.allocations, amount, bags, "refundable")
        if not self.wanted.itemised:
            return allocate(amount, bags, "refundable")
        parts = {bag.id: 0 for bag in bags}
        for line in self.lines:
            bag_id = self.items[line.item_id].bag_id
            parts[bag_id] = parts.get(bag_id, 0) + line.amount + line.tax_amount
        kept = -sum(part.amount for part in self.parts if part.amount < 0)
        rest = amount + kept - sum(parts.values())
        free = [max(0, bag.refundable - parts[bag.id]) for bag in bags]
        charged = [min(self._charged(bag), left) for bag, left in zip(bags, free, strict=True)]
        shares = split(rest, charged if rest <= sum(charged) else free)
        for bag, share in zip(bags, shares, strict=True):
            parts[bag.id] += share
        less = split(kept, list(parts.values()))
        left = dict(zip(parts, less, strict=True))
        wanted = [
            Allocation(bag_id, part - left[bag_id])
            for bag_id, part in parts.items()
            if part > left[bag_id]
        ]
        return checked_allocations(wanted, amount, bags, "refundable")

    def _charged(self, bag: Bag) -> int:
        """What a bag charged of what is no line: shipping with its tax, or the tax named."""
        charged = 0
        if self.wanted.shipping_amount is not None:
            charged += bag.shipping_total
            if self.wanted.tax_amount is None:
                charged += self.prices(bag).shipping_tax
        if self.wanted.tax_amount is not None:
            charged += bag.tax_total
        return charged


def _next_share(whole: int, before: int, units: int, quantity: int) -> int:
    """The share of the next so many units of a quantity: the shares of all add up to the whole."""
    return whole * (before + units) // quantity - whole * before // quantity
