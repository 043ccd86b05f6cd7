"""The shipment: items of one bag that travel together under one tracking number."""

from datetime import datetime

import msgspec

LEFT = ("SHIPPED", "IN_TRANSIT", "DELIVERED", "COULD_NOT_DELIVER", "RETURNED")


class ShipmentItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line and how many of its units are in the parcel."""

    item_id: str
    quantity: int


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One more parcel of a shipment, under a tracking number of its own; weight in grams."""

    tracking_number: str
    tracking_url: str | None = None
    weight_g: int | None = None


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment as stored. Tracking numbers are unique within an order.

    `parcels` are further ones beside that of `tracking_number`. `carrier_status` is the carrier's
    own word. [U-25, domain.md §3]
    """

    id: str
    order_id: str
    bag_id: str
    position: int
    method: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    status: str = "OPEN"
    carrier_status: str | None = None
    items: list[ShipmentItem] = []
    parcels: list[Parcel] = []
    external_id: str | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def numbers(self) -> list[str]:
        """Every tracking number it has: its own, and those of its further parcels."""
        own = [self.tracking_number] if self.tracking_number else []
        return own + [parcel.tracking_number for parcel in self.parcels]

    @property
    def units(self) -> dict[str, int]:
        """How many units of each line are in it, by the line's id."""
        return {part.item_id: part.quantity for part in self.items}
