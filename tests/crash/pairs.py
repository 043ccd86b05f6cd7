"""Deaths in pairs: whoever comes to repair what a death left behind dies as well. [faults §1]"""

import random
import time
from dataclasses import dataclass, field

from counterfoil.kernel.failpoint import DEAD
from tests.crash.flow import instants
from tests.crash.flows import DOORS, FLOWS
from tests.crash.scene import Scene


@dataclass
class Pairs:
    """Plays pairs of deaths in random order; `played` are those that were there."""

    scene: Scene
    seed: int
    played: set[tuple[str, str, str]] = field(default_factory=set)
    count: int = 0
    _first: dict[str, list[str]] = field(default_factory=dict)
    _second: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    async def play(self, seconds: float) -> None:
        """Play for so long. Raises AssertionError, with the pair and the seed in it."""
        chance = random.Random(self.seed)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            name = chance.choice(list(FLOWS))
            first = chance.choice(await self._instants_of(name))
            second = chance.choice(await self._instants_after(name, first))
            try:
                await self._play_one(name, first, second)
            except AssertionError as wrong:
                wrong.add_note(f"{name}: died at {first}, then at {second}; seed {self.seed}")
                raise
            self.played.add((name, first, second))
        await self.scene.assert_books()

    async def _instants_of(self, name: str) -> list[str]:
        if name not in self._first:
            key, order_id = await self._begin(name)
            if name in DOORS:
                _, points = self.scene.run(name, order_id=order_id, key=key)
            else:
                points = await self.scene.play_worker(FLOWS[name].steps_s)
            self._first[name] = instants(points)
        return self._first[name]

    async def _instants_after(self, name: str, first: str) -> list[str]:
        if (name, first) not in self._second:
            await self._die(name, first)
            points = await self.scene.play_worker(FLOWS[name].steps_s)
            self._second[name, first] = instants(points)
        return self._second[name, first]

    async def _begin(self, name: str) -> tuple[str, str]:
        await self.scene.recover(FLOWS[name].steps_s)
        self.count += 1
        key = f"pair-{self.count}"
        flow = FLOWS[name]
        if name in DOORS:
            return key, await flow.prepare(self.scene.shop, self.scene.sandbox)
        order_id, key = await self.scene.wound(name, key)
        return key, order_id

    async def _die(self, name: str, point: str) -> tuple[str, str]:
        key, order_id = await self._begin(name)
        if name in DOORS:
            await self.scene.kill(name, order_id, key, point)
        else:
            await self.scene.kill_worker(FLOWS[name].steps_s, point)
        return key, order_id

    async def _play_one(self, name: str, first: str, second: str) -> None:
        flow = FLOWS[name]
        key, order_id = await self._die(name, first)
        code, _ = self.scene.run("work", steps=flow.steps_s, arm=second)
        assert code in (0, DEAD), code
        await self.scene.keep_time()
        for _ in range(2):
            await self.scene.recover(flow.steps_s)
        await self.scene.recover()
        await self.scene.assert_recovered(flow, order_id, key)
