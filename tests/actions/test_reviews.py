"""Fraud reviews: opened, taken, passed and failed, and never against somebody's later choice."""

import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.change_state import change_state
from counterfoil.actions.decide_review import fail_review, pass_review
from counterfoil.actions.hold import release
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.review import give_review_back, send_to_review, take_review
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.allowed import attention_reasons, may_ship
from counterfoil.order.gateway import Outcome
from counterfoil.order.telling import tell_order
from tests.actions.canceling import cut
from tests.actions.laws import assert_lawful
from tests.actions.living import MERCHANT, act, by, heard, held_money, lived, may, refused, types
from tests.actions.making import ADMIN, folder


def reviewed(gateway="sandbox", **more):
    order = folder(gateway, fraud_review=True, **more)
    return heard(order) if gateway == "sandbox" else order


@pytest.mark.proves("N-24", "N-25")
def test_an_order_under_review_waits_blocked_and_suspended():
    order = reviewed()
    told = tell_order(order, ADMIN)
    assert (told.state.code, told.fraud_status) == ("suspended", "PENDING")
    assert told.display_status == "On hold – fraud review"
    assert told.fraud_review.rule == "asked"
    assert [one.handle for one in told.holds] == ["fraud-review"]
    assert not may_ship(order.order)
    assert refused(order, capture).code == "order_on_hold"
    assert attention_reasons(order.order) == ["in_review"]
    assert tell_order(order, MERCHANT).fraud_review is None


@pytest.mark.proves("N-23", "N-27", "U-16")
def test_a_passed_order_goes_back_to_where_it_was():
    change = act(reviewed(), pass_review, note="Rang her.")
    assert types(change) == ["fraud.passed", "order.released", "order.state_changed"]
    order = change.after
    assert (order.order.state, order.order.fraud_status) == ("new", "PASSED")
    assert may_ship(order.order)
    by = (order.review.decided_by or {})["name"]
    assert (order.review.note, by) == ("Rang her.", "Anna Berg")
    assert "Rang" not in str(change.facts[0].data)
    assert_lawful(order)


def test_one_that_was_paid_meanwhile_goes_to_work():
    order = reviewed("manual", payment={"gateway": "manual", "flow": "payment"})
    assert act(order, pass_review).after.order.state == "processing"


@pytest.mark.proves("N-27")
@pytest.mark.parametrize("ways", [["fraud"], ["fraud", "suspended"]])
def test_passing_never_overwrites_what_somebody_chose_later(ways):
    order = reviewed()
    for state in ways:
        order = lived(order, change_state, state=state)
    after = act(order, pass_review).after
    assert (after.order.state, after.order.fraud_status) == (ways[-1], "PASSED")
    assert not after.open_holds


def test_a_declined_cancellation_leaves_it_held_and_passing_lets_it_go():
    order = lived(reviewed(), change_state, state="cancel_requested")
    assert act(order, pass_review).after.order.state == "cancel_requested"
    order = lived(order, change_state, state="suspended")
    assert act(order, pass_review).after.order.state == "new"


@pytest.mark.parametrize("released", [False, True])
def test_passing_completes_an_order_whose_goods_have_all_left(released):
    """What had not left is cancelled while the review waits; people cannot complete it then."""
    order = folder("manual", payment={"gateway": "manual", "flow": "payment"})
    order = lived(order, ship, bag_id=order.bags[0].id, wanted=WantedShipment())
    order = lived(order, send_shipment, shipment_id=order.shipments[0].id)
    order = cut(lived(order, send_to_review), bag=1)
    if released:
        order = lived(order, release, handle="fraud-review")
    assert order.order.state == "suspended"
    assert refused(order, change_state, state="completed").code == "transition_not_allowed"
    change = act(order, pass_review)
    ways = [one.data["to"] for one in change.facts if one.type == "order.state_changed"]
    assert ways == ["processing", "completed"]
    assert types(change)[-1] == "order.completed"
    assert_lawful(change.after)


@pytest.mark.proves("N-28")
def test_a_failed_order_is_cancelled_and_its_money_goes_back_without_a_letter():
    order = reviewed("manual")
    change = act(order, fail_review, note="A stolen card.")
    assert change.after.order.system_state == "CANCELED"
    assert (change.after.order.voided, change.after.order.fraud_status) == (5000, "FAILED")
    plan = change.after.cancellations[0]
    assert (plan.reason_code, plan.notify_customer) == ("FRAUD", False)
    assert not change.after.letters
    assert_lawful(change.after)


