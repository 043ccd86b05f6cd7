"""One schedule: clients and workers at the same orders, and whatever may go wrong meanwhile.

Then everything is repeated and worked off, and the verdict is spoken: one effect for each request,
our ledger equal to the provider's, nothing that waits for nobody. [faults §1 V3 to V9, G2]
"""

import random
from dataclasses import dataclass, field
from typing import Any

from counterfoil.kernel.db import Gone
from counterfoil.kernel.due import claim
from counterfoil.kernel.problem import NotFound, Problem, Unavailable
from counterfoil.order.folder import Folder
from counterfoil.order.problems import RequestInProgress
from counterfoil.work.lanes import LANES, run_row
from counterfoil.work.sync import sync_now, sync_order
from tests.soak.actor import Actor, Died, Fate
from tests.soak.choices import Choices
from tests.soak.goods import (
    EXCHANGING,
    GOODS,
    PAY_EXCHANGE,
    SEND_EXCHANGE,
    SENDING,
    UNITS,
    concrete,
)
from tests.soak.verdict import judge
from tests.soak.world import World
from tests.work.hooking import events, tell
from tests.work.shop import CANCEL, CAPTURE, PAY, REFUND, STATE, VOID, Said, Shop

LANES_OF_MONEY = [lane for lane in LANES if lane.name in ("money", "expiry", "hooks")]
SYNC = "sync"
TOTAL = 5000
TRIES_MAX = 5
STEPS_MAX = 1500
HOUR_S, DAY_S = 3600, 24 * 3600
#: What a client may want, and how often it does.
WANTED: list[tuple[str, dict[str, Any], int]] = [
    (CAPTURE, {"amount": 2000}, 4),
    (CAPTURE, {"amount": 3000}, 2),
    (CAPTURE, {}, 2),
    (REFUND, {"amount": 700}, 3),
    (REFUND, {"amount": 2000}, 2),
    (VOID, {}, 1),
    (VOID, {"amount": 1000}, 1),
    (CANCEL, {}, 1),
    ("acknowledge", {}, 1),
    (PAY, {"gateway": "card", "amount": 2000}, 2),
    (SYNC, {}, 2),
    *GOODS,
]
#: How an order is paid at first; what is left over a client may pay with a second payment.
PAID: list[tuple[dict[str, Any], int]] = [
    ({}, 3), ({"flow": "payment"}, 1), ({"amount": 3000}, 1),
    ({"amount": 3000, "flow": "payment"}, 1),
]
#: What an order has been through: nothing, its first line has left, a piece of it was exchanged.
BEFORE = [[], [SENDING], [SENDING, EXCHANGING]]
OFTEN_BEFORE = (2, 1, 2)
#: How a provider may fail, and how often it does; that nobody hears of it is a fate.
FAULTS: list[tuple[str, float]] = [
    ("5xx_after_effect", 6), ("reset_after_effect", 6), ("5xx_before", 4), ("reset_before", 4),
    ("decline", 4), ("429", 3), ("in_use", 3), ("garbage_200", 3), ("truncated_200", 2),
    ("missing_200", 2), ("unknown_status_200", 2), ("amount_200", 2), ("currency_200", 1),
    ("not_found", 3), ("fails_later", 3), ("pending", 3), ("pending_then_failed", 2),
]
LATER = ("pending", "pending_then_failed", "fails_later")
#: What may happen to an exchange, by where it is asked for.
FATES = {"db.asks": (Fate.CUT, Fate.CUT_AFTER), "http.asks": (Fate.SILENCE,)}
FAULTY = (None, CAPTURE, REFUND, VOID, "query")
NAP_S = 70
JUMPS_S = (3, 31, 70, 400)
LEAPS_S = (HOUR_S + 100, 22 * HOUR_S, 8 * DAY_S)
#: One step, a death, a lost answer, time, a fault, the sequencer, an actor that stands still, a
#: call of the provider: how often, in each temper. What hides a bug in one shows it in another.
TEMPERS = {
    "mixed": (100, 3, 3, 4, 4, 1, 4, 4),
    "deadly": (100, 12, 8, 4, 1, 1, 0, 2),
    "faulty": (100, 1, 1, 6, 12, 1, 1, 2),
    "sleepy": (100, 1, 1, 2, 1, 1, 15, 1),
    "talkative": (100, 3, 3, 4, 4, 1, 4, 20),
}
#: While somebody stands still time passes more often; the last but one is that he wakes up.
STILL = (100, 1, 1, 18, 3, 1, 3, 4)
#: Until every retry has come and every provider has been asked often enough.
DRAIN_S = (31, 70, 70, 200, 700, 2 * HOUR_S, 2 * HOUR_S, 2 * HOUR_S)
GIVEN_UP_S = (25 * HOUR_S, 2 * HOUR_S, 2 * HOUR_S)


