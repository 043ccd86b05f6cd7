"""What goods that come back are worth, and what is sent instead: the model of it. [rulings 34]

Beside `split_model`: what an order of three merchants promises for returned units, added up anew.
"""

from collections.abc import Mapping
from fractions import Fraction

from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import Return

HANDLE = "awaiting-payment"


def judge_returns(folder: Folder, linked: Mapping[str, Folder]) -> None:
    """Hold returns against what was paid, and the orders of exchanges against their returns.

    `linked` are those orders as they were made, by id. Raises AssertionError.
    """
    made = {back.exchange_order_id for back in folder.returns} - {None}
    assert made == set(linked), "a replacement was promised and not made, or made twice"
    assert len(made) == sum(back.exchange_order_id is not None for back in folder.returns)
    for back in folder.returns:
        _judge_worth(folder, back)
        whole = all(line.received == line.quantity for line in back.lines)
        some = any(line.received for line in back.lines)
        wanted = back.resolution == "EXCHANGE" and bool(back.replacement)
        sent = wanted and (whole or (some and back.status == "CLOSED"))
        assert (back.exchange_order_id is not None) == sent, back
        if back.exchange_order_id is not None:
            _judge_exchange(folder, back, linked[back.exchange_order_id])
    for bag in folder.bags:
        credits = [one.credit for one in folder.returns if one.bag_id == bag.id]
        taken = sum(part.amount for row in folder.transactions
                    if (row.type, row.status) == ("AUTHORIZE", "SUCCEEDED")
                    for part in row.allocations if part.bag_id == bag.id)
        assert sum(credits) <= taken, "more credit than was ever paid"


def _judge_worth(folder: Folder, back: Return) -> None:
    """No return is worth more than its goods cost, with the bag's tax; no credit is above it."""
    bag = next(one for one in folder.bags if one.id == back.bag_id)
    items = {item.id: item for item in folder.items}
    goods = sum(Fraction(items[line.item_id].line_total, items[line.item_id].quantity)
                * line.received for line in back.lines)
    shipping = (back.refund_wanted or {}).get("shipping_amount") or 0
    assert 0 <= back.worth <= goods + bag.tax_total + shipping + len(back.lines), back
    assert 0 <= back.credit <= max(0, back.worth - back.fee), back
    if back.resolution in ("REFUND", "NONE"):
        assert back.credit == 0, back
    if back.resolution == "STORE_CREDIT":
        assert back.credit == max(0, back.worth - back.fee), back
    refunds = [one for one in folder.refunds if one.return_id == back.id]
    assert back.resolution == "REFUND" or refunds == [], back
    assert sum(one.amount for one in refunds) <= back.worth, back


def _judge_exchange(folder: Folder, back: Return, other: Folder) -> None:
    """The order has just what was promised; what credit does not cover is due and holds it."""
    goods = [item for item in other.items if item.type == "sku"]
    assert [(item.name, item.quantity, item.unit_price) for item in goods] == [
        (one.name, one.quantity, one.unit_price) for one in back.replacement]
    price = sum(one.quantity * one.unit_price for one in back.replacement)
    assert back.credit == min(price, max(0, back.worth - back.fee)), back
    assert other.order.exchange_for == folder.order.id
    assert other.order.total == other.order.due == price - back.credit
    held = [hold.handle for hold in other.holds if hold.released_at is None]
    assert held == ([HANDLE] if other.order.due else [])
