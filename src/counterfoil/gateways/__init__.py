"""Where money moves: one adapter a file, each proved by the same contract suite.

An adapter turns a call into one exchange with its provider and sorts the answer into the four
outcomes; it decides nothing else and remembers nothing. What each kind can do is in
`order.capability`. How to write another one: docs/how-to/write-a-gateway.md.
"""

from typing import Any

from counterfoil.gateways.manual import ManualGateway
from counterfoil.gateways.port import Gateway, GatewayMisconfigured
from counterfoil.gateways.sandbox import SandboxGateway
from counterfoil.gateways.stripe_gateway import StripeGateway
from counterfoil.gateways.zip import ZipGateway
from counterfoil.kernel.http import Http
from counterfoil.order.capability import capabilities

KINDS: dict[
    str, type[ManualGateway] | type[SandboxGateway] | type[ZipGateway] | type[StripeGateway]
] = {
    "manual": ManualGateway,
    "sandbox": SandboxGateway,
    "zip": ZipGateway,
    "stripe": StripeGateway,
}


def open_gateway(
    kind: str,
    settings: dict[str, Any],
    credentials: dict[str, Any],
    *,
    http: Http | None = None,
) -> Gateway:
    """Open the adapter of a configured gateway. Opening contacts nobody.

    `http` is the process's client for trusted addresses; without it each exchange connects anew.
    Raises GatewayMisconfigured: the kind is not known, a setting or credential is missing or wrong.
    """
    if kind not in KINDS:
        raise GatewayMisconfigured(f"There is no gateway of kind {kind!r}.")
    return KINDS[kind](settings, credentials, http)


__all__ = ["KINDS", "Gateway", "GatewayMisconfigured", "capabilities", "open_gateway"]
