"""Forms and words of gateways are made from the adapters: every kind, every ability."""

from typing import Any

import pytest

from counterfoil.book.answered import Lately
from counterfoil.gateways.asked import credentials_asked, kinds, settings_asked
from counterfoil.order.capability import CAPABILITIES
from counterfoil.order.gateway import Capabilities
from counterfoil.portal.forms import Form
from counterfoil.portal.gateway_forms import (
    label_of,
    read_secrets_form,
    read_settings_form,
    secret_fields,
    setting_fields,
    show_settings,
    tell_refusal,
)
from counterfoil.portal.gateway_view import kind_cards, last_hour
from counterfoil.portal.gateway_words import SAID, abilities, in_short, span


def typing_of(**values: str) -> Any:
    return lambda name, limit: values.get(name, "")[:limit]


def test_every_ability_has_its_words() -> None:
    assert list(SAID) == list(Capabilities.__struct_fields__)
    for said in SAID.values():
        assert said.yes.endswith(".")
        assert said.no.endswith(".")


@pytest.mark.parametrize("kind", CAPABILITIES)
def test_what_a_kind_can_is_told_in_whole_sentences(kind: str) -> None:
    told = abilities(CAPABILITIES[kind])
    assert told
    for one in told:
        assert one.value
        assert "{" not in one.sentence
    assert in_short(CAPABILITIES[kind])


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_says_what_it_asks_for(kind: str) -> None:
    """An adapter without SETTINGS and CREDENTIALS would have no form at all."""
    assert settings_asked(kind)
    names = [field.name for field in (*setting_fields(kind), *secret_fields(kind))]
    assert len(names) == len(set(names))
    assert bool(credentials_asked(kind)) == (kind != "manual")
    assert all(field.secret for field in secret_fields(kind))
    assert all(card["name"] and card["in_short"] for card in kind_cards([kind]))


@pytest.mark.parametrize("kind", kinds())
def test_settings_go_into_the_form_and_come_back_as_they_were(kind: str) -> None:
    settings: dict[str, Any] = {"partial_capture": False, "hold_seconds": 60, "odd": {"a": [1]}}
    if any(one.name == "base_url" for one in settings_asked(kind)):
        settings["base_url"] = "https://pay.example.com"
    form = Form()
    found = read_settings_form(kind, typing_of(**show_settings(kind, settings)), form)
    assert not form.refused
    assert found == settings


def test_what_cannot_be_read_is_said_at_its_field() -> None:
    form = Form()
    typed = typing_of(
        set_base_url="ftp://x", set_deadline_s="soon", set_hold_seconds="0",
        set_partial_capture="perhaps", advanced="[1]",
    )
    read_settings_form("sandbox", typed, form)
    assert set(form.errors) == {
        "set_base_url", "set_deadline_s", "set_hold_seconds", "set_partial_capture", "advanced",
    }
    assert form.values["set_base_url"] == "ftp://x"
    empty = Form()
    read_settings_form("sandbox", typing_of(), empty)
    assert empty.errors == {"set_base_url": "Base URL: fill this in."}


def test_secrets_are_read_and_not_put_back() -> None:
    form = Form()
    assert read_secrets_form("sandbox", typing_of(secret_api_key="CANARY"), form) == {
        "api_key": "CANARY"
    }
    assert (form.values, form.errors) == ({}, {})
    assert read_secrets_form("sandbox", typing_of(), form) == {}
    assert form.errors == {"secret_api_key": "API key: fill this in."}


@pytest.mark.parametrize(
    ("detail", "field", "said"),
    [
        ("Object missing required field `base_url`", "set_base_url", "fill this in"),
        ("Object missing required field `api_key`", "secret_api_key", "fill this in"),
        ("Expected `str` matching regex '^x' - at `$.api_key`", "secret_api_key", "characters"),
        ("Expected `int` >= 1 - at `$.hold_seconds`", "set_hold_seconds", "write a number"),
        ("Expected `bool`, got `int` - at `$.odd`", "advanced", "odd: Expected `bool`"),
    ],
)
def test_what_the_adapter_refuses_is_said_at_its_field(detail: str, field: str, said: str) -> None:
    form = Form()
    tell_refusal("sandbox", detail, form)
    assert list(form.errors) == [field]
    assert said in form.errors[field]
    assert "$" not in form.errors[field]


def test_what_blames_no_field_stands_above_the_form() -> None:
    form = Form()
    tell_refusal("sandbox", "The currency must have two decimals.", form)
    assert form.notices == ["The currency must have two decimals."]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("base_url", "Base URL"), ("api_key", "API key"), ("client_id", "Client ID"),
        ("deadline_s", "Deadline (seconds)"), ("window_days", "Window (days)"),
        ("partial_capture", "Captures in part"),
        ("hold_seconds", "Keeps a reservation (seconds)"),
    ],
)
def test_a_setting_has_a_label_that_people_read(name: str, label: str) -> None:
    assert label_of(name) == label


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (604800, "7 days"), (86400, "1 day"), (5400, "90 minutes"), (3600, "1 hour"),
        (61, "61 seconds"),
    ],
)
def test_a_span_is_written_exactly(seconds: int, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("lately", "words"),
    [
        (Lately(gateway="x"), "No answers in the last hour"),
        (
            Lately(gateway="x", answers=212, declined=7, unknown=1, p95_ms=1180),
            ("212 answers in the last hour · 95 of 100 within 1.2 s · declined 3.3% · not known"
            " 0.5%"),
        ),
        (
            Lately(gateway="x", answers=10_000, declined=1, p95_ms=12),
            ("10,000 answers in the last hour · 95 of 100 within 12 ms · declined 0.1% · not known"
            " 0%"),
        ),
    ],
)
def test_the_last_hour_is_told_in_a_line(lately: Lately, words: str) -> None:
    assert last_hour(lately) == words
