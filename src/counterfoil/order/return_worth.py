"""What goods that come back are worth, and what of it goes back: each figure with one sentence.

Pure: the action and its preview reckon by the same functions. Amounts are minor units. What comes
in in parts is worth, to the last unit, what all of it is worth at once. [V-6…V-11, rulings 34]
"""

from collections.abc import Mapping

import msgspec

from counterfoil.kernel.money import split, to_decimal
from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import Return, ReturnRefund
from counterfoil.order.item import Item
from counterfoil.order.problems import AmountInvalid
from counterfoil.order.refund import WantedLine, WantedRefund
from counterfoil.order.refunding import (
    Reckoning,
    prices_of,
    reckon,
    shipping_left,
    worth_of,
)

Units = Mapping[str, int]
_NOTHING_PAID = "Nothing is left of what was paid for these: nothing goes back."
_SPENT = (
    "The payment that was chosen has not enough left: the money goes back through the payments"
    " that the store goes through first."
)


class ReturnWorth(msgspec.Struct, frozen=True, kw_only=True):
    """What came in is worth, what of it is kept as a fee, and the refund that follows, if one.

    `spent`: the payment that was chosen for the refund has not enough left for it.
    """

    worth: int
    fee: int
    wanted: WantedRefund | None = None
    reckoned: Reckoning | None = None
    spent: bool = False
    sentences: list[str]

    @property
    def left(self) -> int:
        """What the shopper has of it."""
        return self.worth - self.fee


def reckon_receipt(folder: Folder, back: Return, units: Units) -> ReturnWorth:
    """Reckon units that come in as the return wants it; `back` is as it was before they did."""
    reckon_it = reckon_refund if back.resolution == "REFUND" else reckon_credit
    return reckon_it(folder, back, units)


def reckon_refund(folder: Folder, back: Return, units: Units) -> ReturnWorth:
    """Reckon the refund of units that come in: what was paid for them, less the fee, once.

    Where nothing is left to give back, or nothing was paid for these units, there is none. `back`
    is as it was before they came in. Goods that are here are here: a payment that was chosen and
    has not enough left keeps nobody from taking them in, the money goes through the others.
    Raises UnknownReference and AmountInvalid for what was asked of it.
    """
    bag = next(bag for bag in folder.bags if bag.id == back.bag_id)
    wanted = _wanted(folder, back, units)
    if not bag.live or bag.refundable <= 0 or not wanted.itemised:
        return ReturnWorth(worth=0, fee=0, sentences=[_nothing_left(folder, bag)])
    try:
        whole = reckon(folder, wanted)
    except AmountInvalid as why:
        if why.facts.get("asked") != 0:
            raise
        return ReturnWorth(worth=0, fee=0, sentences=[_NOTHING_PAID])
    fee = min(back.fee - back.fee_kept, whole.worth)
    if fee == whole.worth:
        kept = f"{_kept(folder, back, fee)}: nothing goes back."
        told = [part.sentence for part in whole.parts if part.amount > 0]
        return ReturnWorth(worth=whole.worth, fee=fee, sentences=[*told, kept])
    wanted = msgspec.structs.replace(wanted, fee_amount=fee)
    reckoned = reckon(folder, wanted)
    sentences = [part.sentence for part in reckoned.parts]
    chosen = next((one for one in folder.payments if one.id == wanted.payment_id), None)
    spent = chosen is not None and chosen.refundable < reckoned.amount
    if spent:
        wanted = msgspec.structs.replace(wanted, payment_id=None)
        sentences.append(_SPENT)
    return ReturnWorth(
        worth=whole.worth,
        fee=fee,
        wanted=wanted,
        reckoned=reckoned,
        spent=spent,
        sentences=sentences,
    )


