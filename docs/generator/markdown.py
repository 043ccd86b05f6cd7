"""Markdown, put together: headings, tables, and sentences taken from docstrings."""

import inspect
import re
from collections.abc import Iterable, Sequence

#: References to sources, as docstrings end with them; readers of the handbook do not have these.
_SOURCES = re.compile(
    r"\s*[\[(](?:(?:rulings?|faults|domain\.md|api\.md|[A-Z]-\d+|V\d+)\b[^\])]*)[\])]"
)
_PARAGRAPH = re.compile(r"\n\s*\n")


def page(title: str, introduction: str, *parts: str) -> str:
    """Begin a page with its title and who wrote it."""
    notice = "<!-- Written by `make docs` from the code. Change the code, not this page. -->"
    return "\n\n".join([notice, f"# {title}", fold(introduction), *parts]) + "\n"


def fold(text: str) -> str:
    """Bring a text written in several lines of code into paragraphs of one line each."""
    paragraphs = _PARAGRAPH.split(inspect.cleandoc(text))
    return "\n\n".join(
        paragraph if paragraph.startswith(("-", "|", "```")) else " ".join(paragraph.split())
        for paragraph in paragraphs
    )


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; cells hold inline Markdown."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Set something in the typeface of code; nothing stays nothing."""
    return f"`{text}`" if str(text) else ""


def codes(texts: Iterable[object]) -> str:
    """Set several things in the typeface of code, with commas between."""
    return ", ".join(code(text) for text in texts)


def plain(text: str | None) -> str:
    """Take a docstring for a page: paragraphs of one line, without references to sources."""
    return fold(_SOURCES.sub("", text or ""))


def first(text: str | None) -> str:
    """Take the first paragraph of a docstring."""
    return plain(text).split("\n\n")[0]
