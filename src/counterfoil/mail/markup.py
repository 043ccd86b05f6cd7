"""The HTML of a letter: which tags it may have, and the same letter as plain text.

Both come from one reading of the tags. Mail programs show little of HTML, and nothing that runs.
"""

import re
from html.parser import HTMLParser

from counterfoil.mail.language import Fault

#: Tags, with the attributes each may have.
TAGS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("p", "b", "strong", "i", "em", "u", "small", "bdi", "h1", "h2", "h3", "ul", "ol", "li",
         "table", "caption", "thead", "tbody", "tr", "th", "td", "blockquote", "div", "span",
         "br", "hr"),
        frozenset({"class", "dir", "lang"}),
    ),
    "a": frozenset({"href", "class"}),
}
CLASSES = ("amount", "quiet", "button")
_VOID = ("br", "hr")
_BLOCKS = ("p", "h1", "h2", "h3", "ul", "ol", "table", "blockquote", "div", "caption")
_LINKS = ("https://", "http://", "mailto:", "tel:")
#: Stands where a value will; nothing that people type is this character.
HOLE = "\ue000"
#: Stands where the address of a page will; only such a value may be a link.
LINK_HOLE = "\ue001"
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_SPACES = re.compile(r"[ \t\r\n\f]+")


def check_markup(field: str, literal: str) -> list[Fault]:
    """Find tags that a letter cannot have, by line; values are holes in what is looked at."""
    reader = _Checker(field)
    reader.feed(literal)
    reader.close()
    for tag, line in reader.open:
        reader.faults.append(Fault(field, line, f"<{tag}> is not closed: add </{tag}>."))
    return reader.faults


def to_text(page: str) -> str:
    """Write a letter's HTML as plain text; links keep their address."""
    reader = _Writer()
    reader.feed(page)
    reader.close()
    lines = [line.rstrip() for line in "".join(reader.said).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


class _Checker(HTMLParser):
    def __init__(self, field: str) -> None:
        super().__init__(convert_charrefs=True)
        self.field = field
        self.faults: list[Fault] = []
        self.open: list[tuple[str, int]] = []

    def _fault(self, said: str) -> None:
        self.faults.append(Fault(self.field, self.getpos()[0], said))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self._fault(f"The tag <{tag.replace(HOLE, '…')}> cannot be used."
                        f" There are: {', '.join(TAGS)}.")
            return
        bare = _QUOTED.sub("", self.get_starttag_text() or "")
        if HOLE in bare or LINK_HOLE in bare:
            self._fault('Put a value inside a tag between quotes, such as href="{{ … }}".')
        for name, value in attrs:
            self._look_at(tag, name, value or "")
        if tag not in _VOID:
            self.open.append((tag, self.getpos()[0]))

    def _look_at(self, tag: str, name: str, value: str) -> None:
        if name not in TAGS[tag]:
            allowed = ", ".join(sorted(TAGS[tag]))
            self._fault(f"<{tag}> cannot have {name.replace(HOLE, '…')}=. It can have: {allowed}.")
        elif name == "href" and not (value == LINK_HOLE or value.lower().startswith(_LINKS)):
            self._fault("A link begins with https://, mailto: or tel:, or is {{ tracking_url }}.")
        elif name == "class" and not set(value.split()) <= set(CLASSES):
            self._fault(f"There are the classes {', '.join(CLASSES)}.")

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID or tag not in TAGS:
            return
        if self.open and self.open[-1][0] == tag:
            self.open.pop()
        else:
            waits = f" Close <{self.open[-1][0]}> first." if self.open else ""
            self._fault(f"</{tag}> closes nothing here.{waits}")

    def handle_comment(self, data: str) -> None:
        self._fault("HTML comments reach the customer. Write {# … #} instead.")

    def handle_decl(self, decl: str) -> None:
        self._fault("Leave the frame of the page out: the text alone is written here.")

    def handle_pi(self, data: str) -> None:
        self._fault("This cannot be used in a letter.")


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._hidden = 0
        self._cells = 0
        self._link: tuple[str, int] | None = None

    def _line(self, count: int = 1) -> None:
        """End the line, and leave `count - 1` empty ones."""
        self.said.append("\n" * count)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("head", "style"):
            self._hidden += 1
        elif tag in _BLOCKS:
            self._line(2)
        elif tag == "br":
            self._line()
        elif tag == "hr":
            self.said.append("\n\n----\n\n")
        elif tag == "li":
            self.said.append("\n- ")
        elif tag == "tr":
            self._line()
            self._cells = 0
        elif tag in ("td", "th"):
            self.said.append("  " if self._cells else "")
            self._cells += 1
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self.said))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("head", "style"):
            self._hidden -= 1
        elif tag in _BLOCKS:
            self._line(2)
        elif tag == "a" and self._link is not None:
            href, since = self._link
            shown = "".join(self.said[since:]).strip()
            if href.removeprefix("mailto:").removeprefix("tel:") != shown:
                self.said.append(f" ({href})")
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        text = _SPACES.sub(" ", data)
        before = self.said[-1] if self.said else "\n"
        if before.endswith(("\n", " ")):
            text = text.lstrip(" ")
        if text:
            self.said.append(text)
