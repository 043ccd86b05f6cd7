"""Announce goods that are to come back, or take them in at once."""

from collections.abc import Sequence

import msgspec

from counterfoil.actions.receive_return import (
    SECTIONS,
    own_reference,
    take_in,
    with_linked,
)
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.allowed import require_bag
from counterfoil.order.bag import Bag
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import (
    ReceivedLine,
    Return,
    ReturnLine,
    WantedReturn,
    WantedReturnLine,
)
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens
from counterfoil.order.problems import (
    AmountInvalid,
    InvalidState,
    RefundReferenceConflict,
    UnknownReference,
)
from counterfoil.order.return_worth import reckon_receipt, reckon_refund
from counterfoil.order.shipment import LEFT, Shipment
from counterfoil.order.window import check_window


@opens(*SECTIONS)
def return_goods(folder: Folder, *, asked: Asked, bag_id: str, wanted: WantedReturn) -> Change:
    """Announce units of a bag that come back, and what the shopper gets for them.

    Only units that left and did not come back, nor are announced already. Raises, in this order:
    PermissionDenied, NotFound, MerchantLimited (an exchange), ValidationFailed (a replacement
    without an exchange); of the goods UnknownReference, InvalidState (nothing has left) and
    AmountInvalid; of the refund InvalidState (nothing was taken), AmountInvalid and
    UnknownReference; AmountInvalid (a fee is named that is more than the goods are worth);
    RefundWindowClosed, RefundReferenceConflict. [V-6…V-11, rulings 33, 34, 42]
    """
    asked.actor.require("returns.write")
    bag = require_bag(folder, bag_id, asked.actor)
    if wanted.resolution == "EXCHANGE":
        asked.actor.require_whole_order()
    _check_replacement(wanted)
    lines = _lines(folder, bag, wanted)
    draft = Draft(folder, asked.actor)
    back = _announced(draft, bag, wanted, lines)
    if back.resolution == "REFUND":
        _check_refund(folder, bag, back)
    if wanted.fee:
        _check_fee(folder, back)
    late = check_window(folder, [bag.id], asked.actor, override=wanted.override_window)
    _check_reference(folder, asked, wanted)
    back = msgspec.structs.replace(back, late=late)
    draft.add(back)
    more = {"late": True} if late else {}
    draft.fact("return.requested", back, merchant=bag.merchant, **more)
    linked = take_in(draft, back, asked, _all_of(lines)) if wanted.received else None
    return with_linked(draft.change(draft.get("returns", back.id)), linked)


def returnable(folder: Folder, bag_id: str) -> dict[str, int]:
    """Tell, by item, how many units of a bag may be announced: they left and are not back.

    Those that an open return waits for are left out.
    """
    awaited: dict[str, int] = {}
    for back in folder.returns:
        for line in back.lines if back.expected else ():
            awaited[line.item_id] = awaited.get(line.item_id, 0) + line.missing
    found = {
        item.id: item.quantity_shipped - item.quantity_returned - awaited.get(item.id, 0)
        for item in folder.items
        if item.bag_id == bag_id and item.deliverable
    }
    return {item_id: units for item_id, units in found.items() if units > 0}


def _all_of(lines: Sequence[WantedReturnLine]) -> list[ReceivedLine]:
    """All of it came in, each line in the condition that was said."""
    return [
        ReceivedLine(item_id=line.item_id, quantity=line.quantity, condition=line.condition)
        for line in lines
    ]


def _check_replacement(wanted: WantedReturn) -> None:
    if wanted.replacement and wanted.resolution != "EXCHANGE":
        detail = "A replacement goes with the resolution EXCHANGE."
        raise ValidationFailed(detail, errors=[{"pointer": "/replacement", "detail": detail}])


def _lines(folder: Folder, bag: Bag, wanted: WantedReturn) -> Sequence[WantedReturnLine]:
    """Check what is to come back, or find it out where nobody says."""
    parcel = _parcel(folder, bag, wanted.shipment_id)
    free = returnable(folder, bag.id)
    if not wanted.lines:
        inside = free
        if parcel is not None:
            units = {part.item_id: part.quantity for part in parcel.items}
            inside = {key: min(count, free.get(key, 0)) for key, count in units.items()}
        found = [
            WantedReturnLine(item_id=item_id, quantity=count)
            for item_id, count in inside.items()
            if count > 0
        ]
        if not found:
            raise InvalidState("Nothing of it has left that could come back.", returnable=0)
        return found
    if len({line.item_id for line in wanted.lines}) != len(wanted.lines):
        raise AmountInvalid("An item is named twice.")
    items = {item.id: item for item in folder.items if item.bag_id == bag.id and item.deliverable}
    for line in wanted.lines:
        item = items.get(line.item_id)
        if item is None:
            raise UnknownReference("The bag has no such item.", item_id=line.item_id)
        left = free.get(line.item_id, 0)
        if left == 0:
            raise InvalidState(
                f"Nothing of {item.name} has left that could come back.",
                item_id=item.id,
                returnable=0,
            )
        if not 0 < line.quantity <= left:
            raise AmountInvalid(
                f"{line.quantity} of {item.name} is not between 1 and the {left} that may come"
                " back.",
                item_id=item.id,
                returnable=left,
            )
    return wanted.lines


