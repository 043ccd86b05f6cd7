"""Statements put together from fixed fragments: holes for other fragments, names for parameters.

`<hole>` is filled with another fragment, `{name}` becomes the number of a parameter. No value ever
becomes part of the text.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from counterfoil.kernel.db import Connection


def filled(fragment: str, **fragments: str) -> str:
    """Fill the holes of a fragment with other fragments."""
    for hole, text in fragments.items():
        fragment = fragment.replace(f"<{hole}>", text)
    return fragment


@cache
def numbered(text: str) -> tuple[str, tuple[str, ...]]:
    """Give every {name} its number, from $2 on ($1 is the account), and list the names in order."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 2)}"

    return re.sub(r"\{(\w+)\}", number, text), tuple(names)


async def rows(connection: Connection, text: str, values: Mapping[str, Any]) -> list[Any]:
    """Run a statement with parameters by name."""
    sql, names = numbered(text)
    return await connection.rows(sql, connection.account, *(values[name] for name in names))
