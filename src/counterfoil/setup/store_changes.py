"""Who changed what of a store, as the audit entries tell it."""

from datetime import datetime
from typing import Any

import msgspec

from counterfoil.kernel.db import Connection

#: Further back nobody is asked.
ENTRIES_MAX = 200
_ENTRIES = """select id::text, data::text as data, actor::text as actor, at from audit_entry
  where account_id = $1 and type in ('store.created', 'store.changed') and subject = $2
  order by id desc limit $3"""


class StoreEdit(msgspec.Struct, frozen=True, kw_only=True):
    """One saving that changed something: which fields, who, when. A new store has all of them."""

    id: str
    fields: frozenset[str]
    actor: dict[str, Any]
    at: datetime


async def edits_of_store(connection: Connection, code: str) -> list[StoreEdit]:
    """List what changed a store, newest first; what was saved without a change is left out."""
    found = await connection.rows(_ENTRIES, connection.account, code, ENTRIES_MAX)
    told = []
    for row in found:
        data = msgspec.json.decode(row["data"])
        before, after = data.get("before") or {}, data.get("after") or {}
        fields = frozenset(name for name in after if after[name] != before.get(name))
        if fields:
            actor = msgspec.json.decode(row["actor"])
            told.append(StoreEdit(id=row["id"], fields=fields, actor=actor, at=row["at"]))
    return told


def newest(edits: list[StoreEdit], fields: frozenset[str]) -> StoreEdit | None:
    """Find the last change of one of these fields."""
    return next((one for one in edits if one.fields & fields), None)
