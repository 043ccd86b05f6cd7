"""The list of orders: its address read into filters, and filters, chips and views written back.

The address is the state: unknown keys are dropped and said so, empty ones are not written, and
every set filter is a chip that can be taken away. [design guide 5.1]
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import msgspec

from counterfoil.portal import words

AXES = (
    ("status", "Status", words.STATUS),
    (
        "payment",
        "Payment",
        {
            key: words.PAYMENT[key]
            for key in (
                "UNPAID",
                "PENDING",
                "AUTHORIZED",
                "PARTIALLY_PAID",
                "PAID",
                "PARTIALLY_REFUNDED",
                "REFUNDED",
                "VOIDED",
            )
        },
    ),
    ("ship", "Fulfilment", words.FULFILMENT),
    ("review", "Review", words.REVIEW),
)
MORE = (
    ("store", "Store"),
    ("channel", "Channel"),
    ("merchant", "Merchant"),
    ("tag", "Tag"),
    ("hold", "Hold"),
    ("test", "Test orders"),
)
YES_NO = {
    "hold": (("1", "On hold"), ("0", "Not on hold")),
    "test": (("1", "Only test orders"), ("0", "No test orders")),
}
SIZES = (25, 50, 100)
KEPT = ("sort", "size", "view")
KNOWN = {name for name, *_ in (*AXES, *MORE)} | {
    "q",
    "placed_from",
    "placed_to",
    "after",
    *KEPT,
}
Pairs = list[tuple[str, str]]


class Choice(NamedTuple):
    """A value that a filter offers."""

    value: str
    label: str
    chosen: bool = False
    word: words.Word | None = None


class Group(NamedTuple):
    """A filter with tick boxes."""

    name: str
    label: str
    choices: tuple[Choice, ...]
    chosen: int


class MoreField(NamedTuple):
    """A filter below *More*: a few choices, or text."""

    name: str
    label: str
    value: str
    choices: tuple[Choice, ...]


class Chip(NamedTuple):
    """A set filter in words, and the address without it."""

    label: str
    value: str
    href: str


class View(msgspec.Struct, frozen=True):
    """A tab above the list."""

    label: str
    href: str
    current: bool
    count: int | None = None
    at_least: bool = False


class Found(NamedTuple):
    """How many there are; `at_least` where counting stopped."""

    value: int
    at_least: bool = False


class Paging(NamedTuple):
    """Where the pages before and after are, and the sizes a page may have."""

    newer: str
    older: str
    size: int
    sizes: tuple[tuple[int, str], ...]


class Page(NamedTuple):
    """Which of the lists it is, and what stands there while it is empty."""

    title: str
    path: str
    empty_title: str
    empty: str
    empty_door: str
    empty_href: str


OPEN = Page(
    "Open orders",
    "/portal/orders/open",
    "Nothing is open",
    "An order stands here from the moment it comes in until everything is shipped or cancelled.",
    "All orders",
    "/portal/orders/all",
)
ALL = Page(
    "All orders",
    "/portal/orders/all",
    "No orders yet",
    "Orders come in over the API, or from a file with “counterfoil import orders”.",
    "API reference",
    "/docs/api",
)


#: What stands in a view's place while nothing is in it.
NOTHING = {
    "attention": ("Nothing needs attention", "What waits for a person stands here."),
    "capture": ("Nothing to capture", "Authorised money that nobody has taken stands here."),
    "ship": ("Nothing to ship", "Orders whose goods have not left stand here."),
    "hold": ("Nothing is on hold", "Orders that a hold keeps back stand here."),
    "unknown": ("Every amount is accounted for", "Money that a provider said nothing about yet."),
}


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A list's address as read. `chosen` has the ticked values of each axis."""

    path: str
    q: str = ""
    chosen: dict[str, tuple[str, ...]] = {}
    more_values: dict[str, str] = {}
    placed_from: str = ""
    placed_to: str = ""
    after: str = ""
    sort: str = "-placed_at"
    size: int = 50
    view: str = ""
    notice: str = ""
    offered: dict[str, tuple[tuple[str, str], ...]] = {}

    @property
    def oldest_first(self) -> bool:
        """Whether the list starts with the oldest."""
        return self.sort == "placed_at"

    @property
    def pairs(self) -> Pairs:
        """The filters as they stand in the address, without page and sort."""
        found: Pairs = [("q", self.q)] if self.q else []
        found += [(name, value) for name, values in self.chosen.items() for value in values]
        found += [(name, value) for name, value in self.more_values.items() if value]
        placed = (("placed_from", self.placed_from), ("placed_to", self.placed_to))
        return [*found, *(pair for pair in placed if pair[1])]

    @property
    def kept(self) -> Pairs:
        """What the filter form carries along unseen."""
        found: Pairs = [("view", self.view)] if self.view else []
        found += [("sort", self.sort)] if self.oldest_first else []
        return found + ([("size", str(self.size))] if self.size != 50 else [])

    def href(self, pairs: Pairs | None = None, **more: str) -> str:
        """Write an address with these filters; `more` replaces what it names, empty removes."""
        kept = [pair for pair in self.kept if pair[0] not in more]
        rest = [*(self.pairs if pairs is None else pairs), *kept]
        rest += [(name, value) for name, value in more.items() if value]
        return self.path + ("?" + urlencode(rest) if rest else "")

    @property
    def groups(self) -> tuple[Group, ...]:
        """The filters with tick boxes, as rendered."""
        made = []
        for name, label, table in AXES:
            ticked = self.chosen.get(name, ())
            shown = [
                *((key, word.label, word) for key, word in table.items()),
                *((key, own, None) for key, own in self.offered.get(name, ())),
            ]
            choices = tuple(Choice(key, text, key in ticked, word) for key, text, word in shown)
            made.append(Group(name, label, choices, len(ticked)))
        return tuple(made)

    @property
    def more(self) -> tuple[MoreField, ...]:
        """The filters below *More*."""
        made = []
        for name, label in MORE:
            value = self.more_values.get(name, "")
            options = YES_NO.get(name) or self.offered.get(name, ())
            choices = tuple(Choice(key, text, key == value) for key, text in options)
            made.append(MoreField(name, label, value, choices))
        return tuple(made)

    @property
    def more_set(self) -> int:
        """How many filters below *More* are set."""
        return sum(1 for value in self.more_values.values() if value)

    @property
    def chips(self) -> tuple[Chip, ...]:
        """Every set filter in words, each with the address that lacks it."""
        titles = {name: label for name, label, *_ in AXES} | dict(MORE)
        titles |= {"q": "Search", "placed_from": "Placed from", "placed_to": "Placed through"}
        return tuple(
            Chip(
                titles[name],
                self._word(name, value),
                self.href([pair for pair in self.pairs if pair != (name, value)]),
            )
            for name, value in self.pairs
        )

    def _word(self, name: str, value: str) -> str:
        for axis, _, table in AXES:
            if axis == name and value in table:
                return table[value].label
        options = (*YES_NO.get(name, ()), *self.offered.get(name, ()))
        known = dict(options).get(value)
        if known is None and name in {axis for axis, *_ in AXES}:
            return f"{value}?"
        return known or value

    @property
    def here(self) -> str:
        """The address of this very page of the list."""
        return self.href(after=self.after)

    def follows(self, since: str) -> str:
        """Where to ask what is newer than the first row; only a first page, newest first, asks."""
        if self.oldest_first or self.after:
            return ""
        return f"{self.path}/newer{self.href(since=since or '').removeprefix(self.path)}"

    @property
    def clear(self) -> str:
        """The address without any filter, in the same view."""
        return self.href([])

    @property
    def nothing(self) -> tuple[str, str]:
        """What to say where the view is empty; empty itself where no view is chosen."""
        return NOTHING.get(self.view, ("", ""))

    @property
    def turned(self) -> str:
        """The address with the other end first."""
        return self.href(sort="" if self.oldest_first else "placed_at")


