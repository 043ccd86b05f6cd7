"""Payments, decisions and work lists, with what their pages are told when they are looked at."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.book.balances import EntryShape
from counterfoil.book.waiting import ExpiringPayment
from counterfoil.book.worklists import EndingSum
from counterfoil.kernel.page import Count
from counterfoil.order.shapes import OrderShape, PaymentShape, TaskShape
from counterfoil.portal.attending import Choice, in_words
from counterfoil.portal.forms import Ask, Form, Say
from counterfoil.portal.order_view import Known
from counterfoil.portal.paying import Judged
from counterfoil.portal.routes.worklists import WITHIN
from counterfoil.portal.worklists_view import expiring_row, plots, task_row
from tests.portal import sample_facts, sample_order
from tests.portal.samples import ANNA, NOW, amounts
from tests.portal.shots_money import money_form, result

LONG = "https://sandbox.example/pay/pay_8f3a21c0-77aa-4b1e-9a33-7d1f0a2c4e55?return=https%3A%2F%2F"
CAN = [{"action": one, "max_amount": 10000} for one in ("capture", "void")]
APART = {
    "reason": "provider_differs",
    "transaction_id": None,
    "ours": {"authorized": 20000, "captured": 0, "released": 0, "refunded": 0, "currency": "NOK"},
    "theirs": {
        "authorized": 20000, "captured": 25000, "released": 0, "refunded": 0, "currency": "NOK",
    },
    "since": NOW.isoformat(),
}  # fmt: skip
ASKED = {
    "reason": "outcome_unknown",
    "transaction_id": "tx-1",
    "ours": {"type": "CAPTURE", "amount": 30000},
    "theirs": 20000,
    "since": NOW.isoformat(),
}


def payment(number: int, status: str, sums: dict[str, int], **more: Any) -> PaymentShape:
    """Make a payment."""
    raw = msgspec.to_builtins(sample_order.order().payments[0])
    raw |= {"id": f"pay-{number}", "status": status, "amounts": sums, "expires_at": None}
    raw |= {"amount": sums["authorized"] or 15000, "order_id": "o", **more}
    return msgspec.convert(raw, PaymentShape)


def several() -> OrderShape:
    """Make an order with five payments, each in another state."""
    order = sample_order.order()
    keep = [*CAN, {"action": "acknowledge"}]
    return msgspec.structs.replace(
        order,
        attention=["payment_attention", *order.attention],
        payments=[
            payment(
                1, "PARTIALLY_CAPTURED",
                amounts(authorized=100000, captured=60000, refunded=9900, pending=30000),
                allowed_actions=keep, expires_at=NOW + timedelta(minutes=11), warned_at=NOW,
            ),
            payment(2, "CREATED", amounts(), gateway="zip", flow="payment", redirect_url=LONG),
            payment(3, "AUTHORIZED", amounts(authorized=20000), gateway="stripe",
                    attention=APART, allowed_actions=[{"action": "decide"}]),
            payment(4, "EXPIRED", amounts(authorized=45000, expired=45000), gateway="stripe"),
            payment(5, "AUTHORIZED", amounts(authorized=30000), acknowledged_at=NOW,
                    renews="pay-4", allowed_actions=CAN),
        ],
    )  # fmt: skip


def told() -> Known:
    """Make what the page with several payments is told beside them."""
    entries = [
        entry("authorized", "authorisations", "authorised", 100000),
        entry("captured", "authorised", "authorisations", 60000),
        entry("captured", "payable", "receivable", 60000),
        entry("refunded", "receivable", "refunds", 9900),
    ]
    judged = {"pay-4": Judged(renewable=True), "pay-3": Judged(capture_why="A person decides.")}
    return sample_facts.known(judged=judged, entries=entries, payable=True)


def entry(kind: str, credit: str, debit: str, minor: int) -> EntryShape:
    """Make an entry of the ledger."""
    return EntryShape(
        order_id="o", order_number="10412", sequence=1, line=1, transaction_id="tx", kind=kind,
        debit=debit, credit=credit, gateway="sandbox", merchant="nordic-wool", currency="NOK",
        amount=minor, at=NOW,
    )  # fmt: skip


def pay_form(**given: Any) -> dict[str, Any]:
    """Tell what the form for another payment is told."""
    lines = (
        "Zip opens a page where the shopper confirms 400.00 NOK.",
        "You get its address, to send to them. Nothing is held before they confirm.",
        "Zip keeps a reservation for 15 minutes, unless it is told to keep it.",
    )
    values = {"gateway": "zip", "amount": "400.00", "flow": "auth"}
    return result(
        form=Form(version=17, values=values),
        due=40000,
        gateways=[("card", "Card"), ("zip", "Zip")],
        flows=[("auth", "Held first, captured later"), ("payment", "Captured at once")],
        say=Say(label="Add payment of 400.00 NOK", shown_minor=40000, lines=lines),
        preview=False,
        **given,
    )


def decide(form: Form) -> dict[str, Any]:
    """Tell what the decision is told."""
    asked = payment(1, "AUTHORIZED", amounts(authorized=30000), attention=ASKED)
    options = [
        Choice("happened", "It happened", "300.00 NOK is booked as captured."),
        Choice("did_not_happen", "It did not happen", "The capture is booked as refused."),
        Choice("take_theirs", "Book what the provider says", "200.00 NOK is booked.", "Too much."),
        Choice("keep_ours", "Keep ours", "Nothing is booked. The payment opens again."),
    ]
    return result(
        payment=asked, gateway="Stripe", known=in_words(asked, "Stripe"), choices=options, form=form
    )


def ending(number: int, left: timedelta, **more: Any) -> ExpiringPayment:
    """Make a reservation that ends soon."""
    return ExpiringPayment(
        id=f"pay-{number}", order_id="o", order_number=str(10400 + number), store="oslo",
        gateway="zip", currency="NOK", status="AUTHORIZED", authorized=123450,
        captured=more.pop("captured", 0), open=123450, expires_at=NOW + left, warned_at=NOW,
        acknowledged_at=more.pop("acknowledged_at", None),
        seconds_left=max(0, left // timedelta(seconds=1)), may_capture=left > timedelta(0),
        may_reauthorise=number % 2 == 0,
    )  # fmt: skip


def expiring(rows: list[ExpiringPayment]) -> dict[str, Any]:
    """Tell what the list of reservations is told."""
    sums = [
        EndingSum(nearness=n, currency=currency, payments=n + 1, open=minor)
        for currency, by in (("EUR", (0, 990, 12000)), ("NOK", (50, 41250000, 900, 120, 9000000)))
        for n, minor in enumerate(by)
    ]
    return {
        "rows": [expiring_row(one) for one in rows],
        "count": Count(len(rows)),
        "plots": plots(sums) if rows else [],
        "within": 168,
        "choices": WITHIN,
        "later": "/portal/expiring?after=x" if rows else "",
    }


def some_ending() -> list[ExpiringPayment]:
    """List one reservation for each step."""
    steps = (-3, 9, 45, 700, 5000)
    return [ending(n, timedelta(minutes=each), captured=n * 100) for n, each in enumerate(steps)]


def task(number: int, kind: str, **more: Any) -> TaskShape:
    """Make a task."""
    raw = {
        "id": f"task-{number}", "order_id": "o", "order_number": str(10400 + number), "kind": kind,
        "why": "The provider's view differs or is unknown: look, and decide.",
        "payment_id": "pay-1", "refund_id": None, "status": "OPEN", "assignee": None, "note": None,
        "context": {"amount": 30000, "currency": "NOK", "reference": "R-10412-1"},
        "created_at": NOW - timedelta(hours=number * 7), "done_at": None, "done_by": None, **more,
    }  # fmt: skip
    return msgspec.convert(raw, TaskShape)


def tasks(*, done: bool, rows: bool = True) -> dict[str, Any]:
    """Tell what the list of tasks is told."""
    kinds = ("payment_attention", "refund_failed", "refund_approval", "reauthorise", "compensation")
    ended = {"done_at": NOW, "done_by": ANNA, "note": "Looked up at the console."} if done else {}
    made = [task_row(task(n, kind, **ended)) for n, kind in enumerate(kinds)] if rows else []
    return {
        "rows": made, "count": Count(len(made)), "done": done, "may_end": True, "later": "",
    }  # fmt: skip


def chosen(action: str) -> dict[str, Any]:
    """Tell what a money form is told where there are several payments to choose from."""
    told = money_form(action)
    ask: Ask = told["ask"]
    others = (("pay-1", "Sandbox card, 100.00 NOK open"), ("pay-5", "Zip, 300.00 NOK open"))
    why = "Zip keeps a reservation for 15 minutes, unless it is told to keep it."
    told["ask"] = msgspec.structs.replace(ask, others=others, payment="pay-5", why=why)
    return told


REFUSED = Form(
    version=17,
    values={"decision": "", "note": ""},
    errors={
        "decision": "Choose what is right.",
        "note": "Write down how you found out; others will ask.",
    },
)
SYNCED = {"decide": "", "unreachable": 0}
PAGES: tuple[tuple[str, str, Any], ...] = (
    ("capture-several", "money/capture.html", lambda: chosen("capture")),
    ("void-several", "money/void.html", lambda: chosen("void")),
    ("pay", "money/pay.html", pay_form),
    (
        "pay-confirm",
        "money/confirm.html",
        lambda: result(
            payment=several().payments[1], gateway="Zip", minor=15000, currency="NOK",
            next_at=NOW, asked="", pulse="2s", tag="t", result_href="/portal/orders/x",
        ),
    ),
    (
        "renew",
        "money/renew.html",
        lambda: result(
            heading="Hold the money of order 10412 again", action="/portal/orders/x/payments/y/r",
            form=Form(version=17), preview=False,
            say=Say(label="Hold 450.00 NOK again", shown_minor=45000,
                    lines=("Stripe is asked to hold 450.00 NOK again, on the same card.",)),
        ),
    ),
    (
        "synced",
        "money/synced.html",
        lambda: result(
            heading="Found 2 movements that were not here.", tone="success", seal="check",
            found=[(one, "found by sync") for one in sample_order.MOVEMENTS[3:]], **SYNCED,
        ),
    ),
    (
        "synced-apart",
        "money/synced.html",
        lambda: result(
            heading="Stripe says something else. Somebody has to decide.", tone="danger",
            seal="alert-triangle", found=[], **(SYNCED | {"decide": "pay-1"}),
        ),
    ),
    ("decide", "money/decide.html", lambda: decide(Form(version=17))),
    ("decide-refused", "money/decide.html", lambda: decide(REFUSED)),
    (
        "decided",
        "money/decided.html",
        lambda: result(heading="Decided: It happened", note="Looked it up.", ended=1),
    ),
    ("expiring", "operations/expiring.html", lambda: expiring(some_ending())),
    ("expiring-empty", "operations/expiring.html", lambda: expiring([])),
    ("tasks", "operations/tasks.html", lambda: tasks(done=False)),
    ("tasks-done", "operations/tasks.html", lambda: tasks(done=True)),
    ("tasks-empty", "operations/tasks.html", lambda: tasks(done=False, rows=False)),
    (
        "task",
        "operations/task.html",
        lambda: {
            "row": task_row(task(1, "refund_failed")), "number": "10401", "form": Form(),
            "back": "/portal/tasks",
        },
    ),
    (
        "task-done",
        "operations/task_done.html",
        lambda: {
            "task_id": "t", "note": "Paid by bank.", "number": "10401", "order_id": "o",
            "back": "/portal/tasks", "listed": True,
        },
    ),
)  # fmt: skip
