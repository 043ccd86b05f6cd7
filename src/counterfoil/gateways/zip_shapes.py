"""What goes to Zip and comes from it: orders and amounts, in Zip's words. [requirements 1B.2]

Amounts on the wire are JSON numbers in major units with two decimals. They are written from and
read into `Decimal`, digit by digit, and become whole minor units exactly or not at all.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

import msgspec

from counterfoil.gateways.verdict import Verdict
from counterfoil.gateways.zip_callback import signed_address, with_query
from counterfoil.kernel.money import (
    MINOR_MAX,
    NotAnAmount,
    UnknownCurrency,
    exponent,
    to_decimal,
)
from counterfoil.order.gateway import Basket, Call, Kind, Outcome

EXPONENT = 2
UNITS = 100
_NAME_MAX = 1000
_SKU_MAX = 100
_TYPES = {"duty": "tax"}
_DIGITS_MAX = 30

encode = msgspec.json.Encoder(decimal_format="number").encode
Word = Annotated[str, msgspec.Meta(min_length=1)]


class Created(msgspec.Struct, rename="camel"):
    """An order that waits for its shopper. What is not documented is judged where it is there."""

    order_id: Word
    redirect_url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s]+$")]
    expiry_date_time: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    order_status: str | None = None


class Done(msgspec.Struct, rename="camel"):
    """A capture, void or refund. Only a refund is documented to tell its amount."""

    id: Word
    amount: Decimal | None = None
    currency: str | None = None
    order_status: str | None = None


class Refunded(msgspec.Struct, rename="camel"):
    """A refund with all that it is documented to have and that matters."""

    id: Word
    amount: Decimal
    currency: str | None = None
    order_status: str | None = None


class Order(msgspec.Struct, rename="camel"):
    """An order as Zip sees it. The status says nothing about captures and refunds; totals do."""

    order_id: Word
    order_status: Word
    amount: Decimal
    captured_amount: Decimal | None
    refunded_amount: Decimal | None
    redirect_url: str | None = None
    currency: str | None = None


class Totals(msgspec.Struct, frozen=True):
    """The amounts of an order, in minor units. What Zip leaves null is nothing yet."""

    amount: int
    captured: int
    refunded: int


def unfit(call: Call, currency: str) -> Verdict | None:
    """Tell why a call cannot be put in Zip's words at all; None where it can.

    `currency` is the one that the merchant's account is in: the wire does not name any, so an
    amount in another would move as if it were in this one.
    """
    try:
        digits = exponent(call.currency)
    except UnknownCurrency as wrong:
        return Verdict(Outcome.DECLINED, "amount_not_representable", str(wrong))
    if digits != EXPONENT:
        return Verdict(
            Outcome.DECLINED,
            "amount_not_representable",
            f"Zip counts in hundredths; {call.currency} has {digits} decimals.",
        )
    if call.currency != currency:
        told = f"This gateway's account is in {currency}; {call.currency} cannot be paid with it."
        return Verdict(Outcome.DECLINED, "currency_not_supported", told)
    if call.kind == Kind.AUTHORIZE and not (call.payment_reference or call.return_url):
        told = "Zip needs an address where the shopper comes back to."
        return Verdict(Outcome.DECLINED, "return_url_missing", told)
    return None


def to_wire(amount: int, currency: str) -> Decimal:
    """Write minor units as a number with exactly two decimals."""
    return Decimal(to_decimal(amount, currency))


def from_wire(told: Decimal) -> int:
    """Read an amount into minor units. Raises NotAnAmount: a fraction, below zero, too large."""
    if not told.is_finite() or abs(told.adjusted()) > _DIGITS_MAX:
        raise NotAnAmount("It is no amount.")
    minor = Fraction(told) * UNITS
    if minor.denominator != 1 or not 0 <= minor <= MINOR_MAX:
        raise NotAnAmount(f"{told} is no amount in hundredths.")
    return minor.numerator


def totals(order: Order) -> Totals:
    """Read an order's amounts. Raises NotAnAmount for what is none in hundredths."""
    told = (order.amount, order.captured_amount, order.refunded_amount)
    return Totals(*(from_wire(one or Decimal(0)) for one in told))


def create_order(call: Call, product_type: str | None, key: bytes) -> dict[str, Any]:
    """Write an order for Zip. `key` signs the address that Zip may call."""
    assert call.return_url is not None, "what cannot be put in Zip's words is refused before"
    merchant = {
        "redirectConfirmUrl": with_query(call.return_url, {"result": "confirmed"}),
        "redirectCancelUrl": with_query(call.return_url, {"result": "cancelled"}),
    }
    if call.callback_url is not None:
        merchant["statusCallbackUrl"] = signed_address(call.callback_url, call.our_reference, key)
    body = {
        "productType": product_type,
        "amount": to_wire(call.amount, call.currency),
        "description": f"Order {call.order_number}",
        "merchant": merchant,
        "merchantReference": call.our_reference,
        "paymentFlow": call.flow,
        "metadata": {"orderNumber": call.order_number},
        **(_shopping(call.basket, call.currency) if call.basket else {}),
    }
    return _without_nothing(body)


def _shopping(basket: Basket, currency: str) -> dict[str, Any]:
    customer = basket.customer
    phone = customer.get("phone")
    consumer = {
        "phoneNumber": {"number": phone, "isVerified": False} if phone else None,
        "givenNames": customer.get("first_name"),
        "surname": customer.get("last_name"),
        "email": customer.get("email"),
    }
    return {
        "consumer": _without_nothing(consumer),
        "billing": _address(basket.billing_address),
        "shipping": _address(basket.shipping_address),
        "items": [_item(line, currency) for line in basket.lines],
        "taxAmount": to_wire(basket.tax_total, currency),
        "shippingAmount": to_wire(basket.shipping_total, currency),
    }


def _address(address: dict[str, Any] | None) -> dict[str, Any] | None:
    if not address:
        return None
    return _without_nothing(
        {
            "addressLine1": address.get("line1"),
            "addressLine2": address.get("line2"),
            "city": address.get("city"),
            "postcode": address.get("postal_code"),
            "state": address.get("region"),
        }
    )


def _item(line: dict[str, Any], currency: str) -> dict[str, Any]:
    kind = line.get("type", "sku")
    return _without_nothing(
        {
            "name": line["name"][:_NAME_MAX],
            "sku": (line.get("sku") or "")[:_SKU_MAX] or None,
            "quantity": line["quantity"],
            "price": to_wire(line["unit_price"], currency),
            "type": _TYPES.get(kind, kind),
        }
    )


def _without_nothing(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value not in (None, {}, [])}
