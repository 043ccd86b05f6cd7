"""Holds, the review queue and its rules as they are looked at: usual, refused, long, empty."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.book.reviews import Counted, QueuedReview
from counterfoil.kernel.page import Count
from counterfoil.order.screening import Blocked, Judged, ReviewRules, Velocity
from counterfoil.order.shapes import FraudReviewShape, HoldShape, OrderShape
from counterfoil.portal.forms import Ask, Form, Say
from counterfoil.portal.holding import BLOCK_CHOICES, FIELDS, REASON_CHOICES, held_view
from counterfoil.portal.review_forms import LABELS, Verdict, shown
from counterfoil.portal.reviewing import review_row, review_view
from counterfoil.portal.routes.reviews import NOTE_NEEDED, TABS
from counterfoil.portal.shelf import Shelf
from tests.portal import sample_order
from tests.portal.samples import FRAME, NOW
from tests.portal.shots_configurations import STORES

AT_REVIEWS = msgspec.structs.replace(FRAME, here="reviews", path="/portal/reviews", to_review=3)
AT_RULES = msgspec.structs.replace(FRAME, here="review-rules", path="/portal/config/review-rules")
ANNA, KARI = ({"kind": "user", "id": name, "name": name.capitalize()} for name in ("anna", "kari"))
WHY = "It is order number 4 of this e-mail address within 24 hours; more than 3 are reviewed."
BACK = "/portal/orders/x#order-holds"


def review(**more: Any) -> FraudReviewShape:
    plain = {
        "id": "r1", "order_id": "o", "status": "PENDING", "rule": "velocity", "explanation": WHY,
        "assignee": None, "opened_by": ANNA, "opened_at": NOW - timedelta(hours=2, minutes=10),
        "resolved_at": None, "decided_by": None, "note": None,
    }
    return msgspec.convert({**plain, **more}, FraudReviewShape)


def hold(handle: str = "incorrect-address", **more: Any) -> HoldShape:
    plain = {
        "handle": handle, "reason_code": "INCORRECT_ADDRESS", "blocks": ["shipment"],
        "note": "The house number is missing; called twice, nobody answers the telephone.",
        "placed_by": KARI, "placed_at": NOW - timedelta(days=1), "owner": None, "due_at": None,
        "auto_release_at": None,
    }
    return msgspec.convert({**plain, **more}, HoldShape)


def in_review(**more: Any) -> OrderShape:
    """An order under review with two holds beside it, one of them late."""
    holds = [
        hold("fraud-review", reason_code="HIGH_RISK_OF_FRAUD", note=None,
             blocks=["capture", "shipment"]),
        hold(due_at=NOW - timedelta(hours=3)),
        hold("awaiting-payment", reason_code="AWAITING_PAYMENT", blocks=["capture"], note=None,
             auto_release_at=NOW + timedelta(days=2)),
    ]
    given = {
        "holds": holds, "fraud_status": "PENDING", "fraud_review": review(),
        "attention": ["in_review"],
        "state": {"code": "suspended", "name": "Suspended", "system_state": "SUSPENDED",
                  "colour": "amber"},
        **more,
    }
    return sample_order.order(**given)


def moot() -> OrderShape:
    """An order that was cancelled while it waited for its review."""
    ended = {"code": "canceled", "name": "Cancelled", "system_state": "CANCELED", "colour": "grey"}
    return in_review(state=ended, attention=[], allowed_actions=[])


def _queued(place: int, **more: Any) -> QueuedReview:
    long = "Wolfeschlegelsteinhausenbergerdorff " * 3
    plain = {
        "id": f"r{place}", "order_id": f"o{place}", "order_number": str(10410 - place),
        "store": "oslo", "currency": "NOK", "total": 9_800_000 + place, "authorized": 0,
        "captured": 0, "state": "suspended", "system_state": "SUSPENDED",
        "customer": {"first_name": "Ola", "last_name": long if place == 2 else "Nordmann"},
        "shipping_address": {"country": "NO"}, "status": "PENDING", "rule": "velocity",
        "explanation": WHY, "assignee": None, "opened_by": ANNA,
        "opened_at": NOW - timedelta(hours=(1, 30, 80)[place % 3]), "resolved_at": None,
        "decided_by": None, "note": None,
    }
    return msgspec.convert({**plain, **more}, QueuedReview)


def queue(**given: Any) -> dict[str, Any]:
    waiting = [
        _queued(2, note="Three cards were tried, one after the other."),
        _queued(1, assignee=KARI),
        _queued(0, assignee=ANNA, explanation="It is billed in NO and shipped to SE."),
    ]
    rows = given.pop("reviews", waiting)
    return {
        "rows": [review_row(one, NOW, "anna") for one in rows], "which": "waiting", "tabs": TABS,
        "counts": Counted(3, 41, 2), "found": Count(len(rows)), "more": "", **given,
    }


def decided() -> dict[str, Any]:
    done = {"resolved_at": NOW, "decided_by": KARI}
    return queue(
        reviews=[_queued(0, status="PASSED", note="Rang her.", **done), _queued(1, status="PASSED",
                                                                                **done)],
        which="passed", more="/portal/reviews?status=passed&after=x",
    )


def new_hold(**given: Any) -> dict[str, Any]:
    values = dict.fromkeys(FIELDS, "") | {"reason_code": "OTHER", "blocks": "both"}
    return {
        "order": sample_order.order(), "form": Form(values=values), "back": BACK,
        "reason_choices": REASON_CHOICES, "block_choices": BLOCK_CHOICES, **given,
    }


def refused_hold() -> dict[str, Any]:
    values = {"reason_code": "OTHER", "blocks": "", "note": "", "due_at": "",
              "auto_release_at": "2020-01-01T10:00"}
    errors = {
        "blocks": "Choose what it blocks.",
        "auto_release_at": "Release by itself: choose a time that is still to come.",
    }
    return new_hold(form=Form(values=values, errors=errors))


def let_go() -> dict[str, Any]:
    return {
        "order": in_review(), "held": held_view(hold(due_at=NOW), NOW), "others": 2, "free": [],
        "form": Form(), "back": BACK,
    }


def dialog(**given: Any) -> dict[str, Any]:
    return {
        "order": in_review(),
        "review": review_view(in_review(fraud_review=review(assignee=KARI)), "anna"),
        "form": Form(), "back": BACK, **given,
    }


def passing(**given: Any) -> dict[str, Any]:
    lines = ("The order goes back to Picking.", "Its hold is released; other holds stay.",
             "No money moves. 980.00 NOK can be captured then.")
    return dialog(lines=lines, **given)


def failing() -> dict[str, Any]:
    return dialog(
        ask=Ask(open_minor=60100, steps=(
            "Release 100.00 NOK that is only authorised.", "Refund 501.00 NOK that was captured.",
            "Cancel 2 lines that have not left.")),
        say=Say(label="Cancel and return 601.00 NOK", shown_minor=60100, grave=True,
                final="This cannot be undone."),
        lines=("The order is cancelled for fraud; no e-mail is sent.",), preview=False,
    )


def rules(**given: Any) -> dict[str, Any]:
    kept = ReviewRules(
        amount_over={"NOK": 500_000, "JPY": 60_000}, countries_differ=True,
        velocity=Velocity(orders=3, hours=24),
        blocked=Blocked(emails=["nobody@example.com"], domains=["mail.example"],
                        countries=["KP", "IR"]),
    )
    return {
        "shelf": Shelf(STORES[0], STORES), "form": shown(kept), "verdict": None,
        "labels": LABELS, "said": "", **given,
    }


def tried() -> dict[str, Any]:
    judged = [
        Judged(rule="blocked", matched=False, explanation=""),
        Judged(rule="velocity", matched=True, explanation=WHY),
    ]
    return rules(verdict=Verdict("10410", "o", judged))


def refused_rules() -> dict[str, Any]:
    context = rules(shelf=Shelf(STORES[0], STORES[:1]))
    context["form"].values |= {"amount_over": "5oo NOK", "orders": "0"}
    context["form"].errors |= {
        "amount_over": "“5oo NOK”: Write an amount such as 1234.50.",
        "orders": "Orders: write a number from 1 to 100.",
    }
    return context


NOTHING = Form(errors={"note": NOTE_NEEDED})
PAGES: tuple[Any, ...] = (
    ("reviews", "reviews/queue.html", queue, AT_REVIEWS),
    ("reviews-passed", "reviews/queue.html", decided, AT_REVIEWS),
    ("reviews-empty", "reviews/queue.html", lambda: queue(reviews=[]), AT_REVIEWS),
    ("review-pass", "reviews/pass.html", passing),
    ("review-pass-refused", "reviews/pass.html", lambda: passing(form=NOTHING)),
    ("review-fail", "reviews/fail.html", failing),
    ("review-open", "reviews/open.html", lambda: dialog(order=sample_order.order())),
    ("review-decided", "reviews/decided.html", dialog),
    ("review-rules", "reviews/rules.html", rules, AT_RULES),
    ("review-rules-tried", "reviews/rules.html", tried, AT_RULES),
    ("review-rules-refused", "reviews/rules.html", refused_rules, AT_RULES),
    ("hold-new", "holds/new.html", new_hold),
    ("hold-new-refused", "holds/new.html", refused_hold),
    ("hold-release", "holds/release.html", let_go),
)
