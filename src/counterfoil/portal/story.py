"""The timeline: facts told in sentences, by whom, with the icon and tone of what happened."""

from datetime import datetime
from typing import Any, NamedTuple

from counterfoil.order.shapes import FactShape
from counterfoil.portal import words
from counterfoil.portal.edit_words import edit_words
from counterfoil.portal.figures import money
from counterfoil.portal.return_words import fact_words


class Told(NamedTuple):
    """A fact as the timeline shows it."""

    tone: str
    icon: str
    sentence: str
    at: datetime
    who: str
    detail: str


class Line(NamedTuple):
    """How a type of fact is told: `sentence` takes the words that its data has.

    `bare` is told where only the order is known: to who is limited to merchants.
    """

    tone: str
    icon: str
    sentence: str
    bare: str = ""


LINES = {
    "order.created": Line("info", "circle-dot", "Order came in"),
    "order.updated": Line("neutral", "note", "Order changed: {fields}", "Order changed"),
    "order.state_changed": Line("progress", "progress", "State changed from {from_} to {to}"),
    "order.held": Line("warning", "hand-stop", "Hold placed: {hold}"),
    "order.released": Line("success", "check", "Hold released{by_itself}: {hold}"),
    "order.completed": Line("success", "circle-check", "Everything has been shipped"),
    "order.cancel_requested": Line("warning", "message-cancel", "{begun}"),
    "order.cancel_declined": Line("neutral", "arrow-back-up", "Cancellation declined"),
    "order.cancel_failed": Line("danger", "alert-triangle", "Cancellation not finished"),
    "order.canceled": Line("neutral", "ban", "Order cancelled"),
    "order.part_canceled": Line("neutral", "ban", "A part of the order cancelled{returned_to}"),
    "order.edited": Line("progress", "note", "Order edited: {edited}", "Order edited"),
    "order.noted": Line("neutral", "note", "Note added ({visibility})"),
    "invoice.set": Line(
        "neutral", "file-invoice", "Invoice number set to {after}", "Invoice number changed"
    ),
    "bag.status_changed": Line("neutral", "package", "Bag is {bag} now"),
    "item.state_changed": Line("neutral", "box", "{item}"),
    "shipment.created": Line("neutral", "package", "Shipment made up of {units}"),
    "shipment.updated": Line("neutral", "truck", "Shipment changed{tracking}"),
    "shipment.shipped": Line("info", "truck", "Shipment left{tracking}"),
    "shipment.in_transit": Line("info", "truck-delivery", "Shipment is in transit{tracking}"),
    "shipment.delivered": Line("success", "home-check", "Shipment delivered{tracking}"),
    "shipment.failed": Line("danger", "truck-off", "Shipment could not be delivered{tracking}"),
    "shipment.canceled": Line("neutral", "package-off", "Shipment cancelled"),
    "payment.authorize_requested": Line(
        "progress", "hourglass", "Asked to authorise {amount}", "Asked to authorise money"
    ),
    "payment.authorized": Line("info", "lock", "Authorised {amount}", "Money authorised"),
    "payment.acknowledge_requested": Line("progress", "hourglass", "Asked to keep the reservation"),
    "payment.acknowledged": Line("info", "lock", "Reservation kept"),
    "payment.capture_requested": Line(
        "progress", "hourglass", "Asked to capture {amount}", "Asked to capture money"
    ),
    "payment.captured": Line("success", "coin", "Captured {amount}", "Money captured"),
    "payment.void_requested": Line(
        "progress", "hourglass", "Asked to release {amount}", "Asked to release money"
    ),
    "payment.voided": Line("neutral", "credit-card-off", "Released {amount}", "Money released"),
    "payment.expiring": Line("warning", "clock-x", "The reservation ends soon"),
    "payment.expired": Line(
        "neutral", "clock-x", "The reservation of {amount} ended", "The reservation ended"
    ),
    "payment.failed": Line(
        "danger", "circle-x", "{movement} of {amount} refused", "A movement of money refused"
    ),
    "payment.unknown": Line(
        "unknown", "help-circle", "{movement} of {amount}: not known yet", "Money: not known yet"
    ),
    "payment.attention": Line("danger", "alert-triangle", "A person has to look at the payment"),
    "payment.synced": Line("neutral", "refresh", "Payments synced"),
    "payment.action_required": Line(
        "progress", "external-link", "The shopper has to confirm the payment at the provider"
    ),
    "payment.attended": Line("success", "check", "Somebody decided about the payment"),
    "payment.paid_out": Line(
        "success", "coins", "The provider paid out {amount}{fee}", "The provider paid money out"
    ),
    "refund.requested": Line(
        "violet", "arrow-back-up", "Refund of {amount} promised", "Refund promised"
    ),
    "refund.succeeded": Line("violet", "receipt-refund", "Refunded {amount}", "Money refunded"),
    "refund.failed": Line("danger", "circle-x", "Refund of {amount} refused", "Refund refused"),
    "refund.unknown": Line(
        "unknown", "help-circle", "Refund of {amount}: not known yet", "Refund: not known yet"
    ),
    "refund.resumed": Line(
        "neutral", "receipt-refund", "Refund of {amount} sent on", "Refund sent on"
    ),
    "refund.approved": Line("violet", "check", "Refund of {amount} approved", "Refund approved"),
    "refund.rejected": Line("neutral", "x", "Refund of {amount} rejected", "Refund rejected"),
    "return.requested": Line("violet", "truck-return", "Return announced: {returned}"),
    "return.approved": Line("violet", "check", "Return approved: {returned}"),
    "return.rejected": Line("neutral", "x", "Return rejected: {returned}"),
    "return.received": Line("violet", "package", "Came back: {received}{late}{spent}"),
    "return.closed": Line("neutral", "circle-check", "Return closed{missing}"),
    "task.done": Line("success", "check", "Task done: {task}", "Task done"),
    "fraud.review_opened": Line(
        "warning", "shield-question", "Sent to the fraud review: {why}", "Sent to the fraud review"
    ),
    "fraud.review_assigned": Line(
        "neutral", "shield-half", "Fraud review: {assignee}", "Fraud review: somebody else has it"
    ),
    "fraud.review_put_off": Line("warning", "shield-half", "Fraud review put off"),
    "fraud.review_taken_up": Line("warning", "shield-question", "Fraud review taken up again"),
    "fraud.passed": Line("success", "shield-check", "Fraud review passed"),
    "fraud.failed": Line("danger", "shield-x", "Fraud review failed"),
    "letter.sent": Line("success", "mail", "Letter to the customer sent"),
    "letter.failed": Line("danger", "mail", "Letter to the customer could not be sent"),
    "letter.resent": Line("neutral", "mail", "Letter to the customer asked for anew"),
    "hidden": Line("neutral", "lock", "Something in another merchant's bag"),
}


