"""A page of a list, as every top-level collection of the API answers it."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from counterfoil.kernel.problem import ValidationFailed

T = TypeVar("T")
LIMIT = 25
LIMIT_MAX = 100
COUNT_MAX = 10_000


class Count(msgspec.Struct, frozen=True):
    """How many there are; counting stops at 10,000 and then says `at_least`."""

    value: int
    at_least: bool = False


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some rows of a list, where the next page begins, and how many there are in all."""

    data: Sequence[T]
    next_cursor: str | None
    count: Count


def check_limit(limit: int) -> int:
    """Return a limit that is 1 to 100. Raises ValidationFailed (rulings 43)."""
    if not 1 <= limit <= LIMIT_MAX:
        raise ValidationFailed(
            f"limit must be 1 to {LIMIT_MAX}.",
            errors=[{"pointer": "/limit", "detail": f"{limit} is not 1 to {LIMIT_MAX}."}],
        )
    return limit


def to_cursor(*place: Any) -> str:
    """Write down the place after which the next page begins; clients must not read it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_cursor(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """Read a place back, with values of the kinds that were written. Raises ValidationFailed."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        place = msgspec.json.decode(text, type=tuple[kinds])  # type: ignore[valid-type]
    except (binascii.Error, ValueError, msgspec.MsgspecError) as problem:
        raise ValidationFailed(
            "The cursor is not one that we gave out.",
            errors=[{"pointer": "/cursor", "detail": "Leave it out to begin at the start."}],
        ) from problem
    return tuple(place)


def read_page(rows: Sequence[Any], kind: type[T], limit: int, *keys: str) -> Page[T]:
    """Make a page of up to limit + 1 rows, each with `told` (the thing as JSON) and `total`.

    `keys` are the fields of the thing that the list is ordered by; `total` is counted to one more
    than COUNT_MAX at most.
    """
    found = [msgspec.json.decode(row["told"], type=kind) for row in rows]
    total = rows[0]["total"] if rows else 0
    last = found[limit - 1] if len(found) > limit else None
    cursor = None if last is None else to_cursor(*(getattr(last, key) for key in keys))
    return Page(found[:limit], cursor, Count(min(total, COUNT_MAX), total > COUNT_MAX))
