"""The fact: what happened, in the past tense. Timeline, event feed and audit trail are this."""

from datetime import datetime
from typing import Any

import msgspec

#: Every type of fact, with the sentence the handbook has for it. [domain.md §10, rulings 1]
FACT_TYPES = {
    "order.created": "An order arrived.",
    "order.updated": "Fields of the order changed; the data names them before and after.",
    "order.state_changed": "The workflow state changed.",
    "order.held": "A hold was placed.",
    "order.released": "A hold was released.",
    "order.completed": "Everything live has been shipped.",
    "order.cancel_requested": "A cancellation began.",
    "order.cancel_declined": "A cancellation request was declined.",
    "order.cancel_failed": "A cancellation could not be finished; it can be run again.",
    "order.edited": "Lines, shipping or addresses changed; the data has before and after.",
    "order.canceled": "The order was cancelled.",
    "order.part_canceled": "A bag or lines were cancelled, and their money went back.",
    "order.noted": "A note was added.",
    "invoice.set": "The invoice number was set.",
    "bag.status_changed": "A bag's status changed.",
    "item.state_changed": "An item's delivery state changed.",
    "shipment.created": "A shipment was made up.",
    "shipment.updated": "A shipment's method, carrier or tracking number changed.",
    "shipment.shipped": "A shipment left.",
    "shipment.delivered": "A shipment reached the customer.",
    "shipment.failed": "A shipment could not be delivered.",
    "shipment.in_transit": "The carrier has a shipment.",
    "shipment.canceled": "A shipment will not be sent.",
    "payment.authorize_requested": "An authorisation was asked of the gateway.",
    "payment.authorized": "The gateway holds the money.",
    "payment.acknowledge_requested": "The gateway was asked to keep the hold.",
    "payment.acknowledged": "The hold was acknowledged.",
    "payment.capture_requested": "A capture was asked of the gateway; the amount is reserved.",
    "payment.captured": "Money was taken.",
    "payment.void_requested": "A release was asked of the gateway; the amount is reserved.",
    "payment.voided": "Authorised money was released.",
    "payment.expiring": "An authorisation is about to expire.",
    "payment.expired": "The hold time of an authorisation passed.",
    "payment.failed": "The gateway did not do it; the reservation is gone.",
    "payment.unknown": "The gateway did not answer clearly; the amount stays reserved.",
    "payment.attention": "A person has to look at this payment.",
    "payment.attended": "A person decided what to make of what the provider says.",
    "payment.action_required": "The shopper has to confirm the payment at the provider.",
    "payment.paid_out": "The provider paid out what it took, less its fee.",
    "payment.synced": "The gateway's view was read and what was missing added.",
    "refund.requested": "A refund was promised; the amount is reserved.",
    "refund.succeeded": "Money was given back.",
    "refund.failed": "The refund did not happen; the reservation is gone.",
    "refund.unknown": "The gateway did not answer clearly; the amount stays reserved.",
    "refund.approved": "A second person approved the refund.",
    "refund.resumed": "A refund is sent that had waited for a person to see to its payment.",
    "refund.rejected": "A second person rejected the refund.",
    "return.requested": "Goods are to come back.",
    "return.approved": "The shopper may send the goods.",
    "return.rejected": "The goods are not taken back.",
    "return.received": "Goods came back; the data says how many units, and in what condition.",
    "return.closed": "Nothing more is waited for in a return.",
    "task.done": "Somebody has seen to a task.",
    "fraud.review_opened": "The order waits for a fraud review.",
    "fraud.review_assigned": "Somebody took a review, or gave it back.",
    "fraud.review_put_off": "A review waits: whoever screens the order needs more time.",
    "fraud.review_taken_up": "A review that was put off is looked at again.",
    "fraud.passed": "The review passed.",
    "fraud.failed": "The review failed.",
    "letter.sent": "The mail server took a letter.",
    "letter.failed": "A letter could not be sent.",
    "letter.resent": "Somebody asked for a letter to be sent again.",
}


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact as stored; fact n of an order produces its version n. [domain.md §10]"""

    id: str
    order_id: str
    order_number: str
    sequence: int
    type: str
    merchant: str | None = None
    data: dict[str, Any]
    actor: dict[str, Any]
    at: datetime
