"""Shipments as they stand in their list."""

from datetime import datetime
from typing import NamedTuple

from counterfoil.book.shipments import ListedShipment
from counterfoil.portal import words
from counterfoil.portal.figures import ago
from counterfoil.portal.words import Word

LINES_SHOWN = 3


class ShipmentRow(NamedTuple):
    """A shipment in the list, with the words of its cells."""

    shipment: ListedShipment
    word: Word
    customer: str
    country: str
    merchant: str
    lines: list[str]
    more: int
    numbers: list[str]
    age: str


def shipment_row(one: ListedShipment, now: datetime) -> ShipmentRow:
    """Put a shipment into the words of its row."""
    known, to = one.customer, one.shipping_address or {}
    name = " ".join(str(known[key]) for key in ("first_name", "last_name") if known.get(key))
    lines = [f"{part.quantity} × {one.names.get(part.item_id, '')}" for part in one.items]
    own = [one.tracking_number] if one.tracking_number else []
    return ShipmentRow(
        shipment=one,
        word=words.look("shipment", one.status),
        customer=str(to.get("name") or name or known.get("email") or "No name"),
        country=str(to.get("country") or ""),
        merchant=one.merchant_name or one.merchant,
        lines=lines[:LINES_SHOWN],
        more=len(lines[LINES_SHOWN:]),
        numbers=own + [parcel.tracking_number for parcel in one.parcels],
        age=ago(one.shipped_at or one.created_at, now),
    )
