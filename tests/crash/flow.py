"""What a flow is, and the instants at which one can die."""

from dataclasses import dataclass, field
from typing import Any

from counterfoil.work.desk import Pace
from tests.sandbox.server import Sandbox
from tests.work.shop import RENEW, Said, Shop

PLACE, WAIT = "place", "wait"
#: Nothing waits for a provider here, so that a slow machine is not taken for a silent one.
PACE = Pace(lease_s=30, deadline_s=25, propagation_s=1, mail_deadline_s=25)
#: Until leases have ended, and then some.
SOON_S = (31, 70, 70)
DULL_MAX = 2
Before = tuple[tuple[str, dict[str, Any]], ...]
#: Lines that every door passes which asks a provider to move money.
MOVES_MONEY = frozenset({
    "book.commit", "book.committed", "settle.intent", "settle.before_call", "settle.after_call",
    "settle.before_book", "settle.booked", "settle.before_answer",
})


@dataclass(frozen=True)
class Flow:
    """A command, what came before it, and what it leads to however often somebody dies.

    `wound` says how the order comes to the worker: `died` names the line at which the door died,
    `fault` what the provider did to the door. Without one the worker finds it by the time alone.
    `there` is how many of its effects the provider has by then, where it is asked for several at
    once and a death might come before or after it hears of the last. `console` is what somebody
    does at the provider's before; `passes` the lines it must pass.
    """

    command: str
    leads_to: dict[str, int]
    state: str = "PROCESSING"
    before: Before = ()
    wanted: dict[str, Any] = field(default_factory=dict)
    placed: dict[str, Any] = field(default_factory=dict)
    died: str | None = None
    fault: str | None = None
    there: int | None = None
    steps_s: tuple[int, ...] = SOON_S
    console: tuple[tuple[str, int], ...] = ()
    passes: frozenset[str] = MOVES_MONEY

    async def prepare(self, shop: Shop, sandbox: Sandbox) -> str:
        """Make the order as it is before the command; none where the command places it."""
        if self.command == PLACE:
            return ""
        order_id = await shop.order(5000, bags=2, **self.placed)
        for command, wanted in self.before:
            await shop.run(command, order_id, **wanted)
        for kind, amount in self.console:
            payment = (await shop.folder(order_id)).payments[0].provider_reference
            sandbox.call("POST", f"/control/payments/{payment}/moves",
                         {"kind": kind, "amount": amount})
        return order_id

    async def assert_more(self, shop: Shop, order_id: str) -> None:
        """Look at what only this flow leaves behind."""

    async def play(self, shop: Shop, order_id: str, key: str) -> Said | None:
        """Do it under a key, in the same words here and in the process that dies.

        Nothing is said where nobody asked: it was the worker's own.
        """
        if self.command == WAIT:
            return None
        if self.command == PLACE:
            return await shop.place(5000, key=key, bags=2, **self.placed)
        wanted = dict(self.wanted)
        if self.command == RENEW:
            wanted["payment_id"] = (await shop.folder(order_id)).payments[0].id
        if "reference" in wanted:
            wanted["reference"] = f"{order_id}-{wanted['reference']}"
        return await shop.run(self.command, order_id, key=key, **wanted)


def instants(points: list[str]) -> list[str]:
    """Pick one failpoint between each two exchanges with the database or the network.

    A process that dies at either of two failpoints with no exchange between them leaves the same
    world behind. A name that says where the flow is is preferred to that of the exchange. A worker
    that looks into one empty lane after the other is left alone after the first two.
    """
    found: list[str] = []
    group: list[str] = []
    dull = 0
    for point in [*points, "db.told"]:
        if point.startswith(("db.told", "http.told")):
            named = [one for one in group if not one.startswith(("db.", "http."))]
            dull = 0 if named else dull + 1
            if dull <= DULL_MAX:
                found += (named or group)[:1]
            group = []
        else:
            group.append(point)
    return found
