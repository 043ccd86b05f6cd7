"""Take the money for what leaves, where the store wants that."""

import msgspec

from counterfoil.actions.capture import captured
from counterfoil.order.bag import Bag
from counterfoil.order.draft import Draft
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.item import Item
from counterfoil.order.moves import book, reserve, share_open
from counterfoil.order.payment import Payment
from counterfoil.order.refunding import prices_of, worth_of
from counterfoil.order.shipment import Shipment
from counterfoil.order.status import Units
from counterfoil.order.transaction import Allocation


def capture_shipment(draft: Draft, asked: Asked, parcel: Shipment) -> None:
    """Intend to capture what the goods of a shipment cost that has just left.

    With their tax, and the bag's shipping with its first ones; never more than what left is worth
    beside what was taken already, nor than is open and owed. The last goods of the order take all
    that is owed; in a store or at a gateway that captures once, nothing is taken before. The
    worker sends it: goods do not wait for money. Where money is held or nothing is open the goods
    leave without. Refuses nothing. [faults C-2, S-3; rulings 46]
    """
    if not draft.before.store.capture_on_ship or asked.instant or draft.order.hold_capture:
        return
    last = Units.of(draft.section("items")).all_shipped
    wanted = draft.owed if last else min(_worth(draft, parcel), draft.owed)
    for payment in draft.section("payments"):
        bag: Bag = draft.get("bags", parcel.bag_id)
        free = payment.open if last else min(payment.open, bag.capturable)
        amount = min(wanted, free)
        if amount > 0 and _may_take(draft, payment, amount, last=last):
            _intend(draft, asked, parcel, payment, amount)
            wanted -= amount


def _may_take(draft: Draft, payment: Payment, amount: int, *, last: bool) -> bool:
    """Whether the payment can give so much now; one a person has to look at is left to them."""
    able = draft.before.gateway_of(payment).capabilities
    if payment.attention or (payment.expires_at and payment.expires_at <= draft.at):
        return False
    if not able.multi_capture and (not last or payment.capture_pending):
        return False
    in_part = draft.before.store.captures_in_part and able.partial_capture
    return in_part or (last and (amount == payment.open or able.partial_capture))


def _worth(draft: Draft, parcel: Shipment) -> int:
    """What is in the shipment costs, as far as no money was taken for it already."""
    bag: Bag = draft.get("bags", parcel.bag_id)
    items: list[Item] = [i for i in draft.section("items") if i.bag_id == bag.id]
    prices = prices_of(bag, items)
    inside = parcel.units
    here = total = before = 0
    for item in items:
        units = inside.get(item.id, 0)
        earlier = item.quantity_shipped - units
        before += earlier
        here += worth_of(prices, item, earlier, units)
        total += worth_of(prices, item, 0, item.quantity_shipped)
    shipping = bag.shipping_total + prices.shipping_tax
    if before == 0:
        here += shipping
    return max(0, min(here, total + shipping - bag.captured - bag.capture_pending))


def _intend(draft: Draft, asked: Asked, parcel: Shipment, payment: Payment, amount: int) -> None:
    row = new_transaction(
        draft,
        payment,
        kind="CAPTURE",
        amount=amount,
        allocations=_shares(draft, parcel, amount),
        asked=msgspec.structs.replace(asked, key=None, lease=None),
        shipment_id=parcel.id,
    )
    if row.status == "PENDING":
        reserve(draft, row)
        draft.fact("payment.capture_requested", row)
    else:
        book(draft, row)
        captured(draft, row, asked)


def _shares(draft: Draft, parcel: Shipment, amount: int) -> list[Allocation]:
    """Share the amount: it is the shipment's bag's, as far as that has it; else every bag's."""
    bags: list[Bag] = draft.section("bags")
    own = next(bag for bag in bags if bag.id == parcel.bag_id)
    if amount <= own.capturable:
        return [Allocation(own.id, amount)]
    return share_open(amount, bags, None)
