"""`make soak`: everything that can be lost is tried to be lost, for as long as it is told.

Random schedules in several processes first, then deaths in pairs, races, zombies, kills and
restarts. Prints a table of what was shown, and the seed of whatever failed. Exit code 1 then.
"""

import argparse
import asyncio
import json
import logging
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from subprocess import PIPE, Popen

from counterfoil.kernel.log import set_up_log
from tests.db import TestServer
from tests.sandbox.server import start_sandbox
from tests.soak import parts
from tests.soak.simulator import Simulator
from tests.soak.world import World

PLAYERS = 2
#: Which part of the time the schedules and the deaths in pairs may take; the rest is counted.
SCHEDULES_SHARE, PAIRS_SHARE = 0.6, 0.15
SEEDS_APART = 1_000_000_000

Line = tuple[str, str, float, bool]


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    options.add_argument("--seconds", type=int, default=3600, help="for how long (3600)")
    options.add_argument("--schedules", type=int, default=10_000, help="at most so many (10000)")
    options.add_argument("--seed", type=int, default=None, help="where to begin (by the clock)")
    options.add_argument("--replay", type=int, default=None, help="play one schedule and tell it")
    options.add_argument("--player", type=int, default=None, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    set_up_log("critical")
    logging.disable(logging.WARNING)
    if chosen.replay is not None:
        return asyncio.run(_replay(chosen.replay))
    seed = int(time.time()) % 1_000_000 if chosen.seed is None else chosen.seed
    if chosen.player is not None:
        return asyncio.run(_play(chosen, seed))
    print(f"seed {seed}, {chosen.seconds} s", flush=True)
    random.seed(seed)
    lines = _schedules(chosen, seed)
    for name, part in _parts(chosen, seed):
        lines.append(_run(name, part))
    print(f"\n{'part':<12} {'seconds':>8}  shown")
    for name, shown, seconds, good in lines:
        print(f"{name:<12} {seconds:8.1f}  {'' if good else 'FAILED: '}{shown}")
    return 0 if all(good for *_, good in lines) else 1


# ------------------------------------------------------------------------------------- schedules


def _schedules(chosen: argparse.Namespace, seed: int) -> list[Line]:
    """Play in several processes, each with a database, a provider and seeds of its own."""
    since = time.monotonic()
    players = [
        Popen(
            [sys.executable, "-m", "tests.soak", "--player", str(number), "--seed",
             str(seed * SEEDS_APART + number), "--seconds",
             str(int(chosen.seconds * SCHEDULES_SHARE)), "--schedules",
             str(-(-chosen.schedules // PLAYERS))],
            stdout=PIPE, text=True,
        )
        for number in range(PLAYERS)
    ]
    told = [json.loads(player.communicate()[0] or "{}") for player in players]
    count = sum(one.get("schedules", 0) for one in told)
    failures = [one.get("failure", "the player died") for one in told if one.get("failure", "?")]
    for failure in failures:
        print(failure, flush=True)
    shown = f"{count} random schedules, 0 lost, 0 doubled, ours = theirs"
    return [("schedules", shown, time.monotonic() - since, not failures)]


async def _play(chosen: argparse.Namespace, seed: int) -> int:
    until = time.monotonic() + chosen.seconds
    count, failure = 0, ""
    async with _world() as simulator:
        while count < chosen.schedules and time.monotonic() < until and not failure:
            first = seed + count * PLAYERS
            played = await simulator.play(range(first, first + 100 * PLAYERS, PLAYERS))
            count += played.schedules
            if played.failures:
                short = await simulator.shorten(played.failures[0])
                failure = f"{played.failures[0]}\nits shortest prefix: {short.choices}"
    print(json.dumps({"schedules": count, "failure": failure}))
    return 0


async def _replay(seed: int) -> int:
    async with _world() as simulator:
        played = await simulator.play([seed])
        print(played.failures[0] if played.failures else f"seed {seed}: all is well")
        return len(played.failures)


class _world:  # noqa: N801 - used as a function
    """A world of its own, from server to sandbox."""

    async def __aenter__(self) -> Simulator:
        self.server = await TestServer.start()
        self.folder = tempfile.TemporaryDirectory()
        self.sandbox = start_sandbox(Path(self.folder.name))
        self.world = World(await self.server.create(), self.sandbox)
        return Simulator(await self.world.__aenter__())

    async def __aexit__(self, *_: object) -> None:
        await self.world.__aexit__()
        self.sandbox.stop()
        self.sandbox.client.close()
        self.folder.cleanup()
        self.server.stop()


# --------------------------------------------------------------------------------- the other parts


def _parts(
    chosen: argparse.Namespace, seed: int
) -> list[tuple[str, Callable[[parts.Stage], Awaitable[str]]]]:
    pairs_s = chosen.seconds * PAIRS_SHARE
    size = min(1.0, chosen.seconds / 600)
    return [
        ("deaths", lambda stage: parts.deaths(stage, seconds=pairs_s, seed=seed)),
        ("races", lambda stage: parts.races(stage, payments=int(5000 * size), seed=seed)),
        ("zombies", lambda stage: parts.zombies(stage, rounds=max(1, int(5 * size)))),
        ("kills", lambda stage: parts.kills(stage, rounds=max(1, int(10 * size)))),
        ("restarts", lambda stage: parts.restarts(stage, times=max(1, int(20 * size)))),
    ]


def _run(name: str, part: Callable[[parts.Stage], Awaitable[str]]) -> Line:
    since = time.monotonic()
    print(f"{name} …", flush=True)
    try:
        shown = asyncio.run(parts.on_stage(part))
    except Exception as wrong:  # noqa: BLE001 - one part's failure must not hide the others
        traceback.print_exception(wrong)
        return name, repr(wrong)[:200], time.monotonic() - since, False
    return name, shown, time.monotonic() - since, True


if __name__ == "__main__":
    sys.exit(main())
