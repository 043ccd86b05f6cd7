"""What happens at a provider after the call, and how we hear of it: laws for every gateway.

`test_later.py` runs them. A gateway takes the laws of what its provider does: `StatementLaws`,
`HookLaws` where it calls us, `RedirectLaws` where shoppers confirm on its page, `LateRefundLaws`
where a refund may end later than the call. [faults §1, W-1, W-3, R-3]
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from counterfoil.gateways import Gateway
from counterfoil.gateways.port import HookRefused
from counterfoil.order.gateway import PENDING, Answer, Call, Kind, Outcome, Statement
from tests.gateways.contract import call_for
from tests.gateways.forgeries import FORGERIES, Ring


class Later(msgspec.Struct):
    """An adapter, and its provider's own hand. None where the provider does no such thing.

    `ring(payment)` returns the call that the provider made to us about a payment, and `headers`
    names those that prove it: `signature`, and `id` and `timestamp` where they are apart.
    `shopper(payment, does)`: `approve`, `decline` or `leave`. `hold(reference)` makes the refund
    with this reference wait, `end(reference, how)` lets it `succeed` or `fail`.
    """

    gateway: Gateway
    ring: Callable[[str], Ring] | None = None
    headers: dict[str, str] = {}
    shopper: Callable[[str, str], None] | None = None
    hold: Callable[[str], None] | None = None
    end: Callable[[str, str], None] | None = None
    currency: str = "EUR"


def call(rig: Later, kind: Kind, payment: str | None, amount: int, flow: str = "auth") -> Call:
    """A call with a new id, in the currency of the rig."""
    back = "https://shop.example/back?order=1001" if rig.shopper else None
    return call_for(kind, payment, amount, flow=flow, currency=rig.currency, return_url=back)


async def authorized(rig: Later, amount: int, flow: str = "auth") -> tuple[Call, str]:
    """Authorise, with the shopper's help where it is needed; the call and the payment."""
    made = call(rig, Kind.AUTHORIZE, None, amount, flow)
    answer = await rig.gateway.send(made)
    assert answer.payment_reference
    if rig.shopper is not None:
        rig.shopper(answer.payment_reference, "approve")
        answer = await rig.gateway.ask(known(made, answer))
    assert answer.outcome is Outcome.SUCCEEDED
    assert answer.payment_reference
    return made, answer.payment_reference


def known(made: Call, answer: Answer) -> Call:
    """The same call when the provider's name for the payment is known."""
    return msgspec.structs.replace(made, payment_reference=answer.payment_reference)


async def stated(rig: Later, payment: str) -> Statement:
    statement = await rig.gateway.statement(payment)
    assert statement is not None
    assert_adds_up(statement)
    return statement


def assert_adds_up(statement: Statement) -> None:
    """Movements that took effect or are under way make the totals, or it says that they do not."""
    if not statement.itemised:
        return
    for kind, total in (
        ("AUTHORIZE", statement.authorized),
        ("CAPTURE", statement.captured),
        ("VOID", statement.voided),
        ("REFUND", statement.refunded),
    ):
        found = [one for one in statement.movements if one.kind == kind]
        sure = sum(one.amount for one in found if one.status == "succeeded")
        open_ = sum(one.amount for one in found if one.status == "pending")
        assert sure <= total <= sure + open_, kind


class StatementLaws:
    """The provider's own account of a payment."""

    @pytest.mark.parametrize("flow", ["auth", "payment"])
    async def test_a_statement_has_every_movement_under_our_reference(
        self, rig: Later, flow: str
    ) -> None:
        made, payment = await authorized(rig, 1000, flow)
        calls = [made]
        able = rig.gateway.capabilities
        steps = [(Kind.REFUND, 300)]
        if flow == "auth":
            steps = [(Kind.CAPTURE, 600), *([(Kind.VOID, 400)] if able.multi_capture else []),
                     *steps]  # fmt: skip
        for kind, amount in steps:
            calls.append(call(rig, kind, payment, amount))
            assert (await rig.gateway.send(calls[-1])).outcome is Outcome.SUCCEEDED
            statement = await stated(rig, payment)
        taken = 600 if flow == "auth" else 1000
        assert (statement.payment_reference, statement.currency) == (payment, rig.currency)
        assert (statement.captured, statement.refunded) == (taken, 300)
        if statement.itemised:
            for one in calls:
                found = [m for m in statement.movements if m.our_reference == one.our_reference]
                assert (one.kind, one.amount) in [(m.kind, m.amount) for m in found]
                assert all(m.status == "succeeded" and m.at.tzinfo for m in found)

    async def test_a_hold_says_until_when(self, rig: Later) -> None:
        _, payment = await authorized(rig, 1000)
        statement = await stated(rig, payment)
        if rig.gateway.capabilities.hold_seconds is not None:
            assert statement.expires_at is not None
            assert statement.expires_at > datetime.now(UTC)

    async def test_what_the_provider_does_not_know_has_no_statement(self, rig: Later) -> None:
        assert await rig.gateway.statement("pay_nowhere") is None


