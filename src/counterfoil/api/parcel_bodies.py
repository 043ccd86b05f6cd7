"""The bodies of requests about goods on their way; unknown fields are refused."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.api.bodies import Code, Id, Reference
from counterfoil.order.intake import Quantity
from counterfoil.order.shipment import Parcel

Grams = Annotated[int, Meta(ge=1, le=100_000_000)]
DeliveryState = Literal[
    "PENDING", "PROCESSING", "READY", "BACKORDERED", "SHIPPED", "IN_TRANSIT", "DELIVERED",
    "COULD_NOT_DELIVER", "RETURNED", "CANCELED",
]  # fmt: skip


class PartBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line and how many of its units go into the parcel."""

    item_id: Id
    quantity: Quantity


class ParcelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One more parcel of the shipment, under a number of its own; its weight in grams."""

    tracking_number: Reference
    weight_g: Grams | None = None

    def parcel(self) -> Parcel:
        """Tell it as the domain does."""
        return Parcel(tracking_number=self.tracking_number, weight_g=self.weight_g)


Parts = Annotated[list[PartBody], Meta(max_length=1000)]
Parcels = Annotated[list[ParcelBody], Meta(max_length=100)]


class ShipmentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A parcel; without items it takes all that is in none yet and not on back order."""

    items: Parts = []
    method: Code | None = None
    carrier: Reference | None = None
    tracking_number: Reference | None = None
    parcels: Parcels = []
    external_id: Reference | None = None


class ShippingChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a parcel; absent fields stay, and `parcels` takes the list's place."""

    tracking_number: Reference | UnsetType | None = UNSET
    carrier: Reference | UnsetType | None = UNSET
    method: Code | UnsetType = UNSET
    parcels: Parcels | UnsetType = UNSET


class SplitBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What moves into a shipment of its own, and how that one travels; as before where absent."""

    items: Annotated[list[PartBody], Meta(min_length=1, max_length=1000)]
    method: Code | None = None
    carrier: Reference | None = None
    tracking_number: Reference | None = None
    parcels: Parcels = []


class MergeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which other open shipments of the bag go into this one."""

    shipment_ids: Annotated[list[Id], Meta(min_length=1, max_length=100)]


class TransitBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the carrier itself calls it."""

    carrier_status: Annotated[str, Meta(min_length=1, max_length=500)] | None = None


class MethodBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which lines travel by which method: "all" that has not left, or the ids of some."""

    items: Literal["all"] | Annotated[list[Id], Meta(min_length=1, max_length=1000)]
    method: Code


class ItemChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far the line has come."""

    delivery_state: DeliveryState
