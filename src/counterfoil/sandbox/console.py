"""The provider's own console: what its staff and the shopper do, without any of our references."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import StringIO
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from counterfoil.sandbox.ledger import operation_view
from counterfoil.sandbox.posting import Line, outstanding
from counterfoil.sandbox.till import Refused, Till
from counterfoil.sandbox.wire import Amount, Operation

#: Currencies with other than two decimals, as far as anybody practises with them.
_DECIMALS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_COLUMNS = [
    "reference", "gateway_transaction_id", "type", "amount", "fee", "currency", "settled_at",
]  # fmt: skip
_TYPES = {"capture": "capture", "refund": "refund", "reversal": "refund_reversal"}


class ConsoleMove(Struct, forbid_unknown_fields=True):
    """What somebody does at the console; without an amount all that is left."""

    kind: Literal["capture", "void", "refund"]
    amount: Amount | None = None


class Ending(Struct, forbid_unknown_fields=True):
    """Why an operation failed, in a word of the provider's."""

    code: Annotated[str, Meta(min_length=1, max_length=100)] = "failed"


class Decision(Struct, forbid_unknown_fields=True):
    """What the shopper does on the page."""

    does: Literal["approve", "decline", "leave"]


class Console:
    """Changes the ledger from the side. Every method may raise Refused."""

    def __init__(self, till: Till) -> None:
        self.ledger = till.ledger
        self.posting = till.posting

    def move(self, payment_id: str, want: ConsoleMove) -> Operation:
        """Capture, void or refund; the operation has no reference."""
        with self._together() as now:
            payment = self._payment(payment_id)
            held = payment["captured"] - payment["refunded"]
            left = held if want.kind == "refund" else outstanding(payment)
            amount = want.amount or left
            if not 0 < amount <= left:
                raise Refused(409, "not_possible", f"{left} is left.")
            row = self.posting.add(payment, Line(want.kind, amount, "", now))
            return operation_view(row, payment)

    def end(self, name: str, status: str, code: str | None = None) -> Operation:
        """Let an operation succeed or fail, found by its id or by the caller's reference.

        A refund or void that succeeded may still fail: its money is back in the totals, and the
        ledger has a `reversal`.
        """
        with self._together() as now:
            row = self._operation(name)
            may = row["status"] == "pending" or (
                status == "failed"
                and row["status"] == "succeeded"
                and row["kind"] in ("refund", "void")
            )
            if not may or row["kind"] == "authorize":
                raise Refused(409, "not_possible", f"It is {row['kind']}, {row['status']}.")
            self.posting.end(row, status, now, code)
        return self._view(row["id"])

    def decide(self, payment_id: str, does: Literal["approve", "decline", "leave"]) -> Operation:
        """Let the shopper confirm, refuse or leave."""
        with self._together() as now:
            payment = self._payment(payment_id)
            if payment["state"] != "waiting":
                raise Refused(409, "decided", "This payment does not wait for the shopper.")
            (row,) = self.ledger.operations(payment=payment_id)
            status = "succeeded" if does == "approve" else "declined"
            code = {"approve": None, "decline": "declined", "leave": "abandoned"}[does]
            self.posting.end(row, status, now, code)
        return self._view(row["id"])

    def settlement(self, day: str) -> str:
        """Write the report of a day in UTC: what was captured and refunded, as CSV.

        Amounts are decimals and never negative, the type says which way. A refund that came back
        is a line of type `refund_reversal`; the fee is that of captures.
        """
        with self._together():
            rows = self.ledger.all(
                "select e.*, o.kind as of, o.fee, strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000.0,"
                " 'unixepoch') as moment from entry e join operation o on o.id = e.operation"
                " where e.kind in ('capture', 'refund', 'reversal')"
                " and date(e.at / 1000, 'unixepoch') = ? order by e.seq",
                day,
            )  # fmt: skip
        text = StringIO()
        sheet = csv.writer(text)
        sheet.writerow(_COLUMNS)
        sheet.writerows(_line(row) for row in rows if _is_paid(row))
        return text.getvalue()

    @contextmanager
    def _together(self) -> Iterator[int]:
        try:
            with self.ledger.together():
                yield self.posting.catch_up()
        except sqlite3.IntegrityError as why:
            raise Refused(409, "not_possible", "The totals of the payment forbid it.") from why

    def _payment(self, id_: str) -> Any:
        payment = self.ledger.payment(id_)
        if payment is None:
            raise Refused(404, "payment_not_found", "No payment has this id.")
        return payment

    def _operation(self, name: str) -> Any:
        found = self.ledger.all("select * from operation where id = ?", name)
        found = found or self.ledger.operations(reference=name)
        if len(found) != 1:
            raise Refused(404, "operation_not_found", f"{len(found)} have this name.")
        return found[0]

    def _view(self, operation_id: str) -> Operation:
        row = self.ledger.one("select * from operation where id = ?", operation_id)
        return operation_view(row, self.ledger.payment(row["payment"]))


def _is_paid(row: Any) -> bool:
    return bool(row["kind"] != "reversal" or row["of"] == "refund")


def _line(row: Any) -> list[str]:
    decimals = _DECIMALS.get(row["currency"], 2)
    amount, fee = (
        f"{Decimal(minor).scaleb(-decimals):.{decimals}f}"
        for minor in (row["amount"], row["fee"] if row["kind"] == "capture" else 0)
    )
    type_ = _TYPES[row["kind"]]
    return [
        row["reference"], row["operation"], type_, amount, fee, row["currency"], row["moment"],
    ]  # fmt: skip
