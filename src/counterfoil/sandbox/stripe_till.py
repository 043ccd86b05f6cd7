"""Stripe's rules over the same till and ledger as the native shape, so that both can be compared.

A payment of the ledger is a PaymentIntent, its row `pay_1` is `pi_1`; a refund `op_1` is `re_1`.
Amounts are in the ledger as they were sent. What Stripe keeps beside, and the answers under
idempotency keys, are in tables of their own.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import msgspec

from counterfoil.sandbox import stripe_view as view
from counterfoil.sandbox.console import Console
from counterfoil.sandbox.control import Match, Script
from counterfoil.sandbox.desk import Desk
from counterfoil.sandbox.faults import Fault
from counterfoil.sandbox.ledger import payment_view
from counterfoil.sandbox.stripe_form import (
    CancelIntent,
    CaptureIntent,
    CreateIntent,
    CreateRefund,
    Listing,
    Search,
    Wrong,
)
from counterfoil.sandbox.stripe_view import Note
from counterfoil.sandbox.till import Asked, Refused, Stored
from counterfoil.sandbox.wire import Authorize, Error, Move, Operation, Payment

_SCHEMA = """
create table if not exists stripe_note (id text primary key, content blob not null) without rowid;
create table if not exists stripe_key (
  key text primary key, fingerprint text not null, status integer not null, body blob not null,
  at integer not null
) without rowid;
"""
#: Cards of Stripe's own test set: one that declines, some that want the shopper.
DECLINING = frozenset({"pm_card_chargeDeclined", "pm_card_visa_chargeDeclined"})
ASKING = frozenset({"pm_card_authenticationRequired", "pm_card_threeDSecure2Required"})
_QUERY = re.compile(r"""metadata\[["'](\w{1,40})["']\]:["']([^"'\\]{1,200})["']""")
_CLOSED = ("already_captured", "already_voided", "authorization_expired", "payment_declined",
           "payment_pending", "nothing_captured")  # fmt: skip


class Wanted(msgspec.Struct, frozen=True):
    """One request with an effect. `account` and `origin` as the till wants them."""

    path: str
    key: str
    form: Any
    account: str
    origin: str

    @property
    def fingerprint(self) -> str:
        """Name the content, so that a key used for something else is noticed."""
        content = msgspec.json.encode((self.path, type(self.form).__name__, self.form))
        return hashlib.sha256(content).hexdigest()

    def reference(self, name: str = "our_reference") -> str:
        """Tell the caller's own name for it; a cancellation has only its key."""
        return str(getattr(self.form, "metadata", {}).get(name) or self.key)[:100]

    def asks(self, kind: Any, payment: str, want: Authorize | Move) -> Asked:
        """Say it to the till."""
        return Asked(kind, payment, self.key, want, self.account, self.origin)


class StripeTill:
    """What Stripe would do."""

    def __init__(self, desk: Desk) -> None:
        self.till, self.rules, self.ledger = desk.till, desk.rules, desk.till.ledger
        self.ledger.db.executescript(_SCHEMA)

    # ------------------------------------------------------------------------------------ effects

    def once(self, wanted: Wanted, effect: Callable[[], tuple[int, dict[str, Any]]]) -> Stored:
        """Do it, and answer every repeat of the key with the first answer. Raises Wrong."""
        kept = self.ledger.one("select * from stripe_key where key = ?", wanted.key)
        now = self.ledger.now()
        if kept is not None and kept["at"] + self.till.key_lifetime_ms > now:
            if kept["fingerprint"] != wanted.fingerprint:
                said = "Keys for idempotent requests can only be used with the same parameters."
                raise Wrong(400, said, type="idempotency_error")
            return Stored(kept["status"], bytes(kept["body"]), replayed=True)
        status, told = effect()
        body = msgspec.json.encode(told)
        self.ledger.run(
            "insert or replace into stripe_key values (?, ?, ?, ?, ?)",
            wanted.key, wanted.fingerprint, status, body, now,
        )  # fmt: skip
        return Stored(status, body)

    def create(self, wanted: Wanted, script: Script | None) -> tuple[int, dict[str, Any]]:
        """Make a payment, and try to pay where it is confirmed."""
        form: CreateIntent = wanted.form
        confirmed = form.confirm and form.payment_method is not None
        asks = confirmed and form.payment_method in ASKING and not form.off_session
        if script is None and confirmed and form.payment_method in DECLINING:
            script = Script(Fault.DECLINE)
        want = Authorize(
            amount=form.amount,
            currency=form.currency.upper(),
            reference=wanted.reference(),
            capture=form.capture_method != "manual",
            redirect=asks or not confirmed,
            return_url=form.return_url,
        )
        done = self._perform(wanted.asks("authorize", "", want), script)
        note = Note(
            form.metadata, form.capture_method, confirmed, form.customer, form.payment_method,
            form.payment_method_types, form.description,
        )  # fmt: skip
        self._write(done.payment, note)
        shown = self.intent(done.payment, form.expand)
        return (402, _declined(shown)) if done.status == "declined" else (200, shown)

    def capture(
        self, wanted: Wanted, payment: str, script: Script | None
    ) -> tuple[int, dict[str, Any]]:
        """Take what is held and let go of the rest."""
        form: CaptureIntent = wanted.form
        held = self.payment(payment)
        amount = form.amount_to_capture or held.authorized or held.operations[0].amount
        reference = wanted.reference("capture_reference")
        want = Move(amount, held.currency, reference, final=True)
        done = self._perform(wanted.asks("capture", payment, want), script)
        if done.status == "declined":
            return 402, _declined(self.intent(payment, []))
        note = self.note(payment)
        self._write(payment, msgspec.structs.replace(note, metadata=note.metadata | form.metadata))
        return 200, self.intent(payment, form.expand)

    def cancel(
        self, wanted: Wanted, payment: str, script: Script | None
    ) -> tuple[int, dict[str, Any]]:
        """Give up what is held, or what the shopper never decided."""
        form: CancelIntent = wanted.form
        held = self.payment(payment)
        if held.status == "pending":
            Console(self.till).decide(payment, "leave")
        else:
            amount = held.authorized or held.operations[0].amount
            want = Move(amount, held.currency, wanted.reference())
            done = self._perform(wanted.asks("void", payment, want), script)
            if done.status == "declined":
                return 402, _declined(self.intent(payment, []))
        note = self.note(payment)
        reason = form.cancellation_reason
        self._write(payment, msgspec.structs.replace(note, cancellation_reason=reason))
        return 200, self.intent(payment, form.expand)

    def refund(self, wanted: Wanted, script: Script | None) -> tuple[int, dict[str, Any]]:
        """Return money."""
        form: CreateRefund = wanted.form
        payment = payment_id(form.payment_intent)
        held = self.payment(payment)
        left = held.captured - held.refunded
        if held.captured and not left:
            raise Wrong(400, "Charge has already been refunded.", code="charge_already_refunded")
        want = Move(form.amount or left or 1, held.currency, wanted.reference())
        done = self._perform(wanted.asks("refund", payment, want), script)
        if done.status == "declined":
            return 402, _declined(self.intent(payment, []))
        self._write(done.id, Note(form.metadata))
        return 200, view.refund(held, done, form.metadata)

    def _perform(self, asked: Asked, script: Script | None) -> Operation:
        """Let the till do it. Raises Wrong for what it refuses."""
        try:
            stored = self.till.perform(asked, script)
        except Refused as why:
            raise self._wrong(asked, why) from why
        if stored.status == 402:
            told = msgspec.json.decode(stored.body, type=Error).operation
            assert told is not None
            return told
        return msgspec.json.decode(stored.body, type=Operation)

    def _wrong(self, asked: Asked, why: Refused) -> Wrong:
        if why.code in _CLOSED:
            shown = self.intent(asked.payment, [])
            said = f"This PaymentIntent could not be used: its status is {shown['status']}."
            code = "payment_intent_unexpected_state"
            return Wrong(400, said, code=code, payment_intent=shown)
        if why.code == "amount_too_large":
            return Wrong(400, why.message, code="amount_too_large", param="amount")
        if why.code == "idempotency_key_reused":
            return Wrong(400, why.message, type="idempotency_error")
        return Wrong(400, why.message, code="parameter_invalid_empty")

    # -------------------------------------------------------------------------------------- reads

    def payment(self, id_: str) -> Payment:
        """Read a payment; by its name it is known at once. Raises Wrong: resource_missing."""
        try:
            self.till.payment(id_)
        except Refused as why:
            said = f"No such payment_intent: '{id_}'"
            raise Wrong(404, said, code="resource_missing", param="intent") from why
        return payment_view(self.ledger.payment(id_), self.ledger.operations(payment=id_))

    def intent(self, payment: str, expand: list[str]) -> dict[str, Any]:
        """Show a payment. Raises Wrong: resource_missing."""
        return view.intent(self.payment(payment), self.note(payment), expand)

    def intents(self, form: Listing) -> dict[str, Any]:
        """List payments, newest first."""
        rows = self.ledger.all(
            "select p.id from payment p join stripe_note n on n.id = p.id"
            " order by p.created_at desc, p.id desc limit ?",
            form.limit + 1,
        )
        found = [self.intent(row["id"], form.expand) for row in rows]
        return view.listed("/v1/payment_intents", found, form.limit)

    def search(self, form: Search) -> dict[str, Any]:
        """Find payments by our reference, as far as word of them has come round. Raises Wrong."""
        asked = _QUERY.fullmatch(form.query)
        if asked is None or asked[1] != "our_reference":
            raise Wrong(400, "This query is not understood here.", code="parameter_invalid_empty")
        expand = [one.removeprefix("data.") for one in form.expand]
        found = [
            self.intent(one.payment, expand)
            for one in self.till.by_reference(asked[2])
            if one.kind == "authorize" and self._kept(one.payment)
        ]
        page = view.listed("/v1/payment_intents/search", found, form.limit)
        return {**page, "object": "search_result", "next_page": None}

    def refunds(self, form: Listing) -> dict[str, Any]:
        """List the refunds of a payment, newest first. Raises Wrong."""
        payment = self.payment(payment_id(form.payment_intent or ""))
        found = [
            view.refund(payment, one, self.note(one.id).metadata)
            for one in reversed(payment.operations)
            if one.kind == "refund" and one.status != "declined"
        ]
        names = [one["id"] for one in found]
        if form.starting_after in names:
            found = found[names.index(form.starting_after) + 1 :]
        return view.listed("/v1/refunds", found, form.limit)

    def one_refund(self, id_: str) -> dict[str, Any]:
        """Read one refund. Raises Wrong: resource_missing."""
        row = self.ledger.one("select * from operation where id = ?", id_.replace("re_", "op_", 1))
        if row is None or row["kind"] != "refund":
            raise Wrong(404, f"No such refund: '{id_}'", code="resource_missing", param="id")
        payment = self.payment(row["payment"])
        one = next(one for one in payment.operations if one.id == row["id"])
        return view.refund(payment, one, self.note(one.id).metadata)

    # -------------------------------------------------------------------------------------- faults

    def due(self, kind: Any, payment: str, reference: str, amount: int) -> Script | None:
        """Find the fault for a request with an effect, and count it down."""
        return self.rules.take(Match(kind, reference, payment, amount))

    def due_read(self, payment: str) -> Match:
        """Say what a rule for reading a payment may match; it may name any of its references."""
        known = {one["reference"] for one in self.ledger.operations(payment=payment)}
        wanted = (script.match.reference for script in self.rules.scripts)
        return Match("payment", next((one for one in wanted if one in known), None), payment)

    # --------------------------------------------------------------------------------------- notes

    def note(self, id_: str) -> Note:
        """Read what is kept beside a payment or refund."""
        row = self.ledger.one("select content from stripe_note where id = ?", id_)
        return msgspec.json.decode(row["content"], type=Note) if row else Note()

    def _kept(self, id_: str) -> bool:
        return self.ledger.one("select 1 from stripe_note where id = ?", id_) is not None

    def _write(self, id_: str, note: Note) -> None:
        self.ledger.run(
            "insert or replace into stripe_note values (?, ?)", id_, msgspec.json.encode(note)
        )


def payment_id(intent: str) -> str:
    """Name the payment behind a PaymentIntent."""
    return intent.replace("pi_", "pay_", 1) if intent.startswith("pi_") else "none"


def _declined(shown: dict[str, Any]) -> dict[str, Any]:
    charge = view.named("ch", shown["id"])
    return {"error": {**view.DECLINED, "charge": charge, "payment_intent": shown}}
