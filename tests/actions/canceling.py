"""Cancelling parts in tests: lines by name, and what is true of every plan."""

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.order.cancellation import CanceledLine
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.order import Order
from tests.actions.laws import assert_lawful
from tests.actions.living import act
from tests.actions.making import asked, later


def line(order: Folder, name: str) -> str:
    """Find a line by its name."""
    return next(item.id for item in order.items if item.name == name)


def part(order: Folder, *, bag: int | None = None, **units: int) -> WantedCancel:
    """Want a bag cancelled, by its place, or units of lines by their names."""
    return WantedCancel(
        bag_id=None if bag is None else order.bags[bag].id,
        lines=tuple(CanceledLine(line(order, name), count) for name, count in units.items()),
    )


def change(order: Folder, asker: Asked | None = None, **named: int) -> Change:
    """Cancel a part, and return what that changes."""
    return act(order, cancel, asked=asker or asked(), wanted=part(order, **named))


def cut(order: Folder, **named: int) -> Folder:
    """Cancel a part, and open the order again a while later; every law holds."""
    after = later(change(order, **named).after)
    assert_part_lawful(after)
    return after


def moved(order: Order) -> tuple[int, int, int, int]:
    """Tell what was taken, released and given back, and what is open."""
    return order.captured, order.voided, order.refunded, order.open


def assert_part_lawful(folder: Folder) -> None:
    """Check every law, and what cancelling adds: worth, bags and plans agree."""
    assert_lawful(folder)
    order = folder.order
    assert order.canceled_total == sum(bag.canceled_total for bag in folder.bags)
    for bag in folder.bags:
        assert 0 <= bag.canceled_total <= bag.total
        goods = [item for item in folder.items if item.bag_id == bag.id and item.deliverable]
        if bag.status == "CANCELED":
            assert bag.canceled_total == bag.total
            assert all(item.live == 0 for item in goods)
        else:
            assert any(item.live for item in goods)
        packed = {
            item.id: sum(
                one.quantity
                for parcel in folder.shipments
                if parcel.status == "OPEN"
                for one in parcel.items
                if one.item_id == item.id
            )
            for item in goods
        }
        assert all(packed[item.id] <= item.waiting for item in goods)
    assert order.refunded <= order.captured
    assert sum(plan.status == "PROCESSING" for plan in folder.cancellations) <= 1
    for plan in folder.cancellations:
        _plan_lawful(folder, plan)
    alive = any(bag.live for bag in folder.bags)
    assert alive or order.system_state in ("CANCELED", "CANCEL_REQUESTED")


def _plan_lawful(folder: Folder, plan) -> None:
    rows = [row for row in folder.transactions if row.cancellation_id == plan.id]
    done = [row for row in rows if row.status == "SUCCEEDED"]
    if plan.status != "PROCESSING":
        assert plan.refunded_amount == sum(row.amount for row in done if row.type == "REFUND")
        assert plan.reversed_amount == sum(row.amount for row in done if row.type == "VOID")
        assert all(row.settled_at for row in rows)
    if plan.whole:
        running = plan.status == "PROCESSING"
        assert not running or folder.order.system_state == "CANCEL_REQUESTED"
        return
    assert sum(one.amount for one in plan.allocations) == plan.amount
    assert sum(row.amount for row in rows if row.status != "FAILED") <= plan.amount
    bags = {one.bag_id for one in plan.allocations}
    assert all({share.bag_id for share in row.allocations} <= bags for row in rows)
