"""Through which payments a refund goes, in which order, and what becomes of it as a whole."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.refund import refund
from counterfoil.order.answers import answer, answer_to_settled
from counterfoil.order.gateway import Outcome
from counterfoil.order.refund_plan import in_order, proposed_reference, spread
from counterfoil.order.transaction import Allocation
from tests.actions.laws import assert_lawful
from tests.actions.living import act, lived, refused, types, waiting
from tests.actions.making import ADMIN, asked, later, store
from tests.actions.refunding import answer_of, answered, back, line, paid, paid_by, through

THREE = (("stripe", 2000), ("manual", 1800), ("stripe", 1200))


def going(order, **wanted):
    return act(order, refund, **back(**wanted))


def looked_at(order, *ids):
    """The same with payments that a person has to look at."""
    marked = {"reason": "provider_differs"}
    payments = tuple(
        msgspec.structs.replace(p, attention=marked if p.id in ids else None)
        for p in order.payments
    )
    return msgspec.structs.replace(order, payments=payments)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("last_in_first", [("p3", 1200), ("p2", 1800), ("p1", 500)]),
        ("first_in_first", [("p1", 2000), ("p2", 1500)]),
        ("card_first", [("p3", 1200), ("p1", 2000), ("p2", 300)]),
    ],
)
def test_a_refund_goes_through_several_payments_in_a_stated_order(how, expected):
    change = going(paid_by(*THREE), amount=3500, payment_order=how)
    assert [(part.payment_id, part.amount) for part in change.result.plan] == expected
    assert through(change.after) == expected
    assert change.result.payment_order == how
    assert_lawful(change.after)


def test_the_order_is_the_stores_where_none_is_asked_for():
    order = msgspec.structs.replace(paid_by(*THREE), store=store(refund_order="first_in_first"))
    change = going(order, amount=100)
    assert (through(change.after), change.result.payment_order) == (
        [("p1", 100)], "first_in_first")
    assert through(going(paid_by(*THREE), amount=100).after) == [("p3", 100)]


def test_a_named_payment_is_the_only_one():
    order = paid_by(*THREE)
    change = going(order, amount=1800, payment_id="p2")
    assert (through(change.after), change.result.payment_order) == ([("p2", 1800)], None)
    over = refused(order, refund, **back(amount=1801, payment_id="p2"))
    assert (over.code, over.facts["refundable"]) == ("amount_invalid", 1800)
    assert refused(order, refund, **back(payment_id="p9")).code == "unknown_reference"
    first = change.result
    again = msgspec.structs.replace(order, same_reference=first)
    assert act(again, refund, **back(amount=1800, payment_id="p2")).nothing
    assert act(again, refund, **back(amount=1800)).nothing
    other = refused(again, refund, **back(amount=1800, payment_id="p1"))
    assert other.code == "refund_reference_conflict"


def test_a_payment_that_waits_for_a_person_is_left_out_where_the_others_suffice():
    order = looked_at(paid_by(*THREE), "p3")
    assert through(going(order, amount=3800).after) == [("p2", 1800), ("p1", 2000)]
    for wanted in ({"amount": 3801}, {}, {"amount": 1, "payment_id": "p3"}):
        problem = refused(order, refund, **back(**wanted))
        assert problem.code == "attention_required"
        assert problem.facts["attention"] == {"reason": "provider_differs"}


def test_each_movement_says_whose_bags_bear_it():
    order = paid_by(*THREE)
    mine, theirs = order.bags
    change = going(order, lines=[line(order, 1, 1)], shipping_amount=500)
    assert change.result.allocations == [Allocation(mine.id, 500), Allocation(theirs.id, 2000)]
    newest, middle = change.result.plan
    assert newest.allocations == [Allocation(mine.id, 240), Allocation(theirs.id, 960)]
    assert middle.allocations == [Allocation(mine.id, 260), Allocation(theirs.id, 1040)]
    assert_lawful(change.after)


class Purse(msgspec.Struct):
    id: str
    gateway: str
    refundable: int


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=6),
    st.lists(st.integers(0, 500), min_size=1, max_size=5),
)
def test_parts_add_up_by_payment_and_by_bag(purses, bags):
    if sum(bags) > sum(purses):
        purses[0] += sum(bags) - sum(purses)
    payments = [Purse(f"p{n}", "g", left) for n, left in enumerate(purses)]
    shares = [Allocation(f"b{n}", part) for n, part in enumerate(bags)]
    plan = spread(payments, shares)  # type: ignore[arg-type]
    left = {payment.id: payment.refundable for payment in payments}
    assert all(0 < part.amount <= left[part.payment_id] for part in plan)
    assert all(sum(one.amount for one in part.allocations) == part.amount for part in plan)
    for share in shares:
        borne = [one.amount for p in plan for one in p.allocations if one.bag_id == share.bag_id]
        assert sum(borne) == share.amount and all(part > 0 for part in borne)
    full = [part for part in plan[:-1] if part.amount < left[part.payment_id]]
    assert full == [], "no payment is left behind that still had something"


def test_it_is_processing_until_all_is_settled_and_the_letter_says_what_went_back():
    order = paid_by(("sandbox", 3000), ("manual", 1000), ("sandbox", 1000))
    asked_for = going(order, notify_customer=True, lines=[line(order, 0, 2)], shipping_amount=500,
                      amount=3000, payment_order="last_in_first")
    assert types(asked_for) == ["refund.requested", "refund.succeeded"]
    assert asked_for.facts[1].data["amount"] == 1000, "by hand it is done at once"
    order = later(asked_for.after)
    assert (order.refunds[0].status, order.letters) == ("PROCESSING", ())
    first = answer_of(order, "p3")
    assert types(first) == ["refund.succeeded"]
    order = later(first.after)
    assert (order.refunds[0].status, order.letters) == ("PROCESSING", ())
    last = answer_of(order, "p1", Outcome.DECLINED)
    assert types(last) == ["refund.failed"]
    order = later(last.after)
    assert (order.refunds[0].status, order.order.refunded) == ("PARTIALLY_COMPLETED", 2000)
    assert order.items[0].quantity_refunded == 2, "what was refunded in part stays refunded"
    assert [(one.kind, one.context["amount"]) for one in order.letters] == [("refunded", 2000)]
    assert_lawful(order)


def test_only_when_nothing_went_back_may_its_units_be_refunded_again():
    order = paid_by(("sandbox", 3000), ("sandbox", 2000))
    order = lived(order, refund, **back(lines=[line(order, 0, 2)], notify_customer=True))
    order = answered(order, "p2", Outcome.DECLINED)
    assert (order.refunds[0].status, order.items[0].quantity_refunded) == ("PROCESSING", 2)
    order = answered(order, "p1", Outcome.DECLINED)
    assert (order.refunds[0].status, order.items[0].quantity_refunded) == ("FAILED", 0)
    assert (order.letters, order.order.refundable) == ((), 5000)
    assert_lawful(order)


@pytest.mark.parametrize(
    ("outcomes", "status", "told"),
    [
        (("SUCCEEDED", "SUCCEEDED"), 201, "COMPLETED"),
        (("SUCCEEDED", "DECLINED"), 201, "PARTIALLY_COMPLETED"),
        (("DECLINED", "SUCCEEDED"), 201, "PARTIALLY_COMPLETED"),
        (("DECLINED", "DECLINED"), 402, None),
        (("SUCCEEDED", "UNKNOWN"), 202, "PROCESSING"),
        (("UNKNOWN", "DECLINED"), 202, "PROCESSING"),
    ],
)
def test_the_request_is_answered_with_the_last_of_its_movements(outcomes, status, told):
    order = paid_by(("sandbox", 3000), ("sandbox", 2000))
    keyed = asked(key="k")
    order = lived(order, refund, asked=keyed, **back(amount=4000))
    ids = [row.payment_id for row in waiting(order)]
    for payment_id, outcome in zip(ids, outcomes, strict=True):
        row = next(t for t in order.transactions if t.payment_id == payment_id
                   and t.type == "REFUND")
        answered_now = answer_to_settled(order, row, ADMIN)
        assert answered_now is None, "one of them is still being asked about"
        order = answered(order, payment_id, Outcome[outcome])
    row = next(t for t in order.transactions if t.type == "REFUND")
    found = answer_to_settled(order, row, ADMIN)
    assert found is not None
    (answer_now, key) = found
    body = msgspec.json.decode(answer_now.body)
    assert (answer_now.status, key) == (status, ("user:anna", "k"))
    assert body.get("status") == (told or 402)
    if status == 202:
        where = f"/v1/orders/{order.order.id}/refunds/{order.refunds[0].id}"
        assert answer_now.location == where
    if told:
        assert [row["amount"] for row in body["transactions"]] == [2000, 2000]
        assert [(one["gateway"], one["amount"]) for one in body["plan"]] == [
            ("sandbox", 2000), ("sandbox", 2000)]


def test_a_cancellation_gives_back_with_one_refund_for_each_payment():
    order = paid_by(("manual", 3000), ("sandbox", 2000))
    order = lived(order, cancel, wanted=WantedCancel())
    assert [(r.amount, r.status, [p.payment_id for p in r.plan]) for r in order.refunds] == [
        (3000, "COMPLETED", ["p1"]), (2000, "PROCESSING", ["p2"])]
    order = answered(order, "p2")
    assert (order.order.system_state, order.order.refunded) == ("CANCELED", 5000)
    assert_lawful(order)


def test_payments_in_order():
    order = paid_by(*THREE)
    for how, ids in ((None, "p1 p2 p3"), ("last_in_first", "p3 p2 p1"), ("card_first", "p3 p1 p2")):
        assert [p.id for p in in_order(order, order.payments, how)] == ids.split()


def test_a_reference_is_proposed_that_the_order_has_not_used():
    order = paid()
    assert proposed_reference(order) == "R-1001-1"
    order = lived(order, refund, **back("R-1001-2", amount=1))
    assert proposed_reference(order) == "R-1001-3"
    order = lived(order, refund, **back("by hand", amount=1))
    order = lived(order, cancel, wanted=WantedCancel())
    assert proposed_reference(order) == "R-1001-3"


def test_the_plan_is_told_in_facts_and_answers():
    change = going(paid_by(*THREE), amount=3500)
    told = msgspec.json.decode(msgspec.json.encode(change.facts[0].data))["refund"]["plan"]
    assert [(part["payment_id"], part["gateway"], part["amount"]) for part in told] == [
        ("p3", "stripe", 1200), ("p2", "manual", 1800), ("p1", "stripe", 500)]
    body = msgspec.json.decode(answer(change, ADMIN).body)
    assert body["plan"] == told and "explanation" not in body
