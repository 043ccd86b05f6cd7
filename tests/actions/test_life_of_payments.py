"""The life of an order with several payments: paid in parts, renewed, abandoned, decided about.

The same laws hold after every step, whatever the shopper, the provider and the staff do.
"""

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from counterfoil.actions.attend import attend
from counterfoil.actions.capture import capture
from counterfoil.actions.decide_payment import decide_payment
from counterfoil.actions.expire import expire
from counterfoil.actions.finish_task import finish_task
from counterfoil.actions.pay import due_by_bag, pay
from counterfoil.actions.renew import renew
from counterfoil.actions.settle import settle
from counterfoil.actions.void import void
from counterfoil.order.change import Lease
from counterfoil.order.gateway import PENDING, Answer, Outcome
from counterfoil.order.intake import WantedPayment
from counterfoil.order.transaction import UNSETTLED
from tests.actions.making import later
from tests.actions.test_life_of_an_order import AMOUNTS, PICK, RARELY, Life

ENDINGS = st.sampled_from([
    Answer(outcome=Outcome.UNKNOWN, error_code=PENDING, redirect_url="https://pay.example/1"),
    Answer(outcome=Outcome.DECLINED, error_code="abandoned"),
    Answer(outcome=Outcome.DECLINED, error_code="already_captured"),
    Answer(outcome=Outcome.SUCCEEDED, payment_reference="p-2", fee=7),
    Answer(outcome=Outcome.SUCCEEDED, payment_reference="p-2"),
])


class LifeOfPayments(Life):
    @rule(amount=AMOUNTS, gateway=st.sampled_from(["manual", "sandbox", "sandbox"]),
          flow=st.sampled_from(["auth", "auth", "payment"]))
    def pay(self, amount, gateway, flow):
        self.act(pay, wanted=WantedPayment(gateway=gateway, flow=flow, amount=amount))

    @precondition(lambda self: self.folder.payments)
    @rule(pick=PICK)
    def renew(self, pick):
        payment = self.folder.payments[pick % len(self.folder.payments)]
        self.act(renew, payment_id=payment.id)

    @precondition(lambda self: self.folder.payments)
    @rule(pick=PICK, action=st.sampled_from([capture, void]), amount=AMOUNTS)
    def move_one_payment(self, pick, action, amount):
        payment = self.folder.payments[pick % len(self.folder.payments)]
        self.act(action, payment_id=payment.id, amount=amount)

    @precondition(lambda self: any(t.status in UNSETTLED for t in self.folder.transactions))
    @rule(pick=PICK, answer=ENDINGS)
    def hear_more(self, pick, answer):
        rows = [t for t in self.folder.transactions if t.status in UNSETTLED]
        row = rows[pick % len(rows)]
        self.act(settle, transaction_id=row.id, lease="mine", answer=answer)

    @precondition(lambda self: any(t.status in UNSETTLED for t in self.folder.transactions))
    @rule(pick=PICK, theirs=st.sampled_from([None, 1, 700, 5000, 6000]), really=RARELY)
    def call_a_person(self, pick, theirs, really):
        rows = [t for t in self.folder.transactions if t.status in UNSETTLED]
        row = rows[pick % len(rows)]
        if really and row.amount:
            self.act(attend, payment_id=row.payment_id, reason="provider_differs", theirs=theirs,
                     lease=Lease("transactions", row.id, "mine"))

    @precondition(lambda self: any(p.attention for p in self.folder.payments))
    @rule(decision=st.sampled_from(
        ["happened", "did_not_happen", "take_theirs", "keep_ours"]))
    def decide(self, decision):
        payment = next(p for p in self.folder.payments if p.attention)
        self.act(decide_payment, payment_id=payment.id, decision=decision)

    @precondition(lambda self: any(task.status == "OPEN" for task in self.folder.tasks))
    @rule()
    def end_a_task(self):
        task = next(task for task in self.folder.tasks if task.status == "OPEN")
        self.act(finish_task, task_id=task.id, note="Seen to.")

    @precondition(lambda self: any(p.warn_at for p in self.folder.payments))
    @rule()
    def wait_for_the_warning(self):
        payment, at = next((p, p.warn_at) for p in self.folder.payments if p.warn_at)
        left = at - self.folder.at
        self.folder = later(self.folder, max(0, int(left.total_seconds()) + 1))
        self.act(expire, payment_id=payment.id, lease="mine")

    def teardown(self):
        if not hasattr(self, "folder"):
            return
        known = {one.id for one in self.folder.payments}
        assert all(p.renews in known for p in self.folder.payments if p.renews)
        for payment in self.folder.payments:
            assert (payment.redirect_url is None) or payment.status == "CREATED"
            assert (payment.expires_at is None) == (payment.due_at is None)
        assert sum(due_by_bag(self.folder).values()) <= self.folder.order.total
        assert all(msgspec.json.encode(task) for task in self.folder.tasks)


TestLifeOfPayments = LifeOfPayments.TestCase
TestLifeOfPayments.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
