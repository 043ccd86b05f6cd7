"""Edits in short: lines by their place, bags by theirs."""

from typing import Any

import msgspec

from counterfoil.actions.edit_lines import edit_lines
from counterfoil.order.change import Change
from counterfoil.order.editing import WantedAddition, WantedEdit, WantedUnits
from counterfoil.order.folder import Folder
from tests.actions.laws import assert_lawful
from tests.actions.living import act, refused
from tests.actions.making import later

CAP = WantedAddition(sku="CAP-1", name="Cap", quantity=2, unit_price=300)


def units(order: Folder, which: int, quantity: int) -> WantedUnits:
    """A line by its place, and how many live units it is to have."""
    return WantedUnits(item_id=order.items[which].id, quantity=quantity)


def cap(order: Folder, bag: int = 0, **more: Any) -> WantedAddition:
    """Two caps at 3.00 more in a bag."""
    return msgspec.structs.replace(CAP, bag_id=order.bags[bag].id, **more)


def edits(order: Folder, *, asked: Any = None, **wanted: Any) -> Change:
    """Edit an order, by Anna or somebody else."""
    given = {"asked": asked} if asked else {}
    return act(order, edit_lines, wanted=WantedEdit(**wanted), **given)


def edited(order: Folder, *, asked: Any = None, **wanted: Any) -> Folder:
    """The order after an edit, which kept every law."""
    after = later(edits(order, asked=asked, **wanted).after)
    lawful(after)
    return after


def refuses(order: Folder, code: str, *, asked: Any = None, **wanted: Any) -> Any:
    """An edit that has to be refused with this code; the problem."""
    given = {"asked": asked} if asked else {}
    found = refused(order, edit_lines, wanted=WantedEdit(**wanted), **given)
    assert found.code == code, found.detail
    return found


def lawful(order: Folder) -> None:
    """Hold an edited order against the laws of every order, and those of edits."""
    assert_lawful(order)
    whole = order.order
    for name in ("sub_total", "shipping_total", "total", "canceled_total"):
        assert getattr(whole, name) == sum(getattr(bag, name) for bag in order.bags), name
    for bag in order.bags:
        lines = [item for item in order.items if item.bag_id == bag.id and item.deliverable]
        assert bag.sub_total == sum(item.line_total for item in lines)
        parts = bag.sub_total + bag.shipping_total + bag.tax_total + bag.duty_total
        assert bag.total == parts - bag.discount_total
        assert 0 <= bag.canceled_total <= bag.total
    packed: dict[str, int] = {}
    for parcel in order.shipments:
        if parcel.status != "CANCELED":
            assert parcel.items
            for part in parcel.items:
                packed[part.item_id] = packed.get(part.item_id, 0) + part.quantity
    assert all(packed.get(item.id, 0) <= item.live for item in order.items)
    known = {edit.id for edit in order.edits}
    assert {item.added_in for item in order.items} <= {None, *known}
    assert [edit.position for edit in order.edits] == list(range(1, len(order.edits) + 1))
