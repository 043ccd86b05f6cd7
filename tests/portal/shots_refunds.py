"""What the refund form, its results and the page of approvals are told when they are looked at."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.order.refund import PAYMENT_ORDERS, REASON_CODES
from counterfoil.order.shapes import OrderShape, RefundShape
from counterfoil.portal.approving import OWN, Waiting
from counterfoil.portal.forms import Form, Step
from counterfoil.portal.saying_refund import AskBag, AskLine, AskRefund, Comes, SayRefund
from tests.portal import sample_order
from tests.portal.samples import ANNA, KARI, NOW

LONG = "ハット — Hat with a very long name that a supplier wrote in one breath, " * 2


def _line(index: int, name: str, left: int, quantity: int, price: int) -> AskLine:
    return AskLine(
        id=f"item-{index}",
        field=f"units-item-{index}",
        name=name,
        sku=f"SKU-{index:03d}",
        left=left,
        quantity=quantity,
        price=price,
    )


BAGS = (
    AskBag(
        name="Nordic Wool",
        lines=(
            _line(1, "Wool sweater, hand-knitted, size M", 2, 2, 19900),
            _line(2, "Socks", 2, 3, 9900),
            _line(3, LONG, 0, 1, 10300),
        ),
    ),
    AskBag(name="Fjell AS", lines=(_line(4, "كتاب الجبال", 1, 1, 30600),)),
)
CHOICES = (
    ("", "As the store does: the newest payment first"),
    *PAYMENT_ORDERS.items(),
    ("payment:1", "Only Sandbox Card, sbx_8f3a21c0, up to 300.00 NOK"),
)


def refund_form(**given: Any) -> dict[str, Any]:
    """A refund form; `ask`, `say` and `form` change what it is told."""
    order = sample_order.order()
    ask = {
        "open_minor": 50100,
        "sums": (("Captured", 60000), ("Refunded", 9900), ("Can be refunded", 50100)),
        "hint": "You can refund up to 501.00 NOK.",
        "bags": BAGS,
        "shipping_left": 4900,
        "through": (),
        "through_hint": "A payment gives back no more than it took.",
        "under_way": 0,
        "email": "ola@example.no",
        "email_question": "Send an e-mail to ola@example.no",
        "reasons": tuple((code, code.capitalize()) for code in REASON_CODES),
    } | given.pop("ask", {})
    say = {
        "label": "Refund 501.00 NOK",
        "shown_minor": 50100,
        "lines": ("501.00 NOK goes back to the shopper through Sandbox Card. 0.00 NOK stays.",),
        "final": "This cannot be undone.",
        "grave": True,
    } | given.pop("say", {})
    values = {"amount": "501.00", "reference": "R-10412-2", "reason_code": "CUSTOMER"}
    return {
        "order": order,
        "form": Form(version=17, values=values | given.pop("values", {})),
        "ask": AskRefund(**ask),
        "say": SayRefund(**say),
        "lines": False,
        "here": f"/portal/orders/{order.id}/refund",
        "back": f"/portal/orders/{order.id}",
        "preview": False,
        **given,
    }


def by_lines(**given: Any) -> dict[str, Any]:
    """The form by lines, through two payments."""
    return refund_form(
        lines=True,
        ask={"through": CHOICES},
        values={"units-item-1": "2", "shipping": "49.00"},
        say={
            "label": "Refund 547.00 NOK",
            "shown_minor": 54700,
            "figures": (
                ("388.00 NOK", "was paid for 2 × Wool sweater, net of discounts, and is here."),
                ("97.00 NOK", "is the tax that was paid on these lines."),
                ("49.00 NOK", "is of the shipping that was charged."),
                ("13.00 NOK", "is the tax that was paid on that shipping."),
            ),
            "through": (("247.00 NOK", "Giftcard"), ("300.00 NOK", "Sandbox Card")),
            "through_order": PAYMENT_ORDERS["last_in_first"],
            "comes": {"item-1": Comes(amount=38800, discount=1000, tax=9700)},
        },
        **given,
    )


def above_the_limit() -> dict[str, Any]:
    """More than the asker may give back alone, while another refund is under way."""
    return refund_form(
        ask={"under_way": 9900},
        say={
            "label": "Ask for approval of 501.00 NOK",
            "grave": False,
            "final": "Nothing leaves before that.",
            "lines": ("501.00 NOK is set aside, and goes back once it is approved.",),
            "approval": "It is more than the 200.00 NOK that you may give back alone."
            " Kari Lie or Ola Moe can approve it.",
        },
    )


def refused() -> dict[str, Any]:
    """More than is left, under a reference that was used."""
    context = refund_form(values={"amount": "5010", "reference": "R-10412-1"})
    sentence = "5,010.00 NOK is more than the 501.00 NOK that is left."
    context["form"].errors = {
        "amount": sentence,
        "reference": "Reference R-10412-1 was used before. Choose another one.",
    }
    context["say"] = SayRefund(label="Refund", shown_minor=0, grave=True, refused=sentence)
    return context


def nothing_chosen() -> dict[str, Any]:
    """By lines, with a number of units that is no number."""
    context = refund_form(lines=True, values={"units-item-2": "two"})
    context["form"].errors = {"units-item-2": "SKU-002: write a whole number of units."}
    context["say"] = SayRefund(
        label="See what it comes to", shown_minor=0, refused="Say how many units.", empty=True
    )
    return context


def refund(index: int, status: str, **more: Any) -> RefundShape:
    """Make a refund of the believable order."""
    first = msgspec.to_builtins(sample_order.order().refunds[0])
    raw = first | {
        "id": f"ref-{index}",
        "reference": f"R-10412-{index}",
        "status": status,
        "lines": [],
        "allocations": [],
        "created_at": NOW - timedelta(hours=index),
        "reason": None,
        **more,
    }
    return msgspec.convert(raw, RefundShape)


def _plan(*parts: tuple[str, int]) -> list[dict[str, Any]]:
    return [
        {"payment_id": "pay-1", "gateway": gateway, "amount": minor, "allocations": []}
        for gateway, minor in parts
    ]


def with_refunds() -> OrderShape:
    """The believable order with a refund in each status."""
    doors = [{"action": "approve"}, {"action": "reject"}]
    decided = {"decided_at": NOW, "decision_note": "Not agreed with the customer"}
    split = _plan(("giftcard", 20000), ("sandbox", 9900))
    made = [
        refund(2, "AWAITING_APPROVAL", actor=KARI, amount=30000, allowed_actions=doors),
        refund(3, "AWAITING_APPROVAL", amount=12000, reason="Came back broken"),
        refund(4, "PROCESSING", amount=4900, shipping_amount=4900),
        refund(5, "PARTIALLY_COMPLETED", amount=29900, plan=split, approved_by=KARI,
               decided_at=NOW),
        refund(6, "CANCELED", **decided),
        refund(7, "FAILED", amount=100),
        refund(8, "EXTERNAL", amount=2500, tax_amount=500),
    ]  # fmt: skip
    return sample_order.order(refunds=[*msgspec.to_builtins(made), *_first()])


def _first() -> list[Any]:
    return [msgspec.to_builtins(one) for one in sample_order.order().refunds]


DOORS = {"ref-3": OWN}


def panel(tone: str, seal: str, heading: str, **given: Any) -> dict[str, Any]:
    """A result of a refund."""
    order = sample_order.order()
    return {
        "order": order,
        "refund": order.refunds[0],
        "back": f"/portal/orders/{order.id}",
        "tone": tone,
        "seal": seal,
        "heading": heading,
        "lines": (),
        "steps": (),
        "pairs": (("Reference", "R-10412-2", True), ("Asked by", "Anna Berg", False)),
        "under_way": False,
        "again": False,
        "pulse": "2s",
        "tag": "x",
        "result_href": "/portal/orders/x/refunds/y/result",
        "view": None,
        "row": None,
        **given,
    }


def _partly() -> dict[str, Any]:
    return panel(
        "warning",
        "alert-triangle",
        "Refunded 200.00 NOK of 299.00 NOK",
        lines=("What was refused stays with you and can be refunded another way.",),
        again=True,
        steps=(
            Step(tone="success", icon="check", text="200.00 NOK went back through Giftcard"),
            Step(tone="danger", icon="x", text="99.00 NOK was refused by Sandbox Card: too late"),
        ),
    )


def _decide(*, approves: bool, **given: Any) -> dict[str, Any]:
    order = with_refunds()
    return {
        "order": order,
        "refund": next(one for one in order.refunds if one.id == "ref-2"),
        "asker": "Kari Lie",
        "why_asked": "The customer asked: too small",
        "approves": approves,
        "form": Form(version=17, values={}, **given),
        "through": "Giftcard and Sandbox Card",
        "back": f"/portal/orders/{order.id}",
    }


def _waiting() -> list[Waiting]:
    plain: dict[str, Any] = {"order_id": "o", "currency": "NOK", "why_asked": "The customer asked"}
    return [
        Waiting(id="ref-2", order_number="10412", reference="R-10412-2", amount=30000,
                asker=KARI["name"], created_at=NOW - timedelta(days=2), **plain),
        Waiting(id="ref-9", order_number="10398", reference="a-reference-of-the-shop-" * 3,
                amount=1234500, asker=ANNA["name"], created_at=NOW - timedelta(minutes=7),
                why=OWN, **plain),
    ]  # fmt: skip


PAGES = (
    ("refund", "money/refund.html", refund_form),
    ("refund-lines", "money/refund.html", by_lines),
    ("refund-limit", "money/refund.html", above_the_limit),
    ("refund-refused", "money/refund.html", refused),
    ("refund-nothing", "money/refund.html", nothing_chosen),
    ("refund-waits", "money/refunded.html", lambda: panel(
        "warning", "hourglass", "501.00 NOK waits for approval",
        lines=("501.00 NOK is set aside, and nothing has left yet.",))),
    ("refund-partly", "money/refunded.html", _partly),
    ("refund-under-way", "money/refunded.html", lambda: _partly() | {
        "under_way": True, "tone": "unknown", "seal": "help-circle", "heading": "Not known yet"}),
    ("refund-approve", "money/refund_decide.html", lambda: _decide(approves=True)),
    ("refund-reject", "money/refund_decide.html", lambda: _decide(
        approves=False, errors={"note": "Say why it is rejected."})),
    ("approvals", "operations/approvals.html", lambda: {"waiting": _waiting(), "more": True}),
    ("approvals-empty", "operations/approvals.html", lambda: {"waiting": [], "more": False}),
)  # fmt: skip
