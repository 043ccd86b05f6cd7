"""Zip's orders on the sandbox's till: the same payments, under the same ids, in Zip's words.

An order's id is the payment's. Captures and voids carry no reference of the caller's on this wire,
so the ledger has them under their `Idempotency-Key`; an order under its `merchantReference`, a
refund under its `merchantRefundReference`.
"""

import json
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from counterfoil.sandbox.control import Match, Script
from counterfoil.sandbox.desk import Desk
from counterfoil.sandbox.faults import Fault
from counterfoil.sandbox.ledger import instant
from counterfoil.sandbox.posting import outstanding
from counterfoil.sandbox.till import Asked, Refused, Stored
from counterfoil.sandbox.wire import Acknowledge, Authorize, Error, Move, Operation
from counterfoil.sandbox.zip_clients import PARTIAL, SCOPES
from counterfoil.sandbox.zip_wire import encode, money, read_amount, read_text

CURRENCY = "NZD"
HOLD_S = 15 * 60
_SCHEMA = """
create table if not exists zip_order (
  payment text primary key, merchant_reference text not null, confirm_url text not null,
  cancel_url text not null, callback_url text, page_until integer not null, wanted blob not null,
  told text not null default 'Created'
) without rowid;
create table if not exists zip_all (key text primary key, amount integer not null) without rowid;
-- There are six words for a status, and none for what is captured, refunded or voided.
create view if not exists zip_seen as select z.*, p.account, p.authorized, p.captured, p.voided,
  p.expired, p.refunded, p.created_at,
  case when p.state = 'waiting' then 'Created' when p.state = 'abandoned' then 'Abandoned'
    when p.authorized = 0 then 'Declined' when p.expired > 0 then 'Expired'
    when p.sale then 'Approved' else 'Authorised' end as status
  from zip_order z join payment p on p.id = z.payment;
"""


class ZipAsked(Struct, frozen=True):
    """A request on an order: by whom, under which key, with which body."""

    client: str
    key: str
    order: str
    body: dict[str, Any]

    @property
    def reference(self) -> str:
        """Name the movement in the ledger."""
        return self.key[:100]

    @property
    def key_at_the_till(self) -> str:
        """Keep Zip's keys apart from everybody else's."""
        return f"zip:{self.client}:{self.key}"


