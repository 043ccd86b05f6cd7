"""The words, tones and icons of every status, in one table each.

Four axes, four badges, never merged: status, payment, fulfilment, review. Beside them movements,
items, shipments, bags and holds. Tones are those of `assets/css`; icons are names in the sprite.
[V-8, V-9; design guide 4]
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from counterfoil.order.shapes import AmountsShape, StateShape
from counterfoil.portal.figures import left


class Word(NamedTuple):
    """How a status looks: tone of the badge, icon of the sprite, what it is called."""

    tone: str
    icon: str
    label: str


STATUS = {
    "NEW": Word("info", "circle-dot", "New"),
    "PROCESSING": Word("progress", "progress", "Processing"),
    "COMPLETED": Word("success", "circle-check", "Completed"),
    "CANCEL_REQUESTED": Word("warning", "message-cancel", "Cancel requested"),
    "CANCELED": Word("neutral", "ban", "Cancelled"),
    "FRAUD": Word("danger", "flag", "Fraud"),
    "SUSPENDED": Word("warning", "player-pause", "Suspended"),
}
PAYMENT = {
    "UNPAID": Word("neutral", "cash-off", "Unpaid"),
    "PENDING": Word("progress", "hourglass", "Pending"),
    "AUTHORIZED": Word("info", "lock", "Authorised"),
    "PARTIALLY_PAID": Word("progress", "circle-half-2", "Partly captured"),
    "PAID": Word("success", "coin", "Paid"),
    "PARTIALLY_REFUNDED": Word("violet", "arrow-back-up", "Partially refunded"),
    "REFUNDED": Word("violet", "receipt-refund", "Refunded"),
    "VOIDED": Word("neutral", "credit-card-off", "Voided"),
    "EXPIRED": Word("neutral", "clock-x", "Expired"),
    "CREATED": Word("neutral", "hourglass", "Created"),
    "CAPTURED": Word("success", "coin", "Captured"),
    "PARTIALLY_CAPTURED": Word("progress", "circle-half-2", "Partly captured"),
    "DECLINED": Word("danger", "circle-x", "Declined"),
    "ABANDONED": Word("neutral", "clock-x", "Abandoned"),
}
FULFILMENT = {
    "PROCESSING": Word("neutral", "package", "Not shipped"),
    "PARTIALLY_SHIPPED": Word("progress", "truck-loading", "Partly shipped"),
    "SHIPPED": Word("info", "truck", "Shipped"),
    "DELIVERED": Word("success", "home-check", "Delivered"),
    "COULD_NOT_DELIVER": Word("danger", "truck-off", "Could not deliver"),
    "RETURNED": Word("violet", "truck-return", "Returned"),
}
REVIEW = {
    "PENDING": Word("warning", "shield-question", "In review"),
    "ON_HOLD": Word("warning", "shield-half", "Review on hold"),
    "PASSED": Word("success", "shield-check", "Review passed"),
    "FAILED": Word("danger", "shield-x", "Review failed"),
}
#: Nobody has to see to it any more: its order was cancelled, or is shipped and paid.
MOOT = Word("neutral", "shield-question", "Review moot")
HOLD = {
    "OPEN": Word("warning", "hand-stop", "On hold"),
    "MOOT": Word("neutral", "hand-stop", "Hold moot"),
}
MOVEMENT = {
    "PENDING": Word("progress", "hourglass", "Waiting"),
    "SUCCEEDED": Word("success", "circle-check", "Done"),
    "FAILED": Word("danger", "circle-x", "Refused"),
    "UNKNOWN": Word("unknown", "help-circle", "Not known yet"),
    "AWAITING_APPROVAL": Word("warning", "hourglass", "Awaits approval"),
    "PROCESSING": Word("progress", "hourglass", "Under way"),
    "COMPLETED": Word("success", "circle-check", "Completed"),
    "PARTIALLY_COMPLETED": Word("warning", "circle-half-2", "Partly completed"),
    "PARTIALLY_CANCELED": Word("warning", "circle-half-2", "Not finished"),
    "CANCELED": Word("neutral", "ban", "Cancelled"),
    "EXTERNAL": Word("neutral", "external-link", "Made at the provider"),
    "QUEUED": Word("progress", "hourglass", "Waiting to leave"),
    "SENT": Word("success", "circle-check", "Sent"),
}
REFUND = {
    "AWAITING_APPROVAL": Word("warning", "hourglass", "Awaiting approval"),
    "PROCESSING": Word("progress", "hourglass", "Processing"),
    "COMPLETED": Word("success", "circle-check", "Done"),
    "PARTIALLY_COMPLETED": Word("warning", "circle-half-2", "Partly done"),
    "FAILED": Word("danger", "circle-x", "Failed"),
    "CANCELED": Word("neutral", "ban", "Not made"),
    "EXTERNAL": Word("neutral", "external-link", "Made at the provider"),
}
ITEM = {
    "PENDING": Word("neutral", "circle-dashed", "Pending"),
    "PROCESSING": Word("progress", "box", "Processing"),
    "READY": Word("info", "package-export", "Ready"),
    "BACKORDERED": Word("warning", "clock-exclamation", "Back-ordered"),
    "SHIPPED": Word("info", "truck", "Shipped"),
    "IN_TRANSIT": Word("info", "truck-delivery", "In transit"),
    "DELIVERED": Word("success", "home-check", "Delivered"),
    "COULD_NOT_DELIVER": Word("danger", "truck-off", "Could not deliver"),
    "RETURNED": Word("violet", "truck-return", "Returned"),
    "CANCELED": Word("neutral", "package-off", "Cancelled"),
}
SHIPMENT = {**ITEM, "OPEN": Word("neutral", "package", "Not sent yet")}
BAG = {
    "IN_PROGRESS": Word("neutral", "circle-dashed", "In progress"),
    "SUBMITTED": Word("info", "circle-dot", "Submitted"),
    "ACCEPTED": Word("progress", "progress", "Accepted"),
    "REJECTED": Word("danger", "circle-x", "Rejected"),
    "BACKORDERED": Word("warning", "clock-exclamation", "Back-ordered"),
    "COMPLETED": Word("success", "circle-check", "Completed"),
    "CANCELED": Word("neutral", "ban", "Cancelled"),
}
RETURN = {
    "REQUESTED": Word("info", "truck-return", "Announced"),
    "APPROVED": Word("progress", "hourglass", "Approved"),
    "REJECTED": Word("danger", "circle-x", "Rejected"),
    "RECEIVED": Word("success", "package", "Received"),
    "CLOSED": Word("neutral", "circle-check", "Closed"),
}
TASK = {
    "OPEN": Word("warning", "hourglass", "Open"),
    "DONE": Word("success", "circle-check", "Done"),
}
DRIFT = {
    "OPEN": Word("danger", "alert-triangle", "Open"),
    "RESOLVED": Word("success", "circle-check", "Resolved"),
}
#: How near the end of a reservation is.
NEARNESS = {
    "OVER": Word("neutral", "clock-x", "Ended"),
    "MINUTES": Word("danger", "clock-exclamation", "Minutes left"),
    "HOUR": Word("warning", "clock-exclamation", "Within the hour"),
    "DAY": Word("progress", "hourglass", "Within a day"),
    "LATER": Word("info", "hourglass", "Later"),
}
_NEAR = (
    (timedelta(0), "OVER"),
    (timedelta(minutes=15), "MINUTES"),
    (timedelta(hours=1), "HOUR"),
    (timedelta(days=1), "DAY"),
)

AXES: dict[str, dict[str, Word]] = {
    "status": STATUS,
    "payment": PAYMENT,
    "fulfilment": FULFILMENT,
    "review": REVIEW,
    "hold": HOLD,
    "movement": MOVEMENT,
    "refund": REFUND,
    "item": ITEM,
    "shipment": SHIPMENT,
    "bag": BAG,
    "nearness": NEARNESS,
    "return": RETURN,
    "task": TASK,
    "drift": DRIFT,
}

MOVEMENTS = {
    "AUTHORIZE": "Authorisation",
    "ACKNOWLEDGE": "Acknowledgement",
    "CAPTURE": "Capture",
    "VOID": "Void",
    "REFUND": "Refund",
    "EXPIRE": "Expiry",
    "REFUND_REVERSAL": "Refund that came back",
}
#: The ledger's accounts, as from where and to where money is taken.
ACCOUNTS = {
    "authorised": "Held at the gateway",
    "authorisations": "The shopper’s limit",
    "receivable": "Due from the gateway",
    "payable": "Owed to the merchant",
    "refunds": "Given back",
    "fees": "Fees of the gateway",
    "bank": "Bank",
}
REASONS = {
    "CUSTOMER": "The customer asked",
    "INVENTORY": "Out of stock",
    "FRAUD": "Fraud",
    "DECLINED": "Payment declined",
    "OTHER": "Another reason",
}
#: Refusals whose own detail has a time, an amount or an address as programs read it.
REFUSED = {
    "authorization_expired": "The reservation has ended. Nothing can be captured.",
    "attention_required": "A person has to decide about this payment first.",
}
HOLDS = {
    "AWAITING_PAYMENT": "Awaiting payment",
    "HIGH_RISK_OF_FRAUD": "High risk of fraud",
    "INCORRECT_ADDRESS": "Incorrect address",
    "INVENTORY_OUT_OF_STOCK": "Out of stock",
    "OTHER": "Other",
}


def look(axis: str, value: str) -> Word:
    """Find the word of a status; one that nobody listed shows as itself, in grey."""
    known = AXES[axis].get(value)
    return known or Word("neutral", "help-circle", value.replace("_", " ").capitalize())


def status_word(state: StateShape) -> Word:
    """Name the state as the store does, with the tone and icon of what it counts as. [U-11]"""
    known = look("status", state.system_state)
    return known if state.code == state.system_state.lower() else known._replace(label=state.name)


def nearness(until: datetime, now: datetime) -> Word:
    """Look up how near the end of a reservation is; the label says how much time is left."""
    rest = until - now
    known = next((one for limit, one in _NEAR if rest <= limit), "LATER")
    return NEARNESS[known]._replace(label=left(until, now).capitalize())


def payment_word(status: str, amounts: AmountsShape) -> Word:
    """Tell the payment's badge; a reservation that only ran out is Expired, not Voided."""
    if status == "VOIDED" and amounts.expired and not amounts.voided:
        return PAYMENT["EXPIRED"]
    return look("payment", status)
