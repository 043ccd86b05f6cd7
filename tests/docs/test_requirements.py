"""Every requirement is proven by a test that names it, or is known not to be yet."""

from docs.generator.requirements import Requirements, pending, proofs, requirements

#: The most ids that may wait for their proof. Lower it with every proof; it never rises.
PENDING_MAX = 21


def test_every_requirement_has_one_document_and_one_sentence():
    every = requirements()
    assert len(every.ids) == len(set(every.ids)) == 106
    wrong = [id_ for letter, one in every.documents.items() for id_ in one.asks
             if not id_.startswith(f"{letter}-")]  # fmt: skip
    assert wrong == []
    says = [text for one in every.documents.values() for text in one.asks.values()]
    assert len(says) == len(set(says))
    assert [text for text in says if not text.endswith(".")] == []


def test_every_requirement_is_proven_or_known_to_wait():
    assert faults(requirements(), set(proofs()), pending()) == []


def test_what_waits_grows_less():
    assert len(pending()) <= PENDING_MAX, "what was proven stays proven"


def faults(every: Requirements, proven: set[str], waits: list[str]) -> list[str]:
    """Tell every id that stands where it must not, or nowhere."""
    known, idle = set(every.ids), set(every.nothing)
    waiting = set(waits)
    return [
        *(f"{id_}: no document has it" for id_ in sorted((proven | waiting | idle) - known)),
        *(f"{id_}: proven, so docs/requirements_pending.txt must not have it"
          for id_ in sorted(proven & waiting)),
        *(f"{id_}: nothing proves it, and docs/requirements_pending.txt does not have it"
          for id_ in sorted(known - proven - waiting - idle)),
        *(f"{id_}: asks nothing, so nothing proves it"
          for id_ in sorted(idle & (proven | waiting))),
        *(f"{id_}: twice in docs/requirements_pending.txt"
          for id_ in sorted(waiting) if waits.count(id_) > 1),
    ]  # fmt: skip


def test_what_is_wrong_with_the_lists_is_seen():
    every = requirements()
    good = [id_ for id_ in every.ids if id_ not in every.nothing]
    proven, waits = set(good[:5]), good[5:]
    assert faults(every, proven, waits) == []
    assert faults(every, proven, [*waits, good[0]]) != []
    assert faults(every, proven, waits[1:]) != []
    assert faults(every, {*proven, "Z-99"}, waits) != []
    assert faults(every, proven, [*waits, "X-1"]) != []
    assert faults(every, proven, [*waits, waits[0]]) != []
    assert faults(every, {*proven, every.nothing[0]}, waits) != []
