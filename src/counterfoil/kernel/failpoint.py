"""Failpoints: named lines between intent and outcome at which a test lets the process die.

Nothing is armed unless the wiring arms it, which it does in testing mode only; then a failpoint
ends the process as a power cut would: no handler runs, nothing is flushed. [faults §1]

The database and the network have one before and one after each exchange (`db.asks`, `db.told`,
`http.asks`, `http.told`). What a process leaves behind it leaves there, so a death anywhere is the
same as a death at one of them; the other names say in words where a flow is.
"""

import os
from collections.abc import Callable

DEAD = 137

_watch: Callable[[str], None] | None = None


def failpoint(name: str) -> None:
    """Pass by, or die here where a test asked for it."""
    if _watch is not None:
        _watch(name)


def arm(wanted: str) -> None:
    """Die at the failpoint named; `name:2` passes it twice and dies at the third time."""
    name, _, passes = wanted.partition(":")
    left = int(passes or 0)

    def dying(passed: str) -> None:
        nonlocal left
        if passed == name:
            if left == 0:
                os._exit(DEAD)
            left -= 1

    _set(dying)


def record(into: list[str]) -> None:
    """Write down each failpoint that is passed, as `arm` wants it: `name:passes`."""

    def writing(passed: str) -> None:
        before = sum(1 for one in into if one.partition(":")[0] == passed)
        into.append(f"{passed}:{before}")

    _set(writing)


def watch(watcher: Callable[[str], None]) -> None:
    """Let a test see every failpoint that is passed, and decide: go on, wait, or raise."""
    _set(watcher)


def disarm() -> None:
    """Pass by everything again."""
    _set(None)


def _set(watch: Callable[[str], None] | None) -> None:
    global _watch  # noqa: PLW0603 - one process, one life to lose
    _watch = watch
