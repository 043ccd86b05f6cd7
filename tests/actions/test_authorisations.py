"""Taking, keeping and losing what a gateway holds."""

import msgspec
import pytest

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.attend import attend
from counterfoil.actions.capture import capture
from counterfoil.actions.expire import expire
from counterfoil.actions.void import void
from counterfoil.order.change import Lease
from counterfoil.order.gateway import Outcome
from counterfoil.order.payment import GatewayOfPayment
from counterfoil.order.transaction import Allocation
from tests.actions.living import act, heard, held_money, lived, refused, told, types, waiting
from tests.actions.making import GATEWAYS, folder, later

WEEK_S = 7 * 24 * 3600


def through(order, **settings):
    """The order, as if its gateway could do this only."""
    narrowed = GatewayOfPayment(code="sandbox", kind="sandbox", settings=settings)
    others = [gateway for gateway in GATEWAYS if gateway.code != "sandbox"]
    return msgspec.structs.replace(order, gateways=(narrowed, *others))


def run_out(order):
    """Let the hold time pass, and let the worker see it."""
    order = later(order, WEEK_S)
    return lived(order, expire, payment_id=order.payments[0].id, lease="mine")


def test_an_expired_authorisation_is_called_that_before_and_after_it_was_booked():
    order = held_money()
    late = later(order, WEEK_S)
    assert refused(late, capture).code == "authorization_expired"
    gone = run_out(order)
    assert gone.payments[0].status == "EXPIRED"
    assert refused(gone, capture).code == "authorization_expired"
    assert refused(gone, acknowledge).code == "authorization_expired"
    assert refused(gone, void).code == "invalid_state"


def test_one_bag_is_not_charged_twice_by_naming_it_twice():
    order = folder("manual")
    bag = order.bags[0]
    twice = [Allocation(bag.id, 2000), Allocation(bag.id, 2000)]
    for action in (capture, void):
        assert refused(order, action, amount=4000, allocations=twice).code == "amount_invalid"


def test_a_gateway_that_captures_once_is_not_asked_for_a_second_capture_while_one_runs():
    order = through(held_money(), multi_capture=False)
    order = through(lived(order, capture, amount=1000), multi_capture=False)
    assert refused(order, capture, amount=500).code == "invalid_state"
    order = through(heard(order), multi_capture=False)
    assert order.order.captured == 1000
    assert order.order.voided == 4000
    order = through(lived(held_money(), capture, amount=1000), multi_capture=False)
    order = through(heard(order, Outcome.DECLINED), multi_capture=False)
    assert lived(order, capture, amount=500).order.capture_pending == 500


def test_asking_to_keep_an_authorisation_says_so_and_is_asked_once():
    order = held_money()
    change = act(order, acknowledge)
    assert types(change) == ["payment.acknowledge_requested"]
    asked_for = later(change.after)
    again = refused(asked_for, acknowledge)
    assert again.code == "request_in_progress" and again.headers["Retry-After"]
    assert types(told(asked_for)) == ["payment.acknowledged"]
    kept = heard(asked_for)
    assert kept.payments[0].expires_at is None and kept.payments[0].due_at is None
    assert act(kept, acknowledge).nothing
    declined = heard(asked_for, Outcome.DECLINED)
    assert declined.payments[0].expires_at is not None
    assert act(declined, acknowledge).result.status == "PENDING"


@pytest.mark.parametrize("outcome", [None, Outcome.UNKNOWN])
def test_what_the_gateway_may_be_keeping_is_not_given_up(outcome):
    order = lived(held_money(), acknowledge)
    if outcome:
        order = heard(order, outcome)
    late = later(order, WEEK_S)
    ended = act(late, expire, payment_id=late.payments[0].id, lease="mine")
    assert ended.nothing
    assert heard(late).payments[0].acknowledged_at is not None
    refusing = heard(late, Outcome.DECLINED)
    assert run_out(refusing).payments[0].status == "EXPIRED"
    assert not waiting(run_out(refusing))


def test_a_person_called_because_it_would_not_expire_is_not_needed_once_it_has():
    order = later(held_money(), WEEK_S)
    payment = order.payments[0]
    order = lived(
        order,
        attend,
        payment_id=payment.id,
        reason="cannot_expire",
        lease=Lease("payments", payment.id, "mine"),
    )
    assert order.payments[0].attention is not None
    assert run_out(order).payments[0].attention is None
