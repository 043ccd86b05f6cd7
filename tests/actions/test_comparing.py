"""Sync Payments without a provider: statements by hand, also of totals alone. [rulings 26]"""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from counterfoil.actions.capture import capture
from counterfoil.actions.compare import LAG
from counterfoil.actions.refund import refund
from counterfoil.actions.sync import Synced, sync
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Movement, Outcome, Statement
from counterfoil.order.refund import WantedRefund
from tests.actions.laws import assert_lawful
from tests.actions.living import act, heard, lived, types, waiting
from tests.actions.making import NOON, folder, later

SECTIONS = ("tasks", "drift_lines", "cancellations", "transactions", "refunds")


def opened(folder: Folder) -> Folder:
    """The folder with every section that sync opens, as far as it has none of it yet."""
    empty = {name: () for name in (*SECTIONS, "shipments", "holds", "notes") if not folder.opened(
        name)}
    return msgspec.structs.replace(folder, **empty)


def held_money() -> Folder:
    """An order whose 5,000 the gateway holds."""
    return heard(opened(folder("sandbox")))


def statement(folder: Folder, *movements: Movement, **more: Any) -> Statement:
    """What the provider would say if it agreed with us, and then some."""
    (payment,) = folder.payments
    told = {
        "payment_reference": payment.provider_reference or "p-1", "currency": payment.currency,
        "authorized": payment.authorized, "captured": payment.captured, "voided": payment.voided,
        "expired": payment.expired, "refunded": payment.refunded,
        "movements": [*(moved(row) for row in folder.transactions if row.status == "SUCCEEDED"),
                      *movements],
    }
    return Statement(**{**told, **more})


def moved(row: Any, **more: Any) -> Movement:
    told = {"kind": row.type, "amount": row.amount, "our_reference": row.id, "at": row.created_at,
            "gateway_transaction_id": row.gateway_transaction_id or f"g-{row.id}"}
    return Movement(**{**told, **more})


def there(kind: str, amount: int, number: int = 1, **more: Any) -> Movement:
    """Something that the provider did without us."""
    told = {"kind": kind, "amount": amount, "gateway_transaction_id": f"op-{kind}-{number}",
            "our_reference": None, "at": NOON}
    return Movement(**{**told, **more})


def compared(folder: Folder, told: Statement) -> Change:
    (payment,) = folder.payments
    return act(opened(folder), sync, payment_id=payment.id, statement=told)


def result(change: Change) -> Synced:
    found: Synced = change.result
    return found


def totals(folder: Folder, **more: int) -> Statement:
    """The same without any movement."""
    return statement(folder, movements=[], itemised=False, **more)


def old(folder: Folder) -> Folder:
    """The folder a day later: nothing of it may be on its way any more."""
    return later(folder, 86_400)


def test_agreement_is_nothing():
    folder = old(held_money())
    for told in (statement(folder), totals(folder)):
        assert compared(folder, told).nothing


@pytest.mark.parametrize("itemised", [True, False])
def test_what_is_missing_is_added_once(itemised):
    folder = old(held_money())
    if itemised:
        told = statement(folder, there("CAPTURE", 3000), there("REFUND", 1000),
                         there("VOID", 500), captured=3000, refunded=1000, voided=500)
    else:
        told = totals(folder, captured=3000, refunded=1000, voided=500)
    change = compared(folder, told)
    assert result(change).found == 3
    assert "payment.synced" in types(change)
    after = later(change.after)
    assert_lawful(after)
    assert (after.order.captured, after.order.refunded, after.order.voided) == (3000, 1000, 500)
    assert [row.source for row in after.transactions[1:]] == ["sync"] * 3
    assert compared(after, told).nothing


def test_totals_wait_until_nothing_is_unsettled():
    folder = lived(held_money(), capture, amount=2000)
    told = totals(folder, captured=2000)
    assert compared(folder, told).nothing
    assert result(compared(folder, told)).waiting
    settled = heard(folder)
    assert compared(settled, told).nothing
    assert settled.order.captured == 2000


def test_what_was_booked_a_moment_ago_may_be_missing_there():
    folder = heard(lived(held_money(), capture, amount=2000))
    before = totals(folder, captured=0)
    assert compared(folder, before).nothing
    late = later(folder, int(LAG / timedelta(seconds=1)))
    change = compared(late, before)
    assert result(change).differs
    assert [(line.ours, line.theirs) for line in change.after.drift_lines] == [(2000, 0)]


