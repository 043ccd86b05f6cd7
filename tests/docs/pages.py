"""The documentation as its tests see it: pages, headings, links and fenced blocks."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: Pages outside docs/ that people read too.
FRONT = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")

_FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!\\)\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^)\s]+)\)")
_TAGGED = re.compile(r'(?:src|srcset|href)="([^"]+)"')
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the page where it begins."""

    language: str
    text: str
    line: int


@cache
def pages() -> tuple[Path, ...]:
    """List every page there is."""
    return (*(ROOT / name for name in FRONT), *sorted(DOCS.rglob("*.md")))


@cache
def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """List the fenced blocks of a page, in order."""
    text = read(page)
    return tuple(
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(text)
    )


def asides(page: Path) -> dict[int, str]:
    """Map lines to what is to be done there in the portal; readers see the sentence before it."""
    lines = enumerate(read(page).splitlines(), 1)
    return {number: m[1] for number, line in lines
            if (m := re.fullmatch(r"<!-- in the portal: (.+) -->", line))}


@cache
def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", read(page))


def links(page: Path) -> list[str]:
    """List what a page links to or shows: targets as they are written."""
    text = _SPAN.sub("``", prose(page))
    return [*_LINK.findall(_restored(page, text)), *_TAGGED.findall(prose(page))]


def _restored(page: Path, text: str) -> str:
    """Links whose words are code keep their targets; code that looks like a link is none."""
    return text.replace("[``]", "[code]")


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that forges give to the headings of a page."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in _HEADING.findall(prose(page)):
        name = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.replace("`", "")).lower()
        name = re.sub(r"[^\w\- ]", "", name).replace(" ", "-")
        found.add(name if not seen[name] else f"{name}-{seen[name]}")
        seen[name] += 1
    return frozenset(found)


def code_spans(page: Path) -> list[str]:
    """List what is set as code in the prose of a page."""
    return _SPAN.findall(prose(page))


def place(page: Path, line: int | None = None) -> str:
    name = str(page.relative_to(ROOT))
    return name if line is None else f"{name}:{line}"
