"""What is owed bounds what is captured: an order that is worth less is charged less."""

import msgspec
import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.pay import pay
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.void import void
from counterfoil.order.allowed import order_actions, payment_actions
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Outcome
from counterfoil.order.intake import WantedPayment
from counterfoil.order.payment import GatewayOfPayment
from counterfoil.order.transaction import Allocation
from tests.actions.editing import edited, units
from tests.actions.laws import assert_lawful
from tests.actions.living import act, heard, held_money, lived, may, refused, told, types, waiting
from tests.actions.making import ADMIN, GATEWAYS, folder, later, store
from tests.actions.refunding import back, paid

ONCE = (
    *(gateway for gateway in GATEWAYS if gateway.code != "sandbox"),
    GatewayOfPayment(code="sandbox", kind="sandbox", settings={"multi_capture": False}),
)
WHOLE = (
    *ONCE[:-1],
    GatewayOfPayment(code="sandbox", kind="sandbox", settings={"partial_capture": False}),
)


def worth_less(order: Folder, *less: int) -> Folder:
    """The order with so much of each bag's worth gone, as lines that are cancelled take it."""
    bags = tuple(
        msgspec.structs.replace(bag, canceled_total=bag.canceled_total + part)
        for bag, part in zip(order.bags, less, strict=True)
    )
    canceled = sum(bag.canceled_total for bag in bags)
    whole = msgspec.structs.replace(order.order, canceled_total=canceled)
    return msgspec.structs.replace(order, bags=bags, order=whole)


def moved(order, kind):
    return [(row.status, row.amount) for row in order.transactions if row.type == kind]


def test_what_is_owed_is_taken_and_the_rest_is_released_by_the_worker():
    order = worth_less(held_money(), 1000, 0)
    assert (order.order.open, order.order.owed) == (5000, 4000)
    taken = act(order, capture)
    assert [part.amount for part in taken.result.allocations] == [2000, 2000]
    change = told(later(taken.after))
    assert types(change) == [
        "payment.captured", "payment.void_requested", "order.state_changed"]
    order = later(change.after)
    assert moved(order, "VOID") == [("PENDING", 1000)]
    assert waiting(order)[0].lease_token is None, "nobody's request waits for it"
    order = heard(order)
    assert (order.order.captured, order.order.voided, order.order.open) == (4000, 1000, 0)
    assert (order.order.financial_status, order.order.system_state) == ("PAID", "PROCESSING")
    assert [bag.captured for bag in order.bags] == [2000, 2000]
    assert_lawful(order)


def test_a_gateway_that_takes_once_releases_the_rest_itself():
    order = worth_less(held_money(), 1000, 0)
    order = msgspec.structs.replace(order, gateways=ONCE)
    taken = act(order, capture).after
    after = told(msgspec.structs.replace(later(taken), gateways=ONCE)).after
    assert moved(after, "VOID") == [("SUCCEEDED", 1000)]
    assert (after.order.captured, after.order.open) == (4000, 0)


def test_where_nobody_is_asked_it_is_booked_at_once():
    order = lived(worth_less(folder("manual"), 500, 500), capture)
    assert moved(order, "CAPTURE") == [("SUCCEEDED", 4000)]
    assert moved(order, "VOID") == [("SUCCEEDED", 1000)]
    assert (order.order.open, order.order.financial_status) == (0, "PAID")


def test_more_than_is_owed_is_refused_and_both_amounts_are_named():
    order = worth_less(held_money(), 1000, 0)
    found = refused(order, capture, amount=4001)
    assert (found.code, found.facts["owed"], found.facts["open"]) == ("amount_invalid", 4000, 5000)
    assert "4000" in found.detail and "5000" in found.detail
    part = lived(order, capture, amount=1500)
    assert part.order.owed == 2500
    assert refused(part, capture, amount=2501).code == "amount_invalid"
    part = heard(part)
    assert moved(part, "VOID") == [], "something is still owed"
    rest = heard(lived(part, capture))
    assert moved(rest, "VOID") == [("PENDING", 1000)]


def test_nothing_is_released_while_another_capture_is_on_its_way():
    order = worth_less(held_money(), 1000, 0)
    order = lived(lived(order, capture, amount=1500), capture)
    assert refused(order, capture).facts["owed"] == 0
    first = heard(order, which=0)
    assert moved(first, "VOID") == []
    failed = heard(first, Outcome.DECLINED)
    assert (failed.order.owed, moved(failed, "VOID")) == (2500, [])
    assert moved(heard(first), "VOID") == [("PENDING", 1000)]