def _parcel(folder: Folder, bag: Bag, shipment_id: str | None) -> Shipment | None:
    if shipment_id is None:
        return None
    found = next(
        (one for one in folder.shipments if one.id == shipment_id and one.bag_id == bag.id), None
    )
    if found is None:
        raise UnknownReference("The bag has no such shipment.", shipment_id=shipment_id)
    if found.status not in LEFT:
        raise InvalidState("The shipment has not left.", status=found.status)
    return found


def _announced(
    draft: Draft, bag: Bag, wanted: WantedReturn, lines: Sequence[WantedReturnLine]
) -> Return:
    return_id = new_id()
    fee = wanted.fee
    if fee is None:
        fee = 0 if wanted.resolution == "NONE" else draft.before.store.return_fee
    asked_for = reference = None
    if wanted.resolution == "REFUND":
        asked_for = msgspec.to_builtins(wanted.refund)
        reference = wanted.refund.reference or own_reference(return_id)
    return Return(
        id=return_id,
        order_id=draft.order.id,
        bag_id=bag.id,
        store=draft.order.store,
        merchant=bag.merchant,
        position=len(draft.before.returns) + 1,
        status="RECEIVED" if wanted.received else "REQUESTED",
        resolution=wanted.resolution,
        lines=[
            ReturnLine(item_id=line.item_id, quantity=line.quantity, reason_code=line.reason_code)
            for line in lines
        ],
        reason_code=wanted.reason_code,
        note=wanted.note,
        restock_items=wanted.restock_items,
        notify_customer=wanted.notify_customer,
        fee=fee,
        shipment_id=wanted.shipment_id,
        refund_reference=reference,
        refund_wanted=asked_for,
        replacement=list(wanted.replacement),
        requested_by=draft.actor.told(),
        created_at=draft.at,
        updated_at=draft.at,
    )


def _check_refund(folder: Folder, bag: Bag, back: Return) -> None:
    """Refuse at once what could not be given back if all of it came in now."""
    if bag.captured <= 0:
        raise InvalidState(
            "Nothing has been captured for this bag that could be given back: choose another"
            " resolution.",
            refundable=0,
        )
    asked = back.refund_wanted or {}
    if asked.get("amount", 1) <= 0 or asked.get("shipping_amount", 0) < 0:
        raise AmountInvalid("What goes back is more than nothing.")
    if asked.get("amount", 0) > bag.refundable:
        raise AmountInvalid(
            f"{asked['amount']} is more than the {bag.refundable} that can be refunded.",
            asked=asked["amount"],
            refundable=bag.refundable,
        )
    payment_id = asked.get("payment_id")
    if payment_id not in (None, *(payment.id for payment in folder.payments)):
        raise UnknownReference("The order has no such payment.", payment_id=payment_id)
    reckon_refund(folder, back, _announced_units(back))


def _check_fee(folder: Folder, back: Return) -> None:
    """Refuse a fee that could not be kept if all came in; the store's usual one is kept so far."""
    worth = reckon_receipt(folder, back, _announced_units(back)).worth
    if back.fee > worth:
        raise AmountInvalid(
            f"A fee of {back.fee} is more than the {worth} that these are worth.",
            fee=back.fee,
            worth=worth,
        )


def _announced_units(back: Return) -> dict[str, int]:
    return {line.item_id: line.quantity for line in back.lines}


def _check_reference(folder: Folder, asked: Asked, wanted: WantedReturn) -> None:
    """Refuse a reference that a refund has, or another return keeps."""
    if wanted.resolution != "REFUND" or wanted.refund.reference is None:
        return
    first, kept = folder.same_reference, folder.reserved_by
    if first is None and kept is None:
        return
    if asked.actor.merchants is not None:
        raise RefundReferenceConflict
    raise RefundReferenceConflict(
        f"Reference {wanted.refund.reference} is in use. Choose another one.",
        refund_id=first.id if first is not None else None,
        return_id=kept,
    )
