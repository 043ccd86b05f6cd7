"""What a person is called to, what they may decide, and what ends by itself."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.attend import attend
from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.decide_payment import decide_payment
from counterfoil.actions.expire import expire
from counterfoil.actions.finish_task import finish_task
from counterfoil.actions.pay import pay
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.void import void
from counterfoil.order.change import Lease
from counterfoil.order.gateway import Outcome
from counterfoil.order.intake import WantedPayment
from counterfoil.order.telling import tell_order
from tests.actions.laws import assert_lawful
from tests.actions.living import (
    act,
    by,
    heard,
    held_money,
    lived,
    may,
    refused,
    told,
    types,
    waiting,
)
from tests.actions.making import ADMIN, folder, later

DAY_S = 24 * 3600
LIMITED = by(msgspec.structs.replace(ADMIN, merchants=frozenset({"acme"})))
BOTH = ("payments.sync", "payments.capture")


def unknown(order, action=capture, **more):
    """The order with a movement that nobody knows the end of."""
    return heard(lived(order, action, **more), Outcome.UNKNOWN)


def called(order, reason="outcome_unknown", theirs=None):
    """A person is called to the movement that waits."""
    (row,) = waiting(order)
    return lived(order, attend, payment_id=row.payment_id, reason=reason, theirs=theirs,
                 lease=Lease("transactions", row.id, "mine"))


def decides(order, decision, **more):
    return act(order, decide_payment, payment_id=order.payments[0].id, decision=decision, **more)


# ----------------------------------------------------------------------------------------- calling


def test_a_person_is_called_by_a_task_and_a_line_where_amounts_differ():
    order = called(unknown(held_money()), "provider_differs", theirs=4000)
    (task,), (line,), payment = order.tasks, order.drift_lines, order.payments[0]
    assert (task.kind, task.payment_id, task.context["theirs"]) == (
        "payment_attention", payment.id, 4000)
    assert (line.kind, line.ours, line.theirs, line.gateway) == (
        "amount_differs", 5000, 4000, "sandbox")
    shape = tell_order(order, ADMIN)
    assert shape.attention[0] == "payment_attention"
    assert [one.action for one in shape.payments[0].allowed_actions] == ["decide"]
    assert called(unknown(held_money())).drift_lines == ()


def test_nobody_is_needed_once_it_has_settled_by_itself():
    order = heard(called(unknown(held_money()), "provider_differs", theirs=4000))
    assert order.payments[0].attention is None
    assert [task.status for task in order.tasks] == ["DONE"]
    assert [line.status for line in order.drift_lines] == ["RESOLVED"]
    assert_lawful(order)


# ---------------------------------------------------------------------------------------- deciding


@pytest.mark.parametrize(
    ("decision", "captured", "open_", "facts"),
    [
        ("happened", 5000, 0, ["payment.captured", "order.state_changed", "payment.attended"]),
        ("did_not_happen", 0, 5000, ["payment.failed", "payment.attended"]),
        ("take_theirs", 4000, 1000, [
            "payment.failed", "payment.captured", "order.state_changed", "payment.attended"]),
        ("keep_ours", 0, 0, ["payment.attended"]),
    ],
)
def test_what_a_person_may_decide_about_a_capture(decision, captured, open_, facts):
    order = called(unknown(held_money()), "provider_differs", theirs=4000)
    change = decides(order, decision, note="Seen in the console.")
    assert types(change) == facts
    assert change.facts[-1].actor["name"] == "Anna Berg"
    assert "console" not in str(msgspec.to_builtins(change.facts)), "the note is not in facts"
    order = later(change.after)
    assert (order.order.captured, order.order.open) == (captured, open_)
    assert order.payments[0].attention is None
    assert [(task.status, task.note) for task in order.tasks] == [
        ("DONE", "Seen in the console.")]
    assert [line.status for line in order.drift_lines] == ["RESOLVED"]
    assert sum(entry.amount for entry in change.ledger() if entry.kind == "captured") == captured
    assert_lawful(order)
    if decision == "keep_ours":
        (row,) = waiting(order)
        assert (row.status, row.due_at) == ("UNKNOWN", change.after.at), "it is asked about at once"


def test_the_providers_amount_moves_instead_of_ours():
    change = decides(called(unknown(held_money()), "provider_differs", theirs=4000), "take_theirs")
    ours, theirs = [row for row in change.after.transactions if row.type == "CAPTURE"]
    assert (ours.status, ours.error_code, ours.amount) == ("FAILED", "amount_differs", 5000)
    assert (theirs.status, theirs.source, theirs.amount) == ("SUCCEEDED", "sync", 4000)
    assert theirs.actor["name"] == "Anna Berg"
    assert theirs.idempotency_key is None


@pytest.mark.parametrize(
    ("action", "more", "theirs"), [(capture, {}, 5001), (void, {"amount": 100}, 5001)])
def test_more_than_there_is_cannot_be_taken(action, more, theirs):
    order = called(unknown(held_money(), action, **more), "provider_differs", theirs=theirs)
    why = refused(order, decide_payment, payment_id=order.payments[0].id, decision="take_theirs")
    assert (why.code, why.facts["most"]) == ("amount_invalid", 5000)


def test_a_refund_of_another_amount():
    order = heard(lived(held_money(), capture))
    order = unknown(order, refund, wanted=WantedRefund(reference="R-1", amount=700))
    order = called(order, "provider_differs", theirs=600)
    order = later(decides(order, "take_theirs").after)
    first, second = order.refunds
    assert (first.status, first.reference) == ("FAILED", "R-1")
    assert (second.status, second.amount) == ("EXTERNAL", 600)
    assert order.order.refunded == 600
    assert order.order.refund_pending == 0


def test_an_authorisation_of_another_amount():
    order = heard(lived(folder(None), pay, wanted=WantedPayment(gateway="sandbox")),
                  Outcome.UNKNOWN)
    order = called(order, "provider_differs", theirs=3000)
    order = later(decides(order, "take_theirs").after)
    assert (order.payments[0].status, order.order.open, order.order.due) == (
        "AUTHORIZED", 3000, 2000)
    assert_lawful(order)


def test_an_authorisation_that_a_person_found():
    order = heard(lived(folder(None), pay, wanted=WantedPayment(gateway="sandbox")),
                  Outcome.UNKNOWN)
    order = called(order)
    assert later(decides(order, "happened").after).order.open == 5000
    lost = later(decides(order, "did_not_happen").after)
    assert (lost.payments[0].status, lost.order.due) == ("DECLINED", 5000)


def test_a_decision_goes_on_with_a_cancellation():
    order = unknown(held_money(), capture, amount=1000)
    order = called(order, "provider_differs", theirs=900)
    order = msgspec.structs.replace(order, payments=tuple(
        msgspec.structs.replace(p, attention=None) for p in order.payments))
    order = lived(order, cancel, wanted=WantedCancel())
    order = heard(order, which=1)  # the release; the capture is still unknown
    row = next(row for row in waiting(order))
    attention = {"reason": "provider_differs", "transaction_id": row.id, "theirs": 900}
    order = msgspec.structs.replace(order, payments=tuple(
        msgspec.structs.replace(p, attention=attention) for p in order.payments))
    assert refused(order, decide_payment, payment_id=order.payments[0].id,
                   decision="take_theirs").code == "invalid_state"
    order = later(decides(order, "did_not_happen").after)
    order = heard(order)  # what the capture had reserved is released as well
    assert order.order.system_state == "CANCELED"
    assert_lawful(order)


def test_the_reasons_not_to_decide_in_their_order():
    plain = held_money()
    order = called(unknown(held_money()))
    nothing = msgspec.structs.replace(plain, payments=(msgspec.structs.replace(
        plain.payments[0], attention={"reason": "provider_differs", "transaction_id": None}),))
    steps: list[tuple[Any, dict[str, Any], str]] = [
        (plain, {"asked": may("payments.sync"), "payment_id": "x"}, "permission_denied"),
        (plain, {"asked": may("payments.capture"), "payment_id": "x"}, "permission_denied"),
        (plain, {"asked": LIMITED, "payment_id": "x"}, "merchant_limited"),
        (plain, {"payment_id": "x"}, "not_found"),
        (plain, {}, "invalid_state"),
        (nothing, {}, "invalid_state"),
        (order, {"decision": "take_theirs"}, "invalid_state"),
    ]
    for stage, more, code in steps:
        wanted = {"payment_id": stage.payments[0].id, "decision": "happened", **more}
        assert refused(stage, decide_payment, **wanted).code == code
    assert later(decides(nothing, "keep_ours").after).payments[0].attention is None
    assert decides(order, "happened", asked=may(*BOTH)).result


# ------------------------------------------------------------------------------------------- tasks


def test_a_task_is_ended_by_whoever_may_move_money():
    order = later(held_money(), 7 * DAY_S)
    order = lived(order, expire, payment_id=order.payments[0].id, lease="mine")
    (task,) = order.tasks
    assert refused(order, finish_task, task_id=task.id, asked=may("orders.edit")).code == (
        "permission_denied")
    assert refused(order, finish_task, task_id=task.id, asked=LIMITED).code == "merchant_limited"
    assert refused(order, finish_task, task_id="x").code == "not_found"
    change = act(order, finish_task, task_id=task.id, note="Paid in cash.",
                 asked=may("payments.refund"))
    assert types(change) == ["task.done"]
    assert "cash" not in str(msgspec.to_builtins(change.facts))
    done = later(change.after)
    assert done.tasks[0].note == "Paid in cash."
    assert done.tasks[0].done_by == ADMIN.told()
    assert act(done, finish_task, task_id=task.id).nothing


def test_a_task_of_a_closed_payment_is_ended_by_the_decision():
    order = called(unknown(held_money()))
    why = refused(order, finish_task, task_id=order.tasks[0].id)
    assert (why.code, "/decide" in why.detail) == ("invalid_state", True)


# -------------------------------------------------------------------------------------- expiration


def tended(order, seconds):
    order = later(order, seconds)
    return act(order, expire, payment_id=order.payments[0].id, lease="mine")


def test_that_a_hold_ends_is_told_a_day_before_and_once():
    order = held_money()
    expires = order.payments[0].expires_at
    assert expires is not None
    due = expires - timedelta(days=1)
    assert order.payments[0].due_at == due
    assert tended(order, 6 * DAY_S - 120).nothing
    change = tended(order, 6 * DAY_S)
    assert types(change) == ["payment.expiring"]
    assert change.facts[0].data["open"] == 5000
    assert DAY_S - 300 <= change.facts[0].data["seconds_left"] <= DAY_S
    warned = later(change.after)
    assert warned.payments[0].due_at == expires
    assert tended(warned, 60).nothing
    assert types(tended(warned, DAY_S)) == ["payment.expired"]


def test_a_short_hold_is_told_of_after_two_thirds():
    order = lived(folder(None), pay, wanted=WantedPayment(gateway="sandbox"))
    (row,) = waiting(order)
    short = msgspec.structs.replace(order.store, auth_hold_seconds=900)
    change = told(msgspec.structs.replace(order, store=short))
    payment = change.after.payments[0]
    assert payment.authorized_at is not None
    assert payment.due_at == payment.authorized_at + timedelta(seconds=600)
    assert row.payment_id == payment.id


def test_what_is_acknowledged_or_gone_is_not_told_of():
    kept = heard(lived(held_money(), acknowledge))
    assert tended(kept, 6 * DAY_S).nothing
    assert tended(heard(lived(held_money(), capture)), 6 * DAY_S).nothing


def test_what_expires_while_the_order_ends_asks_nobody():
    order = later(held_money(), 7 * DAY_S)
    order = msgspec.structs.replace(
        order, order=msgspec.structs.replace(order.order, system_state="CANCEL_REQUESTED"))
    change = act(order, expire, payment_id=order.payments[0].id, lease="mine")
    assert types(change) == ["payment.expired"]
    assert "tasks" not in change.inserts


# ----------------------------------------------------------------------------------- acknowledging


def test_every_hold_that_would_end_is_kept():
    order = heard(lived(folder(None), pay, wanted=WantedPayment(gateway="sandbox", amount=3000)))
    order = heard(lived(order, pay, wanted=WantedPayment(gateway="sandbox", amount=1500)))
    order = lived(order, pay, wanted=WantedPayment(gateway="manual"))
    change = act(order, acknowledge)
    assert types(change) == [*["payment.acknowledge_requested"] * 2, "payment.acknowledged"]
    assert change.result.status == "PENDING"
    kept = heard(heard(later(change.after)))
    assert all(p.acknowledged_at and p.expires_at is None for p in kept.payments)
    assert act(kept, acknowledge).nothing
    assert_lawful(kept)


def test_what_has_ended_already_does_not_keep_the_others_from_being_kept():
    order = heard(lived(folder(None), pay, wanted=WantedPayment(gateway="sandbox", amount=3000)))
    order = later(order, 7 * DAY_S)
    assert refused(order, acknowledge).code == "authorization_expired"
    order = heard(lived(order, pay, wanted=WantedPayment(gateway="sandbox")))
    order = heard(lived(order, acknowledge))
    assert [bool(p.acknowledged_at) for p in order.payments] == [False, True]
