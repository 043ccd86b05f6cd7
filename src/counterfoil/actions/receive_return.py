"""Take in goods that came back: units are counted, and what they are worth goes its way."""

from collections.abc import Sequence

import msgspec

from counterfoil.actions.exchange import make_exchange
from counterfoil.actions.refund import promise_refund, promised
from counterfoil.kernel.problem import NotFound
from counterfoil.order.allowed import require_bag
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import restated_item
from counterfoil.order.goods_return import CONDITIONS, ReceivedLine, Return, ReturnLine
from counterfoil.order.intent import Asked
from counterfoil.order.letters import queue_if_wanted, queue_letter
from counterfoil.order.life import RETURN
from counterfoil.order.opening import opens
from counterfoil.order.problems import (
    AmountInvalid,
    AttentionRequired,
    InvalidState,
    UnknownReference,
)
from counterfoil.order.refund_plan import needs_approval, plan_refund
from counterfoil.order.return_worth import ReturnWorth, reckon_receipt
from counterfoil.order.shipment import Shipment

#: What taking goods in looks into.
SECTIONS = (
    "bags", "items", "payments", "gateways", "refunds", "shipments", "returns", "merchants",
)  # fmt: skip
_LETTER = "return_received"


@opens(*SECTIONS)
def receive_return(
    folder: Folder, *, asked: Asked, return_id: str, lines: Sequence[ReceivedLine] = ()
) -> Change:
    """Take in what came back; without lines all that is missing. Again while units are missing.

    A refund is made of what came in; what was to be replaced is sent in an order of its own when
    all of it is here. Raises, in this order: PermissionDenied, NotFound, MerchantLimited (an
    exchange), TransitionNotAllowed, InvalidState (nothing is missing), UnknownReference,
    AmountInvalid. [V-6…V-11, rulings 33, 34]
    """
    back = find_return(folder, asked, return_id)
    if back.resolution == "EXCHANGE":
        asked.actor.require_whole_order()
    if back.status != "RECEIVED":
        RETURN.check(back.status, "RECEIVED")
    if not back.expected:
        raise InvalidState("Everything of this return has come in.", missing=0)
    draft = Draft(folder, asked.actor)
    linked = take_in(draft, back, asked, received_lines(back, lines))
    change = draft.change(draft.get("returns", back.id))
    return with_linked(change, linked)


def find_return(folder: Folder, asked: Asked, return_id: str) -> Return:
    """Find a return that the actor may write. Raises PermissionDenied and NotFound."""
    asked.actor.require("returns.write")
    back = next((one for one in folder.returns if one.id == return_id), None)
    if back is None:
        raise NotFound("There is no such return.")
    require_bag(folder, back.bag_id, asked.actor)
    return back


def with_linked(change: Change, linked: Change | None) -> Change:
    """Let the order of an exchange be written with the change that calls for it."""
    if linked is None:
        return change
    return msgspec.structs.replace(change, new_orders=[linked])


def received_lines(back: Return, lines: Sequence[ReceivedLine]) -> list[ReceivedLine]:
    """Check what is said to have come in; all that is missing where nothing is said.

    Raises UnknownReference and AmountInvalid.
    """
    if not lines:
        return [
            ReceivedLine(item_id=line.item_id, quantity=line.missing)
            for line in back.lines
            if line.missing
        ]
    if len({line.item_id for line in lines}) != len(lines):
        raise AmountInvalid("An item is named twice.")
    for line in lines:
        announced = next((one for one in back.lines if one.item_id == line.item_id), None)
        if announced is None:
            raise UnknownReference("The return has no such item.", item_id=line.item_id)
        if not 0 < line.quantity <= announced.missing:
            raise AmountInvalid(
                f"{line.quantity} is not between 1 and the {announced.missing} units missing.",
                item_id=line.item_id,
                missing=announced.missing,
            )
        restocked, written_off = _fate(back, line)
        if min(restocked, written_off) < 0 or restocked + written_off != line.quantity:
            raise AmountInvalid(
                f"Restocked and written off do not add up to {line.quantity}.",
                item_id=line.item_id,
                quantity=line.quantity,
            )
    return list(lines)


def _fate(back: Return, line: ReceivedLine) -> tuple[int, int]:
    """Tell how many units go back on the shelf and how many do not."""
    assert line.condition in (None, *CONDITIONS), line.condition
    restocked, written_off = line.restocked, line.written_off
    if restocked is None and written_off is None:
        good = back.restock_items and line.condition in (None, "AS_NEW")
        restocked = line.quantity if good else 0
    if restocked is None:
        restocked = line.quantity - (written_off or 0)
    if written_off is None:
        written_off = line.quantity - restocked
    return restocked, written_off


