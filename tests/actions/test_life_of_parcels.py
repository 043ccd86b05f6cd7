"""Parcels as a rule-based state machine: packed, rearranged, sent, followed, in any order.

Whatever is done or refused: no unit is in two parcels or in none after it left, no number is on two
parcels, and a parcel's money is taken once. [U-14…U-25, faults C-2, S-3]
"""

from collections import Counter

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from counterfoil.actions.capture import capture
from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.move_shipment import (
    NewShipping,
    carry_shipment,
    deliver_shipment,
    fail_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.rearrange import (
    WantedSplit,
    cancel_shipment,
    merge_shipments,
    split_shipment,
)
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.actions.settle import settle
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.kernel.problem import Problem
from counterfoil.order.gateway import Answer, Outcome
from counterfoil.order.life import ITEM
from counterfoil.order.shipment import Parcel, ShipmentItem
from counterfoil.order.transaction import UNSETTLED
from tests.actions.laws import assert_lawful
from tests.actions.living import heard, waiting
from tests.actions.making import asked, later, store
from tests.actions.packing import two_lines, units_are_whole

PICK = st.integers(0, 5)
UNITS = st.integers(0, 3)
NUMBER = st.sampled_from([None, None, "T-1", "T-2", "T-3"])
METHOD = st.sampled_from(["standard", "bring"])
#: From which statuses something can be done with a parcel; most rules aim at these.
ABLE = {
    cancel_shipment: ("OPEN",),
    send_shipment: ("OPEN", "COULD_NOT_DELIVER"),
    carry_shipment: ("SHIPPED",),
    deliver_shipment: ("SHIPPED", "IN_TRANSIT", "COULD_NOT_DELIVER"),
    fail_shipment: ("SHIPPED", "IN_TRANSIT"),
}


def in_parcels(order):
    """Count the units of each line that are in parcels."""
    live = [one for one in order.shipments if one.status != "CANCELED"]
    return sum((Counter(one.units) for one in live), Counter())


class Parcels(RuleBasedStateMachine):
    refused: Problem | None = None

    @initialize(
        gateway=st.sampled_from(["manual", "sandbox", None]),
        takes=st.booleans(),
        scopes=st.sampled_from([(), ("partial_capture",)]),
    )
    def place(self, gateway, takes, scopes):
        order = two_lines(gateway)
        order = msgspec.structs.replace(order, store=store(capture_on_ship=takes, scopes=scopes))
        self.folder = heard(order) if waiting(order) else order

    def act(self, action, **arguments):
        try:
            change = action(self.folder, asked=asked(), **arguments)
        except Problem as refused:
            self.refused = refused
            return
        if not change.nothing:
            before, self.folder = in_parcels(self.folder), later(change.after)
            assert action is cancel_shipment or before <= in_parcels(self.folder), "unpacked"

    def line(self, pick):
        return self.folder.items[pick % len(self.folder.items)]

    def parcel(self, pick, *statuses):
        """One of the parcels: of those with such a status where there is one."""
        able = [one for one in self.folder.shipments if one.status in statuses]
        found = able or self.folder.shipments
        return found[pick % len(found)]

    @rule(pick=PICK, units=UNITS, number=NUMBER, box=NUMBER)
    def pack(self, pick, units, number, box):
        item = self.line(pick)
        items = [ShipmentItem(item.id, units)] if units else []
        parcels = [Parcel(tracking_number=box)] if box else []
        wanted = WantedShipment(items=items, tracking_number=number, parcels=parcels)
        self.act(ship, bag_id=item.bag_id, wanted=wanted)

    @precondition(lambda self: self.folder.shipments)
    @rule(pick=PICK, which=PICK, units=UNITS, number=NUMBER)
    def split(self, pick, which, units, number):
        parcel = self.parcel(pick, "OPEN")
        item_id = parcel.items[which % len(parcel.items)].item_id
        wanted = WantedSplit(items=[ShipmentItem(item_id, units)], tracking_number=number)
        self.act(split_shipment, shipment_id=parcel.id, wanted=wanted)

    @precondition(lambda self: len(self.folder.shipments) > 1)
    @rule(pick=PICK, others=st.lists(PICK, min_size=1, max_size=2, unique=True))
    def merge(self, pick, others):
        into = self.parcel(pick, "OPEN")
        rest = [one for one in self.folder.shipments if one.id != into.id]
        able = [one for one in rest if (one.status, one.bag_id) == ("OPEN", into.bag_id)] or rest
        ids = [able[other % len(able)].id for other in others]
        self.act(merge_shipments, shipment_id=into.id, shipment_ids=ids)

    @precondition(lambda self: self.folder.shipments)
    @rule(pick=PICK, action=st.sampled_from(list(ABLE)), astray=st.integers(0, 4))
    def move(self, pick, action, astray):
        aim = ABLE[action] if astray else ()
        self.act(action, shipment_id=self.parcel(pick, *aim).id)

    @precondition(lambda self: self.folder.shipments)
    @rule(pick=PICK, number=NUMBER, box=NUMBER)
    def correct(self, pick, number, box):
        parcels = [Parcel(tracking_number=box)] if box else []
        wanted = NewShipping(tracking_number=number, parcels=parcels)
        self.act(update_shipment, shipment_id=self.parcel(pick, "OPEN").id, wanted=wanted)

    @rule(picks=st.lists(PICK, max_size=2), method=METHOD)
    def choose(self, picks, method):
        items = [self.line(pick).id for pick in picks] or None
        self.act(choose_method, method=method, items=items)

    @rule(pick=PICK, state=st.sampled_from(ITEM.statuses))
    def put(self, pick, state):
        item = self.line(pick)
        self.act(set_delivery_state, item_id=item.id, state=state)
        now = next(one for one in self.folder.items if one.id == item.id)
        assert now.delivery_state in (item.delivery_state, state)

    @rule(amount=st.sampled_from([None, 300, 700]))
    def capture(self, amount):
        self.act(capture, amount=amount)

    @precondition(lambda self: bool(waiting(self.folder)))
    @rule(outcome=st.sampled_from([Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.DECLINED]))
    def hear(self, outcome):
        row = waiting(self.folder)[0]
        answer = Answer(outcome=outcome, payment_reference="p")
        self.act(settle, transaction_id=row.id, lease="mine", answer=answer)

    @invariant()
    def no_unit_is_lost_or_doubled(self):
        units_are_whole(self.folder)

    @invariant()
    def a_refusal_says_why(self):
        if self.refused is not None:
            assert self.refused.status < 500
            assert self.refused.detail

    @invariant()
    def the_laws_hold(self):
        assert_lawful(self.folder)

    @invariant()
    def a_parcels_money_is_taken_once(self):
        rows = [row for row in self.folder.transactions if row.type == "CAPTURE"]
        taken = [row.shipment_id for row in rows if row.shipment_id and row.status != "FAILED"]
        assert len(taken) == len(set(taken))
        left = {one.id for one in self.folder.shipments if one.shipped_at}
        assert left >= {row.shipment_id for row in rows if row.shipment_id}
        assert all(row.lease_token is None for row in rows if row.status in UNSETTLED)


TestParcels = Parcels.TestCase
TestParcels.settings = settings(
    max_examples=250,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
