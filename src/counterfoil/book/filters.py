"""Filters: which orders somebody wants to see, checked, and narrowed to those they may see."""

from datetime import datetime
from typing import Any

import msgspec

from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.actor import Actor
from counterfoil.order.config import SYSTEM_STATES
from counterfoil.order.order import OPEN_STATES
from counterfoil.order.problems import SortNotAvailable

NEWEST, OLDEST, DEAREST, LATEST = "-placed_at", "placed_at", "-total", "-updated_at"
SORTS = (NEWEST, OLDEST, DEAREST, LATEST)
VALUES_MAX = 50
TEXT_MAX = 200
#: What the values of a status filter may be; codes of states, stores and so on are free.
CHOICES: dict[str, tuple[str, ...]] = {
    "system_state": SYSTEM_STATES,
    "financial_status": (
        "UNPAID", "PENDING", "AUTHORIZED", "PARTIALLY_PAID", "PAID", "PARTIALLY_REFUNDED",
        "REFUNDED", "VOIDED",
    ),
    "fulfillment_status": (
        "PROCESSING", "PARTIALLY_SHIPPED", "SHIPPED", "DELIVERED", "COULD_NOT_DELIVER", "RETURNED",
    ),
    "fraud_status": ("NOT_REQUIRED", "PENDING", "ON_HOLD", "PASSED", "FAILED"),
}
#: Other words for the same, taken as input. [domain.md §13]
_SYNONYMS = {"FULFILLED": "SHIPPED", "PARTIALLY_FULFILLED": "PARTIALLY_SHIPPED"}
_ALWAYS = frozenset({"store", "open", "placed_from", "placed_to"})


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders. Several values of one filter are or, several filters are and.

    `status` is any of the order's state codes or system states. `hold` is an open hold that
    stands: that of an order which is cancelled, or shipped and paid, is moot.
    `placed_from` belongs to the range, `placed_to` does not. `q` are words; an order has to have
    each, as the beginning of something it can be found by. `attention`, `to_capture`, `to_ship` and
    `money_unknown` are the views of the portal. [api.md, GET /v1/orders]
    """

    state: tuple[str, ...] = ()
    system_state: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    financial_status: tuple[str, ...] = ()
    fulfillment_status: tuple[str, ...] = ()
    fraud_status: tuple[str, ...] = ()
    hold: bool | None = None
    open: bool | None = None
    store: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    merchant: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    is_test: bool | None = None
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    q: str | None = None
    number: tuple[str, ...] = ()
    external_id: tuple[str, ...] = ()
    attention: bool = False
    to_capture: bool = False
    to_ship: bool = False
    money_unknown: bool = False


_NONE = Filters()


def checked(filters: Filters, sort: str = NEWEST) -> Filters:
    """Return the filters with synonyms put right.

    Raises ValidationFailed, which names each wrong value, and SortNotAvailable. [rulings 15, 43]
    """
    if filters == _NONE and sort in SORTS:
        return filters
    wrong: list[dict[str, str]] = []
    if sort not in SORTS:
        wrong.append({"pointer": "/sort", "detail": f"It is one of {', '.join(SORTS)}."})
    fixed: dict[str, Any] = {}
    for name in Filters.__struct_fields__:
        value = getattr(filters, name)
        if name in CHOICES:
            value = fixed[name] = tuple(_SYNONYMS.get(one, one) for one in value)
        wrong += [{"pointer": f"/{name}", "detail": said} for said in _faults(name, value)]
    if wrong:
        raise ValidationFailed(wrong[0]["detail"], errors=wrong)
    if sort in (DEAREST, LATEST):
        others = sorted(_set_names(filters) - _ALWAYS)
        if others:
            raise SortNotAvailable(
                f"Leave out {', '.join(others)}, or sort by {NEWEST}.", filters=others
            )
    return msgspec.structs.replace(filters, **fixed)


def _set_names(filters: Filters) -> set[str]:
    return {
        name
        for name in Filters.__struct_fields__
        if getattr(filters, name) not in (None, (), False, "")
        or (name in ("hold", "open", "is_test") and getattr(filters, name) is False)
    }


def _faults(name: str, value: Any) -> list[str]:
    if isinstance(value, datetime):
        return [] if value.tzinfo else ["The time needs its offset from UTC."]
    texts = (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ()
    if len(texts) > VALUES_MAX:
        return [f"{len(texts)} values are more than {VALUES_MAX}."]
    found = [f"A value has more than {TEXT_MAX} characters." for t in texts if len(t) > TEXT_MAX]
    found += ["A value has characters that no text has." for text in texts if not is_text(text)]
    known = CHOICES.get(name)
    if known:
        found += [f"{one!r} is not one of {', '.join(known)}." for one in texts if one not in known]
    return found


def is_text(text: str) -> bool:
    """Tell whether PostgreSQL can hold a text: no NUL, no half of a surrogate pair."""
    return not any(one == "\x00" or "\ud800" <= one <= "\udfff" for one in text)


class Sight(msgspec.Struct, frozen=True):
    """What is left of the filters after looking at who asks.

    `stores` and `merchants` are None where all are meant. `nothing`: no order can match.
    `limited`: who asks sees these merchants' bags alone.
    """

    stores: tuple[str, ...] | None
    merchants: tuple[str, ...] | None
    systems: tuple[str, ...]
    nothing: bool
    limited: bool = False


def sight_of(filters: Filters, actor: Actor) -> Sight:
    """Narrow stores and merchants to the actor's, and system states to those that can match."""
    stores = _narrowed(filters.store, actor.stores)
    merchants = _narrowed(filters.merchant, actor.merchants)
    systems = [
        state
        for state in SYSTEM_STATES
        if (not filters.system_state or state in filters.system_state)
        and (filters.open is None or (state in OPEN_STATES) == filters.open)
    ]
    nothing = stores == () or merchants == () or not systems
    return Sight(stores, merchants, tuple(systems), nothing, actor.merchants is not None)


def _narrowed(wanted: tuple[str, ...], allowed: frozenset[str] | None) -> tuple[str, ...] | None:
    if allowed is None:
        return tuple(dict.fromkeys(wanted)) or None
    return tuple(sorted(code for code in allowed if not wanted or code in wanted))
