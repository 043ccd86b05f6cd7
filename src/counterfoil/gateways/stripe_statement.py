"""A payment as Stripe sees it, in our words. [U-27, rulings 26]

Since version 2025-03-31 giving up a hold makes no refund at Stripe, whole or in part: every
refund that is listed has returned captured money, or is trying to.
"""

from datetime import UTC, datetime

from counterfoil.gateways.amounts import NotRepresentable, to_minor
from counterfoil.gateways.stripe_shapes import Charge, Intent, Refund
from counterfoil.gateways.stripe_verdict import (
    CAPTURED_BY,
    EXPIRED,
    REFERENCE,
    void_id,
)
from counterfoil.order.gateway import Capabilities, Movement, Statement

#: Stripe's words for where a refund is, and ours.
_REFUNDS = {
    "succeeded": "succeeded",
    "pending": "pending",
    "requires_action": "pending",
    "failed": "failed",
    "canceled": "failed",
}


def instant(seconds: int) -> datetime:
    """Turn seconds since 1970 into a UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def hold_ends(charge: Charge | None) -> datetime | None:
    """Tell until when the network keeps the hold, where Stripe says so. [faults A-4]"""
    method = charge.payment_method_details if charge else None
    before = method.card.capture_before if method and method.card else None
    return None if before is None else instant(before)


def fee_of(charge: Charge | None, currency: str, able: Capabilities) -> int | None:
    """Tell Stripe's fee in our minor units.

    None where it is not known, in another currency, or a fraction of our unit.
    """
    balance = charge.balance_transaction if charge else None
    if balance is None or isinstance(balance, str) or balance.currency.upper() != currency:
        return None
    try:
        return to_minor(balance.fee, currency, able)
    except NotRepresentable:
        return None


def state(intent: Intent, refunds: list[Refund], able: Capabilities) -> Statement:
    """Tell a payment's totals and movements. Raises NotRepresentable.

    A hold that was never given counts as nothing. What was not captured of a captured payment
    was given back by the capture.
    """
    currency = intent.currency.upper()
    failed = intent.charge is not None and intent.charge.status == "failed"
    held = intent.status in ("requires_capture", "succeeded") or (
        intent.status == "canceled" and intent.latest_charge is not None and not failed
    )
    authorized = to_minor(intent.amount, currency, able) if held else 0
    captured = to_minor(intent.amount_received or 0, currency, able)
    rest = 0 if intent.status == "requires_capture" else authorized - captured
    expired = rest if intent.cancellation_reason in EXPIRED else 0
    back = [_returned(one, able) for one in refunds]
    movements = _movements(intent, authorized, captured, rest, able) if held else []
    return Statement(
        payment_reference=intent.id,
        currency=currency,
        authorized=authorized,
        captured=captured,
        voided=rest - expired,
        expired=expired,
        refunded=sum(one.amount for one in back if one.status == "succeeded"),
        expires_at=hold_ends(intent.charge) if intent.status == "requires_capture" else None,
        movements=sorted(movements + back, key=lambda one: one.at),
        itemised=True,
        status=intent.status,
    )


def _movements(
    intent: Intent, authorized: int, captured: int, rest: int, able: Capabilities
) -> list[Movement]:
    """Tell the hold, its one capture and what was given up.

    Of their times Stripe keeps that of a cancellation alone. A void has no reference of ours: a
    cancellation carries none, and there is one at most.
    """
    charge = intent.charge
    made = instant((charge and charge.created) or intent.created or 0)
    ours = intent.marked(REFERENCE)
    at_once = intent.capture_method != "manual"
    found = [Movement("AUTHORIZE", authorized, intent.id, ours, made)]
    if captured:
        fee = fee_of(charge, intent.currency.upper(), able)
        by = ours if at_once else intent.marked(CAPTURED_BY)
        id_ = intent.id if at_once else intent.charge_id
        found.append(Movement("CAPTURE", captured, id_, by, made, fee=fee))
    if rest:
        ended = instant(intent.canceled_at) if intent.canceled_at else made
        if intent.cancellation_reason in EXPIRED:
            found.append(Movement("EXPIRE", rest, f"{intent.id}_expired", None, ended))
        elif intent.status == "canceled":
            found.append(Movement("VOID", rest, void_id(intent.id), None, ended))
        else:
            found.append(Movement("VOID", rest, f"{intent.charge_id}_released", None, ended))
    return found


def _returned(refund: Refund, able: Capabilities) -> Movement:
    return Movement(
        kind="REFUND",
        amount=to_minor(refund.amount, refund.currency.upper(), able),
        gateway_transaction_id=refund.id,
        our_reference=refund.marked(REFERENCE),
        at=instant(refund.created),
        status=_REFUNDS.get(refund.status or "", "pending"),
    )
