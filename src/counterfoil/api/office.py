"""What every address works with; made once a process, by `app`."""

from msgspec import Struct

from counterfoil.access.keys import KeyCheck
from counterfoil.access.sessions import SessionCheck
from counterfoil.book.placing import Placer
from counterfoil.book.run import Book
from counterfoil.kernel.db import Pool
from counterfoil.kernel.secrets import KeyRing
from counterfoil.settings import Settings
from counterfoil.work.desk import Works


class Office(Struct, frozen=True, kw_only=True):
    """The tools of the door."""

    settings: Settings
    pool: Pool
    book: Book
    placer: Placer
    keys: KeyCheck
    sessions: SessionCheck
    ring: KeyRing | None
    desk: Works
