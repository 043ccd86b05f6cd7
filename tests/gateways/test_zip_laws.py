"""The laws of what happens after the call, as far as Zip tells of it."""

import pytest

from counterfoil.kernel.http import Http
from tests.gateways.later import Later, RedirectLaws, StatementLaws, authorized, stated
from tests.gateways.zip_rig import gateway_at, shopper
from tests.sandbox.server import Sandbox


@pytest.fixture
def rig(sandbox: Sandbox, http: Http) -> Later:
    def press(payment: str, does: str) -> None:
        shopper(sandbox, payment, does)

    return Later(gateway_at(sandbox, http), shopper=press, currency="NZD")


class TestZipRedirects(RedirectLaws):
    pass


class TestZipStatements(StatementLaws):
    async def test_a_hold_says_until_when(self, rig: Later) -> None:
        """Zip does not: its holds end after the time that the gateway's setting says."""
        _, payment = await authorized(rig, 1000)
        assert (await stated(rig, payment)).expires_at is None
        assert rig.gateway.capabilities.hold_seconds == 900
