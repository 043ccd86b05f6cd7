"""Whoever types what a page says gets what the page shows."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.installation import Installation
from tests.docs.pages import DOCS, ROOT, blocks, pages, place
from tests.docs.reader import Reader, differ

#: Every page with blocks to type, but the tutorial, which goes through the portal as well, and
#: those after which `test_connecting` looks at the provider too.
TYPED = [
    page
    for page in pages()
    if page.is_relative_to(DOCS / "how-to")
    and any(b.language == "sh" for b in blocks(page))
    and page.name not in ("connect-zip.md", "connect-stripe.md")
]


def known_to(installation: Installation) -> dict[str, str]:
    """Name the variables that pages take for set."""
    return {
        "API": installation.api,
        "KEY": installation.login.api_key,
        "SANDBOX": installation.sandbox,
    }


def terminal(page: Path, installation: Installation, folder: Path, **known: str) -> Reader:
    """Open a terminal in what looks like the clone; `known` are variables that are set there."""
    (folder / ".venv").symlink_to(ROOT / ".venv" if (ROOT / ".venv").exists() else sys.prefix)
    (folder / "var").symlink_to(installation.folder / "var")
    return Reader(page, folder, {**installation.environment, **known})


@pytest.fixture
def reader(
    request: pytest.FixtureRequest, installation: Installation, tmp_path: Path
) -> Iterator[Reader]:
    opened = terminal(request.param, installation, tmp_path, **known_to(installation))
    yield opened
    opened.close()


@pytest.mark.parametrize("reader", TYPED, ids=place, indirect=True)
def test_a_page_can_be_typed(reader):
    reader.read()


def test_what_is_shown_is_really_compared():
    found = {"status": "PAID", "items": [{"id": "7", "quantity": 2}], "total": 100}
    assert differ({"items": [{"id": "…", "quantity": 2}]}, found) == []
    assert differ({"total": 100, "status": "PA…"}, found) == []
    assert differ({"total": True}, found) == ["/total is 100, not True"]
    assert differ({"status": "UNPAID"}, found) == ["/status is 'PAID', not 'UNPAID'"]
    assert differ({"items": [{}, {}]}, found) == ["/items has 1 of 2"]
    assert differ({"tax": 0}, found) == ["/tax is missing"]
