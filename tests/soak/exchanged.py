"""What must be true of goods that came back for something else. [rulings 34]"""

from collections.abc import Sequence

from counterfoil.order.folder import Folder
from counterfoil.order.hold import AWAITING_PAYMENT


def assert_worth(folder: Folder) -> None:
    """No credit is above what came in is worth, and only what promises credit gives any."""
    for back in folder.returns:
        assert 0 <= back.credit <= max(0, back.worth - back.fee), f"{back.credit} of {back.worth}"
        assert back.credit == 0 or back.resolution in ("EXCHANGE", "STORE_CREDIT"), back
        refunds = [one for one in folder.refunds if one.return_id == back.id]
        assert back.resolution == "REFUND" or refunds == [], "credit, and money as well"
    for bag in folder.bags:
        backs = [one for one in folder.returns if one.bag_id == bag.id]
        credited = sum(one.credit for one in backs)
        assert credited <= bag.total - bag.canceled_total, "more credit than the bag is worth"


def assert_exchanges(folder: Folder, linked: Sequence[Folder]) -> None:
    """Each exchange that came in whole has one order, and that has the goods and credit of it."""
    made = [back for back in folder.returns if back.exchange_order_id is not None]
    wanted = [back for back in folder.returns
              if back.resolution == "EXCHANGE" and back.replacement
              and not any(line.missing for line in back.lines)]
    assert made == wanted, "came in, and nothing is sent for it"
    assert sorted(one.order.id for one in linked) == sorted(
        str(back.exchange_order_id) for back in made), "one return, one order"
    for back in made:
        other = next(one for one in linked if one.order.id == back.exchange_order_id)
        goods = [item for item in other.items if item.type == "sku"]
        credits = [item for item in other.items if item.type == "store_credit"]
        assert [(one.name, one.quantity, one.unit_price) for one in back.replacement] == [
            (item.name, item.quantity, item.unit_price) for item in goods], "not what was promised"
        assert sum(item.line_total for item in credits) == -back.credit
        assert other.order.total == sum(item.line_total for item in goods) - back.credit
        _assert_held(other)


def _assert_held(other: Folder) -> None:
    """Goods wait until payments covered them, and no longer; what has left was covered.

    What expires or is released after that is due again, as with any order, and holds nothing.
    """
    order = other.order
    uncovered = order.total - order.canceled_total - order.authorized
    held = [one for one in other.holds
            if one.handle == AWAITING_PAYMENT and one.released_at is None]
    gone = any(item.quantity_shipped for item in other.items)
    assert len(held) == (uncovered > 0), f"{uncovered} due, and {len(held)} holds"
    assert not (held and gone), "left before it was paid for"