class ZipTill:
    """Puts Zip's requests to the till and its answers in Zip's words. Raises Refused."""

    def __init__(self, desk: Desk) -> None:
        self.till = desk.till
        self.ledger = desk.till.ledger
        self.ledger.db.executescript(_SCHEMA)

    def create(self, asked: ZipAsked, origin: str, script: Script | None) -> Stored:
        """Make an order that waits for its shopper."""
        body, merchant = asked.body, asked.body.get("merchant")
        merchant = merchant if isinstance(merchant, dict) else {}
        want = Authorize(
            amount=read_amount(body),
            currency=CURRENCY,
            reference=read_text(body, "merchantReference"),
            capture=body.get("paymentFlow", "payment") == "payment",
            hold_seconds=HOLD_S,
            redirect=True,
            return_url=read_text(merchant, "redirectConfirmUrl", most=2048),
        )
        cancel_url = read_text(merchant, "redirectCancelUrl", most=2048)
        stored = self.till.perform(
            Asked("authorize", "", asked.key_at_the_till, want, asked.client, origin), script
        )
        made = _operation(stored)
        row = self.ledger.one("select next_at from operation where id = ?", made.id)
        page_until = row["next_at"] or self.ledger.now()
        self.ledger.run(
            "insert or ignore into zip_order values (?, ?, ?, ?, ?, ?, ?, 'Created')",
            made.payment, want.reference, want.return_url, cancel_url,
            merchant.get("statusCallbackUrl"), page_until, encode(body),
        )  # fmt: skip
        told = {
            "token": made.payment,
            "expiryDateTime": instant(page_until).isoformat(),
            "redirectUrl": f"{origin}/zip/checkout/{made.payment}",
            "orderId": made.payment,
            "warnings": [],
            "errors": [],
            "customerPairingTokenActive": False,
        }
        return _answer(told, script, replayed=stored.replayed)

    def capture(self, asked: ZipAsked, script: Script | None) -> Stored:
        """Take a part, or all that is left where no amount is said."""
        payment = self._payment(asked)
        left = outstanding(payment)
        amount = self._all_of(asked, left) if "amount" not in asked.body else None
        amount = amount or read_amount(asked.body)
        if not self._is_repeat(asked) and 0 < amount < left and not self._may_take_parts(asked):
            raise Refused(403, "partial_capture_not_enabled", "The scope is not enabled.")
        return self._move("capture", asked, Move(amount, CURRENCY, asked.reference), script)

    def void(self, asked: ZipAsked, script: Script | None) -> Stored:
        """Give up a part."""
        self._payment(asked)
        want = Move(read_amount(asked.body), CURRENCY, asked.reference)
        return self._move("void", asked, want, script)

    def refund(self, asked: ZipAsked, script: Script | None) -> Stored:
        """Return a part. The reference of an earlier refund gets a copy of its answer."""
        self._payment(asked)
        reference = read_text(asked.body, "merchantRefundReference")
        want = Move(read_amount(asked.body), CURRENCY, reference)
        first = self.ledger.one(
            "select * from operation where payment = ? and kind = 'refund' and reference = ?"
            " and status <> 'declined' order by created_at",
            asked.order, reference,
        )  # fmt: skip
        if first is not None and not self._is_repeat(asked):
            return _answer(_refunded(first), script, replayed=True)
        stored = self.till.perform(self._asked("refund", asked, want), script)
        done = _operation(stored).id
        row = self.ledger.one("select * from operation where id = ?", done)
        return _answer(_refunded(row), script, replayed=stored.replayed)

    def acknowledge(self, asked: ZipAsked, script: Script | None) -> Stored:
        """Stop the clock of the authorisation. Zip's own answer is not public: ours is empty."""
        self._payment(asked)
        stored = self.till.perform(
            self._asked("acknowledge", asked, Acknowledge(asked.reference)), script
        )
        _operation(stored)
        return _answer({}, script, replayed=stored.replayed)

    def rename(self, asked: ZipAsked) -> Stored:
        """Give the order another merchant reference; the ledger keeps the first one."""
        self._payment(asked)
        self.ledger.run(
            "update zip_order set merchant_reference = ? where payment = ?",
            read_text(asked.body, "merchantReference"), asked.order,
        )  # fmt: skip
        return Stored(200, b"")

    def read(self, client: str, order: str, origin: str, script: Script | None) -> Stored:
        """Read an order: what was asked for, its status and totals."""
        payment = self._payment(ZipAsked(client, "", order, {}))
        wanted = json.loads(payment["wanted"], parse_float=Decimal)
        told = {
            **wanted,
            "orderId": order,
            "orderNumber": order[-8:].upper(),
            "orderStatus": payment["status"],
            "merchantReference": payment["merchant_reference"],
            "capturedAmount": money(payment["captured"]),
            "refundedAmount": money(payment["refunded"]),
            "createdDateTime": instant(payment["created_at"]).isoformat(),
            "redirectUrl": f"{origin}/zip/checkout/{order}",
        }
        return _answer(told, script)

    def row(self, order: str) -> Any:
        """Read an order's row with its payment's and its status, or None."""
        with self.ledger.together():
            self.till.posting.catch_up()
        return self.ledger.one("select * from zip_seen where payment = ?", order)

    def match(self, kind: Any, asked: ZipAsked) -> Match:
        """Say what a request is, for the rules of faults."""
        amount = asked.body.get("amount")
        minor = int(amount.scaleb(2)) if isinstance(amount, Decimal) and amount.is_finite() else 0
        named = {"authorize": "merchantReference", "refund": "merchantRefundReference"}.get(kind)
        reference = asked.body.get(named) if named else asked.reference
        return Match(kind, str(reference), asked.order, minor)

    # ----------------------------------------------------------------------------------------- own

    def _payment(self, asked: ZipAsked) -> Any:
        payment = self.row(asked.order)
        if payment is None or payment["account"] != asked.client:
            raise Refused(404, "payment_not_found", "No order has this id.")
        return payment

    def _asked(self, kind: Any, asked: ZipAsked, want: Move | Acknowledge) -> Asked:
        return Asked(kind, asked.order, asked.key_at_the_till, want, asked.client)

    def _move(self, kind: Any, asked: ZipAsked, want: Move, script: Script | None) -> Stored:
        stored = self.till.perform(self._asked(kind, asked, want), script)
        return _answer({"id": _operation(stored).id}, script, replayed=stored.replayed)

    def _may_take_parts(self, asked: ZipAsked) -> bool:
        return PARTIAL in SCOPES[asked.client].split()

    def _is_repeat(self, asked: ZipAsked) -> bool:
        kept = self.ledger.one("select at from key where key = ?", asked.key_at_the_till)
        return kept is not None and kept["at"] + self.till.key_lifetime_ms > self.ledger.now()

    def _all_of(self, asked: ZipAsked, left: int) -> int:
        """Tell what `all` is: at a repeat what it was the first time."""
        if left:
            self.ledger.run(
                "insert or ignore into zip_all values (?, ?)", asked.key_at_the_till, left
            )
        kept = self.ledger.one("select amount from zip_all where key = ?", asked.key_at_the_till)
        return kept["amount"] if kept else 1


def _operation(stored: Stored) -> Operation:
    """Read what the till did. Raises Refused where it was told to decline."""
    if stored.status == 402:
        told = msgspec.json.decode(stored.body, type=Error)
        raise Refused(400, "declined", told.error.message)
    return msgspec.json.decode(stored.body, type=Operation)


def _answer(told: dict[str, Any], script: Script | None, *, replayed: bool = False) -> Stored:
    """Write an answer as Zip does, spoilt where a rule says so in Zip's own words."""
    fault = script.fault if script else Fault.OK
    if fault is Fault.STRANGE:
        told = {**told, "orderStatus": "HalfDone"}
    return Stored(202 if fault is Fault.ACCEPTED else 200, encode(told), replayed)


def _refunded(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "refundedDateTime": instant(row["created_at"]).isoformat(),
        "merchantReference": row["reference"],
        "amount": money(row["amount"]),
    }
