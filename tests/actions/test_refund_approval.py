"""Refunds above somebody's limit: set aside, and decided by a second person. [faults R-7]"""

import msgspec
import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.decide_refund import approve_refund, reject_refund
from counterfoil.actions.refund import refund
from counterfoil.order.answers import answer, rehearsed_refund
from counterfoil.order.change import Change
from counterfoil.order.gateway import Outcome
from counterfoil.order.refund_plan import explain
from counterfoil.order.telling import tell_order
from counterfoil.order.transaction import Allocation
from tests.actions.laws import assert_lawful
from tests.actions.living import MERCHANT, act, by, lived, may, refused, types, waiting
from tests.actions.making import later
from tests.actions.refunding import CHIEF, CLERK, answered, back, limited, line, paid, paid_by


def wanted(order, **more):
    """Carl asks for more than his 10.00 EUR."""
    given = {"amount": 1500, **more}
    return later(act(order, refund, asked=by(CLERK), **back(**given)).after)


def approve(order, actor=CHIEF, **more) -> Change:
    return act(order, approve_refund, asked=by(actor), refund_id=order.refunds[-1].id, **more)


def reject(order, actor=CHIEF) -> Change:
    its = order.refunds[-1].id
    return act(order, reject_refund, asked=by(actor), refund_id=its, note="Not yet back.")


def cannot(order, actor=CHIEF, **more):
    its = more.pop("refund_id", order.refunds[-1].id)
    return refused(order, approve_refund, asked=by(actor), refund_id=its, **more)


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
def test_above_the_limit_the_money_is_set_aside_and_nothing_moves(gateway):
    order = paid_by((gateway, 1000), (gateway, 4000))
    change = act(order, refund, asked=by(CLERK), **back(amount=4500))
    made = change.result
    assert (made.status, change.inserts.get("transactions")) == ("AWAITING_APPROVAL", None)
    assert types(change) == ["refund.requested"]
    after = change.after
    assert [(p.refund_pending, p.refundable) for p in after.payments] == [(500, 500), (4000, 0)]
    assert (after.order.refund_pending, after.order.refundable, after.order.refunded) == (
        4500, 500, 0)
    (task,) = change.inserts["tasks"]
    told = msgspec.to_builtins(task)
    assert (told["kind"], told["refund_id"], told["status"]) == ("refund_approval", made.id, "OPEN")
    assert (told["context"]["amount"], told["context"]["asked_by"]["name"]) == (4500, "Carl")
    answered_now = answer(change, CLERK)
    assert (answered_now.status, msgspec.json.decode(answered_now.body)["transactions"]) == (
        202, [])
    assert answered_now.location == f"/v1/orders/{order.order.id}/refunds/{made.id}"
    assert_lawful(after)
    again = msgspec.structs.replace(after, same_reference=made)
    repeated = act(again, refund, asked=by(CLERK), **back(amount=4500))
    assert repeated.nothing and answer(repeated, CLERK).status == 202


@pytest.mark.parametrize(("amount", "waits"), [(999, False), (1000, False), (1001, True)])
def test_up_to_the_limit_nobody_is_asked(amount, waits):
    made = act(paid(), refund, asked=by(CLERK), **back(amount=amount)).result
    assert made.waits_for_approval == waits


def test_a_currency_that_nobody_thought_of_has_no_room():
    actor = msgspec.structs.replace(CLERK, limits={"refund": {"NOK": 10_000}})
    assert act(paid(), refund, asked=by(actor), **back(amount=1)).result.waits_for_approval


def test_what_an_import_tells_of_the_past_waits_for_nobody():
    asked = msgspec.structs.replace(by(CLERK), instant=True)
    assert act(paid(), refund, asked=asked, **back(amount=4000)).result.status == "COMPLETED"


def test_an_approval_at_a_gateway_by_hand_books_at_once():
    order = wanted(paid(), notify_customer=True)
    change = approve(order, note="Spoke to Kari")
    made = change.result
    assert types(change) == ["refund.approved", "refund.succeeded"]
    assert (made.status, made.decision_note, made.decided_at) == (
        "COMPLETED", "Spoke to Kari", change.after.at)
    assert (made.approved_by["name"], made.actor["name"]) == ("Dina", "Carl")
    told = msgspec.to_builtins(change.inserts["letters"])
    assert [letter["context"]["amount"] for letter in told] == [1500]
    assert "Spoke" not in msgspec.json.encode([fact.data for fact in change.facts]).decode()
    assert (change.after.order.refund_pending, change.after.order.refunded) == (0, 1500)
    (task,) = msgspec.to_builtins(change.after.tasks)
    assert (task["status"], task["done_by"]["name"]) == ("DONE", "Dina")
    told = answer(change, CHIEF)
    assert (told.status, msgspec.json.decode(told.body)["status"]) == (200, "COMPLETED")
    assert_lawful(change.after)


def test_an_approval_at_a_provider_is_settled_like_any_refund():
    order = wanted(paid_by(("sandbox", 1000), ("sandbox", 4000)), amount=4500)
    change = approve(order)
    assert [(row.status, row.actor["name"]) for row in waiting(change.after)] == [
        ("PENDING", "Dina"), ("PENDING", "Dina")]
    assert change.after.order.refund_pending == 4500
    assert answer(change, CHIEF).status == 202
    order = answered(later(change.after), "p2")
    assert_lawful(order)
    order = answered(order, "p1", Outcome.DECLINED)
    assert (order.refunds[0].status, order.order.refunded, order.order.refund_pending) == (
        "PARTIALLY_COMPLETED", 4000, 0)
    assert_lawful(order)


