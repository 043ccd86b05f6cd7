"""The rules of the sandbox: what may be authorised, captured, voided, refunded, and how often.

    captured + voided + expired <= authorised        refunded <= captured

The same idempotency key gives the same answer for as long as keys live, and has one effect; after
that it is a new request, as with real providers.
"""

import hashlib
import secrets
from typing import Any, Literal, NoReturn

import msgspec

from counterfoil.sandbox.control import Script, Terms
from counterfoil.sandbox.faults import MAGIC, MAGIC_KINDS, Fault
from counterfoil.sandbox.ledger import Ledger, operation_view, payment_view
from counterfoil.sandbox.posting import Line, Posting, outstanding
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

DEFAULT_ACCOUNT = "acct_sandbox"
#: How long the shopper has to decide.
DECIDE_S = 3600
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
    """One request that wants an effect: what, on which payment, under which key.

    `account` is whose payment it will be, `origin` the address of this process as the caller
    knows it.
    """

    kind: Literal["authorize", "capture", "void", "refund", "acknowledge"]
    payment: str
    key: str
    want: Authorize | Move | Acknowledge
    account: str = DEFAULT_ACCOUNT
    origin: str = ""

    @property
    def amount(self) -> int:
        """Tell the amount; an acknowledgement has none."""
        return 0 if isinstance(self.want, Acknowledge) else self.want.amount

    @property
    def fingerprint(self) -> str:
        """Name the content, so that a key used for something else is noticed."""
        content = _ENCODE.encode((self.kind, self.payment, self.want))
        return hashlib.sha256(content).hexdigest()


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
        self.posting = Posting(ledger, hold_s=hold_s, propagation_s=propagation_s)
        self.magic_everywhere = magic_everywhere

    def perform(self, asked: Asked, script: Script | None) -> Stored:
        """Do it once, and answer every repeat of the key with the first answer.

        Raises Refused: idempotency_key_reused, payment_not_found, currency_mismatch, what the
        state of the payment forbids, amount_too_large. A refusal is not kept under the key.
        """
        with self.ledger.together():
            now = self.posting.catch_up()
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
            now = self.posting.catch_up()
        row = self.ledger.payment(id_)
        if row is None:
            raise Refused(404, "payment_not_found", "No payment has this id.")
        seen = [one for one in self.ledger.operations(payment=id_) if one["visible_at"] <= now]
        return payment_view(row, seen)

    def by_reference(self, reference: str) -> list[Operation]:
        """Find what was done under a reference, as far as word of it has come round."""
        with self.ledger.together():
            now = self.posting.catch_up()
        found = self.ledger.operations(reference=reference)
        return [self._view(one) for one in found if one["visible_at"] <= now]

    def entries(self, reference: str | None, payment: str | None, after: int) -> list[Entry]:
        """Read the effects on money."""
        with self.ledger.together():
            self.posting.catch_up()
        return self.ledger.entries(reference, payment, after)

    def terms(self) -> Terms:
        """Tell fees, lifetimes and delays."""
        posting = self.posting
        return Terms(
            posting.fees.basis_points, posting.fees.fixed, posting.hold_s,
            self.key_lifetime_ms // 1000, posting.propagation_s,
        )  # fmt: skip

    def change_terms(self, new: Terms) -> None:
        """Set what is given."""
        posting = self.posting
        if new.fee_basis_points is not None:
            posting.fees.basis_points = new.fee_basis_points
        if new.fee_fixed is not None:
            posting.fees.fixed = new.fee_fixed
        if new.hold_s is not None:
            posting.hold_s = new.hold_s
        if new.key_lifetime_s is not None:
            self.key_lifetime_ms = new.key_lifetime_s * 1000
        if new.propagation_s is not None:
            posting.propagation_s = new.propagation_s

    def _view(self, row: Any) -> Operation:
        return operation_view(row, self.ledger.payment(row["payment"]))

    def _decide(self, asked: Asked, script: Script | None, now: int) -> Operation:
        want = asked.want
        if isinstance(want, Authorize):
            return self._authorize(asked, want, script, now)
        payment = self.ledger.payment(asked.payment)
        if payment is None:
            raise Refused(404, "payment_not_found", "No payment has this id.")
        _check(asked, payment)
        also = None
        if asked.kind == "capture" and isinstance(want, Move) and want.final:
            left = outstanding(payment) - asked.amount
            also = ("void", left) if left else None
        line = Line(asked.kind, asked.amount, want.reference, now, also)
        row = self.posting.add(payment, line, script)
        if asked.kind == "acknowledge" and row["status"] != "declined":
            self.ledger.run(
                "update payment set expires_at = null,"
                " acknowledged_at = coalesce(acknowledged_at, ?) where id = ?",
                now, payment["id"],
            )  # fmt: skip
        return self._view(row)

    def _authorize(
        self, asked: Asked, want: Authorize, script: Script | None, now: int
    ) -> Operation:
        if want.renews is not None:
            self._check_renewed(want.renews)
        waits = want.redirect and (script is None or script.fault is not Fault.DECLINE)
        taken = 0 if waits or (script and script.fault is Fault.DECLINE) else want.amount
        hold_s = want.hold_seconds or self.posting.hold_s
        id_ = "pay_" + secrets.token_hex(12)
        self.ledger.run(
            "insert into payment (id, reference, currency, authorized, magic, created_at,"
            " expires_at, account, state, sale, hold_s, return_url, redirect_url, renews)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            id_, want.reference, want.currency, taken, want.magic, now,
            now + hold_s * 1000 if taken and not want.capture else None,
            asked.account, "waiting" if waits else "open", want.capture, want.hold_seconds,
            want.return_url, f"{asked.origin}/pay/{id_}" if waits else None, want.renews,
        )  # fmt: skip
        also = ("capture", want.amount) if want.capture else None
        waiting = DECIDE_S if waits else None
        line = Line("authorize", want.amount, want.reference, now, also, waiting)
        payment = {"id": id_, "currency": want.currency}
        return self._view(self.posting.add(payment, line, script))

    def _check_renewed(self, id_: str) -> None:
        renewed = self.ledger.payment(id_)
        if renewed is None:
            raise Refused(404, "payment_not_found", "No payment has the id to be renewed.")
        if renewed["authorized"] == 0:
            raise Refused(409, "payment_declined", "What was never authorised cannot be renewed.")


def _check(asked: Asked, payment: Any) -> None:
    """Judge by the payment: does it wait, was it declined, the currency, what is left."""
    if payment["state"] == "waiting":
        raise Refused(409, "payment_pending", "The shopper has not decided yet.")
    if payment["authorized"] == 0:
        raise Refused(409, "payment_declined", "The authorisation was declined.")
    left = outstanding(payment)
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
