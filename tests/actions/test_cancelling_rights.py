"""Who may cancel a part, what is refused and in which order, what is told of it; requests."""

from typing import Any

import msgspec
import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.change_state import change_state
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.note import note
from counterfoil.actions.request_cancel import decline_cancel, request_cancel
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.allowed import order_actions
from counterfoil.order.answers import answer
from counterfoil.order.gateway import Outcome
from counterfoil.order.telling import tell_order
from tests.actions.canceling import cut, line, part
from tests.actions.laws import assert_lawful
from tests.actions.living import MERCHANT, act, by, heard, held_money, lived, may, refused, types
from tests.actions.making import ADMIN, folder, later


def test_who_has_a_limit_cancels_no_more_than_that():
    order = lived(folder("manual"), capture)
    limited = msgspec.structs.replace(ADMIN, limits={"refund": {"EUR": 1300}})
    assert act(order, cancel, asked=by(limited), wanted=part(order, Mug=1)).result.amount == 1250
    why = refused(order, cancel, asked=by(limited), wanted=part(order, bag=0))
    assert (why.code, why.facts["amount"]) == ("approval_required", 3000)
    free = folder("manual")
    assert act(free, cancel, asked=by(limited), wanted=part(free, bag=0)).result.amount == 3000


def test_a_merchant_cancels_its_own_and_sees_its_own():
    order = lived(folder("manual"), capture, amount=2500)
    mine = by(MERCHANT)
    assert refused(order, cancel, asked=mine, wanted=WantedCancel()).code == "merchant_limited"
    assert refused(order, cancel, asked=mine, wanted=part(order, bag=1)).code == "not_found"
    other = part(order, **{"T-shirt": 1})
    assert refused(order, cancel, asked=mine, wanted=other).code == "unknown_reference"
    done = act(order, cancel, asked=mine, wanted=part(order, bag=0))
    told = msgspec.json.decode(answer(done, MERCHANT).body)
    assert told["transactions"] == []
    assert (told["refunded_amount"], told["reversed_amount"]) == (1500, 1500)
    assert [bag["merchant"]["code"] for bag in told["order"]["bags"]] == ["acme"]
    last = lived(order, cancel, wanted=part(order, bag=1))
    ended = act(last, cancel, asked=mine, wanted=part(last, bag=0))
    assert ended.after.order.system_state == "CANCELED"


def test_problems_come_in_their_order():
    order = folder("manual")
    twice = WantedCancel(lines=part(order, Mug=1).lines * 2)
    none = msgspec.structs.replace(part(order, Mug=1), bag_id=order.bags[1].id)
    nowhere = WantedCancel(bag_id="nowhere")
    found = [
        refused(order, cancel, asked=may("orders.read"), wanted=part(order, Mug=1)).code,
        refused(order, cancel, wanted=nowhere).code,
        refused(order, cancel, wanted=twice).code,
        refused(order, cancel, wanted=none).code,
        refused(order, cancel, wanted=part(order, Mug=3)).code,
        refused(order, cancel, wanted=part(order, Mug=0)).code,
    ]
    assert found == [
        "permission_denied", "not_found", "amount_invalid", "unknown_reference", "amount_invalid",
        "amount_invalid",
    ]  # fmt: skip
    gone = cut(order, bag=0)
    assert refused(gone, cancel, wanted=part(gone, bag=0)).code == "invalid_state"
    assert refused(gone, cancel, wanted=part(gone, Mug=1)).code == "amount_invalid"
    ended = lived(order, cancel, wanted=WantedCancel())
    assert refused(ended, cancel, wanted=nowhere).code == "invalid_state"


def test_while_somebody_asks_to_cancel_all_no_part_is_cancelled():
    order = lived(folder("manual"), request_cancel)
    why = refused(order, cancel, wanted=part(order, Mug=1))
    assert (why.code, "decline" in why.detail) == ("invalid_state", True)
    assert act(order, cancel, wanted=WantedCancel()).after.order.system_state == "CANCELED"



def test_the_letter_tells_the_units_and_the_answer_says_what_stays():
    order = folder("manual")
    wanted = msgspec.structs.replace(part(order, Mug=1), notify_customer=True)
    done = act(order, cancel, wanted=wanted)
    letter: Any = done.inserts["letters"][0]
    assert (letter.kind, letter.context["items"]) == ("part_canceled", {line(order, "Mug"): 1})
    told = msgspec.json.decode(answer(done, ADMIN).body)
    assert told["message"] == (
        "Captured amount 0.00 EUR has been refunded; authorized amount 12.50 EUR has been reversed."
    )
    assert told["allocations"] == [{"bag_id": order.bags[0].id, "amount": 1250}]


