"""What happens next: drawn by a seed, written down, and played again from what was written."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """A list of small numbers, each an index into what was possible at that moment.

    The first possibility is always the harmless one. A list that is played again may be shorter
    than the schedule: from its end on everything is harmless, which is how a failure is cut down
    to the shortest prefix that still shows it.
    """

    def __init__(self, seed: int, again: Sequence[int] | None = None) -> None:
        self.seed = seed
        self.again = again
        self.made: list[int] = []
        self._chance = random.Random(seed)

    def pick(self, weights: Sequence[float]) -> int:
        """Choose one of so many; the weights say how often each is drawn."""
        if self.again is None:
            chosen = self._chance.choices(range(len(weights)), weights)[0]
        elif len(self.made) < len(self.again):
            chosen = self.again[len(self.made)]
            chosen = chosen if chosen < len(weights) and weights[chosen] else 0
        else:
            chosen = 0
        self.made.append(chosen)
        return chosen

    def one_of(self, possible: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """Choose one of these."""
        return possible[self.pick(weights or [1] * len(possible))]
