"""The packing slip: what goes into one parcel, in words that are ready to be printed.

A slip is of a bag, with what has not left yet, or of one shipment, with what it carries. Prices
stay away unless they are asked for. [design guide 5.10]
"""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from babel.dates import format_date

from counterfoil.kernel.money import to_decimal
from counterfoil.order.actor import Actor
from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.letter import language_of
from counterfoil.order.shipment import LEFT, Shipment
from counterfoil.order.telling import visible_bags
from counterfoil.paper.bars import Bars, draw
from counterfoil.paper.words import locale_of, words_of

#: The sections of a folder that slips are made from.
SLIP = ("bags", "items", "shipments", "notes", "merchants", "methods")
GIFT = "gift"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is packed of a line; `price` and `amount` are empty where none are wanted."""

    sku: str
    name: str
    quantity: int
    price: str = ""
    amount: str = ""


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """One slip. `facts` are pairs of a word and what it says; `part` which parcel of how many."""

    language: str
    words: dict[str, str]
    store: str
    number: str
    bars: Bars
    part: str
    to: list[str]
    facts: list[tuple[str, str]]
    marks: list[str]
    lines: list[Line]
    units: str
    follows: list[str]
    sent: list[str]
    electronic: list[str]
    notes: list[str]
    priced: bool = False


class _Packing(msgspec.Struct, frozen=True, kw_only=True):
    """What goes in now, left before and follows, in units by item."""

    now: dict[str, int]
    before: dict[str, int]
    later: dict[str, int]


def slips_of_order(folder: Folder, actor: Actor, *, priced: bool = False) -> list[Slip]:
    """Make a slip for each bag that the actor may see and that has goods; the folder has SLIP.

    Of a bag that has nothing more to be packed each parcel's slip is made again.
    """
    bags = [bag for bag in visible_bags(folder, actor) if bag.live]
    own = _seen_by(folder, actor)
    told = [slip for bag in bags for slip in _of_bag(own, bag, priced=priced)]
    return [slip for slip in told if slip.lines] or told


def slip_of_shipment(
    folder: Folder, actor: Actor, shipment_id: str, *, priced: bool = False
) -> Slip | None:
    """Make the slip of a shipment; None where the actor sees none, or it was cancelled."""
    folder = _seen_by(folder, actor)
    seen = {bag.id: bag for bag in folder.bags}
    one = next((s for s in folder.shipments if s.id == shipment_id), None)
    if one is None or one.bag_id not in seen or one.status == "CANCELED":
        return None
    return _of_shipment(folder, seen[one.bag_id], one, priced=priced)


def _of_shipment(folder: Folder, bag: Bag, one: Shipment, *, priced: bool) -> Slip:
    words, live = words_of(_language(folder)), _live(folder, bag)
    facts = [
        (words["method"], _method(folder, one.method)),
        (words["carrier"], one.carrier or ""),
        (words["tracking"], ", ".join(one.numbers)),
    ]
    packing = _packing_of(folder, one, live)
    part = " · ".join(told for told in (_bag(words, folder, bag), _place(words, one, live)) if told)
    return _slip(folder, bag, packing, part=part, facts=facts, priced=priced)


def _live(folder: Folder, bag: Bag) -> list[Shipment]:
    """List the bag's shipments that were not cancelled, in the order in which they were made."""
    live = [s for s in folder.shipments if s.bag_id == bag.id and s.status != "CANCELED"]
    return sorted(live, key=lambda s: (s.created_at, s.id))


def _bag(words: dict[str, str], folder: Folder, bag: Bag) -> str:
    """Say which of an order's bags it is; nothing where it has one."""
    if len(folder.bags) < 2:
        return ""
    return words["bag"].format(n=folder.bags.index(bag) + 1, of=len(folder.bags))


def _place(words: dict[str, str], one: Shipment, live: list[Shipment]) -> str:
    """Say which of a bag's parcels a shipment is; a shipment has as many as it has numbers."""
    counts = [max(1, len(shipment.numbers)) for shipment in live]
    at, of = sum(counts[: live.index(one)]), sum(counts)
    own = counts[live.index(one)]
    if of == 1:
        return ""
    if own > 1:
        return words["parcels"].format(n=at + 1, to=at + own, of=of)
    return words["parcel"].format(n=at + 1, of=of)


def _seen_by(folder: Folder, actor: Actor) -> Folder:
    """Leave out what a merchant-limited actor is not told: other bags, and notes. [rulings 5]"""
    if actor.merchants is None:
        return folder
    return msgspec.structs.replace(folder, bags=tuple(visible_bags(folder, actor)), notes=())


def _of_bag(folder: Folder, bag: Bag, *, priced: bool) -> list[Slip]:
    words, live = words_of(_language(folder)), _live(folder, bag)
    own = [item for item in folder.items if item.bag_id == bag.id and _packed(item)]
    waiting = {item.id: item.waiting for item in own}
    if any(waiting.values()):
        sent = {item.id: item.quantity_shipped for item in own}
        packing = _Packing(now=waiting, before=sent, later={})
    elif live:
        return [_of_shipment(folder, bag, one, priced=priced) for one in live]
    else:
        packing = _Packing(now={item.id: item.live for item in own}, before={}, later={})
    method = next((i.shipping_method for i in own if i.shipping_method), None)
    facts = [
        (words["method"], _method(folder, method or folder.order.shipping_method)),
        (words["tracking"], ", ".join(_numbers(live, packing.now))),
    ]
    part = _bag(words, folder, bag)
    return [_slip(folder, bag, packing, part=part, facts=facts, priced=priced)]


