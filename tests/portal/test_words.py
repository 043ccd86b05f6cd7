"""Every status, fact and reason of the core has its words, and a list's address reads back."""

import pytest
from msgspec.structs import replace

from counterfoil.actions.refund import REASON_CODES
from counterfoil.book.filters import CHOICES
from counterfoil.order.fact import FACT_TYPES
from counterfoil.order.goods_return import CONDITIONS, RESOLUTIONS, RETURN_REASONS
from counterfoil.order.life import MACHINES
from counterfoil.portal import listing, reasons, return_words, story, words
from counterfoil.portal.refusals import told
from counterfoil.portal.respond import own_path
from counterfoil.portal.timeline import changed_since
from tests.portal.sample_facts import FACTS

AXIS_OF = {
    "order": "status",
    "item": "item",
    "bag": "bag",
    "payment": "payment",
    "transaction": "movement",
    "refund": "refund",
    "shipment": "shipment",
    "cancellation": "movement",
    "fraud_review": "review",
    "task": "task",
    "drift_line": "drift",
    "letter": "movement",
    "return": "return",
}


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_status_of_a_machine_has_a_word(machine):
    statuses = {*machine.born, *(edge.target for edge in machine.edges)}
    assert statuses <= set(words.AXES[AXIS_OF[machine.name]])


def test_every_word_of_a_return_is_told():
    assert set(return_words.RESOLUTIONS) == set(RESOLUTIONS)
    assert set(return_words.REASONS) == set(RETURN_REASONS)
    assert set(return_words.CONDITIONS) == set(CONDITIONS)


def test_every_status_that_can_be_filtered_has_a_word():
    tables = {
        "system_state": words.STATUS,
        "financial_status": words.PAYMENT,
        "fulfillment_status": words.FULFILMENT,
    }
    for name, table in tables.items():
        assert set(CHOICES[name]) <= set(table)
    assert set(CHOICES["fraud_status"]) - {"NOT_REQUIRED"} == set(words.REVIEW)


def test_every_fact_is_told_and_changes_a_region():
    assert set(FACT_TYPES) <= set(story.LINES)
    for kind in FACT_TYPES:
        if not kind.startswith("letter."):
            assert any(kind.startswith(prefix) for prefix in _prefixes()), kind


@pytest.mark.parametrize("kind", story.LINES)
def test_a_fact_of_which_only_the_order_is_told_breaks_off_nowhere(kind):
    """As it is told to merchants, who are not told the amounts of whole orders."""
    line = story.LINES[kind]
    missing = ("{amount}", "{fields}", "{edited}", "{after}", "{why}", "{assignee}", "{task}")
    assert bool(line.bare) == any(word in line.sentence for word in missing)
    bare = replace(FACTS[0], type=kind, data={"order": {"currency": "EUR"}})
    if line.bare:
        assert story.tell(bare, {}).sentence == line.bare


def _prefixes():
    from counterfoil.portal.timeline import CHANGES

    return [prefix for prefix, _ in CHANGES]


def test_every_reason_for_a_refund_has_words():
    assert set(REASON_CODES) == set(words.REASONS)


def test_a_status_nobody_listed_shows_as_itself():
    assert words.look("payment", "ON_THE_MOON").label == "On the moon"
    assert reasons.in_words(["whatever_next"])[0].text == "Whatever next"


def test_a_fact_is_told_with_amount_and_person():
    told_fact = story.tell(FACTS[2], {})
    assert told_fact.sentence == "Refunded 99.00\u00a0NOK"
    assert told_fact.who == "Anna Berg"
    assert told_fact.detail == "R-10412-1"


def test_only_what_changed_is_sent_again():
    from counterfoil.portal.timeline import Facts

    facts = Facts(facts=FACTS, shown={})
    newest = FACTS[0].sequence
    assert changed_since(facts, newest) == ["timeline", "live"]
    assert "payments" in changed_since(facts, newest - 1)
    assert "notes" not in changed_since(facts, newest - 1)
    assert "notes" in changed_since(facts, FACTS[5].sequence - 1)


GIVEN = [
    ("status", "NEW"),
    ("status", "picking"),
    ("payment", "AUTHORIZED"),
    ("q", " ola "),
    ("placed_from", "2026-11-01"),
    ("sort", "placed_at"),
    ("size", "25"),
    ("colour", "red"),
    ("tag", ""),
]


def test_the_address_is_read_and_written_back():
    query = listing.read_query("/portal/orders/open", GIVEN, {"status": [("picking", "Picking")]})
    assert query.chosen == {"status": ("NEW", "picking"), "payment": ("AUTHORIZED",)}
    assert query.q == "ola"
    assert query.oldest_first
    assert query.size == 25
    assert query.notice == "Not a filter here: colour."
    again = listing.read_query("/portal/orders/open", _pairs(query.href()))
    assert again.pairs == query.pairs
    assert again.kept == query.kept


def _pairs(address):
    from urllib.parse import parse_qsl

    return parse_qsl(address.partition("?")[2])


def test_a_chip_takes_itself_away():
    query = listing.read_query("/portal/orders/open", GIVEN, {"status": [("picking", "Picking")]})
    chips = {chip.value: chip for chip in query.chips}
    assert set(chips) == {"ola", "New", "Picking", "Authorised", "2026-11-01"}
    left = listing.read_query("/portal/orders/open", _pairs(chips["New"].href))
    assert left.chosen["status"] == ("picking",)


def test_what_is_no_status_says_so():
    query = listing.read_query("/portal/orders/all", [("payment", "GOLD"), ("size", "7")])
    assert query.chips[0].value == "GOLD?"
    assert query.size == 50


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example/portal/",
        "/portal/\\evil",
        "/etc",
        "",
        "/portal/a\nb",
    ],
)
def test_no_way_back_leads_elsewhere(path):
    assert own_path(path) == "/portal/orders/open"
    assert listing.way_back(path) == ("Open orders", "/portal/orders/open")


def test_a_missing_right_is_named():
    from counterfoil.kernel.problem import PermissionDenied

    sentence, facts = told(PermissionDenied("no", permission="payments.refund"))
    assert "payments.refund" in sentence
    assert facts == [("It allows", "Give money back.")]
