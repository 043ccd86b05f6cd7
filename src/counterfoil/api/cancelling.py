"""Cancelling: an order, a bag or some units; asking for it, and declining."""

from typing import Annotated

import msgspec
from msgspec import Meta

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.request_cancel import decline_cancel, request_cancel
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import Id, ReasonCode, Sentence
from counterfoil.api.door import Door
from counterfoil.api.reading import read_folder
from counterfoil.api.rehearse import rehearse
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.cancellation import CanceledLine
from counterfoil.order.change import Answered
from counterfoil.order.intake import Quantity
from counterfoil.order.problems import (
    AmountInvalid,
    ApprovalRequired,
    AttentionRequired,
    GatewayDeclined,
    InvalidState,
    RequestInProgress,
    UnknownReference,
)
from counterfoil.order.shapes import CancellationShape, OrderShape
from counterfoil.order.telling_cancellation import (
    TOLD_OF_CANCELLATION,
    cancellations_seen,
    tell_cancellation,
)

door = Door("Cancelling")
CANCEL_REFUSED = (
    RequestInProgress, InvalidState, AttentionRequired, ApprovalRequired, GatewayDeclined,
)
_PART_REFUSED = (UnknownReference, AmountInvalid)
_CANCELED = {200: CancellationShape, 202: CancellationShape}
_DECIDERS = ("orders.state", "orders.cancel")


class CancelLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line, and how many of its units are cancelled."""

    item_id: Id
    quantity: Quantity


class CancelBagBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why it is cancelled, and whether to write to the customer.

    With `lines` these units alone are; without it is all there is.
    """

    reason: Sentence | None = None
    reason_code: ReasonCode = "OTHER"
    notify_customer: bool = False
    restock_items: bool = True
    lines: Annotated[list[CancelLine], Meta(min_length=1, max_length=1000)] | None = None
    dry_run: bool = False


class CancelBody(CancelBagBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why it is cancelled, and whether to write to the customer.

    With `bag_id` that bag alone is cancelled, with `lines` these units alone. `cancellation_id`
    names one of a part whose money did not all go back: what is left of it is tried again.
    """

    bag_id: Id | None = None
    cancellation_id: Id | None = None


class CancelRequestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why somebody wants it cancelled."""

    reason: Sentence | None = None
    reason_code: ReasonCode = "OTHER"


class DeclineBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why it is not cancelled."""

    note: Sentence | None = None


@door.post(
    "/v1/orders/{order_id}/cancel", right="orders.cancel", versioned=True, answers=_CANCELED,
    raises=(*CANCEL_REFUSED, *_PART_REFUSED),
)
async def cancel_order(ask: Ask, body: CancelBody) -> Answered:
    """Release what is open, give back what was taken, keep what has not left; tell both amounts.

    Of a bag or of lines the units are cancelled at once and what they cost goes back; the order's
    state stays, unless nothing live is left: then all of it is cancelled. Lines may be cancelled
    while others of the bag have left. Where the money of such a part did not all go back, naming
    its cancellation, or the bag once more, tries again what is left: nothing goes back twice. A
    dry run tells the plan.
    """
    if body.cancellation_id is not None and (body.bag_id is not None or body.lines):
        detail = "Send cancellation_id alone: what it is of is known."
        where = "/bag_id" if body.bag_id is not None else "/lines"
        raise ValidationFailed(detail, errors=[{"pointer": where, "detail": detail}])
    return await _cancel(ask, body, body.bag_id, body.cancellation_id)


@door.post(
    "/v1/orders/{order_id}/bags/{bag_id}/cancel", right="orders.cancel", versioned=True,
    answers=_CANCELED, raises=(*CANCEL_REFUSED, *_PART_REFUSED),
)
async def cancel_bag(ask: Ask, body: CancelBagBody) -> Answered:
    """Cancel a bag, or some units of it; the same as naming the bag to the order."""
    return await _cancel(ask, body, ask.path["bag_id"])


@door.post(
    "/v1/orders/{order_id}/cancel-request", right=_DECIDERS, versioned=True,
    answers={200: OrderShape}, raises=(RequestInProgress, InvalidState),
)
async def ask_to_cancel(ask: Ask, body: CancelRequestBody) -> Answered:
    """Ask for the order to be cancelled: nothing ships and no money moves until it is decided."""
    return await ask.run(request_cancel, reason=body.reason, reason_code=body.reason_code)


@door.post(
    "/v1/orders/{order_id}/cancel-request/decline", right=_DECIDERS, versioned=True,
    answers={200: OrderShape}, raises=(RequestInProgress, InvalidState),
)
async def decline_to_cancel(ask: Ask, body: DeclineBody) -> Answered:
    """Decline the request: the order goes back to where it was."""
    return await ask.run(decline_cancel, note=body.note)


@door.get(
    "/v1/orders/{order_id}/cancellations", right="orders.read",
    answers={200: list[CancellationShape]},
)
async def show_cancellations(ask: Ask) -> list[CancellationShape]:
    """List what was cancelled of an order and what became of its money, the oldest first."""
    folder, _ = await read_folder(ask, ask.path["order_id"], TOLD_OF_CANCELLATION)
    return [
        tell_cancellation(plan, folder, ask.actor) for plan in cancellations_seen(folder, ask.actor)
    ]


async def _cancel(
    ask: Ask, body: CancelBagBody, bag_id: str | None, again: str | None = None
) -> Answered:
    wanted = WantedCancel(
        reason=body.reason,
        reason_code=body.reason_code,
        notify_customer=body.notify_customer,
        restock_items=body.restock_items,
        bag_id=bag_id,
        again=again,
        lines=tuple(CanceledLine(line.item_id, line.quantity) for line in body.lines or ()),
    )
    run = rehearse if body.dry_run else Ask.run
    return await run(ask, cancel, wanted=wanted)
