"""A request to cancel in words: who asked, why, and what was decided to be done about it."""

from typing import Any

from counterfoil.order.canceling_again import left_of
from counterfoil.order.folder import Folder
from counterfoil.portal import story
from counterfoil.portal.reading import Read

ASKED = "order.cancel_requested"


def asked_to_cancel(read: Read) -> str:
    """Say who asked to cancel an order, while nobody has decided; empty where a plan was made."""
    if read.order.state.system_state != "CANCEL_REQUESTED":
        return ""
    newest = next((fact for fact in read.facts if fact.type == ASKED), None)
    whole = any(plan.whole for plan in read.folder.cancellations)
    if newest is None:
        return "" if whole else "Somebody asked to cancel this order"
    data = newest.data or {}
    if "cancellation" in data:
        return ""
    note_id = (data.get("note") or {}).get("id")
    words = next((note.body for note in read.order.notes if note.id == note_id), "")
    told = _who(read, data, newest.actor)
    return f"{told}: “{words}”" if words else told


def unreturned(folder: Folder) -> int:
    """Tell how much did not go back of what was cancelled in part; no more than is still here.

    Where somebody has given it back by hand since, nothing. Minor units.
    """
    return sum(
        part.amount
        for plan in folder.cancellations
        if plan.again_of is None
        for part in left_of(folder, plan)
    )


def _who(read: Read, data: dict[str, Any], actor: dict[str, Any]) -> str:
    by = story.who(actor)
    if data.get("reason_code") != "CUSTOMER":
        return f"{by} asked to cancel this order"
    known = read.order.customer
    name = " ".join(str(known[key]) for key in ("first_name", "last_name") if known.get(key))
    return f"{name or 'The customer'} asked to cancel this order, through {by}"
