"""A request to cancel in words: who asked, why, and what was decided to be done about it."""

from typing import Any

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
    order = folder.order
    missing = sum(
        (plan.amount or 0) - plan.refunded_amount - plan.reversed_amount
        for plan in folder.cancellations
        if not plan.whole and plan.status in ("FAILED", "PARTIALLY_CANCELED")
    )
    here = order.captured - order.refunded - order.refund_pending + order.outstanding
    return max(0, min(missing, here - (order.total - order.canceled_total)))


def _who(read: Read, data: dict[str, Any], actor: dict[str, Any]) -> str:
    by = story.who(actor)
    if data.get("reason_code") != "CUSTOMER":
        return f"{by} asked to cancel this order"
    known = read.order.customer
    name = " ".join(str(known[key]) for key in ("first_name", "last_name") if known.get(key))
    return f"{name or 'The customer'} asked to cancel this order, through {by}"
