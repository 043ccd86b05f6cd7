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


def test_nothing_overflows_and_nothing_is_refused(site: str, chromium: Any) -> None:
    tab = chromium.new_page()
    said: list[str] = []
    tab.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    tab.on("pageerror", lambda fault: said.append(str(fault)))
    wide = []
    for shot in SHOTS:
        tab.goto(f"{site}/{shot.name}.html")
        for width in WIDTHS:
            tab.set_viewport_size({"width": width, "height": 900})
            if over := tab.evaluate(WIDER):
                wide.append(f"{shot.name} at {width}: {over}")
    tab.close()
    assert not wide
    assert not said


EVERY_RULE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
FOUND = """async (rules) => (await axe.run(document, rules)).violations.map((one) =>
  `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target + ' ' + node.failureSummary)}`)"""


@pytest.mark.parametrize(
    ("width", "scheme", "rules"),
    [(390, "light", EVERY_RULE), (1440, "light", EVERY_RULE), (1440, "dark", COLOURS)],
)
def test_everybody_can_use_it(
    site: str, chromium: Any, width: int, scheme: str, rules: dict[str, Any]
) -> None:
    """Axe finds nothing, on any page, wide and narrow, light and dark. [WCAG 2.2 AA]"""
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
    tab = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = []
    for shot in SHOTS:
        tab.goto(f"{site}/{shot.name}.html")
        tab.evaluate(axe)
        found += [f"{shot.name}: {wrong}" for wrong in tab.evaluate(FOUND, rules)]
    tab.close()
    if found:
        pytest.fail("\n".join(found))
