"""The requests that we make of Stripe, each with its answer as it came over the wire."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import stripe
from msgspec.structs import replace

from counterfoil.gateways import stripe_verdict as verdict
from counterfoil.gateways.stripe_shapes import Intent, Intents, Refund, Refunds, Refused, read
from counterfoil.gateways.stripe_transport import current
from counterfoil.gateways.stripe_verdict import REFERENCE
from counterfoil.kernel.http import HttpFailure, NotSent, Reply
from counterfoil.order.gateway import Answer, Call, Kind, Outcome

RETRY_AFTER_S_MAX = 300
PAGES_MAX = 10
_PAGE = 100
Shape = TypeVar("Shape")
#: Reads are judged without a movement.
_READING = Call(Kind.ACKNOWLEDGE, "", "", None, 0, "", "")


class Wire:
    """One request a method; each returns what was read, or why that cannot be believed."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._intents = client.v1.payment_intents
        self._all_refunds = client.v1.refunds

    async def newest(self) -> Intents | Answer:
        """List the newest payment, whichever it is."""
        return await _exchange(partial(self._intents.list_async, {"limit": 1}), Intents)

    async def intent(self, payment: str, expand: list[str]) -> Intent | Answer:
        """Read a payment, with what is spelt out of it."""
        wanted: Any = {"expand": expand} if expand else {}
        return await _exchange(partial(self._intents.retrieve_async, payment, wanted), Intent)

    async def search(self, call: Call) -> Intents | Answer:
        """Find the payments that carry our reference; two are enough to know of a trouble."""
        reference = call.our_reference.replace("\\", "\\\\").replace('"', '\\"')
        wanted: Any = {
            "query": f'metadata["{REFERENCE}"]:"{reference}"',
            "limit": 2,
            "expand": ["data.latest_charge.balance_transaction"],
        }
        return await _exchange(partial(self._intents.search_async, wanted), Intents, call)

    async def refunds(self, payment: str) -> list[Refund] | Answer:
        """Read every refund of a payment; more pages than are read tell nothing certain."""
        found: list[Refund] = []
        for _ in range(PAGES_MAX):
            wanted: Any = {"payment_intent": payment, "limit": _PAGE}
            if found:
                wanted["starting_after"] = found[-1].id
            page = await _exchange(partial(self._all_refunds.list_async, wanted), Refunds)
            if isinstance(page, Answer):
                return page
            found += page.data
            if not (page.has_more and page.data):
                return found
        return verdict.unclear("too_many_refunds", "The payment has more refunds than are read.")

    async def create(self, call: Call, wanted: Any) -> Intent | Answer:
        """Make a payment."""
        return await _exchange(
            partial(self._intents.create_async, wanted, _under(call)), Intent, call
        )

    async def capture(self, call: Call, payment: str, wanted: Any) -> Intent | Answer:
        """Take what is held, and release what is left of it."""
        request = partial(self._intents.capture_async, payment, wanted, _under(call))
        return await _exchange(request, Intent, call)

    async def cancel(self, call: Call, payment: str) -> Intent | Answer:
        """Give up what is held."""
        return await _exchange(
            partial(self._intents.cancel_async, payment, {}, _under(call)), Intent, call
        )

    async def refund(self, call: Call, wanted: Any) -> Refund | Answer:
        """Return money."""
        return await _exchange(
            partial(self._all_refunds.create_async, wanted, _under(call)), Refund, call
        )


def unsent(answer: Answer) -> Answer:
    """Judge what failed before anything that moves money was sent: it had no effect."""
    return replace(answer, outcome=Outcome.NOT_EXECUTED)


def _under(call: Call) -> Any:
    return {"idempotency_key": call.transaction_id}


async def _exchange(
    request: Callable[[], Awaitable[object]], shape: type[Shape], call: Call = _READING
) -> Shape | Answer:
    """Let the library make one request, and read the answer as it came over the wire.

    What the library raises says no more than the answer itself, and for odd answers less.
    """
    heard = current().heard
    before = len(heard)
    try:
        await request()
    except AssertionError:
        raise
    except Exception as raised:  # noqa: BLE001 - odd answers make it raise anything
        if len(heard) == before:
            return _lost(NotSent("bad_request", type(raised).__name__))
    outcome = heard[-1].outcome
    if isinstance(outcome, HttpFailure):
        return _lost(outcome)
    if outcome.status in (200, 201):
        found = None if outcome.truncated else read(outcome.body, shape)
        return found or verdict.unclear("invalid_answer", "The answer is not complete.")
    told = None if outcome.truncated else read(outcome.body, Refused)
    if told is None:
        return _turned_away(outcome)
    answer = verdict.judge_refusal(call, outcome.status, told.error)
    if answer.outcome is Outcome.NOT_EXECUTED:
        return replace(answer, retry_after_s=_wait(outcome))
    return answer


def _lost(failure: HttpFailure) -> Answer:
    outcome = Outcome.NOT_EXECUTED if isinstance(failure, NotSent) else Outcome.UNKNOWN
    return Answer(outcome=outcome, error_code=failure.code, error_message=str(failure))


def _turned_away(reply: Reply) -> Answer:
    """Judge an answer without an error object; 429 alone says that nobody looked at it."""
    if reply.status == 429:
        why = "Too many requests."
        answer = Answer(Outcome.NOT_EXECUTED, error_code="rate_limited", error_message=why)
        return replace(answer, retry_after_s=_wait(reply))
    return verdict.failed(reply.status)


def _wait(reply: Reply) -> int | None:
    """Read Retry-After in whole seconds, at most five minutes. [faults P-9]"""
    text = reply.headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        return None
    return min(int(text), RETRY_AFTER_S_MAX)
