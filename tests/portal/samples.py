"""Believable orders for the portal's templates: several scripts, currencies and states.

They are made of the core's own shapes, so a shape that changes breaks here first.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from counterfoil.order.config import BUILT_IN_STATES, OrderState
from counterfoil.order.shapes import FactShape, OrderShape, SummaryShape, TransactionShape
from counterfoil.portal import story
from counterfoil.portal.order_view import Known
from counterfoil.portal.pages import Frame

NOW = datetime(2026, 11, 21, 11, 43, 20, tzinfo=UTC)
ANNA = {"kind": "user", "id": "u1", "name": "Anna Berg"}
KARI = {"kind": "user", "id": "u2", "name": "Kari Lie"}
SYSTEM = {"kind": "system", "id": "system", "name": "Counterfoil"}
ERP = {"kind": "key", "id": "k1", "name": "ERP"}

FRAME = Frame(
    person="Anna Berg", email="anna@example.no", account="Nordlys Handel", zone="Europe/Oslo",
    csrf="csrf-token", rights=frozenset({"*"}), here="open", path="/portal/orders/open",
    open_orders=(1204, False), to_settle=2, now=NOW,
)

NAMES = (
    ("Ola", "Nordmann", "NO"), ("محمد", "الأحمد", "KW"), ("株式会社", "サンプル", "JP"),
    ("Þórunn Ægisdóttir-Hallgrímsson", "af Skarðsströnd og Dalasýslu", "IS"),
    ("Mae", "Jemison", "US"), ("Nguyễn", "Thị Minh Khai", "VN"), ("Siobhán", "Ní Dhuibhir", "IE"),
    ("Александра", "Константинопольская", "KZ"), ("Zoë", "Müller-Lüdenscheidt", "DE"),
    ("प्रिया", "शर्मा", "IN"), ("יעל", "כהן", "IL"), ("김", "민준", "KR"),
)


def amounts(**given: int) -> dict[str, int]:
    """Make amounts whose sums agree."""
    names = ("authorized", "captured", "voided", "expired", "refunded", "pending",
             "refund_pending", "due")
    made = {name: given.get(name, 0) for name in names}
    made["open"] = made["authorized"] - made["captured"] - made["voided"] - made["expired"]
    made["open"] -= made["pending"]
    made["refundable"] = made["captured"] - made["refunded"] - made["refund_pending"]
    return made


def state(system: str, name: str = "") -> dict[str, str]:
    """Make a state: built in, or a custom one that counts as a system state."""
    known = next(one for one in BUILT_IN_STATES if one.system_state == system)
    code = name.lower() if name else known.code
    return {"code": code, "name": name or known.name, "system_state": system,
            "colour": known.colour}


#: state, custom name, financial, fulfilment, currency, total, the amounts' parts in thousandths
MIX = (
    ("PROCESSING", "Picking", "PARTIALLY_PAID", "PARTIALLY_SHIPPED", "NOK", 100000, (1000, 600)),
    ("NEW", "", "AUTHORIZED", "PROCESSING", "KWD", 12345, (1000, 0)),
    ("SUSPENDED", "", "PAID", "PROCESSING", "JPY", 98000, (1000, 1000)),
    ("PROCESSING", "", "PAID", "PARTIALLY_SHIPPED", "NOK", 237708, (1000, 1000)),
    ("NEW", "", "UNPAID", "PROCESSING", "EUR", 822622, (0, 0)),
    ("FRAUD", "", "AUTHORIZED", "PROCESSING", "USD", 99764, (1000, 0)),
    ("PROCESSING", "", "PARTIALLY_REFUNDED", "SHIPPED", "EUR", 177824, (1000, 1000)),
    ("CANCEL_REQUESTED", "", "PARTIALLY_PAID", "PROCESSING", "NOK", 1901163, (1000, 500)),
    ("COMPLETED", "", "PAID", "DELIVERED", "NOK", 900139, (1000, 1000)),
    ("COMPLETED", "", "REFUNDED", "RETURNED", "EUR", 900013, (1000, 1000)),
    ("CANCELED", "", "VOIDED", "PROCESSING", "NOK", 449314, (1000, 0)),
    ("PROCESSING", "Awaiting purchase order", "PENDING", "COULD_NOT_DELIVER", "ISK", 1741560, (1000, 0)),
)


def summary(index: int) -> SummaryShape:
    """Make the summary of one order of the mix."""
    system, name, financial, fulfilment, currency, total, (held, taken) = MIX[index % len(MIX)]
    first, last, country = NAMES[index % len(NAMES)]
    sums = amounts(
        authorized=total * held // 1000, captured=total * taken // 1000,
        voided=total if financial == "VOIDED" else 0,
        refunded={"PARTIALLY_REFUNDED": 9900, "REFUNDED": total}.get(financial, 0),
        pending=total // 4 if financial == "PENDING" else 0,
    )
    closed = system in ("CANCELED", "CANCEL_REQUESTED")
    doors: list[dict[str, Any]] = []
    if sums["open"] and system not in ("FRAUD", "CANCELED", "CANCEL_REQUESTED"):
        doors.append({"action": "capture", "max_amount": sums["open"]})
    if sums["open"] and not closed:
        doors.append({"action": "void", "max_amount": sums["open"]})
    if sums["refundable"] and not closed:
        doors.append({"action": "refund", "max_amount": sums["refundable"]})
    placed = NOW - timedelta(minutes=7 * index, days=index // 5)
    raw = {
        "id": f"0190a000-0000-7000-8000-{index:012d}", "number": str(10412 - index), "version": 4,
        "store": "oslo" if index % 3 else "nordic-outlet-b2b", "channel": "web",
        "external_id": None, "state": state(system, name), "display_status": "New",
        "financial_status": financial, "fulfillment_status": fulfilment,
        "fraud_status": "PENDING" if index == 2 else "NOT_REQUIRED", "on_hold": index in (2, 7),
        "currency": currency, "sub_total": total, "shipping_total": 0, "tax_total": 0,
        "duty_total": 0, "discount_total": 0, "total": total, "amounts": sums,
        "customer": {"first_name": first, "last_name": last, "email": "ola@example.no"},
        "shipping_address": {"country": country}, "shipping_method": "standard",
        "invoice_number": None, "merchant_reference": None, "tags": [], "is_test": index == 5,
        "units": {"live": 3, "shipped": 2 if fulfilment == "PARTIALLY_SHIPPED" else 0},
        "attention": {0: ["money_unknown", "on_hold"], 2: ["in_review"], 7: ["cancellation_unfinished"],
                      11: ["money_unknown", "could_not_deliver"]}.get(index, []),
        "allowed_actions": doors, "placed_at": placed, "created_at": placed, "updated_at": placed,
    }
    return msgspec.convert(raw, SummaryShape)


def item(index: int, name: str, quantity: int, price: int, delivery: str, **more: Any) -> dict[str, Any]:
    """Make a line."""
    return {
        "id": f"item-{index}", "sku": f"SKU-{index:03d}", "name": name, "type": "sku",
        "product_id": None, "digital": False, "quantity": quantity, "unit_price": price,
        "line_total": quantity * price, "delivery_state": delivery, "quantity_shipped": 0,
        "quantity_returned": 0, "quantity_refunded": 0, "quantity_canceled": 0,
        "shipping_method": "standard", "shipment_id": None, **more,
    }


def parcel(index: int, status: str, **more: Any) -> dict[str, Any]:
    """Make a shipment."""
    doors = {"OPEN": ["ship", "update"], "SHIPPED": ["deliver", "update"]}.get(status, [])
    return {
        "id": f"parcel-{index}", "order_id": "o", "bag_id": "bag-1", "status": status,
        "method": "standard", "carrier": "Bring", "tracking_number": None, "tracking_url": None,
        "items": [{"item_id": "item-1", "quantity": 2}], "external_id": None, "shipped_at": None,
        "delivered_at": None, "created_at": NOW, "updated_at": NOW,
        "allowed_actions": [{"action": one} for one in doors], **more,
    }


def bag(index: int, merchant: str, items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Make a bag."""
    total = sum(one["line_total"] for one in items)
    return {
        "id": f"bag-{index}", "order_id": "o", "merchant": {"code": merchant.lower(), "name": merchant},
        "external_id": None, "status": "ACCEPTED", "financial_status": "PARTIALLY_PAID",
        "fulfillment_status": "PARTIALLY_SHIPPED", "sub_total": total, "shipping_total": 4900,
        "tax_total": 0, "duty_total": 0, "discount_total": 2000, "total": total + 2900,
        "amounts": amounts(authorized=total, captured=total // 2), "items": items, "shipments": [],
        "allowed_actions": [], **more,
    }


def order(**more: Any) -> OrderShape:
    """Make the order of the guide: half captured, a capture not known yet, two bags, a hold."""
    first = bag(1, "Nordic Wool", [
        item(1, "Wool sweater, hand-knitted, size M", 2, 19900, "SHIPPED", quantity_shipped=2),
        item(2, "Socks", 3, 9900, "READY", quantity_shipped=1),
        item(3, "ハット — Hat with a very long name that a supplier wrote in one breath, " * 3, 1, 10300,
             "PENDING"),
    ], shipments=[
        parcel(1, "SHIPPED", tracking_number="70727800000000012", shipped_at=NOW - timedelta(hours=1),
               tracking_url="https://tracking.example/70727800000000012"),
        parcel(2, "OPEN", items=[{"item_id": "item-2", "quantity": 1}]),
    ])
    second = bag(2, "Fjell AS", [item(4, "كتاب الجبال", 1, 30600, "DELIVERED", quantity_shipped=1,
                                      quantity_returned=1)],
                 status="COMPLETED", financial_status="PAID", fulfillment_status="DELIVERED",
                 discount_total=0, total=35500)
    sums = amounts(authorized=100000, captured=60000, refunded=9900, pending=30000)
    address = {"name": "Ola Nordmann", "line1": "Storgata 1", "line2": "Oppgang B, 4. etasje",
               "city": "Oslo", "postal_code": "0155", "country": "NO"}
    raw = {
        "id": "0190a000-0000-7000-8000-000000000000", "number": "10412", "version": 17,
        "store": "oslo", "channel": "web", "external_id": "web-1001", "state": state("PROCESSING", "Picking"),
        "display_status": "Picking", "financial_status": "PARTIALLY_REFUNDED",
        "fulfillment_status": "PARTIALLY_SHIPPED", "fraud_status": "PASSED",
        "holds": [{"handle": "address", "reason_code": "INCORRECT_ADDRESS",
                   "note": "Street number is missing", "blocks": ["shipment"], "placed_by": KARI,
                   "placed_at": NOW - timedelta(days=1), "due_at": None}],
        "currency": "NOK", "sub_total": 90000, "shipping_total": 9800, "tax_total": 0,
        "duty_total": 0, "discount_total": 2000, "total": 100000, "amounts": sums,
        "customer": {"first_name": "Ola", "last_name": "Nordmann", "email": "ola@example.no",
                     "phone": "+47 912 34 567"},
        "billing_address": address, "shipping_address": address, "shipping_method": "standard",
        "invoice_number": "INV-2231", "merchant_reference": "PO-77", "tags": ["vip", "b2b"],
        "is_test": False, "bags": [first, second],
        "payments": [{"id": "pay-1", "gateway": "sandbox", "flow": "auth", "status": "PARTIALLY_CAPTURED",
                      "currency": "NOK", "reference": "auth-77", "provider_reference": "sbx_8f3a21c0",
                      "authorized_at": NOW, "acknowledged_at": None,
                      "expires_at": NOW + timedelta(hours=23), "attention": None, "amounts": sums,
                      "created_at": NOW, "allowed_actions": []}],
        "refunds": [{"id": "ref-1", "order_id": "o", "bag_id": None, "reference": "R-10412-1",
                     "status": "COMPLETED", "amount": 9900, "currency": "NOK", "reason": "Too small",
                     "reason_code": "CUSTOMER",
                     "allocations": [{"bag_id": "bag-1", "amount": 6600}, {"bag_id": "bag-2", "amount": 3300}],
                     "lines": [{"item_id": "item-2", "quantity": 1, "amount": 9900}],
                     "shipping_amount": None, "tax_amount": 0, "restock_items": True,
                     "notify_customer": False, "external_id": None, "actor": ANNA, "created_at": NOW,
                     "updated_at": NOW, "allowed_actions": []}],
        "returns": [], "notes": [
            {"id": "n1", "body": "Called about the address.\nCalls back on Monday.",
             "visibility": "internal", "author": KARI, "created_at": NOW - timedelta(days=1)},
            {"id": "n2", "body": "أهلا وسهلا", "visibility": "customer", "author": ANNA,
             "created_at": NOW - timedelta(hours=2)}],
        "attention": ["money_unknown", "on_hold"],
        "allowed_actions": [{"action": "capture", "max_amount": 10000},
                            {"action": "void", "max_amount": 10000},
                            {"action": "refund", "max_amount": 50100}, {"action": "cancel"}],
        "placed_at": NOW - timedelta(days=2), "created_at": NOW, "updated_at": NOW, **more,
    }
    return msgspec.convert(raw, OrderShape)


def movement(index: int, kind: str, status: str, minor: int, **more: Any) -> TransactionShape:
    """Make a transaction."""
    raw = {
        "id": f"tx-{index}", "payment_id": "pay-1", "order_id": "o", "bag_id": None, "refund_id": None,
        "type": kind, "status": status, "amount": minor, "currency": "NOK", "allocations": [],
        "reference": None, "gateway_transaction_id": f"sbx_tx_{index:08x}", "error_code": None,
        "error_message": None, "source": "portal", "actor": ANNA,
        "created_at": NOW - timedelta(minutes=3 * index), "settled_at": None, **more,
    }
    return msgspec.convert(raw, TransactionShape)


MOVEMENTS = (
    movement(1, "CAPTURE", "UNKNOWN", 30000, gateway_transaction_id=None),
    movement(2, "REFUND", "SUCCEEDED", 9900, reference="R-10412-1"),
    movement(3, "CAPTURE", "FAILED", 40000, error_code="do_not_honour",
             error_message="The issuer refused the charge.", actor=ERP, source="api"),
    movement(4, "CAPTURE", "SUCCEEDED", 60000, actor=SYSTEM, source="sync"),
    movement(5, "AUTHORIZE", "SUCCEEDED", 100000, reference="auth-77", actor=ERP, source="api"),
)


def fact(index: int, kind: str, actor: dict[str, Any], **data: Any) -> FactShape:
    """Make a fact."""
    raw = {"id": f"f{index}", "order_id": "o", "order_number": "10412", "sequence": 20 - index,
           "type": kind, "data": {"order": {"currency": "NOK"}, **data}, "actor": actor,
           "at": NOW - timedelta(minutes=4 * index), "cursor": None}
    return msgspec.convert(raw, FactShape)


FACTS = (
    fact(1, "payment.unknown", SYSTEM, transaction={"type": "CAPTURE", "amount": 30000, "currency": "NOK"}),
    fact(2, "payment.capture_requested", ANNA, transaction={"type": "CAPTURE", "amount": 30000, "currency": "NOK"}),
    fact(3, "refund.succeeded", ANNA, refund={"amount": 9900, "currency": "NOK", "reference": "R-10412-1"}),
    fact(4, "payment.failed", ERP, transaction={"type": "CAPTURE", "amount": 40000, "currency": "NOK",
                                               "error_message": "The issuer refused the charge."}),
    fact(5, "shipment.shipped", KARI, shipment={"tracking_number": "70727800000000012", "items": []}),
    fact(6, "order.noted", KARI, note={"visibility": "internal"}),
    fact(7, "invoice.set", ANNA, before=None, after="INV-2231"),
    fact(8, "order.state_changed", ANNA, **{"from": "new", "to": "picking"}),
    fact(9, "payment.captured", SYSTEM, transaction={"type": "CAPTURE", "amount": 60000, "currency": "NOK"}),
    fact(10, "order.created", ERP),
)


def states() -> list[tuple[OrderState, str]]:
    """List the states of a store with the sentence that closes each."""
    custom = [("picking", "Picking", "PROCESSING", ""), ("po", "Awaiting purchase order", "NEW",
              "Money or goods have moved: it goes on as Processing.")]
    made = [(one.code, one.name, one.system_state, {
        "completed": "Not every item has been shipped.",
        "cancel_requested": "An order is cancelled with Cancel order."}.get(one.code, ""))
        for one in BUILT_IN_STATES]
    return [
        (OrderState(id=code, store="oslo", code=code, name=name, system_state=system), why)
        for code, name, system, why in [*made[:1], *custom, *made[1:]]
    ]


def known(**more: Any) -> Known:
    """Make what the order page is told beside the order."""
    names = {one.code: one.name for one, _ in states()}
    given: dict[str, Any] = {
        "transactions": MOVEMENTS, "timeline": [story.tell(one, names) for one in FACTS],
        "states": states(), "gateways": {"sandbox": "Sandbox Card"},
        "unpacked": {"bag-1": 2, "bag-2": 0}, "older_facts": "/portal/orders/o/timeline?all=1",
        "calls": {"tx-3": [{"request": {"amount": 40000}, "answer": {"error": "do_not_honour"}}]},
    }
    return Known(**(given | more))
