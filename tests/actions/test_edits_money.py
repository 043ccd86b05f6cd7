"""What the money makes of an edit: due, held for, captured less, released, given back."""

import pytest
from msgspec.structs import replace

from counterfoil.actions.capture import capture
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.pay import pay
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.void import void
from counterfoil.order.gateway import Outcome
from counterfoil.order.intake import WantedPayment
from tests.actions.editing import cap, edited, edits, lawful, refuses, units
from tests.actions.living import by, heard, held_money, lived, may, refused, told, types, waiting
from tests.actions.making import later
from tests.actions.refunding import back, limited, line, paid


def kinds(tasks):
    return [task.kind for task in tasks]


def moved(order, kind):
    return [(row.status, row.amount) for row in order.transactions if row.type == kind]


# -------------------------------------------------------------------------------- worth more: due


def test_what_it_is_worth_more_is_due_and_the_goods_wait_for_it():
    order = held_money()
    change = edits(order, add=[cap(order)])
    assert types(change) == ["order.edited", "order.held"]
    order = later(change.after)
    lawful(order)
    (held,) = order.open_holds
    assert (held.handle, held.blocks, order.order.hold_capture) == (
        "awaiting-payment", ["shipment"], False)
    order = edited(order, shipping_total=700)
    assert (order.order.due, len(order.open_holds)) == (800, 1)
    order = edited(order, lines=[units(order, 2, 0)], shipping_total=500)
    assert (order.order.due, order.open_holds) == (0, []), "nothing is due: the goods may leave"


def test_the_goods_wait_for_it_whatever_an_older_hold_of_that_name_let_through():
    order = held_money()
    order = lived(order, hold, wanted=WantedHold(handle="mine", blocks=("capture",)))
    (mine,) = order.holds
    order = replace(order, holds=(replace(mine, handle="awaiting-payment"),))
    order = edited(order, add=[cap(order)])
    (held,) = order.open_holds
    assert (held.blocks, order.order.hold_shipment) == (["capture", "shipment"], True)


def test_a_payment_over_what_is_due_lets_the_goods_go():
    order = held_money()
    order = edited(order, add=[cap(order)])
    order = lived(order, pay, wanted=WantedPayment(gateway="manual"))
    assert (order.order.due, order.order.hold_shipment, order.open_holds) == (0, False, [])
    other = held_money()
    other = edited(other, add=[cap(other)])
    other = heard(lived(other, pay, wanted=WantedPayment(gateway="sandbox")))
    assert (other.order.due, other.order.hold_shipment) == (0, False)


def test_goods_may_leave_unpaid_where_that_is_wanted():
    order = held_money()
    order = edited(order, add=[cap(order)], hold_until_paid=False)
    assert (order.order.due, order.open_holds) == (600, [])


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
def test_what_was_released_meanwhile_is_due_again(gateway):
    """Down, taken, the rest released; up again: nothing holds the money any more."""
    order = held_money(gateway)
    order = edited(order, lines=[units(order, 0, 1)])
    order = lived(order, capture)
    while waiting(order):
        order = heard(order)
    assert (order.order.captured, order.order.voided, order.order.due) == (3750, 1250, 0)
    order = edited(order, add=[cap(order)])
    assert (order.order.due, order.order.owed, len(order.open_holds)) == (600, 600, 1)
    order = edited(order, shipping_total=800)
    assert order.order.due == 900
    order = edited(order, lines=[units(order, 2, 0)])
    assert (order.order.due, order.order.owed) == (300, 300)
    order = lived(order, pay, wanted=WantedPayment(gateway="manual", flow="payment"))
    assert (order.order.due, order.order.owed, order.open_holds) == (0, 0, [])
    lawful(order)


def test_what_was_given_back_meanwhile_is_due_again():
    order = paid("manual")
    order = edited(order, lines=[units(order, 0, 1)])
    assert (order.order.refunded, order.order.due) == (1250, 0)
    order = edited(order, add=[cap(order, 1)])
    assert order.order.due == 600
    order = lived(order, pay, wanted=WantedPayment(gateway="manual"))
    order = lived(order, capture)
    assert (order.order.captured, order.order.refundable, order.order.due) == (5600, 4350, 0)
    order = edited(order, lines=[units(order, 2, 0)])
    assert [one.amount for one in order.refunds] == [1250, 600]


def test_a_favour_or_a_release_of_the_merchants_own_is_not_asked_for_again():
    order = lived(paid("manual"), refund, **back(amount=2000))
    order = edited(order, add=[cap(order)])
    assert order.order.due == 600
    order = lived(held_money("manual"), void, amount=1000)
    order = edited(order, add=[cap(order)])
    assert order.order.due == 600


# --------------------------------------------------------------------------- taken too much: back


def test_what_was_taken_too_much_goes_back_under_the_edits_own_name():
    order = paid("manual")
    change = edits(order, lines=[units(order, 0, 1)], note="Too many")
    assert types(change) == ["order.edited", "refund.requested", "refund.succeeded"]
    order = later(change.after)
    lawful(order)
    (promise,) = order.refunds
    assert (promise.reference, promise.amount, promise.status) == (
        f"edit-{change.result.id}", 1250, "COMPLETED")
    assert [(part.bag_id, part.amount) for part in promise.allocations] == [
        (order.bags[0].id, 1250)]
    assert (order.order.refunded, order.order.owed, order.order.due) == (1250, 0, 0)
    assert (order.items[0].quantity_refunded, order.items[0].quantity_canceled) == (0, 1)


