"""The rules that open reviews: a table of orders on either side of each."""

from datetime import timedelta

import msgspec
import pytest

from counterfoil.actions.place import place
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.intake import WantedOrder
from counterfoil.order.order import Order
from counterfoil.order.screening import (
    EARLIER_MAX,
    Blocked,
    ReviewRules,
    Screening,
    Velocity,
    first_match,
    judge,
)
from tests.actions.making import NOON, asked, body, desk

EUR = ReviewRules(amount_over={"EUR": 4999, "JPY": 10})
LISTED = ReviewRules(
    blocked=Blocked(emails=["bad@example.com"], domains=["mail.example"], countries=["KP"])
)
DIFFER, FIRST = ReviewRules(countries_differ=True), ReviewRules(first_order=True)
FAST = ReviewRules(velocity=Velocity(orders=2, hours=24))
NO, SE, KP = ({"country": code} for code in ("NO", "SE", "KP"))


def ago(*hours):
    return tuple(NOON - timedelta(hours=one) for one in hours)


def order(**more):
    plain = {
        "id": "o", "store": "main", "channel": "api", "number": "1", "state": "new",
        "system_state": "NEW", "currency": "EUR", "placed_at": NOON, "created_at": NOON,
        "updated_at": NOON, "customer": {"email": "kari@example.com"}, "total": 5000,
        **dict.fromkeys(("sub_total", "shipping_total", "tax_total", "duty_total",
                         "discount_total"), 0),
    }
    return Order(**{**plain, **more})


@pytest.mark.parametrize(
    ("rules", "more", "earlier", "said"),
    [
        (EUR, {}, (), "The total of 50.00 EUR is more than 49.99 EUR."),
        (EUR, {"total": 4999}, (), ""),
        (EUR, {"currency": "SEK"}, (), ""),
        (EUR, {"currency": "JPY", "total": 11}, (), "The total of 11 JPY is more than 10 JPY."),
        (DIFFER, {"billing_address": NO, "shipping_address": SE}, (),
         "It is billed in NO and shipped to SE."),
        (DIFFER, {"billing_address": NO, "shipping_address": NO}, (), ""),
        (DIFFER, {"billing_address": None, "shipping_address": SE}, (), ""),
        (FIRST, {}, (), "It is the first order of this e-mail address."),
        (FIRST, {}, ago(5000), ""),
        (FIRST, {}, ago(-1), "It is the first order of this e-mail address."),
        (FIRST, {"customer": {}}, (), ""),
        (FAST, {}, ago(1, 23), ("It is order number 3 of this e-mail address within 24 hours;"
                                " more than 2 are reviewed.")),
        (FAST, {}, ago(1), ""),
        (FAST, {}, ago(1, 24), ""),
        (FAST, {"customer": {}}, ago(1, 2, 3), ""),
        (LISTED, {"customer": {"email": " BAD@Example.com"}}, (),
         "The e-mail address is on the store's block list."),
        (LISTED, {"customer": {"email": "x@a.mail.example"}}, (),
         "The e-mail domain mail.example is on the store's block list."),
        (LISTED, {"customer": {"email": "x@fakemail.example"}}, (), ""),
        (LISTED, {"shipping_address": KP}, (),
         "The shipping country KP is on the store's block list."),
        (LISTED, {"billing_address": KP}, (),
         "The billing country KP is on the store's block list."),
        (LISTED, {"customer": {}}, (), ""),
    ],
)  # fmt: skip
def test_a_rule_says_in_a_sentence_why_it_matches(rules, more, earlier, said):
    (judged,) = judge(Screening(rules=rules, earlier=earlier), order(**more))
    assert (judged.matched, judged.explanation) == (bool(said), said)


def test_no_rule_judges_nothing_and_the_gravest_comes_first():
    assert judge(Screening(rules=ReviewRules()), order()) == []
    assert not ReviewRules().any and EUR.any
    several = msgspec.structs.replace(EUR, first_order=True, blocked=LISTED.blocked)
    found = judge(Screening(rules=several), order())
    assert [one.rule for one in found] == ["blocked", "amount_over", "first_order"]
    assert first_match(Screening(rules=several), order()).rule == "amount_over"


def test_rules_are_kept_tidy_and_currencies_are_checked():
    wild = ReviewRules(blocked=Blocked(emails=["A@B.c", "a@b.c"], domains=["X.y"]))
    assert wild.checked().blocked == Blocked(emails=["a@b.c"], domains=["x.y"])
    with pytest.raises(ValidationFailed) as why:
        ReviewRules(amount_over={"EURO": 1}).checked()
    assert why.value.errors[0]["pointer"] == "/amount_over/EURO"


@pytest.mark.parametrize(
    "sent",
    ['{"velocity": {"orders": 0, "hours": 1}}', '{"blocked": {"emails": ["nobody"]}}',
     '{"blocked": {"countries": ["Norway"]}}', '{"amount_over": {"EUR": -1}}', '{"score": 3}',
     f'{{"velocity": {{"orders": {EARLIER_MAX}, "hours": 1}}}}'],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(sent):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(sent, type=ReviewRules)


def come_in(rules, **more):
    wanted = msgspec.convert(body(**more), WantedOrder)
    screening = None if rules is None else Screening(rules=rules)
    return place(
        desk(screening=screening), asked=asked(), wanted=wanted, number="1", channel="api"
    )


@pytest.mark.proves("N-21", "N-24", "N-25")
def test_a_new_order_that_a_rule_matches_waits_for_somebody():
    change = come_in(EUR)
    review = change.after.fraud_reviews[0]
    assert (change.after.order.state, review.rule) == ("suspended", "amount_over")
    assert review.explanation == "The total of 50.00 EUR is more than 49.99 EUR."
    opened = next(fact for fact in change.facts if fact.type == "fraud.review_opened")
    assert opened.data["review"].explanation == review.explanation


@pytest.mark.proves("N-23")
def test_one_that_none_matches_is_ready_at_once():
    for rules in (None, ReviewRules(amount_over={"EUR": 5000})):
        after = come_in(rules).after
        assert (after.order.state, after.order.fraud_status) == ("new", "NOT_REQUIRED")
        assert after.fraud_reviews == ()


def test_what_asks_to_be_reviewed_is_reviewed_for_that():
    assert come_in(EUR, fraud_review=True).after.fraud_reviews[0].rule == "asked"
