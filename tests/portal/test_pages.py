"""Every template renders and keeps to the strict policy. [design guide 3.0, 7]"""

import re
from html.parser import HTMLParser

import msgspec
import pytest

from counterfoil.portal import pages
from tests.portal.shots import SHOTS, Shot

FORBIDDEN_START = ("on", "hx-on", "data-hx-on")


class Reader(HTMLParser):
    """Collects what the policy forbids, and every id, label and heading."""

    def __init__(self) -> None:
        super().__init__()
        self.sins: list[str] = []
        self.ids: list[str] = []
        self.headings: list[str] = []
        self.forms: list[dict[str, str | None]] = []
        self.fields: list[dict[str, str | None]] = []
        self.icons: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name, value in attrs:
            if name == "style" or name.startswith(FORBIDDEN_START):
                self.sins.append(f"<{tag} {name}>")
            if value and value.strip().lower().startswith("javascript:"):
                self.sins.append(f"<{tag} {name}={value}>")
        if tag == "style" or (tag == "script" and "src" not in given):
            self.sins.append(f"<{tag}>")
        if "hx-push-url" in given or "hx-boost" in given or "hx-confirm" in given:
            self.sins.append(f"<{tag}> pushes, boosts or confirms by itself")
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "h1":
            self.headings.append(tag)
        if tag == "form":
            self.forms.append(given)
        if tag in ("input", "textarea", "select"):
            self.fields.append(given)
        if tag == "use":
            self.icons.add((given.get("href") or "").partition("#")[2])


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def every() -> list[tuple[Shot, bool]]:
    """Every page, and every dialog also as the fragment that opens above a page."""
    dialogs = ("money", "goods", "returns", "problems", "access")
    return [(shot, False) for shot in SHOTS] + [
        (shot, True)
        for shot in SHOTS
        if shot.template.split("/")[0] in dialogs and shot.frame.person
    ]


def text_of(shot: Shot, partial: bool) -> str:
    frame = msgspec.structs.replace(shot.frame, partial=partial)
    return pages.render(shot.template, frame, **shot.context())


@pytest.mark.parametrize(
    ("shot", "partial"), every(), ids=lambda value: getattr(value, "name", value)
)
def test_a_page_keeps_to_the_policy_and_stands_alone(shot: Shot, partial: bool) -> None:
    text = text_of(shot, partial)
    reader = read(text)
    assert not reader.sins
    assert len(reader.ids) == len(set(reader.ids)), "an id stands twice"
    typed = r'<(textarea|code|pre)\b.*?</\1>| value="[^"]*"'
    ours = re.sub(typed, "", text, flags=re.DOTALL)
    assert (
        "Undefined" not in text and "{{" not in ours and "None" not in re.sub("<[^>]*>", "", text)
    )
    if partial:
        assert "<html" not in text and "<h1" not in text
    else:
        assert text.startswith("<!doctype html>")
        assert len(reader.headings) == 1, "a page has one h1"
    symbols = set(
        re.findall(
            r'<symbol id="([^"]+)"', (pages.STATIC / pages.manifest()["icons.svg"]).read_text()
        )
    )
    assert reader.icons <= symbols, "an icon is not in the sprite"


@pytest.mark.parametrize(
    ("shot", "partial"), every(), ids=lambda value: getattr(value, "name", value)
)
def test_what_writes_carries_a_token_and_a_key(shot: Shot, partial: bool) -> None:
    text = text_of(shot, partial)
    for form in re.findall(r'<form method="post".*?</form>', text, re.DOTALL):
        assert 'name="_csrf_token"' in form
        if re.search(r'action="/portal/(orders|settle)/', form):
            assert 'name="idempotency_key"' in form
        if "hx-post" in form:
            assert 'hx-sync="this:drop"' in form, "a second click must be dropped, not queued"


def test_every_field_has_a_name_for_those_who_do_not_see() -> None:
    for shot, partial in every():
        text = text_of(shot, partial)
        labelled = set(re.findall(r'<label[^>]*for="([^"]+)"', text))
        for field in read(text).fields:
            inside = field.get("type") in ("hidden", "radio", "checkbox")
            assert inside or field.get("aria-label") or field.get("id") in labelled, (
                shot.name,
                field,
            )


def test_what_a_shopper_wrote_stays_text() -> None:
    evil = "<script>alert(1)</script>\"'><img src=x>"
    shot = next(shot for shot in SHOTS if shot.name == "order")
    context = shot.context()
    order = msgspec.structs.replace(
        context["order"],
        customer={"first_name": evil, "email": evil},
        tags=[evil],
        invoice_number=evil,
    )
    context["view"].order = order
    context["view"].note_form.values = {"body": evil}
    text = pages.render(shot.template, shot.frame, **(context | {"order": order}))
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert not read(text).sins


def test_only_what_the_core_allows_is_a_button() -> None:
    shot = next(shot for shot in SHOTS if shot.name == "list")
    text = pages.render(shot.template, shot.frame, **shot.context())
    rows = re.findall(r'<tr id="order-.*?</tr>', text, re.DOTALL)
    for row, given in zip(rows, shot.context()["rows"], strict=True):
        doors = re.findall(r'data-cf-act="(\w+)"', row)
        allowed = [one.action for one in given.order.allowed_actions]
        assert doors == [door for door in ("capture", "void", "refund") if door in allowed]


def test_who_lacks_a_right_sees_no_control() -> None:
    shot = next(shot for shot in SHOTS if shot.name == "order")
    frame = msgspec.structs.replace(shot.frame, rights=frozenset({"orders.read"}))
    text = pages.render(shot.template, frame, **shot.context())
    for form in read(text).forms:
        assert form.get("action") in ("/portal/me/theme", "/portal/logout"), form


@pytest.mark.proves("U-1")
def test_the_menu_leads_from_orders_to_the_open_ones() -> None:
    shot = next(shot for shot in SHOTS if shot.name == "list")
    text = pages.render(shot.template, shot.frame, **shot.context())
    menu = re.search(r'<nav class="cf-side".*?</nav>', text, re.DOTALL)
    assert menu is not None
    under = menu[0].partition(">Orders</h2>")[2].partition("</ul>")[0]
    first = re.search(r'<a [^>]*href="([^"]+)".*?</a>', under, re.DOTALL)
    assert first is not None and "Open orders" in first[0]
    assert first[1] == "/portal/orders/open"
