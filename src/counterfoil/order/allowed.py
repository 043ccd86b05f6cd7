"""What may be done next: the one list behind API, portal and the actions' own checks."""

from collections.abc import Sequence

import msgspec

from counterfoil.kernel.problem import NotFound
from counterfoil.order.actor import Actor
from counterfoil.order.amounts import Amounts
from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import Return
from counterfoil.order.item import Item
from counterfoil.order.order import Order
from counterfoil.order.payment import Payment
from counterfoil.order.refund import Refund
from counterfoil.order.refund_plan import needs_approval
from counterfoil.order.shapes import ActionShape
from counterfoil.order.shipment import Shipment

MONEY_STATES = ("NEW", "PROCESSING", "SUSPENDED", "COMPLETED")
CANCELABLE = ("NEW", "PROCESSING", "FRAUD", "SUSPENDED", "CANCEL_REQUESTED")
STOPPABLE = ("NEW", "PROCESSING", "FRAUD", "SUSPENDED")
CANCELABLE_BAGS = ("SUBMITTED", "ACCEPTED", "BACKORDERED")
SHIPPABLE = ("NEW", "PROCESSING")
FOLLOWED = ("NEW", "PROCESSING", "COMPLETED", "SUSPENDED", "CANCEL_REQUESTED")


def require_bag(folder: Folder, bag_id: str, actor: Actor) -> Bag:
    """Find a bag that the actor may see. Raises NotFound, also for another merchant's."""
    for bag in folder.bags:
        if bag.id == bag_id and (actor.merchants is None or bag.merchant in actor.merchants):
            return bag
    raise NotFound("The order has no such bag.")


def may_ship(order: Order) -> bool:
    """Whether goods may be handled: the gate of U-16, judged on the mapped system state."""
    return (
        order.system_state in SHIPPABLE
        and order.fraud_status in ("NOT_REQUIRED", "PASSED")
        and not order.hold_shipment
    )


def may_cancel(order: Order, actor: Actor) -> bool:
    """Whether the order can still be cancelled; once goods have left, by a right of its own."""
    if order.system_state in CANCELABLE and order.shipped_count == 0:
        return True
    late = actor.can("orders.cancel_completed")
    return late and order.system_state in (*CANCELABLE, "COMPLETED")


def may_decide_cancel(actor: Actor) -> bool:
    """Whether somebody may ask for a cancellation, and decline one. Any of the rights is enough."""
    return any(actor.can(right) for right in ("orders.state", "orders.cancel"))


def may_cancel_bag(order: Order, bag: Bag, items: Sequence[Item], actor: Actor) -> bool:
    """Whether a bag can still be cancelled by itself: all of it waits."""
    able = order.system_state in STOPPABLE and bag.status in CANCELABLE_BAGS
    left = any(item.quantity_shipped for item in items if item.bag_id == bag.id)
    return able and not left and actor.can("orders.cancel")


def may_send_again(order: Order) -> bool:
    """Whether a parcel that came back may leave again; a completed order's may. [rulings 30]"""
    return may_ship(order) or (order.system_state == "COMPLETED" and not order.hold_shipment)


def may_follow(order: Order) -> bool:
    """Whether it may be said how a parcel fares that has left. [rulings 30]"""
    return order.system_state in FOLLOWED


def most_to_void(order: Order) -> int:
    """How much may be released: not the last of it where goods have left and nothing was taken."""
    unpaid = order.captured == order.capture_pending == 0
    return order.open - 1 if order.shipped_count and unpaid else order.open


def order_actions(order: Order, actor: Actor, *, owed: int | None = None) -> list[ActionShape]:
    """List what the actor may do to an order now, and for money how much. [Z-5, Z-6, Z-16]

    `owed` is what the whole order owes, where `order` stands with the amounts of one payment. To
    ask for a cancellation is listed for those who cannot cancel it themselves.
    """
    if actor.merchants is not None:
        return []
    found: list[ActionShape] = []
    capturable = order.system_state in MONEY_STATES and not order.hold_capture
    most = min(order.open, order.owed if owed is None else owed)
    if most > 0 and capturable and actor.can("payments.capture"):
        found.append(ActionShape("capture", most))
    if (most := most_to_void(order)) > 0 and actor.can("payments.void"):
        found.append(ActionShape("void", most))
    if order.refundable > 0 and actor.can("payments.refund"):
        found.append(ActionShape("refund", order.refundable))
    if may_cancel(order, actor) and actor.can("orders.cancel"):
        found.append(ActionShape("cancel"))
    elif order.system_state in STOPPABLE and may_decide_cancel(actor):
        found.append(ActionShape("request_cancel"))
    if order.system_state == "CANCEL_REQUESTED" and may_decide_cancel(actor):
        found.append(ActionShape("decline_cancel"))
    return found