def take_in(
    draft: Draft, back: Return, asked: Asked, lines: Sequence[ReceivedLine]
) -> Change | None:
    """Count what came in and let its worth go its way; the order of an exchange, where made.

    The return is in the draft already, as it was before. `lines` are checked.
    """
    units = {line.item_id: line.quantity for line in lines}
    by_item = {line.item_id: line for line in lines}
    now = msgspec.structs.replace(
        back,
        status="RECEIVED",
        lines=[_with(back, line, by_item.get(line.item_id)) for line in back.lines],
        received_at=back.received_at or draft.at,
        updated_at=draft.at,
    )
    draft.put(now)
    _count(draft, now, units)
    found = reckon_receipt(draft.before, back, units)
    more = {"payment_spent": True} if found.spent else {}
    draft.fact("return.received", now, merchant=_merchant(draft, now), **more, received=[
        {
            "item_id": line.item_id,
            "quantity": line.quantity,
            "condition": line.condition,
            "restocked": _fate(back, line)[0],
            "written_off": _fate(back, line)[1],
        }
        for line in lines
    ])  # fmt: skip
    linked = None
    if back.resolution == "REFUND":
        _give_back(draft, back, asked, found)
    else:
        _keep_worth(draft, back, found)
        now = draft.get("returns", back.id)
        if not any(line.missing for line in now.lines):
            linked = make_exchange(draft, asked, now)
    _write_to_customer(draft, asked, back, units)
    return linked


def _with(back: Return, line: ReturnLine, came: ReceivedLine | None) -> ReturnLine:
    if came is None:
        return line
    restocked, written_off = _fate(back, came)
    return msgspec.structs.replace(
        line,
        received=line.received + came.quantity,
        restocked=line.restocked + restocked,
        written_off=line.written_off + written_off,
        condition=came.condition or line.condition,
    )


def _count(draft: Draft, back: Return, units: dict[str, int]) -> None:
    """Count the units as returned; a parcel that is back whole is RETURNED."""
    for item_id, count in units.items():
        item = draft.get("items", item_id)
        draft.put(msgspec.structs.replace(item, quantity_returned=item.quantity_returned + count))
    for parcel in draft.section("shipments"):
        if parcel.bag_id == back.bag_id and _is_back(draft, parcel):
            whole = msgspec.structs.replace(parcel, status="RETURNED", updated_at=draft.at)
            draft.put(whole)
            draft.fact(
                "shipment.updated", whole, merchant=_merchant(draft, back), fields=["status"]
            )
    shipments = draft.section("shipments")
    for item in draft.section("items"):
        if item.bag_id == back.bag_id and item.deliverable:
            draft.put(restated_item(item, shipments))


def _is_back(draft: Draft, parcel: Shipment) -> bool:
    """Whether a parcel that could not be delivered has come back with all that was in it."""
    if parcel.status != "COULD_NOT_DELIVER":
        return False
    named = [
        line
        for back in draft.section("returns")
        if back.shipment_id == parcel.id
        for line in back.lines
    ]
    for part in parcel.items:
        item = draft.get("items", part.item_id)
        came = sum(line.received for line in named if line.item_id == part.item_id)
        if came < part.quantity and item.quantity_returned < item.quantity_shipped:
            return False
    return True


def _give_back(draft: Draft, back: Return, asked: Asked, found: ReturnWorth) -> None:
    """Promise the refund of what came in; the worker sends it where a provider is asked.

    It waits for approval where the actor may not give back so much, or no money at all. Where
    nothing but a payment that a person has to see to stands in its way it waits for that, and is
    sent then: goods that are here are here.
    """
    now: Return = draft.get("returns", back.id)
    now = msgspec.structs.replace(now, worth=now.worth + found.worth)
    draft.put(now)
    if found.wanted is None or found.reckoned is None:
        return
    wanted = msgspec.structs.replace(found.wanted, reference=_reference(draft, back))
    amount, actor = found.reckoned.amount, asked.actor
    waits = not actor.can("payments.refund") or needs_approval(actor, amount, draft.order.currency)
    closed = False
    try:
        plan = plan_refund(draft.before, wanted, found.reckoned.allocations, closed_too=waits)
    except AttentionRequired:
        closed = True
        plan = plan_refund(draft.before, wanted, found.reckoned.allocations, closed_too=True)
    promise = promised(draft, wanted, found.reckoned, plan)
    later = msgspec.structs.replace(asked, key=None, lease=None)
    promise = promise_refund(draft, later, promise, waits=waits, closed=closed)
    draft.put(msgspec.structs.replace(now, refund_id=promise.id))


def _reference(draft: Draft, back: Return) -> str:
    """The reference that was kept, numbered from the second refund on.

    Where somebody was quicker with it, one of the return's own.
    """
    count = sum(1 for refund in draft.before.refunds if refund.return_id == back.id)
    numbered = f"-{count + 1}" if count else ""
    kept = back.refund_reference
    taken = draft.before.same_reference
    if kept is None or (taken is not None and taken.reference == kept + numbered):
        kept = own_reference(back.id)
    return kept + numbered


def own_reference(return_id: str) -> str:
    """The reference of a return's refund where nobody chose one."""
    return f"return-{return_id}"


def _keep_worth(draft: Draft, back: Return, found: ReturnWorth) -> None:
    now: Return = draft.get("returns", back.id)
    credit = now.credit
    if back.resolution == "STORE_CREDIT":
        credit += found.left
    draft.put(msgspec.structs.replace(now, worth=now.worth + found.worth, credit=credit))


def _write_to_customer(
    draft: Draft, asked: Asked, back: Return, units: dict[str, int]
) -> None:
    if back.notify_customer and not asked.instant:
        queue_letter(draft, _LETTER, items=units)
    else:
        queue_if_wanted(draft, _LETTER, asked, items=units)


def _merchant(draft: Draft, back: Return) -> str:
    bag: str = draft.get("bags", back.bag_id).merchant
    return bag
