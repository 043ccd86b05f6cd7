"""A bar for what takes a while; where nobody watches, a line now and then."""

import sys
import time
from types import TracebackType
from typing import Any, Self

_TELL_EVERY_S = 10


class Progress:
    """How far something is. On a terminal a bar with the time left, else lines on stderr."""

    def __init__(self, name: str, *, total: int | None) -> None:
        self.name, self.total = name, total
        self._bar: Any = None
        self._task: Any = None
        self._told_at = time.monotonic()

    def __enter__(self) -> Self:
        """Show the bar."""
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[words]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(self.name, total=self.total, words="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def at(self, done: int, words: str) -> None:
        """Say how far it is, and in words."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, words=words)
        elif time.monotonic() - self._told_at > _TELL_EVERY_S:
            self._told_at = time.monotonic()
            share = f"{100 * done // self.total} %, " if self.total else ""
            print(f"{self.name}: {share}{words}", file=sys.stderr, flush=True)
