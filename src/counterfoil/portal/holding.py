"""Holds in words and in forms: what each blocks, until when, and what was typed of a new one."""

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from counterfoil.actions.hold import BLOCKS, WantedHold, right_to_release
from counterfoil.order.hold import AWAITING_PAYMENT
from counterfoil.order.review import HANDLE
from counterfoil.order.shapes import HoldShape
from counterfoil.portal import words
from counterfoil.portal.forms import Form

#: What a hold may block, as the form offers it.
BLOCK_CHOICES = (
    ("both", "Capture and shipment", "No money is taken and no goods leave."),
    ("capture", "Capture", "No money is taken; goods may leave."),
    ("shipment", "Shipment", "No goods leave; money may be taken."),
)
REASON_CHOICES = tuple(words.HOLDS.items())
FIELDS = ("reason_code", "blocks", "owner", "note", "due_at", "auto_release_at")
_TYPED = "%Y-%m-%dT%H:%M"


class HeldView(NamedTuple):
    """An open hold, with the words of its line and the right that releases it."""

    hold: HoldShape
    label: str
    blocks: str
    right: str
    of_review: bool
    overdue: bool


def held_view(hold: HoldShape, now: datetime) -> HeldView:
    """Put a hold into words."""
    of_review = hold.handle == HANDLE
    label = words.HOLDS.get(hold.reason_code, hold.reason_code)
    return HeldView(
        hold=hold,
        label="Fraud review" if of_review else label,
        blocks="Blocks " + " and ".join(hold.blocks),
        right=right_to_release(hold.handle),
        of_review=of_review,
        overdue=hold.due_at is not None and hold.due_at <= now,
    )


def wanted_hold(form: Form, holds: list[HoldShape], zone: str, now: datetime) -> WantedHold | None:
    """Read what was typed; None where something of it is wrong, which the form then says."""
    values = form.values
    if values["reason_code"] not in words.HOLDS:
        form.errors["reason_code"] = "Choose one of the reasons."
    if values["blocks"] not in {key for key, *_ in BLOCK_CHOICES}:
        form.errors["blocks"] = "Choose what it blocks."
    due = _moment(form, "due_at", "Deal with it by", zone)
    ends = _moment(form, "auto_release_at", "Release by itself", zone)
    if ends is not None and ends <= now:
        form.errors["auto_release_at"] = "Release by itself: choose a time that is still to come."
    if form.errors:
        return None
    return WantedHold(
        handle=free_handle(values["reason_code"], holds),
        reason_code=values["reason_code"],
        note=values["note"] or None,
        owner=values["owner"][:200] or None,
        blocks=BLOCKS if values["blocks"] == "both" else (values["blocks"],),
        due_at=due,
        auto_release_at=ends,
    )


def free_handle(reason_code: str, holds: list[HoldShape]) -> str:
    """Make a handle of the reason that no open hold of the order has; we keep one for ourselves."""
    base = reason_code.lower().replace("_", "-")
    taken = {AWAITING_PAYMENT, *(hold.handle for hold in holds)}
    numbered = (base if n == 1 else f"{base}-{n}" for n in range(1, len(taken) + 2))
    return next(handle for handle in numbered if handle not in taken)


def _moment(form: Form, name: str, label: str, zone: str) -> datetime | None:
    """Read a time as the reader's clock shows it."""
    text = form.values[name]
    if not text:
        return None
    try:
        typed = datetime.strptime(text[:16], _TYPED)  # noqa: DTZ007 - the reader's zone is added
        return typed.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        form.errors[name] = f"{label}: write a day and a time."
        return None
