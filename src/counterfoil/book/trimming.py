"""Trimming: what a credential that is limited to merchants may see of what happened.

Open never trims, or an action would judge half an order; what goes out does. [rulings 5]
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from counterfoil.order.actor import Actor
from counterfoil.order.amounts import Amounts, summed
from counterfoil.order.bag import Bag
from counterfoil.order.fact import Fact
from counterfoil.order.order import Order
from counterfoil.order.shapes import EventShape, FactShape
from counterfoil.order.transaction import Transaction

HIDDEN = "hidden"
_OF_ORDER = frozenset({
    "id", "number", "version", "state", "system_state", "display_status", "financial_status",
    "fulfillment_status", "fraud_status", "currency",
})
_OF_WHOLE = frozenset({
    "from", "to", "store", "channel", "external_id", "is_test", "hold", "note", "letter",
})
_TOTALS = (
    "sub_total", "shipping_total", "tax_total", "duty_total", "discount_total", "total",
    "canceled_total", "reopened", "worth_refunded",
)


class PlacedFact(Fact, frozen=True, kw_only=True):
    """A fact with its place in the feed, once it has one."""

    position: int | None = None


def tell_fact(fact: PlacedFact, actor: Actor) -> FactShape:
    """Tell a fact; another merchant's is hidden, and money of the whole order is left out."""
    data: dict[str, Any] | None = fact.data
    kind, by = fact.type, fact.actor
    if actor.merchants is not None:
        if fact.merchant is None:
            data = {name: value for name, value in fact.data.items() if name in _OF_WHOLE}
            if isinstance(data.get("hold"), dict):
                data["hold"] = {**data["hold"], "owner": None}
            data["order"] = _own_order(fact.data)
        elif fact.merchant in actor.merchants:
            data = {**fact.data, "order": _own_order(fact.data)}
        else:
            kind, data, by = HIDDEN, None, {}
    return FactShape(
        id=fact.id,
        order_id=fact.order_id,
        order_number=fact.order_number,
        sequence=fact.sequence,
        type=kind,
        data=data,
        actor=by,
        at=fact.at,
        cursor=None if fact.position is None else str(fact.position),
    )


def tell_event(fact: PlacedFact, current: dict[str, Any], actor: Actor) -> EventShape:
    """Tell a fact with what it is about as it is now, trimmed as the fact itself is."""
    shape = tell_fact(fact, actor)
    seen: dict[str, Any] | None = current
    if actor.merchants is not None:
        if shape.type == HIDDEN:
            seen = None
        else:
            own = current if fact.merchant is not None else {}
            seen = {**own, "order": _own_order(current)}
    told = {name: getattr(shape, name) for name in shape.__struct_fields__}
    return EventShape(**told, current=seen)


def _own_order(data: Mapping[str, Any]) -> dict[str, Any]:
    told = data.get("order") or {}
    return {name: value for name, value in told.items() if name in _OF_ORDER}


def own_money(order: Order, bags: list[Bag]) -> Order:
    """Return the order with the totals and amounts of these bags alone."""
    totals = {name: sum(getattr(bag, name) for bag in bags) for name in _TOTALS}
    parts: list[Amounts] = list(bags)
    return msgspec.structs.replace(order, **totals, **summed(parts))


def own_share(movement: Transaction, bags: set[str]) -> Transaction | None:
    """Return the part of a movement that fell to these bags; None where none did.

    Of one of the whole order neither its reference nor what the provider called it is told.
    """
    parts = [part for part in movement.allocations if part.bag_id in bags]
    if not parts:
        return None
    own = msgspec.structs.replace(
        movement, allocations=parts, amount=sum(part.amount for part in parts)
    )
    if movement.bag_id in bags:
        return own
    return msgspec.structs.replace(
        own, reference=None, gateway_transaction_id=None, error_message=None
    )
