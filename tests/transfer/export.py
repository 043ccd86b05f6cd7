"""Writes order exports the way Shopify's admin does, out of a few cells that matter."""

from __future__ import annotations

import csv
import io
from typing import Any

ADDRESS = [
    *("Name", "Street", "Address1", "Address2", "Company", "City", "Zip"),
    *("Province", "Country", "Phone"),
]
HEADER = [
    *("Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at"),
    *("Accepts Marketing", "Currency", "Subtotal", "Shipping", "Taxes", "Total", "Discount Code"),
    *("Discount Amount", "Shipping Method", "Created at", "Lineitem quantity", "Lineitem name"),
    *("Lineitem price", "Lineitem compare at price", "Lineitem sku", "Lineitem requires shipping"),
    *("Lineitem taxable", "Lineitem fulfillment status"),
    *(f"{kind} {part}" for kind in ("Billing", "Shipping") for part in ADDRESS),
    *("Notes", "Note Attributes", "Cancelled at", "Payment Method", "Payment Reference"),
    *("Refunded Amount", "Vendor", "Outstanding Balance", "Employee", "Location", "Device ID"),
    *("Id", "Tags", "Risk Level", "Source", "Lineitem discount"),
    *(f"Tax {number} {part}" for number in range(1, 6) for part in ("Name", "Value")),
    *("Phone", "Receipt Number", "Duties", "Billing Province Name", "Shipping Province Name"),
    *("Payment ID", "Payment Terms Name", "Next Payment Due At", "Payment References"),
]

ORDER = {
    "Name": "#1001",
    "Email": "kari@example.com",
    "Financial Status": "paid",
    "Paid at": "2026-10-01 10:00:20 +0200",
    "Fulfillment Status": "unfulfilled",
    "Currency": "EUR",
    "Subtotal": "25.00",
    "Shipping": "5.00",
    "Taxes": "0.00",
    "Total": "30.00",
    "Discount Amount": "0.00",
    "Shipping Method": "Standard",
    "Created at": "2026-10-01 10:00:00 +0200",
    "Id": "5001",
}
LINE = {
    "Name": "#1001",
    "Lineitem quantity": "2",
    "Lineitem name": "Mug",
    "Lineitem price": "12.50",
    "Lineitem sku": "MUG-1",
    "Lineitem requires shipping": "true",
    "Lineitem fulfillment status": "pending",
    "Lineitem discount": "0.00",
    "Vendor": "Acme",
}


def row(*parts: dict[str, str], **cells: str) -> dict[str, str]:
    """Put a row together; words of a keyword are joined with `_`."""
    found: dict[str, str] = {}
    for part in parts:
        found |= part
    named = {name.casefold().replace(" ", "_"): name for name in HEADER}
    return found | {named[key]: value for key, value in cells.items()}


def order(*lines: dict[str, str], **cells: str) -> list[dict[str, str]]:
    """Write an order: its first line beside its own cells, the others as continuation rows."""
    own = row(ORDER, **cells)
    lines = lines or (LINE,)
    name = {"Name": own["Name"]}
    return [{**lines[0], **own}, *({**line, **name} for line in lines[1:])]


def line(**cells: str) -> dict[str, str]:
    """Write a line item, a mug where nothing else is said."""
    return row(LINE, **cells)


def export(*orders: list[dict[str, str]], **dialect: Any) -> bytes:
    """Write a file of orders."""
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER, restval="", lineterminator="\n", **dialect)
    writer.writeheader()
    for rows in orders:
        writer.writerows(rows)
    return out.getvalue().encode("utf-8", "surrogateescape")
