"""One believable order with everything on it, made of the core's own shapes."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.order.shapes import OrderShape, TransactionShape
from tests.portal.samples import ANNA, ERP, KARI, NOW, SYSTEM, amounts, state


def item(
    index: int, name: str, quantity: int, price: int, delivery: str, **more: Any
) -> dict[str, Any]:
    """Make a line."""
    return {
        "id": f"item-{index}",
        "sku": f"SKU-{index:03d}",
        "name": name,
        "type": "sku",
        "product_id": None,
        "digital": False,
        "quantity": quantity,
        "unit_price": price,
        "line_total": quantity * price,
        "delivery_state": delivery,
        "delivery_label": delivery.capitalize().replace("_", " "),
        "added_in": None,
        "quantity_shipped": 0,
        "quantity_returned": 0,
        "quantity_refunded": 0,
        "quantity_canceled": 0,
        "shipping_method": "standard",
        "shipment_id": None,
        **more,
    }


def parcel(index: int, status: str, **more: Any) -> dict[str, Any]:
    """Make a shipment."""
    doors = {
        "OPEN": ["ship", "update", "split", "merge", "cancel"],
        "SHIPPED": ["in_transit", "deliver", "fail", "return", "update"],
        "IN_TRANSIT": ["deliver", "fail", "return", "update"],
        "COULD_NOT_DELIVER": ["ship", "deliver", "return", "update"],
        "DELIVERED": ["return"],
    }.get(status, [])
    return {
        "id": f"parcel-{index}",
        "order_id": "o",
        "bag_id": "bag-1",
        "status": status,
        "method": "standard",
        "carrier": "Bring",
        "tracking_number": None,
        "tracking_url": None,
        "carrier_status": None,
        "parcels": [],
        "items": [{"item_id": "item-1", "quantity": 2}],
        "external_id": None,
        "shipped_at": None,
        "delivered_at": None,
        "created_at": NOW,
        "updated_at": NOW,
        "allowed_actions": [{"action": one} for one in doors],
        **more,
    }


def bag(index: int, merchant: str, items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Make a bag."""
    total = sum(one["line_total"] for one in items)
    return {
        "id": f"bag-{index}",
        "order_id": "o",
        "merchant": {"code": merchant.lower(), "name": merchant},
        "external_id": None,
        "status": "ACCEPTED",
        "financial_status": "PARTIALLY_PAID",
        "fulfillment_status": "PARTIALLY_SHIPPED",
        "sub_total": total,
        "shipping_total": 4900,
        "tax_total": 0,
        "duty_total": 0,
        "discount_total": 2000,
        "canceled_total": 0,
        "total": total + 2900,
        "amounts": amounts(authorized=total, captured=total // 2),
        "items": items,
        "shipments": [],
        "allowed_actions": [],
        **more,
    }


def order(**more: Any) -> OrderShape:
    """Make the order of the guide: half captured, a capture not known yet, two bags, a hold."""
    first = bag(
        1,
        "Nordic Wool",
        [
            item(1, "Wool sweater, hand-knitted, size M", 2, 19900, "SHIPPED", quantity_shipped=2),
            item(2, "Socks", 3, 9900, "READY", quantity_shipped=1),
            item(
                3,
                "ハット — Hat with a very long name that a supplier wrote in one breath, " * 3,
                1,
                10300,
                "PENDING",
            ),
        ],
        shipments=[
            parcel(
                1,
                "SHIPPED",
                tracking_number="70727800000000012",
                shipped_at=NOW - timedelta(hours=1),
                tracking_url="https://tracking.example/70727800000000012",
            ),
            parcel(2, "OPEN", items=[{"item_id": "item-2", "quantity": 1}]),
        ],
    )
    second = bag(
        2,
        "Fjell AS",
        [item(4, "كتاب الجبال", 1, 30600, "DELIVERED", quantity_shipped=1, quantity_returned=1)],
        status="COMPLETED",
        financial_status="PAID",
        fulfillment_status="DELIVERED",
        discount_total=0,
        canceled_total=0,
        total=35500,
        shipments=[
            parcel(
                3,
                "DELIVERED",
                tracking_number="FJ-20001",
                carrier="Posten",
                items=[{"item_id": "item-4", "quantity": 1}],
                shipped_at=NOW - timedelta(days=1),
                delivered_at=NOW - timedelta(hours=3),
            )
        ],
    )
    sums = amounts(authorized=100000, captured=60000, refunded=9900, pending=30000)
    address = {
        "name": "Ola Nordmann",
        "line1": "Storgata 1",
        "line2": "Oppgang B, 4. etasje",
        "city": "Oslo",
        "postal_code": "0155",
        "country": "NO",
    }
    raw = {
        "id": "0190a000-0000-7000-8000-000000000000",
        "number": "10412",
        "version": 17,
        "store": "oslo",
        "channel": "web",
        "external_id": "web-1001",
        "state": state("PROCESSING", "Picking"),
        "display_status": "Picking",
        "financial_status": "PARTIALLY_REFUNDED",
        "fulfillment_status": "PARTIALLY_SHIPPED",
        "fraud_status": "PASSED",
        "holds": [
            {
                "handle": "address",
                "reason_code": "INCORRECT_ADDRESS",
                "note": "Street number is missing",
                "blocks": ["shipment"],
                "placed_by": KARI,
                "placed_at": NOW - timedelta(days=1),
                "owner": None,
                "due_at": None,
                "auto_release_at": None,
            }
        ],
        "fraud_review": None,
        "currency": "NOK",
        "sub_total": 90000,
        "shipping_total": 9800,
        "tax_total": 0,
        "duty_total": 0,
        "discount_total": 2000,
        "canceled_total": 0,
        "total": 100000,
        "amounts": sums,
        "customer": {
            "first_name": "Ola",
            "last_name": "Nordmann",
            "email": "ola@example.no",
            "phone": "+47 912 34 567",
        },
        "billing_address": address,
        "shipping_address": address,
        "shipping_method": "standard",
        "invoice_number": "INV-2231",
        "merchant_reference": "PO-77",
        "tags": ["vip", "b2b"],
        "is_test": False,
        "exchange_for": None,
        "bags": [first, second],
        "payments": [
            {
                "id": "pay-1",
                "order_id": "o",
                "amount": 100000,
                "warned_at": None,
                "renews": None,
                "redirect_url": None,
                "gateway": "sandbox",
                "flow": "auth",
                "status": "PARTIALLY_CAPTURED",
                "currency": "NOK",
                "reference": "auth-77",
                "provider_reference": "sbx_8f3a21c0",
                "authorized_at": NOW,
                "acknowledged_at": None,
                "expires_at": NOW + timedelta(hours=23),
                "attention": None,
                "amounts": sums,
                "created_at": NOW,
                "allowed_actions": [],
            }
        ],
        "refunds": [
            {
                "id": "ref-1",
                "order_id": "o",
                "bag_id": None,
                "reference": "R-10412-1",
                "status": "COMPLETED",
                "amount": 9900,
                "currency": "NOK",
                "reason": "Too small",
                "reason_code": "CUSTOMER",
                "allocations": [
                    {"bag_id": "bag-1", "amount": 6600},
                    {"bag_id": "bag-2", "amount": 3300},
                ],
                "lines": [{"item_id": "item-2", "quantity": 1, "amount": 9900}],
                "shipping_amount": None,
                "tax_amount": 0,
                "fee_amount": 0,
                "return_id": None,
                "restock_items": True,
                "notify_customer": False,
                "external_id": None,
                "actor": ANNA,
                "created_at": NOW,
                "updated_at": NOW,
                "allowed_actions": [],
            }
        ],
        "returns": [],
        "notes": [
            {
                "id": "n1",
                "body": "Called about the address.\nCalls back on Monday.",
                "visibility": "internal",
                "author": KARI,
                "created_at": NOW - timedelta(days=1),
            },
            {
                "id": "n2",
                "body": "أهلا وسهلا",
                "visibility": "customer",
                "author": ANNA,
                "created_at": NOW - timedelta(hours=2),
            },
        ],
        "attention": ["money_unknown", "on_hold"],
        "allowed_actions": [
            {"action": "capture", "max_amount": 10000},
            {"action": "void", "max_amount": 10000},
            {"action": "refund", "max_amount": 50100},
            {"action": "cancel"},
        ],
        "placed_at": NOW - timedelta(days=2),
        "created_at": NOW,
        "updated_at": NOW,
        **more,
    }
    return msgspec.convert(raw, OrderShape)


def movement(index: int, kind: str, status: str, minor: int, **more: Any) -> TransactionShape:
    """Make a transaction."""
    raw = {
        "id": f"tx-{index}",
        "payment_id": "pay-1",
        "order_id": "o",
        "bag_id": None,
        "refund_id": None,
        "type": kind,
        "status": status,
        "amount": minor,
        "currency": "NOK",
        "allocations": [],
        "reference": None,
        "gateway_transaction_id": f"sbx_tx_{index:08x}",
        "error_code": None,
        "error_message": None,
        "source": "portal",
        "actor": ANNA,
        "created_at": NOW - timedelta(minutes=3 * index),
        "settled_at": None,
        **more,
    }
    return msgspec.convert(raw, TransactionShape)


MOVEMENTS = (
    movement(1, "CAPTURE", "UNKNOWN", 30000, gateway_transaction_id=None),
    movement(2, "REFUND", "SUCCEEDED", 9900, reference="R-10412-1"),
    movement(
        3,
        "CAPTURE",
        "FAILED",
        40000,
        error_code="do_not_honour",
        error_message="The issuer refused the charge.",
        actor=ERP,
        source="api",
    ),
    movement(4, "CAPTURE", "SUCCEEDED", 60000, actor=SYSTEM, source="sync"),
    movement(5, "AUTHORIZE", "SUCCEEDED", 100000, reference="auth-77", actor=ERP, source="api"),
)