def tell(fact: FactShape, names: dict[str, str]) -> Told:
    """Tell a fact; `names` are the store's states by code. An unknown type tells its own name."""
    line = LINES.get(fact.type) or Line("neutral", "circle-dot", fact.type)
    data = fact.data or {}
    sentence = line.sentence.format_map(_words(data, names))
    if line.bare and not data.keys() - {"order"}:
        sentence = line.bare
    return Told(line.tone, line.icon, sentence, fact.at, who(fact.actor), _detail(data))


def who(actor: dict[str, Any] | None, source: str = "") -> str:
    """Name who did it: a person, a key, or the system itself."""
    if not actor:
        return "Counterfoil"
    name = str(actor.get("name") or actor.get("id") or "Counterfoil")
    told = f"API key {name}" if actor.get("kind") == "key" else name
    return f"{told} ({source})" if source in ("sync", "import") else told


class _Words(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _words(data: dict[str, Any], names: dict[str, str]) -> _Words:
    """Collect what a sentence may name from a fact's data, whichever noun it is about."""
    currency = str(data.get("order", {}).get("currency", ""))
    moved = data.get("transaction") or data.get("refund") or data.get("payout") or {}
    payment = data.get("payment") or {}
    found = _Words(
        from_=names.get(str(data.get("from")), str(data.get("from", ""))),
        to=names.get(str(data.get("to")), str(data.get("to", ""))),
        fields=", ".join(str(name).replace("_", " ") for name in data.get("fields") or ()),
        after=str(data.get("after") or "nothing"),
        visibility="for the customer" if _customer_note(data) else "internal",
        movement=words.MOVEMENTS.get(str(moved.get("type")), "Movement"),
        bag=words.look("bag", str((data.get("bag") or {}).get("status", ""))).label,
        item=_item_moved(data),
        task=str((data.get("task") or {}).get("kind", "")).replace("_", " "),
    )
    plan = data.get("cancellation")
    found["begun"] = "Cancellation begun" if plan else "Somebody asked to cancel the order"
    if plan:
        found["returned_to"] = _gone_back(plan, currency)
    amount = moved.get("amount", (payment.get("amounts") or {}).get("authorized"))
    if "refund" in data:  # of a refund through several payments, the part that this is about
        amount = data.get("amount", amount)
    if amount is not None:
        found["amount"] = money(int(amount), str(moved.get("currency") or currency))
    if moved.get("fee"):
        found["fee"] = f", less {money(int(moved['fee']), str(moved['currency']))} of fees"
    hold = data.get("hold") or {}
    found["hold"] = words.HOLDS.get(str(hold.get("reason_code")), str(hold.get("handle", "")))
    if data.get("by_itself"):
        found["by_itself"] = " by itself"
    found["edited"] = edit_words(data.get("edit") or {}, currency)
    review = data.get("review") or {}
    found["why"] = str(review.get("explanation") or "it waits")
    found["assignee"] = f"{who(review['assignee'])} looks at it" if review.get("assignee") else (
        "given back"
    )
    parcel = data.get("shipment") or {}
    if parcel.get("tracking_number"):
        found["tracking"] = f" – {parcel['tracking_number']}"
    units = sum(int(part["quantity"]) for part in parcel.get("items") or ())
    found["units"] = "1 unit" if units == 1 else f"{units} units"
    spent = "; the payment that was chosen had too little left" if data.get("payment_spent") else ""
    return _Words(found | fact_words(data.get("return") or {}) | {"spent": spent})


def _item_moved(data: dict[str, Any]) -> str:
    """Say from which delivery state to which a line was put."""
    was, now = (words.look("item", str(data.get(key, ""))).label for key in ("from", "to"))
    return f"{data.get('name') or 'An item'}: {was} to {now}"


def _gone_back(plan: dict[str, Any], currency: str) -> str:
    """Tell both amounts of a cancellation, where there are any. [U-33]"""
    told = [
        f"{money(int(minor), currency)} {past}"
        for minor, past in (
            (plan.get("refunded_amount"), "refunded"),
            (plan.get("reversed_amount"), "reversed"),
        )
        if minor
    ]
    return f": {', '.join(told)}" if told else ""


def _customer_note(data: dict[str, Any]) -> bool:
    return bool((data.get("note") or {}).get("visibility") == "customer")


def _detail(data: dict[str, Any]) -> str:
    """Add the reference, or what the provider said."""
    moved = data.get("transaction") or data.get("refund") or {}
    if moved.get("error_message") or data.get("error_message"):
        return str(moved.get("error_message") or data["error_message"])
    return str(moved.get("reference") or moved.get("reason") or "")
