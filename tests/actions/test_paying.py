"""Payments after the first: what may be paid, how it waits for the shopper, what a renewal does."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.expire import expire
from counterfoil.actions.pay import due_by_bag, pay
from counterfoil.actions.renew import renew
from counterfoil.actions.settle import settle
from counterfoil.actions.void import void
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import PENDING, Answer, Outcome
from counterfoil.order.intake import WantedPayment
from counterfoil.order.payment import GatewayOfPayment
from tests.actions.laws import assert_lawful
from tests.actions.living import act, by, heard, held_money, lived, may, refused, types, waiting
from tests.actions.making import ADMIN, GATEWAYS, folder, later

WEEK_S = 7 * 24 * 3600
PAGE = "https://pay.example/p-9"
LIMITED = by(msgspec.structs.replace(ADMIN, merchants=frozenset({"acme"})))


def pays(order, amount=None, gateway="sandbox", **more):
    return lived(order, pay, wanted=WantedPayment(gateway=gateway, amount=amount, **more))


def refuses(order, code, *, asked=None, **wanted):
    given = {"asked": asked} if asked else {}
    found = refused(order, pay, wanted=WantedPayment(**{"gateway": "sandbox", **wanted}), **given)
    assert found.code == code
    return found


def answered(order, answer, *, which=0, asking=False):
    row = waiting(order)[which]
    return act(order, settle, transaction_id=row.id, answer=answer, lease="x", asking=asking)


def hears(order, *, which=0, **told):
    return later(answered(order, Answer(**told), which=which).after)


# ------------------------------------------------------------------------------------------ paying


def test_what_is_due_is_paid_by_several_payments_and_shared_among_the_bags():
    order = folder(None)
    order = pays(order, 2000, gateway="manual")
    assert [p.status for p in order.payments] == ["AUTHORIZED"]
    assert [bag.authorized for bag in order.bags] == [1200, 800]
    order = pays(order, gateway="manual", flow="payment")
    assert [(p.position, p.status, p.amount) for p in order.payments] == [
        (1, "AUTHORIZED", 2000), (2, "CAPTURED", 3000)]
    assert order.order.due == 0
    assert_lawful(order)
    assert refuses(order, "invalid_state").facts["due"] == 0


def test_payments_that_are_on_their_way_count():
    order = pays(folder(None), 3000)
    assert types(act(order, pay, wanted=WantedPayment(gateway="sandbox"))) == [
        "payment.authorize_requested"]
    assert refuses(order, "amount_invalid", amount=2001).facts["due"] == 2000
    order = pays(order)
    assert order.payments[1].amount == 2000
    refuses(order, "invalid_state")
    order = heard(heard(order, Outcome.DECLINED), Outcome.UNKNOWN)
    assert [p.status for p in order.payments] == ["DECLINED", "CREATED"]
    assert pays(order).payments[2].amount == 3000
    assert_lawful(order)


def test_the_reasons_to_refuse_in_their_order():
    order = folder(None)
    canceled = lived(order, cancel, wanted=WantedCancel())
    steps = [
        (canceled, {"asked": may("orders.read"), "gateway": "nope"}, "permission_denied"),
        (canceled, {"asked": LIMITED, "gateway": "nope"}, "merchant_limited"),
        (canceled, {"gateway": "nope"}, "invalid_state"),
        (folder(), {"gateway": "nope", "amount": 0}, "unknown_reference"),
        (folder(), {"gateway": None, "amount": 0}, "unknown_reference"),
        (folder(), {"amount": 0}, "invalid_state"),
        (order, {"amount": 0}, "amount_invalid"),
        (order, {"amount": 5001}, "amount_invalid"),
    ]
    for stage, wanted, code in steps:
        refuses(stage, code, **wanted)
    change = act(order, pay, asked=may("orders.edit"), wanted=WantedPayment(gateway="manual"))
    assert types(change) == ["payment.authorized"]


def test_the_default_gateway_takes_what_names_none():
    order = folder(None)
    own = msgspec.structs.replace(order.store, default_gateway="manual")
    order = msgspec.structs.replace(order, store=own)
    assert pays(order, gateway=None).payments[0].gateway == "manual"


def test_a_checkouts_reference_is_claimed_once_for_an_order():
    order = pays(folder(None), 1000, reference="auth-1")
    assert (order.payments[0].provider_reference, order.payments[0].reference) == (
        "auth-1", "auth-1")
    refuses(order, "invalid_state", amount=1000, reference="auth-1")
    declined = heard(order, Outcome.DECLINED)
    assert pays(declined, 1000, reference="auth-1").payments[1].status == "CREATED"


@given(st.lists(st.tuples(
    st.integers(1, 5000), st.sampled_from(list(Outcome)), st.booleans()), max_size=7))
def test_whatever_comes_never_more_is_held_than_is_due(steps):
    """Amounts that fit are taken, at any time, and whatever the provider says, no bag is over."""
    order = folder(None)
    for amount, outcome, late in steps:
        left = sum(max(0, due) for due in due_by_bag(order).values())
        if amount <= left:
            order = pays(order, amount)
        else:
            refuses(order, "amount_invalid" if left else "invalid_state", amount=amount)
        if waiting(order) and not late:
            order = heard(order, outcome)
        live = [p for p in order.payments if p.status not in ("DECLINED", "ABANDONED")]
        assert sum(p.amount for p in live) <= order.order.total
        for bag in order.bags:
            assert bag.authorized <= bag.total
        assert_lawful(order)


# ------------------------------------------------------------------------------ the shopper's page


def test_a_payment_that_waits_for_the_shopper_is_neither_lost_nor_unknown():
    order = pays(folder(None), return_url="https://shop.example/back")
    change = answered(order, Answer(
        outcome=Outcome.UNKNOWN, error_code=PENDING, payment_reference="p-9", redirect_url=PAGE))
    assert types(change) == ["payment.action_required"]
    assert PAGE not in str(msgspec.to_builtins(change.facts)), "facts do not tell the address"
    order = later(change.after)
    (row,), (payment,) = waiting(order), order.payments
    assert (row.status, row.due_at) == ("PENDING", change.after.at + timedelta(seconds=30))
    assert (payment.status, payment.provider_reference, payment.redirect_url) == (
        "CREATED", "p-9", PAGE)
    assert order.order.financial_status == "PENDING"
    assert order.order.unknown_pending == 0
    again = Answer(outcome=Outcome.UNKNOWN, error_code=PENDING)
    assert answered(order, again, asking=True).nothing
    done = hears(order, outcome=Outcome.SUCCEEDED, payment_reference="p-9")
    assert (done.payments[0].status, done.payments[0].redirect_url) == ("AUTHORIZED", None)
    assert_lawful(done)


@pytest.mark.parametrize(
    ("code", "status"),
    [("abandoned", "ABANDONED"), ("expired", "ABANDONED"), ("declined", "DECLINED"),
     (None, "DECLINED")],
)
def test_how_it_ended_without_the_shoppers_money(code, status):
    order = hears(pays(folder(None)), outcome=Outcome.UNKNOWN, error_code=PENDING,
                  redirect_url=PAGE)
    order = hears(order, outcome=Outcome.DECLINED, error_code=code)
    assert (order.payments[0].status, order.payments[0].redirect_url) == (status, None)
    assert (order.order.system_state, order.order.financial_status) == ("NEW", "UNPAID")
    assert order.order.due == 5000
    assert_lawful(order)


def test_the_page_of_a_lost_answer_is_found_by_asking():
    order = hears(pays(folder(None)), outcome=Outcome.UNKNOWN, error_code="timeout")
    assert waiting(order)[0].status == "UNKNOWN"
    change = answered(order, Answer(
        outcome=Outcome.UNKNOWN, error_code=PENDING, redirect_url=PAGE), asking=True)
    assert types(change) == ["payment.action_required"]
    order = hears(later(change.after), outcome=Outcome.SUCCEEDED)
    assert order.order.unknown_pending == 0
    assert_lawful(order)


def test_pending_without_a_page_is_not_known():
    order = hears(pays(folder(None)), outcome=Outcome.UNKNOWN, error_code=PENDING)
    assert waiting(order)[0].status == "UNKNOWN"


def test_the_providers_word_on_its_hold_and_its_fee_is_kept():
    order = pays(folder(None), 2000)
    ends = order.at + timedelta(hours=3)
    order = hears(order, outcome=Outcome.SUCCEEDED, expires_at=ends, fee=9)
    payment = order.payments[0]
    assert payment.expires_at == ends
    assert payment.due_at == ends - (ends - payment.authorized_at) / 3
    assert [row.fee for row in order.transactions] == [None], "a hold costs nothing yet"
    paying = pays(order, 1000, flow="payment")
    change = answered(paying, Answer(outcome=Outcome.SUCCEEDED, fee=9))
    assert [(row.type, row.fee) for row in change.after.transactions if row.amount == 1000] == [
        ("AUTHORIZE", None), ("CAPTURE", 9)]
    assert [e.amount for e in change.ledger() if e.kind == "fee"] == [9]
    taking = lived(order, capture)
    change = answered(taking, Answer(outcome=Outcome.SUCCEEDED, fee=31))
    assert [e.amount for e in change.ledger() if e.kind == "fee"] == [31]


# ----------------------------------------------------------------------------------------- renewal


def through(order, **settings):
    """The order, as if its gateway could do this only."""
    narrowed = GatewayOfPayment(code="sandbox", kind="sandbox", settings=settings)
    others = [gateway for gateway in GATEWAYS if gateway.code != "sandbox"]
    return msgspec.structs.replace(order, gateways=(narrowed, *others))


def renews(order, **more):
    return lived(order, renew, payment_id=order.payments[0].id, **more)


def test_a_newer_hold_takes_the_place_of_an_open_one():
    order = renews(lived_capture := heard(lived(held_money(), capture, amount=1000)))
    old, new = order.payments
    assert (new.renews, new.amount, new.status, new.flow) == (old.id, 4000, "CREATED", "auth")
    assert old.open == 4000, "nothing is let go of before the new hold is there"
    assert refused(order, renew, payment_id=old.id).code == "request_in_progress"
    order = heard(order)
    old, new = order.payments
    assert (old.open, old.void_pending, new.open) == (0, 4000, 4000)
    (row,) = waiting(order)
    assert (row.type, row.payment_id, row.lease_token) == ("VOID", old.id, None)
    assert row.due_at is not None and row.idempotency_key is None
    assert_lawful(order)
    order = heard(order)
    assert [p.status for p in order.payments] == ["CAPTURED", "AUTHORIZED"]
    assert order.order.system_state == lived_capture.order.system_state
    assert sum(due_by_bag(order).values()) == 0
    assert refused(order, renew, payment_id=old.id).code == "invalid_state"
    assert_lawful(order)


def run_out(order, payment=0):
    order = later(order, WEEK_S)
    return lived(order, expire, payment_id=order.payments[payment].id, lease="mine")


def test_an_expired_hold_is_due_again_and_renewed_from_a_task():
    order = run_out(held_money())
    assert (order.order.due, order.order.financial_status) == (5000, "VOIDED")
    (task,) = order.tasks
    assert (task.kind, task.status, task.context["may_reauthorise"]) == (
        "reauthorise", "OPEN", True)
    order = heard(renews(order))
    assert [p.status for p in order.payments] == ["EXPIRED", "AUTHORIZED"]
    assert order.tasks[0].status == "DONE"
    assert (order.order.due, order.order.open) == (0, 5000)
    assert_lawful(order)
    # The renewal expires as well, and is renewed in its turn.
    order = run_out(order, payment=1)
    order = heard(lived(order, renew, payment_id=order.payments[1].id))
    assert order.order.open == 5000
    assert_lawful(order)


def test_another_payment_takes_what_expired_where_the_gateway_cannot_renew():
    order = through(run_out(held_money()), reauthorize=False)
    why = refused(order, renew, payment_id=order.payments[0].id)
    assert (why.code, "/payments" in why.detail) == ("invalid_state", True)
    order = pays(order, gateway="manual")
    assert order.order.open == 5000
    assert_lawful(order)


def test_a_renewal_that_is_refused_changes_nothing():
    order = heard(renews(held_money()), Outcome.DECLINED)
    assert [(p.status, p.open) for p in order.payments] == [("AUTHORIZED", 5000), ("DECLINED", 0)]
    assert renews(order).payments[2].renews == order.payments[0].id


def test_a_renewal_beside_what_is_due_leaves_that_due():
    order = heard(pays(folder(None), 3000))
    order = heard(heard(renews(order)))
    assert sum(due_by_bag(order).values()) == 2000
    order = heard(pays(order))
    assert order.order.open == 5000
    assert_lawful(order)


def test_the_reasons_not_to_renew_in_their_order():
    order = held_money()
    marked = msgspec.structs.replace(
        order, payments=(msgspec.structs.replace(order.payments[0], attention={"reason": "x"}),))
    spent = heard(lived(order, capture))
    steps: list[tuple[Folder, dict[str, Any], str]] = [
        (order, {"asked": may("orders.edit"), "payment_id": "x"}, "permission_denied"),
        (order, {"asked": LIMITED, "payment_id": "x"}, "merchant_limited"),
        (order, {"payment_id": "x"}, "not_found"),
        (marked, {}, "attention_required"),
        (folder("manual"), {}, "invalid_state"),
        (spent, {}, "invalid_state"),
    ]
    for stage, more, code in steps:
        wanted = {"payment_id": stage.payments[0].id, **more}
        assert refused(stage, renew, **wanted).code == code
    first = order.payments[0].id
    assert act(order, renew, payment_id=first).result.renews == first


# ------------------------------------------------------------------------------------ compensation


def canceled_beneath(flow):
    """An order that was cancelled by a full void while a second payment was on its way."""
    order = heard(pays(folder(None), 3000))
    order = pays(order, flow=flow)
    order = lived(order, void)
    order = heard(order, which=1)
    assert order.order.system_state == "CANCELED"
    return order


def test_a_hold_that_comes_too_late_is_released_by_itself():
    order = heard(canceled_beneath("auth"))
    (row,) = waiting(order)
    assert (row.type, row.amount, row.lease_token) == ("VOID", 2000, None)
    assert (order.order.open, order.order.void_pending) == (0, 2000)
    (task,) = order.tasks
    assert (task.kind, task.status, task.context["sent"]) == ("compensation", "OPEN", [row.id])
    order = heard(order)
    assert (order.tasks[0].status, order.order.voided) == ("DONE", 5000)
    assert_lawful(order)


def test_money_that_comes_too_late_is_refunded_by_itself():
    order = heard(canceled_beneath("payment"))
    (row,), (promise,) = waiting(order), order.refunds
    taken = next(t for t in order.transactions if t.type == "CAPTURE")
    assert (row.type, row.amount) == ("REFUND", 2000)
    assert promise.reference.startswith("late-")
    assert (promise.status, promise.amount) == ("PROCESSING", taken.amount)
    order = heard(order)
    assert (order.refunds[0].status, order.tasks[0].status) == ("COMPLETED", "DONE")
    assert order.order.financial_status == "REFUNDED"
    assert_lawful(order)


def test_a_compensation_that_is_refused_stays_a_task():
    order = heard(heard(canceled_beneath("payment")), Outcome.DECLINED)
    assert "OPEN" in {task.status for task in order.tasks if task.kind == "compensation"}


def test_a_release_of_what_was_captured_is_told_and_a_refund_proposed():
    order = lived(held_money(), void)
    change = answered(order, Answer(outcome=Outcome.DECLINED, error_code="already_captured"))
    assert types(change) == ["payment.failed"]
    assert change.facts[0].data["proposed"] == "refund"
    order = later(change.after)
    assert not waiting(order) and not order.refunds, "nothing is sent by itself"
    (task,) = order.tasks
    assert task.context["proposed"] == {"action": "refund", "amount": 5000}
    assert_lawful(order)


# ----------------------------------------------------------------------------- several at a time


@pytest.mark.parametrize("action", [capture, void])
def test_a_movement_is_one_payments(action):
    order = pays(pays(folder(None), 3000, gateway="manual"), gateway="manual")
    first, second = order.payments
    for amount in (None, 3001, 5000):
        why = refused(order, action, amount=amount)
        assert why.code == "amount_invalid"
        assert why.facts["payments"] == [
            {"payment_id": first.id, "open": 3000}, {"payment_id": second.id, "open": 2000}]
    assert act(order, action, amount=1500).result.payment_id == first.id
    assert act(order, action, amount=2000, payment_id=second.id).result.payment_id == second.id
    part = lived(order, action, amount=2500)
    assert act(part, action, amount=1800).result.payment_id == second.id
    assert act(part, action, payment_id=second.id).result.amount == 2000
    alone = lived(order, action, payment_id=second.id)
    assert act(alone, action).result.payment_id == first.id
    gone = lived(order, cancel, wanted=WantedCancel())
    assert (gone.order.system_state, gone.order.open) == ("CANCELED", 0)


def test_a_renewed_hold_that_is_not_let_go_of_is_a_task():
    order = heard(heard(renews(held_money())), Outcome.DECLINED)
    assert [p.open for p in order.payments] == [5000, 5000], "the shopper is held twice"
    (task,) = order.tasks
    assert task.context["proposed"] == {"action": "void", "amount": 5000}
    assert_lawful(order)
