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
    "zip": Capabilities(
        # Several captures come with the scope for partial ones. [Z-18, Z-19]
        partial_capture=False,
        multi_capture=False,
        hold_seconds=15 * 60,
        acknowledge=True,
        query=False,
        redirect=True,
        hooks=True,
    ),
    "stripe": Capabilities(
        multi_capture=False,
        partial_void=False,
        hold_seconds=7 * 24 * 3600,
        asynchronous=True,
        redirect=True,
        reauthorize=True,
        hooks=True,
        card=True,
        # docs.stripe.com/currencies, special cases: whole krónur and shillings are counted in
        # hundredths, ariary in whole ones, and the last digit of thousandths is always 0.
        exponents={"ISK": 2, "MGA": 0, "UGX": 2},
        multiples={
            **dict.fromkeys(("ISK", "UGX"), 100),
            **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 10),
        },
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
    """Tell what a configured gateway can do: its kind's capabilities, narrowed by its settings.

    Settings widen one thing: the scope of an account that lets it capture a part lets it capture
    the other parts too, unless they say otherwise. [Z-19]
    """
    base = CAPABILITIES[kind]
    narrowed = {name: settings[name] for name in _NARROWED if name in settings}
    if not base.partial_capture and narrowed.get("partial_capture"):
        narrowed.setdefault("multi_capture", True)
    return msgspec.structs.replace(base, **narrowed) if narrowed else base