class HookLaws:
    """Calls that the provider makes to us: believed where signed, and only as a place to look."""

    async def call(self, rig: Later) -> tuple[Ring, Call, str]:
        made, payment = await authorized(rig, 1000)
        assert rig.ring is not None
        return rig.ring(payment), made, payment

    async def test_a_good_call_says_where_to_look(self, rig: Later) -> None:
        ring, made, payment = await self.call(rig)
        notice = rig.gateway.receive(ring.headers, ring.query, ring.body, datetime.now(UTC))
        assert notice.event_id
        assert notice.topic
        names = {notice.payment_reference, notice.our_reference}
        assert names & {payment, made.our_reference}
        assert names <= {payment, made.our_reference, None}
        again = rig.gateway.receive(ring.headers, ring.query, ring.body, datetime.now(UTC))
        assert again == notice

    async def test_no_forgery_is_believed_and_none_breaks_anything(self, rig: Later) -> None:
        ring, _, _ = await self.call(rig)
        believed, answered = [], set()
        for name, forge in FORGERIES.items():
            forged = forge(ring, rig.headers)
            if forged is None:
                continue
            try:
                rig.gateway.receive(forged.headers, forged.query, forged.body, datetime.now(UTC))
                believed.append(name)
            except HookRefused as refused:
                answered.add(refused.status)
        assert (believed, answered) == ([], {401})

    @pytest.mark.parametrize("seconds", [303, 86_400, -360])
    async def test_a_call_is_not_believed_at_another_time(self, rig: Later, seconds: int) -> None:
        ring, _, _ = await self.call(rig)  # it was signed some moments ago
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        with pytest.raises(HookRefused):
            rig.gateway.receive(ring.headers, ring.query, ring.body, at)


class RedirectLaws:
    """Authorisations that the shopper confirms at the provider's page."""

    async def begin(self, rig: Later, flow: str = "auth") -> tuple[Call, Answer]:
        made = call(rig, Kind.AUTHORIZE, None, 700, flow)
        answer = await rig.gateway.send(made)
        assert (answer.outcome, answer.error_code) == (Outcome.UNKNOWN, PENDING)
        assert answer.payment_reference
        assert answer.redirect_url
        assert answer.redirect_url.startswith("http")
        return made, answer

    async def test_it_waits_for_the_shopper(self, rig: Later) -> None:
        made, answer = await self.begin(rig)
        asked = await rig.gateway.ask(known(made, answer))
        assert (asked.outcome, asked.error_code) == (Outcome.UNKNOWN, PENDING)
        again = await rig.gateway.send(made)
        assert (again.payment_reference, again.redirect_url) == (
            answer.payment_reference, answer.redirect_url,
        )  # fmt: skip

    @pytest.mark.parametrize("flow", ["auth", "payment"])
    async def test_it_is_done_when_the_shopper_agrees(self, rig: Later, flow: str) -> None:
        made, answer = await self.begin(rig, flow)
        assert rig.shopper is not None
        assert answer.payment_reference
        rig.shopper(answer.payment_reference, "approve")
        for done in (
            await rig.gateway.ask(known(made, answer)),
            await rig.gateway.send(known(made, answer)),
        ):
            assert (done.outcome, done.amount) == (Outcome.SUCCEEDED, 700)
            assert done.payment_reference == answer.payment_reference
        statement = await stated(rig, answer.payment_reference)
        assert statement.authorized == 700
        assert statement.captured == (700 if flow == "payment" else 0)

    @pytest.mark.parametrize("does", ["decline", "leave"])
    async def test_nothing_is_held_when_the_shopper_does_not(self, rig: Later, does: str) -> None:
        made, answer = await self.begin(rig)
        assert rig.shopper is not None
        assert answer.payment_reference
        rig.shopper(answer.payment_reference, does)
        asked = await rig.gateway.ask(known(made, answer))
        assert asked.outcome is Outcome.DECLINED
        statement = await rig.gateway.statement(answer.payment_reference)
        assert statement is None or statement.authorized == 0


class LateRefundLaws:
    """Refunds that end later than the call, or fail after they were accepted. [faults R-3]"""

    async def begin(self, rig: Later) -> tuple[Call, str]:
        _, payment = await authorized(rig, 1000, "payment")
        refund = call(rig, Kind.REFUND, payment, 300)
        assert rig.hold is not None
        rig.hold(refund.our_reference)
        answer = await rig.gateway.send(refund)
        assert (answer.outcome, answer.error_code) == (Outcome.UNKNOWN, PENDING)
        assert (await rig.gateway.ask(refund)).error_code == PENDING
        await self.assert_told(rig, refund, "pending")
        return refund, payment

    async def assert_told(self, rig: Later, refund: Call, status: str) -> None:
        assert refund.payment_reference
        statement = await stated(rig, refund.payment_reference)
        found = [m for m in statement.movements if m.our_reference == refund.our_reference]
        if statement.itemised:
            assert [(m.kind, m.amount, m.status) for m in found] == [("REFUND", 300, status)]
        if status != "pending":
            assert statement.refunded == (300 if status == "succeeded" else 0)

    @pytest.mark.parametrize(
        ("how", "outcome", "status"),
        [("succeed", Outcome.SUCCEEDED, "succeeded"), ("fail", Outcome.DECLINED, "failed")],
    )
    async def test_it_is_unknown_until_it_has_ended(
        self, rig: Later, how: str, outcome: Outcome, status: str
    ) -> None:
        refund, _ = await self.begin(rig)
        assert rig.end is not None
        rig.end(refund.our_reference, how)
        asked = await rig.gateway.ask(refund)
        assert asked.outcome is outcome
        await self.assert_told(rig, refund, status)

    async def test_it_may_fail_after_it_was_accepted(self, rig: Later) -> None:
        _, payment = await authorized(rig, 1000, "payment")
        refund = call(rig, Kind.REFUND, payment, 300)
        assert (await rig.gateway.send(refund)).outcome is Outcome.SUCCEEDED
        assert rig.end is not None
        rig.end(refund.our_reference, "fail")
        assert (await rig.gateway.ask(refund)).outcome is Outcome.DECLINED
        await self.assert_told(rig, refund, "failed")