def reckon_credit(folder: Folder, back: Return, units: Units) -> ReturnWorth:
    """Reckon what units that come in are worth where no money moves: what was paid for them.

    No more than the bag's money that is held or was taken, and is neither given back nor credited.
    """
    bag = next(bag for bag in folder.bags if bag.id == back.bag_id)
    prices = prices_of(bag, folder.items)
    worth, sentences = 0, []
    for item in _items(folder, units):
        amount = worth_of(prices, item, item.quantity_returned, units[item.id])
        worth += amount
        sentences.append(
            f"{_told(folder, amount)} was paid for {units[item.id]} × {item.name}, net of"
            " discounts, with tax."
        )
    others = sum(one.credit for one in folder.returns if one.bag_id == bag.id)
    covered = bag.authorized - bag.voided - bag.expired - bag.refunded - bag.refund_pending
    most = max(0, covered - others)
    if worth > most:
        sentences.append(f"{_told(folder, worth - most)} of it is not paid or went back before.")
        worth = most
    fee = min(back.fee - back.fee_kept, worth)
    if fee:
        sentences.append(f"{_kept(folder, back, fee)}.")
    return ReturnWorth(worth=worth, fee=fee, sentences=sentences)


def _wanted(folder: Folder, back: Return, units: Units) -> WantedRefund:
    """Say what is given back for units that come in now."""
    asked = msgspec.convert(back.refund_wanted or {}, ReturnRefund)
    shipping = None
    if asked.shipping_amount is not None and not back.begun:
        shipping = min(asked.shipping_amount, shipping_left(folder))
    free = {
        item.id: min(units[item.id], item.unrefunded)
        for item in _items(folder, units)
    }
    amounts: dict[str, int] = {}
    if asked.amount is not None:
        gross = asked.amount + back.fee - (asked.shipping_amount or 0)
        amounts = _stated(folder, back, units, max(0, gross))
    return WantedRefund(
        reference=None,
        reason=asked.reason,
        reason_code=asked.reason_code,
        lines=[
            WantedLine(item_id=item_id, quantity=count, amount=amounts.get(item_id))
            for item_id, count in free.items()
            if count > 0
        ],
        shipping_amount=shipping,
        restock_items=back.restock_items,
        notify_customer=asked.notify_customer,
        bag_id=back.bag_id,
        payment_id=asked.payment_id,
        payment_order=asked.payment_order,
        return_id=back.id,
        capped=True,
    )


def _stated(folder: Folder, back: Return, units: Units, gross: int) -> dict[str, int]:
    """Share a stated amount among all units that were announced; tell what these make of it."""
    bag = next(bag for bag in folder.bags if bag.id == back.bag_id)
    prices = prices_of(bag, folder.items)
    items = {item.id: item for item in folder.items}

    def weigh(counts: Units) -> int:
        return sum(worth_of(prices, items[key], 0, count) for key, count in counts.items())

    all_units = {line.item_id: line.quantity for line in back.lines}
    before = {line.item_id: line.received for line in back.lines}
    after = {key: count + units.get(key, 0) for key, count in before.items()}
    if weigh(all_units) == 0:
        weights = [sum(one.values()) for one in (all_units, before, after)]
    else:
        weights = [weigh(one) for one in (all_units, before, after)]
    whole, low, high = weights
    share = gross * high // whole - gross * low // whole
    own = [worth_of(prices, items[key], 0, count) for key, count in units.items()]
    return dict(zip(units, split(share, own), strict=True))


def _items(folder: Folder, units: Units) -> list[Item]:
    return [item for item in folder.items if units.get(item.id, 0) > 0]


def _told(folder: Folder, amount: int) -> str:
    return f"{to_decimal(amount, folder.order.currency)} {folder.order.currency}"


def _kept(folder: Folder, back: Return, fee: int) -> str:
    """Say what of a fee is kept now: no more than what came in is worth."""
    told, left = _told(folder, fee), back.fee - back.fee_kept
    if fee == left:
        return f"{told} is kept as a fee"
    return f"{told} is kept of a fee of {_told(folder, left)}, as no more came in"


def _nothing_left(folder: Folder, bag: Bag) -> str:
    if bag.captured <= 0:
        return "Nothing was taken for this bag: nothing goes back."
    return f"Nothing is left to give back: {_told(folder, bag.refunded)} went back before."
