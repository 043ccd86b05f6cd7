"""What becomes of a refund later: refused after a while, or given back and returned to us. [R-3]"""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from counterfoil.actions.decide_refund import approve_refund, reject_refund
from counterfoil.actions.refund import refund, refund_reversed
from counterfoil.order.draft import Draft
from counterfoil.order.gateway import Outcome
from counterfoil.order.ledger import entries_between
from counterfoil.order.refund import came_back
from tests.actions.laws import assert_lawful
from tests.actions.living import by, heard, lived, told, types
from tests.actions.making import ADMIN, later
from tests.actions.refunding import CHIEF, CLERK, answered, back, line, paid, paid_by
from tests.actions.test_life_of_an_order import AMOUNTS, PICK, Life


def reverse(folder, *, row, **more):
    """What a sync does when the provider says that a refund came back."""
    draft = Draft(folder, more.pop("actor", ADMIN))
    made = refund_reversed(draft, row, folder.at - timedelta(hours=1), **more)
    assert made is not None
    return draft.change(made)


def refund_rows(order, kind="REFUND"):
    return [row for row in order.transactions if row.type == kind]


def reversed_once(order, which=0):
    return later(reverse(order, row=refund_rows(order)[which]).after)


def test_pending_at_the_provider_stays_reserved_and_a_late_failure_calls_a_person():
    order = lived(paid("sandbox"), refund, **back())
    order = heard(order, Outcome.UNKNOWN)
    assert (order.order.refund_pending, order.refunds[0].status) == (5000, "PROCESSING")
    change = told(order, Outcome.DECLINED)
    assert types(change) == ["refund.failed"]
    (task,) = change.inserts["tasks"]
    row = refund_rows(order)[0]
    seen = msgspec.to_builtins(task)
    assert (seen["kind"], seen["refund_id"], seen["payment_id"]) == (
        "refund_failed", order.refunds[0].id, row.payment_id)
    assert (seen["context"]["transaction_id"], seen["context"]["amount"]) == (row.id, 5000)
    assert (change.after.order.refund_pending, change.after.order.refundable) == (0, 5000)
    assert_lawful(change.after)


def test_who_hears_at_once_that_it_was_refused_needs_no_task():
    order = lived(paid("sandbox"), refund, **back())
    assert "tasks" not in told(order, Outcome.DECLINED).inserts


def test_a_worker_that_hears_it_calls_a_person():
    order = lived(paid("sandbox"), refund, **back())
    row = refund_rows(order)[0]
    rows = tuple(msgspec.structs.replace(t, attempts=2) if t is row else t
                 for t in order.transactions)
    order = msgspec.structs.replace(order, transactions=rows)
    assert len(told(order, Outcome.DECLINED).inserts["tasks"]) == 1


def test_a_refund_that_came_back_is_no_refund_any_more():
    order = paid("sandbox")
    order = heard(lived(order, refund, **back(lines=[line(order, 0, 2)], notify_customer=True)))
    assert (order.order.financial_status, order.items[0].quantity_refunded) == (
        "PARTIALLY_REFUNDED", 2)
    row = refund_rows(order)[0]
    change = reverse(order, row=row, gateway_transaction_id="re-1")
    made = change.result
    assert (made.type, made.status, made.source, made.gateway_transaction_id) == (
        "REFUND_REVERSAL", "SUCCEEDED", "sync", "re-1")
    assert (made.amount, made.allocations, made.refund_id) == (
        row.amount, row.allocations, row.refund_id)
    assert made.settled_at == order.at - timedelta(hours=1)
    after = change.after
    assert (after.refunds[0].status, after.order.refunded, after.order.refundable) == (
        "FAILED", 0, 5000)
    assert (after.order.financial_status, after.items[0].quantity_refunded) == ("PAID", 0)
    assert types(change) == ["refund.failed"]
    assert (change.facts[0].data["error_code"], change.facts[0].data["amount"]) == (
        "reversed", 2500)
    assert [one.kind for one in after.tasks] == ["refund_failed"]
    assert len(after.letters) == 1, "no second letter"
    assert_lawful(after)
    draft = Draft(later(after), ADMIN)
    assert refund_reversed(draft, row, after.at) is None, "it came back once"
    assert came_back(after.transactions, row)