def test_a_movement_that_only_we_have_is_told():
    folder = old(heard(lived(held_money(), capture, amount=2000)))
    told = statement(folder, captured=0)
    told = msgspec.structs.replace(told, movements=told.movements[:1])
    change = compared(folder, told)
    (line,) = change.after.drift_lines
    assert (line.kind, line.ours, line.theirs) == ("missing_there", 2000, 0)
    assert line.transaction_id == change.after.transactions[1].id
    assert types(change) == ["payment.attention"]
    assert compared(later(change.after), told).nothing, "it is told once"
    # It turns up after all: nobody is needed any more.
    again = compared(later(change.after), statement(folder))
    assert again.after.payments[0].attention is None
    assert [task.status for task in again.after.tasks] == ["DONE"]
    assert [line.status for line in again.after.drift_lines] == ["RESOLVED"]
    assert types(again) == ["payment.synced"]
    assert compared(later(again.after), statement(folder)).nothing


def test_another_currency_is_never_booked():
    folder = old(held_money())
    told = statement(folder, there("CAPTURE", 3000), currency="SEK", captured=3000)
    change = compared(folder, told)
    assert [line.kind for line in change.after.drift_lines] == ["currency_differs"]
    assert change.after.order.captured == 0


def test_another_amount_is_left_to_a_person():
    folder = later(lived(held_money(), capture, amount=2000))
    (row,) = waiting(folder)
    told = statement(folder, moved(row, amount=1999), captured=1999)
    change = compared(folder, told)
    assert result(change).differs
    assert [(line.kind, line.ours, line.theirs) for line in change.after.drift_lines] == [
        ("amount_differs", 2000, 1999)]
    assert waiting(change.after), "it stays reserved"


def test_beyond_our_limits_nothing_is_booked_and_what_fits_is():
    folder = old(held_money())
    told = statement(folder, there("CAPTURE", 4000), there("CAPTURE", 4000, 2), captured=8000)
    change = compared(folder, told)
    assert (result(change).found, result(change).differs) == (1, True)
    assert change.after.order.captured == 4000
    (line,) = change.after.drift_lines
    assert (line.kind, line.ours, line.theirs) == ("beyond_our_limits", 1000, 4000)
    assert_lawful(later(change.after))


def test_a_decision_is_not_asked_for_again():
    folder = old(held_money())
    told = statement(folder, there("CAPTURE", 6000), captured=6000)
    first = later(compared(folder, told).after)
    (payment,) = first.payments
    (line,) = first.drift_lines
    decided = msgspec.structs.replace(
        first,
        payments=(msgspec.structs.replace(payment, attention=None),),
        drift_lines=(msgspec.structs.replace(line, status="RESOLVED"),),
    )
    assert compared(decided, told).nothing


def test_a_statement_about_another_payment_proves_nothing():
    folder = old(held_money())
    told = statement(folder, there("CAPTURE", 3000), captured=3000, payment_reference="p-2")
    assert compared(folder, told).nothing


def test_one_that_failed_there_is_settled_so():
    folder = lived(held_money(), capture, amount=2000)
    (row,) = waiting(folder)
    change = compared(folder, statement(folder, moved(row, status="failed")))
    assert [row.status for row in change.after.transactions] == ["SUCCEEDED", "FAILED"]
    assert change.after.order.open == 5000


def test_what_is_pending_there_is_left_alone():
    folder = old(heard(lived(held_money(), capture)))
    wanted = WantedRefund(reference="R-1", amount=1000)
    folder = lived(opened(folder), refund, wanted=wanted)
    (row,) = waiting(folder)
    told = statement(folder, moved(row, status="pending"), refunded=1000)
    assert compared(folder, told).nothing
    assert heard(folder, Outcome.DECLINED).order.refunded == 0


def test_a_capture_that_we_gave_up_and_that_happened_comes_in():
    folder = old(heard(lived(held_money(), capture, amount=2000), Outcome.DECLINED))
    (row,) = (one for one in folder.transactions if one.status == "FAILED")
    told = statement(folder, moved(row, status="succeeded"), captured=2000)
    change = compared(folder, told)
    assert result(change).found == 1
    assert change.after.order.captured == 2000
    assert compared(later(change.after), told).nothing
