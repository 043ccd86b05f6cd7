"""A line of a file as the change that books it: pure, by the same actions as everything else."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from counterfoil.actions.history import with_history
from counterfoil.actions.place import place
from counterfoil.kernel.problem import Problem, ValidationFailed
from counterfoil.kernel.shape import refuse, shape_refused
from counterfoil.order.change import Change
from counterfoil.order.config import ShipmentMethod
from counterfoil.order.history import Brought, History, faults_of
from counterfoil.order.intake import Desk
from counterfoil.order.intent import Asked

_decode = msgspec.json.Decoder(Brought).decode
_encode = msgspec.json.Encoder().encode


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Money that a gateway really holds under a reference that an order names."""

    payment_reference: str
    expires_at: datetime | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a line was not taken; `line` counts from 1, `pointer` is below the order."""

    line: int
    code: str
    pointer: str = ""
    detail: str


def faults_from(line: int, problem: Problem) -> list[Fault]:
    """Tell a problem as what is wrong with a line."""
    errors = problem.errors or [{"pointer": "", "detail": problem.detail}]
    return [
        Fault(line=line, code=problem.code, pointer=e["pointer"], detail=e["detail"])
        for e in errors
    ]


def read_brought(raw: bytes) -> Brought:
    """Read an order and its history from JSON. Raises ValidationFailed."""
    try:
        return _decode(raw)
    except msgspec.ValidationError as problem:
        raise shape_refused(problem) from problem


def fingerprint_of(brought: Brought) -> str:
    """Name the content of an order, whatever blanks and order of keys it was written with."""
    return hashlib.sha256(_encode(brought)).hexdigest()


class Counter(msgspec.Struct):
    """Where orders of one store are taken: its desk, its methods, and numbers to give out."""

    desk: Desk
    methods: tuple[ShipmentMethod, ...]
    channel: str
    numbers: Iterator[int]

    def next_number(self) -> str:
        """Give out an order number."""
        prefix = self.desk.store.number_prefix if self.desk.store is not None else ""
        return f"{prefix}{next(self.numbers)}"


def book_brought(
    counter: Counter, brought: Brought, *, asked: Asked, fingerprint: str | None = None
) -> Change:
    """Make the change that places an order with everything it lived through.

    Raises ValidationFailed and what `place` and the actions raise.
    """
    desk, past = counter.desk, brought.history
    check_past(brought, desk.at)
    if past is not None and brought.placed_at is not None:
        desk = msgspec.structs.replace(desk, at=brought.placed_at)
    change = place(
        desk,
        asked=asked,
        wanted=brought,
        number=counter.next_number(),
        channel=counter.channel,
        fingerprint=fingerprint,
    )
    if past is not None:
        change = with_history(change, past, asked=asked, methods=counter.methods)
    _check_reachable(change)
    return change


def check_past(brought: Brought, now: datetime) -> None:
    """Refuse a past that cannot have been. Raises ValidationFailed."""
    if brought.placed_at is not None and brought.placed_at.tzinfo is None:
        raise refuse("/placed_at", "A time has a zone: 2026-11-20T10:15:00Z.")
    past = brought.history
    if past is None:
        return
    errors = faults_of(brought) + [
        {"pointer": name, "detail": "That is yet to come."}
        for name, at in _times(brought, past)
        if at is not None and at > now
    ]
    if errors:
        raise ValidationFailed(errors[0]["detail"], errors=errors)


def _times(brought: Brought, past: History) -> Iterator[tuple[str, datetime | None]]:
    yield "/placed_at", brought.placed_at
    for name in ("captured_at", "voided_at", "canceled_at"):
        yield f"/history/{name}", getattr(past, name)
    for count, parcel in enumerate(past.shipments):
        yield f"/history/shipments/{count}/shipped_at", parcel.shipped_at
        yield f"/history/shipments/{count}/delivered_at", parcel.delivered_at
    for name in ("refunds", "holds", "notes"):
        for count, one in enumerate(getattr(past, name)):
            yield f"/history/{name}/{count}/at", one.at


def _check_reachable(change: Change) -> None:
    """Refuse money that could still move at a provider who could not be told which it is."""
    for payment in change.after.payments:
        left = payment.open + payment.refundable
        instant = change.after.gateway_of(payment).capabilities.instant
        if left and not instant and payment.provider_reference is None:
            raise refuse(
                "/payment/reference",
                f"{left} can still move at {payment.gateway}: name the payment there.",
            )


def held_at_gateway(change: Change, held: Held) -> Change:
    """Bind the order's payment to the one that a gateway holds, with its end."""
    (payment,) = change.after.payments
    expires_at = held.expires_at if payment.open > 0 else None
    bound = msgspec.structs.replace(
        payment,
        provider_reference=held.payment_reference,
        expires_at=expires_at,
        due_at=expires_at,
    )
    inserts: dict[str, Any] = {**change.inserts, "payments": [bound]}
    after = msgspec.structs.replace(change.after, payments=(bound,))
    return msgspec.structs.replace(change, after=after, inserts=inserts)
