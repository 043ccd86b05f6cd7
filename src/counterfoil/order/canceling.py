"""Reckoning the cancellation of a part: which units, and how much of whose money goes back.

Pure: the action, its dry run and the page's preview reckon by the same functions. What units are
worth is their running share of what was paid and of the tax; the last live units of a bag take all
that is left of it. [rulings 27, U-31…U-33]
"""

from collections.abc import Mapping, Sequence

import msgspec

from counterfoil.kernel.money import split
from counterfoil.order.actor import Actor
from counterfoil.order.allowed import CANCELABLE_BAGS, require_bag
from counterfoil.order.bag import Bag
from counterfoil.order.cancellation import CanceledLine, WantedCancel
from counterfoil.order.editing import taken_too_much
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.losing import Lost, lose
from counterfoil.order.moves import with_refunded
from counterfoil.order.payment import Payment
from counterfoil.order.problems import AmountInvalid, InvalidState, UnknownReference
from counterfoil.order.refund import PlannedPart
from counterfoil.order.refunding import prices_of
from counterfoil.order.transaction import UNSETTLED, Allocation, Transaction


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an order as it would be cancelled.

    `units` are by bag and line, `ending` the bags with nothing live left. `back` is what goes back
    of each bag; as much of it as is open is not refunded: `released` says what of that can be let
    go, payment by payment. `again_of`: it was cancelled before, and tries to give back what did not
    go back then. Minor units.
    """

    bag_id: str | None
    lines: list[CanceledLine]
    units: dict[str, dict[str, int]]
    ending: frozenset[str]
    ends_order: bool
    back: list[Allocation]
    open: int
    released: list[PlannedPart]
    again_of: str | None = None

    @property
    def amount(self) -> int:
        """What goes back in all, or is not taken any more."""
        return sum(part.amount for part in self.back)

    @property
    def reversed_amount(self) -> int:
        """What can be released now."""
        return sum(part.amount for part in self.released)

    @property
    def refunded_amount(self) -> int:
        """What was taken, or is being taken, and goes back."""
        return self.amount - self.open

    @property
    def kept_amount(self) -> int:
        """What stays authorised, because a gateway releases all of a payment or nothing."""
        return self.open - self.reversed_amount


def reckon_part(folder: Folder, wanted: WantedCancel, actor: Actor) -> Part:
    """Find out what cancelling a bag or lines comes to, or say why it cannot be.

    Raises, in this order: NotFound (the bag), InvalidState (the bag cannot be cancelled, units of
    it have left), UnknownReference, AmountInvalid, InvalidState (units of a line have left).
    """
    assert not wanted.whole
    if wanted.bag_id is not None:
        bags = [require_bag(folder, wanted.bag_id, actor)]
    else:
        own = actor.merchants
        bags = [bag for bag in folder.bags if own is None or bag.merchant in own]
    units = _named_units(folder, wanted, bags) if wanted.lines else _all_units(folder, bags[0])
    ending = frozenset(
        bag_id for bag_id, inside in units.items() if _ends(folder, bag_id, inside, wanted)
    )
    lost = {bag_id: _lost(folder, bag_id, inside) for bag_id, inside in units.items()}
    lines = [
        CanceledLine(item_id, count, lost[bag_id][item_id].refunded)
        for bag_id, inside in units.items()
        for item_id, count in inside.items()
    ]
    back = [
        Allocation(bag_id, amount)
        for bag_id, inside in lost.items()
        if (amount := _back(folder, bag_id, inside, ending=bag_id in ending)) > 0
    ]
    back = _with_over(folder, lost, ending, back)
    open_parts = {part.bag_id: min(part.amount, _bag(folder, part.bag_id).open) for part in back}
    return Part(
        bag_id=wanted.bag_id or (next(iter(units)) if len(units) == 1 else None),
        lines=lines if wanted.lines else [],
        units=units,
        ending=ending,
        ends_order=all(bag.id in ending for bag in folder.bags if bag.live),
        back=back,
        open=sum(open_parts.values()),
        released=releasable(folder, folder.payments, open_parts),
    )


def releasable(
    folder: Folder, payments: Sequence[Payment], wanted: Mapping[str, int]
) -> list[PlannedPart]:
    """Plan what of the wanted amounts by bag can be released, payment by payment.

    Of a gateway that releases all or nothing only where all of it is wanted; the rest stays
    authorised and less is captured.
    """
    rest = {bag_id: amount for bag_id, amount in wanted.items() if amount > 0}
    plan = []
    for payment in payments:
        amount = min(payment.open, sum(rest.values()))
        whole = amount == payment.open or folder.gateway_of(payment).capabilities.partial_void
        if amount <= 0 or not whole:
            continue
        shares = split(amount, list(rest.values()))
        own = [Allocation(bag, part) for bag, part in zip(rest, shares, strict=True) if part]
        plan.append(
            PlannedPart(
                payment_id=payment.id, gateway=payment.gateway, amount=amount, allocations=own
            )
        )
        for part in own:
            rest[part.bag_id] -= part.amount
    return plan


def of_bag(row: Transaction, bag_id: str) -> int:
    """Tell a bag's share of a movement."""
    return sum(part.amount for part in row.allocations if part.bag_id == bag_id)


