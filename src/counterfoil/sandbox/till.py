"""The rules of the sandbox: what may be authorised, captured, voided, refunded, and how often.

    captured + voided + expired <= authorised        refunded <= captured

The same idempotency key gives the same answer for as long as keys live, and has one effect; after
that it is a new request, as with real providers.
"""

import hashlib
import secrets
from typing import Any, Literal, NoReturn

import msgspec

from counterfoil.sandbox.control import Script
from counterfoil.sandbox.faults import MAGIC, MAGIC_KINDS, Fault
from counterfoil.sandbox.ledger import Ledger, operation_view, payment_view
from counterfoil.sandbox.wire import (
    Acknowledge,
    Authorize,
    Entry,
    Error,
    ErrorBody,
    Move,
    Operation,
    Payment,
)

_TOTALS = {
    "capture": "update payment set captured = captured + ? where id = ?",
    "void": "update payment set voided = voided + ? where id = ?",
    "refund": "update payment set refunded = refunded + ? where id = ?",
    "expire": "update payment set expired = expired + ? where id = ?",
}
_ENCODE = msgspec.json.Encoder()


class Refused(Exception):
    """A request that had no effect: status, code and sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Stored(msgspec.Struct, frozen=True):
    """An answer as it is kept under its idempotency key."""

    status: int
    body: bytes
    replayed: bool = False


class Asked(msgspec.Struct, frozen=True):
    """One request that wants an effect: what, on which payment, under which key."""

    kind: Literal["authorize", "capture", "void", "refund", "acknowledge"]
    payment: str
    key: str
    want: Authorize | Move | Acknowledge

    @property
    def amount(self) -> int:
        """Tell the amount; an acknowledgement has none."""
        return 0 if isinstance(self.want, Acknowledge) else self.want.amount

    @property
    def fingerprint(self) -> str:
        """Name the content, so that a key used for something else is noticed."""
        content = _ENCODE.encode((self.kind, self.payment, self.want))
        return hashlib.sha256(content).hexdigest()


class Line(msgspec.Struct, frozen=True):
    """One operation about to be written; `at` in milliseconds."""

    kind: str
    amount: int
    reference: str
    at: int


class Till:
    """Takes requests one at a time and writes effect and answer together."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        key_lifetime_s: int = 86_400,
        hold_s: int = 7 * 86_400,
        propagation_s: int = 0,
        magic_everywhere: bool = False,
    ) -> None:
        self.ledger = ledger
        self.key_lifetime_ms = key_lifetime_s * 1000
        self.hold_s = hold_s
        self.propagation_s = propagation_s
        self.magic_everywhere = magic_everywhere

    def perform(self, asked: Asked, script: Script | None) -> Stored:
        """Do it once, and answer every repeat of the key with the first answer.

        Raises Refused: idempotency_key_reused, payment_not_found, currency_mismatch, what the
        state of the payment forbids, amount_too_large. A refusal is not kept under the key.
        """
        with self.ledger.together():
            now = self.catch_up()
            kept = self.ledger.one("select * from key where key = ?", asked.key)
            if kept is not None and kept["at"] + self.key_lifetime_ms > now:
                if kept["fingerprint"] != asked.fingerprint:
                    raise Refused(409, "idempotency_key_reused", "This key had another request.")
                return Stored(kept["status"], bytes(kept["body"]), replayed=True)
            operation = self._decide(asked, script, now)
            if operation.status == "declined":
                error = ErrorBody(operation.code or "declined", operation.message or "")
                stored = Stored(402, _ENCODE.encode(Error(error, operation)))
            else:
                stored = Stored(201, _ENCODE.encode(operation))
            self.ledger.run(
                "insert or replace into key values (?, ?, ?, ?, ?)",
                asked.key, asked.fingerprint, stored.status, stored.body, now,
            )  # fmt: skip
            return stored

    def magic(self, asked: Asked) -> Fault | None:
        """Find the fault that the amount asks for, once per key; None for ordinary amounts."""
        fault = MAGIC.get(asked.amount % 100)
        if fault is None or asked.kind not in MAGIC_KINDS:
            return None
        payment = self.ledger.payment(asked.payment)
        if not self.magic_everywhere and not (payment and payment["magic"]):
            return None
        first = self.ledger.run("insert or ignore into played values (?)", asked.key)
        return fault if first else None

    def payment(self, id_: str) -> Payment:
        """Read a payment. Raises Refused: payment_not_found."""
        with self.ledger.together():
            now = self.catch_up()
        row = self.ledger.payment(id_)
        if row is None:
            raise Refused(404, "payment_not_found", "No payment has this id.")
        seen = [one for one in self.ledger.operations(payment=id_) if one["visible_at"] <= now]
        return payment_view(row, seen)

    def by_reference(self, reference: str) -> list[Operation]:
        """Find what was done under a reference, as far as word of it has come round."""
        with self.ledger.together():
            now = self.catch_up()
        found = self.ledger.operations(reference=reference)
        return [operation_view(one) for one in found if one["visible_at"] <= now]

    def entries(self, reference: str | None, payment: str | None, after: int) -> list[Entry]:
        """Read the effects on money."""
        with self.ledger.together():
            self.catch_up()
        return self.ledger.entries(reference, payment, after)

    def catch_up(self) -> int:
        """Let happen what time has brought: expiries, and operations that end later."""
        now = self.ledger.now()
        for row in self.ledger.all("select * from operation where next_at <= ?", now):
            self._end_later(row)
        for row in self.ledger.all("select * from payment where expires_at <= ?", now):
            left = _outstanding(row)
            self.ledger.run("update payment set expires_at = null where id = ?", row["id"])
            if left:
                self._add(row, Line("expire", left, "", row["expires_at"]))
        return now

    def _end_later(self, row: Any) -> None:
        status, at = row["next_status"], row["next_at"]
        self.ledger.run(
            "update operation set status = ?, next_status = null, next_at = null where id = ?",
            status, row["id"],
        )  # fmt: skip
        if status == "succeeded":
            self.ledger.write_entry(row, kind=row["kind"], amount=row["amount"], at=at)
        else:
            self.ledger.run(_TOTALS[row["kind"]], -row["amount"], row["payment"])
            if row["status"] == "succeeded":
                self.ledger.write_entry(row, kind="reversal", amount=row["amount"], at=at)

    def _decide(self, asked: Asked, script: Script | None, now: int) -> Operation:
        want = asked.want
        if isinstance(want, Authorize):
            return self._authorize(want, script, now)
        payment = self.ledger.payment(asked.payment)
        if payment is None:
            raise Refused(404, "payment_not_found", "No payment has this id.")
        _check(asked, payment)
        line = Line(asked.kind, asked.amount, want.reference, now)
        row = self._add(payment, line, script)
        if row["status"] == "declined":
            return operation_view(row)
        if asked.kind == "acknowledge":
            self.ledger.run(
                "update payment set expires_at = null,"
                " acknowledged_at = coalesce(acknowledged_at, ?) where id = ?",
                now, payment["id"],
            )  # fmt: skip
        if asked.kind == "capture" and isinstance(want, Move) and want.final:
            left = _outstanding(self.ledger.payment(payment["id"]))
            if left:
                self.ledger.run(_TOTALS["void"], left, payment["id"])
                self.ledger.write_entry(row, kind="void", amount=left, at=now)
        return operation_view(row)

    def _authorize(self, want: Authorize, script: Script | None, now: int) -> Operation:
        declined = script is not None and script.fault is Fault.DECLINE
        taken = 0 if declined else want.amount
        expires_at = None
        if not declined and not want.capture:
            expires_at = now + (want.hold_seconds or self.hold_s) * 1000
        payment = {"id": "pay_" + secrets.token_hex(12), "currency": want.currency}
        self.ledger.run(
            "insert into payment (id, reference, currency, authorized, captured, magic,"
            " created_at, expires_at) values (?, ?, ?, ?, ?, ?, ?, ?)",
            payment["id"], want.reference, want.currency, taken,
            taken if want.capture else 0, want.magic, now, expires_at,
        )  # fmt: skip
        row = self._add(payment, Line("authorize", want.amount, want.reference, now), script)
        if want.capture and not declined:
            self.ledger.write_entry(row, kind="capture", amount=want.amount, at=now)
        return operation_view(row, expires_at)

    def _add(self, payment: Any, line: Line, script: Script | None = None) -> dict[str, Any]:
        """Write one operation, move the total, note the effect unless it is still to come."""
        status, later = _course(line.kind, script)
        visible_s = max(script.visible_after_s if script else 0, self.propagation_s)
        delay_s = 1 if script is None or script.seconds is None else script.seconds
        declined = status == "declined"
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
        }
        self.ledger.run(
            "insert into operation values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row.values()
        )
        if not declined and line.kind in _TOTALS:
            self.ledger.run(_TOTALS[line.kind], line.amount, payment["id"])
        if status == "succeeded":
            self.ledger.write_entry(row, kind=line.kind, amount=line.amount, at=line.at)
        return row