def test_the_worker_sends_what_a_provider_gives_back():
    order = paid("sandbox")
    change = edits(order, lines=[units(order, 0, 1)])
    (row,) = waiting(change.after)
    assert (row.type, row.amount, row.lease_token, row.due_at is not None) == (
        "REFUND", 1250, None, True)
    order = heard(later(change.after))
    assert order.refunds[0].status == "COMPLETED"
    lawful(order)


def test_taken_in_part_it_is_captured_less_first():
    order = heard(lived(held_money(), capture, amount=4000))
    order = edited(order, lines=[units(order, 0, 1)])
    assert moved(order, "REFUND") == [("PENDING", 250)]
    assert moved(order, "VOID") == [("PENDING", 1000)]
    order = heard(heard(order))
    assert (order.order.captured, order.order.refunded, order.order.open) == (4000, 250, 0)
    lawful(order)


def test_above_the_limit_a_second_person_decides():
    order = paid("manual")
    change = edits(order, asked=by(limited(1000)), lines=[units(order, 0, 1)])
    assert change.result.after.total == 3750, "the edit itself is done"
    (promise,) = change.after.refunds
    assert (promise.status, change.after.order.refund_pending) == ("AWAITING_APPROVAL", 1250)
    assert kinds(change.inserts["tasks"]) == ["refund_approval"]
    lawful(later(change.after))


def test_money_goes_back_only_where_it_is_wanted_and_allowed():
    order = paid("manual")
    less = {"lines": [units(order, 0, 1)]}
    found = refuses(order, "invalid_state", refund_difference=False, **less)
    assert (found.facts["give_back"], "12.50 EUR" in found.detail) == (1250, True)
    assert refuses(order, "permission_denied", asked=may("orders.edit"), **less)
    open_money = held_money()
    edited(open_money, asked=may("orders.edit"), refund_difference=False,
           lines=[units(open_money, 0, 1)])


def test_units_that_were_given_back_before_are_not_given_back_again():
    order = paid("manual")
    order = lived(order, refund, **back(lines=[line(order, 0, 1)]))
    order = edited(order, lines=[units(order, 0, 1)])
    assert [one.amount for one in order.refunds] == [1250], "that unit was given back already"
    order = edited(order, lines=[units(order, 1, 0)])
    assert [one.amount for one in order.refunds] == [1250, 2000], "the other line was not"
    other = paid("manual")
    other = lived(other, refund, **back(lines=[line(other, 0, 2)]))
    other = edited(other, lines=[units(other, 1, 0)])
    assert [one.amount for one in other.refunds] == [2500, 2000]


def test_a_favour_stays_a_favour():
    order = lived(paid("manual"), refund, wanted=WantedRefund(reference="F", amount=1000))
    order = edited(order, lines=[units(order, 0, 1)])
    assert [one.amount for one in order.refunds] == [1000, 1250]
    assert order.order.refundable == 2750


def test_shipping_that_went_back_as_such_is_not_given_back_again():
    order = paid()
    first = order.bags[0].id
    order = lived(order, refund, **back(shipping_amount=300, bag_id=None))
    order = edited(order, shipping={first: 400})
    assert order.order.refunded == 300, "that was given back already"
    order = edited(order, shipping={first: 0})
    assert order.order.refunded == 500
    order = edited(order, shipping={first: 500})
    assert order.order.due == 200, "the 300 were a favour"
    order = lived(order, pay, wanted=WantedPayment(gateway="manual", flow="payment"))
    order = edited(order, shipping={first: 0})
    assert (order.order.captured, order.order.refunded) == (5200, 700)


def test_while_a_capture_is_on_its_way_the_order_is_not_made_worth_less():
    order = lived(held_money(), capture)
    found = refuses(order, "invalid_state", lines=[units(order, 0, 1)])
    assert found.facts["capture_pending"] == 5000
    edited(order, add=[cap(order)])
    part = lived(held_money(), capture, amount=1000)
    edited(part, lines=[units(part, 0, 1)])


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
def test_an_edit_to_nothing_owed_releases_what_is_open_at_once(gateway):
    order = lived(held_money(gateway), capture, amount=3750)
    order = heard(order) if gateway == "sandbox" else order
    order = edited(order, lines=[units(order, 0, 1)])
    status = "PENDING" if gateway == "sandbox" else "SUCCEEDED"
    assert moved(order, "VOID") == [(status, 1250)]


def test_what_one_bag_needs_less_another_may_need_more_and_nothing_is_due():
    order = held_money()
    order = edited(order, lines=[units(order, 0, 1)], add=[cap(order, 1)])
    assert (order.order.due, [bag.due for bag in order.bags]) == (0, [0, 600])
    assert order.open_holds == []
    found = refused(order, pay, wanted=WantedPayment(gateway="manual"))
    assert (found.code, found.facts["due"]) == ("invalid_state", 0)
    taken = heard(lived(order, capture))
    assert taken.order.captured == 4350
    assert [bag.captured for bag in taken.bags] == [1750 + 600, 2000], "all that the second has"


def test_a_person_is_called_where_the_provider_refuses_to_give_it_back():
    order = paid("sandbox")
    order = edited(order, lines=[units(order, 0, 1)])
    change = told(order, Outcome.DECLINED)
    assert change.after.refunds[0].status == "FAILED"
    assert kinds(change.inserts["tasks"]) == ["refund_failed"]
