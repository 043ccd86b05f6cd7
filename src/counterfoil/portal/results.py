"""What became of a movement of money, on a panel: done, declined, not known yet.

The panel is made from the movement as it stands in the order, so a first answer, a repeat and a
later look all say the same. Beside it go the regions or the row that changed. [design guide 3.7]
"""

from datetime import timedelta
from typing import Any

from litestar import Response

from counterfoil.kernel.problem import NotFound
from counterfoil.order.telling import tell_summary
from counterfoil.order.transaction import UNSETTLED, Transaction
from counterfoil.portal import figures, words
from counterfoil.portal.cancel_request import asked_to_cancel, unreturned
from counterfoil.portal.figures import money
from counterfoil.portal.order_view import OrderView
from counterfoil.portal.reading import Read, gateway_name, known, lines_page_of, tab_of
from counterfoil.portal.rows import row_of
from counterfoil.portal.timeline import Facts
from counterfoil.portal.visit import Visit

MONEY_REGIONS = (
    "head",
    "attention",
    "items",
    "payments",
    "refunds",
    "timeline",
    "state",
    "holds",
    "live",
)
#: How often a panel asks in the end. An order's page asks more often: it tells within 15 s.
SLOWEST = "30s"
PAST = {
    "CAPTURE": "Captured",
    "VOID": "Released",
    "REFUND": "Refunded",
    "ACKNOWLEDGE": "Kept",
    "AUTHORIZE": "Authorised",
}
FORMS = {
    "CAPTURE": "capture",
    "VOID": "void",
    "REFUND": "refund",
    "AUTHORIZE": "payments/new",
}


def view_of(visit: Visit, read: Read, facts: Facts, **more: Any) -> OrderView:
    """Make the order page's view; the tab is the one that the page below shows."""
    typed = "invoice_form" in more
    view = OrderView(
        order=read.order,
        known=known(
            read.folder,
            visit.actor,
            entries=read.entries,
            asked_to_cancel=asked_to_cancel(read),
            unreturned=0 if visit.actor.merchants else unreturned(read.folder),
            **facts.shown,
        ),
        tab=tab_of(visit),
        lines_page=lines_page_of(visit),
        **more,
    )
    unsettled = [one.created_at for one in view.transactions if one.status in UNSETTLED]
    if unsettled:
        pulse = pulse_for(visit.frame.now - min(unsettled))
        view.pulse = pulse if pulse != SLOWEST else view.pulse
    version = read.order.version
    if not typed:
        view.invoice_form.values = {"invoice_number": read.order.invoice_number or ""}
    for form in (view.plain_form, view.note_form, view.state_form, view.invoice_form):
        form.version = version
    return view


def pulse_for(age: timedelta) -> str:
    """How often to ask: every 2 s at first, then more slowly. [design guide 5.5]"""
    if age < timedelta(seconds=30):
        return "2s"
    return "5s" if age < timedelta(minutes=5) else SLOWEST


def beside(visit: Visit, read: Read, facts: Facts) -> dict[str, Any]:
    """What changes beside a panel: the order's regions on its page, its row in a list."""
    decided = visit.request.path_params.get("refund_id", "")
    context: dict[str, Any] = {
        "view": None,
        "row": None,
        "changed": MONEY_REGIONS,
        "decided": decided if visit.came_from("/portal/approvals") else "",
        "reviewed": visit.came_from("/portal/reviews"),
    }
    if not visit.part:
        return context
    if visit.came_from(f"/portal/orders/{read.order.id}"):
        context["view"] = view_of(visit, read, facts)
    elif visit.came_from("/portal/orders/"):
        folder = read.folder
        left = visit.came_from("/portal/orders/open") and not folder.order.is_open
        summary = tell_summary(folder.order, folder.state, visit.actor)
        context["row"] = row_of(summary, gone=left)
    return context


def panel(
    visit: Visit, read: Read, transaction_id: str, facts: Facts, *, status: int = 200
) -> Response[bytes]:
    """Show what became of a movement. Raises NotFound."""
    one = next((t for t in read.folder.transactions if t.id == transaction_id), None)
    if one is None:
        raise NotFound("There is no such movement.")
    page = f"/portal/orders/{read.order.id}"
    payment = next(p for p in read.folder.payments if p.id == one.payment_id)
    context: dict[str, Any] = {
        "order": read.order,
        "back": page,
        "gateway": gateway_name(payment.gateway),
        "payment": payment,
        **beside(visit, read, facts),
    }
    if visit.came_from("/portal/expiring"):
        context["seen_to"] = payment
    if one.status == "SUCCEEDED":
        return visit.page("money/done.html", status=status, **context, **_done(visit, read, one))
    if one.status == "FAILED":
        return visit.page(
            "money/declined.html",
            status=status,
            **context,
            code=one.error_code or "",
            message=one.error_message or "",
            again=f"{page}/{FORMS.get(one.type, 'capture')}",
        )
    name = "confirm" if payment.redirect_url else "unknown"
    return visit.page(f"money/{name}.html", status=status, **context, **_unknown(visit, one))


def tag_of(visit: Visit, one: Transaction) -> str:
    """Mark a panel, so that a poll answers 304 until it would look different."""
    return f"{one.status}-{one.attempts}-{_pulse(visit, one)}"


def _pulse(visit: Visit, one: Transaction) -> str:
    return pulse_for(visit.frame.now - one.created_at)


def _done(visit: Visit, read: Read, one: Transaction) -> dict[str, Any]:
    pairs = []
    if one.reference:
        pairs.append(("Reference", one.reference, True))
    if one.gateway_transaction_id:
        pairs.append(("Gateway id", one.gateway_transaction_id, True))
    at = figures.moment(
        one.settled_at or one.created_at, visit.frame.now, visit.frame.zone, "exact"
    )
    pairs.append(("Time", at.text, False))
    order = read.order
    state = words.status_word(order.state).label
    payment = words.payment_word(order.financial_status, order.amounts).label
    if one.type == "ACKNOWLEDGE":
        return {
            "heading": "The reservation is kept",
            "lines": _kept(read, one),
            "pairs": pairs,
        }
    return {
        "heading": f"{PAST.get(one.type, 'Done:')} {money(one.amount, one.currency)}",
        "lines": (f"Order {order.number} is {state} and {payment} now.",),
        "pairs": pairs,
    }


def _kept(read: Read, one: Transaction) -> tuple[str, ...]:
    payment = next(p for p in read.folder.payments if p.id == one.payment_id)
    name, still = gateway_name(payment.gateway), money(payment.open, payment.currency)
    if payment.expires_at:
        return (f"{still} stays reserved at {name}, which ends all reservations in the end.",)
    return (f"{still} stays reserved at {name} until it is captured or released.",)


def _unknown(visit: Visit, one: Transaction) -> dict[str, Any]:
    at = figures.moment(one.created_at, visit.frame.now, visit.frame.zone, "exact")
    times = "once" if one.attempts <= 1 else f"{one.attempts} times"
    return {
        "minor": one.amount,
        "currency": one.currency,
        "next_at": one.due_at,
        "asked": f"{words.MOVEMENTS[one.type]} asked at {at.text}, {times} so far.",
        "pulse": _pulse(visit, one),
        "tag": tag_of(visit, one),
        "result_href": f"/portal/orders/{one.order_id}/transactions/{one.id}/result",
    }
