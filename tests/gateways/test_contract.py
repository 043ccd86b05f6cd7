"""The contract, for each adapter."""

from typing import Any

import pytest

from counterfoil.gateways import open_gateway
from counterfoil.kernel.http import Http
from counterfoil.order.gateway import Kind
from tests.gateways.contract import DEADLINE_S, Contract, ProviderContract, Rig
from tests.gateways.zip_rig import PARTIAL, shopper, zip_settings
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


class TestZip(ProviderContract):
    """Against the sandbox in the shape of Zip, with the scope for partial captures."""

    @pytest.fixture
    def rig(self, sandbox: Sandbox, http: Http) -> Rig:
        settings = {**zip_settings(sandbox), "deadline_s": DEADLINE_S, "partial_capture": True}
        return Rig(
            open_gateway("zip", settings, PARTIAL, http=http),
            secret=API_KEY,
            effects=lambda reference: sandbox.ledger(reference=reference),
            fault=lambda name, reference, seconds: sandbox.fault(
                name, reference=reference, seconds=seconds
            ),
            question=lambda name, payment: sandbox.fault(name, kind="payment", payment=payment),
            shopper=lambda payment: shopper(sandbox, payment, "approve"),
            currency="NZD",
            declined="MRM007",
        )


class TestStripe(ProviderContract):
    @pytest.fixture
    def rig(self, sandbox: Sandbox, http: Http) -> Rig:
        settings = {
            "base_url": f"{sandbox.url}/stripe",
            "deadline_s": DEADLINE_S,
            "payment_method": "pm_card_visa",
        }

        def effects(reference: str) -> list[dict[str, Any]]:
            """What a capture released with the rest is no effect of its own."""
            found = sandbox.ledger(reference=reference)
            return list({one["operation"]: one for one in reversed(found)}.values())

        return Rig(
            open_gateway("stripe", settings, sandbox.credentials, http=http),
            secret=API_KEY,
            effects=effects,
            fault=lambda name, reference, seconds: sandbox.fault(
                name, reference=reference, seconds=seconds
            ),
            forgets=(Kind.CAPTURE, Kind.VOID, Kind.REFUND),
            lacks=(Kind.ACKNOWLEDGE,),
        )
