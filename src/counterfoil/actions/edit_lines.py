"""Edit an order after it was placed: fewer units, other lines, other shipping, other addresses."""

from collections.abc import Mapping

import msgspec

from counterfoil.actions.complete import complete
from counterfoil.actions.edit_money import settle_difference
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.money import split
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.bag import Bag
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.editing import (
    WantedAddition,
    WantedEdit,
    pictured,
    shipping_given_before,
)
from counterfoil.order.folder import Folder
from counterfoil.order.goods import cancel_units
from counterfoil.order.intake import MINOR_MAX
from counterfoil.order.intent import Asked
from counterfoil.order.item import Item
from counterfoil.order.moves import with_refunded
from counterfoil.order.opening import opens
from counterfoil.order.order_edit import OrderEdit
from counterfoil.order.problems import (
    AmountInvalid,
    InvalidState,
    RequestInProgress,
    UnknownReference,
)

EDITABLE = ("NEW", "PROCESSING", "SUSPENDED")
ADDRESSED = (*EDITABLE, "FRAUD", "CANCEL_REQUESTED")
LINES_MAX, UNITS_MAX = 1000, 10**9
_SUMS = ("sub_total", "shipping_total", "total")
_PRIVATE = ("shipping_address", "billing_address")


@opens(
    "bags", "items", "payments", "gateways", "refunds", "shipments", "returns", "holds",
    "cancellations", "edits",
)  # fmt: skip
def edit_lines(folder: Folder, *, asked: Asked, wanted: WantedEdit) -> Change:
    """Edit what has not left; the money follows from what the order is worth then.

    Worth less: less is captured, and what was taken too much goes back as the refund
    `edit-<edit id>`, by the limits of whoever edits. Worth more: the rest is due, and the goods
    wait for it. Other addresses alone are fine until everything has left. The result is the edit,
    with the order before and after. Raises, in this order: PermissionDenied, RequestInProgress,
    InvalidState (the order's state), UnknownReference, AmountInvalid, InvalidState (goods have
    left, nothing is left), ValidationFailed (nothing changes), InvalidState (a capture is on its
    way, the difference may not go back), AttentionRequired. [rulings 34, 41]
    """
    asked.actor.require("orders.edit")
    asked.actor.require_whole_order()
    may_be_edited(folder, of_goods=wanted.of_goods)
    draft = Draft(folder, asked.actor)
    made = OrderEdit(
        id=new_id(),
        order_id=folder.order.id,
        position=len(folder.edits) + 1,
        note=wanted.note,
        before=pictured(folder.order, folder.bags, folder.items),
        after=pictured(folder.order, folder.bags, folder.items),
        actor=asked.actor.told(),
        created_at=draft.at,
    )
    fewer = _fewer(folder, wanted)
    _add_lines(draft, wanted, made.id)
    _take_away(draft, fewer)
    _set_shipping(draft, _shipping(draft, wanted))
    draft.set_order(**wanted.addresses)
    _add_up(draft)
    after = pictured(draft.order, draft.section("bags"), draft.section("items"))
    if after == made.before:
        raise ValidationFailed("Nothing would change.", errors=[{"pointer": "", "detail": "Same."}])
    made = msgspec.structs.replace(made, after=after)
    draft.add(made)
    draft.fact("order.edited", made)
    settle_difference(draft, asked, wanted, made)
    complete(draft)
    return draft.change(made, retell=True)


def may_be_edited(folder: Folder, *, of_goods: bool = True) -> None:
    """Go on where lines, or else addresses, may be edited. Raises RequestInProgress, InvalidState.

    Needs the cancellations opened.
    """
    order = folder.order
    running = folder.running_cancellation
    if running is not None and of_goods:
        raise RequestInProgress(
            "A cancellation is running.",
            cancellation_id=running.id,
            headers={"Retry-After": "5"},
        )
    if order.system_state not in (EDITABLE if of_goods else ADDRESSED):
        raise InvalidState(
            f"An order that is {folder.state.name} is not edited.", state=order.state
        )
    if order.shipped_count and order.shipped_count == order.unit_count:
        raise InvalidState("Everything has left. Record a return, or refund it.")


def _fewer(folder: Folder, wanted: WantedEdit) -> dict[str, int]:
    """Tell by line how many units go away. Raises UnknownReference, AmountInvalid, InvalidState."""
    if len({line.item_id for line in wanted.lines}) != len(wanted.lines):
        raise AmountInvalid("A line is named twice.")
    items = {item.id: item for item in folder.items if item.deliverable}
    fewer = {}
    for line in wanted.lines:
        item = items.get(line.item_id)
        if item is None:
            raise UnknownReference("The order has no such line of goods.", item_id=line.item_id)
        if not 0 <= line.quantity <= item.live:
            raise AmountInvalid(
                f"{line.quantity} of {item.name} is not between 0 and the {item.live} there are."
                " Add a line for more.",
                item_id=item.id,
                live=item.live,
            )
        if line.quantity < item.quantity_shipped:
            raise InvalidState(
                f"{item.quantity_shipped} of {item.name} have left. Record a return instead.",
                item_id=item.id,
                shipped=item.quantity_shipped,
            )
        if line.quantity < item.live:
            fewer[item.id] = item.live - line.quantity
    return fewer


