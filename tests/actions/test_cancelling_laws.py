"""Whatever is cancelled, taken and given back in whatever order: the books agree. [X-1, X-2, V-15]

Orders of three merchants with shipping, tax and discounts, paid in one or two payments at gateways
that release in part or do not.
"""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.pay import pay
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.kernel.problem import Problem
from counterfoil.order.cancellation import CanceledLine
from counterfoil.order.gateway import Outcome
from counterfoil.order.intake import WantedPayment
from counterfoil.order.shipment import ShipmentItem
from tests.actions.canceling import assert_part_lawful
from tests.actions.living import act, heard, held_money, waiting
from tests.actions.making import folder, later

PRICES = st.integers(1, 999)
_ITEM = st.builds(
    lambda price, count: {"name": f"N{price}", "quantity": count, "unit_price": price},
    PRICES,
    st.integers(1, 3),
)


@st.composite
def bags(draw):
    """Three merchants' bags; what a discount takes off is less than the goods."""
    found = []
    for merchant in ("acme", "zeta", "nord"):
        items = draw(st.lists(_ITEM, min_size=1, max_size=2))
        goods = sum(item["quantity"] * item["unit_price"] for item in items)
        found.append(
            {
                "merchant": merchant,
                "items": items,
                "shipping_total": draw(st.integers(0, 300)),
                "tax_total": draw(st.integers(0, 300)),
                "discount_total": draw(st.integers(0, goods - 1)),
            }
        )
    return found


def steps(kinds):
    return st.lists(
        st.tuples(st.sampled_from(kinds), st.integers(0, 5), st.integers(1, 3)), max_size=9
    )


def _plan(order, place):
    """Name one of the cancellations there were, if any."""
    plans = order.cancellations
    return plans[place % len(plans)].id if plans else "none"


def step(order, kind, place, count):
    """Try one thing; a refusal changes nothing."""
    item = order.items[place % len(order.items)]
    bag = order.bags[place % len(order.bags)]
    wanted: dict[str, tuple[Any, dict[str, Any]]] = {
        "line": (cancel, {"wanted": WantedCancel(lines=(CanceledLine(item.id, count),))}),
        "again": (cancel, {"wanted": WantedCancel(again=_plan(order, place))}),
        "bag": (cancel, {"wanted": WantedCancel(bag_id=bag.id)}),
        "capture": (capture, {"amount": max(1, order.order.open * count // 4)}),
        "all": (capture, {}),
        "back": (
            refund,
            {"wanted": WantedRefund(
                reference=f"R{order.order.version}",
                lines=[WantedLine(item_id=item.id, quantity=count)],
            )},
        ),
        "amount": (
            refund,
            {"wanted": WantedRefund(reference=f"R{order.order.version}", amount=count * 7)},
        ),
        "pack": (
            ship,
            {"bag_id": item.bag_id,
             "wanted": WantedShipment(items=[ShipmentItem(item.id, count)])},
        ),
    }  # fmt: skip
    action: Any
    if kind == "send":
        ready = [one for one in order.shipments if one.status == "OPEN"]
        if not ready:
            return order
        action, arguments = send_shipment, {"shipment_id": ready[0].id}
    elif kind in ("hear", "deny", "lose"):
        if not waiting(order):
            return order
        outcome = {"hear": Outcome.SUCCEEDED, "deny": Outcome.DECLINED, "lose": Outcome.UNKNOWN}
        return heard(order, outcome[kind], which=place % len(waiting(order)))
    else:
        action, arguments = wanted[kind]
    try:
        return later(act(order, action, **arguments).after)
    except Problem:
        return order


def assert_once(order):
    """No more goes back for goods that are not sent than they cost, however often it is tried."""
    head = order.order
    assert head.worth_refunded <= head.canceled_total or head.system_state == "CANCEL_REQUESTED"


def paid(gateway, made, *, twice):
    """Place an order whose money is held: by one payment, or by two of half of it each."""
    if not twice:
        return held_money(gateway, bags=made)
    total = folder(None, bags=made).order.total
    assume(total > 1)
    first = {"gateway": gateway, "flow": "auth", "amount": total // 2}
    order = held_money(gateway, bags=made, payment=first)
    order = later(act(order, pay, wanted=WantedPayment(gateway=gateway, flow="auth")).after)
    return heard(order) if waiting(order) else order


AT_ONCE = ["line", "line", "line", "bag", "capture", "all", "back", "amount", "pack", "send"]


@settings(max_examples=150, deadline=None)
@given(bags(), steps(AT_ONCE))
def test_whatever_is_cancelled_at_once_the_books_agree(made, plan):
    order = folder("manual", bags=made)
    assume(order.order.total > 0)
    for kind, place, count in plan:
        order = step(order, kind, place, count)
        assert_part_lawful(order)


@settings(max_examples=150, deadline=None)
@given(
    bags(),
    st.sampled_from(["sandbox", "stripe"]),
    st.booleans(),
    steps(["line", "line", "bag", "capture", "all", "back", "again", "again", "hear", "hear",
           "deny", "lose"]),
)
def test_whatever_providers_answer_meanwhile_the_books_agree(made, gateway, twice, plan):
    order = paid(gateway, made, twice=twice)
    for kind, place, count in plan:
        order = step(order, kind, place, count)
        assert_part_lawful(order)
        assert_once(order)
    for _ in range(60):
        if not waiting(order):
            break
        order = heard(order)
        assert_part_lawful(order)
        assert_once(order)
    assert not waiting(order)
    assert not any(one.status == "PROCESSING" for one in order.cancellations)


@settings(max_examples=100, deadline=None)
@given(bags(), st.booleans(), st.permutations(range(12)))
def test_all_units_one_by_one_come_to_the_whole(made, taken, places):
    """In any order, at once: everything goes back, no more and no less, and the order ends."""
    order = folder("manual", bags=made)
    if taken:
        order = step(order, "all", 0, 1)
    units = [item.id for item in order.items for _ in range(item.quantity)]
    ranked = sorted(units, key=lambda one: (places[units.index(one) % 12], one))
    for item_id in ranked:
        wanted = WantedCancel(lines=(CanceledLine(item_id, 1),))
        order = later(act(order, cancel, wanted=wanted).after)
        assert_part_lawful(order)
    total = order.order.total
    assert (order.order.system_state, order.order.canceled_total) == ("CANCELED", total)
    assert (order.order.refunded if taken else order.order.voided) == total
