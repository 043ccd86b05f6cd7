"""Money that moves elsewhere: cash, bank transfer, a terminal. What staff say is believed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from counterfoil.gateways.port import HookRefused
from counterfoil.kernel.http import Http
from counterfoil.order.capability import capabilities
from counterfoil.order.gateway import Answer, Call, Capabilities, Notice, Outcome, Statement


class _Settings(msgspec.Struct):
    """What shall not be possible, although nobody would refuse it."""

    partial_capture: bool | None = None
    multi_capture: bool | None = None
    partial_void: bool | None = None
    hold_seconds: Annotated[int, msgspec.Meta(ge=1)] | None = None


class _Credentials(msgspec.Struct):
    """Nobody asks for any."""


class ManualGateway:
    """There is no provider: every call succeeds at once, and a repeat gets the same answer."""

    SETTINGS, CREDENTIALS = _Settings, _Credentials

    def __init__(
        self, settings: dict[str, Any], credentials: dict[str, Any], http: Http | None = None
    ) -> None:
        self._capabilities = capabilities("manual", settings)

    @property
    def capabilities(self) -> Capabilities:
        """Tell that it is instant and takes any part of an amount."""
        return self._capabilities

    async def send(self, call: Call) -> Answer:
        """Believe it."""
        return Answer(
            outcome=Outcome.SUCCEEDED,
            gateway_transaction_id=f"manual-{call.transaction_id}",
            payment_reference=call.payment_reference or f"manual-{call.our_reference}",
            amount=call.amount,
            raw={"note": "Recorded by hand; no provider was asked."},
        )

    async def ask(self, call: Call) -> Answer:
        """Believe it again: what was recorded took place."""
        return await self.send(call)

    async def statement(self, payment_reference: str) -> Statement | None:
        """Nobody else keeps an account of it."""
        return None

    def receive(
        self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, at: datetime
    ) -> Notice:
        """Nobody calls us about it."""
        raise HookRefused("This gateway has no provider that would call.")

    async def test(self) -> dict[str, Any]:
        """There is nobody to reach."""
        return {"ok": True, "message": "Nothing to reach.", "elapsed_ms": 0}
