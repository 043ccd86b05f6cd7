"""What every gateway must do, whoever is behind it. [faults §1, P-1 to P-9]

`test_contract.py` runs it for each adapter. A new adapter adds a rig there: how to open it with a
deadline of one second, how to see the provider's ledger, how to make the provider fail.
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from counterfoil.gateways import Gateway
from counterfoil.kernel.ids import new_id
from counterfoil.order.gateway import CANNOT_TELL, PENDING, Answer, Call, Kind, Outcome

DEADLINE_S = 1
MOVES = [Kind.AUTHORIZE, Kind.CAPTURE, Kind.VOID, Kind.REFUND]

#: fault → (what the adapter must say, whether the provider did it).
FAULTS: dict[str, tuple[Outcome, str | None, bool]] = {
    "5xx_before": (Outcome.UNKNOWN, "unavailable", False),
    "reset_before": (Outcome.UNKNOWN, "broken_connection", False),
    "429": (Outcome.NOT_EXECUTED, "rate_limited", False),
    "in_use": (Outcome.NOT_EXECUTED, "in_use", False),
    "5xx_after_effect": (Outcome.UNKNOWN, "internal", True),
    "reset_after_effect": (Outcome.UNKNOWN, "broken_connection", True),
    "garbage_200": (Outcome.UNKNOWN, "invalid_answer", True),
    "truncated_200": (Outcome.UNKNOWN, "invalid_answer", True),
    "missing_200": (Outcome.UNKNOWN, "invalid_answer", True),
    "unknown_status_200": (Outcome.UNKNOWN, "unknown_status", True),
    "amount_200": (Outcome.UNKNOWN, "amount_mismatch", True),
    "currency_200": (Outcome.UNKNOWN, "currency_mismatch", True),
}
SILENCES = {
    "hang_before": (Outcome.UNKNOWN, "timeout", False),
    "hang_after_effect": (Outcome.UNKNOWN, "timeout", True),
    "slow_bytes": (Outcome.UNKNOWN, "timeout", True),
}


class Rig(msgspec.Struct):
    """An adapter with its provider. `effects` reads the ledger of a reference; None: there is none.

    `fault(name, reference, seconds)` makes the next call with that reference fail; `question`
    the next question about a payment, where a question does not carry the reference. `shopper`
    confirms a payment on the provider's page. `declined` is the provider's word for no; a refusal
    of the kinds in `forgets` leaves no trace there. `lacks`: kinds that the provider does not have.
    """

    gateway: Gateway
    secret: str
    effects: Callable[[str], list[dict[str, Any]]] | None = None
    fault: Callable[[str, str, int], None] | None = None
    question: Callable[[str, str], None] | None = None
    shopper: Callable[[str], None] | None = None
    currency: str = "EUR"
    declined: str = "declined"
    forgets: tuple[Kind, ...] = ()
    lacks: tuple[Kind, ...] = ()


def call_for(kind: Kind, payment: str | None = None, amount: int = 700, **more: Any) -> Call:
    """A call with a new id."""
    made = new_id()
    return Call(
        kind=kind,
        transaction_id=made,
        our_reference=made,
        payment_reference=payment,
        amount=0 if kind == Kind.ACKNOWLEDGE else amount,
        currency=more.pop("currency", "EUR"),
        order_number="1001",
        **more,
    )


def wanted(
    rig: Rig, kind: Kind, payment: str | None = None, amount: int = 700, flow: str = "auth"
) -> Call:
    """A call that this gateway can be asked for."""
    back = "https://shop.example/back?order=1001" if rig.shopper else None
    return call_for(kind, payment, amount, flow=flow, currency=rig.currency, return_url=back)


async def prepare(rig: Rig, kind: Kind, amount: int = 700) -> Call:
    """Bring a payment to where `kind` can be asked for, and return that call."""
    if kind in rig.lacks:
        pytest.skip("This provider has no such thing.")
    if kind == Kind.AUTHORIZE:
        return wanted(rig, kind, amount=amount)
    flow = "payment" if kind == Kind.REFUND else "auth"
    whole = kind == Kind.VOID and not rig.gateway.capabilities.partial_void
    held = amount if whole else 2 * amount
    answer = await carry_out(rig, wanted(rig, Kind.AUTHORIZE, None, held, flow))
    assert answer.outcome is Outcome.SUCCEEDED
    assert answer.payment_reference
    return wanted(rig, kind, answer.payment_reference, amount)


async def carry_out(rig: Rig, call: Call) -> Answer:
    """Send a call; where it waits for the shopper, have them confirm, and verify that they did."""
    answer = await rig.gateway.send(call)
    if not waits(rig, call):
        return answer
    assert (answer.outcome, answer.error_code) == (Outcome.UNKNOWN, PENDING)
    assert answer.redirect_url
    assert answer.payment_reference
    assert rig.shopper is not None
    rig.shopper(answer.payment_reference)
    known = msgspec.structs.replace(call, payment_reference=answer.payment_reference)
    return await rig.gateway.send(known)


def waits(rig: Rig, call: Call) -> bool:
    """Whether the shopper has to confirm it."""
    new = call.kind == Kind.AUTHORIZE and call.payment_reference is None
    return new and rig.shopper is not None


def can_tell(rig: Rig, call: Call) -> bool:
    """Whether the provider can be asked about it: by our reference, or else off its totals."""
    return rig.gateway.capabilities.query or call.kind in (Kind.CAPTURE, Kind.REFUND)


class Contract:
    """For every gateway."""

    @pytest.mark.parametrize("kind", list(Kind))
    async def test_every_kind_succeeds_and_says_what_it_did(self, rig: Rig, kind: Kind) -> None:
        call = await prepare(rig, kind)
        answer = await carry_out(rig, call)
        assert answer.outcome is Outcome.SUCCEEDED
        assert answer.amount == call.amount
        assert answer.gateway_transaction_id
        assert answer.payment_reference == (call.payment_reference or answer.payment_reference)
        assert answer.error_code is None

    @pytest.mark.parametrize("kind", list(Kind))
    async def test_a_repeat_gets_the_first_answer_and_has_one_effect(
        self, rig: Rig, kind: Kind
    ) -> None:
        call = await prepare(rig, kind)
        first = await rig.gateway.send(call)
        again = await asyncio.gather(*(rig.gateway.send(call) for _ in range(3)))
        assert {told(answer) for answer in again} == {told(first)}
        assert (await carry_out(rig, call)).outcome is Outcome.SUCCEEDED
        assert_one_effect(rig, call)

    @pytest.mark.parametrize("kind", list(Kind))
    async def test_asking_afterwards_tells_the_same(self, rig: Rig, kind: Kind) -> None:
        call = await prepare(rig, kind)
        answer = await carry_out(rig, call)
        if waits(rig, call):
            call = msgspec.structs.replace(call, payment_reference=answer.payment_reference)
        asked = await rig.gateway.ask(call)
        if kind == Kind.AUTHORIZE or can_tell(rig, call):
            assert_same(rig, asked, answer)
        else:
            assert (asked.outcome, asked.error_code) == (Outcome.UNKNOWN, CANNOT_TELL)

    async def test_what_is_kept_can_be_stored_and_has_no_secret(self, rig: Rig) -> None:
        call = await prepare(rig, Kind.CAPTURE)
        for answer in (await rig.gateway.send(call), await rig.gateway.ask(call)):
            kept = json.dumps(msgspec.to_builtins(answer))
            assert rig.secret not in kept
            assert "authorization" not in kept.lower()

    async def test_the_credentials_can_be_tried(self, rig: Rig) -> None:
        tried = await rig.gateway.test()
        assert tried["ok"] is True
        assert isinstance(tried["elapsed_ms"], int)


class ProviderContract(Contract):
    """For gateways with a provider behind them, who may fail in every way there is."""

    @pytest.mark.parametrize("kind", list(Kind))
    async def test_a_refusal_for_good_is_declined(self, rig: Rig, kind: Kind) -> None:
        call = await prepare(rig, kind)
        fail(rig, "decline", call)
        answer = await rig.gateway.send(call)
        assert answer.outcome is Outcome.DECLINED
        assert answer.error_code == rig.declined
        assert answer.error_message
        asked = Outcome.NOT_EXECUTED if can_tell(rig, call) else Outcome.UNKNOWN
        if rig.gateway.capabilities.query:
            asked = Outcome.NOT_EXECUTED if kind in rig.forgets else Outcome.DECLINED
        assert (await rig.gateway.ask(call)).outcome is asked
        assert (await rig.gateway.send(call)).outcome is Outcome.DECLINED
        assert effects(rig, call) == []

    @pytest.mark.parametrize("kind", MOVES)
    @pytest.mark.parametrize("fault", FAULTS)
    async def test_each_fault_ends_in_its_outcome_and_then_in_one_effect(
        self, rig: Rig, fault: str, kind: Kind
    ) -> None:
        await self.run_fault(rig, fault, FAULTS[fault], kind)

    @pytest.mark.parametrize("fault", SILENCES)
    async def test_silence_ends_at_the_deadline(self, rig: Rig, fault: str) -> None:
        since = time.monotonic()
        await asyncio.gather(*(self.run_fault(rig, fault, SILENCES[fault], k) for k in MOVES))
        assert DEADLINE_S * 0.9 < time.monotonic() - since < DEADLINE_S * 1.8

    async def run_fault(
        self, rig: Rig, fault: str, expected: tuple[Outcome, str | None, bool], kind: Kind
    ) -> None:
        outcome, code, done = expected
        call = await prepare(rig, kind)
        fail(rig, fault, call)
        answer = await rig.gateway.send(call)
        assert (answer.outcome, answer.error_code) == (outcome, code)
        asked = await rig.gateway.ask(call)
        if can_tell(rig, call):
            assert asked.outcome is (Outcome.SUCCEEDED if done else Outcome.NOT_EXECUTED)
        else:
            assert (asked.outcome, asked.error_code) == (Outcome.UNKNOWN, CANNOT_TELL)
        assert len(effects(rig, call)) == int(done and not waits(rig, call))
        again = await carry_out(rig, call)
        assert again.outcome is Outcome.SUCCEEDED
        if done and can_tell(rig, call):
            assert_same(rig, asked, again)
        assert_one_effect(rig, call)

    @pytest.mark.parametrize(
        "fault",
        ["5xx_before", "reset_before", "429", "garbage_200", "truncated_200", "missing_200"],
    )
    async def test_a_question_that_fails_leaves_the_outcome_unknown(
        self, rig: Rig, fault: str
    ) -> None:
        call = await prepare(rig, Kind.CAPTURE)
        assert (await rig.gateway.send(call)).outcome is Outcome.SUCCEEDED
        if rig.question is None:
            fail(rig, fault, call)
        else:
            rig.question(fault, call.payment_reference)
        assert (await rig.gateway.ask(call)).outcome is Outcome.UNKNOWN
        assert (await rig.gateway.ask(call)).outcome is Outcome.SUCCEEDED

    async def test_what_was_never_sent_is_not_known(self, rig: Rig) -> None:
        call = await prepare(rig, Kind.CAPTURE)
        answer = await rig.gateway.ask(call)
        assert (answer.outcome, answer.error_code) == (Outcome.NOT_EXECUTED, "not_found")

    async def test_too_much_is_declined_and_moves_nothing(self, rig: Rig) -> None:
        call = await prepare(rig, Kind.CAPTURE)
        for kind in (Kind.CAPTURE, Kind.VOID, Kind.REFUND):
            much = wanted(rig, kind, call.payment_reference, 10**9)
            assert (await rig.gateway.send(much)).outcome is Outcome.DECLINED
            assert effects(rig, much) == []


def told(answer: Answer) -> tuple[Any, ...]:
    """What an answer says, without how it was heard."""
    return (
        answer.outcome,
        answer.gateway_transaction_id,
        answer.payment_reference,
        answer.error_code,
        answer.amount,
    )


def assert_same(rig: Rig, asked: Answer, answer: Answer) -> None:
    """The question tells what the answer told; totals tell it without an id of the movement."""
    if not rig.gateway.capabilities.query and asked.gateway_transaction_id is None:
        answer = msgspec.structs.replace(answer, gateway_transaction_id=None)
    assert told(asked) == told(answer)


def fail(rig: Rig, fault: str, call: Call) -> None:
    assert rig.fault is not None
    rig.fault(fault, call.our_reference, 3)


def effects(rig: Rig, call: Call) -> list[dict[str, Any]]:
    assert rig.effects is not None
    return rig.effects(call.our_reference)


def assert_one_effect(rig: Rig, call: Call) -> None:
    """The provider's ledger has this movement exactly once, over the right amount."""
    if rig.effects is None:
        return
    found = [one for one in effects(rig, call) if one["kind"] == call.kind.lower()]
    assert [(one["amount"], one["currency"]) for one in found] == [(call.amount, call.currency)]
