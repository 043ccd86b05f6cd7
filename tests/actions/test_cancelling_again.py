"""Trying again what a cancelled part did not give back: once, whatever happened meanwhile."""

import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.refund import refund, refund_reversed
from counterfoil.actions.void import void
from counterfoil.order.canceling_again import left_of, unfinished
from counterfoil.order.draft import Draft
from counterfoil.order.gateway import Outcome
from tests.actions.canceling import assert_part_lawful, part
from tests.actions.editing import edited, units
from tests.actions.living import MERCHANT, act, by, heard, held_money, lived, refused, waiting
from tests.actions.making import ADMIN, later
from tests.actions.refunding import back, limited, line, paid


def short(order, **named):
    """Cancel a part, and let the provider refuse all steps but those already answered."""
    order = lived(order, cancel, wanted=part(order, **named))
    while waiting(order):
        order = heard(order, Outcome.DECLINED)
    assert_part_lawful(order)
    return order


def again(order, which=0, **more):
    return lived(order, cancel, wanted=WantedCancel(again=order.cancellations[which].id), **more)


def tasks(order):
    return [(task.kind, task.status, task.context["amount"]) for task in order.tasks]


@pytest.mark.parametrize(("taken", "named"), [
    (5000, {"Mug": 1}), (4000, {"Mug": 1}), (0, {"Mug": 1}), (4000, {"bag": 0}),
    (5000, {"Mug": 1, "T-shirt": 1}),
])  # fmt: skip
def test_what_did_not_go_back_goes_back_when_it_is_tried_again(taken, named):
    order = held_money()
    order = heard(lived(order, capture, amount=taken)) if taken else order
    order = short(order, **named)
    (plan,) = order.cancellations
    assert (plan.status, tasks(order)) == (
        "FAILED", [("cancellation_failed", "OPEN", plan.amount)])
    assert unfinished(order, ADMIN) == [plan]
    order = again(order)
    assert refused(order, cancel, wanted=WantedCancel(again=plan.id)).code == "request_in_progress"
    while waiting(order):
        order = heard(order)
    assert_part_lawful(order)
    second = order.cancellations[1]
    assert (second.status, second.again_of, second.lines) == ("CANCELED", plan.id, plan.lines)
    assert second.refunded_amount + second.reversed_amount == plan.amount == second.amount
    assert [task.status for task in order.tasks] == ["DONE"]
    assert [one.reference for one in order.refunds if one.status == "COMPLETED"] == (
        [f"cancel-{second.id}"] if second.refunded_amount else [])
    found = refused(order, cancel, wanted=WantedCancel(again=plan.id))
    assert (found.code, unfinished(order, ADMIN)) == ("invalid_state", [])


def test_a_bag_that_is_cancelled_is_tried_again_by_its_own_name():
    order = short(paid("sandbox"), bag=1)
    wanted = part(order, bag=1)
    order = heard(lived(order, cancel, wanted=wanted))
    assert (order.order.refunded, order.cancellations[1].again_of) == (
        2000, order.cancellations[0].id)
    assert refused(order, cancel, wanted=wanted).code == "invalid_state"


def test_what_is_refused_again_keeps_its_task_with_what_is_left():
    order = heard(lived(held_money(), capture, amount=4000))
    order = lived(order, cancel, wanted=part(order, Mug=1))
    order = heard(heard(order, Outcome.DECLINED), Outcome.DECLINED)
    order = heard(heard(again(order)), Outcome.DECLINED)
    assert tasks(order) == [("cancellation_failed", "OPEN", 650)]
    assert [one.status for one in order.cancellations] == ["FAILED", "PARTIALLY_CANCELED"]
    order = heard(again(order, 1))
    assert [task.status for task in order.tasks] == ["DONE"]
    assert (order.order.voided, order.order.refunded) == (600, 650)
    assert order.cancellations[2].again_of == order.cancellations[0].id
    assert_part_lawful(order)


