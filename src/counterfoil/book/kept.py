"""What was kept under an Idempotency-Key: for whoever lost an answer and asks what happened."""

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.order.change import Answered


class Kept(msgspec.Struct, frozen=True):
    """A request as it was kept: the order it was about, and its answer once there is one."""

    order_id: str | None
    answered: Answered | None


async def find_kept(connection: Connection, credential: str, key: str) -> Kept | None:
    """Find a request by its key; None where it never reached us, so nothing of it was done."""
    row = await connection.row(
        "select order_id::text, status, body, etag, location from idempotency"
        " where account_id = $1 and credential = $2 and key = $3",
        connection.account,
        credential,
        key,
    )
    if row is None:
        return None
    if row["status"] is None:
        return Kept(row["order_id"], None)
    answered = Answered(
        status=row["status"],
        body=row["body"],
        etag=row["etag"],
        location=row["location"],
        replayed=True,
    )
    return Kept(row["order_id"], answered)
