"""The order export of Shopify's admin: one row a line item, the first with the order's columns.

The columns, by the header that the admin writes; what is not named here is passed over:

    Name Email Phone Id Tags Notes "Note Attributes" "Created at" "Paid at" "Fulfilled at"
    "Cancelled at" "Financial Status" "Fulfillment Status" Currency Subtotal Shipping Taxes Duties
    Total "Discount Code" "Discount Amount" "Refunded Amount" "Outstanding Balance"
    "Shipping Method" "Payment Method" "Payment Reference" "Payment ID" Vendor "Risk Level"
    "Lineitem quantity|name|price|sku|discount|fulfillment status"
    "Billing|Shipping Name|Address1|Address2|Company|City|Zip|Province|Country|Phone"

Rows of one Name follow each other; a row whose order columns are filled begins an order. An order
is imported whole or not at all: one broken row refuses it, and a row without its order is an error
of its own. The lines' vendors become the merchants of the order's bags; an order without a vendor
is the default merchant's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from .line import BOM, Line, LineError, Source, refused
from .records import Record, read_records
from .shopify_money import Bag, Item, bags_of, reconcile
from .shopify_past import METHOD_LENGTH_MAX, TAGS_MAX, past_of, tags_of
from .shopify_row import CellError, Order, Row, code_of, moment

_NEEDED: Final = (
    "Name",
    "Created at",
    "Currency",
    "Total",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
)
_ROWS_MAX: Final = 10_000
_ORDER_COLUMNS: Final = ("Total", "Currency", "Created at", "Financial Status")
_CURRENCY: Final = re.compile("[A-Z]{3}")
_COUNTRY: Final = re.compile("[A-Z]{2}")


def looks_like_shopify(header: bytes) -> bool:
    """Tell whether a first line names the columns of the export, whatever stands between them."""
    text = header.removeprefix(BOM).decode(errors="replace")
    return "Lineitem name" in text and "Name" in text


def read_shopify(source: Source, *, first: int = 1) -> Iterator[Line]:
    """Read the export: an order or an error for each order of the file, in the file's order.

    `first` is the number of the line that the stream stands at.
    """
    header = source.readline()
    if not header:
        return
    source.put_back(header.removeprefix(BOM))
    delimiter = max(",;\t", key=header.decode(errors="replace").count)
    rows = read_records(source, delimiter=delimiter, first=first)
    names = next(rows, None)
    columns, problem = _columns(names)
    if names is None or problem is not None:
        yield refused(first, "validation_failed", problem or "The file is empty.")
        return
    for rows_of_order in _orders(rows, columns, len(names.cells)):
        yield _line(rows_of_order)


def _columns(header: Record | None) -> tuple[dict[str, int], str | None]:
    """Find each column's place; what is needed and missing, or there twice, is said."""
    if header is None or header.fault is not None:
        return {}, "The first row does not name columns."
    names = [name.strip() for name in header.cells]
    columns = {name: place for place, name in reversed(list(enumerate(names)))}
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        return {}, f"This is not Shopify's order export: no column {', '.join(missing)}."
    twice = sorted({name for name in _NEEDED if names.count(name) > 1})
    if twice:
        return {}, f"There are two columns {', '.join(twice)}."
    return columns, None


def _orders(rows: Iterator[Record], columns: dict[str, int], width: int) -> Iterator[list[Row]]:
    """Group rows by order, one order in memory; a row without its order stands alone."""
    group: list[Row] = []
    for record in rows:
        row = _row(record, columns, width)
        mine = bool(group) and row.name in ("", group[0].name)
        if mine and (row.fault is not None or not row.begins):
            if len(group) <= _ROWS_MAX:
                group.append(row)
            continue
        if group:
            yield group
        group = [row]
    if group:
        yield group


def _row(record: Record, columns: dict[str, int], width: int) -> Row:
    cells = record.cells
    fault = record.fault
    if fault is None and len(cells) != width:
        words = f"The row has {len(cells)} cells, the header {width}."
        fault = LineError(code="malformed", pointer="", detail=words)
    row = Row(record.number, cells, columns, fault)
    row.begins = fault is None and any(row.text(name) for name in _ORDER_COLUMNS)
    return row


def _line(rows: list[Row]) -> Line:
    first = rows[0]
    broken = next((row for row in rows if row.fault is not None), None)
    try:
        if broken is not None and broken.fault is not None:
            place = "" if broken is first else f"Row {broken.number} of order {first.name}: "
            fault = broken.fault
            return refused(first.number, fault.code, place + fault.detail, pointer=fault.pointer)
        if not first.begins:
            words = f"The row continues order {first.name or '?'}, which does not stand before it."
            return refused(first.number, "malformed", words, pointer="/Name")
        if len(rows) > _ROWS_MAX:
            words = f"Order {first.name} has more than {_ROWS_MAX} lines."
            return refused(first.number, "too_large", words)
        order = _order(Order(rows))
    except CellError as error:
        return Line(first.number, error=LineError(error.code, f"/{error.column}", error.words))
    return Line(first.number, order=order, raw=msgspec.json.encode(order))


