"""Gateways: what each kind can do; and what goes wrong on demand in the sandbox."""

import msgspec

from counterfoil.order.capability import CAPABILITIES
from counterfoil.order.gateway import Capabilities, Outcome
from counterfoil.sandbox.faults import MAGIC, MAGIC_KINDS, Fault
from counterfoil.sandbox.hooks import Trick
from docs.generator.markdown import code, page, plain, table

#: What each capability means. Every one has its sentence.
_MEANS = {
    "instant": "There is no provider: what is asked for has happened.",
    "partial_capture": "Less than what is authorised may be captured.",
    "multi_capture": "There may be several captures; else the first one releases the rest.",
    "partial_void": "Less than what is open may be released.",
    "hold_seconds": "How long an authorisation holds. Nothing: for ever.",
    "acknowledge": "Acknowledging an authorisation stops its clock.",
    "query": "A movement can be asked about by our reference.",
    "asynchronous": "An answer may come later than the call.",
    "refund_window_days": "For how long money can be given back. Nothing: always.",
    "redirect": "The shopper confirms at the provider's page.",
    "reauthorize": "A new authorisation can be had from an earlier payment.",
    "hooks": "The provider tells of changes.",
    "card": "The shopper paid by card.",
    "exponents": "Decimals of currencies that the provider counts in its own way.",
    "multiples": "What amounts in the smallest unit must be divisible by, in some currencies.",
}
_OUTCOMES = {
    "SUCCEEDED": "The provider says that it is done.",
    "DECLINED": "The provider says no for good. No money moved, and none will for this movement.",
    "NOT_EXECUTED": "This call had no effect; it may be sent again.",
    "UNKNOWN": "Anything else. The amount stays reserved until the provider has been asked.",
}
_PHASES = {
    "before": "Instead of the effect",
    "during": "In the decision itself",
    "after": "After the effect: only the answer suffers",
}


def gateways_page() -> str:
    """Write the page about kinds of gateways."""
    names = Capabilities.__struct_fields__
    assert set(_MEANS) == set(names), "docs/generator/gateways.py: each capability has a sentence"
    assert list(_OUTCOMES) == list(Outcome), "docs/generator/gateways.py: each outcome has one"
    return page(
        "Gateways",
        """
        A gateway is a place where money moves. The program knows the kinds below; an account
        connects any number of gateways of each kind. What a gateway can do decides what is offered
        and what is refused. Settings of the same name narrow it.
        """,
        "## Kinds\n\n"
        + table(
            ["", *(code(kind) for kind in CAPABILITIES), "what it means"],
            (
                [code(name), *(_shown(able, name) for able in CAPABILITIES.values()), _MEANS[name]]
                for name in names
            ),
        ),
        "## What an answer can mean\n\nEvery answer of a provider is sorted into one of four.\n\n"
        + table(["outcome", ""], ([code(name), says] for name, says in _OUTCOMES.items())),
    )


def _shown(able: Capabilities, name: str) -> str:
    value = msgspec.structs.asdict(able)[name]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{currency} {number}" for currency, number in sorted(value.items()))
    return "" if value is None else str(value)


def sandbox_page() -> str:
    """Write the page about the sandbox's faults."""
    ends = {fault: str(ending) for ending, fault in MAGIC.items()}
    return page(
        "Faults of the sandbox",
        f"""
        The sandbox is a card gateway to practise on: a process of its own that speaks HTTP, keeps
        a ledger and fails on demand. How to choose a fault is in
        [Take payments at the sandbox](../how-to/take-payments-at-the-sandbox.md); its own API is
        described at `/openapi.json` of its address.

        The last two digits of an amount choose a fault too: for a
        {", a ".join(sorted(MAGIC_KINDS))}, on payments made while the gateway has the setting
        `magic_amounts`, and at the first attempt only, so that the repeat ends well.
        """,
        *(
            f"## {title}\n\n"
            + table(
                ["fault", "amounts ending in", "what the caller sees"],
                (
                    [code(fault.value), ends.get(fault, ""), plain(fault.sentence)]
                    for fault in Fault
                    if fault.phase == phase
                ),
            )
            for phase, title in _PHASES.items()
        ),
        "## In telling of changes\n\nScripted for events, at `/control/tricks`.\n\n"
        + table(
            ["trick", "what the receiver sees"],
            ([code(trick.value), plain(trick.sentence)] for trick in Trick),
        ),
    )
