"""Remembers for some seconds what a credential stood for, so that most requests ask nothing."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
ENTRIES_MAX = 10_000


class Remembered(Generic[T]):
    """A bounded memory of one process. What is revoked elsewhere dies here after `seconds`."""

    def __init__(self, seconds: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._entries: dict[bytes, tuple[float, T]] = {}

    def recall(self, key: bytes) -> T | None:
        """Return what is remembered, if it is fresh."""
        entry = self._entries.get(key)
        if entry is None or entry[0] <= self._clock():
            return None
        return entry[1]

    def keep(self, key: bytes, value: T) -> T:
        """Remember a value; the oldest one goes where there are too many."""
        self._entries.pop(key, None)
        if len(self._entries) >= ENTRIES_MAX:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (self._clock() + self._seconds, value)
        return value

    def drop(self, key: bytes) -> None:
        """Forget one entry."""
        self._entries.pop(key, None)

    def forget(self, matches: Callable[[T], bool]) -> None:
        """Drop what has just been revoked in this process."""
        for key in [key for key, (_, value) in self._entries.items() if matches(value)]:
            del self._entries[key]
