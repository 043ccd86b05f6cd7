"""The tools that every address works with; made once a process, by `app`."""

from counterfoil.access.keys import KeyCheck
from counterfoil.access.sessions import SessionCheck
from counterfoil.api.metrics import Meter
from counterfoil.book.numbers import Numbers
from counterfoil.book.placing import Placer
from counterfoil.book.run import Book
from counterfoil.kernel.db import Pool
from counterfoil.kernel.secrets import KeyRing
from counterfoil.settings import Settings
from counterfoil.work.desk import Pace, Works, post_of_installation


class Office(Works):
    """What the work of a process needs, and beside it what its doors need."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url, "the embedded server is started before the program"
        pool = Pool(settings.database_url, size=settings.pool_size)
        ring = KeyRing(settings.secret_keys())
        super().__init__(
            pool, Book(pool), keys=ring, pace=Pace.of(settings), public_url=settings.public_url,
            post=post_of_installation(settings),
        )
        self.settings = settings
        self.ring: KeyRing = ring
        self.mail_private = settings.mail_private
        self.placer = Placer(pool, Numbers(block=settings.number_block))
        self.meter = Meter()
        remember_s = settings.credential_cache_s
        self.keys = KeyCheck(pool, remember_s=remember_s)
        self.sessions = SessionCheck(
            pool, remember_s=remember_s, idle_s=settings.session_idle_s
        )

    async def close(self) -> None:
        """Finish what is under way, then let the connections go."""
        await self.aclose()
        await self.pool.close()
