"""Units that are not sent after all: the same goes back however they are taken off, and once."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from counterfoil.actions.cancel import cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.decide_refund import reject_refund
from counterfoil.actions.edit_lines import edit_lines
from counterfoil.actions.pay import pay
from counterfoil.actions.refund import refund
from counterfoil.actions.return_goods import return_goods
from counterfoil.kernel.problem import Problem
from counterfoil.order.cancellation import CanceledLine, WantedCancel
from counterfoil.order.editing import WantedEdit
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Outcome
from counterfoil.order.goods_return import WantedReturn, WantedReturnLine
from counterfoil.order.intake import WantedPayment
from tests.actions.canceling import assert_part_lawful, cut
from tests.actions.editing import edited, units
from tests.actions.laws import assert_lawful
from tests.actions.living import act, by, heard, lived, refused, waiting
from tests.actions.making import folder, later, placed
from tests.actions.refunding import CHIEF, back, limited, line, paid
from tests.actions.split_moves import moves
from tests.actions.test_cancelling_laws import bags as drawn_bags
from tests.actions.test_cancelling_part import sent

Mug = [{"merchant": "acme", "items": [{"name": "Mug", "quantity": 3, "unit_price": 1000}]},
       {"merchant": "zeta", "items": [{"name": "Cap", "quantity": 1, "unit_price": 500}]}]


def canceled(order: Folder, which: int, count: int) -> Folder:
    lines = (CanceledLine(order.items[which].id, count),)
    return lived(order, cancel, wanted=WantedCancel(lines=lines))


def taken_off(order: Folder, which: int, count: int) -> Folder:
    fewer = units(order, which, order.items[which].live - count)
    return lived(order, edit_lines, wanted=WantedEdit(lines=[fewer]))


WAYS = [canceled, taken_off]
Way = Callable[[Folder, int, int], Folder]


@pytest.mark.parametrize("way", WAYS)
def test_a_favour_that_names_no_goods_stays_one(way: Way) -> None:
    order = lived(paid(), refund, **back(amount=300, bag_id=None))
    order = way(order, 0, 1)
    assert order.order.refunded == 300 + 1250
    assert_lawful(order)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("given", "whole"), [(None, 1250), (300, 1250), (1300, 1300)])
def test_what_went_back_for_the_same_goods_is_no_favour(
    way: Way, given: int | None, whole: int
) -> None:
    order = paid()
    order = lived(order, refund, **back(lines=[line(order, 0, 1, given)]))
    order = way(order, 0, 1)
    assert (order.order.refunded, order.items[0].canceled_refunded) == (whole, 1)
    order = way(order, 0, 1)
    assert order.bags[0].refunded == 3000, "the last of a bag take all of it"
    assert_lawful(order)


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("then", WAYS)
def test_of_units_the_refunded_one_goes_first_whichever_went_before(first: Way, then: Way) -> None:
    order = lived(folder("manual", bags=Mug), capture)
    order = first(order, 0, 1)
    order = lived(order, refund, **back(lines=[line(order, 0, 1)]))
    order = then(order, 0, 1)
    assert (order.order.refunded, order.order.owed) == (2000, 0), "this one was paid back"
    other = lived(folder("manual", bags=Mug), capture)
    other = lived(other, refund, **back(lines=[line(other, 0, 1)]))
    other = then(first(other, 0, 1), 0, 1)
    assert other.order.refunded == 2000
    assert_lawful(other)


@pytest.mark.parametrize("way", WAYS)
def test_units_that_stay_are_refunded_when_they_come_back(way: Way) -> None:
    """The one that was refunded is gone: it is none of those that left."""
    order = lived(folder("manual", bags=Mug), capture)
    order = lived(order, refund, **back(lines=[line(order, 0, 1)]))
    order = sent(way(order, 0, 1), "Mug", 2)
    item = order.items[0]
    assert refused(order, refund, **back("R-2", lines=[line(order, 0, 3)])).facts["left"] == 2
    wanted = WantedReturn(lines=[WantedReturnLine(item_id=item.id, quantity=2)], received=True)
    order = lived(order, return_goods, bag_id=item.bag_id, wanted=wanted)
    assert order.order.refunded == 3000
    assert_lawful(order)


def test_goods_that_were_swapped_are_not_taken_for_those_that_were_refunded() -> None:
    order = sent(lived(folder("manual", bags=Mug), capture), "Mug", 1)
    item = order.items[0]
    wanted = WantedReturn(resolution="EXCHANGE", received=True)
    order = lived(order, return_goods, bag_id=item.bag_id, wanted=wanted)
    order = lived(order, refund, **back(lines=[line(order, 0, 1)]))
    order = canceled(order, 0, 1)
    assert order.order.refunded == 1000, "the refunded one is the cancelled one"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("gateway", ["sandbox"])
def test_a_refund_that_fails_after_its_units_were_cancelled_is_for_a_person(
    way: Way, gateway: str
) -> None:
    order = paid(gateway)
    order = lived(order, refund, **back(lines=[line(order, 0, 1)]))
    order = way(order, 0, 1)
    assert (order.order.refund_pending, order.order.worth_refunded) == (1250, 1250)
    order = heard(order, Outcome.DECLINED)
    assert_lawful(order)
    (task,) = order.tasks
    assert (task.kind, task.context["amount"], task.refund_id) == (
        "cancellation_failed", 1250, order.refunds[0].id)
    assert task.context["reference"] == "R-1"
    assert (order.order.worth_refunded, order.order.refundable) == (0, 5000)
    assert (order.items[0].quantity_refunded, order.items[0].canceled_refunded) == (0, 0)
    order = heard(lived(order, refund, **back("R-2", amount=1250)))
    assert (order.order.refunded, order.order.owed) == (1250, 0)


def test_money_that_is_still_held_is_not_taken_for_a_refund_that_failed() -> None:
    """Of what a failed refund gave back nothing counts: it may not be captured a second time."""
    order = paid("sandbox", payment={"gateway": "sandbox", "flow": "auth"})
    order = lived(order, cancel, wanted=WantedCancel(
        lines=(CanceledLine(order.items[0].id, 1),)))
    order = heard(order, Outcome.DECLINED)
    assert (order.order.worth_refunded, order.order.owed) == (0, 0)


def test_a_refund_that_is_rejected_after_its_units_were_cancelled_is_for_a_person() -> None:
    order = paid()
    order = lived(order, refund, asked=by(limited(10)), **back(lines=[line(order, 0, 1)]))
    order = cut(order, Mug=1)
    order = lived(
        order, reject_refund, asked=by(CHIEF), refund_id=order.refunds[0].id, note="No")
    called = [task for task in order.tasks if task.status == "OPEN"]
    assert [(task.kind, task.context["amount"]) for task in called] == [
        ("cancellation_failed", 1250)]
    assert order.order.worth_refunded == 0
    assert_part_lawful(order)


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
def test_what_goes_back_of_one_bag_does_not_pay_for_what_another_lacks(gateway: str) -> None:
    order = paid(gateway)
    order = edited(order, shipping={order.bags[0].id: 580})
    assert (order.order.due, len(order.open_holds)) == (80, 1)
    order = cut(order, bag=1)
    while waiting(order):
        order = heard(order)
    assert (order.order.refunded, order.order.due) == (2000, 80)
    assert len(order.open_holds) == 1, "the goods still wait for it"
    order = lived(order, pay, wanted=WantedPayment(gateway="manual", flow="payment"))
    assert (order.order.due, order.open_holds, order.order.owed) == (0, [], 0)
    assert_part_lawful(order)


STEPS = st.lists(st.tuples(
    st.sampled_from(["capture", "capture all", "refund", "refund line", "refund bag", "cancel line",
                     "edit line", "edit shipping", "edit add", "ship line", "send", "come back"]),
    st.integers(0, 8), st.integers(1, 3)), max_size=8)


@settings(max_examples=100, deadline=None)
@given(drawn_bags(), STEPS, st.integers(0, 8), st.integers(1, 3))
def test_an_edit_and_a_cancellation_of_the_same_units_come_to_the_same(
    made: Any, steps: Any, place: int, count: int
) -> None:
    """Whatever was done before: the shopper pays the same in the end.

    But where something went back of an order that still lacks money: what is due then is reckoned
    from what was authorised, of which the refund took a part.
    """
    order = later(placed("manual", bags=made).after)
    assume(order.order.total > 0)
    for kind, where, many in steps:
        for _, action, arguments, _told in moves(order, kind, where, many):
            try:
                order = later(act(order, action, **arguments).after)
            except Problem:
                continue
    which = place % len(order.items)
    assume(not (order.order.due and order.refunds))
    try:
        one, other = canceled(order, which, count), taken_off(order, which, count)
    except Problem:
        return
    assert not waiting(one)
    assert one.order.canceled_total == other.order.canceled_total
    paid_in_the_end = [
        each.order.captured - each.order.refunded + each.order.capturable + each.order.due
        for each in (one, other)]
    assert paid_in_the_end[0] == paid_in_the_end[1]