def _order(rows: Order) -> dict[str, Any]:
    head = rows.head
    currency = head.text("Currency")
    if not _CURRENCY.fullmatch(currency):
        raise CellError("Currency", f"{currency[:12]!r} is not a currency code.")
    items = _items(rows, currency)
    sums = reconcile(items, head, currency)
    bags = bags_of(items, sums)
    placed_at = head.time("Created at")
    if placed_at is None:
        raise CellError("Created at", "An order has a time.")
    payment, history = past_of(rows, bags, sums, currency=currency, placed_at=placed_at)
    order: dict[str, Any] = {
        "external_id": _external_id(head),
        "merchant_reference": head.name or None,
        "currency": currency,
        "placed_at": moment(placed_at),
        "total": sums.total,
        "customer": _customer(head),
        "billing_address": _address(head, "Billing"),
        "shipping_address": _address(head, "Shipping"),
        "shipping_method": head.text("Shipping Method")[:METHOD_LENGTH_MAX] or None,
        "bags": [_bag(bag) for bag in bags],
        "payment": payment,
        "tags": tags_of(head)[:TAGS_MAX],
        "history": history,
    }
    return {key: value for key, value in order.items() if value not in (None, {}, [])}


def _external_id(head: Row) -> str:
    given = head.identifier("Id")
    if re.fullmatch(r"[0-9.,]+[eE]\+?[0-9]+", given):
        words = f"{given!r} has been through a spreadsheet and lost its last digits."
        raise CellError("Id", words)
    if not (given or head.identifier("Name")):
        raise CellError("Name", "An order has a Name or an Id.")
    return given or head.name


def _items(rows: Order, currency: str) -> list[Item]:
    found = []
    for row in rows.rows:
        quantity = row.quantity("Lineitem quantity")
        if quantity == 0:
            continue
        name = row.text("Lineitem name") or row.identifier("Lineitem sku")
        if not name:
            raise CellError("Lineitem name", f"Row {row.number}: a line has a name or a SKU.")
        found.append(
            Item(
                name=name,
                sku=row.identifier("Lineitem sku") or code_of(name, "item"),
                vendor=row.text("Vendor"),
                quantity=quantity,
                unit_price=row.money("Lineitem price", currency),
                discount=row.money("Lineitem discount", currency),
                shipped=row.text("Lineitem fulfillment status").casefold(),
                travels=row.text("Lineitem requires shipping").casefold() != "false",
            )
        )
    if not found:
        raise CellError("Lineitem quantity", "The order has no line with a quantity.")
    return found


def _bag(bag: Bag) -> dict[str, Any]:
    told: dict[str, Any] = {
        "shipping_total": bag.shipping,
        "tax_total": bag.tax,
        "duty_total": bag.duty,
        "discount_total": bag.discount,
        "total": bag.total,
        "items": [_item(item) for item in bag.items],
    }
    if bag.vendor:
        told["merchant"] = code_of(bag.vendor, "vendor")
    return told


def _item(item: Item) -> dict[str, Any]:
    told: dict[str, Any] = {
        "sku": item.sku,
        "name": item.name,
        "quantity": item.quantity,
        "unit_price": item.unit_price,
    }
    return told if item.travels else {**told, "digital": True}


def _customer(head: Row) -> dict[str, str]:
    name = head.text("Billing Name") or head.text("Shipping Name")
    first, _, last = name.rpartition(" ")
    phones = ("Phone", "Billing Phone", "Shipping Phone")
    told = {
        "email": head.identifier("Email"),
        "first_name": first or last,
        "last_name": last if first else "",
        "phone": next((phone for column in phones if (phone := head.bare(column))), ""),
    }
    return {key: value for key, value in told.items() if value}


def _address(head: Row, kind: str) -> dict[str, str]:
    country = head.text(f"{kind} Country").upper()
    if country and not _COUNTRY.fullmatch(country):
        words = f"{country[:40]!r} is not a country's two-letter code."
        raise CellError(f"{kind} Country", words)
    told = {
        "name": head.text(f"{kind} Name"),
        "line1": head.text(f"{kind} Address1") or head.text(f"{kind} Street"),
        "line2": head.text(f"{kind} Address2"),
        "company": head.text(f"{kind} Company"),
        "city": head.text(f"{kind} City"),
        "region": head.text(f"{kind} Province"),
        "postal_code": head.bare(f"{kind} Zip"),
        "country": country,
        "phone": head.bare(f"{kind} Phone"),
    }
    return {key: value for key, value in told.items() if value}
