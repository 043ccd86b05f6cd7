"""Giving money back: how much, for what, from whose bag, and under which reference."""

from typing import Any

import msgspec
import pytest

from counterfoil.actions.capture import capture
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.order.answers import answer
from counterfoil.order.gateway import Outcome
from counterfoil.order.transaction import Allocation
from tests.actions.laws import assert_lawful
from tests.actions.living import MERCHANT, act, by, heard, held_money, lived, refused, told, types
from tests.actions.making import later


def paid(gateway="manual", **more):
    """An order of two bags, 3,000 and 2,000, with all of it taken."""
    order = lived(held_money(gateway, **more), capture)
    return heard(order) if gateway != "manual" else order


def back(reference="R-1", **more):
    return {"wanted": WantedRefund(reference=reference, **more)}


def line(order, which, quantity, amount=None):
    return WantedLine(item_id=order.items[which].id, quantity=quantity, amount=amount)


def seen(order, first):
    """The order as the book opens it for a reference that was used before."""
    return msgspec.structs.replace(order, same_reference=first)


def test_a_line_is_named_once():
    order = paid()
    problem = refused(order, refund, **back(lines=[line(order, 0, 2, 1), line(order, 0, 2, 1)]))
    assert (problem.code, problem.detail) == ("amount_invalid", "An item is named twice.")


def test_units_that_were_cancelled_are_not_refunded_as_a_line():
    order = paid()
    item = msgspec.structs.replace(order.items[0], quantity_canceled=1)
    order = msgspec.structs.replace(order, items=(item, *order.items[1:]))
    problem = refused(order, refund, **back(lines=[line(order, 0, 2)]))
    assert problem.code == "amount_invalid" and problem.facts["left"] == 1
    assert act(order, refund, **back(lines=[line(order, 0, 1)])).result.amount == 1250


def test_the_parts_of_a_line_add_up_to_the_line():
    goods = [{"name": "Mug", "quantity": 3, "unit_price": 400}]
    order = paid(bags=[{"merchant": "acme", "items": goods}])
    item = msgspec.structs.replace(order.items[0], line_total=1000)
    order = msgspec.structs.replace(order, items=(item,))
    for count in range(3):
        order = lived(order, refund, **back(f"R-{count}", lines=[line(order, 0, 1)]))
    assert [refund.lines[0].amount for refund in order.refunds] == [333, 333, 334]


def test_what_a_discount_took_off_is_not_given_back():
    goods = [
        {"name": "Mug", "quantity": 2, "unit_price": 1250},
        {"name": "Box", "quantity": 1, "unit_price": 500},
        {"name": "Voucher", "quantity": 1, "unit_price": -100},
    ]
    order = paid(bags=[{"merchant": "acme", "discount_total": 501, "items": goods}])
    assert order.order.total == 2399
    for count, units in enumerate([(0, 1), (0, 1), (1, 1)]):
        order = lived(order, refund, **back(f"R-{count}", lines=[line(order, *units)]))
    assert [refund.amount for refund in order.refunds] == [999, 1000, 400]
    assert order.order.refundable == 0


def test_a_discount_is_no_line_to_refund():
    goods = [
        {"name": "Mug", "quantity": 2, "unit_price": 1250},
        {"name": "Voucher", "type": "discount", "quantity": 1, "unit_price": 500},
    ]
    order = paid(bags=[{"merchant": "acme", "items": goods}])
    assert order.order.total == 2000
    problem = refused(order, refund, **back(lines=[line(order, 1, 1)]))
    assert problem.code == "amount_invalid"


def test_lines_are_paid_back_from_their_own_bags_and_shipping_by_those_that_charged_it():
    order = paid()
    mine, theirs = order.bags
    change = act(order, refund, **back(lines=[line(order, 1, 1)], shipping_amount=500))
    assert change.result.amount == 2500
    assert change.result.allocations == [Allocation(mine.id, 500), Allocation(theirs.id, 2000)]
    change = act(order, refund, **back(lines=[line(order, 0, 1)], shipping_amount=300))
    assert change.result.allocations == [Allocation(mine.id, 1550)]
    assert_lawful(change.after)


def test_no_more_shipping_goes_back_than_was_charged():
    order = paid()
    mine, theirs = order.bags
    assert refused(order, refund, **back(shipping_amount=501)).facts["left"] == 500
    other = refused(order, refund, **back(shipping_amount=1, bag_id=theirs.id))
    assert (other.code, other.facts["left"]) == ("amount_invalid", 0)
    order = lived(order, refund, **back("R-1", shipping_amount=400, bag_id=mine.id))
    assert refused(order, refund, **back("R-2", shipping_amount=101)).facts["left"] == 100
    order = lived(order, refund, **back("R-2", shipping_amount=100))
    assert refused(order, refund, **back("R-3", shipping_amount=1)).code == "amount_invalid"


def test_shipping_that_was_not_given_back_after_all_can_be_given_back():
    order = lived(paid("sandbox"), refund, **back(shipping_amount=500))
    assert refused(order, refund, **back("R-2", shipping_amount=1)).code == "amount_invalid"
    order = heard(order, Outcome.DECLINED)
    assert act(order, refund, **back("R-2", shipping_amount=500)).result.amount == 500


