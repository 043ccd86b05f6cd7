"""Split orders of three merchants, partly cancelled, returned and refunded, stay consistent.

Whatever is done to them in whatever order, an independent model says the same. [X-1, V-6…V-11]
"""

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.pay import pay
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.kernel.problem import Problem
from counterfoil.order.folder import Folder
from counterfoil.order.intake import WantedPayment
from tests.actions.laws import assert_lawful
from tests.actions.living import act, lived, refused
from tests.actions.making import later, placed
from tests.actions.split_model import Model
from tests.actions.split_moves import KINDS, MERCHANTS, OFTEN, drawn_bags, moves

_ITEM = st.builds(
    lambda price, count, digital: {
        "name": f"N{price}", "quantity": count, "unit_price": price, "digital": digital},
    st.integers(1, 999), st.integers(1, 3), st.sampled_from([False, False, False, True]),
)


@st.composite
def bags(draw: Any) -> list[dict[str, Any]]:
    """Three merchants' bags, with goods that are shipped and some that are not."""
    found = []
    for merchant in MERCHANTS:
        items = draw(st.lists(_ITEM, min_size=1, max_size=3))
        goods = sum(item["quantity"] * item["unit_price"] for item in items)
        found.append({
            "merchant": merchant, "items": items,
            "shipping_total": draw(st.integers(0, 300)), "tax_total": draw(st.integers(0, 300)),
            "discount_total": draw(st.integers(0, goods - 1)),
        })
    return found


STEPS = st.lists(
    st.tuples(st.sampled_from(OFTEN), st.integers(0, 8), st.integers(1, 3)), min_size=20,
    max_size=45,
)
seen: set[str] = set()


def step(order: Folder, model: Model, kind: str, place: int, count: int) -> Folder:
    """Try one thing; a refusal changes nothing."""
    for what, action, arguments, told in moves(order, kind, place, count):
        try:
            change = act(order, action, **arguments)
        except Problem:
            return order
        if not change.nothing:
            seen.add(kind)
            model.happened(what, order, told(change) if callable(told) else told)
            order = later(change.after)
    return order


def send_on(other: Folder) -> None:
    """Pay what is due of an exchange and send it: it leaves when it is paid for, and not before."""
    bag = other.bags[0].id
    due = other.order.due
    if due:
        assert refused(other, ship, bag_id=bag, wanted=WantedShipment()).code == (
            "shipment_update_not_allowed")
        less = WantedPayment(gateway="manual", amount=due - 1, flow="payment")
        if due > 1:
            other = lived(other, pay, wanted=less)
            assert other.order.hold_shipment
        other = lived(other, pay, wanted=WantedPayment(gateway="manual"))
    assert (other.order.due, other.order.hold_shipment) == (0, False)
    other = lived(other, ship, bag_id=bag, wanted=WantedShipment())
    other = lived(other, send_shipment, shipment_id=other.shipments[0].id)
    assert other.order.fulfillment_status == "SHIPPED"
    assert_lawful(other)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bags(), STEPS, st.sampled_from(["auth", "auth", "payment"]))
def test_whatever_happens_to_split_orders_the_model_says_the_same(made, steps, flow):
    order, model = later(placed("manual", flow, bags=made).after), Model()
    if order.order.total == 0:
        return
    model.judge(order)
    for kind, place, count in steps:
        order = step(order, model, kind, place, count)
        assert_lawful(order)
        model.judge(order)
    for other in model.linked.values():
        send_on(later(other))


def test_a_hundred_lives_do_all_that_can_be_done():
    """By their seeds; what the laws are worth is what was tried, so every kind of step is."""
    seen.clear()
    exchanged: list[bool] = []
    for seed in range(100):
        chance = random.Random(seed)
        made = drawn_bags(chance)
        order, model = later(placed("manual", bags=made).after), Model()
        for _ in range(40):
            drawn = chance.choice(OFTEN), chance.randint(0, 8), chance.randint(1, 3)
            order = step(order, model, *drawn)
            model.judge(order)
        assert_lawful(order)
        for other in model.linked.values():
            exchanged.append(other.order.due > 0)
            send_on(later(other))
    assert seen == set(KINDS)
    assert set(exchanged) == {True, False}
