"""An edit that moved costs between bags, a capture, a cancellation: what is kept is the worth.

No more, as it goes back with the cancellation; no less, as what is owed is not released.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from counterfoil.actions.capture import capture
from counterfoil.actions.void import void
from counterfoil.kernel.problem import Problem
from counterfoil.order.canceling import reckon_part
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Outcome
from counterfoil.order.payment import GatewayOfPayment
from counterfoil.order.transaction import Allocation
from tests.actions.canceling import cut, moved
from tests.actions.canceling import part as wanted_part
from tests.actions.editing import edited, units
from tests.actions.laws import assert_lawful
from tests.actions.living import act, heard, held_money, lived, waiting
from tests.actions.making import ADMIN, GATEWAYS, later
from tests.actions.split_moves import moves
from tests.actions.test_cancelling_laws import bags as drawn_bags
from tests.actions.test_cancelling_laws import paid

#: The same gateways, which release all or nothing, and still take in parts.
WHOLE = tuple(
    GatewayOfPayment(code=one.code, kind=one.kind, settings={"partial_void": False})
    for one in GATEWAYS
)


def through(order: Folder, whole: bool) -> Folder:
    """The order with gateways that release all or nothing, where that is wanted."""
    return msgspec.structs.replace(order, gateways=WHOLE if whole else GATEWAYS)


def answered(order: Folder, whole: bool = False) -> Folder:
    """Let everything that waits succeed."""
    while waiting(order):
        order = through(heard(order), whole)
    return order


def kept(order: Folder) -> int:
    """Tell what is kept beyond the worth; a favour is not given since it is worth less."""
    head = order.order
    return head.captured - head.worth_refunded - (head.total - head.canceled_total)


def moved_costs(gateway: str, *, whole: bool) -> Folder:
    """A mug less in one bag, shipping of 10.00 in the other, which was not authorised for it."""
    order = through(held_money(gateway), whole)
    mug_less = units(order, 0, 1)
    return through(edited(order, lines=[mug_less], shipping={order.bags[1].id: 1000}), whole)


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
@pytest.mark.parametrize("whole", [False, True])
def test_what_one_bag_paid_for_another_goes_back_though_it_has_money_open(
    gateway: str, whole: bool
) -> None:
    order = moved_costs(gateway, whole=whole)
    order = answered(through(lived(order, capture, amount=4000), whole), whole)
    assert [(bag.captured, bag.open) for bag in order.bags] == [(2000, 1000), (2000, 0)]
    reckoned = reckon_part(order, wanted_part(order, bag=1), ADMIN)
    assert (reckoned.refunded_amount, reckoned.reversed_amount) == (2250, 1000)
    order = answered(through(cut(order, bag=1), whole), whole)
    assert moved(order.order) == (4000, 1000, 2250, 0)
    assert (kept(order), order.cancellations[0].status) == (0, "CANCELED")
    assert_lawful(order)


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
def test_an_edit_after_it_or_instead_of_it_comes_to_the_same(gateway: str) -> None:
    order = moved_costs(gateway, whole=False)
    order = answered(lived(order, capture, amount=4000))
    order = answered(edited(order, lines=[units(order, 1, 0)]))
    assert moved(order.order) == (4000, 1000, 2250, 0)
    order = answered(lived(held_money(gateway), capture, amount=4000))
    order = answered(cut(order, bag=1))
    order = answered(edited(order, lines=[units(order, 0, 1)]))
    assert (kept(order), order.order.captured - order.order.refunded) == (0, 1750)


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.DECLINED])
def test_what_is_being_taken_counts_and_is_settled_with_its_answer(outcome: Outcome) -> None:
    order = lived(moved_costs("sandbox", whole=False), capture, amount=4000)
    order = cut(order, bag=1)
    order = answered(heard(order, outcome, which=0))
    if outcome == Outcome.DECLINED:
        assert moved(order.order) == (0, 3250, 0, 1750)
        order = answered(lived(order, capture))
    assert (kept(order), order.order.open) == (0, 0)
    assert order.order.captured - order.order.refunded == 1750


def test_what_is_owed_is_not_released_before_a_cancellation_gave_back_what_it_must() -> None:
    """The capture took most of one bag, which is cancelled: the other still owes its rest."""
    order = lived(held_money(), capture, amount=4000)
    order = cut(order, bag=0)
    order = answered(order)
    assert moved(order.order) == (4000, 600, 2400, 400)
    assert (order.order.owed, kept(order)) == (400, -400)
    assert answered(lived(order, capture)).order.open == 0


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
def test_what_is_open_when_nothing_is_owed_any_more_is_released_after_a_cancellation(
    gateway: str,
) -> None:
    order = held_money(gateway)
    order = edited(order, lines=[units(order, 0, 1)])
    shares = [Allocation(order.bags[0].id, 1750)]
    order = answered(lived(order, capture, amount=1750, allocations=shares))
    order = answered(cut(order, bag=1))
    assert (moved(order.order), kept(order)) == ((1750, 3250, 0, 0), 0)


def test_what_stays_authorised_pays_for_what_became_dearer() -> None:
    order = held_money("stripe")
    order = edited(order, shipping={order.bags[0].id: 580})
    assert (order.order.due, len(order.open_holds)) == (80, 1)
    order = cut(order, bag=1)
    assert (order.order.open, order.order.due, order.open_holds) == (5000, 0, [])
    order = answered(lived(order, capture))
    assert (moved(order.order), order.order.due) == ((3080, 1920, 0, 0), 0)


STEPS = st.lists(st.tuples(
    st.sampled_from(["capture", "capture all", "cancel line", "cancel line", "cancel bag",
                     "edit line", "edit line", "edit add", "edit shipping", "hear", "hear",
                     "deny"]),
    st.integers(0, 8), st.integers(1, 3)), min_size=3, max_size=8)


def stepped(order: Folder, kind: str, place: int, count: int) -> Folder:
    """Try one thing; a refusal changes nothing. Only captures are declined."""
    if kind == "hear":
        return heard(order, which=place % len(waiting(order))) if waiting(order) else order
    if kind == "deny":
        taking = [at for at, row in enumerate(waiting(order)) if row.type == "CAPTURE"]
        return heard(order, Outcome.DECLINED, which=taking[0]) if taking else order
    for _, action, arguments, _told in moves(order, kind, place, count):
        try:
            return later(act(order, action, **arguments).after)
        except Problem:
            continue
    return order


def ended(order: Folder, whole: bool) -> Folder:
    """Take what is owed and release the rest, payment by payment."""
    for action in (capture, void):
        for payment in order.payments:
            try:
                change = act(order, action, payment_id=payment.id)
            except Problem:
                continue
            order = answered(through(later(change.after), whole), whole)
    return order


def settled(order: Folder) -> bool:
    """Whether nothing is on its way, runs, failed or waits for a person."""
    return not (
        waiting(order)
        or any(plan.status != "CANCELED" for plan in order.cancellations)
        or any(task.status == "OPEN" for task in order.tasks)
    )


@settings(max_examples=60, deadline=None)
@given(drawn_bags(), st.sampled_from(["manual", "sandbox"]), st.booleans(), st.booleans(), STEPS)
def test_whatever_was_edited_taken_and_cancelled_what_is_kept_is_the_worth(
    made: Any, gateway: str, whole: bool, twice: bool, steps: Any
) -> None:
    order = through(paid(gateway, made, twice=twice), whole)
    assume(order.order.total > 0)
    for kind, place, count in steps:
        order = through(stepped(order, kind, place, count), whole)
        assert_lawful(order)
        if settled(order) and not order.order.owed:
            assert kept(order) <= 0, "more is kept than it is worth"
            assert not order.order.open or order.order.system_state == "CANCELED", "not released"
    order = ended(answered(order, whole), whole)
    assert settled(order)
    assert order.order.open == 0
    assert kept(order) <= 0, "more is kept than it is worth"
    assert kept(order) + order.order.due >= 0, "what was owed was let go, and is not asked for"
