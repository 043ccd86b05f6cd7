"""Ids: each later than the one before, whatever the clock does."""

import time
import uuid

from counterfoil.kernel import ids


def test_an_id_is_a_uuid_of_version_seven():
    made = uuid.UUID(ids.new_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs(time.time() * 1000 - (made.int >> 80)) < 60_000


def test_ids_rise_in_a_burst():
    made = [ids.new_id() for _ in range(50_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_rise_when_the_clock_creeps_jumps_or_steps_back(monkeypatch):
    now = time.time_ns()
    clock = iter([now + step for step in (0, 1, 2, 244, 246, 10, -5_000_000, 300, 301, 10**9, 500)])
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    made = [ids.new_id() for _ in range(11)]
    assert made == sorted(made)