def _numbers(live: list[Shipment], now: dict[str, int]) -> list[str]:
    """List the numbers under which all that is packed now travels.

    What has left has another number, and what is in no parcel yet has none.
    """
    waiting = [shipment for shipment in live if shipment.status not in LEFT]
    packed: dict[str, int] = {}
    for item_id, quantity in (unit for shipment in waiting for unit in shipment.units.items()):
        packed[item_id] = packed.get(item_id, 0) + quantity
    if any(packed.get(item_id, 0) < quantity for item_id, quantity in now.items()):
        return []
    return [number for shipment in waiting for number in shipment.numbers]


def _packing_of(folder: Folder, one: Shipment, live: list[Shipment]) -> _Packing:
    """Count a shipment's units, those of parcels that left before it, and the rest."""
    now: dict[str, int] = {}
    before: dict[str, int] = {}
    for shipment in live:
        earlier = shipment.status in LEFT and _left_at(shipment) < _left_at(one)
        if shipment.id == one.id or earlier:
            counted = now if shipment.id == one.id else before
            for part in shipment.items:
                counted[part.item_id] = counted.get(part.item_id, 0) + part.quantity
    later = {
        item.id: max(0, item.live - now.get(item.id, 0) - before.get(item.id, 0))
        for item in folder.items
        if item.bag_id == one.bag_id and _packed(item)
    }
    return _Packing(now=now, before=before, later=later)


def _left_at(shipment: Shipment) -> tuple[bool, Any, str]:
    """Order parcels by when they left; one that has not comes after all that have."""
    return shipment.shipped_at is None, shipment.shipped_at or shipment.created_at, shipment.id


def _slip(
    folder: Folder,
    bag: Bag,
    packing: _Packing,
    *,
    part: str,
    facts: list[tuple[str, str]],
    priced: bool,
) -> Slip:
    order, language = folder.order, _language(folder)
    words = words_of(language)
    merchant = folder.merchants.get(bag.merchant, bag.merchant)
    ordered = format_date(
        order.placed_at.astimezone(ZoneInfo("UTC")), "long", locale=locale_of(language)
    )
    known = [
        (words["ordered"], str(ordered)),
        *facts,
        (words["packed_by"], merchant if merchant != folder.store.name else ""),
    ]
    items = [item for item in folder.items if item.bag_id == bag.id]
    lines = [
        _line(item, packing.now[item.id], order.currency, language if priced else "")
        for item in items
        if packing.now.get(item.id)
    ]
    units = sum(line.quantity for line in lines)
    return Slip(
        language=language,
        words=words,
        store=folder.store.name,
        number=order.number,
        bars=draw(order.number),
        part=part,
        to=_address(order.shipping_address or {}, language),
        facts=[(word, said) for word, said in known if said],
        marks=[
            *([words["test"]] if order.is_test else []),
            *([words["gift"]] if GIFT in order.tags else []),
        ],
        lines=lines,
        units=words["one_unit"] if units == 1 else words["units"].format(n=units),
        follows=_counted(items, packing.later),
        sent=_counted(items, packing.before),
        electronic=_counted(
            items, {i.id: i.live for i in items if i.deliverable and i.digital and i.live}
        ),
        notes=[note.body for note in folder.notes if note.visibility == "customer"],
        priced=priced,
    )


def _packed(item: Item) -> bool:
    return item.deliverable and not item.digital


def _line(item: Item, quantity: int, currency: str, language: str) -> Line:
    """Tell a line; without a language it has no price."""
    line = Line(sku=item.sku or "", name=item.name, quantity=quantity)
    if not language:
        return line
    return msgspec.structs.replace(
        line,
        price=_money(item.unit_price, currency, language),
        amount=_money(item.unit_price * quantity, currency, language),
    )


def _counted(items: list[Item], counts: dict[str, int]) -> list[str]:
    return [
        f"{counts[item.id]} × {item.name}" + (f" ({item.sku})" if item.sku else "")
        for item in items
        if counts.get(item.id)
    ]


def _money(minor: int, currency: str, language: str) -> str:
    digits = to_decimal(minor, currency)
    return f"{digits.replace('.', ',') if language == 'nb' else digits}\u00a0{currency}"


def _language(folder: Folder) -> str:
    """Find the language that the customer reads; that of the store where theirs is not known."""
    return language_of(folder.order.customer, folder.store.language)


def _method(folder: Folder, code: str | None) -> str:
    return next((m.name for m in folder.methods if m.code == code), code or "")


def _address(address: dict[str, Any], language: str) -> list[str]:
    town = " ".join(str(address[part]) for part in ("postal_code", "city") if address.get(part))
    code = str(address.get("country") or "")
    country = locale_of(language).territories.get(code, code)
    lines = [address.get(part) for part in ("name", "company", "line1", "line2")]
    return [str(line) for line in (*lines, town, address.get("region"), country) if line]
