"""Refunds: giving money back, looking first what it would be, and deciding about large ones."""

import msgspec

from counterfoil.actions import decide_refund
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import ApprovalBody, BagRefundBody, RefundBody, RejectionBody
from counterfoil.api.door import Door
from counterfoil.api.rehearse import look
from counterfoil.book.run import Action
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.answers import answer, rehearsed_refund
from counterfoil.order.change import Answered
from counterfoil.order.problems import (
    AmountInvalid,
    AttentionRequired,
    GatewayDeclined,
    InvalidState,
    RefundReferenceConflict,
    RefundReferenceRequired,
    RefundWindowClosed,
    UnknownReference,
)
from counterfoil.order.refund_plan import explain
from counterfoil.order.refunding import reckon
from counterfoil.order.shapes import RefundShape

door = Door("Money")
_REFUNDED = {200: RefundShape, 201: RefundShape, 202: RefundShape}
_REFUSED = (
    RefundReferenceRequired, RefundReferenceConflict, InvalidState, UnknownReference,
    AmountInvalid, AttentionRequired, RefundWindowClosed, GatewayDeclined,
)


@door.post(
    "/v1/orders/{order_id}/refund", right="payments.refund", versioned=True, answers=_REFUNDED,
    raises=_REFUSED,
)
async def refund_order(ask: Ask, body: RefundBody) -> Answered:
    """Give money back under a reference of the client's own; repeating it is safe.

    It goes through as many payments as it needs. More than the asker may give back alone is set
    aside, and answered with 202, until somebody has approved it. A dry run tells what it would be,
    payment by payment, with a sentence for each figure.
    """
    return await _refund(ask, body, _wanted(body))


@door.post(
    "/v1/orders/{order_id}/bags/{bag_id}/refunds", right="payments.refund", versioned=True,
    answers=_REFUNDED, raises=_REFUSED,
)
async def refund_bag(ask: Ask, body: BagRefundBody) -> Answered:
    """Give back money of one bag; a missing reference is made."""
    return await _refund(ask, body, _wanted_of_bag(body, ask.path["bag_id"]))


@door.post(
    "/v1/orders/{order_id}/refunds/{refund_id}/approve", right="payments.approve", versioned=True,
    answers={200: RefundShape, 202: RefundShape},
    raises=(InvalidState, AttentionRequired, GatewayDeclined),
)
async def approve_refund(ask: Ask, body: ApprovalBody) -> Answered:
    """Approve a refund that waits for a second person; it is sent at once.

    Whoever asked for it cannot approve it, nor can anybody whose own limit is below it.
    """
    return await _decide(ask, decide_refund.approve_refund, note=body.note)


@door.post(
    "/v1/orders/{order_id}/refunds/{refund_id}/reject", right="payments.approve", versioned=True,
    answers={200: RefundShape}, raises=(InvalidState,),
)
async def reject_refund(ask: Ask, body: RejectionBody) -> Answered:
    """Reject a refund that waits for a second person; what was set aside for it is free again."""
    return await _decide(ask, decide_refund.reject_refund, note=body.note)


async def _decide(ask: Ask, action: Action, *, note: str | None) -> Answered:
    command = ask.command(ask.path["order_id"], created=False)
    return await ask.carry_out(command, action, refund_id=ask.path["refund_id"], note=note)


async def _refund(ask: Ask, body: RefundBody, wanted: WantedRefund) -> Answered:
    if body.dry_run:
        return await _rehearse(ask, wanted)
    command = ask.command(ask.path["order_id"], reference=wanted.reference)
    return await ask.carry_out(command, refund, wanted=wanted)


async def _rehearse(ask: Ask, wanted: WantedRefund) -> Answered:
    """Tell what a refund would be; one that is there already is told as it is."""
    folder = await look(ask, refund, reference=wanted.reference)
    change = refund(folder, asked=ask.asked(), wanted=wanted)
    if change.nothing:
        told = answer(change, ask.actor)
        return msgspec.structs.replace(told, status=200, location=None, etag=None)
    parts = [part.sentence for part in reckon(folder, wanted).parts]
    return rehearsed_refund(change, ask.actor, [*parts, *explain(change.result)])


def _wanted(body: RefundBody) -> WantedRefund:
    return WantedRefund(
        reference=body.reference,
        amount=body.amount,
        reason=body.reason,
        reason_code=body.reason_code,
        lines=[WantedLine(item_id=line.item_id, quantity=line.quantity, amount=line.amount)
               for line in body.lines],
        shipping_amount=body.shipping_amount,
        tax_amount=body.tax_amount,
        restock_items=body.restock_items,
        notify_customer=body.notify_customer,
        payment_id=body.payment_id,
        payment_order=body.payment_order,
        allocations=body.allocations or (),
        fee_amount=body.fee_amount,
        override_window=body.override_window,
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
    return msgspec.structs.replace(
        plain,
        reference=plain.reference or f"bag-{new_id()}",
        amount=plain.amount if body.amount_refunded is None else body.amount_refunded,
        lines=plain.lines or skus,
        shipping_amount=body.shipping.amount if body.shipping else plain.shipping_amount,
        bag_id=bag_id,
    )