def offered(order, *rights):
    actor = may(*rights).actor if rights else ADMIN
    found = {one.action for one in order_actions(order.order, actor)}
    return found & {"cancel", "request_cancel", "decline_cancel"}


def test_what_is_offered_is_what_may_be_done():
    order = folder("manual")
    assert offered(order) == {"cancel"}
    assert offered(order, "orders.state") == {"request_cancel"}
    assert offered(order, "orders.read") == set()
    asked = lived(order, request_cancel)
    assert offered(asked) == {"cancel", "decline_cancel"}
    assert offered(asked, "orders.state") == {"decline_cancel"}
    bags = tell_order(cut(order, bag=0), ADMIN).bags
    names = [{one.action for one in bag.allowed_actions} for bag in bags]
    assert ["cancel" in one for one in names] == [False, True]
    own = tell_order(order, MERCHANT).bags
    assert any(one.action == "cancel" for one in own[0].allowed_actions)
    parcel = lived(order, ship, bag_id=order.bags[0].id, wanted=WantedShipment())
    gone = lived(parcel, send_shipment, shipment_id=parcel.shipments[0].id)
    left = tell_order(gone, ADMIN).bags[0].allowed_actions
    assert not any(one.action == "cancel" for one in left)


@pytest.mark.parametrize("before", ["new", "processing", "suspended", "fraud"])
def test_a_request_stops_the_order_and_declining_puts_it_back(before):
    order = folder("manual")
    for state in {"suspended": ("processing", "suspended"), "new": ()}.get(before, (before,)):
        order = lived(order, change_state, state=state)
    change_ = act(order, request_cancel, reason="Too late", reason_code="CUSTOMER")
    assert change_.after.order.system_state == "CANCEL_REQUESTED"
    assert "cancellations" not in change_.inserts
    fact = change_.facts[-1]
    assert (fact.type, fact.data["reason_code"]) == ("order.cancel_requested", "CUSTOMER")
    assert "Too late" not in str(fact.data)
    kept: Any = change_.inserts["notes"][0]
    assert (kept.body, kept.visibility, fact.data["note"]["id"]) == (
        "Too late", "internal", kept.id,
    )  # fmt: skip
    asked = later(change_.after)
    assert_lawful(asked)
    assert act(asked, request_cancel).nothing
    assert refused(asked, capture).code == "invalid_state"
    declined = act(asked, decline_cancel, note="It is packed.")
    assert declined.after.order.state == before
    assert types(declined) == ["order.state_changed", "order.cancel_declined"]
    said: Any = declined.inserts["notes"][0]
    assert said.body == "It is packed."
    assert_lawful(later(declined.after))


def test_a_request_that_came_by_the_menu_is_declined_the_same_way():
    order = lived(folder("manual"), change_state, state="cancel_requested")
    assert act(order, decline_cancel).after.order.state == "new"
    by_menu = lived(lived(folder("manual"), request_cancel), change_state, state="new")
    assert by_menu.order.system_state == "NEW"


def test_where_the_state_is_no_more_it_goes_to_work():
    order = lived(folder("manual"), request_cancel)
    gone = msgspec.structs.replace(
        order, order=msgspec.structs.replace(order.order, previous_state="picking")
    )
    assert act(gone, decline_cancel).after.order.state == "new"
    paid = lived(lived(folder("manual"), capture), request_cancel)
    paid = msgspec.structs.replace(
        paid, order=msgspec.structs.replace(paid.order, previous_state="picking")
    )
    assert act(paid, decline_cancel).after.order.state == "processing"


def test_neither_is_possible_while_a_cancellation_runs():
    running = lived(held_money(), cancel, wanted=WantedCancel())
    assert refused(running, decline_cancel).code == "request_in_progress"
    assert refused(running, request_cancel).code == "request_in_progress"
    failed = heard(running, Outcome.DECLINED)
    assert act(failed, decline_cancel).after.order.state == "new"
    parts = held_money()
    parts = lived(parts, cancel, wanted=part(parts, Mug=1))
    assert refused(parts, request_cancel).code == "request_in_progress"


def test_who_may_ask_and_decline():
    order = folder("manual")
    assert refused(order, request_cancel, asked=may("orders.read")).code == "permission_denied"
    assert refused(order, request_cancel, asked=by(MERCHANT)).code == "merchant_limited"
    assert refused(order, decline_cancel).code == "invalid_state"
    for right in ("orders.state", "orders.cancel"):
        asked = lived(order, request_cancel, asked=may(right))
        assert act(asked, decline_cancel, asked=may(right)).after.order.state == "new"
    ended = lived(order, cancel, wanted=WantedCancel())
    assert refused(ended, request_cancel).code == "invalid_state"
    assert act(ended, note, body="It stays annotated.").result.body
