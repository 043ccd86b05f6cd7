"""What must be true when a schedule has come to rest."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from counterfoil.kernel.problem import Unavailable
from counterfoil.order.folder import Folder
from counterfoil.order.problems import RequestInProgress
from counterfoil.order.transaction import UNSETTLED, Transaction
from tests.actions.canceling import assert_part_lawful
from tests.sandbox.server import Sandbox
from tests.soak.goods import assert_goods
from tests.work.shop import CANCEL, CAPTURE, REFUND, VOID

if TYPE_CHECKING:
    from tests.soak.schedule import Request, Schedule

ACKNOWLEDGE = "acknowledge"
LEFT_OUT = ("EXPIRE", "ACKNOWLEDGE")
TOLD = ("authorized", "captured", "voided", "refunded", "expired")


async def judge(schedule: "Schedule") -> None:
    """Hold every order against the provider, and every request against its answers."""
    home = schedule.world.home
    folders = {one: await home.folder(one) for one in await schedule.with_linked()}
    for order_id, folder in folders.items():
        linked = [one for one in folders.values() if one.order.exchange_for == order_id]
        try:
            assert_part_lawful(folder)
            assert_equal(folder, schedule.world.sandbox)
            assert_somebody_knows(folder)
            assert_nothing_found(folder)
            if folder.order.exchange_for is None:
                about = [one for one in schedule.requests
                         if one.order == order_id and one.target is None]
                assert_goods(about, folder, linked)
        except AssertionError as wrong:
            wrong.add_note(_told(folder))
            raise
    for request in schedule.requests:
        if request.begun:
            assert_answered(request, folders[request.target or request.order])


def assert_equal(folder: Folder, sandbox: Sandbox) -> None:
    """Our movements are the provider's, one by one: none lost, none twice. [V3]"""
    ours: Counter[Any] = Counter()
    for row in folder.transactions:
        nothing_left = row.type == "VOID" and row.gateway_transaction_id is None
        if row.status == "SUCCEEDED" and row.type not in LEFT_OUT and not nothing_left:
            _count(ours, _operation(folder, row), row.type, row.amount)
    theirs: Counter[Any] = Counter()
    for payment in folder.payments:
        if payment.provider_reference is None:
            continue
        for entry in sandbox.ledger(payment=payment.provider_reference):
            if entry["kind"].upper() not in LEFT_OUT:
                kind = "REFUND_REVERSAL" if entry["kind"] == "reversal" else entry["kind"].upper()
                _count(theirs, entry["operation"], kind, entry["amount"])
        if not any(_waits(row) for row in folder.transactions if row.payment_id == payment.id):
            view = sandbox.payment(payment.provider_reference)
            mine = {name: getattr(payment, name) for name in TOLD}
            yours = {name: view[name] for name in TOLD}
            assert _released(yours) == _released(mine), str(yours)
    ours, theirs = _real(ours), _real(theirs)
    assert ours == theirs, f"ours alone {ours - theirs}, theirs alone {theirs - ours}"


def _released(amounts: dict[str, int]) -> dict[str, int]:
    """A void that finds the hold expired is done: it is theirs to say which it was. [V-2]"""
    rest = {name: amount for name, amount in amounts.items() if name not in ("voided", "expired")}
    return rest | {"released": amounts["voided"] + amounts["expired"]}


def _operation(folder: Folder, row: Transaction) -> str | None:
    """The provider's name for it; what takes a movement back is found by that movement."""
    if row.type != "REFUND_REVERSAL":
        return row.gateway_transaction_id
    same = ("REFUND", row.refund_id, row.payment_id, row.amount)
    return next(
        other.gateway_transaction_id
        for other in folder.transactions
        if (other.type, other.refund_id, other.payment_id, other.amount) == same
    )


def _real(counted: Counter[Any]) -> Counter[Any]:
    return Counter({movement: number for movement, number in counted.items() if number})


def _count(into: Counter[Any], operation: str | None, kind: str, amount: int) -> None:
    """Count a movement; a refund that failed later is none, whether we saw both or neither."""
    if kind == "REFUND_REVERSAL":
        into[operation, "REFUND", amount] -= 1
    else:
        into[operation, kind, amount] += 1


def _waits(row: Transaction) -> bool:
    return row.status in UNSETTLED


def assert_somebody_knows(folder: Folder) -> None:
    """What is not settled after days is asked about again, and a person is called. [V4]"""
    for row in folder.transactions:
        if _waits(row):
            payment = next(one for one in folder.payments if one.id == row.payment_id)
            assert row.due_at is not None, f"{row.type} {row.id} waits for nobody"
            assert payment.attention is not None, f"nobody is called for {row.type} {row.id}"
    for payment in folder.payments:
        waiting = any(_waits(row) for row in folder.transactions if row.payment_id == payment.id)
        assert waiting or payment.attention is None, f"called for nothing: {payment.attention}"


def assert_nothing_found(folder: Folder) -> None:
    """Nobody but us moves this money, so a comparison with the provider has nothing to add.

    It would repair what was lost, and so it must not hide that something was.
    """
    found = [row for row in folder.transactions
             if row.source == "sync" and row.cancellation_id is None  # a step it let begin
             and row.type not in ("REFUND_REVERSAL", "EXPIRE")]
    assert found == [], "the provider did something that we had no idea of"


def _told(folder: Folder) -> str:
    return "".join(
        f"\n  {row.created_at:%d %T} {row.type} {row.amount} {row.status} {row.source}"
        f" {row.gateway_transaction_id} {row.error_code or ''} payment {row.payment_id[-4:]}"
        for row in folder.transactions)


def assert_answered(request: "Request", folder: Folder) -> None:
    """One key, one effect, one answer; what was confirmed is so. [V9]"""
    rows = [row for row in folder.transactions if row.idempotency_key == request.key]
    once = len(rows) <= 1 or request.kind == CANCEL
    if request.kind == REFUND:  # through several payments, each of them once
        once = sum(row.amount for row in rows if row.type == "REFUND") <= request.wanted["amount"]
    assert once, f"one {request.kind} {request.wanted} moved money twice: {_told(folder)}"
    if request.kind != ACKNOWLEDGE:  # done already is told as the order is now, and kept nowhere
        told = {said.text for said in request.told}
        assert len(told) <= 1, "\n  ".join([f"{request.kind} was told two things", *told])
    if request.refused == RequestInProgress.code:
        assert any(_waits(row) for row in folder.transactions), "done, but not answered"
        return
    assert request.refused != Unavailable.code, "nobody answers"
    if not request.told:
        assert request.refused, "never answered"
        assert rows == [], f"refused with {request.refused}, and done all the same"
        return
    said = request.told[0]
    if request.kind in (CAPTURE, VOID) and said.body.get("status") == "SUCCEEDED":
        row = next(row for row in folder.transactions if row.id == said.body["id"])
        assert (row.status, row.amount) == ("SUCCEEDED", said.body["amount"])
