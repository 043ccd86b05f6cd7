"""A past is booked by the ordinary actions, at its own times, as one new order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from counterfoil.actions.history import with_history
from counterfoil.actions.place import place
from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.kernel.problem import Problem
from counterfoil.order.change import Change
from counterfoil.order.config import ShipmentMethod
from counterfoil.order.history import Brought
from counterfoil.order.life import MACHINES
from counterfoil.order.problems import InvalidState
from counterfoil.transfer.demo import demo_orders
from tests.actions import making
from tests.actions.laws import assert_lawful

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
METHODS = (
    *making.METHODS,
    ShipmentMethod(id="m3", store="main", code="express", name="Express"),
)
SENT = [{"bag": 0, "shipped_at": "2026-11-04T09:00:00Z"}, {"bag": 1, "tracking_number": "T2"}]


def day(number: int) -> str:
    return (MONDAY + timedelta(days=number)).isoformat()


def told(gateway: str | None = "manual", flow: str = "auth", **history: Any) -> Change:
    """Place an order on Monday and tell what it lived through."""
    sent = making.body(placed_at=MONDAY.isoformat(), history=history)
    if gateway is not None:
        sent["payment"] = {"gateway": gateway, "flow": flow}
    return booked(msgspec.convert(sent, Brought))


def booked(order: Brought) -> Change:
    asked = making.asked(instant=True, source="import")
    desk = msgspec.structs.replace(making.desk(), at=order.placed_at or making.NOON)
    change = place(desk, asked=asked, wanted=order, number="1", channel="import")
    if order.history is None:
        return change
    return with_history(change, order.history, asked=asked, methods=METHODS)


def assert_one_new_order(change: Change) -> None:
    """Whatever was told: one row each, facts without a gap in the order of time, laws kept."""
    order = change.after.order
    assert change.seen == 0
    assert_lawful(change.after)
    assert [fact.sequence for fact in change.facts] == list(range(1, order.version + 1))
    times = [fact.at for fact in change.facts]
    assert times == sorted(times)
    assert order.updated_at == times[-1]
    for section, nouns in change.inserts.items():
        assert tuple(nouns) == getattr(change.after, section)
        assert len({noun.id for noun in nouns}) == len(nouns)  # type: ignore[attr-defined]
    assert not change.after.letters
    assert all(row.status == "SUCCEEDED" for row in change.after.transactions)
    assert all(row.source == "import" for row in change.after.transactions)


def test_every_story_of_the_demo_can_have_been():
    orders = list(demo_orders(making.NOON, count=400, custom_states=()))
    for order in orders:
        brought = msgspec.convert({**order, "store": "main"}, Brought)
        assert_one_new_order(booked(brought))


def test_what_is_born_is_what_the_life_cycles_let_be_born():
    born = {
        machine.name: {to for source, to in machine.pairs() if not source} for machine in MACHINES
    }
    places = {
        "bags": ("bag", "status"),
        "items": ("item", "delivery_state"),
        "payments": ("payment", "status"),
        "transactions": ("transaction", "status"),
        "refunds": ("refund", "status"),
        "shipments": ("shipment", "status"),
        "cancellations": ("cancellation", "status"),
    }
    for order in demo_orders(making.NOON, count=200, custom_states=()):
        change = booked(msgspec.convert({**order, "store": "main"}, Brought))
        assert change.after.order.system_state in born["order"]
        for section, (machine, field) in places.items():
            for noun in change.inserts.get(section, []):
                assert getattr(noun, field) in born[machine]


def test_money_and_goods_move_at_their_own_times():
    change = told(
        captured=5000,
        captured_at=day(1),
        shipments=[{"bag": 0, "shipped_at": day(2), "delivered_at": day(4)}],
        refunds=[{"reference": "R-1", "amount": 700, "at": day(5)}],
        notes=[{"body": "Rang twice", "at": day(3)}],
        invoice_number="F-1",
    )
    assert_one_new_order(change)
    found = {fact.type: fact.at - MONDAY for fact in change.facts}
    assert found["order.created"] == timedelta(0)
    assert found["payment.captured"] == timedelta(days=1)
    assert found["shipment.shipped"] == timedelta(days=2)
    assert found["order.noted"] == timedelta(days=3)
    assert found["shipment.delivered"] == timedelta(days=4)
    assert found["refund.succeeded"] == timedelta(days=5)
    order = change.after.order
    assert (order.captured, order.refunded, order.invoice_number) == (5000, 700, "F-1")
    assert order.fulfillment_status == "PARTIALLY_SHIPPED"
    assert [s.delivered_at for s in change.after.shipments] == [MONDAY + timedelta(days=4)]


def test_what_needs_another_step_first_is_moved_behind_it():
    change = told(
        captured=5000,
        captured_at=day(3),
        refunds=[{"reference": "R-1", "amount": 5000, "at": day(1)}],
        shipments=[{"bag": 0, "shipped_at": day(2), "delivered_at": day(1)}],
    )
    assert_one_new_order(change)
    assert change.after.order.financial_status == "REFUNDED"


def test_all_that_left_completes_the_order():
    change = told(captured=5000, shipments=[{"bag": n, "shipped_at": day(1)} for n in (0, 1)])
    assert_one_new_order(change)
    assert change.after.order.state == "completed"


def test_a_parcel_that_is_packed_waits():
    change = told(shipments=SENT)
    assert {s.tracking_number: s.status for s in change.after.shipments} == {
        None: "SHIPPED",
        "T2": "OPEN",
    }
    assert {i.delivery_state for i in change.after.items} == {"SHIPPED", "READY"}


def test_a_line_may_leave_in_two_parcels():
    parcels = [
        {"bag": 0, "items": [{"line": 0, "quantity": 1}], "shipped_at": day(n)} for n in (1, 2)
    ]
    change = told(captured=5000, shipments=parcels)
    assert_one_new_order(change)
    assert [s.items[0].quantity for s in change.after.shipments] == [1, 1]


def test_a_state_behind_processing_is_reached_through_it():
    change = told(state="suspended")
    assert_one_new_order(change)
    passed = [fact.data["to"] for fact in change.facts if fact.type == "order.state_changed"]
    assert passed == ["processing", "suspended"]


def test_a_hold_stands_whenever_it_was_placed():
    change = told(
        state="processing",
        captured=5000,
        captured_at=day(2),
        holds=[{"handle": "stock", "blocks": ["shipment"], "at": day(1)}],
    )
    assert_one_new_order(change)
    assert change.after.order.state == "processing"
    assert change.after.order.hold_shipment


def test_a_cancelled_order_keeps_what_left_and_gives_up_what_is_open():
    change = told(
        captured=1000,
        captured_at=day(1),
        shipments=[{"bag": 0, "shipped_at": day(2)}],
        canceled_at=day(3),
    )
    assert_one_new_order(change)
    order = change.after.order
    assert (order.state, order.captured, order.voided, order.open) == ("canceled", 1000, 4000, 0)
    assert [bag.status for bag in change.after.bags] == ["COMPLETED", "CANCELED"]
    (plan,) = change.after.cancellations
    assert (plan.status, plan.reversed_amount) == ("CANCELED", 4000)


def test_what_went_back_with_the_cancellation_is_part_of_it():
    change = told(
        flow="payment",
        refunds=[{"reference": "R-1", "amount": 5000, "at": day(3)}],
        canceled_at=day(3),
    )
    assert_one_new_order(change)
    (plan,) = change.after.cancellations
    assert plan.refunded_amount == 5000
    assert change.after.order.financial_status == "REFUNDED"


def test_giving_up_all_of_it_cancels_and_is_not_cancelled_twice():
    change = told(voided=5000, voided_at=day(1), canceled_at=day(1), state="canceled")
    assert_one_new_order(change)
    assert [f.type for f in change.facts].count("order.canceled") == 1


def test_a_provider_is_not_asked():
    change = told(gateway="sandbox", captured=2000)
    assert_one_new_order(change)
    assert change.after.payments[0].expires_at is None


@pytest.mark.parametrize(
    ("history", "refusal"),
    [
        ({"state": "completed"}, TransitionNotAllowed),
        ({"state": "new", "captured": 5000}, TransitionNotAllowed),
        ({"voided": 5000, "voided_at": day(3), "shipments": SENT}, InvalidState),
    ],
)
def test_what_cannot_have_been_is_refused(history, refusal):
    assert issubclass(refusal, Problem)
    with pytest.raises(refusal):
        told(**history)