def _add_lines(draft: Draft, wanted: WantedEdit, edit_id: str) -> None:
    position = len(draft.section("items"))
    if wanted.add and position + len(wanted.add) > LINES_MAX:
        raise AmountInvalid(f"An order has at most {LINES_MAX} lines.")
    for place, line in enumerate(wanted.add):
        bag = _bag_of(draft, line, place)
        total = line.quantity * line.unit_price
        if line.quantity < 1 or line.unit_price < 0 or total > MINOR_MAX:
            raise AmountInvalid(f"{line.quantity} × {line.unit_price} is no line.", line=place)
        draft.add(
            Item(
                id=new_id(),
                order_id=draft.order.id,
                bag_id=bag.id,
                position=position + place + 1,
                sku=line.sku,
                name=line.name,
                digital=line.digital,
                quantity=line.quantity,
                unit_price=line.unit_price,
                line_total=total,
                shipping_method=draft.order.shipping_method,
                added_in=edit_id,
            )
        )
        draft.put(
            msgspec.structs.replace(
                bag, sub_total=bag.sub_total + total, total=bag.total + total
            )
        )
    if sum(item.quantity for item in draft.section("items")) > UNITS_MAX:
        raise AmountInvalid(f"An order has at most {UNITS_MAX} units.")


def _bag_of(draft: Draft, line: WantedAddition, place: int) -> Bag:
    """Find the bag of a line to add. Raises UnknownReference, InvalidState."""
    live: list[Bag] = [bag for bag in draft.section("bags") if bag.live]
    found: Bag | None = draft.get("bags", line.bag_id) if line.bag_id else None
    if line.bag_id is None and len(live) == 1:
        found = live[0]
    if found is None:
        raise UnknownReference(
            "Say in which bag." if line.bag_id is None else "The order has no such bag.",
            line=place,
            bags=[bag.id for bag in live],
        )
    if not found.live or found.status == "COMPLETED":
        raise InvalidState(f"The bag is {found.status}.", bag_id=found.id, status=found.status)
    return found


def _take_away(draft: Draft, fewer: Mapping[str, int]) -> None:
    left = sum(
        item.live - fewer.get(item.id, 0) for item in draft.section("items") if item.deliverable
    )
    if fewer and left == 0:
        raise InvalidState("Nothing would be left of the order. Cancel it instead.")
    for bag in draft.section("bags"):
        own = {item.id for item in draft.section("items") if item.bag_id == bag.id}
        units = {item_id: count for item_id, count in fewer.items() if item_id in own}
        if units:
            cancel_units(draft, bag, units)


def _shipping(draft: Draft, wanted: WantedEdit) -> dict[str, int]:
    """Tell what shipping each bag is to have. Raises UnknownReference, AmountInvalid."""
    live = {bag.id: bag for bag in draft.section("bags") if bag.live}
    if wanted.shipping and wanted.shipping_total is not None:
        raise AmountInvalid("Send shipping or shipping_total, not both.")
    unknown = [bag_id for bag_id in wanted.shipping if bag_id not in live]
    if unknown:
        raise UnknownReference("The order has no such live bag.", bag_id=unknown[0])
    new = dict(wanted.shipping)
    if wanted.shipping_total is not None:
        gone = sum(bag.shipping_total for bag in draft.section("bags") if not bag.live)
        if not gone <= wanted.shipping_total <= MINOR_MAX:
            raise AmountInvalid(
                f"{wanted.shipping_total} is less than the {gone} of cancelled bags.", least=gone
            )
        weights = [bag.shipping_total for bag in live.values()]
        new = dict(zip(live, split(wanted.shipping_total - gone, weights), strict=True))
    if any(not 0 <= amount <= MINOR_MAX for amount in new.values()):
        raise AmountInvalid("Shipping costs nothing or more.")
    return new


def _set_shipping(draft: Draft, new: Mapping[str, int]) -> None:
    for bag_id, amount in new.items():
        bag: Bag = draft.get("bags", bag_id)
        total = bag.total - bag.shipping_total + amount
        if total < bag.canceled_total:
            raise AmountInvalid(
                f"With shipping of {amount} the bag would come to less than nothing.",
                bag_id=bag_id,
            )
        first = next(one for one in draft.before.bags if one.id == bag_id)
        given = shipping_given_before(draft.before, first, amount)
        dearer = msgspec.structs.replace(bag, shipping_total=amount, total=total)
        draft.put(with_refunded(dearer, bag.worth_refunded + given))


def _add_up(draft: Draft) -> None:
    """Let the order's totals follow from its bags'. Raises AmountInvalid."""
    bags = draft.section("bags")
    sums = {name: sum(getattr(bag, name) for bag in bags) for name in _SUMS}
    canceled = sum(bag.canceled_total for bag in bags)
    if max(sums.values()) > MINOR_MAX:
        raise AmountInvalid(f"The order would come to more than {MINOR_MAX}.")
    draft.set_order(**sums, canceled_total=canceled)