def _course(kind: str, script: Script | None) -> tuple[str, str | None]:
    """Tell how an operation starts, and what it becomes later.

    A capture does not fail later: what was refunded of it could not be undone.
    """
    match script.fault if script else Fault.OK:
        case Fault.DECLINE:
            return "declined", None
        case Fault.PENDING if kind in _TOTALS:
            return "pending", "succeeded"
        case Fault.PENDING_THEN_FAILED if kind in ("void", "refund"):
            return "pending", "failed"
        case Fault.FAILS_LATER if kind in ("void", "refund"):
            return "succeeded", "failed"
        case _:
            return "succeeded", None


def _outstanding(payment: Any) -> int:
    left = payment["authorized"] - payment["captured"] - payment["voided"] - payment["expired"]
    assert isinstance(left, int)
    assert left >= 0, "more went out of the authorisation than went in"
    return left


def _check(asked: Asked, payment: Any) -> None:
    """Judge by the state of the payment: is it declined, the currency, closed, the amount."""
    if payment["authorized"] == 0:
        raise Refused(409, "payment_declined", "The authorisation was declined.")
    left = _outstanding(payment)
    if isinstance(asked.want, Move) and asked.want.currency != payment["currency"]:
        raise Refused(422, "currency_mismatch", f"The payment is in {payment['currency']}.")
    if asked.kind == "refund":
        if payment["captured"] == 0:
            raise Refused(409, "nothing_captured", "Nothing was captured that could go back.")
        left = payment["captured"] - payment["refunded"]
    elif asked.kind == "acknowledge":
        if left == 0 and payment["expired"]:
            raise Refused(409, "authorization_expired", "The authorisation has expired.")
    elif left == 0:
        _refuse_closed(payment)
    if asked.amount > left:
        raise Refused(422, "amount_too_large", f"{left} is left, {asked.amount} was asked for.")


def _refuse_closed(payment: Any) -> NoReturn:
    if payment["voided"]:
        raise Refused(409, "already_voided", "What was not captured is voided already.")
    if payment["expired"]:
        raise Refused(409, "authorization_expired", "The authorisation has expired.")
    raise Refused(409, "already_captured", "All of it is captured already.")
