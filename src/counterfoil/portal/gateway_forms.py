"""The forms of a gateway: its settings and credentials as fields, as its adapter asks for them.

Fields are made from the adapter's own shapes, so a new kind needs nothing here. What no field can
hold stands as JSON below them. Credentials go one way only.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from counterfoil.gateways.asked import Asked, credentials_asked, settings_asked
from counterfoil.order.capability import CAPABILITIES
from counterfoil.portal.forms import Form
from counterfoil.portal.gateway_words import SAID, span

ADVANCED, HOLD = "advanced", "hold_seconds"
TEXT_MAX = 8192
_SETTING, _SECRET = "set_", "secret_"
_WORDS = {"url": "URL", "id": "ID", "api": "API"}
_NAMED = re.compile(r"`\$\.(\w+)|required field `(\w+)`")
_PLACE = re.compile(r" - at `[^`]*`")
_SCALARS = (inspect.StrType, inspect.IntType, inspect.FloatType, inspect.NoneType)
Typed = Callable[[str, int], str]


class Field(NamedTuple):
    """One field as rendered. With `choices` it is a list; a `secret` is never shown again."""

    name: str
    label: str
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False
    secret: bool = False


def setting_fields(kind: str) -> list[Field]:
    """List the fields of a kind's settings."""
    return [_setting(kind, one) for one in settings_asked(kind) if _fits_a_field(one)]


def secret_fields(kind: str) -> list[Field]:
    """List the fields of a kind's credentials."""
    return [
        Field(
            _SECRET + one.name,
            label_of(one.name),
            "" if one.required else "May be left out.",
            required=one.required,
            secret=True,
        )
        for one in credentials_asked(kind)
    ]


def show_settings(kind: str, settings: dict[str, Any]) -> dict[str, str]:
    """Put settings into the fields of their form; the rest becomes JSON."""
    names = {one.name for one in settings_asked(kind) if _fits_a_field(one)}
    values = {_SETTING + name: _text(settings[name]) for name in names & settings.keys()}
    rest = {name: value for name, value in settings.items() if name not in names}
    text = msgspec.json.format(msgspec.json.encode(rest, order="sorted"), indent=2).decode()
    return values | {ADVANCED: text if rest else ""}


def read_settings_form(kind: str, typed: Typed, form: Form) -> dict[str, Any]:
    """Read settings from the form; what cannot be is said at its field. Empty fields are left out.

    The values as typed go into `form.values`, problems into `form.errors`.
    """
    found = _read_advanced(typed, form)
    for one in settings_asked(kind):
        if not _fits_a_field(one):
            continue
        field = _SETTING + one.name
        text = form.values[field] = typed(field, TEXT_MAX)
        if not text:
            found.pop(one.name, None)
            if one.required:
                form.errors[field] = f"{label_of(one.name)}: fill this in."
            continue
        try:
            found[one.name] = msgspec.convert(text, one.kind, strict=False)
        except msgspec.ValidationError as wrong:
            form.errors[field] = f"{label_of(one.name)}: {_sentence(one.name, str(wrong))}"
    return found


def read_secrets_form(kind: str, typed: Typed, form: Form) -> dict[str, str]:
    """Read credentials from the form. They are not put back into it."""
    found = {}
    for one in credentials_asked(kind):
        field = _SECRET + one.name
        text = typed(field, TEXT_MAX)
        if text:
            found[one.name] = text
        elif one.required:
            form.errors[field] = f"{label_of(one.name)}: fill this in."
    return found


def tell_refusal(kind: str, detail: str, form: Form) -> None:
    """Put what the adapter says to its field, or where no field is to blame, above the form."""
    found = _NAMED.search(detail)
    name = (found[1] or found[2]) if found else ""
    fields = {field.name for field in (*setting_fields(kind), *secret_fields(kind))}
    for field in (_SETTING + name, _SECRET + name):
        if field in fields:
            form.errors[field] = f"{label_of(name)}: {_sentence(name, detail)}"
            return
    if name:
        form.errors[ADVANCED] = f"{name}: {_PLACE.sub('', detail)}."
    else:
        form.notices.append(detail)


def label_of(name: str) -> str:
    """Make a label of a setting's name: base_url is Base URL, deadline_s Deadline (seconds).

    One that narrows what the gateway can do is called as the ability is.
    """
    if name in SAID:
        return SAID[name].label + (" (seconds)" if name == HOLD else "")
    for ending, unit in (("_seconds", " (seconds)"), ("_s", " (seconds)"), ("_days", " (days)")):
        if name.endswith(ending):
            return label_of(name.removesuffix(ending)) + unit
    words = [_WORDS.get(word, word) for word in name.split("_")]
    label = " ".join(words)
    return label[:1].upper() + label[1:]


def _setting(kind: str, one: Asked) -> Field:
    usual = one.default
    if usual is None:
        usual = msgspec.structs.asdict(CAPABILITIES[kind]).get(one.name)
    choices = _choices(one)
    said = "" if usual is None else _text(usual)
    if choices:
        shown = dict(choices).get(said, said)
        choices = (("", f"Usual ({shown.lower()})" if shown else "Not set"), *choices)
    if one.name == HOLD and isinstance(usual, int):
        said = span(usual)
    hint = f"Left empty: {said}" if said and not choices else ""
    return Field(
        _SETTING + one.name, label_of(one.name), hint, choices=choices, required=one.required
    )


def _choices(one: Asked) -> tuple[tuple[str, str], ...]:
    for kind in _members(inspect.type_info(one.kind)):
        if isinstance(kind, inspect.BoolType):
            return (("true", "Yes"), ("false", "No"))
        if isinstance(kind, inspect.LiteralType):
            return tuple((str(value), str(value)) for value in kind.values)
    return ()


def _fits_a_field(one: Asked) -> bool:
    """Whether one line of text can hold it; of lists and objects none can."""
    known = (*_SCALARS, inspect.BoolType, inspect.LiteralType)
    return all(isinstance(kind, known) for kind in _members(inspect.type_info(one.kind)))


def _members(kind: inspect.Type) -> list[inspect.Type]:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        return [member for one in kind.types for member in _members(one)]
    return [kind]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _read_advanced(typed: Typed, form: Form) -> dict[str, Any]:
    text = form.values[ADVANCED] = typed(ADVANCED, 2 * TEXT_MAX)
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        form.errors[ADVANCED] = 'Further settings: write one JSON object, such as {"name": 1}.'
        return {}


def _sentence(name: str, said: str) -> str:
    """Say what an adapter refused as people would."""
    if "required field" in said:
        return "fill this in."
    if "got `str`" in said or "Expected `int" in said or "Expected `float" in said:
        return f"write a number. {_PLACE.sub('', said)}."
    if name.endswith("url"):
        return "write a web address, such as https://pay.example.com."
    if "matching regex" in said:
        return "it has characters that cannot be in it, or lacks some that must."
    return f"{_PLACE.sub('', said)}."