def _bag(folder: Folder, bag_id: str) -> Bag:
    return next(bag for bag in folder.bags if bag.id == bag_id)


def _inside(folder: Folder, bag_id: str) -> list[Item]:
    return [item for item in folder.items if item.bag_id == bag_id]


def _all_units(folder: Folder, bag: Bag) -> dict[str, dict[str, int]]:
    """Take all of a bag, of which nothing may have left."""
    if bag.status not in CANCELABLE_BAGS:
        raise InvalidState(f"The bag is {bag.status}.", status=bag.status)
    goods = [item for item in _inside(folder, bag.id) if item.deliverable]
    left = [item for item in goods if item.quantity_shipped]
    if left:
        raise InvalidState(
            f"Units of {left[0].name} have left. Cancel the lines that have not, and record a"
            " return of the others or refund them.",
            item_id=left[0].id,
        )
    return {bag.id: {item.id: item.waiting for item in goods if item.waiting > 0}}


def _named_units(
    folder: Folder, wanted: WantedCancel, bags: Sequence[Bag]
) -> dict[str, dict[str, int]]:
    """Take the units that are named, of these bags."""
    if len({line.item_id for line in wanted.lines}) != len(wanted.lines):
        raise AmountInvalid("An item is named twice.")
    items = {item.id: item for bag in bags for item in _inside(folder, bag.id)}
    found: dict[str, dict[str, int]] = {}
    for line in wanted.lines:
        item = items.get(line.item_id)
        if item is None:
            raise UnknownReference("There is no such item here.", item_id=line.item_id)
        _check_line(item, line.quantity)
        found.setdefault(item.bag_id, {})[item.id] = line.quantity
    for bag_id in found:
        bag = _bag(folder, bag_id)
        if bag.status not in CANCELABLE_BAGS:
            raise InvalidState(f"The bag is {bag.status}.", status=bag.status)
    return found


def _check_line(item: Item, quantity: int) -> None:
    if not item.deliverable:
        raise AmountInvalid(f"{item.name} is no goods; it cannot be cancelled.", item_id=item.id)
    if quantity > 0 and item.waiting < quantity <= item.live:
        raise InvalidState(
            f"{item.quantity_shipped} of {item.name} have left; {item.waiting} can be cancelled."
            " Record a return of the others, or refund them.",
            item_id=item.id,
            left=item.waiting,
        )
    if not 0 < quantity <= item.waiting:
        raise AmountInvalid(
            f"{quantity} of {item.name} is not between 1 and the {item.waiting} left.",
            item_id=item.id,
            left=item.waiting,
        )


