"""What the work of one process needs, put together once."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self

import msgspec

from counterfoil.book.run import Book
from counterfoil.kernel.db import Pool
from counterfoil.kernel.http import Http
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.log import log
from counterfoil.kernel.secrets import KeyRing
from counterfoil.mail.send import Post
from counterfoil.order.actor import Actor
from counterfoil.order.intent import Asked
from counterfoil.settings import Settings
from counterfoil.work.adapters import Adapters
from counterfoil.work.clock import Clock

_STOP_S = 25


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long things may take, in seconds. [rulings 20; faults P-5, P-7]

    `propagation_s` is how long a provider may take until its status query knows what it did.
    `reconcile_hour` is when gateways are compared at night, in UTC, at so many payments a second.
    """

    lease_s: int = 30
    deadline_s: float = 10
    propagation_s: float = 60
    key_lifetime_s: float = 23 * 3600
    give_up_s: float = 24 * 3600
    mail_deadline_s: float = 20
    reconcile_hour: int = 3
    reconcile_per_s: int = 20

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read it off the settings."""
        return cls(
            lease_s=settings.lease_s,
            deadline_s=settings.provider_deadline_s,
            propagation_s=settings.propagation_s,
            reconcile_hour=settings.reconcile_hour,
            mail_deadline_s=min(20, settings.lease_s * 2 / 3),
        )


def post_of_installation(settings: Settings) -> Post | None:
    """Make the post of COUNTERFOIL_SMTP_URL, if it is set. Raises WrongPost."""
    return Post(settings.smtp_url, sender=settings.mail_from) if settings.smtp_url else None


class Works:
    """Connections, the book, the gateways' adapters and the post of one process and event loop.

    Doors settle what they asked for with it, the loop works off what is due. `post` is None where
    the installation has no mail server: accounts may have their own, in networks of our own where
    `mail_private` allows that. `public_url` is where providers reach us. Close it after the doors
    and before the pool.
    """

    def __init__(
        self,
        pool: Pool,
        book: Book,
        *,
        keys: KeyRing | None = None,
        post: Post | None = None,
        pace: Pace | None = None,
        public_url: str | None = None,
    ) -> None:
        self.pool = pool
        self.book = book
        self.pace = pace or Pace()
        self.post = post
        self.ring = keys
        self.mail_private = False
        self.public_url = public_url
        self.http = Http(trusted=True)
        self.adapters = Adapters(pool, keys, self.http, deadline_s=self.pace.deadline_s)
        self.clock = Clock()
        self._running: set[asyncio.Task[Any]] = set()

    @classmethod
    def from_settings(cls, settings: Settings, pool: Pool, book: Book) -> Self:
        """Put it together as configured. Raises WrongSetting."""
        works = cls(
            pool, book, keys=KeyRing(settings.secret_keys()), post=post_of_installation(settings),
            pace=Pace.of(settings), public_url=settings.public_url,
        )
        works.mail_private = settings.mail_private
        return works

    def asked(self, actor: Actor, *, key: str | None = None, source: str = "api") -> Asked:
        """Make the Asked of a door that will settle at once: its intents are born leased to it."""
        return Asked(
            actor=actor, key=key, source=source, lease=new_id(), lease_s=self.pace.lease_s
        )

    async def undisturbed(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do it to the end, even when whoever waits for it goes away meanwhile."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.info("settle_failed", error=repr(failure))

    async def aclose(self) -> None:
        """Wait for what is under way, at most 25 seconds, and close what is kept open."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_STOP_S)
            for task in late:
                task.cancel()
        await self.http.aclose()