@dataclass
class Request:
    """A command under its key, and every answer it got.

    `target` is the order that it was about, where that is not the one it began with.
    """

    kind: str
    order: str
    wanted: dict[str, Any]
    key: str
    told: list[Said] = field(default_factory=list)
    refused: str = ""
    begun: bool = False
    tries: int = 0
    target: str | None = None

    async def play(self, shop: Shop) -> Said:
        if self.kind == SYNC:
            its = shop.key(self.key, f"sync {self.order}")
            return Said(await sync_now(shop.works, shop.actor, self.order, its))
        if self.kind in (PAY_EXCHANGE, SEND_EXCHANGE):
            return await self._play_exchange(shop)
        return await shop.run(self.kind, self.order, key=self.key, **self.wanted)

    async def _play_exchange(self, shop: Shop) -> Said:
        """Pay for, or send, what the first exchange of the order is to bring. Raises NotFound."""
        if self.target is None:
            found = linked_to(await shop.folder(self.order))
            if not found:
                raise NotFound("Nothing is sent for it.")
            self.target = found[0]
        if self.kind == PAY_EXCHANGE:
            return await shop.run(PAY, self.target, key=self.key, **self.wanted)
        item = (await shop.folder(self.target)).items[0]
        return await shop.run(STATE, self.target, key=self.key, item_id=item.id, **self.wanted)


