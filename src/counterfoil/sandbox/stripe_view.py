"""The ledger's payments as Stripe's objects: realistic, and no more than its library reads."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from counterfoil.sandbox.wire import Operation, Payment

_STATUS = {
    "authorized": "requires_capture",
    "partially_captured": "succeeded",
    "captured": "succeeded",
    "voided": "canceled",
    "expired": "canceled",
    "abandoned": "canceled",
    "declined": "requires_payment_method",
}
DECLINED = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
}


class Note(Struct):
    """What Stripe keeps of a payment beside what the ledger has."""

    metadata: dict[str, str] = {}
    capture_method: str = "manual"
    confirmed: bool = False
    customer: str | None = None
    payment_method: str | None = None
    payment_method_types: tuple[str, ...] = ("card",)
    description: str | None = None
    cancellation_reason: str | None = None


def named(prefix: str, id_: str) -> str:
    """Name an object of Stripe's after a row of the ledger: pay_1, ch → ch_1."""
    return f"{prefix}_{id_.split('_', 1)[1]}"


def seconds(at: datetime | None) -> int | None:
    """Turn a time into seconds since 1970."""
    return None if at is None else int(at.timestamp())


def intent(payment: Payment, note: Note, expand: list[str]) -> dict[str, Any]:
    """Show a PaymentIntent."""
    asked = payment.operations[0].amount
    status = _status(payment, note)
    id_ = named("pi", payment.id)
    tried = payment.status not in ("pending", "abandoned")
    spelt = any(one.startswith("latest_charge") for one in expand)
    shown = charge(payment, note, expand) if spelt else named("ch", payment.id)
    declined = payment.status == "declined"
    return {
        "id": id_,
        "object": "payment_intent",
        "amount": asked,
        "amount_capturable": payment.authorized if status == "requires_capture" else 0,
        "amount_details": {"tip": {}},
        "amount_received": payment.captured,
        "application": None,
        "automatic_payment_methods": None,
        "canceled_at": _ended(payment) if status == "canceled" else None,
        "cancellation_reason": _reason(payment, note) if status == "canceled" else None,
        "capture_method": note.capture_method,
        "client_secret": f"{id_}_secret_{payment.id[-12:]}",
        "confirmation_method": "automatic",
        "created": seconds(payment.created_at),
        "currency": payment.currency.lower(),
        "customer": note.customer,
        "description": note.description,
        "last_payment_error": {**DECLINED, "charge": named("ch", payment.id)} if declined else None,
        "latest_charge": shown if tried else None,
        "livemode": False,
        "metadata": note.metadata,
        "next_action": _next(payment) if status == "requires_action" else None,
        "payment_method": None if declined else note.payment_method,
        "payment_method_options": {},
        "payment_method_types": note.payment_method_types,
        "processing": None,
        "receipt_email": None,
        "setup_future_usage": None,
        "shipping": None,
        "status": status,
    }


def charge(payment: Payment, note: Note, expand: list[str]) -> dict[str, Any]:
    """Show the one charge of a payment."""
    declined = payment.status == "declined"
    return {
        "id": named("ch", payment.id),
        "object": "charge",
        "amount": payment.operations[0].amount,
        "amount_captured": payment.captured,
        "amount_refunded": payment.refunded,
        "balance_transaction": _balance(payment, expand) if payment.captured else None,
        "billing_details": {"name": "Jenny Rosen", "email": "jenny@example.com"},
        "captured": payment.captured > 0,
        "created": seconds(payment.created_at),
        "currency": payment.currency.lower(),
        "failure_code": "card_declined" if declined else None,
        "livemode": False,
        "metadata": note.metadata,
        "paid": not declined,
        "payment_intent": named("pi", payment.id),
        "payment_method": note.payment_method,
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": "visa",
                "capture_before": seconds(payment.expires_at),
                "fingerprint": "Xt5EWLLDS7FJjR1c",
                "last4": "4242",
            },
        },
        "refunded": 0 < payment.captured == payment.refunded,
        "status": "failed" if declined else "succeeded",
    }


def refund(payment: Payment, one: Operation, metadata: dict[str, str]) -> dict[str, Any]:
    """Show a refund."""
    return {
        "id": named("re", one.id),
        "object": "refund",
        "amount": one.amount,
        "balance_transaction": named("txn", one.id),
        "charge": named("ch", payment.id),
        "created": seconds(one.created_at),
        "currency": one.currency.lower(),
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        **({"failure_reason": "expired_or_canceled_card"} if one.status == "failed" else {}),
        "metadata": metadata,
        "payment_intent": named("pi", payment.id),
        "reason": None,
        "receipt_number": None,
        "status": one.status,
    }


def listed(url: str, found: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """Show a page."""
    return {"object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": url}


def _status(payment: Payment, note: Note) -> str:
    if payment.status == "pending":
        return "requires_action" if note.confirmed else "requires_payment_method"
    if any(one.kind == "capture" and one.status == "pending" for one in payment.operations):
        return "processing"
    return _STATUS[payment.status]


def _reason(payment: Payment, note: Note) -> str | None:
    return {"expired": "expired", "abandoned": "abandoned"}.get(
        payment.status, note.cancellation_reason
    )


def _ended(payment: Payment) -> int | None:
    return seconds(payment.operations[-1].created_at)


def _next(payment: Payment) -> dict[str, Any]:
    redirect = {"return_url": None, "url": payment.redirect_url}
    return {"type": "redirect_to_url", "redirect_to_url": redirect}


def _balance(payment: Payment, expand: list[str]) -> Any:
    id_ = named("txn", payment.id)
    if "latest_charge.balance_transaction" not in expand:
        return id_
    fee = sum(one.fee for one in payment.operations)
    return {
        "id": id_,
        "object": "balance_transaction",
        "amount": payment.captured,
        "currency": payment.currency.lower(),
        "fee": fee,
        "net": payment.captured - fee,
        "status": "pending",
        "type": "charge",
    }
