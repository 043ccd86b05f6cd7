"""Holds: keep an order from being captured, shipped or both, until somebody lets it go."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from counterfoil.actions.hold import WantedHold, hold, release
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import Sentence
from counterfoil.api.door import Door
from counterfoil.kernel.shape import Name
from counterfoil.order.change import Answered
from counterfoil.order.problems import HoldHandleTaken, InvalidState
from counterfoil.order.shapes import OrderShape

door = Door("Holds and reviews")
Handle = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)")]
Moment = Annotated[datetime, Meta(tz=True)]
Reason = Literal[
    "AWAITING_PAYMENT", "HIGH_RISK_OF_FRAUD", "INCORRECT_ADDRESS", "INVENTORY_OUT_OF_STOCK", "OTHER"
]
Blocks = Annotated[
    tuple[Literal["capture", "shipment"], ...], Meta(min_length=1, max_length=2)
]


class HoldBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to hold, why and until when.

    `owner` is who sees to it, a person or a team; `due_at` is when they should have dealt with it.
    At `auto_release_at` it ends by itself.
    """

    handle: Handle
    reason_code: Reason = "OTHER"
    note: Sentence | None = None
    owner: Name | None = None
    blocks: Blocks = ("capture", "shipment")
    due_at: Moment | None = None
    auto_release_at: Moment | None = None


@door.post(
    "/v1/orders/{order_id}/holds", right="orders.holds", versioned=True,
    answers={200: OrderShape}, raises=(InvalidState, HoldHandleTaken),
)
async def place_hold(ask: Ask, body: HoldBody) -> Answered:
    """Place a hold. Holds stack, and none of them changes the order's state.

    The handle is the order's own: an open hold of the same handle is refused. `fraud-review` and
    `awaiting-payment` are placed by reviews and edits alone.
    """
    wanted = WantedHold(
        handle=body.handle,
        reason_code=body.reason_code,
        note=body.note,
        owner=body.owner,
        blocks=body.blocks,
        due_at=body.due_at,
        auto_release_at=body.auto_release_at,
    )
    return await ask.run(hold, wanted=wanted)


@door.delete(
    "/v1/orders/{order_id}/holds/{handle}", right=("orders.holds", "reviews.decide"),
    versioned=True, answers={200: OrderShape},
)
async def release_hold(ask: Ask) -> Answered:
    """Release one hold; work resumes when none is left.

    That of a fraud review, `fraud-review`, takes the right to decide reviews; the review itself
    stays undecided.
    """
    return await ask.run(release, handle=ask.path["handle"])