def test_the_whole_price_takes_no_scope_for_parts():
    order = worth_less(held_money(), 1000, 0)
    order = msgspec.structs.replace(order, store=store(scopes=()))
    only = may("payments.capture")
    assert act(order, capture, asked=only).result.amount == 4000
    assert act(order, capture, asked=only, amount=4000).result.amount == 4000
    assert refused(order, capture, asked=only, amount=1).code == "partial_capture_not_enabled"
    whole = msgspec.structs.replace(order, gateways=WHOLE)
    found = refused(whole, capture)
    assert (found.code, found.facts["owed"]) == ("partial_capture_not_enabled", 4000)


def test_several_payments_owe_together():
    order = folder(None)
    order = lived(order, pay, wanted=WantedPayment(gateway="manual", amount=3000))
    order = heard(lived(order, pay, wanted=WantedPayment(gateway="sandbox", amount=2000)))
    order = worth_less(order, 2500, 0)
    first, second = order.payments
    offered = [payment_actions(order.order, payment, ADMIN) for payment in order.payments]
    assert [a.max_amount for one in offered for a in one if a.action == "capture"] == [2500, 2000]
    taken = act(order, capture, payment_id=first.id)
    assert taken.result.amount == 2500
    after = later(taken.after)
    assert moved(after, "VOID") == [("SUCCEEDED", 500), ("PENDING", 2000)]
    assert refused(after, capture, payment_id=second.id).code == "invalid_state"
    after = heard(after)
    assert (after.order.captured, after.order.voided, after.order.open) == (2500, 2500, 0)
    assert after.order.system_state == "PROCESSING"
    assert_lawful(after)


def test_what_may_be_captured_is_offered():
    order = worth_less(held_money(), 1000, 0)
    offered = {action.action: action.max_amount for action in order_actions(order.order, ADMIN)}
    assert (offered["capture"], offered["void"]) == (4000, 5000)
    of_payment = payment_actions(order.order, order.payments[0], ADMIN)
    assert next(a.max_amount for a in of_payment if a.action == "capture") == 4000
    nothing = worth_less(order, 2000, 2000)
    assert "capture" not in {a.action for a in order_actions(nothing.order, ADMIN)}
    assert "capture" not in {
        a.action for a in payment_actions(nothing.order, nothing.payments[0], ADMIN)}


def test_a_release_takes_first_what_nobody_owes():
    order = worth_less(held_money(), 1000, 0)
    row = act(order, void, amount=1000).result
    assert row.allocations == [Allocation(order.bags[0].id, 1000)]
    row = act(order, void, amount=2000).result
    assert sum(part.amount for part in row.allocations) == 2000


def test_an_order_that_comes_to_nothing_is_not_cancelled_by_its_release():
    order = worth_less(held_money(), 3000, 2000)
    assert refused(order, capture).facts["owed"] == 0
    order = heard(lived(order, void))
    assert (order.order.open, order.order.system_state) == (0, "NEW")


def test_a_favour_is_not_taken_again_from_what_an_edit_left_open():
    """Fault found by random lives: a refund made room for the next capture."""
    order = held_money("manual")
    order = edited(order, lines=[units(order, 0, 1)])
    order = lived(order, capture, amount=2000)
    order = lived(order, refund, wanted=WantedRefund(reference="F", bag_id=order.bags[1].id))
    worth = order.order.total - order.order.canceled_total
    order = lived(order, capture)
    assert (order.order.captured, order.order.open, worth) == (3750, 0, 3750)


def test_what_was_given_back_as_a_favour_may_not_be_taken_again_beyond_its_worth():
    order = lived(held_money("manual"), capture, amount=3000)
    order = lived(order, refund, **back(amount=1000))
    assert (order.order.open, order.order.owed) == (2000, 2000)
    assert act(order, capture).result.amount == 2000
    assert lived(paid(), refund, **back(amount=1000)).order.owed == 0


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
def test_a_cancelled_order_owes_nothing(gateway):
    order = held_money(gateway)
    order = lived(order, cancel, wanted=WantedCancel())
    order = heard(order) if waiting(order) else order
    assert (order.order.owed, order.order.open, order.order.system_state) == (0, 0, "CANCELED")
