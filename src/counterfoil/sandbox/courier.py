"""Tells of changes: one try after the other, to addresses of this machine only, and bounded."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import msgspec

from counterfoil.sandbox.hooks import (
    Attempt,
    Delivered,
    Deliveries,
    Event,
    EventMatch,
    Hook,
    NewHook,
    Told,
    Trick,
    TrickScript,
    event_of,
    signed,
)
from counterfoil.sandbox.ledger import Ledger, instant

UNDER_WAY_MAX = 1000
AT_ONCE_MAX = 20
ANSWER_S = 5
HELD_S = 5
#: An event leaves a little after the answer to the request that made it.
_PAUSE_S = 0.03


class Courier:
    """Sends events to hooks. Events and hooks are in the ledger; what is under way is not.

    A process that ends forgets what it had not sent: it is in the list of events and can be
    delivered again.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.scripts: list[TrickScript] = []
        self.seen = ledger.last_event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[asyncio.Event] = []
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        self._client = httpx2.AsyncClient(trust_env=False, timeout=ANSWER_S)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Send while this is open."""
        async with self._client:
            yield
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # --------------------------------------------------------------------------- hooks and events

    def add_hook(self, new: NewHook) -> Hook:
        """Keep an address; it hears of what happens from now on."""
        hook = Hook(**msgspec.structs.asdict(new), id="hook_" + secrets.token_hex(8))
        self.ledger.run("insert into hook values (?, ?)", hook.id, msgspec.json.encode(hook))
        return hook

    def hooks(self) -> list[Hook]:
        """List the addresses."""
        rows = self.ledger.all("select content from hook order by id")
        return [msgspec.json.decode(row["content"], type=Hook) for row in rows]

    def forget_hook(self, id_: str) -> None:
        """Call an address no more."""
        self.ledger.run("delete from hook where id = ?", id_)

    def told(self, match: EventMatch, after: int = 0) -> list[Told]:
        """List events, oldest first, at most a thousand, with every try to tell them."""
        rows = self.ledger.all(
            "select * from event where seq > ? and (? is null or type = ?)"
            " and (? is null or payment = ?) and (? is null or reference = ?)"
            " and (? is null or account = ?) order by seq limit 1000",
            after, match.type, match.type, match.payment, match.payment,
            match.reference, match.reference, match.account, match.account,
        )  # fmt: skip
        return [Told(row["seq"], event_of(row), self._attempts(row["id"])) for row in rows]

    def _attempts(self, event: str) -> list[Attempt]:
        rows = self.ledger.all("select * from attempt where event = ? order by seq", event)
        return [
            Attempt(row["hook"], instant(row["at"]), row["status"], row["note"]) for row in rows
        ]

    # ------------------------------------------------------------------------------------ sending

    async def look(self) -> None:
        """Send what has happened since the last look; wait only for what shall come first."""
        rows = self.ledger.all("select * from event where seq > ? order by seq", self.seen)
        if not rows:
            return
        self.seen = rows[-1]["seq"]
        hooks = self.hooks()
        first: list[asyncio.Task[None]] = []
        for row in rows:
            event = event_of(row)
            script = self._take(event)
            if script is not None and script.trick is Trick.NEVER:
                self._note(event.id, "", None, "told never to send it")
                continue
            for hook in hooks:
                if hook.account in (None, event.account):
                    task = self._start(event, hook, script)
                    if task and script and script.trick is Trick.BEFORE_RESPONSE:
                        first.append(task)
        if first:
            await asyncio.wait(first, timeout=ANSWER_S)

    async def deliver(self, wanted: Deliveries) -> list[Delivered]:
        """Tell chosen events in a chosen order. An id that nobody knows is left out."""
        script = TrickScript(wanted.trick) if wanted.trick else None
        hooks = {hook.id: hook for hook in self.hooks() if wanted.hook in (None, hook.id)}
        todo: list[tuple[Event, Hook]] = []
        for id_ in wanted.events:
            row = self.ledger.one("select * from event where id = ?", id_)
            if row is not None:
                own = wanted.hook is not None
                todo += [(event_of(row), h) for h in hooks.values()
                         if own or h.account in (None, row["account"])]  # fmt: skip

        async def one(event: Event, hook: Hook) -> Delivered:
            status, note = await self._try(event, hook, script)
            return Delivered(event.id, hook.id, status, note)

        if wanted.at_once:
            return list(await asyncio.gather(*(one(event, hook) for event, hook in todo)))
        return [await one(event, hook) for event, hook in todo]

    def _take(self, event: Event) -> TrickScript | None:
        for script in self.scripts:
            want = msgspec.structs.asdict(script.match)
            if all(value is None or value == getattr(event, name) for name, value in want.items()):
                if script.times is not None:
                    script.times -= 1
                    if script.times == 0:
                        self.scripts.remove(script)
                return script
        return None

    def _start(
        self, event: Event, hook: Hook, script: TrickScript | None
    ) -> asyncio.Task[None] | None:
        if len(self._tasks) >= UNDER_WAY_MAX:
            self._note(event.id, hook.id, None, "too many under way")
            return None
        task = asyncio.create_task(self._send(event, hook, script))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _send(self, event: Event, hook: Hook, script: TrickScript | None) -> None:
        trick = script.trick if script else None
        seconds = HELD_S if script is None or script.seconds is None else script.seconds
        lost = 0
        if trick is Trick.DELAY:
            await asyncio.sleep(seconds)
        elif trick is Trick.REORDER and not self._held:
            await self._hold(seconds)
        elif trick is Trick.DROP:
            self._note(event.id, hook.id, None, "lost on the way")
            lost = 1
        elif trick is not Trick.BEFORE_RESPONSE:
            await asyncio.sleep(_PAUSE_S)
        if trick is Trick.DUPLICATE and script is not None:
            copies = (self._try(event, hook, None) for _ in range(script.count - 1))
            await asyncio.gather(self._insist(event, hook, script, 0), *copies)
        else:
            await self._insist(event, hook, script, lost)
        for held in self._held:
            held.set()

    async def _hold(self, seconds: int) -> None:
        """Wait until a later event was sent."""
        held = asyncio.Event()
        self._held.append(held)
        try:
            async with asyncio.timeout(seconds):
                await held.wait()
        except TimeoutError:
            pass
        finally:
            self._held.remove(held)

    async def _insist(
        self, event: Event, hook: Hook, script: TrickScript | None, lost: int
    ) -> None:
        """Try until it is taken, or often enough."""
        for attempt in range(lost, hook.attempts):
            if attempt:
                await asyncio.sleep(hook.retry_ms * 2 ** (attempt - 1) / 1000)
            status, _ = await self._try(event, hook, script)
            if status is not None and 200 <= status < 300:
                return

    async def _try(
        self, event: Event, hook: Hook, script: TrickScript | None
    ) -> tuple[int | None, str | None]:
        now_s = self.ledger.now() // 1000
        headers, body = signed(event, hook, script, now_s)
        status, note = None, None
        try:
            async with (
                self._places,
                self._client.stream("POST", hook.url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
        except (httpx2.HTTPError, OSError) as why:
            note = str(why) or type(why).__name__
        self._note(event.id, hook.id, status, note)
        return status, note

    def _note(self, event: str, hook: str, status: int | None, note: str | None) -> None:
        self.ledger.run(
            "insert into attempt (event, hook, at, status, note) values (?, ?, ?, ?, ?)",
            event, hook, self.ledger.now(), status, note,
        )  # fmt: skip
