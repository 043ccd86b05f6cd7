"""Ids: UUIDv7 as text, so that rows made later sort later."""

import os
import threading
import time

_lock = threading.Lock()
_last_ns = 0


def new_id() -> str:
    """Make a UUIDv7: 48 bits of milliseconds, 12 bits of finer time, 62 bits of chance.

    Within one process every id is greater than the one before, even when the clock steps back.
    """
    global _last_ns  # noqa: PLW0603 - the one clock that must never repeat within the process
    with _lock:
        now = time.time_ns()
        if now <= _last_ns:
            now = _last_ns + 245  # one step of the 12 bits below a millisecond
        _last_ns = now
    milliseconds, rest = divmod(now, 1_000_000)
    fine = (rest << 12) // 1_000_000
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | 7 << 76 | fine << 64
    value |= 2 << 62 | int.from_bytes(os.urandom(8)) >> 2
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
