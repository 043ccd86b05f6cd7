"""What Zip's answers prove about a call: of a write, of a claim, and of totals. [faults §1, P-8]"""

from datetime import UTC, datetime

import msgspec

from counterfoil.gateways.port import decode
from counterfoil.gateways.verdict import Verdict
from counterfoil.gateways.zip_shapes import Created, Done, Order, Refunded, from_wire, totals
from counterfoil.gateways.zip_verdict import DONE, STATUSES, judge_refusal
from counterfoil.kernel.http import Reply
from counterfoil.kernel.money import NotAnAmount
from counterfoil.order.gateway import CANNOT_TELL, PENDING, Call, Kind, Outcome

_OVER = ("Declined", "Abandoned", "Expired")


class Page(msgspec.Struct, frozen=True):
    """Where the shopper decides, and until when."""

    redirect_url: str | None
    expires_at: datetime | None = None


def judge_created(call: Call, reply: Reply) -> tuple[Verdict, Page | None]:
    """Sort the answer to a new order: at best it waits for the shopper."""
    if reply.status not in DONE:
        return judge_refusal(call.kind, reply), None
    created = decode(reply, Created)
    if created is None:
        return _invalid(), None
    page = Page(created.redirect_url, _instant(created.expiry_date_time))
    return _compared(call, created, _pending(created.order_id)), page


def judge_move(call: Call, reply: Reply) -> Verdict:
    """Sort the answer to a capture, a void, a refund or an acknowledgement."""
    if call.kind == Kind.ACKNOWLEDGE and reply.status in (*DONE, 204):
        return done(call, call.payment_reference)
    if reply.status not in DONE:
        verdict = judge_refusal(call.kind, reply)
        if verdict.outcome is Outcome.SUCCEEDED:
            return done(call, None, verdict.code)
        return verdict
    told = decode(reply, Refunded if call.kind == Kind.REFUND else Done)
    if told is None:
        return _invalid()
    return _compared(call, told, done(call, told.id))


def judge_claim(call: Call, reply: Reply, *, asking: bool) -> tuple[Verdict, Page | None]:
    """Sort what an order says of the authorisation that is claimed or waited for. [rulings 22]

    Asked about a payment that we know, only the order itself can say no.
    """
    if reply.status not in DONE and not asking:
        return judge_refusal(call.kind, reply), None
    order = read_order(call.payment_reference, reply)
    if isinstance(order, Verdict):
        return order, None
    outcome, code = _status(order).get(call.flow, (Outcome.UNKNOWN, "unknown_status"))
    if code == PENDING:
        return _pending(order.order_id), Page(_address(order.redirect_url))
    told = totals(order)
    verdict = Verdict(
        outcome,
        code,
        None if code is None else f"The order is {order.order_status}.",
        gateway_transaction_id=order.order_id,
        payment_reference=order.order_id,
        amount=told.amount,
    )
    if outcome is Outcome.SUCCEEDED:
        verdict = _compared(call, order, verdict)
        if call.flow == "auth" and told.captured:
            verdict = verdict.doubt("state_mismatch", "Part of it is captured already.")
    return verdict, None


def judge_totals(call: Call, reply: Reply) -> Verdict:
    """Read off an order what became of a capture, a refund or an acknowledgement.

    Totals prove it only where nothing else of the payment is on its way; of an acknowledgement
    they tell that it came too late, never that it was heard.
    """
    order = read_order(call.payment_reference, reply)
    if isinstance(order, Verdict):
        return order
    if not _status(order):
        return Verdict(Outcome.UNKNOWN, "unknown_status", f"The order is {order.order_status}.")
    if call.kind == Kind.ACKNOWLEDGE:
        if order.order_status in _OVER:
            word = order.order_status.lower()
            return Verdict(Outcome.DECLINED, word, f"The order is {order.order_status}.")
        return _cannot_tell("Zip does not tell whether an order was acknowledged.")
    if not call.booked.sole:
        return _cannot_tell("Zip tells totals, and more than one movement is on its way.")
    told, booked = totals(order), call.booked
    capture = call.kind == Kind.CAPTURE
    now, was = (told.captured, booked.captured) if capture else (told.refunded, booked.refunded)
    if now == was:
        return Verdict(Outcome.NOT_EXECUTED, "not_found", "Zip's total does not have it.")
    if now == was + call.amount:
        return done(call, None)
    message = f"Zip's total is {now}; we have {was}, and {call.amount} on its way."
    return Verdict(Outcome.UNKNOWN, "totals_differ", message)


def is_expired(payment_reference: str, reply: Reply) -> bool:
    """Tell whether the order holds nothing any more because time ran out."""
    order = read_order(payment_reference, reply)
    return isinstance(order, Order) and order.order_status == "Expired"


def read_order(payment_reference: str | None, reply: Reply) -> Order | Verdict:
    """Read an order that was asked for; where that fails, a verdict that says why."""
    if reply.status not in DONE:
        refused = judge_refusal(Kind.AUTHORIZE, reply)
        return msgspec.structs.replace(refused, outcome=Outcome.UNKNOWN)
    order: Order | None = decode(reply, Order)
    if order is None:
        return _invalid()
    try:
        totals(order)
    except NotAnAmount as wrong:
        return Verdict(Outcome.UNKNOWN, "invalid_answer", str(wrong))
    if order.order_id != payment_reference:
        told = f"Asked for {payment_reference}, Zip speaks of {order.order_id}."
        return Verdict(Outcome.UNKNOWN, "payment_mismatch", told)
    return order


def done(call: Call, provider_id: str | None, code: str | None = None) -> Verdict:
    """Say that it is done, over what was asked for."""
    return Verdict(
        Outcome.SUCCEEDED,
        code,
        gateway_transaction_id=provider_id,
        payment_reference=call.payment_reference,
        amount=call.amount,
    )


def _compared(call: Call, told: Created | Done | Refunded | Order, verdict: Verdict) -> Verdict:
    """Doubt an answer that speaks of something else than what was asked for. [faults P-8]"""
    status = told.order_status
    if status is not None and status not in STATUSES:
        return verdict.doubt("unknown_status", f"The order is {status[:40]!r}.")
    if told.currency not in (None, call.currency):
        return verdict.doubt("currency_mismatch", f"Zip speaks of {told.currency}.")
    try:
        theirs = call.amount if told.amount is None else from_wire(told.amount)
    except NotAnAmount as wrong:
        return verdict.doubt("invalid_answer", str(wrong))
    if theirs != call.amount:
        message = f"Asked for {call.amount}, Zip speaks of {theirs}."
        doubted = verdict.doubt("amount_mismatch", message)
        return msgspec.structs.replace(doubted, amount=theirs)
    return verdict


def _status(order: Order) -> dict[str, tuple[Outcome, str | None]]:
    return STATUSES.get(order.order_status, {})


def _invalid() -> Verdict:
    return Verdict(Outcome.UNKNOWN, "invalid_answer", "The answer is not complete.")


def _cannot_tell(why: str) -> Verdict:
    return Verdict(Outcome.UNKNOWN, CANNOT_TELL, why)


def _pending(order_id: str) -> Verdict:
    return Verdict(
        Outcome.UNKNOWN,
        PENDING,
        "The shopper has not decided yet.",
        gateway_transaction_id=order_id,
        payment_reference=order_id,
    )


def _address(told: str | None) -> str | None:
    """Send nobody to what is no web address."""
    return told if told is not None and told.startswith(("https://", "http://")) else None


def _instant(told: str | None) -> datetime | None:
    """Read a time; None where it cannot be. Without a zone it is taken for UTC."""
    try:
        found = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
