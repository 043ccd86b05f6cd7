"""What became of a request, by its Idempotency-Key. [domain.md §10, rulings 41]"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import NotFound
from counterfoil.order.actor import Actor

_READ = """select key, status, body, etag, location, order_id::text as order_id, created_at
  from idempotency where account_id = $1 and credential = $2 and key = $3"""


class StoredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer as every repeat of the key gets it."""

    status: int
    body: Any
    etag: str | None
    location: str | None


class RequestShape(msgspec.Struct, frozen=True, kw_only=True):
    """A request that had an effect, or is about to; `answer` is null while it runs.

    Of the request itself only a fingerprint is kept, so its address is not told.
    """

    key: str
    status: Literal["in_progress", "done"]
    order_id: str | None
    answer: StoredAnswer | None
    created_at: datetime


async def request_of(connection: Connection, actor: Actor, key: str) -> RequestShape:
    """Read a request of the asking credential, nobody else's. Raises NotFound."""
    row = await connection.row(_READ, connection.account, actor.credential, key)
    if row is None:
        raise NotFound("This credential has sent no request with that key that had an effect.")
    answer = None
    if row["status"] is not None:
        answer = StoredAnswer(
            status=row["status"],
            body=msgspec.Raw(row["body"].encode()) if row["body"] else None,
            etag=row["etag"],
            location=row["location"],
        )
    return RequestShape(
        key=row["key"],
        status="in_progress" if answer is None else "done",
        order_id=row["order_id"],
        answer=answer,
        created_at=row["created_at"],
    )
