"""Choosing a list's source: the narrowest index that answers, so that little is read in vain."""

from typing import Any

import msgspec

from counterfoil.book import sources
from counterfoil.book.filters import Filters, Sight
from counterfoil.book.fragments import filled, rows
from counterfoil.book.search import prefix_end, words_of
from counterfoil.book.sources import Shape
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX
from counterfoil.order.allowed import MONEY_STATES, SHIPPABLE
from counterfoil.order.terms import CHANNEL, MERCHANT, STORE, TAG, TEST, folded

#: A term that fewer orders have is read whole rather than looked up for order after order.
FEW = 3_000
_STATUS_FILTERS = ("state", "status", "financial_status", "fulfillment_status", "fraud_status")
#: Groups of terms, and the condition that says the same of the order's own columns.
_COLUMN_OF = {"g_store": "store", "g_channel": "channel", "g_test": "test"}
_SIZE = """(select count(*) from (select from order_term t where t.account_id = $1
  and t.term = any({<group>}::text[]) limit {few}) x)"""
_WORD_SIZE = """(select count(*) from (select from order_term t where t.account_id = $1
  and t.term >= {<group>} and t.term < {<group>_end} limit {few}) x)"""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Filters taken apart: conditions on statuses, groups of terms, the rest, and all values."""

    cells: tuple[str, ...]
    groups: tuple[str, ...]
    others: tuple[str, ...]
    special: str
    values: dict[str, Any]
    range: tuple[str, ...]


def taken_apart(filters: Filters, sight: Sight) -> Wanted:
    """Take filters apart into what sources and conditions are named for."""
    values: dict[str, Any] = {
        "systems": list(sight.systems),
        "opens": [True, False] if filters.open is None else [filters.open],
        "open": filters.open,
        "store": list(sight.stores or ()),
        "channel": list(filters.channel),
        "test": filters.is_test,
        "number": list(filters.number),
        "external_id": list(filters.external_id),
        "money_states": list(MONEY_STATES),
        "shippable": list(SHIPPABLE),
        "placed_from": filters.placed_from,
        "placed_to": filters.placed_to,
        "capped": COUNT_MAX + 1,
        "few": FEW + 1,
        "g_store": [STORE + code for code in sight.stores or ()],
        "g_channel": [CHANNEL + code for code in filters.channel],
        "g_test": [TEST],
        "g_merchant": [MERCHANT + code for code in sight.merchants or ()],
        "g_tag": [TAG + folded(tag) for tag in filters.tag],
    }
    values |= {name: list(getattr(filters, name)) for name in _STATUS_FILTERS}
    words = words_of(filters.q or "")
    for place, word in enumerate(words):
        values[f"word{place}"] = word
        values[f"word{place}_end"] = prefix_end(word)
    groups = [
        name
        for name in ("g_tag", "g_merchant", "g_channel", "g_store")
        if values[name]
    ]
    groups += ["g_test"] if filters.is_test else []
    groups += [f"word{place}" for place in range(len(words))]
    return Wanted(
        cells=_cells(filters),
        groups=tuple(groups),
        others=(*_others(filters), *_own_words(sight, words)),
        special=_special(filters),
        values=values,
        range=tuple(n for n in ("placed_from", "placed_to") if values[n] is not None),
    )


def _cells(filters: Filters) -> tuple[str, ...]:
    names = [name for name in _STATUS_FILTERS if getattr(filters, name)]
    names += ["to_capture"] if filters.to_capture else []
    names += ["to_ship"] if filters.to_ship else []
    if filters.hold is not None:
        names.append("held" if filters.hold else "not_held")
    if filters.system_state:
        names.append("system_state")
    return tuple(names)


def _others(filters: Filters) -> tuple[str, ...]:
    names = ["test"] if filters.is_test is False else []
    names += ["capturable"] if filters.to_capture else []
    if filters.hold is not None and not filters.open:
        # What holds an order that is open stands; of others it may be moot.
        names.append("stands" if filters.hold else "no_hold_stands")
    names += ["number"] if filters.number else []
    names += ["external_id"] if filters.external_id else []
    names += ["attention"] if filters.attention else []
    names += ["unknown"] if filters.money_unknown else []
    return tuple(names)


def _own_words(sight: Sight, words: tuple[str, ...]) -> tuple[str, ...]:
    """Name the conditions that a word is not found by another merchant's goods alone."""
    return tuple(f"own_word{place}" for place in range(len(words))) if sight.limited else ()


