"""What a kind of gateway asks for: the shapes of its settings and credentials, as forms need them.

An adapter says them itself, as `SETTINGS` and `CREDENTIALS`; of one that says nothing, everything
is free.
"""

from typing import get_type_hints

import msgspec

from counterfoil.gateways import KINDS
from counterfoil.order.capability import CAPABILITIES


class Free(msgspec.Struct):
    """Nothing is known of it."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One field: its name, its type as declared, and its default, None where it must be given."""

    name: str
    kind: object
    default: object
    required: bool


def kinds() -> list[str]:
    """List the kinds that can be connected."""
    return [kind for kind in KINDS if kind in CAPABILITIES]


def settings_asked(kind: str) -> list[Asked]:
    """List the settings that a kind knows."""
    return _asked(_shape(kind, "SETTINGS"))


def credentials_asked(kind: str) -> list[Asked]:
    """List the credentials that a kind needs or takes."""
    return _asked(_shape(kind, "CREDENTIALS"))


def _shape(kind: str, name: str) -> type[msgspec.Struct]:
    shape: type[msgspec.Struct] = getattr(KINDS[kind], name, Free)
    return shape


def _asked(shape: type[msgspec.Struct]) -> list[Asked]:
    hints = get_type_hints(shape, include_extras=True)
    return [
        Asked(
            name=field.name,
            kind=hints[field.name],
            default=None if field.default is msgspec.NODEFAULT else field.default,
            required=field.required,
        )
        for field in msgspec.structs.fields(shape)
    ]