@dataclass
class Schedule:
    """A world, the choices, and what has been going on."""

    world: World
    choices: Choices
    orders: list[str] = field(default_factory=list)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    wanting: dict[str, list[Request]] = field(default_factory=dict)
    still: Actor | None = None
    temper: tuple[int, ...] = TEMPERS["mixed"]

    def tell(self, what: str) -> None:
        self.story.append(what)

    async def play(self) -> None:
        """Play it and judge it. Raises AssertionError."""
        random.seed(self.choices.seed)  # the jitter of every retry
        self.world.ear.heard.clear()
        await self._prepare()
        for _ in range(STEPS_MAX):
            able = self._able()
            if not able:
                break
            await self._happen(able)
            assert self.world.ear.heard == []
        for actor in self.world.actors:
            while not actor.idle:
                actor.go_on()
        await self._settle_down()
        await judge(self)

    async def _prepare(self) -> None:
        for actor in self.world.actors:
            actor.start_anew()
        temper = self.choices.one_of(list(TEMPERS))
        self.temper = TEMPERS[temper]
        self.tell(f"a {temper} day")
        for number in range(self.choices.one_of((1, 2))):
            paid = self.choices.one_of([how for how, _ in PAID], [often for _, often in PAID])
            placed = await self.world.home.place(TOTAL, bags=2, units=UNITS, **paid)
            self.orders.append(placed.body["id"])
            self.bodies[placed.body["id"]] = placed.body
            self.tell(f"order {number} is placed, paid {paid or 'whole'}")
            for kind, wanted in BEFORE[self.choices.pick(OFTEN_BEFORE)]:
                self.tell(f"{kind} {wanted}, before anything else")
                await self._begin_with(kind, wanted)
        for client in self.world.clients:
            self.wanting[client.name] = [
                self._want(client) for _ in range(self.choices.one_of((1, 2, 3)))]

    async def _begin_with(self, kind: str, wanted: dict[str, Any]) -> None:
        """Have a request done and told before the schedule begins: it counts like any other."""
        order = self.orders[-1]
        made = Request(
            kind, order, concrete(kind, wanted, self.bodies[order]), f"{order}-before-{kind}",
            begun=True)
        self.requests.append(made)
        made.told.append(await made.play(self.world.home))

    def _want(self, client: Actor) -> Request:
        kind, wanted, _ = self.choices.one_of(WANTED, [weight for _, _, weight in WANTED])
        order = self.choices.one_of(self.orders)
        key = f"{order}-{client.name}-{len(self.requests)}"
        wanted = concrete(kind, wanted, self.bodies[order])
        if kind == REFUND:
            wanted["reference"] = key
        made = Request(kind, order, wanted, key)
        self.requests.append(made)
        return made

    # ---------------------------------------------------------------------------- what happens

    def _able(self) -> list[Actor]:
        """Who can take a step; nobody once no client wants anything any more."""
        clients = [c for c in self.world.clients if not c.idle or self.wanting[c.name]]
        able = [*clients, *self.world.workers] if clients else []
        return [actor for actor in able if actor is not self.still]

    async def _happen(self, able: list[Actor]) -> None:
        standing = [actor for actor in able if not actor.idle]
        asking = [actor for actor in standing if actor.at in FATES]
        weights = list(STILL if self.still else self.temper)
        weights[1] *= bool(standing)
        weights[2] *= bool(asking)
        weights[6] *= bool(standing or self.still)
        match self.choices.pick(weights):
            case 0:
                waits = [0.4 if actor.idle and actor in self.world.workers else 1
                         for actor in able]
                self._step(self.choices.one_of(able, waits))
            case 1:
                self._go_on(self.choices.one_of(standing), Fate.DIE)
            case 2:
                unlucky = self.choices.one_of(asking)
                self._go_on(unlucky, self.choices.one_of(FATES[unlucky.at]))
            case 3:
                leap = not standing and not self.still and self.choices.pick((8, 1))
                seconds = self.choices.one_of(LEAPS_S if leap else JUMPS_S)
                self.tell(f"{seconds} s pass")
                await self.world.advance(seconds)
            case 4:
                fault = self.choices.one_of(
                    [name for name, _ in FAULTS], [weight for _, weight in FAULTS])
                kind = self.choices.one_of(FAULTY)
                if fault == "fails_later":
                    kind = REFUND
                self.tell(f"the provider will fail: {fault} at {kind or 'anything'}")
                self.world.sandbox.fault(
                    fault, **({"kind": kind} if kind else {}),
                    **({"seconds": 5} if fault in LATER else {}))
            case 5:
                await self.world.place_feed()
            case 6 if self.still is not None:
                self.tell(f"{self.still.name} wakes up")
                self.still = None
            case 7:
                await self._hear(self.choices.one_of(self.orders))
            case _:
                calling = [20 if actor.at == "http.asks" else 1 for actor in standing]
                self.still = self.choices.one_of(standing, calling)
                self.tell(f"{self.still.name} stands still at {self.still.at}"
                          f" after {self.still.line}")
                await self._others_work(self.choices.one_of((0, 2, 4)))

    async def _others_work(self, rounds: int) -> None:
        """Somebody stands still so long that others take over what he had begun."""
        for _ in range(rounds):
            await self.world.advance(NAP_S)
            for worker in self.world.workers:
                while worker is not self.still:
                    self._step(worker)
                    if worker.idle:
                        break

    async def _hear(self, order_id: str) -> None:
        """The provider calls: late, again, or about something that was overtaken long ago."""
        home = self.world.home
        payments = (await home.folder(order_id)).payments
        payment = self.choices.one_of(payments).provider_reference
        told = events(self.world.sandbox, payment) if payment else []
        if told:
            event = self.choices.one_of(told)
            self.tell(f"the provider calls: {event['type']} of order"
                      f" {self.orders.index(order_id)}")
            home.works.clock._at = None
            await tell(home, event)

    def _step(self, actor: Actor) -> None:
        if not actor.idle:
            self._go_on(actor, Fate.GO)
        elif actor in self.world.workers:
            self.tell(f"{actor.name} looks for work")
            actor.begin(_work_once)
            self._look_at(actor)
        else:
            wanted = self.wanting[actor.name][0]
            wanted.begun = True
            wanted.tries += 1
            self.tell(f"{actor.name} wants {wanted.kind} {wanted.wanted}"
                      f" of order {self.orders.index(wanted.order)}, try {wanted.tries}")
            actor.begin(wanted.play)
            self._look_at(actor)

    def _go_on(self, actor: Actor, fate: Fate) -> None:
        if fate != Fate.GO:
            self.tell(f"{actor.name} {fate} at {actor.at} after {actor.line}")
        actor.go_on(fate)
        self._look_at(actor)

    def _look_at(self, actor: Actor) -> None:
        """See what came of it, where it has ended."""
        if not actor.idle:
            return
        outcome, actor.outcome = actor.outcome, None
        if actor in self.world.workers:
            if isinstance(outcome, Exception) and not _away(outcome):
                raise outcome
            return
        request = self.wanting[actor.name][0]
        again = False
        if isinstance(outcome, Said):
            request.told.append(outcome)
            self.tell(f"{actor.name} is told {outcome.status}")
            again = bool(self.choices.pick((4, 1)))  # lost on the way to the client
        elif isinstance(outcome, Died | RequestInProgress) or _away(outcome):
            again = True
        elif isinstance(outcome, Problem):
            request.refused = outcome.code
            self.tell(f"{actor.name} is refused: {outcome.code}")
        else:
            raise outcome
        if not again or request.tries >= TRIES_MAX:
            self.wanting[actor.name].pop(0)

    # ---------------------------------------------------------------------------- how it ends

    async def _settle_down(self) -> None:
        """Behave again; let every client ask once more and every worker finish."""
        self.world.sandbox.call("DELETE", "/control/faults")
        await self._drain()
        assert self.world.ear.heard == []
        for request in self.requests:
            if not request.begun:
                continue
            try:
                request.told.append(await request.play(self.world.home))
            except Problem as refused:
                request.refused = refused.code
        await self._drain()
        # A refund may have failed since, and nobody called.
        for order_id in await self.with_linked():
            await sync_order(self.world.home.works, self.world.person, order_id)
        if await self._unsettled():
            await self._drain()

    async def _drain(self) -> None:
        for seconds in (*DRAIN_S, *GIVEN_UP_S):
            await self.world.advance(seconds)
            await self.world.home.worked()
            if seconds > DRAIN_S[0] and not await self._unsettled():
                return

    async def with_linked(self) -> list[str]:
        """List the orders, and those that were made of their exchanges."""
        rows = await self.world.owner.fetch(
            "select id::text from orders where id = any($1) or exchange_for = any($1)"
            " order by number", self.orders)
        return [row["id"] for row in rows]

    async def _unsettled(self) -> int:
        found: int = await self.world.owner.fetchval(
            "select count(*) from transactions t join orders o on o.id = t.order_id"
            " where t.settled_at is null and (o.id = any($1) or o.exchange_for = any($1))",
            self.orders)
        return found


def linked_to(folder: Folder) -> list[str]:
    """List the orders that were made of an order's exchanges."""
    return [back.exchange_order_id for back in folder.returns if back.exchange_order_id]


def _away(outcome: object) -> bool:
    return isinstance(outcome, Gone | Unavailable)


async def _work_once(shop: Shop) -> None:
    """Claim and work off once, lane by lane, row by row."""
    for lane in LANES_OF_MONEY:
        rows = await claim(shop.works.pool, lane.name, lane.places, shop.works.pace.lease_s)
        for row in sorted(rows, key=lambda row: row.id):
            await run_row(shop.works, lane, row)
