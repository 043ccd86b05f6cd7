"""The processes of an installation: started in order, watched, stopped in reverse order.

Each runs in a session of its own, so that the Ctrl-C of a terminal reaches the parent alone, who
stops them one by one. A child that dies is started again; one that keeps dying ends everything,
with a sentence. [faults K-2]
"""

import asyncio
import contextlib
import signal
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from counterfoil.cli.said import Said
from counterfoil.settings import Settings, environment_of

READY_S_MAX = 60
DEATHS_MAX = 3
DEATHS_WITHIN_S = 60
LOG_BYTES_MAX = 10_000_000
_LOOK_S = 0.03


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One child: what people call it, the words that `cli.child` takes, when it is ready.

    `patience_s` is how long it may take to stop before it is killed.
    """

    name: str
    words: tuple[str, ...]
    ready: Callable[[], Awaitable[bool]]
    patience_s: int = 10


class Family:
    """The children of this process. `report` tells people what happens to them."""

    def __init__(
        self,
        settings: Settings,
        *,
        log_dir: Path | None = None,
        report: Callable[[str], None],
    ) -> None:
        self._environment = environment_of(settings)
        self._log_dir = log_dir
        self._report = report
        self._members: dict[str, Member] = {}
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self.ended = asyncio.Event()
        self.code = 0

    @property
    def members(self) -> list[Member]:
        """Everybody, in the order of their start."""
        return list(self._members.values())

    def follow_signals(self) -> None:
        """End on SIGINT and SIGTERM; a second one kills."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)

    def _end(self) -> None:
        if self.ended.is_set():
            for child in self._running.values():
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
        self.ended.set()

    async def start(self, member: Member) -> None:
        """Start a member and wait until it is ready. Raises Said when it does not get there."""
        await self.spawn(member)
        await self.until_ready(member)

    async def spawn(self, member: Member) -> None:
        """Start a member."""
        self._members[member.name] = member
        out = self._log(member.name)
        try:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "counterfoil.cli.child", *member.words),
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=asyncio.subprocess.STDOUT if out is not None else None,
                env=self._environment,
                start_new_session=True,
            )
        finally:
            if out is not None:
                out.close()
        self._running[member.name] = child

    async def until_ready(self, member: Member) -> None:
        """Wait until a started member is ready, and watch it from then on. Raises Said."""
        if member.name in self._watches:
            return
        child = self._running[member.name]
        until = time.monotonic() + READY_S_MAX
        while not await member.ready():
            if child.returncode is not None:
                raise Said(f"The {member.name} did not start.{self._last_words(member.name)}")
            if self.ended.is_set():
                raise Said("Stopped before everything was up.", code=0)
            if time.monotonic() > until:
                raise Said(f"The {member.name} is not ready after {READY_S_MAX} s.")
            await asyncio.sleep(_LOOK_S)
        self._watches[member.name] = asyncio.create_task(self._watch(member))

    async def _watch(self, member: Member) -> None:
        deaths: deque[float] = deque(maxlen=DEATHS_MAX)
        while True:
            code = await self._running[member.name].wait()
            if self._stopping or self.ended.is_set():
                return
            self._report(
                f"The {member.name} ended with {code}; starting it again."
                + self._last_words(member.name)
            )
            now = time.monotonic()
            deaths.append(now)
            if len(deaths) == DEATHS_MAX and now - deaths[0] < DEATHS_WITHIN_S:
                self.give_up(f"The {member.name} keeps ending: everything is stopped.")
                return
            await self.spawn(member)

    def give_up(self, why: str) -> None:
        """End with a sentence that says why, and an exit code that says that it is wrong."""
        self._report(why)
        self.code = 1
        self.ended.set()

    async def stop(self) -> None:
        """Stop everybody, the last started first."""
        self._stopping = True
        for name in reversed(self._running):
            child = self._running[name]
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
            try:
                await asyncio.wait_for(child.wait(), self._members[name].patience_s)
            except TimeoutError:
                self._report(f"The {name} does not stop; it is killed.")
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
            if child.stdin is not None:
                child.stdin.close()
        for watch in self._watches.values():
            await watch

    def _log(self, name: str) -> BinaryIO | None:
        if self._log_dir is None:
            return None
        self._log_dir.mkdir(parents=True, exist_ok=True)
        file = self._log_file(name)
        if file.exists() and file.stat().st_size > LOG_BYTES_MAX:
            file.replace(file.with_suffix(".log.1"))
        return file.open("ab")

    def _log_file(self, name: str) -> Path:
        assert self._log_dir is not None
        return self._log_dir / f"{name.replace(' ', '-')}.log"

    def _last_words(self, name: str) -> str:
        if self._log_dir is None:
            return ""
        with self._log_file(name).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 2000))
            lines = file.read().decode(errors="replace").strip().splitlines()
        return f" It said: {lines[-1][:500]}" if lines else ""
