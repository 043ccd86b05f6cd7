"""How one operation is written: its row, the totals, the ledger entry, the event, all together.

Whether it may be done at all is the till's affair.
"""

import secrets
from typing import Any

import msgspec

from counterfoil.sandbox.control import Script
from counterfoil.sandbox.faults import Fault
from counterfoil.sandbox.ledger import Ledger

TOTALS = {
    "capture": "update payment set captured = captured + ? where id = ?",
    "void": "update payment set voided = voided + ? where id = ?",
    "refund": "update payment set refunded = refunded + ? where id = ?",
    "expire": "update payment set expired = expired + ? where id = ?",
}
#: What an event is called when an operation has come to be so; what is missing is not told.
EVENTS = {
    ("authorize", "succeeded"): "payment.authorized",
    ("authorize", "declined"): "payment.declined",
    ("capture", "succeeded"): "payment.captured",
    ("void", "succeeded"): "payment.voided",
    ("expire", "succeeded"): "payment.expired",
    ("refund", "succeeded"): "payment.refunded",
    ("capture", "declined"): "capture.declined",
    ("void", "declined"): "void.declined",
    ("refund", "declined"): "refund.declined",
    ("capture", "failed"): "capture.failed",
    ("void", "failed"): "void.failed",
    ("refund", "failed"): "refund.failed",
}


class Fees(msgspec.Struct, forbid_unknown_fields=True):
    """What we keep of a capture: hundredths of a percent of it, and so many minor units."""

    basis_points: int = 140
    fixed: int = 25

    def of(self, amount: int) -> int:
        """Tell the fee in whole minor units; halves go to the even one."""
        fee, rest = divmod(amount * self.basis_points, 10_000)
        up = 2 * rest > 10_000 or (2 * rest == 10_000 and fee % 2 == 1)
        return fee + int(up) + self.fixed


class Line(msgspec.Struct, frozen=True):
    """One operation about to be written; `at` in milliseconds.

    `also` is a second kind with its amount. A `waiting` one is the shopper's to decide, for so
    many seconds.
    """

    kind: str
    amount: int
    reference: str
    at: int
    also: tuple[str, int] | None = None
    waiting: int | None = None


def outstanding(payment: Any) -> int:
    """Tell what the authorisation still holds."""
    left = payment["authorized"] - payment["captured"] - payment["voided"] - payment["expired"]
    assert isinstance(left, int)
    assert left >= 0, "more went out of the authorisation than went in"
    return left


