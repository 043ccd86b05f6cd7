"""Goods as the order's page shows them: lines with their units, parcels with their next steps.

Everything is worked out of the order as the reader may see it, so a merchant sees their own alone.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from counterfoil.order.goods_shapes import ShipmentShape
from counterfoil.order.item import BEFORE_SHIPPED, CONFIRMED
from counterfoil.order.life import ITEM
from counterfoil.order.shapes import BagShape, ItemShape
from counterfoil.portal import goods_words, words
from counterfoil.portal.undoing import Changed

NEW = "new"
#: Lines of a bag that are shown at once.
PAGE = 100
#: States that are left by a return or not at all.
FINAL = ("DELIVERED", "RETURNED", "CANCELED")


class Track(NamedTuple):
    """A tracking number, and where the carrier tells how far it is."""

    number: str
    href: str = ""


class Beside(NamedTuple):
    """What is told beside a bag.

    The store's methods by code; by line the units that may come back, and who put its state last.
    """

    methods: dict[str, str]
    returns: Mapping[str, int] = MappingProxyType({})
    changes: Mapping[str, Changed] = MappingProxyType({})


class LineView(NamedTuple):
    """A line of a bag in words.

    `missing` says what stands where a tracking number is missing: `add`, `later` or nothing;
    `into` is the shipment that gets it, or `new`. `waiting` counts the units that have not left,
    `returns` those that may come back. `moves` says that its delivery state may be set now,
    `settles` that there is still some to set, `undo` what the last choice was where it can be
    taken back.
    """

    item: ItemShape
    word: words.Word
    notes: tuple[str, ...]
    goods: bool
    moves: bool
    settles: bool
    gone: bool
    waiting: int
    method: str
    tracks: tuple[Track, ...]
    missing: str = ""
    into: str = ""
    returns: int = 0
    undo: Changed | None = None

    @property
    def ticks(self) -> bool:
        """Whether it can be ticked: something is still to be done with it, now or later."""
        return self.settles or self.returns > 0

    @property
    def able(self) -> bool:
        """Whether something can be done with it now when it is ticked."""
        return self.moves or self.returns > 0 or self.missing == "add"


class Step(NamedTuple):
    """What may be done with a parcel: where, in which words, and whether it asks first."""

    action: str
    label: str
    asks: bool = False


class BagView(NamedTuple):
    """A bag's goods: lines, shipments, units that have not left, and such as are in no shipment.

    `later` is the footnote of the numbers that cannot be added yet. A long bag is shown in pages:
    `in_all` lines in all.
    """

    lines: tuple[LineView, ...]
    in_all: int
    page: int
    pages: int
    parcels: "tuple[ParcelView, ...]"
    waiting: int
    unpacked: int
    later: str


class ParcelView(NamedTuple):
    """A shipment in words: what is in it, its numbers, its first steps and the rest."""

    shipment: ShipmentShape
    word: words.Word
    contents: str
    carrier: str
    tracks: tuple[Track, ...]
    steps: tuple[Step, ...]
    more: tuple[Step, ...]


def bag_view(bag: BagShape, beside: Beside, *, locked: bool = False, page: int = 1) -> BagView:
    """Tell a bag's goods. `locked`: what has not left cannot be changed now. [U-14, U-16]"""
    lines = line_views(bag, beside, locked=locked)
    pages = max(1, -(-len(lines) // PAGE))
    page = min(max(page, 1), pages)
    shown = lines[(page - 1) * PAGE : page * PAGE]
    return BagView(
        shown,
        len(lines),
        page,
        pages,
        parcel_views(bag, beside.methods),
        sum(line.waiting for line in lines),
        unpacked_units(bag),
        goods_words.NOT_YET if any(line.missing == "later" for line in shown) else "",
    )


def line_views(bag: BagShape, beside: Beside, *, locked: bool = False) -> tuple[LineView, ...]:
    """Tell the lines of a bag. `locked`: what has not left cannot be changed now. [U-14, U-16]"""
    return tuple(_line(bag, item, beside, locked=locked) for item in bag.items)


def _line(bag: BagShape, item: ItemShape, beside: Beside, *, locked: bool) -> LineView:
    goods = item.type == "sku" and not item.digital
    parcels = [s for s in bag.shipments if s.status != "CANCELED" and _inside(s, item.id)]
    live = item.quantity - item.quantity_canceled
    missing, into = _missing(item, parcels, _unpacked(item, parcels)) if goods else ("", "")
    if missing and locked and (into == NEW or _of(parcels, into).status == "OPEN"):
        missing = ""
    units = _units(item, parcels, live)
    word = words.look("item", item.delivery_state)._replace(label=item.delivery_label)
    method = item.shipping_method or ""
    return LineView(
        item,
        word,
        tuple(note for note in ("digital" if item.digital else "", units) if note),
        goods,
        moves=goods
        and item.delivery_state not in FINAL
        and (not locked or _follows(item, parcels, live)),
        settles=goods and item.delivery_state not in FINAL,
        gone=live == 0,
        waiting=max(0, live - item.quantity_shipped) if goods else 0,
        method=beside.methods.get(method, method) if goods else "",
        tracks=tuple(track for one in parcels for track in tracks_of(one)),
        missing=missing,
        into=into,
        returns=beside.returns.get(item.id, 0) if goods else 0,
        undo=None if locked else _undo(item, beside.changes.get(item.id)),
    )


def _undo(item: ItemShape, last: Changed | None) -> Changed | None:
    """Tell the last choice of a line's delivery state, where the way back is allowed."""
    if last is None or last.now != item.delivery_state or last.before not in BEFORE_SHIPPED:
        return None
    return last if ITEM.edge(last.now, last.before) and last.now in BEFORE_SHIPPED else None


def _missing(item: ItemShape, parcels: Sequence[ShipmentShape], unpacked: int) -> tuple[str, str]:
    """Tell whether a number can be added now, later or never, and to which shipment. [U-18]"""
    bare = [s for s in parcels if not s.tracking_number and s.status != "RETURNED"]
    left = next((s.id for s in bare if s.status != "OPEN" and _allows(s, "update")), "")
    if left:
        return "add", left
    into = next((s.id for s in bare if s.status == "OPEN"), NEW if unpacked else "")
    if not into:
        return "", ""
    return ("add" if item.delivery_state in CONFIRMED else "later"), into


def _units(item: ItemShape, parcels: Sequence[ShipmentShape], live: int) -> str:
    """Say how far the units of a line are, where they are not all equally far."""
    parts = []
    if 0 < item.quantity_shipped < live:
        parts.append(f"{item.quantity_shipped} of {live} shipped")
    for status, said in (("DELIVERED", "delivered"), ("COULD_NOT_DELIVER", "not delivered")):
        there = sum(_inside(one, item.id) for one in parcels if one.status == status)
        if 0 < there < live and live > 1:
            parts.append(f"{there} {said}")
    for count, said in (
        (item.quantity_returned, "returned"),
        (item.quantity_refunded, "refunded"),
        (item.quantity_canceled if live else 0, "cancelled"),
    ):
        if count:
            parts.append(f"{count} {said}")
    return ", ".join(parts)


def parcel_views(bag: BagShape, methods: dict[str, str]) -> tuple[ParcelView, ...]:
    """Tell the shipments of a bag, such as were cancelled last."""
    found = sorted(bag.shipments, key=lambda one: one.status == "CANCELED")
    return tuple(_parcel(bag, one, methods) for one in found)


def _parcel(bag: BagShape, one: ShipmentShape, methods: dict[str, str]) -> ParcelView:
    method = methods.get(one.method or "", one.method or "")
    names = dict.fromkeys(name for name in (one.carrier, method) if name)
    first, more = _steps(bag, one)
    return ParcelView(
        one,
        words.look("shipment", one.status),
        contents(bag, one),
        " · ".join(names),
        tuple(tracks_of(one)),
        first,
        more,
    )


def _steps(bag: BagShape, one: ShipmentShape) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """List what may be done with a parcel: the next step first, the rest in a menu."""
    can = [action.action for action in one.allowed_actions]
    first, more = list[Step](), list[Step]()
    if "ship" in can and one.status == "OPEN":
        first.append(Step("ship", goods_words.STEPS["ship"], asks=True))
    elif "ship" in can:
        first.append(Step("again", goods_words.SEND_AGAIN, asks=True))
    if "deliver" in can:
        first.append(Step("deliver", goods_words.STEPS["deliver"], asks=True))
    if "in_transit" in can:
        more.append(Step("in-transit", goods_words.STEPS["in_transit"]))
    if "fail" in can:
        more.append(Step("fail", f"{goods_words.STEPS['fail']}…", asks=True))
    if "update" in can:
        more.append(Step("tracking", "Tracking…", asks=True))
    if "split" in can and sum(part.quantity for part in one.items) > 1:
        more.append(Step("split", "Split…", asks=True))
    if "merge" in can and mergeable(bag, one):
        more.append(Step("merge", "Merge…", asks=True))
    if "cancel" in can:
        more.append(Step("cancel", "Cancel shipment…", asks=True))
    return tuple(first), tuple(more)


def mergeable(bag: BagShape, one: ShipmentShape) -> list[ShipmentShape]:
    """List the other shipments of the bag that have not left either."""
    return [other for other in bag.shipments if other.status == "OPEN" and other.id != one.id]


def contents(bag: BagShape, one: ShipmentShape) -> str:
    """Say what is in a shipment."""
    named = {item.id: item.sku or item.name for item in bag.items}
    return ", ".join(f"{part.quantity} × {named.get(part.item_id, '?')}" for part in one.items)


def tracks_of(one: ShipmentShape) -> list[Track]:
    """List all tracking numbers of a shipment, that of its first parcel first."""
    found = [Track(one.tracking_number, one.tracking_url or "")] if one.tracking_number else []
    return [*found, *(Track(p.tracking_number, p.tracking_url or "") for p in one.parcels)]


def unpacked_units(bag: BagShape) -> int:
    """Count the units of a bag that are in no shipment yet."""
    return sum(
        _unpacked(item, bag.shipments)
        for item in bag.items
        if item.type == "sku" and not item.digital
    )


def next_empty(order_lines: Sequence[LineView], after: str) -> str:
    """Find the next line that still wants a number, after a line and around. [U-18]"""
    ids = [line.item.id for line in order_lines]
    start = ids.index(after) + 1 if after in ids else 0
    turned = [*order_lines[start:], *order_lines[:start]]
    return next(
        (line.item.id for line in turned if line.missing == "add" and line.item.id != after), ""
    )


def _unpacked(item: ItemShape, parcels: Sequence[ShipmentShape]) -> int:
    packed = sum(_inside(one, item.id) for one in parcels if one.status != "CANCELED")
    return max(0, item.quantity - item.quantity_canceled - packed)


def _inside(one: ShipmentShape, item_id: str) -> int:
    return sum(part.quantity for part in one.items if part.item_id == item_id)


def _allows(one: ShipmentShape, action: str) -> bool:
    return any(each.action == action for each in one.allowed_actions)


def _follows(item: ItemShape, parcels: Sequence[ShipmentShape], live: int) -> bool:
    """Tell whether it may be said how a line fares of which everything has left. [rulings 30]"""
    return item.quantity_shipped >= live and any(
        one.status != "OPEN" and (_allows(one, "deliver") or _allows(one, "ship"))
        for one in parcels
    )


def _of(parcels: Sequence[ShipmentShape], shipment_id: str) -> ShipmentShape:
    return next(one for one in parcels if one.id == shipment_id)
