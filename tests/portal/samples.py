"""Believable orders for the portal's templates: several scripts, currencies and states.

They are made of the core's own shapes, so a shape that changes breaks here first.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from counterfoil.order.config import BUILT_IN_STATES
from counterfoil.order.shapes import SummaryShape
from counterfoil.portal.pages import Frame

NOW = datetime(2026, 11, 21, 11, 43, 20, tzinfo=UTC)
ANNA = {"kind": "user", "id": "u1", "name": "Anna Berg"}
KARI = {"kind": "user", "id": "u2", "name": "Kari Lie"}
SYSTEM = {"kind": "system", "id": "system", "name": "Counterfoil"}
ERP = {"kind": "key", "id": "k1", "name": "ERP"}

FRAME = Frame(
    person="Anna Berg",
    email="anna@example.no",
    account="Nordlys Handel",
    zone="Europe/Oslo",
    csrf="csrf-token",
    rights=frozenset({"*"}),
    here="open",
    path="/portal/orders/open",
    open_orders=(1204, False),
    to_settle=2,
    now=NOW,
)

NAMES = (
    ("Ola", "Nordmann", "NO"),
    ("محمد", "الأحمد", "KW"),
    ("株式会社", "サンプル", "JP"),
    ("Þórunn Ægisdóttir-Hallgrímsson", "af Skarðsströnd og Dalasýslu", "IS"),
    ("Mae", "Jemison", "US"),
    ("Nguyễn", "Thị Minh Khai", "VN"),
    ("Siobhán", "Ní Dhuibhir", "IE"),
    ("Александра", "Константинопольская", "KZ"),
    ("Zoë", "Müller-Lüdenscheidt", "DE"),
    ("प्रिया", "शर्मा", "IN"),
    ("יעל", "כהן", "IL"),
    ("김", "민준", "KR"),
)


def amounts(**given: int) -> dict[str, int]:
    """Make amounts whose sums agree."""
    names = (
        "authorized",
        "captured",
        "voided",
        "expired",
        "refunded",
        "pending",
        "refund_pending",
        "due",
    )
    made = {name: given.get(name, 0) for name in names}
    made["open"] = made["authorized"] - made["captured"] - made["voided"] - made["expired"]
    made["open"] -= made["pending"]
    made["refundable"] = made["captured"] - made["refunded"] - made["refund_pending"]
    return made


def state(system: str, name: str = "") -> dict[str, str]:
    """Make a state: built in, or a custom one that counts as a system state."""
    known = next(one for one in BUILT_IN_STATES if one.system_state == system)
    code = name.lower() if name else known.code
    return {
        "code": code,
        "name": name or known.name,
        "system_state": system,
        "colour": known.colour,
    }


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
    (
        "PROCESSING",
        "Awaiting purchase order",
        "PENDING",
        "COULD_NOT_DELIVER",
        "ISK",
        1741560,
        (1000, 0),
    ),
)


def summary(index: int) -> SummaryShape:
    """Make the summary of one order of the mix."""
    system, name, financial, fulfilment, currency, total, (held, taken) = MIX[index % len(MIX)]
    first, last, country = NAMES[index % len(NAMES)]
    sums = amounts(
        authorized=total * held // 1000,
        captured=total * taken // 1000,
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
        "id": f"0190a000-0000-7000-8000-{index:012d}",
        "number": str(10412 - index),
        "version": 4,
        "store": "oslo" if index % 3 else "nordic-outlet-b2b",
        "channel": "web",
        "external_id": None,
        "state": state(system, name),
        "display_status": "New",
        "financial_status": financial,
        "fulfillment_status": fulfilment,
        "fraud_status": "PENDING" if index == 2 else "NOT_REQUIRED",
        "on_hold": index in (2, 7),
        "currency": currency,
        "sub_total": total,
        "shipping_total": 0,
        "tax_total": 0,
        "duty_total": 0,
        "discount_total": 0,
        "total": total,
        "amounts": sums,
        "customer": {"first_name": first, "last_name": last, "email": "ola@example.no"},
        "shipping_address": {"country": country},
        "shipping_method": "standard",
        "invoice_number": None,
        "merchant_reference": None,
        "tags": [],
        "is_test": index == 5,
        "units": {"live": 3, "shipped": 2 if fulfilment == "PARTIALLY_SHIPPED" else 0},
        "attention": {
            0: ["money_unknown", "on_hold"],
            2: ["in_review"],
            7: ["cancellation_unfinished"],
            11: ["money_unknown", "could_not_deliver"],
        }.get(index, []),
        "allowed_actions": doors,
        "placed_at": placed,
        "created_at": placed,
        "updated_at": placed,
    }
    return msgspec.convert(raw, SummaryShape)
