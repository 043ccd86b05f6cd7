"""The laws of what happens after the call, for Stripe: all of them."""

import json
import time
from collections.abc import Iterator

import pytest

from counterfoil.gateways import open_gateway
from counterfoil.kernel.http import Http
from tests.gateways.forgeries import Ring
from tests.gateways.later import HookLaws, Later, LateRefundLaws, RedirectLaws, StatementLaws
from tests.sandbox.receiver import Receiver
from tests.sandbox.server import API_KEY, Sandbox


def gateway_at(sandbox: Sandbox, http: Http, card: str = "pm_card_visa", secret: str | None = None):
    settings = {"base_url": sandbox.url + "/stripe", "payment_method": card}
    credentials = {"api_key": API_KEY} | ({"webhook_secret": secret} if secret else {})
    return open_gateway("stripe", settings, credentials, http=http)


@pytest.fixture
def rig(sandbox: Sandbox, http: Http) -> Later:
    def end(reference: str, how: str) -> None:
        sandbox.end(reference, how)

    return Later(
        gateway_at(sandbox, http),
        hold=lambda reference: sandbox.fault("async", reference=reference),
        end=end,
    )


class TestStripeStatements(StatementLaws):
    pass


class TestStripeLateRefunds(LateRefundLaws):
    pass


class TestStripeRedirects(RedirectLaws):
    @pytest.fixture
    def rig(self, sandbox: Sandbox, http: Http) -> Later:
        def shopper(payment: str, does: str) -> None:
            sandbox.shopper(payment.replace("pi_", "pay_"), does)

        return Later(gateway_at(sandbox, http, "pm_card_authenticationRequired"), shopper=shopper)


class TestStripeHooks(HookLaws):
    @pytest.fixture
    def rig(self, sandbox: Sandbox, http: Http) -> Iterator[Later]:
        with Receiver() as receiver:
            made = stripe_call(sandbox, "POST", "", {"url": receiver.url})

            def ring(payment: str) -> Ring:
                until = time.monotonic() + 10
                while time.monotonic() < until:
                    for heard in receiver.wait(1):
                        if json.loads(heard.body)["data"]["object"]["id"] == payment:
                            return Ring(heard.headers, {}, heard.body)
                    time.sleep(0.05)
                raise AssertionError("no call came")

            yield Later(
                gateway_at(sandbox, http, secret=made["secret"]),
                ring=ring,
                headers={"signature": "stripe-signature"},
            )
            stripe_call(sandbox, "DELETE", f"/{made['id']}", None)


def stripe_call(sandbox: Sandbox, method: str, path: str, fields: dict[str, str] | None):
    headers = {"authorization": f"Bearer {API_KEY}"}
    url = f"{sandbox.url}/stripe/v1/webhook_endpoints{path}"
    return sandbox.client.request(method, url, data=fields, headers=headers).json()
