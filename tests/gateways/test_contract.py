"""The contract, for each adapter."""

import pytest

from counterfoil.gateways import open_gateway
from counterfoil.kernel.http import Http
from tests.gateways.contract import DEADLINE_S, Contract, ProviderContract, Rig
from tests.sandbox.server import API_KEY, Sandbox


class TestManual(Contract):
    @pytest.fixture
    def rig(self) -> Rig:
        return Rig(open_gateway("manual", {}, {}), secret="none")


class TestSandbox(ProviderContract):
    @pytest.fixture
    def rig(self, sandbox: Sandbox, http: Http) -> Rig:
        settings = {**sandbox.settings, "deadline_s": DEADLINE_S}
        return Rig(
            open_gateway("sandbox", settings, sandbox.credentials, http=http),
            secret=API_KEY,
            effects=lambda reference: sandbox.ledger(reference=reference),
            fault=lambda name, reference, seconds: sandbox.fault(
                name, reference=reference, seconds=seconds
            ),
        )
