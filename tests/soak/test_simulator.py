"""Hundreds of random schedules: no money lost, none moved twice. [G2]

That the simulator would notice is shown too: it finds every bug that is planted.
"""

import time

import pytest

from tests.db import VERSION
from tests.soak.plants import PLANTS
from tests.soak.simulator import Simulator

PARTS = 4
SCHEDULES = 50 if VERSION == 18 else 15
FOUND_WITHIN = 200


@pytest.mark.parametrize("part", range(PARTS))
async def test_hundreds_of_schedules(simulator: Simulator, part: int):
    since = time.monotonic()
    played = await simulator.play(range(part * SCHEDULES, (part + 1) * SCHEDULES))
    print(f"{played.schedules} schedules in {time.monotonic() - since:.1f} s")
    assert played.failures == [], str(played.failures[0])


@pytest.mark.parametrize("name", PLANTS)
async def test_a_planted_bug_is_found(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, name: str
):
    """By its seed it fails again, with the same choices; without the bug all is well."""
    with monkeypatch.context() as patch:
        PLANTS[name].put(patch)
        first = PLANTS[name].first
        played = await simulator.play(range(first, first + FOUND_WITHIN))
        assert played.failures != [], f"{PLANTS[name].sentence} {played.schedules} schedules"
        failure = played.failures[0]
        print(f"{PLANTS[name].sentence} Found after {played.schedules} schedules.")
        again = await simulator.play([failure.seed])
        assert again.failures != [], f"seed {failure.seed} did not fail again: {failure}"
        assert again.failures[0].choices == failure.choices
    assert (await simulator.play([failure.seed])).failures == []


async def test_a_failure_is_cut_down_to_what_it_needs(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        plant = PLANTS["silence_is_yes"]
        plant.put(patch)
        played = await simulator.play(range(plant.first, plant.first + FOUND_WITHIN))
        failure = played.failures[0]
        short = await simulator.shorten(failure)
        assert len(short.choices) < len(failure.choices)
        assert await simulator.play_one(failure.seed, short.choices) is not None