def read_query(
    path: str,
    given: Sequence[tuple[str, str]],
    offered: Mapping[str, Sequence[tuple[str, str]]] | None = None,
) -> Query:
    """Read a list's address. `offered`: states, stores and so on of this account, by filter."""
    values: dict[str, list[str]] = {}
    dropped = []
    for name, value in given:
        if name not in KNOWN:
            dropped.append(name)
        elif value.strip():
            values.setdefault(name, []).append(value.strip()[:200])

    def one(name: str) -> str:
        return values.get(name, [""])[-1]

    size = int(one("size")) if one("size").isascii() and one("size").isdecimal() else 50
    return Query(
        path=path,
        q=one("q"),
        chosen={axis: tuple(dict.fromkeys(values[axis])) for axis, *_ in AXES if axis in values},
        more_values={name: one(name) for name, _ in MORE if one(name)},
        placed_from=_day(one("placed_from")),
        placed_to=_day(one("placed_to")),
        after=one("after"),
        sort="placed_at" if one("sort") == "placed_at" else "-placed_at",
        size=size if size in SIZES else 50,
        view=one("view"),
        notice=f"Not a filter here: {', '.join(sorted(set(dropped))[:5])}." if dropped else "",
        offered={name: tuple(pairs) for name, pairs in (offered or {}).items()},
    )


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def paging(query: Query, *, newer: str, older: str) -> Paging:
    """Write the addresses of the neighbouring pages from their cursors; empty is no page."""
    return Paging(
        newer=query.href(after=newer) if newer else "",
        older=query.href(after=older) if older else "",
        size=query.size,
        sizes=tuple((size, query.href(size="" if size == 50 else str(size))) for size in SIZES),
    )


def views(
    page: Page, built_in: Iterable[tuple[str, str]], current: str, counts: Mapping[str, Any]
) -> list[View]:
    """Make the tabs; counts that were not asked for stay away."""
    made = []
    for key, label in built_in:
        found = counts.get(key)
        href = page.path + (f"?view={key}" if key else "")
        made.append(View(label, href, key == current, *(found or (None, False))))
    return made


def day_start(day: str) -> datetime | None:
    """Take a day of the address as the moment it begins, UTC."""
    return datetime.fromisoformat(f"{day}T00:00:00+00:00") if day else None


def way_back(address: str) -> tuple[str, str]:
    """Take the list that a reader came from, if it is one of ours: its name and address."""
    for page in (OPEN, ALL):
        if address == page.path or address.startswith(f"{page.path}?"):
            query = read_query(page.path, parse_qsl(address.partition("?")[2]))
            return page.title, query.here
    return OPEN.title, OPEN.path
