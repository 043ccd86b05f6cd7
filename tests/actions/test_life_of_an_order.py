"""A whole order's life as a rule-based state machine, without a database.

Every rule asks an action for a change or is refused with a problem; after every step the laws
hold. The providers' answers come in any order and of any kind.
"""

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.change_state import change_state
from counterfoil.actions.decide_review import fail_review, pass_review
from counterfoil.actions.edit import edit
from counterfoil.actions.expire import expire
from counterfoil.actions.hold import WantedHold, hold, release, release_by_itself
from counterfoil.actions.move_shipment import (
    NewShipping,
    deliver_shipment,
    fail_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.note import note
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.actions.review import give_review_back, send_to_review, take_review
from counterfoil.actions.settle import settle
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.kernel.problem import Problem
from counterfoil.order.gateway import Answer, Outcome
from counterfoil.order.shipment import ShipmentItem
from counterfoil.order.transaction import UNSETTLED
from tests.actions.laws import assert_lawful, assert_ledger
from tests.actions.making import STATES, asked, later, placed

AMOUNTS = st.sampled_from([None, 700, 1, 1300, 2500, 5000, 0, -1, 6000])
refusals: list[str] = []
RARELY = st.sampled_from([False, False, False, False, True])
PICK = st.integers(0, 5)


class Life(RuleBasedStateMachine):
    @initialize(
        gateway=st.sampled_from(["manual", "sandbox", "sandbox", None]),
        flow=st.sampled_from(["auth", "auth", "payment"]),
        review=RARELY,
        amount=st.sampled_from([5000, 5000, 4999, 1]),
    )
    def place(self, gateway, flow, review, amount):
        more = {"fraud_review": review}
        if gateway:
            more["payment"] = {"gateway": gateway, "flow": flow, "amount": amount}
        change = placed(gateway, flow, **more)
        self.folder = later(change.after)
        self.facts = list(change.facts)
        self.entries = list(change.ledger())
        self.count = 0

    def do(self, action, **arguments):
        self.count += 1
        try:
            change = action(self.folder, **arguments)
        except Problem as refused:
            refusals.append(refused.code)
            return
        if change.nothing:
            return
        assert change.seen == self.folder.order.version
        self.facts += change.facts
        self.entries += change.ledger()
        self.folder = later(change.after)

    def act(self, action, **arguments):
        self.do(action, asked=asked(), **arguments)

    @rule(amount=AMOUNTS)
    def capture(self, amount):
        self.act(capture, amount=amount)

    @rule(amount=AMOUNTS)
    def void(self, amount):
        self.act(void, amount=amount)

    @rule(amount=AMOUNTS, again=st.booleans())
    def refund(self, amount, again):
        reference = "R-1" if again else f"R-{self.count}"
        first = next((r for r in self.folder.refunds if r.reference == reference), None)
        from msgspec.structs import replace

        self.folder = replace(self.folder, same_reference=first)
        self.act(refund, wanted=WantedRefund(reference=reference, amount=amount))
        self.folder = replace(self.folder, same_reference=None)

    @rule(pick=PICK, quantity=st.integers(0, 3))
    def refund_a_line(self, pick, quantity):
        item = self.folder.items[pick % len(self.folder.items)]
        lines = [WantedLine(item_id=item.id, quantity=quantity)]
        self.act(
            refund,
            wanted=WantedRefund(reference=f"L-{self.count}", lines=lines, bag_id=item.bag_id),
        )

    @rule(letter=st.booleans(), really=RARELY)
    def cancel(self, letter, really):
        if really:
            self.act(cancel, wanted=WantedCancel(notify_customer=letter))

    @rule(state=st.sampled_from([state.code for state in STATES]), really=RARELY)
    def choose_state(self, state, really):
        if really:
            self.act(change_state, state=state)

    @precondition(lambda self: self.count % 4 == 0)
    @rule(
        handle=st.sampled_from(["a", "b"]),
        blocks=st.sampled_from([("capture",), ("shipment",), ("capture", "shipment")]),
        ends=st.booleans(),
    )
    def hold(self, handle, blocks, ends):
        until = self.folder.at + timedelta(hours=1) if ends else None
        self.act(hold, wanted=WantedHold(handle=handle, blocks=blocks, auto_release_at=until))

    @precondition(lambda self: any(held.due_at for held in self.folder.open_holds))
    @rule(late=st.booleans())
    def wait_for_a_hold_to_end(self, late):
        held = next(one for one in self.folder.open_holds if one.due_at)
        if late:
            self.folder = later(self.folder, 3600)
        self.act(release_by_itself, hold_id=held.id, lease="mine")

    @rule(really=RARELY)
    def send_to_review(self, really):
        if really:
            self.act(send_to_review, note="Three cards were tried.")

    @precondition(lambda self: self.folder.fraud_reviews)
    @rule(action=st.sampled_from([take_review, give_review_back, pass_review, pass_review]))
    def review(self, action):
        self.act(action)

    @precondition(lambda self: self.folder.fraud_reviews)
    @rule(really=RARELY)
    def fail_review(self, really):
        if really:
            self.act(fail_review)

    @rule(handle=st.sampled_from(["a", "b", "fraud-review"]))
    def release(self, handle):
        self.act(release, handle=handle)

    @rule()
    def acknowledge(self):
        self.act(acknowledge)

    @rule()
    def note(self):
        self.act(note, body="Called the customer.")

    @rule(number=st.sampled_from(["INV-1", "INV-2"]))
    def invoice(self, number):
        self.act(edit, fields={"invoice_number": number})

    @rule(pick=PICK, quantity=st.integers(0, 3), tracking=st.sampled_from([None, "T1", "T2"]))
    def ship(self, pick, quantity, tracking):
        item = self.folder.items[pick % len(self.folder.items)]
        items = [ShipmentItem(item.id, quantity)] if quantity else []
        self.act(
            ship, bag_id=item.bag_id, wanted=WantedShipment(items=items, tracking_number=tracking)
        )

    @precondition(lambda self: self.folder.shipments)
    @rule(pick=PICK, action=st.sampled_from([send_shipment, deliver_shipment, fail_shipment]))
    def move(self, pick, action):
        parcel = self.folder.shipments[pick % len(self.folder.shipments)]
        self.act(action, shipment_id=parcel.id)

    @precondition(lambda self: self.folder.shipments)
    @rule(pick=PICK, number=st.sampled_from([None, "T1", "T3"]))
    def retrack(self, pick, number):
        parcel = self.folder.shipments[pick % len(self.folder.shipments)]
        self.act(
            update_shipment,
            shipment_id=parcel.id,
            wanted=NewShipping(tracking_number=number, method="bring"),
        )

    @precondition(lambda self: any(t.status in UNSETTLED for t in self.folder.transactions))
    @rule(pick=PICK, outcome=st.sampled_from([*Outcome, Outcome.SUCCEEDED]))
    def hear_from_provider(self, pick, outcome):
        rows = [t for t in self.folder.transactions if t.status in UNSETTLED]
        self.act(
            settle,
            transaction_id=rows[pick % len(rows)].id,
            lease="mine",
            answer=Answer(outcome=outcome, payment_reference="p"),
        )

    @precondition(lambda self: any(p.expires_at for p in self.folder.payments))
    @rule()
    def wait_for_expiry(self):
        payment = next(p for p in self.folder.payments if p.expires_at)
        self.folder = later(self.folder, 8 * 24 * 3600)
        self.act(expire, payment_id=payment.id, lease="mine")

    @invariant()
    def the_ledger_says_the_same(self):
        assert_ledger(self.folder, self.entries)

    @invariant()
    def the_laws_hold(self):
        if not hasattr(self, "folder"):
            return
        assert_lawful(self.folder)
        assert "internal" not in refusals
        assert [fact.sequence for fact in self.facts] == list(range(1, len(self.facts) + 1))
        assert self.folder.order.version == len(self.facts)
        assert all(a.at <= b.at for a, b in zip(self.facts, self.facts[1:], strict=False))


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
