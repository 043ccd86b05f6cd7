"""What happens after the call, for each adapter whose provider does such things."""

from collections.abc import Iterator

import pytest

from counterfoil.gateways import open_gateway
from counterfoil.kernel.http import Http
from tests.gateways.forgeries import FORGERIES, Ring
from tests.gateways.later import HookLaws, Later, LateRefundLaws, RedirectLaws, StatementLaws
from tests.sandbox.receiver import SECRET, Receiver
from tests.sandbox.server import Sandbox


@pytest.fixture
def rig(sandbox: Sandbox, http: Http) -> Later:
    def end(reference: str, how: str) -> None:
        sandbox.end(reference, how)

    return Later(
        open_gateway("sandbox", sandbox.settings, sandbox.credentials, http=http),
        hold=lambda reference: sandbox.fault("async", reference=reference),
        end=end,
    )


def redirecting(sandbox: Sandbox, http: Http) -> Later:
    def shopper(payment: str, does: str) -> None:
        sandbox.shopper(payment, does)

    settings = {**sandbox.settings, "redirect": True}
    gateway = open_gateway("sandbox", settings, sandbox.credentials, http=http)
    return Later(gateway, shopper=shopper)


def test_there_are_enough_forgeries():
    assert len(FORGERIES) >= 30


class TestSandboxStatements(StatementLaws):
    pass


class TestSandboxLateRefunds(LateRefundLaws):
    pass


class TestSandboxHooks(HookLaws):
    @pytest.fixture
    def rig(self, sandbox: Sandbox, http: Http) -> Iterator[Later]:
        settings = {**sandbox.settings, "account": "acct_hook_laws"}
        credentials = {**sandbox.credentials, "webhook_secret": SECRET}
        with Receiver() as receiver:
            hook = sandbox.hook(receiver.url, SECRET, account="acct_hook_laws")

            def ring(payment: str) -> Ring:
                (heard,) = receiver.wait(1)
                assert heard.event["payment"] == payment
                return Ring(heard.headers, {}, heard.body)

            yield Later(
                open_gateway("sandbox", settings, credentials, http=http),
                ring=ring,
                headers={name: f"webhook-{name}" for name in ("id", "timestamp", "signature")},
            )
            sandbox.call("DELETE", f"/control/hooks/{hook}")


class TestSandboxRedirects(RedirectLaws):
    @pytest.fixture
    def rig(self, sandbox: Sandbox, http: Http) -> Later:
        return redirecting(sandbox, http)


class TestSandboxRedirectStatements(StatementLaws):
    """A payment that the shopper confirmed is a payment like others."""

    @pytest.fixture
    def rig(self, sandbox: Sandbox, http: Http) -> Later:
        return redirecting(sandbox, http)