def test_what_was_given_back_by_hand_meanwhile_is_not_given_back_twice():
    order = short(paid("sandbox"), Mug=1)
    some = heard(lived(order, refund, **back(amount=500)))
    assert sum(one.amount for one in left_of(some, some.cancellations[0])) == 750
    some = heard(again(some))
    assert some.order.refunded == 1250
    whole = heard(lived(order, refund, **back(amount=1250)))
    wanted = WantedCancel(again=order.cancellations[0].id)
    assert refused(whole, cancel, wanted=wanted).code == "invalid_state"
    goods = heard(lived(order, refund, **back(lines=[line(order, 1, 1)])))
    assert heard(again(goods)).order.refunded == 3250, "that was for other goods"
    asker = by(limited(10))
    waits = lived(order, refund, asked=asker, **back(amount=1250))
    assert refused(waits, cancel, wanted=wanted).code == "invalid_state"


def test_what_was_released_meanwhile_is_not_given_back_again():
    order = short(held_money(), Mug=1)
    wanted = WantedCancel(again=order.cancellations[0].id)
    free = heard(lived(order, void, amount=1250))
    assert refused(free, cancel, wanted=wanted).code == "invalid_state"
    taken = heard(heard(lived(order, capture)))
    assert (taken.order.captured, taken.order.voided) == (3750, 1250)
    assert refused(taken, cancel, wanted=wanted).code == "invalid_state"


def test_an_edit_and_a_second_cancellation_leave_it_what_is_its_own():
    order = short(paid("sandbox"), Mug=1)
    order = heard(edited(order, lines=[units(order, 1, 0)]))
    assert order.order.refunded == 2000
    order = heard(again(order))
    assert order.order.refunded == 3250
    other = short(paid("sandbox"), Mug=1)
    other = heard(lived(other, cancel, wanted=part(other, bag=1)))
    assert heard(again(other)).order.refunded == 3250


def test_what_came_back_to_us_is_given_back_again():
    order = paid("sandbox")
    order = heard(lived(order, cancel, wanted=part(order, Mug=1)))
    row = next(row for row in order.transactions if row.type == "REFUND")
    draft = Draft(order, ADMIN)
    assert refund_reversed(draft, row, draft.at) is not None
    order = later(draft.change().after)
    assert tasks(order) == [("refund_failed", "OPEN", 1250)]
    order = heard(again(order))
    assert (order.order.refunded, order.tasks[0].status) == (1250, "DONE")
    assert unfinished(order, ADMIN) == []
    assert_part_lawful(order)


def test_all_of_the_order_takes_with_it_what_was_left_of_a_part():
    order = short(paid("sandbox"), Mug=1)
    order = lived(order, cancel, wanted=WantedCancel())
    order = heard(order)
    assert (order.order.refunded, order.order.system_state) == (5000, "CANCELED")
    assert [task.status for task in order.tasks] == ["DONE"]
    assert unfinished(order, ADMIN) == []


def test_a_part_is_tried_again_within_what_one_may_give_back_and_see():
    order = short(paid("sandbox"), bag=1)
    wanted = WantedCancel(again=order.cancellations[0].id)
    refusal = refused(order, cancel, wanted=wanted, asked=by(limited(1999)))
    assert (refusal.code, refusal.facts["amount"]) == ("approval_required", 2000)
    assert refused(order, cancel, wanted=wanted, asked=by(MERCHANT)).code == "not_found"
    assert unfinished(order, MERCHANT) == []
    own = short(paid("sandbox"), bag=0)
    assert heard(again(own, asked=by(MERCHANT))).order.refunded == 3000
    assert refused(own, cancel, wanted=WantedCancel(again="nothing")).code == "not_found"
    assert act(own, cancel, wanted=part(own, bag=0)).result.again_of == own.cancellations[0].id


def test_what_a_gateway_cannot_release_in_part_is_not_tried_again():
    order = held_money("stripe")
    order = lived(order, cancel, wanted=part(order, bag=0))
    assert order.cancellations[0].status == "CANCELED"
    assert left_of(order, order.cancellations[0]) == []
