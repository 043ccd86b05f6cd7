"""Ids: UUIDv7 as text, so that rows made later sort later."""

import os
import threading
import time

_lock = threading.Lock()
_last_ns = 0
_chance = b""
_used = 0
_STEP_NS = 245
_VARIANT = "89ab"
_CHANCE_BYTES = 4096  # asked of the system at once; a single id's eight bytes cost a microsecond


def new_id() -> str:
    """Make a UUIDv7: 48 bits of milliseconds, 12 bits of finer time, 62 bits of chance.

    Within one process every id is greater than the one before, even when the clock steps back.
    """
    global _last_ns, _chance, _used  # noqa: PLW0603 - the one clock that must never repeat within the process
    with _lock:
        # At least one step of the 12 bits below a millisecond after the one before.
        now = _last_ns = max(time.time_ns(), _last_ns + _STEP_NS)
        if _used == len(_chance):
            _chance, _used = os.urandom(_CHANCE_BYTES), 0
        chance = _chance[_used : _used + 8]
        _used += 8
    milliseconds, rest = divmod(now, 1_000_000)
    begin = f"{milliseconds & 0xFFFFFFFFFFFF:012x}"
    end = chance.hex()
    fine = (rest << 12) // 1_000_000
    return f"{begin[:8]}-{begin[8:]}-7{fine:03x}-{_VARIANT[chance[0] & 3]}{end[1:4]}-{end[4:]}"


def _forget_chance() -> None:
    """A child process must not go on with its parent's chance."""
    global _used  # noqa: PLW0603 - see above
    _used = len(_chance)


os.register_at_fork(after_in_child=_forget_chance)