def test_a_bag_is_not_charged_twice_by_naming_it_twice():
    order = paid()
    mine = order.bags[0].id
    twice = [Allocation(mine, 2000), Allocation(mine, 2000)]
    assert refused(order, refund, **back(amount=4000, allocations=twice)).code == "amount_invalid"


@pytest.mark.parametrize("status", ["CANCELED", "IN_PROGRESS"])
def test_a_bag_that_is_not_placed_or_cancelled_is_not_refunded_by_itself(status):
    order = paid()
    bag = msgspec.structs.replace(order.bags[1], status=status)
    order = msgspec.structs.replace(order, bags=(order.bags[0], bag))
    problem = refused(order, refund, **back(bag_id=bag.id))
    assert (problem.code, problem.facts["status"]) == ("invalid_state", status)
    assert act(order, refund, **back()).result.amount == 5000


@pytest.mark.proves("V-2", "V-3", "V-5")
def test_absent_amount_is_the_whole_bag():
    order = paid()
    change = act(order, refund, **back(bag_id=order.bags[0].id))
    assert change.result.amount == 3000
    assert change.after.bags[0].financial_status == "REFUNDED"
    assert change.after.bags[1].financial_status == "PAID"
    assert change.after.order.financial_status == "PARTIALLY_REFUNDED"
    assert change.after.bags[0].status == "ACCEPTED"


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
@pytest.mark.parametrize("outcome", [None, Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.UNKNOWN])
def test_the_same_again_is_the_first_refund_whatever_became_of_it(gateway, outcome):
    order = paid(gateway)
    wanted = back(lines=[line(order, 0, 1)], shipping_amount=100)
    order = lived(order, refund, **wanted)
    if outcome and gateway != "manual":
        order = heard(order, outcome)
    first = order.refunds[0]
    again = act(seen(order, first), refund, **wanted)
    assert again.nothing and again.result == first
    told_again = answer(again, by(MERCHANT).actor)
    assert told_again.status == (202 if first.status == "PROCESSING" else 200)


def test_anything_different_under_a_used_reference_is_a_conflict():
    order = paid()
    mine, theirs = order.bags
    wanted = {"lines": [line(order, 0, 1)], "shipping_amount": 100, "bag_id": mine.id}
    order = lived(order, refund, **back(**wanted))
    first = seen(order, order.refunds[0])
    others: list[dict[str, Any]] = [
        {"lines": [line(order, 0, 2)]},
        {"lines": [line(order, 0, 1, 1249)], "shipping_amount": 101},
        {"lines": [], "shipping_amount": None, "amount": 1351},
        {"shipping_amount": 200},
        {"bag_id": None},
        {"bag_id": theirs.id, "lines": [], "shipping_amount": None, "amount": 1350},
        {"allocations": [Allocation(theirs.id, 1350)]},
    ]
    for other in others:
        problem = refused(first, refund, **back(**{**wanted, **other}))
        assert problem.code == "refund_reference_conflict", other
    assert act(first, refund, **back(**wanted)).nothing
    assert act(first, refund, **back(**wanted, amount=1350)).nothing


def test_another_orders_reference_is_a_conflict_that_tells_a_merchant_nothing():
    other = lived(paid(), refund, **back(amount=4711))
    order = seen(paid(), other.refunds[0])
    assert "4711" in refused(order, refund, **back(amount=4711)).detail
    mine = back(amount=1, bag_id=order.bags[0].id)
    problem = refused(order, refund, asked=by(MERCHANT), **mine)
    assert problem.code == "refund_reference_conflict"
    assert "4711" not in str(problem.body()) and other.refunds[0].id not in str(problem.body())


def test_a_merchant_gives_back_money_of_its_own_bag_and_learns_of_no_other():
    order = paid()
    mine, theirs = order.bags
    asked = by(MERCHANT)
    assert refused(order, refund, asked=asked, **back()).code == "merchant_limited"
    assert refused(order, refund, asked=asked, **back(bag_id=theirs.id)).code == "not_found"
    change = act(order, refund, asked=asked, **back(bag_id=mine.id, amount=700))
    told_order = msgspec.json.decode(answer(change, MERCHANT).body)["order"]
    assert told_order["amounts"]["authorized"] == 3000
    assert told_order["amounts"]["refunded"] == 700
    assert all(fact.merchant == "acme" for fact in change.facts)


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.UNKNOWN])
def test_what_becomes_of_a_bags_refund_is_that_merchants_to_know(outcome):
    order = paid("sandbox")
    asked_for = act(order, refund, **back(bag_id=order.bags[1].id, lines=[line(order, 1, 1)]))
    settled = told(later(asked_for.after), outcome)
    kinds = {"SUCCEEDED": "succeeded", "DECLINED": "failed", "UNKNOWN": "unknown"}
    assert types(settled) == [f"refund.{kinds[outcome]}"]
    assert [fact.merchant for fact in (*asked_for.facts, *settled.facts)] == ["zeta", "zeta"]
    assert_lawful(settled.after)


def test_an_orders_refund_belongs_to_no_merchant():
    order = paid("sandbox")
    asked_for = act(order, refund, **back())
    settled = told(later(asked_for.after))
    assert [fact.merchant for fact in (*asked_for.facts, *settled.facts)] == [None, None]