def _ends(
    folder: Folder, bag_id: str, units: Mapping[str, int], wanted: WantedCancel
) -> bool:
    """Whether nothing live is left of a bag then."""
    if not wanted.lines:
        return True
    goods = [item for item in _inside(folder, bag_id) if item.deliverable]
    return all(item.live == units.get(item.id, 0) for item in goods)


def _lost(folder: Folder, bag_id: str, units: Mapping[str, int]) -> dict[str, Lost]:
    """Reckon what units of a bag were worth, and what of that went back as lines of refunds."""
    inside = _inside(folder, bag_id)
    prices = prices_of(_bag(folder, bag_id), inside)
    returns = folder.returns if folder.opened("returns") else ()
    return {
        item.id: lose(item, units[item.id], prices, folder.refunds, returns)
        for item in inside
        if units.get(item.id, 0) > 0
    }


def _back(
    folder: Folder, bag_id: str, lost: Mapping[str, Lost], *, ending: bool
) -> int:
    """Tell what goes back of a bag: what was paid for these units and is not owed any more."""
    bag = _bag(folder, bag_id)
    going = [
        row
        for row in folder.transactions
        if row.status in UNSETTLED and row.type != "ACKNOWLEDGE" and of_bag(row, bag_id)
    ]
    asked = sum(of_bag(row, bag_id) for row in going if row.type == "AUTHORIZE")
    # What another bag was authorised too much for, since an edit made it cheaper, covers this one.
    unpaid = min(bag.lacking - asked, folder.order.due)
    here = bag.open + bag.refundable + sum(of_bag(row, bag_id) for row in going)
    if ending:
        worth = bag.worth
        here += sum(one.amount for one in folder.refunds
                    if one.waits_for_approval and one.bag_id == bag_id)
    else:
        worth = sum(one.left for one in lost.values())
    # What an edit left open and not owed is released with it: it is not this money that goes back.
    spare = min(bag.spare, folder.order.open - folder.order.capturable)
    return min(max(0, worth - max(0, unpaid)) + spare, here)


def _with_over(
    folder: Folder,
    lost: Mapping[str, Mapping[str, Lost]],
    ending: frozenset[str],
    back: Sequence[Allocation],
) -> list[Allocation]:
    """Add what would be kept beyond the worth of all that stays, as an edit gives it back.

    An edit may have made one bag cheaper and another dearer, so that what was taken for the one
    paid for the other. Where the other goes, that goes back too. Nothing is owed any more then: all
    that is open is released, and what is refunded of a bag comes after what is open of it. What was
    kept too much before has its own plan, or was to be.
    """
    found = {part.bag_id: part.amount for part in back}
    left = [_left(bag, lost.get(bag.id, {}), ending=bag.id in ending) for bag in folder.bags]
    over = taken_too_much(folder, left).amount
    able = [bag.refundable + bag.capture_pending for bag in folder.bags]
    given = [
        min(max(0, found.get(bag.id, 0) - bag.open), most)
        for bag, most in zip(folder.bags, able, strict=True)
    ]
    more = [
        max(0, min(bag.kept - bag.worth, most) - part)
        for bag, most, part in zip(left, able, given, strict=True)
    ]
    amount = min(over - sum(given), sum(more))
    if amount <= 0:
        return list(back)
    for bag, part, extra in zip(folder.bags, given, split(amount, more), strict=True):
        found[bag.id] = max(found.get(bag.id, 0), bag.open + part + extra)
    return [Allocation(bag_id, part) for bag_id, part in found.items() if part]


def _left(bag: Bag, lost: Mapping[str, Lost], *, ending: bool) -> Bag:
    """The bag without these units: what it is worth then, and what went back for that before."""
    worth = bag.canceled_total + sum(one.value for one in lost.values())
    given = bag.worth_refunded + sum(one.given for one in lost.values())
    return msgspec.structs.replace(
        with_refunded(bag, given), canceled_total=bag.total if ending else min(worth, bag.total)
    )