def test_one_of_two_movements_that_came_back_leaves_the_other():
    order = paid_by(("sandbox", 3000), ("sandbox", 2000))
    order = lived(order, refund, **back(lines=[line(order, 1, 1)], shipping_amount=500))
    order = answered(answered(order, "p1"), "p2")
    assert order.refunds[0].status == "COMPLETED"
    order = reversed_once(order, 0)
    assert (order.refunds[0].status, order.order.refunded) == ("PARTIALLY_COMPLETED", 500)
    assert order.items[1].quantity_refunded == 1
    assert_lawful(order)
    order = reversed_once(order, 1)
    assert (order.refunds[0].status, order.items[1].quantity_refunded) == ("FAILED", 0)
    assert_lawful(order)


def test_one_comes_back_before_the_other_is_settled():
    order = paid_by(("sandbox", 3000), ("sandbox", 2000))
    order = answered(lived(order, refund, **back(notify_customer=True)), "p2")
    order = reversed_once(order, 0)
    assert (order.refunds[0].status, order.order.refunded) == ("PROCESSING", 0)
    order = answered(order, "p1", Outcome.DECLINED)
    assert (order.refunds[0].status, order.letters) == ("FAILED", ())
    assert_lawful(order)


def test_what_a_sync_found_and_came_back_stays_external():
    order = heard(lived(paid("sandbox"), refund, **back(amount=100)))
    outside = msgspec.structs.replace(order.refunds[0], status="EXTERNAL", plan=[])
    order = reversed_once(msgspec.structs.replace(order, refunds=(outside,)))
    assert (order.refunds[0].status, order.order.refunded) == ("EXTERNAL", 0)
    assert_lawful(order)


@pytest.mark.parametrize("status", ["PENDING", "FAILED"])
def test_only_what_was_given_back_can_come_back(status):
    order = lived(paid("sandbox"), refund, **back())
    if status == "FAILED":
        order = heard(order, Outcome.DECLINED)
    with pytest.raises(AssertionError, match="given back"):
        reverse(order, row=refund_rows(order)[0])


class Refunds(Life):
    """A life with two payments, people with limits, and refunds that come back."""

    @initialize(parts=st.sampled_from([("sandbox", "manual"), ("sandbox", "sandbox")]))
    def place(self, parts):
        first, second = parts
        self.folder = paid_by((first, 3000), (second, 2000))
        self.facts, self.count = [], 0
        empty = msgspec.structs.replace(self.folder, transactions=())
        self.entries = entries_between(empty, self.folder, list(self.folder.transactions), [])
        self.begun = self.folder.order.version

    @rule(amount=AMOUNTS, how=st.sampled_from([None, "first_in_first", "card_first"]))
    def ask(self, amount, how):
        wanted = back(f"C-{self.count}", amount=amount, payment_order=how)
        self.do(refund, asked=by(CLERK), **wanted)

    @precondition(lambda self: any(r.waits_for_approval for r in self.folder.refunds))
    @rule(yes=st.booleans(), who=st.sampled_from([CHIEF, CHIEF, CLERK]))
    def decide(self, yes, who):
        its = next(r for r in self.folder.refunds if r.waits_for_approval)
        more = {} if yes else {"note": "No."}
        action = approve_refund if yes else reject_refund
        self.do(action, asked=by(who), refund_id=its.id, **more)

    @precondition(lambda self: self.could_come_back())
    @rule(pick=PICK)
    def bounce(self, pick):
        rows = self.could_come_back()
        self.do(reverse, row=rows[pick % len(rows)])

    def could_come_back(self):
        return [row for row in refund_rows(self.folder)
                if row.status == "SUCCEEDED" and not came_back(self.folder.transactions, row)]

    @invariant()
    def the_laws_hold(self):
        """The facts before are not kept: this life begins in its middle."""
        if hasattr(self, "folder"):
            assert_lawful(self.folder)
            assert self.folder.order.version == self.begun + len(self.facts)


TestRefunds = Refunds.TestCase
TestRefunds.settings = settings(
    max_examples=120,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
