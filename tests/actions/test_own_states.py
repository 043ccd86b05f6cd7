"""States of a store's own: going to them, what may come next, emptying one. [U-4, U-11]"""

import msgspec

from counterfoil.actions.change_state import change_state
from counterfoil.actions.decide_review import pass_review
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.migrate_state import migrate_state
from counterfoil.order.config import OrderState
from tests.actions.living import act, lived, refused, types
from tests.actions.making import STATES, folder


def own(code, system_state="PROCESSING"):
    return OrderState(
        id=code, store="main", code=code, name=code.capitalize(), system_state=system_state
    )


PICKING, PACKED, INTAKE = own("picking"), own("packed"), own("intake", "NEW")
PARKED, FROZEN = own("parked", "SUSPENDED"), own("frozen", "SUSPENDED")


def having(order, *states):
    """Let the store have states of its own; the order may be in one of them."""
    inside = next((one for one in states if one.code == order.order.state), order.state)
    return msgspec.structs.replace(order, states=(*STATES, *states), state=inside)


def put(order, state, *states):
    """Put an order in a state, and open it again where the store has these of its own."""
    return having(lived(having(order, *states), change_state, state=state), *states)


def narrowed(state, *codes):
    return msgspec.structs.replace(state, next=codes)


def test_an_order_goes_to_a_state_of_the_stores_own_and_among_those_of_one_kind():
    own = (PICKING, PACKED, INTAKE)
    order = put(folder("manual"), "intake", *own)
    assert (order.order.state, order.order.system_state) == ("intake", "NEW")
    order = put(order, "picking", *own)
    assert (order.order.state, order.order.system_state) == ("picking", "PROCESSING")
    change = act(order, change_state, state="packed")
    assert types(change) == ["order.state_changed"]
    assert change.facts[0].data["from"] == "picking"
    assert lived(order, change_state, state="processing").order.state == "processing"
    assert refused(order, change_state, state="intake").code == "transition_not_allowed"


def test_what_comes_next_is_narrowed_and_never_widened():
    narrow = narrowed(PICKING, "packed", "new", "completed")
    order = put(folder("manual"), "picking", narrow, PACKED)
    why = refused(order, change_state, state="suspended")
    assert why.facts["allowed"] == ["packed", "new", "completed"]
    assert why.detail == "From Picking it may go to New, Completed, Packed."
    for wider in ("new", "completed"):
        assert refused(order, change_state, state=wider).code == "transition_not_allowed"
    assert lived(order, change_state, state="packed").order.state == "packed"
    stuck = having(order, narrowed(PICKING))
    assert "no other state" in refused(stuck, change_state, state="processing").detail


def test_a_state_is_emptied_past_what_comes_next_but_within_the_life_cycle():
    stuck = put(folder("manual"), "picking", narrowed(PICKING), PACKED, INTAKE)
    moved = act(stuck, migrate_state, source="picking", target="packed")
    assert moved.after.order.state == "packed"
    assert types(moved) == ["order.state_changed"]
    for target in ("intake", "canceled", "completed"):
        why = refused(stuck, migrate_state, source="picking", target=target)
        assert why.code == "transition_not_allowed", target
    assert refused(stuck, migrate_state, source="picking", target="x").code == "unknown_reference"
    assert act(stuck, migrate_state, source="packed", target="processing").nothing
    assert act(moved.after, migrate_state, source="picking", target="packed").nothing


def test_what_is_held_stays_in_the_state_that_is_emptied():
    order = put(folder("manual"), "intake", PICKING, INTAKE)
    order = having(lived(order, hold, wanted=WantedHold(handle="x")), PICKING, INTAKE)
    why = refused(order, migrate_state, source="intake", target="picking")
    assert why.code == "order_on_hold"
    assert act(order, migrate_state, source="intake", target="new").after.order.state == "new"


def test_a_review_lets_go_what_was_moved_with_all_others_and_leaves_what_somebody_moved():
    parked = (PARKED, FROZEN)
    order = having(folder("manual", fraud_review=True), *parked)
    chosen = lived(order, change_state, state="frozen")
    assert act(having(chosen, *parked), pass_review).after.order.state == "frozen"
    for source, target in (("suspended", "parked"), ("parked", "frozen")):
        order = having(lived(order, migrate_state, source=source, target=target), *parked)
    asked_for = having(lived(order, change_state, state="cancel_requested"), *parked)
    declined = having(lived(asked_for, change_state, state="frozen"), *parked)
    back = having(lived(declined, migrate_state, source="frozen", target="parked"), *parked)
    for one in (order, declined, back):
        assert one.order.system_state == "SUSPENDED"
        assert act(one, pass_review).after.order.state == "new"
