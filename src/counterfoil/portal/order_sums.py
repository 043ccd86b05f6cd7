"""Parts of the order page that are no region: the sums as a bar, who bought it, where it goes."""

from typing import Any, NamedTuple

import msgspec

from counterfoil.order.shapes import AmountsShape


class Share(NamedTuple):
    """A stretch of the bar below the sums, in thousandths."""

    tone: str
    start: int
    width: int


class Sum(NamedTuple):
    """A sum of the ledger; those that have a tone are parts of the bar."""

    label: str
    minor: int
    tone: str = ""


class Ledger(NamedTuple):
    """authorised = captured + voided + expired + set aside + open, in words and as a bar."""

    lines: tuple[Sum, ...]
    shares: tuple[Share, ...]


class Person(NamedTuple):
    """The customer in words."""

    name: str
    email: str
    phone: str


class Place(msgspec.Struct, frozen=True):
    """An address as far as it is known."""

    name: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


def ledger_of(sums: AmountsShape) -> Ledger:
    """Add up the order's sums; parts that are nothing are left out but for the usual ones."""
    parts = (
        Sum("Refunded", sums.refunded, "violet"),
        Sum("Captured", sums.captured - sums.refunded, "success"),
        Sum("Set aside", sums.pending, "warning"),
        Sum("Open", sums.open, "info"),
        Sum("Released", sums.voided, "neutral"),
        Sum("Expired", sums.expired, "neutral"),
    )
    shares, start = [], 0
    for part in parts:
        width = part.minor * 1000 // sums.authorized if sums.authorized else 0
        shares.append(Share(part.tone, start, width))
        start += width
    lines = [
        Sum("Authorised", sums.authorized),
        Sum("Captured", sums.captured, "success"),
        Sum("Refunded", sums.refunded, "violet"),
        Sum("Released", sums.voided, "neutral"),
        Sum("Expired", sums.expired, "neutral"),
        Sum("Set aside, not known yet", sums.pending + sums.refund_pending, "warning"),
        Sum("Open", sums.open, "info"),
    ]
    usual = ("Authorised", "Captured", "Refunded", "Open")
    shown = tuple(line for line in lines if line.minor or line.label in usual)
    return Ledger(shown, tuple(share for share in shares if share.width))


def person_of(known: dict[str, Any]) -> Person:
    """Tell who bought it."""
    name = " ".join(str(known[key]) for key in ("first_name", "last_name") if known.get(key))
    return Person(
        name or str(known.get("name") or ""),
        str(known.get("email") or ""),
        str(known.get("phone") or ""),
    )


def place_of(known: dict[str, Any] | None) -> Place | None:
    """Take an address as far as it is known."""
    return msgspec.convert(known, Place, strict=False) if known else None
