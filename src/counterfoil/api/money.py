"""Money: capture, void, refund; and what has moved."""

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.capture import capture
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.actions.void import void
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import BagRefundBody, CaptureBody, RefundBody, VoidBody
from counterfoil.api.door import Door
from counterfoil.api.rehearse import rehearse
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.change import Answered
from counterfoil.order.problems import (
    AmountInvalid,
    AttentionRequired,
    AuthorizationExpired,
    GatewayDeclined,
    InvalidState,
    OrderOnHold,
    PartialCaptureNotEnabled,
    RefundReferenceConflict,
    RefundReferenceRequired,
    RequestInProgress,
    UnknownReference,
)
from counterfoil.order.shapes import OrderShape, RefundShape, TransactionShape

door = Door("Money")
_MOVED = {200: TransactionShape, 201: TransactionShape, 202: TransactionShape}
_REFUNDED = {200: RefundShape, 201: RefundShape, 202: RefundShape}
_REFUND_REFUSED = (
    RefundReferenceRequired, RefundReferenceConflict, InvalidState, UnknownReference,
    AmountInvalid, AttentionRequired, GatewayDeclined,
)


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


@door.post(
    "/v1/orders/{order_id}/refund", right="payments.refund", versioned=True, answers=_REFUNDED,
    raises=_REFUND_REFUSED,
)
async def refund_order(ask: Ask, body: RefundBody) -> Answered:
    """Give money back under a reference of the client's own; repeating it is safe."""
    return await _refund(ask, body, _wanted(body))


@door.post(
    "/v1/orders/{order_id}/bags/{bag_id}/refunds", right="payments.refund", versioned=True,
    answers=_REFUNDED, raises=_REFUND_REFUSED,
)
async def refund_bag(ask: Ask, body: BagRefundBody) -> Answered:
    """Give back money of one bag; a missing reference is made."""
    return await _refund(ask, body, _wanted_of_bag(body, ask.path["bag_id"]))


async def _refund(ask: Ask, body: RefundBody, wanted: WantedRefund) -> Answered:
    if body.dry_run:
        return await rehearse(ask, refund, reference=wanted.reference, wanted=wanted)
    command = ask.command(ask.path["order_id"], reference=wanted.reference)
    return await ask.carry_out(command, refund, wanted=wanted)


def _wanted(body: RefundBody) -> WantedRefund:
    return WantedRefund(
        reference=body.reference,
        amount=body.amount,
        reason=body.reason,
        reason_code=body.reason_code,
        lines=[WantedLine(item_id=line.item_id, quantity=line.quantity, amount=line.amount)
               for line in body.lines],
        shipping_amount=body.shipping_amount,
        restock_items=body.restock_items,
        notify_customer=body.notify_customer,
        payment_id=body.payment_id,
        allocations=body.allocations or (),
    )


def _wanted_of_bag(body: BagRefundBody, bag_id: str) -> WantedRefund:
    """Read either set of words, never both for one thing. [V-14]"""
    for ours, theirs in (
        ("amount", "amount_refunded"), ("lines", "skus"), ("shipping_amount", "shipping")
    ):
        if getattr(body, ours) not in (None, []) and getattr(body, theirs) not in (None, []):
            raise ValidationFailed(
                f"Send {ours} or {theirs}, not both.",
                errors=[{"pointer": f"/{theirs}", "detail": f"{ours} says the same."}],
            )
    plain = _wanted(body)
    skus = [
        WantedLine(
            item_id=sku.order_sku_id, quantity=sku.quantity_refunded, amount=sku.amount_refunded
        )
        for sku in body.skus
    ]
    return WantedRefund(
        reference=plain.reference or f"bag-{new_id()}",
        amount=plain.amount if body.amount_refunded is None else body.amount_refunded,
        reason=plain.reason,
        reason_code=plain.reason_code,
        lines=plain.lines or skus,
        shipping_amount=body.shipping.amount if body.shipping else plain.shipping_amount,
        restock_items=plain.restock_items,
        notify_customer=plain.notify_customer,
        bag_id=bag_id,
        payment_id=plain.payment_id,
        allocations=plain.allocations,
    )
