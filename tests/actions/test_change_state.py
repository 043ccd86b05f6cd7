"""Moving an order among its states, and back where a cancellation is declined."""

import msgspec
import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.change_state import change_state
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.config import OrderState
from tests.actions.living import act, lived, refused, types
from tests.actions.making import STATES, folder


def requested(*ways):
    """Bring an order somewhere, then ask for its cancellation."""
    order = folder("manual")
    for state in (*ways, "cancel_requested"):
        order = lived(order, change_state, state=state)
    return order


@pytest.mark.parametrize("ways", [[], ["processing"], ["fraud"], ["processing", "suspended"]])
def test_a_declined_cancellation_puts_the_order_back_where_it_was(ways):
    order = requested(*ways)
    before = [*ways, "new"][-1] if not ways else ways[-1]
    change = act(order, change_state, state=before)
    assert change.after.order.state == before
    assert types(change)[-1] == "order.cancel_declined"
    other = "processing" if before == "new" else "new"
    assert refused(order, change_state, state=other).facts["allowed"] == [before]


def test_a_hold_does_not_keep_a_cancellation_from_being_declined():
    order = lived(requested("processing"), hold, wanted=WantedHold(handle="stock"))
    assert lived(order, change_state, state="processing").order.state == "processing"


def test_declining_the_cancellation_of_a_completed_order_does_not_complete_it_again():
    order = folder("manual")
    for bag in order.bags:
        order = lived(order, ship, bag_id=bag.id, wanted=WantedShipment())
    for parcel in order.shipments:
        order = lived(order, send_shipment, shipment_id=parcel.id)
    assert order.order.state == "completed"
    order = msgspec.structs.replace(
        order,
        order=msgspec.structs.replace(
            order.order,
            state="cancel_requested",
            system_state="CANCEL_REQUESTED",
            previous_state="completed",
        ),
        state=next(state for state in STATES if state.code == "cancel_requested"),
    )
    change = act(order, change_state, state="completed")
    assert types(change) == ["order.state_changed", "order.cancel_declined"]


def test_where_the_state_it_was_in_is_gone_it_goes_back_to_work():
    order = requested()
    order = msgspec.structs.replace(
        order, order=msgspec.structs.replace(order.order, previous_state="packing")
    )
    assert refused(order, change_state, state="fraud").facts["allowed"] == ["new", "processing"]
    assert lived(order, change_state, state="processing").order.state == "processing"


def test_another_state_of_the_same_kind_does_not_forget_where_the_order_came_from():
    order = lived(folder("manual"), change_state, state="processing")
    order = lived(order, change_state, state="suspended")
    mine = OrderState(id="s", store="main", code="parked", name="P", system_state="SUSPENDED")
    order = msgspec.structs.replace(order, states=(*STATES, mine))
    order = act(order, change_state, state="parked").after
    assert order.order.previous_state == "processing"


def test_who_is_refused_a_state_reads_the_names_of_states():
    order = lived(folder("manual"), change_state, state="processing")
    why = refused(order, change_state, state="new")
    told = "From Processing it may go to Completed, Canceled, Cancel requested, Fraud, Suspended."
    assert why.detail == told
    assert "COMPLETED" in why.facts["allowed"]
    ended = lived(order, cancel, wanted=WantedCancel())
    why = refused(ended, change_state, state="new")
    assert why.detail == "From Canceled it may go to no other state."


@pytest.mark.proves("U-10")
@pytest.mark.parametrize("before", ["processing", "fraud"])
def test_work_and_a_suspicion_can_be_suspended(before):
    order = lived(folder("manual"), change_state, state=before)
    assert lived(order, change_state, state="suspended").order.state == "suspended"
