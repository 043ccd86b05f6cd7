"""The ledger: every movement of money as entries from one account to another.

An entry names the account it debits and the one it credits, so it balances by itself and so does
every sum of entries. One pure function for each business fact says which entries it makes; the
book writes them in the statement that has the effect, and nobody ever changes one. Amounts are
minor units. [faults V1; rulings 16]
"""

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.payment import Payment
from counterfoil.order.payout import Payout
from counterfoil.order.transaction import Transaction

#: The chart of accounts, with what a balance means.
CHART = {
    "authorised": "Held for us at the gateways, neither taken nor released. A memo account.",
    "authorisations": "The other side of what is held. A memo account.",
    "receivable": "Taken by the gateways and not yet paid out to us.",
    "payable": "Taken on behalf of merchants, before refunds.",
    "refunds": "Given back to shoppers, by merchant.",
    "fees": "Kept by the gateways for their service.",
    "bank": "Paid out to us by the gateways.",
}
MEMO = ("authorised", "authorisations")


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as stored: `sequence` is that of the fact it was written with, `line` its place."""

    order_id: str
    sequence: int
    line: int
    transaction_id: str
    kind: str
    debit: str
    credit: str
    gateway: str
    merchant: str | None
    currency: str
    amount: int
    at: datetime


class Posting(msgspec.Struct, frozen=True):
    """What one business fact takes from where to where; `bag_id` says for whose bag."""

    kind: str
    debit: str
    credit: str
    amount: int
    bag_id: str | None = None


def authorised(row: Transaction) -> list[Posting]:
    """A gateway holds money for us."""
    return [Posting("authorised", "authorised", "authorisations", row.amount)]


def captured(row: Transaction) -> list[Posting]:
    """A gateway took what it held: it owes us, and we owe the merchants."""
    drawn = Posting("drawn", "authorisations", "authorised", row.amount)
    return [drawn, *_by_bag(row, "captured", "receivable", "payable"), *_fee(row)]


def released(row: Transaction) -> list[Posting]:
    """A gateway let go of what it held, asked by us or because the time passed."""
    return [Posting("released", "authorisations", "authorised", row.amount)]


def refunded(row: Transaction) -> list[Posting]:
    """A gateway gave money back: it owes us less, and merchants bear it."""
    return [*_by_bag(row, "refunded", "refunds", "receivable"), *_fee(row)]


def reversed_refund(row: Transaction) -> list[Posting]:
    """A refund did not reach the shopper after all."""
    return _by_bag(row, "reversed", "receivable", "refunds")


def paid_out(payout: Payout, row: Transaction) -> list[Posting]:
    """The gateway paid us what it took, less its fee; for a refund it took that back."""
    told = row.fee or 0
    late = payout.fee - told
    fee = []
    if late > 0:
        fee = [Posting("fee", "fees", "receivable", late)]
    elif late < 0:
        fee = [Posting("fee", "receivable", "fees", -late)]
    if row.type == "REFUND":
        return [Posting("paid_out", "receivable", "bank", payout.amount + payout.fee), *fee]
    net = payout.amount - payout.fee
    if net > 0:
        return [Posting("paid_out", "bank", "receivable", net), *fee]
    if net < 0:
        return [Posting("paid_out", "receivable", "bank", -net), *fee]
    return fee


def _by_bag(row: Transaction, kind: str, debit: str, credit: str) -> list[Posting]:
    return [Posting(kind, debit, credit, part.amount, part.bag_id) for part in row.allocations]


def _fee(row: Transaction) -> list[Posting]:
    if not row.fee:
        return []
    if row.fee < 0:
        return [Posting("fee", "receivable", "fees", -row.fee)]
    return [Posting("fee", "fees", "receivable", row.fee)]


#: Which function a movement that took effect is entered by.
ENTERED_BY: dict[str, Callable[[Transaction], list[Posting]]] = {
    "AUTHORIZE": authorised,
    "CAPTURE": captured,
    "VOID": released,
    "EXPIRE": released,
    "REFUND": refunded,
    "REFUND_REVERSAL": reversed_refund,
}


def entries_between(
    before: Folder,
    after: Folder,
    added: list[Transaction],
    payouts: list[Payout],
) -> list[LedgerEntry]:
    """List the entries of a change: for every movement that took effect in it, and every payout.

    `added` are its new transactions and payouts; what was settled is found by comparison.
    """
    bags: dict[str, Bag] = {}
    payments: dict[str, Payment] = {}
    entries: list[LedgerEntry] = []
    for row, postings in _postings(before, after, added, payouts):
        if not bags:
            bags = {bag.id: bag for bag in after.bags}
            payments = {payment.id: payment for payment in after.payments}
        for posting in postings:
            entries.append(
                LedgerEntry(
                    order_id=after.order.id,
                    sequence=after.order.version,
                    line=len(entries) + 1,
                    transaction_id=row.id,
                    kind=posting.kind,
                    debit=posting.debit,
                    credit=posting.credit,
                    gateway=payments[row.payment_id].gateway,
                    merchant=bags[posting.bag_id].merchant if posting.bag_id else None,
                    currency=row.currency,
                    amount=posting.amount,
                    at=row.settled_at or after.at,
                )
            )
    return entries


def _postings(
    before: Folder, after: Folder, added: list[Transaction], payouts: list[Payout]
) -> Iterator[tuple[Transaction, list[Posting]]]:
    for row in (*_settled(before, after), *added):
        if row.status == "SUCCEEDED" and row.type in ENTERED_BY:
            yield row, ENTERED_BY[row.type](row)
    if payouts:
        known = {row.id: row for row in after.transactions}
        for payout in payouts:
            row = known[payout.transaction_id]
            yield row, paid_out(payout, row)


def _settled(before: Folder, after: Folder) -> Iterator[Transaction]:
    """What was unsettled before and took effect."""
    if not before.opened("transactions") or after.transactions is before.transactions:
        return
    unsettled = {row.id for row in before.transactions if row.settled_at is None}
    for row in after.transactions:
        if row.id in unsettled and row.status == "SUCCEEDED":
            yield row