def _special(filters: Filters) -> str:
    """Name the source that is always the narrowest, if one of those is asked for."""
    if filters.number:
        return sources.NUMBER
    if filters.external_id:
        return sources.EXTERNAL
    if filters.money_unknown:
        return sources.UNKNOWN
    return sources.ATTENTION if filters.attention else ""


async def choose(connection: Connection, wanted: Wanted) -> Shape:
    """Choose the source; how frequent terms are is asked only where there is a choice."""
    axes = bool(wanted.cells or wanted.values["open"] is not None)
    groups = [name for name in wanted.groups if name != "g_store"]
    if groups or wanted.cells:
        groups = list(wanted.groups)
    if wanted.special or not groups:
        return _by_order(wanted)
    if len(groups) == 1 and not axes:
        return _by_term(wanted, groups[0])
    sizes = await _sizes(connection, wanted, groups)
    rarest = min(groups, key=lambda name: sizes[name])
    if axes and sizes[rarest] > FEW:
        return _by_order(wanted)
    return _by_term(wanted, rarest)


async def _sizes(connection: Connection, wanted: Wanted, groups: list[str]) -> dict[str, int]:
    parts = [filled(_WORD_SIZE if name.startswith("word") else _SIZE, group=name)
             for name in groups]
    found = await rows(connection, "select array[" + ",\n".join(parts) + "]", wanted.values)
    return dict(zip(groups, found[0][0], strict=True))


def _shape(wanted: Wanted, source: str, names: list[str], **more: Any) -> Shape:
    """Make the shape; terms that a column tells too are asked of the column."""
    named = [_COLUMN_OF.get(name, name) for name in names]
    return Shape(
        source=source,
        conditions=tuple(dict.fromkeys(named)),
        stores=bool(wanted.values["store"]),
        range=wanted.range,
        **more,
    )


def _by_order(wanted: Wanted) -> Shape:
    """Read orders themselves: by a special index, by status, by open and store, or by time."""
    terms = [name for name in wanted.groups if name != "g_store"]
    stored = ["g_store"] if wanted.values["store"] else []
    opened = ["open"] if wanted.values["open"] is not None else []
    if wanted.special:
        own = {"number", "external_id"} if wanted.special == "" else {wanted.special}
        names = [*wanted.cells, *opened, *stored, *terms, *wanted.others]
        return _shape(wanted, wanted.special, [name for name in names if name not in own])
    if wanted.cells:
        # The system states are what the statuses are skipped through by; open is in them.
        cells = tuple(name for name in wanted.cells if name != "system_state")
        return _shape(wanted, sources.CELLS, [*stored, *terms, *wanted.others], cells=cells)
    if opened or stored:
        return _shape(wanted, sources.OPEN, [*terms, *wanted.others])
    return _shape(wanted, sources.PLACED, [*terms, *wanted.others])


def _by_term(wanted: Wanted, group: str) -> Shape:
    """Read a term's orders, newest first, and ask everything else of each."""
    opened = ["open"] if wanted.values["open"] is not None else []
    rest = [name for name in wanted.groups if name != group]
    several = not group.startswith("word") and len(wanted.values[group]) > 1
    return _shape(
        wanted,
        sources.WORD if group.startswith("word") else sources.TERM,
        [*wanted.cells, *opened, *rest, *wanted.others],
        group=group,
        several=several,
    )