def bag_actions(
    order: Order, bag: Bag, actor: Actor, *, unpacked: bool, items: Sequence[Item] = ()
) -> list[ActionShape]:
    """List what the actor may do to a bag now. `unpacked`: units of it are in no parcel yet."""
    found: list[ActionShape] = []
    if bag.live and bag.refundable > 0 and actor.can("payments.refund"):
        found.append(ActionShape("refund", bag.refundable))
    if bag.live and unpacked and may_ship(order) and actor.can("shipments.write"):
        found.append(ActionShape("ship"))
    if may_cancel_bag(order, bag, items, actor):
        found.append(ActionShape("cancel"))
    return found


def payment_actions(order: Order, payment: Payment, actor: Actor) -> list[ActionShape]:
    """List what the actor may do to a payment now."""
    if actor.merchants is not None:
        return []
    if payment.attention:
        able = actor.can("payments.sync") and actor.can("payments.capture")
        return [ActionShape("decide")] if able else []
    found = [
        action
        for action in order_actions(_with(order, payment), actor, owed=order.owed)
        if action.action in ("capture", "void", "refund")
    ]
    if payment.expires_at and not payment.acknowledged_at and actor.can("payments.capture"):
        found.append(ActionShape("acknowledge"))
    return found


def refund_actions(refund: Refund, actor: Actor) -> list[ActionShape]:
    """List what the actor may do to a refund now: decide about it while it waits. [faults R-7]"""
    if not refund.waits_for_approval or not actor.can("payments.approve"):
        return []
    alone = not needs_approval(actor, refund.amount, refund.currency)
    names = ("approve", "reject") if alone and not refund.asked_by(actor) else ("reject",)
    return [ActionShape(name) for name in names]


def shipment_actions(order: Order, shipment: Shipment, actor: Actor) -> list[ActionShape]:
    """List what the actor may do to a shipment now."""
    names: Sequence[str] = ()
    if not actor.can("shipments.write"):
        return []
    if shipment.status == "OPEN" and may_ship(order):
        split = ("split",) if sum(shipment.units.values()) > 1 else ()
        names = ("ship", "update", *split, "merge", "cancel")
    elif shipment.status in ("SHIPPED", "IN_TRANSIT") and may_follow(order):
        on_its_way = ("in_transit",) if shipment.status == "SHIPPED" else ()
        names = (*on_its_way, "deliver", "fail", "return", "update")
    elif shipment.status == "COULD_NOT_DELIVER" and may_follow(order):
        again = ("ship",) if may_send_again(order) else ()
        names = (*again, "deliver", "return", "update")
    elif shipment.status == "DELIVERED" and actor.can("returns.write"):
        names = ("return",)
    return [ActionShape(name) for name in names]


def return_actions(back: Return, actor: Actor) -> list[ActionShape]:
    """List what the actor may do to a return now."""
    if not actor.can("returns.write"):
        return []
    names: tuple[str, ...] = ()
    if back.status == "REQUESTED":
        names = ("approve", "reject", "receive")
    elif back.status == "APPROVED":
        names = ("receive", "close")
    elif back.status == "RECEIVED":
        names = ("receive", "close") if back.expected else ("close",)
    if back.resolution == "EXCHANGE" and actor.merchants is not None:
        names = tuple(name for name in names if name != "receive")
    return [ActionShape(name) for name in names]


def stands(order: Order) -> bool:
    """Whether a review or a hold of it keeps anything back: it is open, or money is still to come.

    Those of a cancelled order, and of one that is shipped and paid, are moot.
    """
    return order.is_open or _is_unpaid(order)


def _is_unpaid(order: Order) -> bool:
    return order.system_state == "COMPLETED" and order.capturable > 0


def attention_reasons(order: Order, payments: Sequence[Payment] = ()) -> list[str]:
    """List why a person should look, most urgent first; one predicate for every page.

    A review holds the order: that is one reason, not two. Where the payments are known, also that
    one of them waits for a decision; lists, which read orders alone, cannot tell that.
    """
    reasons = []
    if any(payment.attention for payment in payments):
        reasons.append("payment_attention")
    if order.unknown_pending:
        reasons.append("money_unknown")
    if order.system_state == "CANCEL_REQUESTED":
        reasons.append("cancellation_unfinished")
    if stands(order) and order.fraud_status in ("PENDING", "ON_HOLD"):
        reasons.append("in_review")
    elif stands(order) and (order.hold_capture or order.hold_shipment):
        reasons.append("on_hold")
    if order.fulfillment_status == "COULD_NOT_DELIVER":
        reasons.append("could_not_deliver")
    if _is_unpaid(order):
        reasons.append("shipped_unpaid")
    return reasons


def _with(order: Order, amounts: Amounts) -> Order:
    """The order as if it had this payment's amounts alone."""
    return msgspec.structs.replace(
        order, **{name: getattr(amounts, name) for name in Amounts.__struct_fields__}
    )