class Posting:
    """Writes operations. Every method wants to be inside `ledger.together()`."""

    def __init__(self, ledger: Ledger, *, hold_s: int, propagation_s: int) -> None:
        self.ledger = ledger
        self.hold_s = hold_s
        self.propagation_s = propagation_s
        self.fees = Fees()

    def add(self, payment: Any, line: Line, script: Script | None = None) -> dict[str, Any]:
        """Write one operation, move the total, note the effect unless it is still to come."""
        status, later = _course(line.kind, script)
        delay_s = 1 if script is None or script.seconds is None else script.seconds
        if line.waiting is not None and status != "declined":
            status, later, delay_s = "pending", "declined", line.waiting
        visible_s = max(script.visible_after_s if script else 0, self.propagation_s)
        declined = status == "declined"
        takes = line.kind == "capture" or (line.also is not None and line.also[0] == "capture")
        row: dict[str, Any] = {
            "id": "op_" + secrets.token_hex(12),
            "payment": payment["id"],
            "kind": line.kind,
            "status": status,
            "amount": line.amount,
            "currency": payment["currency"],
            "reference": line.reference,
            "code": "declined" if declined else None,
            "message": "The sandbox was told to decline this." if declined else None,
            "created_at": line.at,
            "visible_at": line.at + visible_s * 1000,
            "next_status": later,
            "next_at": None if later is None else line.at + delay_s * 1000,
            "fee": self.fees.of(line.amount) if takes else 0,
            "also_kind": line.also[0] if line.also else None,
            "also_amount": line.also[1] if line.also else None,
        }
        self.ledger.run(
            "insert into operation (id, payment, kind, status, amount, currency, reference, code,"
            " message, created_at, visible_at, next_status, next_at, fee, also_kind, also_amount)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *row.values(),
        )
        if not declined and line.waiting is None:
            self._move(row, 1)
        if status == "succeeded":
            self._effect(row, line.at)
        elif declined:
            self._tell(row, "declined", line.at)
        return row

    def end(self, row: Any, status: str, at: int, code: str | None = None) -> None:
        """Let an operation end, or fail after it had succeeded: the totals follow."""
        self.ledger.run(
            "update operation set status = ?, code = ?, next_status = null, next_at = null"
            " where id = ?",
            status, code, row["id"],
        )  # fmt: skip
        if row["kind"] == "authorize":
            self._decided(row, status, at, code)
        elif status == "succeeded":
            self._effect(row, at)
        else:
            self._move(row, -1)
            if row["status"] == "succeeded":
                self.ledger.write_entry(row, kind="reversal", amount=row["amount"], at=at)
            self._tell(row, status, at)

    def catch_up(self) -> int:
        """Let happen what time has brought: expiries, and operations that end later."""
        now = self.ledger.now()
        for row in self.ledger.all("select * from operation where next_at <= ?", now):
            code = "abandoned" if row["kind"] == "authorize" else None
            self.end(row, row["next_status"], row["next_at"], code)
        for row in self.ledger.all("select * from payment where expires_at <= ?", now):
            left = outstanding(row)
            self.ledger.run("update payment set expires_at = null where id = ?", row["id"])
            if left:
                self.add(row, Line("expire", left, "", row["expires_at"]))
        return now

    def something_is_due(self) -> bool:
        """Tell whether there is anything to catch up with, without writing."""
        now = self.ledger.now()
        found = self.ledger.one(
            "select exists (select 1 from operation where next_at <= ?)"
            " or exists (select 1 from payment where expires_at <= ?) as it",
            now, now,
        )  # fmt: skip
        return bool(found["it"])

    def _move(self, row: Any, sign: int) -> None:
        """Reserve in the totals what an operation moves, or give it back."""
        for kind, amount in (
            (row["kind"], row["amount"]), (row["also_kind"], row["also_amount"]),
        ):  # fmt: skip
            if kind in TOTALS:
                self.ledger.run(TOTALS[kind], sign * amount, row["payment"])

    def _effect(self, row: Any, at: int) -> None:
        """Note what took effect, what it did beside, and tell of both."""
        self.ledger.write_entry(row, kind=row["kind"], amount=row["amount"], at=at)
        self._tell(row, "succeeded", at)
        if row["also_kind"]:
            self.ledger.write_entry(row, kind=row["also_kind"], amount=row["also_amount"], at=at)
            self._tell({**dict(row), "kind": row["also_kind"]}, "succeeded", at)

    def _decided(self, row: Any, status: str, at: int, code: str | None) -> None:
        """The shopper has confirmed, refused or left."""
        payment = self.ledger.payment(row["payment"])
        if status == "succeeded":
            hold_s = payment["hold_s"] or self.hold_s
            self.ledger.run(
                "update payment set state = 'open', authorized = ?, expires_at = ? where id = ?",
                row["amount"], None if payment["sale"] else at + hold_s * 1000, payment["id"],
            )  # fmt: skip
            self._move(row, 1)
            self._effect(row, at)
            return
        state = "abandoned" if code == "abandoned" else "open"
        self.ledger.run("update payment set state = ? where id = ?", state, payment["id"])
        self._tell(row, status, at)

    def _tell(self, row: Any, status: str, at: int) -> None:
        name = EVENTS.get((row["kind"], status))
        if name is not None:
            self.ledger.write_event(name, row, at)


def _course(kind: str, script: Script | None) -> tuple[str, str | None]:
    """Tell how an operation starts, and what it becomes later.

    A capture does not fail by itself later: what was refunded of it could not be undone.
    """
    match script.fault if script else Fault.OK:
        case Fault.DECLINE:
            return "declined", None
        case Fault.PENDING if kind in TOTALS:
            return "pending", "succeeded"
        case Fault.ASYNC if kind in TOTALS:
            return "pending", "succeeded" if script and script.seconds is not None else None
        case Fault.PENDING_THEN_FAILED if kind in ("void", "refund"):
            return "pending", "failed"
        case Fault.FAILS_LATER if kind in ("void", "refund"):
            return "succeeded", "failed"
        case _:
            return "succeeded", None