def test_the_one_who_asked_cannot_approve_and_neither_can_a_smaller_limit():
    order = wanted(paid())
    own = cannot(order, limited(9999, CLERK))
    assert (own.code, "yourself" in own.detail) == ("permission_denied", True)
    small = cannot(order, limited(1499, CHIEF))
    assert (small.code, small.facts["limit"], small.facts["amount"]) == (
        "permission_denied", 1499, 1500)
    assert approve(order, limited(1500, CHIEF)).result.status == "COMPLETED"


def test_what_was_wrong_is_said_in_this_order():
    order = wanted(paid())
    other = lived(order, refund, **back("R-2", amount=1))
    attention = {"reason": "provider_differs"}
    payment = msgspec.structs.replace(order.payments[0], attention=attention)
    looked = msgspec.structs.replace(order, payments=(payment,))
    its = order.refunds[0].id
    denied = refused(order, approve_refund, asked=may("payments.refund"), refund_id="nobody")
    assert (denied.code, denied.facts["permission"]) == ("permission_denied", "payments.approve")
    assert cannot(order, MERCHANT).code == "merchant_limited"
    assert cannot(order, refund_id="nobody").code == "not_found"
    done = cannot(other, CLERK)
    assert (done.code, done.facts["status"]) == ("invalid_state", "COMPLETED")
    assert cannot(looked, CLERK, refund_id=its).code == "permission_denied"
    assert cannot(looked).code == "attention_required"


def test_a_bags_refund_is_decided_by_who_sees_the_bag():
    order = paid()
    mine, theirs = order.bags
    order = wanted(order, bag_id=theirs.id)
    assert cannot(order, MERCHANT).code == "not_found"
    dead = msgspec.structs.replace(theirs, status="CANCELED", refund_pending=1500)
    ended = msgspec.structs.replace(order, bags=(order.bags[0], dead))
    assert cannot(ended).code == "invalid_state"
    order = wanted(order, reference="R-2", bag_id=mine.id)
    change = approve(order, MERCHANT)
    assert {fact.merchant for fact in change.facts} == {"acme"}


def test_a_rejection_gives_back_what_was_set_aside():
    order = paid()
    order = wanted(order, amount=None, lines=[line(order, 0, 2)])
    assert order.items[0].quantity_refunded == 2
    change = reject(order)
    made = change.result
    assert types(change) == ["refund.rejected"]
    assert (made.status, made.decision_note, made.approved_by) == (
        "CANCELED", "Not yet back.", None)
    assert (change.after.order.refund_pending, change.after.order.refundable) == (0, 5000)
    assert change.after.items[0].quantity_refunded == 0
    assert change.after.tasks[0].status == "DONE"
    assert_lawful(change.after)
    assert cannot(later(change.after)).code == "invalid_state"
    again = lived(later(change.after), refund, **back("R-2", lines=[line(order, 0, 2)]))
    assert again.order.refunded == 2500


def test_who_asked_may_withdraw_it():
    assert reject(wanted(paid()), CLERK).result.status == "CANCELED"


def test_what_may_be_done_about_a_refund_is_told():
    order = wanted(paid())

    def actions(actor):
        return [one.action for one in tell_order(order, actor).refunds[0].allowed_actions]

    assert actions(CHIEF) == ["approve", "reject"]
    assert actions(CLERK) == actions(limited(1499, CHIEF)) == ["reject"]
    assert actions(may("payments.refund").actor) == []
    done = later(approve(order).after)
    assert tell_order(done, CHIEF).refunds[0].allowed_actions == []


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
def test_a_cancellation_withdraws_what_waits_and_gives_all_of_it_back(gateway):
    order = wanted(paid_by((gateway, 5000)), amount=4000)
    change = act(order, cancel, asked=by(CHIEF), wanted=WantedCancel())
    assert types(change)[:2] == ["order.cancel_requested", "refund.failed"]
    assert change.facts[1].data["error_code"] == "withdrawn"
    first, second = change.after.refunds
    assert (first.status, second.amount) == ("CANCELED", 5000)
    assert change.after.tasks[0].status == "DONE"
    order = later(change.after)
    if gateway == "sandbox":
        order = answered(order, "p1")
    assert (order.order.system_state, order.order.refunded) == ("CANCELED", 5000)
    assert cannot(order, refund_id=first.id).code == "invalid_state"
    assert_lawful(order)


def test_who_may_not_give_it_all_back_alone_does_not_cancel():
    order = wanted(paid(), amount=4500)
    problem = refused(order, cancel, asked=by(limited(4999)), wanted=WantedCancel())
    assert (problem.code, problem.status) == ("approval_required", 409)
    assert (problem.facts["amount"], problem.facts["limit"]) == (5000, 4999)
    change = act(order, cancel, asked=by(limited(5000)), wanted=WantedCancel())
    assert change.result.refunded_amount == 5000


def test_a_rehearsal_tells_the_plan_and_that_it_would_wait():
    order = paid_by(("stripe", 3000), ("manual", 2000))
    for actor, needed in ((CLERK, "needed"), (CHIEF, "not_needed")):
        change = act(order, refund, asked=by(actor), **back(amount=4000))
        told = msgspec.json.decode(
            rehearsed_refund(change, actor, explain(change.result)).body)
        assert told["approval"] == needed
        assert [(part["gateway"], part["amount"]) for part in told["plan"]] == [
            ("manual", 2000), ("stripe", 2000)]
        assert told["explanation"][:3] == [
            "20.00 EUR goes back through manual.", "20.00 EUR goes back through stripe.",
            "The newest payment first."]
        assert len(told["explanation"]) == (4 if needed == "needed" else 3)
    assert change.result.plan[0].allocations == [
        Allocation(order.bags[0].id, 1200), Allocation(order.bags[1].id, 800)]
