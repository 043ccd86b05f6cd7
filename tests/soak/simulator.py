"""Plays schedules by their seeds, and cuts a failure down to its shortest prefix."""

import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from counterfoil.book.invariants import check
from tests.soak.choices import Choices
from tests.soak.schedule import Schedule
from tests.soak.world import World

BATCH = 50
SHOWN_MAX = 60


@dataclass
class Failure:
    """What went wrong, under which seed, and how it came to it."""

    seed: int
    choices: list[int]
    why: str
    story: list[str]

    def __str__(self) -> str:
        shown = "\n  ".join(self.story[-SHOWN_MAX:])
        return (f"seed {self.seed}, {len(self.choices)} choices: {self.choices}\n  {shown}\n"
                f"{self.why}\nplay it again: python -m tests.soak --replay {self.seed}")


@dataclass
class Played:
    """How much was played, and what failed."""

    schedules: int = 0
    choices: int = 0
    failures: list[Failure] = field(default_factory=list)


class Simulator:
    """Plays one schedule after the other in one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.batch: dict[str, tuple[int, Schedule]] = {}

    async def play(self, seeds: Iterable[int]) -> Played:
        """Play schedules until one fails; the invariants are looked at after each batch."""
        done = Played()
        for seed in seeds:
            failure = await self.play_one(seed)
            done.schedules += 1
            if failure is None and done.schedules % BATCH == 0:
                failure = await self.check_batch()
            if failure is not None:
                done.failures.append(failure)
                return done
        failure = await self.check_batch()
        done.failures += [failure] if failure else []
        return done

    async def play_one(self, seed: int, again: Sequence[int] | None = None) -> Failure | None:
        """Play one schedule, by its seed or by the choices it made before."""
        schedule = Schedule(self.world, Choices(seed, again))
        why = None
        try:
            await schedule.play()
        except Exception as wrong:  # noqa: BLE001 - whatever it is, it is what we look for
            why = "".join(traceback.format_exception(wrong)[-3:]) or repr(wrong)
        for order_id in schedule.orders:
            self.batch[order_id] = (seed, schedule)
        if why is not None:
            await self._give_up()
            return Failure(seed, schedule.choices.made, why, schedule.story)
        await self.world.rest()
        return None

    async def check_batch(self) -> Failure | None:
        """Look for broken promises in all that was played since the last look."""
        world, batch = self.world, self.batch
        await world.place_feed()
        found = await check(world.home.works.pool, world.account.id)
        self.batch = {}
        await world.clean()
        for finding in found:
            where = [batch[row.id] for row in finding.rows if row.id in batch]
            seed, schedule = where[0] if where else next(iter(batch.values()))
            why = f"{finding.invariant}: {finding.sentence} {finding.rows[:3]}"
            return Failure(seed, schedule.choices.made, why, schedule.story)
        return None

    async def _give_up(self) -> None:
        """Bring everybody home after a failure, and forget what was played."""
        for actor in self.world.actors:
            actor.give_up()
        self.world.sandbox.call("DELETE", "/control/faults")
        self.batch = {}
        await self.world.clean()

    async def shorten(self, failure: Failure) -> Failure:
        """Find the shortest prefix of the choices that fails still, all else being harmless."""
        low, high, found = 0, len(failure.choices), failure
        while low < high:
            middle = (low + high) // 2
            again = await self.play_one(failure.seed, failure.choices[:middle])
            again = again or await self.check_batch()
            if again is None:
                low = middle + 1
            else:
                high, found = middle, again
                found.choices = failure.choices[:middle]
        return found
