"""Colours can be read: WCAG ratios recomputed from the stylesheet's own pairs. [design guide 4]"""

import re
from pathlib import Path

import pytest

from counterfoil.order.config import COLOURS
from counterfoil.portal.state_words import HUES

TOKENS = Path(__file__).parents[2] / "assets" / "css" / "10-tokens.css"
TONES = ("neutral", "info", "progress", "success", "warning", "unknown", "danger", "violet")
PAIR = re.compile(r"--([\w-]+):\s*light-dark\((#\w{6}),\s*(#\w{6})\)")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def pairs(block: str) -> dict[str, tuple[str, str]]:
    return {name: (light, dark) for name, light, dark in PAIR.findall(block)}


def root() -> dict[str, tuple[str, str]]:
    return pairs(TOKENS.read_text().partition("html[")[0])


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_a_badge_can_be_read_and_its_edge_seen(tone: str, scheme: int) -> None:
    block = re.search(rf"\.cf-{tone} {{(.*?)}}", TOKENS.read_text())
    assert block
    own, card = pairs(block[1]), root()["cf-card"][scheme]
    assert ratio(own["fg"][scheme], own["bg"][scheme]) >= 4.5
    assert ratio(own["edge"][scheme], card) >= 3


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_muted_text_links_and_edges_stand_out(scheme: int) -> None:
    known = {name: pair[scheme] for name, pair in root().items()}
    for ground in ("cf-page", "cf-card", "cf-quiet"):
        assert ratio(known["cf-muted"], known[ground]) >= 4.5, ground
    for ground in ("cf-page", "cf-card"):
        assert ratio(known["cf-link"], known[ground]) >= 4.5, ground
        assert ratio(known["cf-edge"], known[ground]) >= 3, ground
        assert ratio(known["cf-focus"], known[ground]) >= 3, ground


@pytest.mark.parametrize("hue", COLOURS)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_that_a_state_can_have_is_seen(hue: str, scheme: int) -> None:
    """The palette of order states is closed, so that this can be said of each. [3.11]"""
    css = (TOKENS.parent / "56-configurations.css").read_text()
    block = re.search(rf"\.{HUES[hue].style} {{(.*?)}}", css)
    assert block
    for ground in ("cf-card", "cf-quiet"):
        assert ratio(pairs(block[1])["edge"][scheme], root()[ground][scheme]) >= 3, ground
