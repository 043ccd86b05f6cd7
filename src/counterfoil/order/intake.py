"""Intake: an order as a client sends it, and the desk that receives it.

The shapes are api.md's body of `POST /v1/orders`, field for field; unknown fields are refused.
Amounts are whole minor units of `currency`.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from counterfoil.order.config import OrderState, Store
from counterfoil.order.payment import GatewayOfPayment
from counterfoil.order.screening import Screening

MINOR_MAX = 10**12 - 1
Minor = Annotated[int, msgspec.Meta(ge=0, le=MINOR_MAX)]
Price = Annotated[int, msgspec.Meta(ge=-MINOR_MAX, le=MINOR_MAX)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=MINOR_MAX)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Text = Annotated[str, msgspec.Meta(max_length=1000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
WebAddress = Annotated[
    str, msgspec.Meta(pattern=r"^https?://[^\s/]+(/[^\s]*)?$", max_length=2000)
]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The customer. `language` is a tag such as `nb` or `en-GB`; letters are written in it."""

    id: Text | None = None
    email: Annotated[str, msgspec.Meta(max_length=320)] | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    phone: Text | None = None
    language: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$",
                                          max_length=35)] | None = None


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a bill or a parcel goes. `country` is ISO 3166 alpha-2."""

    name: Text | None = None
    company: Text | None = None
    line1: Text | None = None
    line2: Text | None = None
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] | None = None
    phone: Text | None = None
    email: Text | None = None


class WantedItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line. Lines of type `sku` are goods; a negative price is a discount."""

    sku: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    name: Name
    quantity: Quantity
    unit_price: Price
    type: Annotated[
        str, msgspec.Meta(pattern="^(sku|shipping|tax|duty|discount|store_credit)$")
    ] = "sku"
    product_id: Text | None = None
    digital: bool = False
    line_total: int | None = None


class WantedBag(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A merchant's part. Totals that are sent have to agree with the lines."""

    merchant: Code | None = None
    external_id: Reference | None = None
    items: Annotated[list[WantedItem], msgspec.Meta(min_length=1, max_length=1000)]
    shipping_total: Minor = 0
    tax_total: Minor = 0
    duty_total: Minor = 0
    discount_total: Minor = 0
    sub_total: int | None = None
    total: int | None = None


class WantedPayment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How it is paid; at the store's default gateway where none is named.

    A `reference` says that the checkout authorised already; `return_url` is where the shopper
    comes back to, where they confirm at the provider's page. [rulings 22]
    """

    gateway: Code | None = None
    flow: Annotated[str, msgspec.Meta(pattern="^(auth|payment)$")] = "auth"
    amount: Positive | None = None
    reference: Reference | None = None
    return_url: WebAddress | None = None


class WantedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order as it is asked for: `bags`, or `items` for one bag of the default merchant."""

    store: Code | None = None
    external_id: Reference | None = None
    currency: Currency
    placed_at: Moment | None = None
    customer: Person = Person()
    billing_address: Address | None = None
    shipping_address: Address | None = None
    shipping_method: Code | None = None
    bags: Annotated[list[WantedBag], msgspec.Meta(min_length=1, max_length=100)] | None = None
    items: Annotated[list[WantedItem], msgspec.Meta(min_length=1, max_length=1000)] | None = None
    payment: WantedPayment | None = None
    fraud_review: bool = False
    tags: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=60)]], msgspec.Meta(max_length=30)
    ] = []
    is_test: bool = False
    merchant_reference: Reference | None = None
    sub_total: int | None = None
    shipping_total: Minor | None = None
    tax_total: Minor | None = None
    duty_total: Minor | None = None
    discount_total: Minor | None = None
    total: int | None = None


class Existing(msgspec.Struct, frozen=True):
    """The order that has this external id already."""

    id: str
    create_fingerprint: str | None


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What receiving an order looks into: configuration as of now, and who came before.

    `screening` is there where the store has rules for reviews.
    """

    store: Store | None
    at: datetime
    gateways: tuple[GatewayOfPayment, ...] = ()
    states: tuple[OrderState, ...] = ()
    merchants: dict[str, str] = {}
    methods: tuple[str, ...] = ()
    existing: Existing | None = None
    screening: Screening | None = None


def plain(struct: msgspec.Struct | None) -> dict[str, Any] | None:
    """Turn a person or address into the plain object that is stored."""
    return None if struct is None else msgspec.to_builtins(struct)
