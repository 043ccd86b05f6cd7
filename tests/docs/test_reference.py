"""The reference is what the code says today."""

import pytest

from docs.__main__ import REFERENCE
from docs.generator.pages import MAKERS
from tests.docs.pages import DOCS

AGAIN = "the code says something else now: run `make docs` and commit docs/reference"


@pytest.mark.parametrize("name", MAKERS)
def test_a_page_says_what_the_code_says(name):
    made = MAKERS[name]()
    kept = (REFERENCE / name).read_text(encoding="utf-8")
    if made != kept:
        lines = zip(made.splitlines(), [*kept.splitlines(), ""], strict=False)
        new = next((f"{m}\n  instead of\n{k}" for m, k in lines if m != k), "its length differs")
        pytest.fail(f"docs/reference/{name}: {AGAIN}\n{new}")


def test_nothing_else_is_in_the_reference():
    assert {path.name for path in REFERENCE.iterdir()} == set(MAKERS), AGAIN


def test_the_front_leads_to_every_page_of_it():
    front = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [name for name in MAKERS if f"(reference/{name})" not in front] == []
