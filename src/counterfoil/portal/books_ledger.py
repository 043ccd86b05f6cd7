"""The ledger as its page shows it: gateways, merchants, and a trial balance that comes to zero."""

from collections.abc import Iterable

import msgspec

from counterfoil.book.balances import Balance, TrialRow
from counterfoil.order.ledger import CHART, MEMO
from counterfoil.portal.books_runs import Share, bar
from counterfoil.portal.books_words import ACCOUNTS
from counterfoil.portal.reading import gateway_name

Held = dict[str, int]
#: What a gateway took, by what became of it: account, words, tone.
OUTCOMES = (
    ("bank", "Paid out", "success"),
    ("fees", "Fees", "warning"),
    ("receivable", "Not paid out yet", "info"),
)


class AtGateway(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway holds, owes and has paid, in one currency; minor units."""

    code: str
    currency: str
    receivable: int
    authorised: int
    fees: int
    bank: int
    share: list[Share]

    @property
    def name(self) -> str:
        """The gateway's name for people."""
        return gateway_name(self.code)


class OfMerchant(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken for a merchant, given back, and is due; minor units of one currency."""

    merchant: str
    currency: str
    payable: int
    refunds: int
    share: list[Share]

    @property
    def due(self) -> int:
        """What the merchant is to get."""
        return self.payable - self.refunds


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger account in a trial balance; minor units."""

    code: str
    debit: int
    credit: int

    @property
    def name(self) -> str:
        """The account's name for people."""
        return ACCOUNTS.get(self.code, self.code)

    @property
    def memo(self) -> bool:
        """Whether no money has moved there."""
        return self.code in MEMO

    @property
    def means(self) -> str:
        """What a balance there says."""
        return CHART.get(self.code, "")


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts of one currency: both sides come to the same, or something is badly wrong."""

    currency: str
    rows: list[Account]

    @property
    def debit(self) -> int:
        """All debits."""
        return sum(row.debit for row in self.rows)

    @property
    def credit(self) -> int:
        """All credits."""
        return sum(row.credit for row in self.rows)


def gateways_of(balances: Iterable[Balance]) -> list[AtGateway]:
    """Add up what each gateway holds for us, by currency.

    Bars of one currency have one scale: the longest is the gateway that took the most.
    """
    sums: dict[tuple[str, str], Held] = {}
    for one in balances:
        held = sums.setdefault((one.gateway, one.currency), {})
        held[one.ledger_account] = held.get(one.ledger_account, 0) + one.balance
    longest = _longest(sums, [account for account, *_ in OUTCOMES])
    return [
        AtGateway(
            code=code,
            currency=currency,
            receivable=held.get("receivable", 0),
            authorised=held.get("authorised", 0),
            fees=held.get("fees", 0),
            bank=held.get("bank", 0),
            share=bar(
                [(tone, max(0, held.get(account, 0))) for account, _, tone in OUTCOMES],
                longest[currency],
            ),
        )
        for (code, currency), held in sorted(sums.items(), key=lambda one: one[0][::-1])
    ]


def merchants_of(balances: Iterable[Balance]) -> list[OfMerchant]:
    """Add up what each merchant is due, by currency. A credit is what we owe."""
    sums: dict[tuple[str, str], Held] = {}
    for one in balances:
        if one.merchant is not None and one.ledger_account in ("payable", "refunds"):
            held = sums.setdefault((one.merchant, one.currency), {"payable": 0, "refunds": 0})
            sign = -1 if one.ledger_account == "payable" else 1
            held[one.ledger_account] += sign * one.balance
    longest = _longest(sums, ["payable"])
    return [
        OfMerchant(
            merchant=merchant,
            currency=currency,
            payable=held["payable"],
            refunds=held["refunds"],
            share=bar(
                [
                    ("success", max(0, held["payable"] - held["refunds"])),
                    ("violet", min(held["refunds"], held["payable"])),
                ],
                longest[currency],
            ),
        )
        for (merchant, currency), held in sorted(sums.items(), key=lambda one: one[0][::-1])
    ]


def trials_of(rows: Iterable[TrialRow]) -> list[Trial]:
    """Put the accounts of each currency in the order of the chart."""
    found: dict[str, list[Account]] = {}
    for row in rows:
        one = Account(code=row.ledger_account, debit=row.debit, credit=row.credit)
        found.setdefault(row.currency, []).append(one)
    places = list(CHART)
    return [
        Trial(currency=currency, rows=sorted(held, key=lambda one: places.index(one.code)))
        for currency, held in sorted(found.items())
    ]


def _longest(sums: dict[tuple[str, str], Held], accounts: list[str]) -> dict[str, int]:
    """Find the scale of each currency: its largest sum of some accounts."""
    longest: dict[str, int] = {}
    for (_, currency), held in sums.items():
        whole = sum(max(0, held.get(account, 0)) for account in accounts)
        longest[currency] = max(longest.get(currency, 0), whole)
    return longest
