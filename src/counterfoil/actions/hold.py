"""Keep an order from being captured, shipped or both."""

from datetime import datetime

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound, ValidationFailed
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.hold import Hold
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens
from counterfoil.order.problems import HoldHandleTaken

BLOCKS = frozenset({"capture", "shipment"})


class WantedHold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold as it is asked for."""

    handle: str
    reason_code: str = "OTHER"
    note: str | None = None
    blocks: tuple[str, ...] = ("capture", "shipment")
    due_at: datetime | None = None


@opens("bags", "items", "payments", "refunds", "shipments", "holds", "notes", "merchants")
def hold(folder: Folder, *, asked: Asked, wanted: WantedHold) -> Change:
    """Place a hold. It never changes the state.

    Raises, in this order: PermissionDenied, ValidationFailed (it blocks nothing, or what is not
    known), HoldHandleTaken.
    """
    asked.actor.require("orders.holds")
    asked.actor.require_whole_order()
    if not wanted.blocks or not set(wanted.blocks) <= BLOCKS:
        wrong = "A hold blocks capture, shipment or both."
        raise ValidationFailed(wrong, errors=[{"pointer": "/blocks", "detail": wrong}])
    if any(held.handle == wanted.handle for held in folder.open_holds):
        raise HoldHandleTaken(handle=wanted.handle)
    draft = Draft(folder, asked.actor)
    placed = Hold(
        id=new_id(),
        order_id=folder.order.id,
        handle=wanted.handle,
        reason_code=wanted.reason_code,
        note=wanted.note,
        blocks=list(wanted.blocks),
        placed_by=asked.actor.told(),
        placed_at=draft.at,
        due_at=wanted.due_at,
    )
    draft.add(placed)
    flag_holds(draft)
    draft.fact("order.held", placed)
    return draft.change(placed)


@opens("bags", "items", "payments", "refunds", "shipments", "holds", "notes", "merchants")
def release(folder: Folder, *, asked: Asked, handle: str) -> Change:
    """Release one hold; work resumes when none is left. Raises PermissionDenied, NotFound."""
    asked.actor.require("orders.holds")
    asked.actor.require_whole_order()
    found = next((held for held in folder.open_holds if held.handle == handle), None)
    if found is None:
        raise NotFound("The order has no open hold with that handle.")
    draft = Draft(folder, asked.actor)
    draft.put(msgspec.structs.replace(found, released_by=asked.actor.told(), released_at=draft.at))
    flag_holds(draft)
    draft.fact("order.released", found)
    return draft.change(found)


def flag_holds(draft: Draft) -> None:
    """Write on the order what its open holds block together."""
    blocks = {
        what for held in draft.section("holds") if held.released_at is None for what in held.blocks
    }
    draft.set_order(hold_capture="capture" in blocks, hold_shipment="shipment" in blocks)