@pytest.mark.proves("N-28")
def test_what_was_given_back_before_is_not_given_back_twice():
    order = lived(folder("manual"), capture)
    order = lived(order, refund, wanted=WantedRefund(reference="R-1", amount=1500))
    order = lived(order, send_to_review)
    after = act(order, fail_review).after
    assert (after.order.refunded, after.cancellations[0].refunded_amount) == (5000, 3500)


def test_failing_waits_for_the_provider_and_goes_on_when_it_answers():
    order = lived(reviewed(), fail_review)
    assert (order.order.state, order.order.fraud_status) == ("cancel_requested", "FAILED")
    assert refused(order, fail_review).code == "invalid_state"
    assert heard(order).order.system_state == "CANCELED"
    failed = heard(order, Outcome.DECLINED)
    assert failed.order.system_state == "CANCEL_REQUESTED"
    again = heard(lived(failed, cancel, wanted=WantedCancel()))
    assert (again.order.system_state, again.order.voided) == ("CANCELED", 5000)


def test_failing_takes_no_right_to_cancel_and_knows_no_goods_that_left():
    order = folder("manual")
    order = lived(order, ship, bag_id=order.bags[0].id, wanted=WantedShipment())
    order = lived(order, send_shipment, shipment_id=order.shipments[0].id)
    order = lived(order, send_to_review)
    assert order.order.state == "suspended"
    assert refused(order, fail_review, asked=may("reviews.decide")).code == "invalid_state"
    assert act(order, pass_review).after.order.state == "processing"
    whole = lived(folder("manual"), send_to_review)
    change = act(whole, fail_review, asked=may("reviews.decide"))
    assert change.after.order.system_state == "CANCELED"


def test_the_review_of_a_cancelled_order_is_only_marked():
    order = lived(reviewed("manual"), cancel, wanted=WantedCancel())
    assert order.order.fraud_status == "PENDING"
    change = act(order, fail_review)
    assert types(change) == ["fraud.failed", "order.released"]


@pytest.mark.parametrize("state", ["new", "processing", "fraud", "suspended"])
def test_an_order_that_is_here_already_is_sent_to_review(state):
    order = folder("manual")
    for way in {"suspended": ["processing", "suspended"], "new": []}.get(state, [state]):
        order = lived(order, change_state, state=way)
    order = lived(order, send_to_review, asked=may("orders.holds"), note="Odd.")
    stopped = "suspended" if state != "fraud" else "fraud"
    assert (order.order.state, order.order.fraud_status) == (stopped, "PENDING")
    assert order.order.hold_capture and order.order.hold_shipment
    assert refused(order, send_to_review).code == "invalid_state"
    assert act(order, pass_review).after.order.state == state


def test_a_review_can_follow_another():
    order = lived(lived(reviewed(), pass_review), send_to_review)
    assert [one.status for one in order.fraud_reviews] == ["PASSED", "PENDING"]
    assert order.review.rule == "by_hand"
    order = lived(order, pass_review)
    assert (order.order.state, order.order.fraud_status) == ("new", "PASSED")
    assert_lawful(order)


@pytest.mark.parametrize("state", ["cancel_requested"])
def test_what_is_about_to_end_is_not_sent_to_review(state):
    order = lived(folder("manual"), change_state, state=state)
    assert refused(order, send_to_review).code == "invalid_state"
    gone = lived(folder("manual"), cancel, wanted=WantedCancel())
    assert refused(gone, send_to_review).code == "invalid_state"


def test_a_review_is_taken_and_given_back():
    order = lived(reviewed(), take_review)
    assert (order.review.assignee or {})["name"] == "Anna Berg"
    assert act(order, take_review).nothing
    order = lived(order, give_review_back)
    assert order.review.assignee is None
    assert refused(lived(order, pass_review), take_review).code == "invalid_state"


@pytest.mark.parametrize("action", [pass_review, fail_review, take_review, give_review_back])
def test_deciding_takes_a_right_of_its_own_and_the_whole_order(action):
    order = reviewed()
    denied = refused(order, action, asked=may("orders.holds", "orders.cancel", "orders.state"))
    assert denied.facts["permission"] == "reviews.decide"
    assert refused(order, action, asked=by(MERCHANT)).code == "merchant_limited"
    assert refused(folder("manual"), action).code == "invalid_state"


def test_who_decides_second_is_told_what_was_decided():
    order = lived(reviewed(), pass_review)
    assert "Anna Berg passed the review already." in refused(order, fail_review).detail
    assert refused(order, release, handle="fraud-review").status == 404


def test_a_review_stays_open_where_only_its_hold_was_released():
    order = lived(reviewed(), release, handle="fraud-review")
    assert act(order, capture).result.amount == 5000
    assert not may_ship(order.order)
    assert act(order, pass_review).after.order.state == "new"
    assert held_money().order.fraud_status == "NOT_REQUIRED"
