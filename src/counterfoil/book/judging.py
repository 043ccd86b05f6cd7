"""Judging orders in Python: what is stored beside what the pure functions of `order` say.

One statement reads some orders whole; whatever lists filter by is computed anew. [domain.md §13]
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from counterfoil.book.fragments import rows
from counterfoil.kernel.db import Connection
from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.order import OPEN_STATES, Order
from counterfoil.order.payment import Payment
from counterfoil.order.shipment import Shipment
from counterfoil.order.status import Units, financial_status, fulfillment_status
from counterfoil.order.terms import terms_of_order

#: What is judged here, each with its sentence.
JUDGED = {
    "statuses_follow": "The financial and the fulfilment status of an order and of its bags are"
    " those that amounts and units call for.",
    "payments_follow": "A payment that was authorised has the status that its amounts call for.",
    "open_is_told": "An order is open exactly while its system state counts as open.",
    "units_are_counted": "An order tells how many live units it has and how many of them left.",
    "words_lead_to_orders": "Every word of an order leads to it.",
}
#: In each stretch of orders so many are looked up word by word.
SEARCHED = 25
_READ = """select json_build_object('order', row_to_json(o),
  'bags', (select coalesce(json_agg(row_to_json(b) order by b.position), '[]') from bags b
    where b.account_id = $1 and b.order_id = o.id),
  'items', (select coalesce(json_agg(row_to_json(i) order by i.position), '[]') from items i
    where i.account_id = $1 and i.order_id = o.id),
  'payments', (select coalesce(json_agg(row_to_json(p)), '[]') from payments p
    where p.account_id = $1 and p.order_id = o.id),
  'shipments', (select coalesce(json_agg(row_to_json(s) order by s.position), '[]')
    from shipments s where s.account_id = $1 and s.order_id = o.id))::text as told
from orders o where o.account_id = $1 and o.id > {low} and o.id <= {high}"""
#: An order that has changed meanwhile is not judged by what it was.
_UNFOUND = """select w.order_id as id, w.term as detail
from unnest({terms}::text[], {times}::timestamptz[], {ids}::uuid[], {versions}::integer[])
  w(term, placed_at, order_id, version)
join orders o on o.account_id = $1 and o.id = w.order_id and o.version = w.version
where not exists (select from order_term t where t.account_id = $1 and t.term = w.term
  and t.placed_at = w.placed_at and t.order_id = w.order_id)"""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a folder that statuses and search terms follow from."""

    order: Order
    bags: tuple[Bag, ...]
    items: tuple[Item, ...]
    payments: tuple[Payment, ...]
    shipments: tuple[Shipment, ...]


_decode = msgspec.json.Decoder(Judged).decode
Fault = tuple[str, str, str]


async def judge(connection: Connection, low: UUID, high: UUID) -> list[Fault]:
    """Judge the orders with low < id ≤ high; returns (what is broken, order id, detail)."""
    found = await rows(connection, _READ, {"low": low, "high": high})
    folders = [_decode(row["told"]) for row in found]
    faults = [fault for folder in folders for fault in judged(folder)]
    step = max(1, len(folders) // SEARCHED)
    return faults + await _unfound(connection, folders[::step])


def judged(folder: Judged) -> Iterator[Fault]:
    """Compare what one order stores with what is computed from it."""
    order = folder.order
    asked = any(payment.status == "CREATED" for payment in folder.payments)
    parts: list[Order | Bag] = [order, *folder.bags]
    for part in parts:
        wanted = financial_status(part, total=part.total, asked=asked)
        if part.financial_status != wanted:
            yield "statuses_follow", order.id, f"{part.financial_status}, not {wanted}: {part.id}"
    for bag in folder.bags:
        units = Units.of([item for item in folder.items if item.bag_id == bag.id])
        yield from _fulfilled(order.id, bag, units)
    alive = {bag.id for bag in folder.bags if bag.live}
    live = Units.of([item for item in folder.items if item.bag_id in alive or not alive])
    yield from _fulfilled(order.id, order, live)
    count, left = live.live - live.digital, live.shipped - live.digital
    if (order.unit_count, order.shipped_count) != (count, left):
        yield "units_are_counted", order.id, f"{left} of {count}"
    if order.is_open != (order.system_state in OPEN_STATES):
        yield "open_is_told", order.id, order.system_state
    for payment in folder.payments:
        status = payment.restated().status
        if payment.authorized and payment.status != status:
            yield "payments_follow", order.id, f"{payment.status}, not {status}: {payment.id}"


def _fulfilled(order_id: str, part: Order | Bag, units: Units) -> Iterator[Fault]:
    wanted = fulfillment_status(units)
    if part.fulfillment_status != wanted:
        yield "statuses_follow", order_id, f"{part.fulfillment_status}, not {wanted}: {part.id}"


async def _unfound(connection: Connection, folders: list[Judged]) -> list[Fault]:
    """Look up every word of some orders."""
    wanted: list[tuple[str, Any, str, int]] = [
        (term, folder.order.placed_at, folder.order.id, folder.order.version)
        for folder in folders
        for term in _terms(folder)
    ]
    names = ("terms", "times", "ids", "versions")
    values = {name: [row[part] for row in wanted] for part, name in enumerate(names)}
    found = await rows(connection, _UNFOUND, values)
    return [("words_lead_to_orders", str(row["id"]), row["detail"]) for row in found]


def _terms(folder: Judged) -> list[str]:
    looked_at: Any = folder  # terms are made from these parts of a folder alone
    told: Folder = looked_at
    return terms_of_order(told)
