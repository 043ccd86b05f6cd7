"""What a letter may say: the names of each kind, and their values for an order or a sample.

Every value is a text that is ready to be read, or a list of such; an amount has its currency, a
value that is not known is empty. So a letter's own text needs no reckoning.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from counterfoil.kernel.money import to_decimal
from counterfoil.mail.language import Words
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.letter import Letter

_LOCALES = {"en": "en_GB", "nb": "nb"}
_CUSTOMER = {"en": "customer", "nb": "kunde"}
_WEB = ("https://", "http://")
_ITEMS = {
    "name": "What it is.",
    "sku": "Its article number, if it has one.",
    "quantity": "How many of it this letter is about.",
    "price": "What one costs.",
    "total": "What the line costs.",
}
_COMMON: Words = {
    "store": "The name of the store.",
    "number": "The order's number.",
    "name": "The customer's whole name, or a polite word where it is not known.",
    "first_name": "The customer's first name, or the whole one.",
    "ordered_on": "The day of the order.",
    "total": "What the order costs.",
    "items": _ITEMS,
    "address": {},
}
_OWN: dict[str, Words] = {
    "order_received": {
        "sub_total": "What the goods cost.",
        "shipping": "What sending costs; empty where nothing.",
        "tax": "Tax on top; empty where none.",
        "duty": "Duty; empty where none.",
        "discount": "The discount; empty where none.",
    },
    "shipped": {
        "carrier": "Who carries the parcel; empty where it is not known.",
        "tracking_number": "Its tracking number; empty where there is none.",
        "tracking_url": "Where it can be followed; empty where that is not known.",
        "more_to_come": "Not empty while something of the order has not left.",
    },
    "canceled": {
        "reason": "Why; empty where nobody said.",
        "refunded": "What was paid back; empty where nothing.",
        "reversed": "What was reserved and is released; empty where nothing.",
    },
    "refunded": {
        "amount": "What was paid back.",
        "reference": "The refund's reference.",
    },
    "return_received": {},
}
_OWN["part_canceled"] = _OWN["canceled"]
_SAMPLE_LINES = (("Mug, blue", "MUG-1", 2, 12450), ("T-shirt, M", "TEE-M", 1, 29900))
_SAMPLE_ADDRESS = ["Kari Nordmann", "Storgata 1", "0155 Oslo", "NO"]


def words_of(kind: str) -> Words:
    """List the names that a letter of a kind may use, each with a sentence."""
    return {**_COMMON, **_OWN[kind]}


def values_of(letter: Letter, folder: Folder) -> dict[str, Any]:
    """Find the values for a letter about an order. The folder is opened with items."""
    order, told = folder.order, letter.context
    currency, language = order.currency, letter.language
    goods = [item for item in folder.items if item.deliverable]
    counts: dict[str, int] | None = told.get("items")
    if counts is not None:
        chosen = [(item, counts[item.id]) for item in goods if item.id in counts]
    else:
        chosen = [(item, item.quantity) for item in goods]
    values = {
        "store": folder.store.name,
        "number": order.number,
        **_names(order.customer, language),
        "ordered_on": _day(order.placed_at, language),
        "total": money(order.total, currency, language),
        "items": [_item(item, count, currency, language) for item, count in chosen],
        "address": _address(order.shipping_address or {}),
    }
    return values | _own(letter, folder)


def _own(letter: Letter, folder: Folder) -> dict[str, Any]:
    told, order = letter.context, folder.order

    def amount(minor: int | None) -> str:
        return money(minor, order.currency, letter.language) if minor else ""

    match letter.kind:
        case "order_received":
            return {
                "sub_total": money(order.sub_total, order.currency, letter.language),
                "shipping": amount(order.shipping_total),
                "tax": amount(order.tax_total),
                "duty": amount(order.duty_total),
                "discount": amount(order.discount_total),
            }
        case "shipped":
            url = told.get("tracking_url") or ""
            return {
                "carrier": told.get("carrier") or "",
                "tracking_number": told.get("tracking_number") or "",
                "tracking_url": url if url.lower().startswith(_WEB) else "",
                "more_to_come": "yes" if told.get("more_to_come") else "",
            }
        case "canceled" | "part_canceled":
            return {
                "reason": told.get("reason") or "",
                "refunded": amount(told.get("refunded")),
                "reversed": amount(told.get("reversed")),
            }
        case "refunded":
            return {
                "amount": money(told.get("amount") or 0, order.currency, letter.language),
                "reference": told.get("reference") or "",
            }
    return {}


def sample_of(kind: str, language: str, *, store: str, at: datetime) -> dict[str, Any]:
    """Make values to try a text with: nothing is empty, so every part of it is run."""

    def amount(minor: int) -> str:
        return money(minor, "NOK", language)

    items = [
        {"name": name, "sku": sku, "quantity": str(count), "price": amount(price),
         "total": amount(count * price)}
        for name, sku, count, price in _SAMPLE_LINES
    ]
    known = {
        "store": store, "number": "10412", "name": "Kari Nordmann", "first_name": "Kari",
        "ordered_on": _day(at, language), "total": amount(64700), "items": items,
        "address": _SAMPLE_ADDRESS, "sub_total": amount(54800), "shipping": amount(9900),
        "tax": amount(12940), "duty": amount(4000), "discount": amount(5000),
        "carrier": "Posten", "tracking_number": "PN-370438101",
        "tracking_url": "https://sporing.example/PN-370438101", "more_to_come": "yes",
        "reason": "Sold out" if language == "en" else "Utsolgt", "refunded": amount(40000),
        "reversed": amount(24700), "amount": amount(29900), "reference": "R-10412-1",
    }
    return {name: known[name] for name in words_of(kind)}


def money(minor: int, currency: str, language: str) -> str:
    """Write an amount with its currency, as people of a language read it."""
    digits = to_decimal(minor, currency)
    return f"{digits.replace('.', ',') if language == 'nb' else digits} {currency}"


def _names(customer: dict[str, Any], language: str) -> dict[str, str]:
    parts = [str(customer.get(part) or "").strip() for part in ("first_name", "last_name")]
    whole = " ".join(part for part in parts if part) or _CUSTOMER[language]
    return {"name": whole, "first_name": parts[0] or whole}


def _item(item: Item, count: int, currency: str, language: str) -> dict[str, str]:
    return {
        "name": item.name,
        "sku": item.sku or "",
        "quantity": str(count),
        "price": money(item.unit_price, currency, language),
        "total": money(item.line_total if count == item.quantity else count * item.unit_price,
                       currency, language),
    }


def _address(address: dict[str, Any]) -> list[str]:
    town = " ".join(str(address[part]) for part in ("postal_code", "city") if address.get(part))
    lines = [address.get(part) for part in ("name", "company", "line1", "line2")]
    return [str(line) for line in (*lines, town, address.get("region"), address.get("country"))
            if line]


def _day(at: datetime, language: str) -> str:
    return str(format_date(at.astimezone(ZoneInfo("UTC")), "long", locale=_LOCALES[language]))
