"""Which gateways there are and what each can do, in one table."""

from typing import Any

import msgspec

from counterfoil.order.gateway import Capabilities

#: What each kind of gateway can do unless its settings narrow it.
CAPABILITIES = {
    "manual": Capabilities(instant=True),
    "sandbox": Capabilities(
        hold_seconds=7 * 24 * 3600,
        acknowledge=True,
        asynchronous=True,
        reauthorize=True,
        hooks=True,
        card=True,
    ),
}

_NARROWED = (
    "partial_capture",
    "multi_capture",
    "partial_void",
    "hold_seconds",
    "acknowledge",
    "redirect",
    "reauthorize",
)


def capabilities(kind: str, settings: dict[str, Any]) -> Capabilities:
    """Tell what a configured gateway can do: its kind's capabilities, narrowed by its settings."""
    base = CAPABILITIES[kind]
    narrowed = {name: settings[name] for name in _NARROWED if name in settings}
    return msgspec.structs.replace(base, **narrowed) if narrowed else base
