"""What the API says of goods: parcels, returns, edits."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from counterfoil.order.goods_return import Replacement, ReturnLine
from counterfoil.order.money_shapes import ActionShape, OrderBriefShape
from counterfoil.order.order_edit import EditedOrder
from counterfoil.order.shipment import Parcel, ShipmentItem


class ShipmentShape(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel: items of one bag under one tracking number."""

    id: str
    order_id: str
    bag_id: str
    status: str
    method: str | None
    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    carrier_status: str | None
    parcels: list[Parcel]
    items: list[ShipmentItem]
    external_id: str | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
    updated_at: datetime
    allowed_actions: list[ActionShape]


class ReturnShape(msgspec.Struct, frozen=True, kw_only=True):
    """Goods that come back, line by line, and what the shopper gets for them. [V-6…V-11]

    `worth` is what came in was worth, `credit` what of it is set against a replacement or kept for
    later; both in minor units.
    """

    id: str
    order_id: str
    bag_id: str
    position: int
    status: str
    resolution: str
    lines: list[ReturnLine]
    reason_code: str
    note: str | None
    restock_items: bool
    notify_customer: bool
    fee: int
    shipment_id: str | None
    refund_reference: str | None
    refund_id: str | None
    replacement: list[Replacement]
    exchange_order_id: str | None
    worth: int
    credit: int
    late: bool
    requested_by: dict[str, Any]
    decided_by: dict[str, Any] | None
    decision_note: str | None
    created_at: datetime
    decided_at: datetime | None
    received_at: datetime | None
    closed_at: datetime | None
    updated_at: datetime
    allowed_actions: list[ActionShape]
    order: OrderBriefShape | None = None


class EditShape(msgspec.Struct, frozen=True, kw_only=True):
    """An edit: the order before and after, and what the money makes of it.

    `difference` is the new worth less the old; `due` what has to be paid beside, `release` what is
    authorised and will not be taken, `give_back` what was taken too much. All in minor units.
    `approval` says whether a second person has to approve that, `explanation` has it in sentences.
    """

    id: str | None
    order_id: str
    position: int
    note: str | None
    before: EditedOrder
    after: EditedOrder
    currency: str
    difference: int
    actor: dict[str, Any]
    created_at: datetime
    due: int | UnsetType = UNSET
    release: int | UnsetType = UNSET
    give_back: int | UnsetType = UNSET
    approval: Literal["needed", "not_needed"] | UnsetType = UNSET
    explanation: list[str] | UnsetType = UNSET
    order: OrderBriefShape | None = None
