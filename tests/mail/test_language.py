"""The language of letters: what it takes, what it refuses and how that is told. [H-12, M-3]"""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kernel.ids import new_id
from counterfoil.mail.compose import Envelope, compose, fill
from counterfoil.mail.language import (
    BODY_MAX,
    RENDERED_MAX,
    SUBJECT_MAX,
    CannotRender,
    literal,
    render,
)
from counterfoil.mail.markup import to_text
from counterfoil.mail.shown import sample_of, words_of
from counterfoil.mail.texts import Text, built_in, faults_of
from counterfoil.order.letter import KINDS, LANGUAGES
from counterfoil.order.mail_server import MailServer

AT = datetime(2026, 11, 20, tzinfo=UTC)
EVERY = [(kind, language) for kind in KINDS for language in LANGUAGES]


def faults(body: str, subject: str = "x", kind: str = "shipped") -> list[tuple[int, str]]:
    found = faults_of(Text(subject=subject, body=body), kind, "en", AT)
    return [(one.line, one.said) for one in found]


def sample(kind: str = "shipped", **values: object) -> dict[str, object]:
    return sample_of(kind, "en", store="Nordlys", at=AT) | values


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_every_built_in_text_is_what_a_text_must_be(kind: str, language: str):
    text = built_in(kind, language)
    assert faults_of(text, kind, language, AT) == []
    bare = {name: [] if isinstance(value, list) else "" for name, value in sample(kind).items()}
    for values in (sample_of(kind, language, store="Nordlys", at=AT), bare):
        written = fill(text, values, language)
        assert written.subject
        assert "\n\n\n" not in written.text
        assert "<" not in written.text
        assert "style=" in written.html
        assert "<style" not in written.html
        assert f'lang="{language}"' in written.html


