"""The flows that are killed: what a process does, from which state, and what it must lead to."""

from dataclasses import dataclass, field
from typing import Any

from tests.work.shop import CANCEL, CAPTURE, PAY, REFUND, RENEW, VOID, Said, Shop

PLACE, EXPIRE = "place", "expire"
DAY_S = 24 * 3600
SOON_S = (2, 70, 70)
A = {"authorized": 5000}
TAKEN = A | {"captured": 5000}
PART = {"amount": 2000}
BACK = {"amount": 700, "reference": "R-1"}


@dataclass(frozen=True)
class Flow:
    """A command, what came before it, and what it leads to however often somebody dies.

    `wound` says how the order comes to the worker: `died` names the line at which the door died,
    `fault` what the provider did to the door. Without one the worker finds it by the time alone.
    """

    command: str
    leads_to: dict[str, int]
    state: str = "PROCESSING"
    before: "Before" = ()
    wanted: dict[str, Any] = field(default_factory=dict)
    placed: dict[str, Any] = field(default_factory=dict)
    died: str | None = None
    fault: str | None = None
    steps_s: tuple[int, ...] = SOON_S

    async def prepare(self, shop: Shop) -> str:
        """Make the order as it is before the command; none where the command places it."""
        if self.command == PLACE:
            return ""
        order_id = await shop.order(5000, bags=2, **self.placed)
        for command, wanted in self.before:
            await shop.run(command, order_id, **wanted)
        return order_id

    async def play(self, shop: Shop, order_id: str, key: str) -> Said:
        """Do it under a key, in the same words here and in the process that dies."""
        if self.command == PLACE:
            return await shop.place(5000, key=key, bags=2, **self.placed)
        wanted = dict(self.wanted)
        if self.command == RENEW:
            wanted["payment_id"] = (await shop.folder(order_id)).payments[0].id
        if "reference" in wanted:
            wanted["reference"] = f"{order_id}-{wanted['reference']}"
        return await shop.run(self.command, order_id, key=key, **wanted)


Before = tuple[tuple[str, dict[str, Any]], ...]
TOOK_PART: Before = ((CAPTURE, PART),)
TOOK_ALL: Before = ((CAPTURE, {}),)
#: Paid by two payments, and most of both given back under one reference.
TWICE: dict[str, Any] = {
    "placed": {"amount": 3000, "flow": "payment"},
    "before": ((PAY, {"gateway": "card", "amount": 2000, "flow": "payment"}),),
    "wanted": {"amount": 4000, "reference": "R-2"},
}

DOORS = {
    "place": Flow(PLACE, A | {"open": 5000}, "NEW"),
    "place and take": Flow(PLACE, TAKEN, "NEW", placed={"flow": "payment"}),
    "capture": Flow(CAPTURE, TAKEN),
    "capture part": Flow(CAPTURE, A | {"captured": 2000, "open": 3000}, wanted=PART),
    "capture the rest": Flow(CAPTURE, TAKEN, before=TOOK_PART, wanted={"amount": 3000}),
    "void": Flow(VOID, A | {"voided": 5000}, "CANCELED"),
    "refund": Flow(REFUND, TAKEN | {"refunded": 700}, before=TOOK_ALL, wanted=BACK),
    "refund through two payments": Flow(REFUND, TAKEN | {"refunded": 4000}, "NEW", **TWICE),
    "cancel": Flow(CANCEL, A | {"captured": 2000, "voided": 3000, "refunded": 2000}, "CANCELED",
                   before=TOOK_PART),
    "acknowledge": Flow("acknowledge", A | {"open": 5000}, "NEW"),
    "pay the rest": Flow(PAY, A | {"open": 5000}, "NEW", placed={"amount": 2000}),
}
"""What a door does, and dies of."""

WORKERS = {
    "settle what was not sent": Flow(CAPTURE, TAKEN, died="settle.before_call"),
    "settle what was not heard": Flow(CAPTURE, TAKEN, died="settle.after_call"),
    "send again what was turned away": Flow(CAPTURE, TAKEN, fault="429"),
    "ask about an unknown refund": Flow(
        REFUND, TAKEN | {"refunded": 700}, before=TOOK_ALL, wanted=BACK, fault="5xx_after_effect"),
    "send again what the provider never saw": Flow(
        VOID, A | {"voided": 5000}, "CANCELED", fault="5xx_before"),
    "go on with half a refund": Flow(
        REFUND, TAKEN | {"refunded": 4000}, "NEW", died="settle.booked", **TWICE),
    "release what was renewed": Flow(
        RENEW, {"authorized": 10_000, "voided": 5000, "open": 5000}, "NEW",
        died="settle.after_call"),
    "go on cancelling": Flow(
        CANCEL, A | {"captured": 2000, "voided": 3000, "refunded": 2000}, "CANCELED",
        before=TOOK_PART, died="settle.intent"),
    EXPIRE: Flow(EXPIRE, A | {"captured": 2000, "expired": 3000}, before=TOOK_PART,
                 steps_s=(8 * DAY_S, 70, 70)),
}
"""What a worker finds, and dies of."""

FLOWS = DOORS | WORKERS


def instants(points: list[str]) -> list[str]:
    """Pick one failpoint between each two exchanges with the database or the network.

    A process that dies at either of two failpoints with no exchange between them leaves the same
    world behind. A name that says where the flow is is preferred to that of the exchange.
    """
    found: list[str] = []
    group: list[str] = []
    for point in [*points, "db.told"]:
        if point.startswith(("db.told", "http.told")):
            named = [one for one in group if not one.startswith(("db.", "http."))]
            found += (named or group)[:1]
            group = []
        else:
            group.append(point)
    return found
