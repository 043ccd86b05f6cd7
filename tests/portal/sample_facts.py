"""What happened to the believable order, and what its page is told beside it."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.order.config import BUILT_IN_STATES, OrderState
from counterfoil.order.shapes import FactShape
from counterfoil.portal import story
from counterfoil.portal.order_view import Known
from tests.portal.sample_order import MOVEMENTS
from tests.portal.samples import ANNA, ERP, KARI, NOW, SYSTEM


def fact(index: int, kind: str, actor: dict[str, Any], **data: Any) -> FactShape:
    """Make a fact."""
    raw = {
        "id": f"f{index}",
        "order_id": "o",
        "order_number": "10412",
        "sequence": 20 - index,
        "type": kind,
        "data": {"order": {"currency": "NOK"}, **data},
        "actor": actor,
        "at": NOW - timedelta(minutes=4 * index),
        "cursor": None,
    }
    return msgspec.convert(raw, FactShape)


FACTS = (
    fact(
        1,
        "payment.unknown",
        SYSTEM,
        transaction={"type": "CAPTURE", "amount": 30000, "currency": "NOK"},
    ),
    fact(
        2,
        "payment.capture_requested",
        ANNA,
        transaction={"type": "CAPTURE", "amount": 30000, "currency": "NOK"},
    ),
    fact(
        3,
        "refund.succeeded",
        ANNA,
        refund={"amount": 9900, "currency": "NOK", "reference": "R-10412-1"},
    ),
    fact(
        4,
        "payment.failed",
        ERP,
        transaction={
            "type": "CAPTURE",
            "amount": 40000,
            "currency": "NOK",
            "error_message": "The issuer refused the charge.",
        },
    ),
    fact(
        5, "shipment.shipped", KARI, shipment={"tracking_number": "70727800000000012", "items": []}
    ),
    fact(6, "order.noted", KARI, note={"visibility": "internal"}),
    fact(7, "invoice.set", ANNA, before=None, after="INV-2231"),
    fact(8, "order.state_changed", ANNA, **{"from": "new", "to": "picking"}),
    fact(
        9,
        "payment.captured",
        SYSTEM,
        transaction={"type": "CAPTURE", "amount": 60000, "currency": "NOK"},
    ),
    fact(10, "order.created", ERP),
)


def states() -> list[tuple[OrderState, str]]:
    """List the states of a store with the sentence that closes each."""
    custom = [
        ("picking", "Picking", "PROCESSING", ""),
        (
            "po",
            "Awaiting purchase order",
            "NEW",
            "Money or goods have moved: it goes on as Processing.",
        ),
    ]
    made = [
        (
            one.code,
            one.name,
            one.system_state,
            {
                "completed": "Not every item has been shipped.",
                "cancel_requested": "An order is cancelled with Cancel order.",
            }.get(one.code, ""),
        )
        for one in BUILT_IN_STATES
    ]
    return [
        (OrderState(id=code, store="oslo", code=code, name=name, system_state=system), why)
        for code, name, system, why in [*made[:1], *custom, *made[1:]]
    ]


def known(**more: Any) -> Known:
    """Make what the order page is told beside the order."""
    names = {one.code: one.name for one, _ in states()}
    given: dict[str, Any] = {
        "transactions": MOVEMENTS,
        "timeline": [story.tell(one, names) for one in FACTS],
        "states": states(),
        "gateways": {"sandbox": "Sandbox Card"},
        "methods": {"standard": "Standard", "express": "DHL Express"},
        "older_facts": "/portal/orders/o/timeline?all=1",
        "calls": {"tx-3": [{"request": {"amount": 40000}, "answer": {"error": "do_not_honour"}}]},
    }
    return Known(**(given | more))
