"""Book that the provider has paid out a movement, or taken it back, less its fee."""

from datetime import datetime

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens
from counterfoil.order.payout import Payout

#: What became of a line: booked now, in the book already, or not bookable and why.
BOOKED, HERE = "booked", "here"
DIFFERS = ("amount_differs", "currency_differs", "fee_differs", "paid_out_twice", "missing_here")
#: Lines about earlier files that a payout sees to.
_SEEN_TO = ("missing_there", "missing_here", "amount_differs", "fee_differs")


class SettledLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a settlement file that names a movement of ours. Amounts in minor units.

    `accept_fee`: somebody has looked at the fee that differs, and it is booked as it is.
    """

    transaction_id: str
    settlement_id: str
    line: int
    amount: int
    fee: int
    currency: str
    settled_at: datetime
    accept_fee: bool = False


class PaidOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a line; `ours` and `theirs` where they differ."""

    outcome: str
    ours: int | None = None
    theirs: int | None = None


@opens("bags", "payments", "transactions", "payouts", "drift_lines")
def pay_out(folder: Folder, *, asked: Asked, line: SettledLine) -> Change:
    """Book a line once: the payout, its ledger entries and the fee that was not told before.

    The result is a `PaidOut`. Nothing to write where it is booked already or does not agree with
    our movement. [V3, rulings 26]
    """
    row = next(one for one in folder.transactions if one.id == line.transaction_id)
    before = next((one for one in folder.payouts if one.transaction_id == row.id), None)
    if before is not None:
        same = (before.amount, before.fee, before.currency) == (
            line.amount, line.fee, line.currency)
        here = before.settlement_id == line.settlement_id and before.line == line.line
        if same or here:
            return Change.none(folder, PaidOut(outcome=HERE))
        return Change.none(folder, PaidOut(
            outcome="paid_out_twice", ours=before.amount - before.fee,
            theirs=line.amount - line.fee))
    if row.status != "SUCCEEDED":
        return Change.none(folder, PaidOut(outcome="missing_here", ours=0, theirs=line.amount))
    if row.currency != line.currency:
        return Change.none(folder, PaidOut(
            outcome="currency_differs", ours=row.amount, theirs=line.amount))
    if row.amount != line.amount:
        return Change.none(folder, PaidOut(
            outcome="amount_differs", ours=row.amount, theirs=line.amount))
    if row.fee is not None and row.fee != line.fee and not line.accept_fee:
        return Change.none(folder, PaidOut(
            outcome="fee_differs", ours=row.fee, theirs=line.fee))
    draft = Draft(folder, asked.actor)
    payout = Payout(
        id=new_id(),
        order_id=folder.order.id,
        payment_id=row.payment_id,
        transaction_id=row.id,
        settlement_id=line.settlement_id,
        line=line.line,
        amount=line.amount,
        fee=line.fee,
        currency=line.currency,
        settled_at=line.settled_at,
        created_at=draft.at,
    )
    draft.add(payout)
    for told in folder.drift_lines:
        open_ = told.status == "OPEN" and told.payment_id is None and told.kind in _SEEN_TO
        if open_ and told.transaction_id == row.id:
            draft.put(msgspec.structs.replace(
                told, status="RESOLVED", note="It was paid out.",
                resolved_by=draft.actor.told(), resolved_at=draft.at))
    draft.fact("payment.paid_out", None, payout={
        "id": payout.id,
        "payment_id": payout.payment_id,
        "transaction_id": payout.transaction_id,
        "type": row.type,
        "amount": payout.amount,
        "fee": payout.fee,
        "currency": payout.currency,
        "settled_at": payout.settled_at,
        "settlement_id": payout.settlement_id,
        "line": payout.line,
    })
    return draft.change(PaidOut(outcome=BOOKED))
