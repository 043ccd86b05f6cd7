"""What each movement of money enters in the ledger."""

import msgspec

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.settle import settle
from counterfoil.actions.void import void
from counterfoil.order.gateway import Answer, Outcome
from counterfoil.order.ledger import ENTERED_BY, LedgerEntry, paid_out
from counterfoil.order.life import TRANSACTION
from counterfoil.order.payout import Payout
from counterfoil.order.transaction import Transaction
from tests.actions.living import act, held_money, told, waiting
from tests.actions.making import NOON, folder, later, placed


def lines(entries: list[LedgerEntry]) -> list[tuple[str, str, str, str | None, int]]:
    return [(e.kind, e.debit, e.credit, e.merchant, e.amount) for e in entries]


def movement(kind: str, amount: int, fee: int | None = None) -> Transaction:
    return Transaction(
        id="t", order_id="o", payment_id="p", type=kind, status="SUCCEEDED", amount=amount,
        currency="EUR", fee=fee, source="api", actor={}, created_at=NOON,
    )  # fmt: skip


def payout(amount: int, fee: int) -> Payout:
    return Payout(
        id="x", order_id="o", payment_id="p", transaction_id="t", settlement_id="s", line=2,
        amount=amount, fee=fee, currency="EUR", settled_at=NOON, created_at=NOON,
    )  # fmt: skip


def test_an_authorisation_is_a_memo():
    assert lines(placed("manual").ledger()) == [
        ("authorised", "authorised", "authorisations", None, 5000)
    ]


def test_money_taken_at_once_is_held_and_taken():
    assert lines(placed("manual", "payment").ledger()) == [
        ("authorised", "authorised", "authorisations", None, 5000),
        ("drawn", "authorisations", "authorised", None, 5000),
        ("captured", "receivable", "payable", "acme", 3000),
        ("captured", "receivable", "payable", "zeta", 2000),
    ]


def test_a_capture_is_owed_to_the_merchants_by_their_bags():
    change = act(folder(), capture, amount=1000)
    assert lines(change.ledger()) == [
        ("drawn", "authorisations", "authorised", None, 1000),
        ("captured", "receivable", "payable", "acme", 600),
        ("captured", "receivable", "payable", "zeta", 400),
    ]
    assert {entry.gateway for entry in change.ledger()} == {"manual"}
    assert {entry.sequence for entry in change.ledger()} == {change.after.order.version}


def test_a_release_is_a_memo():
    change = act(folder(), void, amount=1000)
    assert lines(change.ledger()) == [("released", "authorisations", "authorised", None, 1000)]


def test_a_cancellation_enters_both_its_amounts():
    taken = later(act(folder(), capture, amount=1000).after)
    change = act(taken, cancel, wanted=WantedCancel())
    assert lines(change.ledger()) == [
        ("released", "authorisations", "authorised", None, 4000),
        ("refunded", "refunds", "receivable", "acme", 600),
        ("refunded", "refunds", "receivable", "zeta", 400),
    ]


def test_what_is_only_asked_for_or_refused_is_not_entered():
    held = held_money()
    asked = act(held, capture)
    assert asked.ledger() == []
    assert told(later(asked.after), Outcome.UNKNOWN).ledger() == []
    assert told(later(asked.after), Outcome.DECLINED).ledger() == []
    assert len(told(later(asked.after)).ledger()) == 3


def test_a_fee_that_the_provider_tells_is_kept_from_what_it_owes():
    asked = later(act(held_money(), capture).after)
    (row,) = waiting(asked)
    answer = Answer(outcome=Outcome.SUCCEEDED, payment_reference="p-1")
    change = act(asked, settle, transaction_id=row.id, answer=answer, lease="mine")
    taken = msgspec.structs.replace(change.result, fee=70)
    fee = [one for one in ENTERED_BY["CAPTURE"](taken) if one.kind == "fee"]
    assert [(one.debit, one.credit, one.amount) for one in fee] == [("fees", "receivable", 70)]


def test_a_payout_clears_what_the_gateway_owed():
    def entered(kind: str, amount: int, fee: int, told: int | None = None) -> list[tuple[str, ...]]:
        postings = paid_out(payout(amount, fee), movement(kind, amount, told))
        return [(one.kind, one.debit, one.credit, str(one.amount)) for one in postings]

    assert entered("CAPTURE", 1000, 39) == [
        ("paid_out", "bank", "receivable", "961"),
        ("fee", "fees", "receivable", "39"),
    ]
    assert entered("CAPTURE", 1000, 39, told=39) == [("paid_out", "bank", "receivable", "961")]
    assert entered("CAPTURE", 1000, 39, told=50) == [
        ("paid_out", "bank", "receivable", "961"),
        ("fee", "receivable", "fees", "11"),
    ]
    assert entered("CAPTURE", 20, 25) == [
        ("paid_out", "receivable", "bank", "5"),
        ("fee", "fees", "receivable", "25"),
    ]
    assert entered("REFUND", 1000, 25) == [
        ("paid_out", "receivable", "bank", "1025"),
        ("fee", "fees", "receivable", "25"),
    ]


def test_after_a_payout_the_gateway_owes_nothing():
    for kind, sign in (("CAPTURE", 1), ("REFUND", -1)):
        for amount in (1, 20, 1000):
            for fee in (0, 1, 25, 1000, 1001):
                for earlier in (None, 0, 10, 25):
                    row = movement(kind, amount, earlier)
                    kept = [*paid_out(payout(amount, fee), row)]
                    kept += [one for one in ENTERED_BY[kind](row) if one.kind == "fee"]
                    owed = sum(one.amount for one in kept if one.debit == "receivable")
                    owed -= sum(one.amount for one in kept if one.credit == "receivable")
                    assert owed == -sign * amount, (kind, amount, fee, earlier)
                    fees = sum(one.amount for one in kept if one.debit == "fees")
                    fees -= sum(one.amount for one in kept if one.credit == "fees")
                    assert fees == fee


def test_every_kind_of_movement_that_takes_effect_is_entered_somewhere():
    moving = {"AUTHORIZE", "CAPTURE", "VOID", "EXPIRE", "REFUND", "REFUND_REVERSAL"}
    assert ENTERED_BY.keys() == moving
    assert "SUCCEEDED" in TRANSACTION.statuses
