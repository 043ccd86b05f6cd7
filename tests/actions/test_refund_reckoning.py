"""How much a refund comes to: lines net of discount, their tax, shipping; and why, in sentences."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.kernel.problem import Problem
from counterfoil.order.gateway import Outcome
from counterfoil.order.problems import AmountInvalid, InvalidState
from counterfoil.order.refunding import prices_of, reckon
from counterfoil.order.transaction import Allocation
from tests.actions.laws import assert_lawful
from tests.actions.living import act, heard, lived, refused, waiting
from tests.actions.refunding import back, line, paid

TAXED = [
    {
        "merchant": "acme", "shipping_total": 500, "tax_total": 601, "discount_total": 500,
        "items": [
            {"name": "Mug", "quantity": 3, "unit_price": 500},
            {"name": "Box", "quantity": 1, "unit_price": 1000},
        ],
    },
    {
        "merchant": "zeta", "tax_total": 400,
        "items": [{"name": "T-shirt", "quantity": 1, "unit_price": 2000}],
    },
]
GIVEN_AWAY = [("Mug", 3), ("Card", 1)]


def taxed(**more):
    return paid(bags=TAXED, **more)


def sentences(order, **wanted):
    return [part.sentence for part in reckon(order, WantedRefund(reference="R", **wanted)).parts]


def test_a_bags_tax_is_shared_among_its_lines_and_shipping():
    order = taxed()
    mine, theirs = (prices_of(bag, order.items) for bag in order.bags)
    assert list(mine.paid.values()) == [1200, 800]
    assert [*mine.tax.values(), mine.shipping_tax] == [289, 192, 120]
    assert ([*theirs.tax.values()], theirs.shipping_tax) == ([400], 0)


def test_the_tax_of_what_cost_nothing_goes_back_with_it():
    items = [{"name": name, "quantity": count, "unit_price": 0} for name, count in GIVEN_AWAY]
    order = paid(bags=[{"merchant": "acme", "tax_total": 77, "items": items}])
    (prices,) = (prices_of(bag, order.items) for bag in order.bags)
    assert ([*prices.tax.values()], prices.shipping_tax) == ([58, 19], 0)
    given: list[int] = []
    for which, (_, count) in enumerate(GIVEN_AWAY):
        for _ in range(count):
            wanted = back(f"R-{len(given)}", lines=[line(order, which, 1)])
            order = lived(order, refund, **wanted)
            given.append(order.refunds[-1].amount)
    assert sum(given) == 77
    assert order.order.refundable == 0


def test_tax_goes_back_with_lines_and_shipping_and_is_told_apart():
    order = taxed()
    change = act(order, refund, **back(lines=[line(order, 0, 2)], shipping_amount=250))
    made = change.result
    assert [(one.amount, one.tax_amount) for one in made.lines] == [(800, 192)]
    assert (made.shipping_amount, made.tax_amount, made.amount) == (250, 252, 1302)
    assert made.allocations == [Allocation(order.bags[0].id, 1302)]
    assert_lawful(change.after)


def test_an_amount_that_is_stated_for_a_line_has_no_tax_beside_it():
    order = taxed()
    made = act(order, refund, **back(lines=[line(order, 0, 1, 100)])).result
    assert (made.amount, made.tax_amount) == (100, 0)


@pytest.mark.parametrize(("tax", "amount"), [(0, 1300), (7, 1307), (601, 1901)])
def test_a_tax_that_is_stated_takes_the_place_of_the_reckoned_one(tax, amount):
    order = taxed()
    wanted = {"lines": [line(order, 1, 1)], "shipping_amount": 500, "tax_amount": tax}
    made = act(order, refund, **back(**wanted)).result
    assert (made.amount, made.tax_amount, made.lines[0].tax_amount) == (amount, tax, 0)


def test_tax_alone_goes_back_to_those_that_charged_it_and_no_more_than_was_charged():
    order = taxed()
    mine, theirs = order.bags
    made = act(order, refund, **back(tax_amount=1001)).result
    assert made.allocations == [Allocation(mine.id, 601), Allocation(theirs.id, 400)]
    over = refused(order, refund, **back(tax_amount=1002))
    assert (over.code, over.facts["left"]) == ("amount_invalid", 1001)
    other = refused(order, refund, **back(tax_amount=401, bag_id=theirs.id))
    assert (other.code, other.facts["left"]) == ("amount_invalid", 400)
    assert refused(order, refund, **back(tax_amount=-1)).code == "amount_invalid"
    order = lived(order, refund, **back(tax_amount=600, bag_id=mine.id))
    made = act(order, refund, **back("R-2", lines=[line(order, 0, 3)])).result
    assert (made.tax_amount, made.amount) == (1, 1201), "only what is left of the tax"


def test_what_is_stated_and_what_it_adds_up_to_must_agree():
    order = taxed()
    wanted = {"lines": [line(order, 1, 1)], "shipping_amount": 500}
    problem = refused(order, refund, **back(amount=1300, **wanted))
    assert (problem.code, problem.facts["summed"]) == ("amount_invalid", 1612)
    assert act(order, refund, **back(amount=1612, **wanted)).result.amount == 1612


def test_everything_in_parts_is_everything_that_was_paid():
    order = taxed()
    for count, (which, units) in enumerate([(0, 1), (0, 1), (1, 1), (0, 1), (2, 1)]):
        order = lived(order, refund, **back(f"R-{count}", lines=[line(order, which, units)]))
    order = lived(order, refund, **back("R-s1", shipping_amount=333))
    order = lived(order, refund, **back("R-s2", shipping_amount=167))
    assert order.order.refundable == 0
    assert order.order.financial_status == "REFUNDED"
    assert sum(refund.tax_amount for refund in order.refunds) == 1001


def test_units_that_did_not_go_back_after_all_shift_no_cent():
    """Three parts of a line that does not divide; the smaller one fails and is asked for again."""
    goods = [{"name": "Mug", "quantity": 3, "unit_price": 400}]
    order = paid("sandbox", bags=[{"merchant": "acme", "items": goods}])
    item = msgspec.structs.replace(order.items[0], line_total=1000)
    order = msgspec.structs.replace(order, items=(item,))
    for count in range(3):
        order = lived(order, refund, **back(f"R-{count}", lines=[line(order, 0, 1)]))
    order = heard(order, Outcome.DECLINED)
    order = lived(order, refund, **back("R-3", lines=[line(order, 0, 1)]))
    live = [refund for refund in order.refunds if refund.status != "FAILED"]
    assert sum(refund.amount for refund in live) == 1000


def test_lines_that_are_shipping_or_tax_count_as_such():
    goods = [
        {"name": "Mug", "quantity": 1, "unit_price": 1000},
        {"name": "Parcel", "type": "shipping", "quantity": 1, "unit_price": 300},
        {"name": "VAT", "type": "tax", "quantity": 1, "unit_price": 260},
    ]
    order = paid(bags=[{"merchant": "acme", "items": goods}])
    both = back(lines=[line(order, 1, 1)], shipping_amount=1)
    assert refused(order, refund, **both).facts["left"] == 0
    order = lived(order, refund, **back(lines=[line(order, 2, 1)]))
    made = act(order, refund, **back("R-2", lines=[line(order, 0, 1)], shipping_amount=300)).result
    assert (made.amount, made.tax_amount) == (1300, 0)


def test_every_figure_has_a_sentence():
    order = taxed()
    assert sentences(order) == ["55.01 EUR is all that was taken and has not gone back."]
    assert sentences(order, amount=700) == ["7.00 EUR is the amount asked for, whatever it is for."]
    wanted = {"lines": [line(order, 0, 2), line(order, 1, 1, 1)], "shipping_amount": 500}
    assert sentences(order, **wanted) == [
        "8.00 EUR was paid for 2 × Mug, net of discounts, and has not gone back.",
        "0.01 EUR is stated for 1 × Box.",
        "1.92 EUR is the tax that was paid on these lines.",
        "5.00 EUR is of the shipping that was charged.",
        "1.20 EUR is the tax that was paid on that shipping.",
    ]
    assert sentences(order, tax_amount=5)[-1] == "0.05 EUR is of the tax that was charged."


@st.composite
def bags(draw):
    """Bags of goods whose prices, discounts, shipping and taxes do not divide."""
    found = []
    for place in range(draw(st.integers(1, 3))):
        items = [
            {"name": f"I{place}-{n}", "quantity": draw(st.integers(1, 7)),
             "unit_price": draw(st.integers(0, 999))}
            for n in range(draw(st.integers(1, 3)))
        ]
        whole = sum(item["quantity"] * item["unit_price"] for item in items)
        found.append({
            "merchant": f"m{place}", "items": items,
            "discount_total": draw(st.integers(0, whole)),
            "shipping_total": draw(st.integers(0, 700)),
            "tax_total": draw(st.integers(0, 500)),
            "duty_total": draw(st.sampled_from([0, 0, 13])),
        })
    return found


def a_request(draw, order, count):
    """Any refund that could be asked for: of a line, of shipping, of tax, by amount."""
    kind = draw(st.sampled_from(["line", "line", "shipping", "tax", "amount"]))
    wanted: dict[str, Any] = {"reference": f"R-{count}"}
    if draw(st.booleans()):
        wanted["bag_id"] = draw(st.sampled_from(order.bags)).id
    if kind == "line":
        item = draw(st.sampled_from(order.items))
        units = draw(st.integers(1, item.quantity))
        wanted["lines"] = [WantedLine(item_id=item.id, quantity=units)]
    elif kind == "amount":
        wanted["amount"] = draw(st.integers(1, 300))
    if kind == "shipping" or (kind == "line" and draw(st.booleans())):
        wanted["shipping_amount"] = draw(st.integers(0, 300))
    if kind == "tax":
        wanted["tax_amount"] = draw(st.integers(0, 200))
    return WantedRefund(**wanted)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_asked_for_parts_add_up_and_never_exceed_what_was_paid(data):
    sent = data.draw(bags())
    if sum(_total(bag) for bag in sent) == 0:
        return
    order = paid("sandbox", bags=sent)
    for count in range(data.draw(st.integers(1, 8))):
        wanted = a_request(data.draw, order, count)
        try:
            reckoned = reckon(order, wanted)
        except Problem:
            continue
        assert sum(part.amount for part in reckoned.parts) == reckoned.amount
        assert sum(part.amount for part in reckoned.allocations) == reckoned.amount
        order = lived(order, refund, wanted=wanted)
        assert order.refunds[-1].amount == reckoned.amount
        assert_lawful(order)
        if data.draw(st.booleans()):
            outcome = data.draw(st.sampled_from([Outcome.SUCCEEDED, Outcome.DECLINED]))
            order = heard(order, outcome, which=len(waiting(order)) - 1)
            assert_lawful(order)
        assert_within(order)


def assert_within(order):
    live = [refund for refund in order.refunds if refund.status != "FAILED"]
    for bag in order.bags:
        own = [refund for refund in live if refund.bag_id == bag.id]
        assert sum(refund.tax_amount for refund in own) <= bag.tax_total
        assert sum(refund.shipping_amount or 0 for refund in own) <= bag.shipping_total
        for item_id, whole in prices_of(bag, order.items).paid.items():
            lines = [one for refund in live for one in refund.lines if one.item_id == item_id]
            assert sum(one.amount for one in lines) <= whole
    assert sum(refund.tax_amount for refund in live) <= order.order.tax_total


@settings(max_examples=80, deadline=None)
@given(bags(), st.randoms(use_true_random=False))
def test_all_lines_and_all_shipping_in_any_parts_are_all_but_duty(sent, chance):
    whole = sum(_total(bag) for bag in sent)
    if whole == 0:
        return
    order = paid("manual", bags=sent)
    units = [which for which, item in enumerate(order.items) for _ in range(item.quantity)]
    chance.shuffle(units)
    owed = Counter[int]()
    for count, which in enumerate(units):
        owed[which] += 1
        before = order
        order = _ask(order, back(f"R-{count}", lines=[line(order, which, owed[which])]))
        if order is not before:
            owed[which] = 0
    for place, bag in enumerate(order.bags):
        for part in (bag.shipping_total // 3, bag.shipping_total - bag.shipping_total // 3):
            order = _ask(order, back(f"S-{place}-{part}-{len(order.refunds)}", bag_id=bag.id,
                                     shipping_amount=part))
    odd = [bag for bag in sent if not bag["shipping_total"] and _net(bag) == 0]
    left = sum(bag["duty_total"] for bag in sent) + sum(bag["tax_total"] for bag in odd)
    assert order.order.refundable <= left


def _ask(order, wanted):
    """Refund it, unless it comes to nothing."""
    try:
        return lived(order, refund, **wanted)
    except (AmountInvalid, InvalidState):
        return order


def _net(bag):
    goods = sum(item["quantity"] * item["unit_price"] for item in bag["items"])
    return goods - bag["discount_total"]


def _total(bag):
    return _net(bag) + bag["shipping_total"] + bag["tax_total"] + bag["duty_total"]
