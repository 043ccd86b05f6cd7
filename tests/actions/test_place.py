"""Receiving an order: what it may say, and what comes of it."""

from datetime import UTC, datetime

import msgspec
import pytest

from counterfoil.actions.place import place
from counterfoil.kernel.problem import Problem
from counterfoil.order.intake import WantedOrder
from tests.actions.laws import assert_lawful
from tests.actions.living import types
from tests.actions.making import asked, body, desk, placed

MUG = {"name": "Mug", "quantity": 2, "unit_price": 1250}


def refused(**sent):
    """Try to place an order, and return why not."""
    with pytest.raises(Problem) as why:
        placed(**sent)
    return why.value


def bags(*items, **more):
    return [{"merchant": "acme", "items": list(items), **more}]


@pytest.mark.parametrize(
    "sent",
    [
        {"bags": bags({**MUG, "quantity": 1_000_000, "unit_price": 10**12 - 1})},
        {"bags": bags(*[{**MUG, "unit_price": 10**12 - 1}] * 2)},
        {"bags": bags(MUG) + bags({**MUG, "quantity": 1, "unit_price": 10**12 - 1})},
        {"bags": bags({**MUG, "unit_price": 10**12 - 1}, {**MUG, "unit_price": -(10**12 - 1)})},
        {"bags": bags(*[{**MUG, "quantity": 1_000_000, "unit_price": 0}] * 1000) * 3},
    ],
)
def test_what_no_column_holds_is_refused_by_its_shape(sent):
    problem = refused(gateway=None, **sent)
    assert (problem.code, problem.status) == ("validation_failed", 422)


@pytest.mark.parametrize(
    "at",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1899-12-31T23:59:59Z",
        "2026-11-20T10:15:00",
    ],
)
def test_a_time_that_cannot_be_kept_is_refused(at):
    try:
        wanted = msgspec.convert(body(placed_at=at), WantedOrder)
    except msgspec.ValidationError:
        return  # the door says validation_failed, too
    with pytest.raises(Problem) as why:
        place(desk(), asked=asked(), wanted=wanted, number="1", channel="api")
    assert why.value.code == "validation_failed"
    assert why.value.errors[0]["pointer"] == "/placed_at"


def test_times_are_kept_and_told_in_utc():
    order = placed(placed_at="2026-11-20T10:15:00+02:00").after.order
    assert order.placed_at == datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
    assert order.placed_at.isoformat() == "2026-11-20T08:15:00+00:00"


def test_a_free_order_is_paid_and_takes_no_money_along():
    free = bags({**MUG, "unit_price": 0})
    change = placed(bags=free)
    assert change.after.order.financial_status == "PAID"
    assert change.after.payments == ()
    assert types(change) == ["order.created"]
    assert_lawful(change.after)
    for payment in (
        {"gateway": "manual", "amount": 500},
        {"gateway": "sandbox", "reference": "auth-77"},
    ):
        assert refused(bags=free, payment=payment).code == "amount_invalid"


@pytest.mark.parametrize("field", ["total", "sub_total", "shipping_total"])
def test_totals_that_do_not_agree_are_named(field):
    problem = refused(**{field: 1})
    assert (problem.code, problem.facts["field"]) == ("totals_mismatch", field)


@pytest.mark.parametrize("flow", ["auth", "payment"])
@pytest.mark.parametrize("review", [False, True])
def test_an_order_comes_with_its_facts(flow, review):
    change = placed(flow=flow, fraud_review=review)
    expected = ["order.created", "payment.authorized"]
    if review:
        expected[1:1] = ["fraud.review_opened", "order.state_changed"]
    if flow == "payment":
        expected.append("payment.captured")
    assert types(change) == expected
    order = change.after.order
    assert order.version == len(expected)
    assert order.system_state == ("SUSPENDED" if review else "NEW")
    assert order.financial_status == ("PAID" if flow == "payment" else "AUTHORIZED")
    assert [fact.data["order"]["version"] for fact in change.facts] == list(
        range(1, len(expected) + 1)
    )
    assert_lawful(change.after)


def test_more_than_the_total_is_not_authorised():
    problem = refused(payment={"gateway": "manual", "amount": 5001})
    assert (problem.code, problem.facts["asked"], problem.facts["total"]) == (
        "amount_invalid",
        5001,
        5000,
    )