def test_every_name_of_a_letter_has_a_sample():
    for kind in KINDS:
        assert set(sample(kind)) == set(words_of(kind))
        assert all(sample(kind).values()), "an empty one would hide a part of the text"


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("<p>\n{{ numbr }}</p>", 2, "There is no numbr in this letter. Did you mean number?"),
        ("{{ invented }}", 1, "There is no invented in this letter. The names are listed"),
        ("{% if no_such %}x{% endif %}", 1, "There is no no_such"),
        ("{% if false %}{{ no_such }}{% endif %}", 1, "There is no no_such"),
        ("a\nb\n{{ name", 3, "Check the brackets"),
        ("{% if name %}", 1, "Check the brackets"),
        ("{% for one in items %}{{ one.nam }}{% endfor %}", 1, "There is no one.nam. There is:"),
        ("{% for one in items %}{{ one }}{% endfor %}", 1, "Say which part: one.name"),
        ("{% for one in address %}{{ one.x }}{% endfor %}", 1, "It has no parts"),
        ("{{ items }}", 1, "Go through it: {% for one in items %}."),
        ("{% for a in items %}{% for b in items %}{% endfor %}{% endfor %}", 1, "inside another"),
        ("{% for a in name %}{% endfor %}", 1, "Only these can be gone through: items, address"),
        ("{% for a, b in items %}{% endfor %}", 1, "with one name"),
        ("{% for a in items if a %}{% endfor %}", 1, "with one name"),
        ("{% for a in items recursive %}{% endfor %}", 1, "with one name"),
        ("{{ name.__class__ }}", 1, "parts after a dot"),
        ("{{ name['x'] }}", 1, "square brackets"),
        ("{{ ''.join }}", 1, "parts after a dot"),
        ("{{ range(9) }}", 1, "a call"),
        ("{{ name|upper }}", 1, "a filter"),
        ("{{ 'x' * 99999999 }}", 1, "mul"),
        ("{{ 2 ** 9999 }}", 1, "pow"),
        ("{{ name ~ name }}", 1, "concat"),
        ("{% set x = 1 %}", 1, "(set)"),
        ("{% include 'x' %}", 1, "(include)"),
        ("{% import 'x' as y %}", 1, "import"),
        ("{% extends 'x' %}", 1, "extends"),
        ("{% macro x() %}{% endmacro %}", 1, "macro"),
        ("{% raw %}{{ x }}{% endraw %}{{ self }}", 1, "There is no self"),
        ("{{ loop }}", 1, "There is no loop"),
        ("{% if name is defined %}{% endif %}", 1, "(is)"),
        ("<p>\n\n<script>x</script></p>", 3, "The tag <script> cannot be used"),
        ("<img src=x>", 1, "The tag <img>"),
        ("<p onclick='x'>x</p>", 1, "<p> cannot have onclick="),
        ("<p style='x'>x</p>", 1, "<p> cannot have style="),
        ("<p class='other'>x</p>", 1, "There are the classes"),
        ("<a href='javascript:x'>x</a>", 1, "A link begins with https://"),
        ("<a href='{{ name }}'>x</a>", 1, "A link begins with https://"),
        ("<a href={{ tracking_url }}>x</a>", 1, "between quotes"),
        ("<p {{ name }}>x</p>", 1, "between quotes"),
        ("<p>x", 1, "<p> is not closed: add </p>."),
        ("<b>x</p>", 1, "</p> closes nothing here. Close <b> first."),
        ("<!-- x -->", 1, "HTML comments reach the customer"),
        ("<!doctype html>x", 1, "Leave the frame"),
        ("{# only this #}", 1, "nothing is left"),
        ("", 1, "Write something."),
        ("x" * (BODY_MAX + 1), 1, f"{BODY_MAX} are allowed"),
        ("{% if name %}" * 60 + "x" + "{% endif %}" * 60, 1, "inside of each other"),
        ("{{ " + "(" * 5000 + "name" + ")" * 5000 + " }}", 1, "inside of each other"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(body: str, line: int, said: str):
    found = faults(body)
    assert any(one[0] == line and said in one[1] for one in found), found


def test_a_subject_is_one_line_of_its_own_length():
    assert faults("x", subject="a\nb") == [(1, "A subject is one line.")]
    assert faults("x", subject="x" * (SUBJECT_MAX + 1))
    assert faults("x", subject="{{ nix }}")
    assert faults("x", subject="{{ number }}{% if name %} · {{ name }}{% endif %}") == []


def test_what_the_language_can():
    body = (
        "<p class='quiet'>{# x #}{% if carrier and not tracking_number == 'x' %}{% endif %}</p>"
        '<p><a class="button" href="{{ tracking_url }}">x</a>'
        '<a href="https://shop.example/?order={{ number }}">y</a></p>'
        "<ul>{% for one in items %}<li>{{ one.name }} {{ number }}</li>{% else %}-{% endfor %}"
        "</ul>{% raw %}{{ as it is }}{% endraw %}"
    )
    assert faults(body) == []


def test_a_letter_that_would_never_end_is_stopped():
    items = [{"name": "x" * 1000, "sku": "", "quantity": "1", "price": "", "total": ""}] * 5000
    body = "{% for one in items %}{{ one.name }}{% endfor %}"
    assert len(items) * 1000 > RENDERED_MAX
    with pytest.raises(CannotRender, match="longer"):
        render(body, sample(items=items), escaped=True)


def test_what_is_outside_the_brackets_keeps_its_line():
    source = "a{# x\ny #}\n{{ name }}<b>{% if name\n %}\nc{% endif %}"
    lines = literal(source, "#", {"tracking_url": "@"}).split("\n")
    assert lines[2] == "#<b>"
    assert lines[4] == "c"


def test_text_is_what_the_page_says():
    page = (
        "<h1>One</h1><p>Two\n  three<br>four</p><ul><li>a</li><li>b</li></ul><hr>"
        "<table><tr><td>1 × Mug</td><td>2.00</td></tr><tr><td>x</td></tr></table>"
        '<p><a href="https://x.example/1">here</a> <a href="mailto:a@b.c">a@b.c</a> &lt;b&gt;</p>'
    )
    assert to_text(page) == (
        "One\n\nTwo three\nfour\n\n- a\n- b\n\n----\n\n1 × Mug  2.00\nx\n\n"
        "here (https://x.example/1) a@b.c <b>\n"
    )


@given(
    name=st.text(max_size=60), store=st.text(max_size=60), reply=st.booleans(),
    noise=st.lists(st.sampled_from(["\r\n", "\n", ",", ";", "\x00", "Bcc: x@evil.example", "<", ">",
                                    '"', "\u202e", "\u2028", "a@b.example", "=?utf-8?q?=0A?="])),
)
def test_no_name_adds_a_header_or_a_recipient(
    name: str, store: str, reply: bool, noise: list[str]
):
    """Whatever people type, a message has one recipient and the headers that we wrote. [M-3]"""
    evil = "".join([name, *noise])
    text = Text(subject="{{ store }} {{ name }}", body="<p>{{ name }}</p>")
    written = fill(text, sample(name=evil, store=store + evil), "en")
    server = MailServer(
        host="h", port=25, security="none", sender_name=evil.replace("\x00", "")[:200],
        sender_address="shop@example.com", reply_to="back@example.com" if reply else None,
        updated_at=AT,
    )
    envelope = Envelope(
        message_id=f"<{new_id()}@counterfoil>", recipient="kari@example.com",
        sender=server.sender, reply_to=server.reply_to,
    )
    raw = compose(envelope, written, at=AT).as_bytes()
    head = raw.split(b"\r\n\r\n", 1)[0]
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")]
    wanted = [b"Message-ID", b"Date", b"From", b"To", b"Subject", b"Auto-Submitted",
              b"X-Auto-Response-Suppress", b"MIME-Version", b"Content-Type"]
    assert sorted(names) == sorted([*wanted, *([b"Reply-To"] if reply else [])])
    message = compose(envelope, written, at=AT)
    assert [one.addr_spec for one in message["To"].addresses] == ["kari@example.com"]
    assert [one.addr_spec for one in message["From"].addresses] == ["shop@example.com"]


@given(value=st.text(max_size=200))
def test_no_value_becomes_markup(value: str):
    written = fill(Text(subject="x", body="<p>{{ name }}</p>"), sample(name=value), "en")
    assert written.html.count("<p") == 1
    assert "<script" not in written.html.lower()
