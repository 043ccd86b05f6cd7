"""Decide about a return that was announced, and end one."""

import msgspec

from counterfoil.actions.exchange import make_exchange
from counterfoil.actions.receive_return import SECTIONS, find_return, with_linked
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import Return
from counterfoil.order.intent import Asked
from counterfoil.order.life import RETURN
from counterfoil.order.opening import opens


@opens("bags", "returns")
def approve_return(
    folder: Folder, *, asked: Asked, return_id: str, note: str | None = None
) -> Change:
    """Let the shopper send it. Raises PermissionDenied, NotFound, TransitionNotAllowed."""
    back = find_return(folder, asked, return_id)
    RETURN.check(back.status, "APPROVED")
    return _decided(folder, asked, back, "APPROVED", note)


@opens("bags", "returns")
def reject_return(folder: Folder, *, asked: Asked, return_id: str, note: str) -> Change:
    """Do not take it back; its units and its reference are free again.

    Raises PermissionDenied, NotFound, TransitionNotAllowed.
    """
    back = find_return(folder, asked, return_id)
    RETURN.check(back.status, "REJECTED")
    free = msgspec.structs.replace(back, refund_reference=None)
    return _decided(folder, asked, free, "REJECTED", note)


@opens(*SECTIONS)
def close_return(folder: Folder, *, asked: Asked, return_id: str) -> Change:
    """Wait for nothing more. What was to be replaced is sent for what came in, if anything did.

    Raises, in this order: PermissionDenied, NotFound, MerchantLimited (an exchange that is not
    made yet), TransitionNotAllowed.
    """
    back = find_return(folder, asked, return_id)
    unmade = back.replacement and back.exchange_order_id is None
    if unmade:
        asked.actor.require_whole_order()
    RETURN.check(back.status, "CLOSED")
    draft = Draft(folder, asked.actor)
    reference = back.refund_reference if back.refund_id is not None else None
    closed = msgspec.structs.replace(
        back, status="CLOSED", closed_at=draft.at, updated_at=draft.at, refund_reference=reference
    )
    draft.put(closed)
    draft.fact("return.closed", closed, merchant=_merchant(folder, back))
    linked = make_exchange(draft, asked, closed) if unmade and back.begun else None
    return with_linked(draft.change(draft.get("returns", back.id)), linked)


def _decided(
    folder: Folder, asked: Asked, back: Return, status: str, note: str | None
) -> Change:
    draft = Draft(folder, asked.actor)
    decided = msgspec.structs.replace(
        back,
        status=status,
        decided_by=asked.actor.told(),
        decided_at=draft.at,
        decision_note=note,
        updated_at=draft.at,
    )
    draft.put(decided)
    draft.fact(f"return.{status.lower()}", decided, merchant=_merchant(folder, back))
    return draft.change(decided)


def _merchant(folder: Folder, back: Return) -> str:
    return next(bag.merchant for bag in folder.bags if bag.id == back.bag_id)
