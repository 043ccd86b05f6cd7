"""The adapter against an imitation of Stripe that is not ours: it shows that we speak Stripe.

localstripe 1.15 takes no metadata at a capture and does not tell how much was received, which
Stripe does; so our capture is refused there, and captures are shown by payments that are taken at
once. It keeps no idempotency keys and cannot search.
"""

import httpx2
import pytest

from counterfoil.gateways import open_gateway
from counterfoil.order.gateway import CANNOT_TELL, Kind, Outcome
from tests.gateways.contract import call_for
from tests.gateways.localstripe import running, why_not

KEY = {"api_key": "sk_test_12345"}
pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with running(tmp_path_factory.mktemp("localstripe")) as address:
        yield address


@pytest.fixture
def gateway(address, http):
    settings = {"base_url": address, "payment_method": "pm_card_visa", "search": False}
    return open_gateway("stripe", settings, KEY, http=http)


def there(address, payment):
    """The payment as localstripe has it."""
    told = httpx2.get(
        f"{address}/v1/payment_intents/{payment}",
        headers={"authorization": f"Bearer {KEY['api_key']}"},
        trust_env=False,
    )
    return told.json()


async def test_the_key_is_tried(gateway):
    assert (await gateway.test())["ok"] is True


async def test_authorise_verify_and_void(address, gateway):
    call = call_for(Kind.AUTHORIZE, amount=1250)
    made = await gateway.send(call)
    assert (made.outcome, made.amount) == (Outcome.SUCCEEDED, 1250)
    kept = there(address, made.payment_reference)
    assert (kept["status"], kept["amount"]) == ("requires_capture", 1250)
    assert kept["metadata"]["our_reference"] == call.our_reference
    claim = call_for(Kind.AUTHORIZE, made.payment_reference, 1250)
    assert (await gateway.send(claim)).outcome is Outcome.SUCCEEDED
    void = call_for(Kind.VOID, made.payment_reference, 1250)
    for answer in (await gateway.send(void), await gateway.ask(void)):
        assert (answer.outcome, answer.amount) == (Outcome.SUCCEEDED, 1250)
    assert there(address, made.payment_reference)["status"] == "canceled"


async def test_take_at_once_and_return_a_part(address, gateway):
    made = await gateway.send(call_for(Kind.AUTHORIZE, amount=2000, flow="payment"))
    assert (made.outcome, made.amount) == (Outcome.SUCCEEDED, 2000)
    assert there(address, made.payment_reference)["status"] == "succeeded"
    refund = call_for(Kind.REFUND, made.payment_reference, 700)
    sent = await gateway.send(refund)
    asked = await gateway.ask(refund)
    assert (sent.outcome, sent.amount) == (Outcome.SUCCEEDED, 700)
    assert (asked.outcome, asked.gateway_transaction_id) == (
        Outcome.SUCCEEDED, sent.gateway_transaction_id,
    )  # fmt: skip
    other = await gateway.ask(call_for(Kind.REFUND, made.payment_reference, 700))
    assert (other.outcome, other.error_code) == (Outcome.NOT_EXECUTED, "not_found")
    told = await gateway.statement(made.payment_reference)
    assert told.refunded == 700


async def test_a_capture_that_it_does_not_understand_moves_nothing(address, gateway):
    made = await gateway.send(call_for(Kind.AUTHORIZE, amount=900))
    capture = call_for(Kind.CAPTURE, made.payment_reference, 900)
    assert (await gateway.send(capture)).outcome is Outcome.DECLINED
    assert there(address, made.payment_reference)["status"] == "requires_capture"
    assert (await gateway.ask(capture)).outcome is Outcome.NOT_EXECUTED


async def test_a_card_that_declines_and_one_that_asks_the_shopper(address, http):
    outcomes = {}
    for card in ("pm_card_chargeDeclined", "pm_card_authenticationRequired"):
        settings = {"base_url": address, "payment_method": card, "search": False}
        gateway = open_gateway("stripe", settings, KEY, http=http)
        outcomes[card] = (await gateway.send(call_for(Kind.AUTHORIZE))).outcome
    assert Outcome.SUCCEEDED not in outcomes.values()


async def test_it_is_not_asked_for_what_it_cannot_tell(gateway):
    asked = await gateway.ask(call_for(Kind.AUTHORIZE))
    assert (asked.outcome, asked.error_code) == (Outcome.UNKNOWN, CANNOT_TELL)
