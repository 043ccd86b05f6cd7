"""The shapes that codes, names and currencies must have; refusals that name the field; JSON."""

import unicodedata
from typing import Annotated, Any

import msgspec

from counterfoil.kernel.currencies import EXPONENTS
from counterfoil.kernel.problem import ValidationFailed

Code = Annotated[
    str,
    # The end is said twice because Python's $ lets a line break follow.
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)",
        max_length=64,
        description="Letters a-z, digits, dots, dashes and underscores.",
    ),
]
#: What a name has none of, as a part of a class in a pattern: control characters, line breaks and
#: the marks that turn the direction of text, which make one name read as another.
UNSEEN = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
Name = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^[^\S{UNSEEN}]*[^\s{UNSEEN}][^{UNSEEN}]*$(?!\n)",
        max_length=200,
        description="In one line, without control characters and marks of direction.",
    ),
]
Label = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^[^\s{UNSEEN}]([^{UNSEEN}]{{0,58}}[^\s{UNSEEN}])?$(?!\n)",
        max_length=60,
        description="In one line: no blank at its ends, control character or mark of direction.",
    ),
]
Text = Annotated[str, msgspec.Meta(max_length=2000)]
_UNSEEN_SAID = "Write something in one line, without control characters and marks of direction"


def refuse(pointer: str, detail: str) -> ValidationFailed:
    """Make the refusal of one field."""
    return ValidationFailed(detail, errors=[{"pointer": pointer, "detail": detail}])


def folded(name: str) -> str:
    """Fold a name, so that two which read alike are alike."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def check_currency(currency: str, pointer: str = "/currency") -> str:
    """Return a currency of ISO 4217. Raises ValidationFailed."""
    if currency not in EXPONENTS:
        raise refuse(pointer, f"{currency!r} is not a currency of ISO 4217.")
    return currency


def check_shape(body: Any) -> None:
    """Hold a struct to the limits of its own fields, as if it had just come over the wire.

    The API decodes into these structs and checks so; commands and imports build them in Python,
    where msgspec does not look. Raises ValidationFailed.
    """
    try:
        msgspec.convert(msgspec.to_builtins(body), type(body))
    except msgspec.ValidationError as problem:
        raise shape_refused(problem) from problem


def shape_refused(problem: msgspec.ValidationError) -> ValidationFailed:
    """Make the refusal of a body that msgspec refused: `$.lines[0].sku` is `/lines/0/sku`."""
    said, _, path = str(problem).partition(" - at `$")
    said = name_refused(said)
    pointer = path.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
    return refuse(pointer, said)


def name_refused(said: str) -> str:
    """Put into words what msgspec says of a name that has characters which no name has."""
    if "matching regex" in said and repr(UNSEEN)[1:-1] in said:
        return _UNSEEN_SAID
    return said


def check_name(name: str, pointer: str) -> str:
    """Return a name that was typed somewhere else than in a body. Raises ValidationFailed."""
    try:
        return msgspec.convert(name, Name)
    except msgspec.ValidationError as problem:
        raise refuse(pointer, name_refused(str(problem))) from problem


def to_json(value: Any) -> str:
    """Write a value as JSON for a parameter of a statement; fields that are UNSET are left out."""
    return msgspec.json.encode(value).decode()
