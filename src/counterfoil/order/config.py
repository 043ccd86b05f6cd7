"""The nouns of configuration: store, merchant, gateway, order state, shipment method.

Each is the row as kept and, word for word, what the API answers. Their SQL is in `setup`.
[rulings 19, 35, 37, 43; api.md, Administration]
"""

from datetime import datetime
from typing import Any

import msgspec

PARTIAL_CAPTURE = "partial_capture"
COLOURS = ("blue", "teal", "green", "amber", "orange", "red", "purple", "grey")
SYSTEM_STATES = (
    "NEW",
    "PROCESSING",
    "COMPLETED",
    "CANCEL_REQUESTED",
    "CANCELED",
    "FRAUD",
    "SUSPENDED",
)
MAPPABLE_STATES = ("NEW", "PROCESSING", "FRAUD", "SUSPENDED")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A company that runs its orders here; nothing crosses from one account to another."""

    id: str
    name: str
    created_at: datetime


#: Which payment of several a refund takes first: the last one, the first one, cards before others.
REFUND_ORDERS = ("last_in_first", "first_in_first", "card_first")


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """A sales site: its currency, number prefix, scopes and usual choices.

    `default_gateway` takes the payments of orders that name none. `letters` are the kinds that go
    to customers by themselves, in `language` where the customer's is not known.
    `capture_on_ship`: a shipment that leaves takes the money for what is in it. Goods and money go
    back for `refund_window_days` after delivery (None: for ever); `return_fee`, in minor units, is
    usually kept then. `delivery_labels` are what the store calls delivery states, where it is not
    what we do. [rulings 42, 46]
    """

    id: str
    code: str
    name: str
    currency: str
    number_prefix: str = ""
    scopes: tuple[str, ...] = ()
    default_merchant: str | None = None
    create_merchants: bool = False
    auth_hold_seconds: int | None = None
    cancel_email_default: bool = False
    test_orders: bool = True
    default_gateway: str | None = None
    refund_order: str = "last_in_first"
    language: str = "en"
    letters: tuple[str, ...] = ()
    capture_on_ship: bool = False
    refund_window_days: int | None = None
    return_fee: int = 0
    delivery_labels: dict[str, str] = msgspec.field(default_factory=dict)
    created_at: datetime

    @property
    def captures_in_part(self) -> bool:
        """Tell whether the store may capture less than is open (Z-18)."""
        return PARTIAL_CAPTURE in self.scopes


class Merchant(msgspec.Struct, frozen=True, kw_only=True):
    """Who fulfils a bag and is paid for it."""

    id: str
    code: str
    name: str
    created_at: datetime


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """Where money moves, as configured; `store` None is every store. Credentials stay outside.

    `default_for` are the stores whose orders are paid here where they name no gateway.
    """

    id: str
    code: str
    kind: str
    store: str | None = None
    settings: dict[str, Any]
    has_credentials: bool = False
    enabled: bool = True
    default_for: tuple[str, ...] = ()
    created_at: datetime


class OrderState(msgspec.Struct, frozen=True, kw_only=True):
    """A named state of a store's orders; it counts as one of the seven system states.

    `next` narrows where one may go from here (codes); None leaves it to the life cycle.
    [U-4, U-11, rulings 37]
    """

    id: str
    store: str
    code: str
    name: str
    system_state: str
    colour: str = "blue"
    description: str = ""
    position: int = 0
    next: tuple[str, ...] | None = None
    built_in: bool = False


class ShipmentMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A way to send a parcel. `tracking_url` is a pattern with `{tracking_number}` in it."""

    id: str
    store: str
    code: str
    name: str
    carrier: str | None = None
    tracking_url: str | None = None
    enabled: bool = True


class BuiltInState(msgspec.Struct, frozen=True):
    """A state that every store has from its first day and cannot change."""

    code: str
    name: str
    system_state: str
    colour: str
    description: str


BUILT_IN_STATES = (
    BuiltInState("new", "New", "NEW", "blue", "Came in; nothing has been done yet."),
    BuiltInState("processing", "Processing", "PROCESSING", "teal", "Somebody is working on it."),
    BuiltInState("completed", "Completed", "COMPLETED", "green", "Everything has left the house."),
    BuiltInState("canceled", "Canceled", "CANCELED", "grey", "Nothing more will happen to it."),
    BuiltInState(
        "cancel_requested",
        "Cancel requested",
        "CANCEL_REQUESTED",
        "orange",
        "A cancellation was asked for or is running.",
    ),
    BuiltInState("fraud", "Fraud", "FRAUD", "red", "Somebody thinks that it is fraud."),
    BuiltInState("suspended", "Suspended", "SUSPENDED", "amber", "Stopped until it is released."),
)
BUILT_IN_METHODS = (("standard", "Standard"), ("express", "Express"))
