"""Open several folders at once, for looking: one statement, as one snapshot."""

from collections.abc import Sequence
from functools import cache

import msgspec

from counterfoil.book.opening import folder_told
from counterfoil.kernel.db import Connection
from counterfoil.order.folder import Folder

SEVERAL_MAX = 100
_SEVERAL = """select {folder} as folder from unnest($2::uuid[]) with ordinality w(id, place)
  join orders o on o.account_id = $1 and o.id = w.id order by w.place"""
_decode = msgspec.json.Decoder(Folder).decode


@cache
def _open_several(needs: frozenset[str]) -> str:
    return _SEVERAL.replace("{folder}", folder_told(needs))


async def open_several(
    connection: Connection, ids: Sequence[str], needs: frozenset[str]
) -> list[Folder]:
    """Read what an action needs of some orders, in their order; 100 at the most.

    Those that are not here are left out.
    """
    assert len(ids) <= SEVERAL_MAX, "folders are large: open them by the hundred"
    rows = await connection.rows(_open_several(needs), connection.account, list(ids))
    return [_decode(row["folder"]) for row in rows]
