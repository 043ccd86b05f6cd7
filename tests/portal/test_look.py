"""In a browser, under the real policy: nothing overflows, nothing is refused. [design guide 7]"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.portal.preview import browser, served, write
from tests.portal.shots import SHOTS

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser
WIDTHS = (320, 390, 768, 1024, 1250, 1425, 1440)

WIDER = """() => {
  const rolls = [document.documentElement, ...document.querySelectorAll('.cf-scroll')]
  const wide = Math.max(...rolls.map((one) => one.scrollWidth - one.clientWidth))
  if (wide <= 0) return ''
  const found = [...document.querySelectorAll('body *')].filter((one) =>
    one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.cf-tabs, [popover]'))
  const names = found.slice(0, 6).map((one) => one.tagName + '.' + one.className)
  return `${wide}px: ${names.join(' | ')}`
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    out: Path = tmp_path_factory.mktemp("pages")
    write(out)
    with served(out) as base:
        yield base


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


EVERY_RULE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
#: A colour on its way to another is none yet.
STILL = """() => {
  const still = new CSSStyleSheet()
  still.replaceSync('*, ::before, ::after { transition: none !important }')
  document.adoptedStyleSheets.push(still)
}"""
FOUND = """async (rules) => (await axe.run(document, rules)).violations.map((one) =>
  `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target + ' ' + node.failureSummary)}`)"""
LOOKS = ((1440, "light", EVERY_RULE), (1440, "dark", COLOURS), (390, "light", EVERY_RULE))
PARTS = 12


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_overflows_or_is_refused_and_everybody_can_use_it(
    site: str, chromium: Any, part: int
) -> None:
    """No width has bars, no script is refused, axe finds nothing: wide, narrow, light, dark.

    [WCAG 2.2 AA]
    """
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
    tab = chromium.new_page()
    wrong: list[str] = []
    tab.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    tab.on("pageerror", lambda fault: wrong.append(str(fault)))
    for shot in SHOTS[part::PARTS]:
        tab.emulate_media(color_scheme="light")
        tab.goto(f"{site}/{shot.name}.html")
        for width in WIDTHS:
            tab.set_viewport_size({"width": width, "height": 900})
            if over := tab.evaluate(WIDER):
                wrong.append(f"{shot.name} at {width}: {over}")
        tab.evaluate(STILL)
        tab.evaluate(axe)
        for width, scheme, rules in LOOKS:
            tab.set_viewport_size({"width": width, "height": 900})
            tab.emulate_media(color_scheme=scheme)
            found = tab.evaluate(FOUND, rules)
            wrong += [f"{shot.name} at {width}, {scheme}: {one}" for one in found]
    tab.close()
    assert not wrong, "\n".join(wrong)
