"""Order states in words: the eight colours, what a state counts as, how many orders are in it."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from counterfoil.kernel.page import Count
from counterfoil.order.config import MAPPABLE_STATES, OrderState
from counterfoil.portal import figures, words
from counterfoil.setup.states import ShownState


class Hue(NamedTuple):
    """A colour of the palette; its contrast is proven, so no other can be chosen."""

    style: str
    label: str


HUES = {
    "blue": Hue("cf-hue-blue", "Blue"),
    "teal": Hue("cf-hue-teal", "Teal"),
    "green": Hue("cf-hue-green", "Green"),
    "amber": Hue("cf-hue-amber", "Amber"),
    "orange": Hue("cf-hue-orange", "Orange"),
    "red": Hue("cf-hue-red", "Red"),
    "purple": Hue("cf-hue-purple", "Purple"),
    "grey": Hue("cf-hue-grey", "Grey"),
}
COUNTS_AS = tuple((one, words.STATUS[one].label) for one in MAPPABLE_STATES)


class Row(NamedTuple):
    """A state as its page lists it: its orders in a figure, and where they are listed."""

    state: ShownState
    hue: Hue
    word: words.Word
    orders: str
    href: str
    leads_to: str
    movable: bool
    first: bool
    last: bool


def rows_of(states: Sequence[ShownState], *, named_store: bool) -> list[Row]:
    """Tell the states of a store in their order; `named_store`: there are several stores."""
    names = {one.code: one.name for one in states}
    return [
        Row(
            state=one,
            hue=hue_of(one.colour),
            word=words.look("status", one.system_state),
            orders=orders_of(one.orders),
            href=orders_href(one, named_store=named_store),
            leads_to=leads_to(one, names),
            movable=one.system_state in MAPPABLE_STATES,
            first=place == 0,
            last=place == len(states) - 1,
        )
        for place, one in enumerate(states)
    ]


def hue_of(colour: str) -> Hue:
    """Find a colour; one that is not of the palette shows as grey."""
    return HUES.get(colour, HUES["grey"])


def orders_of(count: Count) -> str:
    """Say how many orders there are: "38 orders", "1,000+ orders"."""
    if count.value == 1 and not count.at_least:
        return "1 order"
    return f"{figures.count(count.value, count.at_least)} orders"


def orders_href(state: OrderState, *, named_store: bool) -> str:
    """Write the address of the list of a state's orders."""
    named = {"status": state.code} | ({"store": state.store} if named_store else {})
    return f"/portal/orders/all?{urlencode(named)}"


def leads_to(state: OrderState, names: dict[str, str]) -> str:
    """Name the states that may come next, where the store has narrowed them."""
    if state.next is None:
        return ""
    return ", ".join(names.get(code, code) for code in state.next) or "no other state"
