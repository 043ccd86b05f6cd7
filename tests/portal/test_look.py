"""In a browser, under the real policy: nothing overflows, nothing is refused. [design guide 7]"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.portal.preview import browser, served, write
from tests.portal.shots import SHOTS

pytestmark = pytest.mark.browser

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


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1250, 1425, 1440])
def test_nothing_overflows_and_nothing_is_refused(site: str, chromium: Any, width: int) -> None:
    tab = chromium.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    tab.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    tab.on("pageerror", lambda fault: said.append(str(fault)))
    wide = {}
    for shot in SHOTS:
        tab.goto(f"{site}/{shot.name}.html")
        if over := tab.evaluate(WIDER):
            wide[shot.name] = over
    tab.close()
    assert not wide
    assert not said
