"""The texts that letters have from the first day, and what a text of one's own must be."""

from datetime import datetime
from functools import cache
from importlib.resources import files

import msgspec

from counterfoil.mail.language import (
    BODY_MAX,
    SUBJECT_MAX,
    CannotRender,
    Fault,
    check,
    literal,
    render,
)
from counterfoil.mail.markup import HOLE, LINK_HOLE, check_markup
from counterfoil.mail.shown import sample_of, words_of

_BEGINS = "Subject: "
_OWN_HOLES = {"tracking_url": LINK_HOLE}


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """The source of a letter: a subject and a body, in the language of `language.py`."""

    subject: str
    body: str


@cache
def built_in(kind: str, language: str) -> Text:
    """Read the text that comes with the program."""
    file = files("counterfoil.mail") / "templates" / language / f"{kind}.html"
    subject, _, body = file.read_text(encoding="utf-8").partition("\n\n")
    assert subject.startswith(_BEGINS), kind
    return Text(subject=subject.removeprefix(_BEGINS), body=body)


def faults_of(text: Text, kind: str, language: str, at: datetime) -> list[Fault]:
    """Find everything that is wrong with a text of a kind; none means that it can be used.

    It is read, and then filled in with a sample in which every value is there.
    """
    words = words_of(kind)
    if found := _lengths(text):
        return found
    found = [*check("subject", text.subject, words), *check("body", text.body, words)]
    if found:
        return found
    if found := check_markup("body", literal(text.body, HOLE, _OWN_HOLES)):
        return found
    values = sample_of(kind, language, store="Nordlys", at=at)
    for field, source in (("subject", text.subject), ("body", text.body)):
        try:
            filled = render(source, values, escaped=field == "body")
        except CannotRender as wrong:
            found.append(Fault(field, 1, f"It does not work with the sample: {wrong}"))
            continue
        if not filled.strip():
            found.append(Fault(field, 1, "With the sample nothing is left of it."))
    return found


def _lengths(text: Text) -> list[Fault]:
    found = []
    for field, source, most in (
        ("subject", text.subject, SUBJECT_MAX), ("body", text.body, BODY_MAX),
    ):
        if not source.strip():
            found.append(Fault(field, 1, "Write something."))
        elif len(source) > most:
            found.append(Fault(field, 1, f"It has {len(source)} characters; {most} are allowed."))
    if "\n" in text.subject.strip():
        found.append(Fault("subject", 1, "A subject is one line."))
    return found
