"""Bodies to begin with, by the operation they belong to; each is a request that works."""

from typing import Any

_ORDER: dict[str, Any] = {
    "external_id": "web-1001",
    "currency": "EUR",
    "placed_at": "2026-11-20T10:15:00Z",
    "customer": {
        "email": "kari@example.com", "first_name": "Kari", "last_name": "Nordmann",
        "phone": "+4791234567",
    },
    "billing_address": {
        "line1": "Storgata 1", "city": "Oslo", "postal_code": "0155", "country": "NO",
    },
    "shipping_address": {
        "name": "Kari Nordmann", "line1": "Storgata 1", "city": "Oslo", "postal_code": "0155",
        "country": "NO",
    },
    "shipping_method": "standard",
    "bags": [
        {
            "merchant": "acme",
            "shipping_total": 500,
            "items": [{"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": 1250}],
        },
        {
            "merchant": "zeta",
            "items": [{"sku": "TEE-M", "name": "T-shirt, M", "quantity": 1, "unit_price": 2000}],
        },
    ],
    "payment": {"gateway": "manual", "flow": "auth", "amount": 5000, "reference": "auth-77"},
    "tags": ["vip"],
}
EXAMPLES: dict[str, dict[str, Any] | str] = {
    "place_order": _ORDER,
    "place_orders": _ORDER,
    "edit_order": {"invoice_number": "F-1001", "tags": ["vip", "gift"]},
    "put_in_state": {"state": "processing"},
    "capture_payment": {"amount": 2000},
    "void_payment": {"amount": 1000},
    "open_payment": {"gateway": "manual", "flow": "auth", "amount": 2000},
    "decide_about_payment": {"decision": "happened", "note": "Seen in the provider's console."},
    "end_task": {"note": "Refunded by bank transfer."},
    "refund_order": {"reference": "R-1", "amount": 700, "reason": "Chipped",
                     "reason_code": "CUSTOMER"},
    "refund_bag": {"amount_refunded": 700, "reason": "Chipped"},
    "approve_refund": {"note": "Agreed with the customer by telephone."},
    "reject_refund": {"note": "The parcel has not come back yet."},
    "cancel_order": {"reason": "Changed their mind", "reason_code": "CUSTOMER",
                     "notify_customer": True, "restock_items": True},
    "write_note": {"body": "Rang the bell twice.", "visibility": "internal"},
    "make_shipment": {"carrier": "Posten", "tracking_number": "PN-1"},
    "change_shipment": {"tracking_number": "PN-2"},
    "make_store": {"code": "norge", "name": "Norge", "currency": "NOK", "number_prefix": "N-",
                   "scopes": ["partial_capture"], "create_merchants": True},
    "edit_store": {"name": "Norge", "scopes": ["partial_capture"]},
    "save_letter_template": {
        "subject": "Your order {{ number }} was cancelled",
        "body": "<p>Hello {{ name }},</p>\n<p>order {{ number }} was cancelled.</p>",
    },
    "preview_letter_template": {"subject": "Order {{ number }}", "body": "<p>{{ name }}</p>"},
    "resend": {"recipient": "kari@example.com"},
    "place_hold": {"handle": "address", "reason_code": "INCORRECT_ADDRESS",
                   "note": "The house number is missing.", "blocks": ["shipment"]},
    "decide_fraud_review": {"decision": "open", "note": "Three cards were tried."},
    "save_review_rules": {
        "amount_over": {"EUR": 50_000}, "countries_differ": True,
        "velocity": {"orders": 3, "hours": 24},
        "blocked": {"emails": ["nobody@example.com"], "domains": [], "countries": []},
    },
    "try_review_rules": {"order_id": "01890000-0000-7000-8000-000000000000",
                         "rules": {"first_order": True}},
    "make_merchant": {"code": "acme", "name": "Acme"},
    "edit_merchant": {"name": "Acme Ltd"},
    "make_gateway": {"code": "card", "kind": "sandbox",
                     "settings": {"base_url": "http://127.0.0.1:8790"},
                     "credentials": {"api_key": "sandbox"}},
    "edit_gateway": {"enabled": False},
    "take_settlement_file": "reference,gateway_transaction_id,type,amount,fee,currency,settled_at"
    "\r\n01a2005c-7e1d-7aaa-8000-5d7f8a2b1c0e,op_5f1c,capture,50.00,0.95,EUR,2026-11-20T10:15:00Z"
    "\r\n",
    "start_run": {"gateway": "card", "since": "2026-11-01T00:00:00Z"},
    "resolve_line": {"note": "Refunded at the provider's console; agreed with the shopper."},
    "make_state": {"code": "picking", "name": "Picking", "system_state": "PROCESSING",
                   "colour": "teal", "description": "In the warehouse"},
    "edit_state": {"description": "In the warehouse, first floor", "position": 3},
    "migrate_orders": {"to": "processing", "dry_run": True},
    "make_method": {"code": "bike", "name": "By bicycle", "carrier": "Local riders",
                    "tracking_url": "https://track.example.com/{tracking_number}"},
    "edit_method": {"enabled": False},
    "make_key": {"name": "warehouse", "scopes": ["orders:read", "shipments:write"],
                 "merchants": None},
}
