"""Money: acknowledge, capture, void."""

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.capture import capture
from counterfoil.actions.void import void
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import CaptureBody, VoidBody
from counterfoil.api.door import Door
from counterfoil.api.rehearse import rehearse
from counterfoil.order.change import Answered
from counterfoil.order.problems import (
    AmountInvalid,
    AttentionRequired,
    AuthorizationExpired,
    GatewayDeclined,
    InvalidState,
    OrderOnHold,
    PartialCaptureNotEnabled,
    RequestInProgress,
)
from counterfoil.order.shapes import OrderShape, TransactionShape

door = Door("Money")
_MOVED = {200: TransactionShape, 201: TransactionShape, 202: TransactionShape}


@door.post(
    "/v1/orders/{order_id}/acknowledge", right="payments.capture", versioned=True,
    answers={200: OrderShape, 202: TransactionShape},
    raises=(InvalidState, AuthorizationExpired, RequestInProgress, GatewayDeclined),
)
async def acknowledge_payment(ask: Ask) -> Answered:
    """Tell the gateway that we have the authorisation, which stops its clock."""
    return await ask.run(acknowledge)


@door.post(
    "/v1/orders/{order_id}/capture", right="payments.capture", versioned=True, answers=_MOVED,
    raises=(InvalidState, OrderOnHold, AuthorizationExpired, AmountInvalid,
            PartialCaptureNotEnabled, AttentionRequired, GatewayDeclined),
)
async def capture_payment(ask: Ask, body: CaptureBody) -> Answered:
    """Take authorised money, all that is open or a part of it."""
    run = rehearse if body.dry_run else Ask.run
    return await run(
        ask, capture, amount=body.amount, payment_id=body.payment_id, allocations=body.allocations
    )


@door.post(
    "/v1/orders/{order_id}/void", right="payments.void", versioned=True, answers=_MOVED,
    raises=(InvalidState, AmountInvalid, AttentionRequired, GatewayDeclined),
)
async def void_payment(ask: Ask, body: VoidBody) -> Answered:
    """Release authorised money, all that is open or a part; releasing all of it cancels."""
    run = rehearse if body.dry_run else Ask.run
    return await run(
        ask, void, amount=body.amount, payment_id=body.payment_id, allocations=body.allocations
    )
