"""What an open page is told: who did what, and which regions are shown anew. [design guide 5.5]"""

import msgspec

from counterfoil.portal.live import news_since
from counterfoil.portal.timeline import CHANGES, Facts, changed_since
from tests.portal.sample_facts import fact

ANNA = {"kind": "user", "id": "anna", "name": "Anna Berg"}
KARI = {"kind": "user", "id": "kari", "name": "Kari Lie"}
SYSTEM = {"kind": "system", "id": "work", "name": "Counterfoil"}


def happened(*told):
    """Facts from the oldest on, each a type and who it was; the page has them newest first."""
    facts = [
        msgspec.structs.replace(fact(0, kind, actor), sequence=at)
        for at, (kind, actor) in enumerate(told, 1)
    ]
    return Facts(facts=tuple(reversed(facts)), shown={})


def test_the_line_names_a_person_before_the_system_and_nobody_for_ones_own():
    facts = happened(
        ("order.noted", KARI), ("invoice.set", ANNA), ("order.completed", ANNA),
        ("letter.sent", SYSTEM),
    )
    news = news_since(facts, 1, "kari", {})
    assert news is not None
    assert news.who == "Anna Berg"
    assert news.said == (
        "Invoice number changed · Everything has been shipped · and 1 more change")
    assert news_since(facts, 0, "anna", {}).who == "Kari Lie"
    assert news_since(facts, 3, "kari", {}).text == "Counterfoil: Letter to the customer sent"
    assert news_since(facts, 4, "kari", {}) is None
    assert news_since(happened(("order.noted", KARI)), 0, "kari", {}) is None


def test_only_regions_of_what_happened_since_are_shown_anew():
    facts = happened(("order.noted", KARI), ("invoice.set", ANNA), ("order.noted", ANNA))
    assert changed_since(facts, 2) == ["notes", "timeline", "live"]
    assert set(changed_since(facts, 1)) == {"notes", "invoice", "timeline", "live"}


def test_whoever_missed_more_than_was_read_gets_every_region():
    facts = happened(*[("order.noted", ANNA)] * 4)
    cut = msgspec.structs.replace(facts, facts=facts.facts[:2])
    everything = {name for _, names in CHANGES for name in names}
    assert set(changed_since(cut, 0)) == everything | {"timeline", "live"}
    assert "payments" not in changed_since(cut, 2)
