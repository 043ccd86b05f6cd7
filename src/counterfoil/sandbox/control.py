"""What a test or a demonstration tells the sandbox to do: rules for faults, the clock, terms."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from counterfoil.sandbox.faults import Fault

Asked = Literal["authorize", "capture", "void", "refund", "acknowledge", "query", "payment"]
Seconds = Annotated[int, Meta(ge=0, le=3600)]


class Match(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which calls a rule is for; what is left out matches everything.

    `query` is the status query, `payment` the reading of a payment.
    """

    kind: Asked | None = None
    reference: str | None = None
    payment: str | None = None
    amount: int | None = None


class Script(Struct, forbid_unknown_fields=True):
    """What shall go wrong, how often (null: always), and for how long where time matters.

    `visible_after_s` keeps the operation from the status query for so long.
    """

    fault: Fault
    match: Match = Match()
    times: Annotated[int, Meta(ge=1, le=1_000_000)] | None = 1
    seconds: Seconds | None = None
    visible_after_s: Seconds = 0


class Scripts(Struct):
    """The rules that are still to be played, oldest first."""

    faults: list[Script]


class Clock(Struct, forbid_unknown_fields=True):
    """How far this process's clock stands from the machine's, in seconds; kept over restarts."""

    offset_seconds: Annotated[int, Meta(ge=-(10**9), le=10**9)]


class Terms(Struct, forbid_unknown_fields=True):
    """What this provider's contract says; null leaves it. For as long as the process runs.

    `fee_basis_points` of a capture plus `fee_fixed` minor units are kept; an authorisation holds
    for `hold_s`, an idempotency key lives for `key_lifetime_s`, and the status query knows an
    operation after `propagation_s`.
    """

    fee_basis_points: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    fee_fixed: Annotated[int, Meta(ge=0, le=10**6)] | None = None
    hold_s: Annotated[int, Meta(ge=1, le=366 * 86400)] | None = None
    key_lifetime_s: Annotated[int, Meta(ge=1, le=366 * 86400)] | None = None
    propagation_s: Seconds | None = None


class Rules:
    """The scripted faults, oldest first; the first that matches is played and counted down."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []

    def take(self, asked: Match) -> Script | None:
        """Find the first rule for this call and count it down; None where there is none."""
        for script in self.scripts:
            want = script.match
            pairs = (
                (want.kind, asked.kind),
                (want.reference, asked.reference),
                (want.payment, asked.payment),
                (want.amount, asked.amount),
            )
            if all(wanted is None or wanted == has for wanted, has in pairs):
                if script.times is not None:
                    script.times -= 1
                    if script.times == 0:
                        self.scripts.remove(script)
                return script
        return None
